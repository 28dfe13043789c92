"""worker.lock: held by the one process that works on a run, and free when that process is gone.

flock(2) belongs to the open file, which a started worker inherits, and ends with the last process
that has it, however that ends. The file's text, the process id, is for people and messages.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import ConflictError

#: Whoever looks whether the lock is held, holds it for some microseconds.
_PATIENCE_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.01


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock and yield its file descriptor; raise ``ConflictError`` naming the holder."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        take(descriptor, path)
        yield descriptor
    finally:
        os.close(descriptor)


def take(descriptor: int, path: Path) -> None:
    """Lock an open file and write this process's id; raise ``ConflictError``."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            msg = (
                f"directory: process {holder(path) or '?'} works on the run in {path.parent}. "
                "Pause or stop it there, or wait until it ends."
            )
            raise ConflictError(msg, field="directory") from None
    write_holder(descriptor, os.getpid())


def write_holder(descriptor: int, pid: int) -> None:
    """Write who holds the lock."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{pid}\n".encode(), 0)
    except OSError:  # a full disk: only the number in a message would be missing
        return


def keep_from_children(descriptor: int) -> None:
    """Keep a lock that is held until this process ends from those that it starts.

    A program that an environment starts may live on when the worker is gone.
    """
    os.set_inheritable(descriptor, False)
    file = os.fstat(descriptor)

    def close() -> None:
        try:
            if os.path.samestat(os.fstat(descriptor), file):
                os.close(descriptor)
        except OSError:
            return

    os.register_at_fork(after_in_child=close)


def holder(path: Path) -> int | None:
    """Return the process id in the file, whether that process lives or not."""
    try:
        text = path.read_text(errors="replace")[:20].strip()
    except OSError:
        return None
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
