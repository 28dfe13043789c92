"""What is believed of a run's lines and files that come out of a container.

The student's code has the worker's user and can write any of them. So each line is read into the
value that it stands for and written anew, and what is no such value is left out; a zip file is
looked at from outside, and nothing in it is unpacked or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.training import Rewind, RunState, RunStatus
from jupyter_ppo.training.checkpoints import CheckpointStore
from jupyter_ppo.training.documents import (
    evaluation_from_json,
    evaluation_to_json,
    event_from_json,
    event_to_json,
    minibatch_from_json,
    minibatch_to_json,
    status_from_json,
)
from jupyter_ppo.training.metric_log import item_of_line, point_line

#: The longest line of any file, in bytes; an evaluation of 1000 episodes has about 40 KiB.
MAX_LINE: Final = 128 * 1024

#: The largest whole number that is taken: beyond it a float64 is not exact.
_LARGEST: Final = 2**53
_MOST_VALUES: Final = 200
_DATA_BYTES: Final = 8 * 1024
_MOST_EPISODES: Final = 1000
_MOST_ENTRIES: Final = 200
_META_BYTES: Final = 1024 * 1024
_SIGNATURE_BYTES: Final = 1024
_READ: Final = 2**20
#: Where a worker can be; the others are said by who has the queue.
_STATES: Final = frozenset(RunState) - {RunState.QUEUED}

Check = Callable[[dict[str, Any]], str | None]


def taken(line: bytes, check: Check) -> bytes | None:
    """Return a line, with its end, as our own writer would have written it; None if it is none."""
    try:
        data = json.loads(line)
        text = check(data) if isinstance(data, dict) else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return None if text is None else text.encode() + b"\n"


def _metric(data: dict[str, Any]) -> str | None:
    if len(data) > _MOST_VALUES:
        return None
    item = item_of_line(data)
    if isinstance(item, Rewind):
        return json.dumps({"rewind": item.step}) if item.step <= _LARGEST else None
    return None if item is None else point_line(item)


def _event(data: dict[str, Any]) -> str | None:
    event = event_from_json(data)
    if event is None or event.step > _LARGEST:
        return None
    written = event_to_json(event)
    if len(_compact(written["data"])) > _DATA_BYTES:
        return None
    return _compact(written)


def _evaluation(data: dict[str, Any]) -> str | None:
    if "rewind" in data:
        return _rewind(data["rewind"])
    found = evaluation_from_json(data)
    if found is None:
        return None
    numbers = (found.step, found.seed, *found.lengths)
    if max(numbers) > _LARGEST or not len(found.returns) == len(found.lengths) <= _MOST_EPISODES:
        return None
    return _compact(evaluation_to_json(found))


def _minibatch(data: dict[str, Any]) -> str | None:
    if "rewind" in data:
        return _rewind(data["rewind"])
    found = minibatch_from_json(data)
    if found is None or max(found.step, found.update, found.rollout_size) > _LARGEST:
        return None
    return _compact(minibatch_to_json(found))


def _rewind(step: object) -> str | None:
    return _compact({"rewind": step}) if type(step) is int and 0 <= step <= _LARGEST else None


#: How a line of each file is read.
CHECKS: Final[Mapping[str, Check]] = {
    "metrics.jsonl": _metric,
    "events.jsonl": _event,
    "evaluations.jsonl": _evaluation,
    "minibatches.jsonl": _minibatch,
}


def status_of(data: bytes) -> RunStatus | None:
    """Return the status that a state.json says; None when it says none that a worker has."""
    try:
        document = json.loads(data)
        status = status_from_json(document)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    numbers = (status.step, status.total_steps, status.update, status.checkpoint_step or 0)
    if status.state not in _STATES or max(numbers) > _LARGEST:
        return None
    if status.seconds < 0 or status.steps_per_second < 0:
        return None
    return replace(status, message=status.message.encode(errors="replace").decode())


def why_no_zip(path: Path) -> str | None:
    """Return why a file is no zip file that is worth keeping; None when it is one.

    Its entries are stored as they are, so that together they are no larger than the file: whoever
    reads it needs no more memory than its size says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # whatever the parser meets in bytes that were made up
        return f"it is no zip file ({type(error).__name__})"
    if not 0 < len(entries) <= _MOST_ENTRIES:
        return f"it has {len(entries)} entries"
    if len({entry.filename for entry in entries}) < len(entries):
        return "it has two entries of one name"
    sizes = 0
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            return "an entry is compressed or encrypted"
        if entry.file_size != entry.compress_size:
            return "an entry has another size than it says"
        sizes += entry.file_size
    return "its entries are larger than the file" if sizes > path.stat().st_size else None


def why_no_checkpoint(folder: Path, step: int) -> str | None:
    """Return why the checkpoint of ``step``, alone in ``folder``, cannot be used; None if it can.

    Every digest is checked, in pieces: a large one does not have to fit into our memory.
    """
    store = CheckpointStore(folder)
    path = store.path(step)
    reason = why_no_zip(path)
    if reason is not None:
        return reason
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo("meta.json")
            if entry.file_size > _META_BYTES:
                return "its description is too long"
            meta = json.loads(archive.read(entry), parse_constant=_refused)
            numbers = (meta["step"], meta["update"])
            if any(type(one) is not int or not 0 <= one <= _LARGEST for one in numbers):
                return "its description has numbers that are none"
            if not math.isfinite(datetime.fromisoformat(meta["created_at"]).timestamp()):
                return "its description has no date"
            if archive.getinfo("meta.sig").file_size > _SIGNATURE_BYTES:
                return "its signature is too long"
            archive.read("meta.sig")
            for name, part in meta["parts"].items():
                if _digest(archive, name) != part["sha256"]:
                    return f"part {name!r} has another digest than it says"
        found = store.list()
    except Exception as error:  # as above
        return f"{type(error).__name__}: {str(error)[:200]}"
    return None if [info.step for info in found] == [step] else "its description is damaged"


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while data := file.read(_READ):
            digest.update(data)
    return digest.hexdigest()


def _refused(text: str) -> float:
    msg = f"{text} is no JSON"
    raise ValueError(msg)


def _compact(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)
