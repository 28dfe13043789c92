"""Secrets that must be read again: sealed in the database, with the key in a file beside the data.

So a copy of the database alone gives nobody the secrets that sign webhooks.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken

from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.storage.key_files import read_key

#: The key in the data folder, and in a backup.
BOX_KEY_FILE = "webhooks.key"


class SecretBox:
    """Seals and opens texts with the key in the file ``path``, made on first use; for any thread.

    Sealed is encrypted and authenticated (Fernet). Every method raises ``UnavailableError`` when
    the key cannot be read or made, or others could read it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._fernet: Fernet | None = None

    def seal(self, secret: str) -> str:
        """Return the secret as it may be kept."""
        return self._key().encrypt(secret.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return what was sealed; raise ``UnavailableError`` if that was with another key."""
        try:
            return self._key().decrypt(sealed.encode()).decode()
        except InvalidToken:
            msg = (
                f"{self._path.name}: the secret of a webhook was sealed with another key. Restore "
                "that key from a backup, or rotate the webhook's secret."
            )
            raise UnavailableError(msg) from None

    def _key(self) -> Fernet:
        with self._lock:
            if self._fernet is None:
                what = "the key that seals the secrets of webhooks"
                data = read_key(self._path, Fernet.generate_key, what=what)
                try:
                    self._fernet = Fernet(data.strip())
                except ValueError:
                    msg = (
                        f"{self._path}: this is no key of ours. Restore it from a backup, or "
                        "delete it for a new key and rotate the secret of every webhook."
                    )
                    raise UnavailableError(msg) from None
            return self._fernet
