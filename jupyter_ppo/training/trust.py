"""Whose a run's pickles are: reading a pickle runs what its writer put in.

env.pkl, state.pkl in a checkpoint, and model.zip hold pickles, and spec.json may name a module to
import. What a worker of this user writes is
signed (HMAC-SHA256, RFC 2104) with a key that only this user can read; anything else is not
unpickled outside of a sandbox. Inside a sandbox, where there is nothing to protect, the variable
``JUPYTER_PPO_TRUST_RUNS=1`` trusts every file and no key is made.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import (
    DamagedFileError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UntrustedRunError,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.lines import replace_file

TRUST_VARIABLE: Final = "JUPYTER_PPO_TRUST_RUNS"

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64  # hexadecimal digits of SHA-256


class Purpose(StrEnum):
    """What bytes were signed as; a signature of one kind of file is none of another."""

    CHECKPOINT = "checkpoint"
    ENV = "env"
    MODEL = "model"
    SPEC = "spec"


def sign(data: bytes, purpose: Purpose) -> str:
    """Return this user's signature of ``data``; "" where everything is trusted anyway.

    Raises ``UnavailableError`` when the key cannot be read or made.
    """
    if trusts_everything():
        return ""
    return hmac.digest(_key(), purpose.value.encode() + b"\0" + data, "sha256").hex()


def is_ours(data: bytes, signature: str, purpose: Purpose) -> bool:
    """Whether this user signed ``data``; raises as ``sign`` does."""
    return trusts_everything() or hmac.compare_digest(
        sign(data, purpose).encode(), signature.encode()
    )


def require_ours(data: bytes, signature: str, path: Path, purpose: Purpose) -> None:
    """Raise ``UntrustedRunError`` naming the file ``path`` unless this user signed ``data``."""
    if not is_ours(data, signature, purpose):
        folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
        msg = (
            f"{path}: this file can run code when it is read, and was not written by your own "
            "training runs. Open it in a sandbox, or, if you know who wrote it, "
            f"trust it with: jupyter ppo runs trust {folder}"
        )
        raise UntrustedRunError(msg, field="directory")


def write_signature(data: bytes, signature_path: Path, purpose: Purpose) -> None:
    """Write the signature of bytes that this process made: the file may be another one already."""
    replace_file(signature_path, sign(data, purpose).encode())


def read_trusted(path: Path, signature_path: Path, purpose: Purpose) -> bytes:
    """Return a file's bytes if this user signed them.

    Raises ``NotFoundError`` when there is no such file and ``UntrustedRunError``. Use these bytes:
    the file may be another one a moment later.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        msg = f"{path.name} is missing in {path.parent}."
        raise NotFoundError(msg, field="directory") from None
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror})."
        raise DamagedFileError(msg, field="directory") from None
    require_ours(data, _signature(signature_path), path, purpose)
    return data


def require_own_spec(spec: RunSpec, folder: Path, signature_path: Path) -> None:
    """Raise ``UntrustedRunError`` unless this user made the run or trusts it.

    For specs that name a module: importing it runs code. Only what decides what is run is signed,
    so that lengths may be edited.
    """
    require_ours(_code_of(spec), _signature(signature_path), folder / "spec.json", Purpose.SPEC)


def sign_spec(spec: RunSpec, signature_path: Path) -> None:
    """Write this user's signature of what a spec lets a worker run."""
    write_signature(_code_of(spec), signature_path, Purpose.SPEC)


def _code_of(spec: RunSpec) -> bytes:
    data = spec.to_dict()
    names = ("env_id", "env_kwargs", "env_sha256")
    return json.dumps([data[name] for name in names], sort_keys=True).encode()


def trust_run(folder: Path | str) -> list[str]:
    """Sign every file of a run that may run code when it is read; return their names.

    Only for runs whose writer you know: reading them runs what is in them. Raises
    ``NotFoundError`` or ``InvalidInputError`` when ``folder`` holds no run.
    """
    from jupyter_ppo.training.files import RunDirectory, names_module

    files = RunDirectory(Path(folder).resolve())
    signed = []
    if names_module(spec := files.read_spec()):
        sign_spec(spec, files.spec_signature_file)
        signed.append(files.spec_file.name)
    for path, signature_path, purpose in (
        (files.env_file, files.env_signature_file, Purpose.ENV),
        (files.model_file, files.model_signature_file, Purpose.MODEL),
    ):
        if path.is_file():
            write_signature(path.read_bytes(), signature_path, purpose)
            signed.append(path.name)
    store = files.checkpoints()
    for info in store.list():
        try:
            store.sign_again(info.step)
        except (DamagedFileError, InvalidInputError):
            continue
        signed.append(f"checkpoints/{store.path(info.step).name}")
    return signed


def trusts_everything() -> bool:
    """Whether this process is in a sandbox."""
    return os.environ.get(TRUST_VARIABLE) == "1"


def _signature(path: Path) -> str:
    try:
        return path.read_bytes()[:_SIGNATURE_BYTES].decode(errors="replace").strip()
    except OSError:
        return ""


def _key() -> bytes:
    from jupyter_core.paths import jupyter_data_dir

    path = Path(jupyter_data_dir()) / "jupyter_ppo" / "run.key"
    try:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = _new_key(path)
    except OSError as error:
        msg = (
            f"{path}: the key that signs your runs cannot be used ({error.strerror or error}). "
            "Make this folder readable and writable, or set JUPYTER_DATA_DIR to one that is."
        )
        raise UnavailableError(msg) from error
    if len(key) != _KEY_BYTES:
        msg = f"{path}: the key that signs your runs is damaged. Delete it; runs so far must then "
        msg += "be trusted again with: jupyter ppo runs trust FOLDER"
        raise UnavailableError(msg)
    return key


def _new_key(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename this fails when another process was first; then its key is used.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    return path.read_bytes()


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
