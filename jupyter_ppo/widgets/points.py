"""The points of runs on their way to the views: columns in the kernel, binary messages.

::

    view    {"type": "history", "from": view id, "asked": n}        a new view, or one with a gap
    kernel  {"type": "reset", "to": view id, "asked": n, "seq": s}  forget all; these parts follow:
            {"type": "points", "to": view id, "part": 0 ..., "last": bool, "tracks": [...]}
            {"type": "points", "seq": s + 1, "tracks": [...]}       to all views: what is new

``tracks`` is a list of ``{"id": ..., "ops": [...]}``; an op is ``{"rewind": step}``, which takes
back what came after that step, or ``{"metric": name, "count": n}``. One buffer holds, for each op
with a count in order, its steps and then its values, float64 of this machine's byte order.
"""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from jupyter_ppo.domain.training import MetricPoint, Rewind
from jupyter_ppo.training.decimate import min_max

#: Values of one metric of one run. Above it the older half is thinned, peaks are kept.
VALUES_AT_MOST: Final = 4_000_000
#: Bytes of a message, about.
PART_BYTES: Final = 1024 * 1024
_VALUE_BYTES: Final = 16  # step and value
_NO_STEP: Final = -1  # before the first step: takes everything back
_SAME_REQUEST_SECONDS: Final = 5.0
_VIEWS_AT_MOST: Final = 1000

#: Steps and values, float64.
Column = tuple["array[float]", "array[float]"]
Columns = dict[str, Column]
#: A step to which to go back, or columns to append.
_Op = int | Columns
Send = Callable[[dict[str, Any], list[bytes]], None]


class PointsFeed:
    """Keeps the points of several runs and sends what is new, one message per ``flush``.

    ``wanted`` says which metrics are kept and sent. Safe to use from several threads: a view may
    ask while a run is followed.
    """

    def __init__(
        self,
        send: Send,
        wanted: Callable[[str], bool] = lambda _name: True,
        values_at_most: int = VALUES_AT_MOST,
    ) -> None:
        self._send = send
        self._wanted = wanted
        self._at_most = values_at_most
        self._columns: dict[str, Columns] = {}
        self._waiting: dict[str, list[_Op]] = {}
        self._seq = 0
        self._answered: dict[str, tuple[Any, float]] = {}
        self._lock = threading.RLock()

    def columns(self, track_id: str) -> Columns:
        """Return a copy of what is kept of a run: steps and values of each metric."""
        with self._lock:
            kept = self._columns.get(track_id, {})
            return {name: (steps[:], values[:]) for name, (steps, values) in kept.items()}

    def append(self, track_id: str, items: Sequence[MetricPoint | Rewind]) -> None:
        """Add points of a run, or take some back; ``flush`` sends them."""
        with self._lock:
            kept = self._columns.setdefault(track_id, {})
            waiting = self._waiting.setdefault(track_id, [])
            for item in items:
                if isinstance(item, Rewind):
                    _rewind(kept, item.step)
                    waiting.append(item.step)
                    continue
                new = waiting[-1] if waiting else 0
                if isinstance(new, int):
                    new = {}
                    waiting.append(new)
                for metric, value in item.values.items():
                    if self._wanted(metric):
                        for columns in (kept, new):
                            _add(columns, str(metric), item.step, value)
            for name, (steps, values) in kept.items():
                if len(steps) > self._at_most:
                    kept[name] = _thinned(steps, values)

    def remove(self, track_id: str) -> None:
        """Forget a run; its views forget it with the next ``flush``."""
        with self._lock:
            if self._columns.pop(track_id, None) is not None:
                self._waiting[track_id] = [_NO_STEP]

    def flush(self) -> None:
        """Send what came since the last call; nothing when nothing came."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for tracks, buffer in _messages(waiting):
                self._seq += 1
                self._send({"type": "points", "seq": self._seq, "tracks": tracks}, [buffer])

    def history(self, asked: Mapping[str, Any]) -> None:
        """Answer a view that asks for everything; the same request again soon is not answered."""
        view, number = str(asked.get("from", ""))[:100], asked.get("asked")
        with self._lock:
            now = time.monotonic()
            before = self._answered.get(view)
            if before and before[0] == number and now - before[1] < _SAME_REQUEST_SECONDS:
                return  # it asked several times while the kernel was busy
            if len(self._answered) >= _VIEWS_AT_MOST:
                self._answered.clear()
            self._answered[view] = (number, now)
            self.flush()
            self._send({"type": "reset", "to": view, "asked": number, "seq": self._seq}, [])
            everything: dict[str, list[_Op]] = {
                track_id: [columns] for track_id, columns in self._columns.items()
            }
            messages = _messages(everything)
            part, (tracks, buffer) = 0, next(messages, ([], b""))
            while True:
                following = next(messages, None)
                content = {"type": "points", "to": view, "part": part, "tracks": tracks}
                self._send({**content, "last": following is None}, [buffer])
                if following is None:
                    return
                part, (tracks, buffer) = part + 1, following


def _add(columns: Columns, metric: str, step: int, value: float) -> None:
    column = columns.get(metric)
    if column is None:
        column = columns[metric] = (array("d"), array("d"))
    column[0].append(step)
    column[1].append(value)


def _rewind(columns: Columns, step: int) -> None:
    """Take back what came after a step; the columns stay, as they do in the views."""
    for steps, values in columns.values():
        kept = bisect_right(steps, step)
        del steps[kept:], values[kept:]


def _thinned(steps: array[float], values: array[float]) -> Column:
    half = len(steps) // 2
    new_steps, new_values = min_max(steps[:half], values[:half], max(half // 4, 4))
    new_steps.extend(steps[half:])
    new_values.extend(values[half:])
    return new_steps, new_values


def _messages(ops: Mapping[str, Sequence[_Op]]) -> Iterator[tuple[list[dict[str, Any]], bytes]]:
    """Yield descriptions and buffers, each of about ``PART_BYTES`` at most."""
    tracks: list[dict[str, Any]] = []
    buffer = bytearray()
    for track_id, of_track in ops.items():
        if not of_track:
            continue
        tracks.append({"id": track_id, "ops": []})
        for op in of_track:
            if isinstance(op, int):
                tracks[-1]["ops"].append({"rewind": op})
                continue
            for metric, (steps, values) in op.items():
                begin = 0
                while begin < len(steps):
                    room = max((PART_BYTES - len(buffer)) // _VALUE_BYTES, 0)
                    if not room:
                        yield tracks, bytes(buffer)
                        tracks, buffer = [{"id": track_id, "ops": []}], bytearray()
                        continue
                    end = min(begin + room, len(steps))
                    tracks[-1]["ops"].append({"metric": metric, "count": end - begin})
                    buffer += steps[begin:end].tobytes() + values[begin:end].tobytes()
                    begin = end
    if tracks:
        yield tracks, bytes(buffer)
