"""The key that signs badges: an Ed25519 key in one file, made on first use."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from jupyter_ppo.domain.credentials import thumbprint
from jupyter_ppo.domain.errors import UnavailableError

#: RFC 8037: EdDSA signatures in JOSE; the curve is the key's.
ALGORITHM = "EdDSA"
#: The key in the data folder, and in a backup.
KEY_FILE = "badges.pem"


class SigningKey:
    """``services.credentials.Signer`` with the key in the file ``path``; for any thread.

    Any number of processes may want it first at once: one key is made, and all use it. Only the
    owner of the file can read it. Every method raises ``UnavailableError`` when the key cannot be
    read or made, or others could read it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._key: Ed25519PrivateKey | None = None

    def sign(self, payload: Mapping[str, Any]) -> str:
        """Return the payload as a signed JWT (compact JWS) with the public key in its header."""
        return jwt.encode(
            dict(payload), self._private(), ALGORITHM, headers={"jwk": self._public_part()}
        )

    def public(self) -> dict[str, str]:
        """Return the public key as a JWK; its ``kid`` is its thumbprint."""
        part = self._public_part()
        return {**part, "use": "sig", "alg": ALGORITHM, "kid": thumbprint(part)}

    def _public_part(self) -> dict[str, str]:
        raw = self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw)}

    def _private(self) -> Ed25519PrivateKey:
        with self._lock:
            if self._key is None:
                self._key = self._read()
            return self._key

    def _read(self) -> Ed25519PrivateKey:
        try:
            try:
                data, mode = _read_file(self._path)
            except FileNotFoundError:
                _make(self._path)
                data, mode = _read_file(self._path)
        except OSError as error:
            msg = (
                f"{self._path}: the key that signs badges cannot be used "
                f"({error.strerror or error}). Make its folder readable and writable."
            )
            raise UnavailableError(msg) from error
        if os.name == "posix" and mode & 0o077:
            msg = (
                f"{self._path}: others may read the key that signs badges. Take that from them "
                "(chmod 600), or delete the file for a new key if they may have read it."
            )
            raise UnavailableError(msg)
        try:
            key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            msg = (
                f"{self._path}: this is no Ed25519 key in PEM. Restore it from a backup, or delete "
                "it for a new key; badges so far are then of the old one."
            )
            raise UnavailableError(msg)
        return key


def _read_file(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)


def _make(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename this fails when another process was first; then its key is used.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
