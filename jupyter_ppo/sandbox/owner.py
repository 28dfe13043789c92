"""Whose a container or a folder is: host, user, PID namespace, process id, and when that started.

A process id means something only within its namespace, and only for one's own processes can it be
told for certain that they are gone. The start time tells a process from a later one with its id.
Sources: proc(5) on hidepid, pid_namespaces(7).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import SandboxError

LABEL: Final = "jupyter-ppo.owner"

_PREFIX: Final = "jppo"
#: Nine digits: every process id there can be, and never more than kill(2) takes.
_PID: Final = r"[0-9]{1,9}"
_FOLDER: Final = re.compile(rf"{_PREFIX}-([0-9]+)-({_PID})-([0-9a-z]+)-[a-z0-9_]+")
#: ``sockaddr_un.sun_path`` holds 104 bytes on macOS and 108 on Linux, the final zero included.
_LONGEST_FOLDER: Final = 90


def start_time(pid: int) -> str | None:
    """Return when process ``pid`` started, as a word to compare; None if that cannot be read."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        listed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return re.sub(r"[^0-9a-z]", "", listed.stdout.lower()) or None
    return status.rpartition(")")[2].split()[19]  # proc(5): field 22, counted from the name


def pid_namespace() -> str:
    """Return the inode of this process's PID namespace, "0" where a host has only one.

    Raises ``SandboxError`` on Linux without /proc, where nothing can be told from anything.
    """
    if sys.platform != "linux":
        return "0"
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError as error:
        msg = f"The PID namespace cannot be read: {error}. Mount /proc for this server."
        raise SandboxError(msg) from error


def own_token() -> str:
    """Return the label of this process's containers; raises as ``pid_namespace`` does."""
    pid = os.getpid()
    return f"{_own_place()}:{pid}:{start_time(pid)}"


def is_orphan(token: str) -> bool:
    """Whether the owner of this label was a process of this user here, and is gone for certain.

    What cannot be read belongs to nobody we know and is left alone. Raises as ``pid_namespace``.
    """
    match token.rsplit(":", 2):
        case [place, pid, started] if place == _own_place() and re.fullmatch(_PID, pid):
            return _is_gone(int(pid), started)
        case _:
            return False


def new_folder() -> Path:
    """Make a folder that only this user can enter, short enough for socket names."""
    name = f"{_own_prefix()}-"
    root = next(root for root in _roots() if len(str(root)) + len(name) + 8 <= _LONGEST_FOLDER)
    return Path(tempfile.mkdtemp(prefix=name, dir=root))


def remove_orphaned_folders() -> list[Path]:
    """Remove this user's folders of processes that are gone; return those removed.

    Raises as ``pid_namespace`` does.
    """
    removed, namespace = [], pid_namespace()
    for root in dict.fromkeys(_roots()):
        for path in root.glob(f"{_PREFIX}-*"):
            match = _FOLDER.fullmatch(path.name)
            if match is None or path.is_symlink() or match[1] != namespace:
                continue
            if not _is_gone(int(match[2]), match[3]):
                continue
            try:
                if path.stat().st_uid == os.getuid():
                    shutil.rmtree(path)
                    removed.append(path)
            except OSError:
                continue
    return removed


def _own_place() -> str:
    return f"{socket.gethostname()}:{os.getuid()}:{pid_namespace()}"


def _own_prefix() -> str:
    """Return how the names of this process's folders begin."""
    pid = os.getpid()
    return f"{_PREFIX}-{pid_namespace()}-{pid}-{start_time(pid)}"


def _is_gone(pid: int, started: str) -> bool:
    """Whether a process of this namespace is gone; False when it cannot be told.

    That another user's process cannot be read (hidepid) does not mean that there is none.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # there is one; its start time, if it is shown, tells whether it is the same
    now = start_time(pid)
    return now is not None and now != started


def _roots() -> Iterator[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):
        yield Path(runtime)
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - the only one that is short for certain
