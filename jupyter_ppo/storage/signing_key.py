"""The key that signs badges: an Ed25519 key in one file, made on first use."""

from __future__ import annotations

import base64
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
from jupyter_ppo.storage.key_files import read_key

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
        data = read_key(self._path, _new_key, what="the key that signs badges")
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


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
