"""How much memory a container holds, as its control group counts it. Runs inside the container.

Sources: the kernel's cgroup-v1/memory and cgroup-v2.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

_STATISTICS: Final = ("/sys/fs/cgroup/memory/memory.stat", "/sys/fs/cgroup/memory.stat")
_HIGHEST: Final = (
    "/sys/fs/cgroup/memory/memory.max_usage_in_bytes",
    "/sys/fs/cgroup/memory.peak",
)


class MemoryMeter:
    """The most memory that all processes and files in memory together had since it was made.

    It is what the limit counts, process 1 included, but without the cache of files that are read,
    which the system takes back when it is short. Where there is nothing to read it, it is 0.
    """

    def __init__(self) -> None:
        self._files = [_opened(_STATISTICS), _opened(_HIGHEST)]
        self._highest_before = self._highest()
        self._most = 0
        self.look()

    def look(self) -> None:
        """Take what is held now into account."""
        held, _ = self._now()
        self._most = max(self._most, held)

    def finish(self) -> int:
        """Return the most that was held, in bytes, and close the files.

        The system's own highest figure misses no peak, however short. It has no beginning that
        could be set, so it tells only of a program that used more than all before it.
        """
        self.look()
        _, cached = self._now()
        highest = self._highest()
        if highest > self._highest_before:
            self._most = max(self._most, highest - cached)
        for number in self._files:
            if number >= 0:
                os.close(number)
        return self._most

    def _now(self) -> tuple[int, int]:
        """Return the bytes of memory held, and those of the cache of files."""
        fields = {}
        for line in self._read(0).splitlines():
            name, _, value = line.partition(b" ")
            if value.isdigit():
                fields[name] = int(value)
        shared = fields.get(b"shmem", 0)  # files in memory; the next two figures have them too
        held = fields.get(b"rss", fields.get(b"anon", 0)) + shared
        return held, max(0, fields.get(b"cache", fields.get(b"file", 0)) - shared)

    def _highest(self) -> int:
        text = self._read(1).strip()
        return int(text) if text.isdigit() else 0

    def _read(self, which: int) -> bytes:
        with contextlib.suppress(OSError):
            if self._files[which] >= 0:
                return os.pread(self._files[which], 16384, 0)
        return b""


def _opened(names: tuple[str, ...]) -> int:
    """Open the first that is there; -1 when none is."""
    for name in names:
        with contextlib.suppress(OSError):
            return os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    return -1
