"""minibatches.jsonl: what updates did to samples of their rollouts; only ever appended to.

::

    {"step":1024,"update":1,"clip_range":0.2,"rollout_size":1024,"ratios":"...","advantages":"..."}
    {"rewind":51200}                              minibatches after that step do not count

The arrays are base64 of float32, little-endian. Long runs record every second, fourth, ... update,
so that the file stays below about 1.5 MB. Runs of older versions have no such file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jupyter_ppo.domain.training import Minibatch, Rewind
from jupyter_ppo.training.documents import minibatch_from_json, minibatch_to_json
from jupyter_ppo.training.lines import LineReader, append_line

#: About how many updates of a run are recorded.
MOST_MINIBATCHES: Final = 512
_REWIND: Final = "rewind"
_TAIL_BYTES: Final = 64 * 1024


class MinibatchLog:
    """Appends to the file; one writer at a time, which the worker's lock sees to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, minibatch: Minibatch) -> None:
        """Append a minibatch; raise ``OSError``."""
        append_line(self._path, minibatch_to_json(minibatch))

    def rewind(self, step: int) -> None:
        """Mark that the run goes on from ``step``; nothing is written when nothing is newer."""
        if _last_step(self._path) > step:
            append_line(self._path, {_REWIND: step})


class MinibatchReader:
    """Reads what was appended since the last call."""

    def __init__(self, path: Path) -> None:
        self._lines = LineReader(path)

    def read(self, limit_bytes: int | None = None) -> list[Minibatch | Rewind]:
        """Return new minibatches and rewinds, oldest first, of about ``limit_bytes`` of the file.

        A file that is not there is empty; what is damaged is left out.
        """
        return _items(self._lines, limit_bytes)


def current_minibatches(path: Path) -> list[Minibatch]:
    """Return the minibatches of a file that count, oldest first."""
    found: list[Minibatch] = []
    for item in MinibatchReader(path).read():
        if isinstance(item, Rewind):
            found = [one for one in found if one.step <= item.step]
        else:
            found.append(item)
    return found


def is_recorded(update: int, planned: int | None = None) -> bool:
    """Whether an update, counted from 1, is recorded in a run of ``planned`` updates.

    The first and the last one are, and each k-th between them; k is a power of two, so that a run
    that is extended keeps to the updates that it has. Without a plan k grows with ``update``.
    """
    stride = 1
    while (update if planned is None else planned) > stride * MOST_MINIBATCHES:
        stride *= 2
    return update % stride == 0 or update in {1, planned}


def _last_step(path: Path) -> int:
    """Return the step of the last line, which is the largest that counts; -1 for none."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return -1
    # All of it only where the end holds nothing that can be read.
    items = _items(LineReader(path, max(size - _TAIL_BYTES, 0))) or _items(LineReader(path))
    return items[-1].step if items else -1


def _items(lines: LineReader, limit_bytes: int | None = None) -> list[Minibatch | Rewind]:
    found: list[Minibatch | Rewind] = []
    for data in lines.read(limit_bytes):
        back = data.get(_REWIND)
        if type(back) is int and back >= 0:
            found.append(Rewind(back))
        elif (minibatch := minibatch_from_json(data)) is not None:
            found.append(minibatch)
    return found
