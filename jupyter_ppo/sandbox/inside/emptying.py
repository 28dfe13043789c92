"""Takes away what student's code can leave behind in a container besides processes.

Only while no process of it runs: nothing here defends itself against changes meanwhile.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_FOLDERS: Final = ("/tmp", "/dev/shm")  # noqa: S108 - the container's own tmpfs, and the home
_SYSTEM_V: Final = Path("/proc/sysvipc")
_IPC_RMID: Final = 0


def empty() -> bool:
    """Empty every folder that can be written to and remove what IPC has; False if some stays."""
    home = os.environ["HOME"]
    _bare(home)
    is_clean = True
    for folder in (*_FOLDERS, home):
        is_clean &= empty_folder(folder)
    return is_clean and _remove_system_v()


def empty_folder(top: str) -> bool:
    """Empty a folder; False when something stays.

    Folders are moved up into it before they are emptied themselves, so neither their depth nor the
    length of their paths matters.
    """
    number = 0
    left = deque(_entries(top))
    while left:
        path = os.path.join(top, left.popleft())
        with contextlib.suppress(OSError):
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for name in _entries(path):
                inner = os.path.join(path, name)
                if not stat.S_ISDIR(os.lstat(inner).st_mode):
                    os.unlink(inner)
                    continue
                os.chmod(inner, 0o700)  # or it could not be moved
                while os.path.lexists(moved := os.path.join(top, f"left-{number}")):
                    number += 1
                os.rename(inner, moved)
                left.append(os.path.basename(moved))
            os.rmdir(path)
    return not _entries(top)


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _bare(home: str) -> None:
    """Take from the home itself, which is the student's, what could be written on it."""
    with contextlib.suppress(OSError):
        for name in os.listxattr(home):
            os.removexattr(home, name)
    with contextlib.suppress(OSError):
        os.chmod(home, 0o700)
        os.utime(home)


def _remove_system_v() -> bool:
    """Remove shared memory, semaphores and queues of System V; False when one stays.

    Where the second system-call filter is installed, there can be none.
    """
    libc: Any = ctypes.CDLL(None)
    removals: dict[str, Callable[[int], object]] = {
        "shm": lambda number: libc.shmctl(number, _IPC_RMID, None),
        "sem": lambda number: libc.semctl(number, 0, _IPC_RMID),
        "msg": lambda number: libc.msgctl(number, _IPC_RMID, None),
    }
    for kind, remove in removals.items():
        for number in _system_v(kind):
            remove(number)
    return not any(_system_v(kind) for kind in removals)


def _system_v(kind: str) -> list[int]:
    """Return the numbers of what there is of a kind: the second column, below a head."""
    try:
        lines = _SYSTEM_V.joinpath(kind).read_text().splitlines()[1:]
    except FileNotFoundError:  # the system was built without them
        return []
    return [int(line.split()[1]) for line in lines]
