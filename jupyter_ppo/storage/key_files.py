"""Keys beside the data: each in a file of its own, made on first use, for its owner only."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from jupyter_ppo.domain.errors import UnavailableError


def read_key(path: Path, make: Callable[[], bytes], *, what: str) -> bytes:
    """Return what is in the file; if there is none, have ``make`` make it.

    Any number of processes may want it first at once: one key is made, and all use it. ``what`` is
    what people call it. Raises ``UnavailableError`` when it cannot be read or made, or others could
    read it.
    """
    try:
        try:
            data, mode = _read_file(path)
        except FileNotFoundError:
            _write(path, make())
            data, mode = _read_file(path)
    except OSError as error:
        msg = (
            f"{path}: {what} cannot be used ({error.strerror or error}). Make its folder readable "
            "and writable."
        )
        raise UnavailableError(msg) from error
    if os.name == "posix" and mode & 0o077:
        msg = (
            f"{path}: others may read {what}. Take that from them (chmod 600), or delete the file "
            "for a new key if they may have read it."
        )
        raise UnavailableError(msg)
    return data


def _read_file(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename this fails when another process was first; then its key is used.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
