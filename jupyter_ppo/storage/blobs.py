"""Content-addressed bytes in a folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from jupyter_ppo.domain.errors import (
    DamagedFileError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)

_log = logging.getLogger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")
# EFBIG: the process's own limit on the size of a file.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What is wrong with one file, whereas all others can be used: a bad block, rights, no plain file.
_OF_ONE_FILE = {
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
    errno.ELOOP,
    errno.ENXIO,
}


class FileBlobs:
    """``domain.ports.BlobStore`` as files ``<root>/<2 hex digits>/<62 hex digits>``.

    A blob appears under its name complete or not at all: it is written beside, synced, renamed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Keep ``data`` durably; return its SHA-256 as hex.

        Raises ``StorageFullError`` when there is no room (nothing is left behind then),
        ``DamagedFileError`` when something else than a file stands in its place, and
        ``UnavailableError`` when the folder cannot be written.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._path(digest)
        try:
            self._write(target, data)
        except OSError as error:
            if error.errno in _NO_ROOM:
                msg = (
                    f"There is no room on the disk for {len(data)} bytes; nothing was kept. "
                    "Try again later, or ask whoever runs this server to free some space."
                )
                raise StorageFullError(msg) from error
            _log.exception("a blob could not be written")
            if error.errno == errno.EISDIR:
                raise _damaged(digest, "cannot be written (a folder has its name)") from error
            msg = f"The folder for submitted files cannot be written: {error.strerror}."
            raise UnavailableError(msg) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes, checked against the digest.

        Raises ``NotFoundError`` when there is no such file, ``DamagedFileError`` when this one
        cannot be read or holds something else, ``UnavailableError`` when no file can be read.
        """
        msg = f"There is no file with the digest {digest[:64]!r}."
        if not _DIGEST.fullmatch(digest):
            raise NotFoundError(msg, field="digest")
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(msg, field="digest") from None
        except OSError as error:
            _log.exception("a blob could not be read")
            if error.errno in _OF_ONE_FILE:
                raise _damaged(digest, f"cannot be read ({error.strerror})") from error
            msg = f"The folder for submitted files cannot be read: {error.strerror}."
            raise UnavailableError(msg) from error
        if hashlib.sha256(data).hexdigest() != digest:
            _log.error("blob %s is damaged: its content has another digest", digest)
            raise _damaged(digest, "is damaged")
        return data

    def remove(self, digest: str, *, untouched_since: datetime) -> bool:
        """Remove a blob; False, and it stays, when somebody put the same bytes after that time.

        Only for what nothing refers to: whoever puts a blob writes down that they use it within
        moments. True also when it is not there. Raises ``UnavailableError``.
        """
        target, aside = self._path(digest), self._aside(digest)
        since = untouched_since.timestamp()
        try:
            if target.stat().st_mtime > since:
                return False
            os.rename(target, aside)
            # Looked at again once nobody can find it any more and rely on it.
            if aside.stat().st_mtime > since:
                os.rename(aside, target)
                return False
        except FileNotFoundError:
            pass  # perhaps one who was killed in between has left it aside
        except OSError as error:
            raise _unchangeable(error) from error
        aside.unlink(missing_ok=True)
        if target.parent.is_dir():
            sync_folder(target.parent)
        return True

    def put_back(self, digest: str) -> None:
        """Undo a ``remove`` that was killed in between, of a blob that is used again by now."""
        with contextlib.suppress(FileNotFoundError):
            os.rename(self._aside(digest), self._path(digest))

    def _aside(self, digest: str) -> Path:
        return self._path(digest).with_name(f".gone-{digest[2:]}")

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob that is there, by its name alone; nothing is read."""
        if not self._root.is_dir():
            return
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir():
                for file in sorted(folder.iterdir()):
                    digest = folder.name + file.name
                    if _DIGEST.fullmatch(digest):
                        yield digest

    def _path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest[2:]

    def _write(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A damaged copy is replaced. An intact one was perhaps renamed a moment ago by another
        # process, so its folder is synced all the same.
        if not (_holds(target, data) and _touched(target)):
            descriptor, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, target)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        sync_folder(target.parent)
        sync_folder(self._root)


def _holds(target: Path, data: bytes) -> bool:
    """Whether ``target`` is a file with these bytes; not if it is there and cannot be read."""
    try:
        return target.is_file() and target.read_bytes() == data
    except OSError:
        return False


def _unchangeable(error: OSError) -> UnavailableError:
    return UnavailableError(f"The folder for submitted files cannot be changed: {error.strerror}.")


def _touched(target: Path) -> bool:
    """Say that a blob is used, to ``remove``; False when it has just been removed."""
    try:
        os.utime(target)
    except FileNotFoundError:
        return False
    except OSError:  # not ours to touch: nor could it be removed
        return True
    return True


def _damaged(digest: str, problem: str) -> DamagedFileError:
    msg = f"The file with the digest {digest!r} {problem}. Restore it from a backup."
    return DamagedFileError(msg, field="digest")


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, where the system lets us."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
