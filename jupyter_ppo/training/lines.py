"""Files of lines, one JSON object each, that several processes append to and read at once.

A line is there when its line end is there. A writer that is killed or runs out of disk leaves a
torn line; the next writer begins a new one, and readers skip what is no JSON object.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

#: What a full disk or a full quota is called; EFBIG is the process's own limit.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

#: A longer line is of no writer of ours; it is passed over in pieces of this size.
_LONGEST_LINE: Final = 1024 * 1024
_TEMPORARY: Final = ".*.tmp"


class LineReader:
    """Reads the objects whose lines were completed since the last call."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset

    def read(self, limit_bytes: int | None = None) -> list[dict[str, Any]]:
        """Return the new objects, oldest first, of at most about ``limit_bytes`` of the file.

        A file that is not there yet is empty. At least one line is read, however small the limit.
        """
        return parsed(self.read_lines(limit_bytes))

    def read_lines(self, limit_bytes: int | None = None) -> bytes:
        """Return the new whole lines as they are, and move ``offset`` behind them."""
        try:
            if os.stat(self._path).st_size <= self.offset:  # asked at every step of a training
                return b""
            with self._path.open("rb") as file:
                file.seek(self.offset)
                data = file.read() if limit_bytes is None else file.read(max(limit_bytes, 1))
                end = data.rfind(b"\n") + 1
                if not end and limit_bytes is not None:
                    data += file.readline(_LONGEST_LINE)
                    end = data.rfind(b"\n") + 1
        except FileNotFoundError:
            return b""
        if not end and len(data) >= _LONGEST_LINE:
            self.offset += len(data)
            return b""
        self.offset += end
        return data[:end]


def parsed(lines: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects among whole lines, in order."""
    candidates = [line for line in lines.split(b"\n") if line[:1] == b"{" and line[-1:] == b"}"]
    try:
        # One call for all lines is three times as fast as one for each.
        every = json.loads(b"[" + b",".join(candidates) + b"]")
        if len(every) == len(candidates):
            return list(every)
    except (ValueError, RecursionError):
        pass
    found = []
    for line in candidates:
        try:
            found.append(dict(json.loads(line)))
        except (ValueError, RecursionError):
            continue
    return found


def append_line(path: Path, data: Mapping[str, Any]) -> None:
    """Append one object with one write, so that lines of several writers never mix.

    Raises ``OSError``, with the number of a full disk also when only a part was written.
    """
    line = json.dumps(dict(data), separators=(",", ":")).encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if _is_torn(descriptor):
            line = b"\n" + line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)


def end_torn_line(path: Path) -> None:
    """Close the last line of a file whose writer was cut off, so that it can be appended to."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if _is_torn(descriptor):
            os.write(descriptor, b"\n")
    finally:
        os.close(descriptor)


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Give ``path`` new contents so that a reader sees the old ones or the new ones, never a mix.

    ``durable`` also waits until they are on disk.
    """
    with replacing(path, durable=durable) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of ``path`` at the end; an error leaves ``path`` alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporary(folder: Path) -> None:
    """Remove what a killed ``replacing`` left in ``folder``; only its writer may call this."""
    for path in folder.glob(_TEMPORARY):
        path.unlink(missing_ok=True)
