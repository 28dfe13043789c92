"""The archive of everything about one person, made while it is sent."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: Of a large file so much is sent on at a time, in bytes.
_PIECE = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive: its name in it, and its content piece by piece."""

    name: str
    content: Iterable[bytes]


def archive(parts: Iterable[Part], now: datetime) -> Iterator[bytes]:
    """Yield a ZIP archive of ``parts``; of each no more than a piece is held at a time."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for part in parts:
            info = zipfile.ZipInfo(part.name, now.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            # How long it gets is not known before; over 2 GiB needs another form of its entry.
            with file.open(info, "w", force_zip64=True) as entry:
                for piece in part.content:
                    entry.write(piece)
                    if sink.size >= _PIECE:
                        yield sink.take()
            yield sink.take()
    yield sink.take()


def document(value: Any) -> Iterator[bytes]:
    """Yield a JSON file that people can read."""
    yield json.dumps(_finite(value), indent=2, allow_nan=False).encode() + b"\n"


def lines(records: Iterable[Any]) -> Iterator[bytes]:
    """Yield a file with one JSON record a line."""
    for record in records:
        yield json.dumps(_finite(record), allow_nan=False).encode() + b"\n"


def _finite(value: Any) -> Any:
    """Return plain data with text for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class _Sink(io.RawIOBase):
    """What ``zipfile`` writes to: it cannot go back, so an entry's sizes follow its content."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces, self.size = [], 0
        return taken


def readme(user: str, now: datetime) -> bytes:
    """Return the page that explains every file."""
    when = now.isoformat(timespec="seconds")
    return _README.format(user=user, when=when).encode()


_README = """\
What this server keeps of {user}
{when}

Every file is plain text: JSON, or JSON Lines (.jsonl), which is one JSON record a line. Times are
in UTC. Points are those that were released to you.

account.json           your courses with role, groups, and what staff entered about you (names,
                       e-mail, id in the learning management system); pseudonyms on leaderboards;
                       your API tokens without their secrets; your preferences
submissions.jsonl      every attempt that you handed in, also one that was deleted and can be
                       restored: times, state, warnings, and once it is released the grade with
                       every check and comment; "file" names what you handed in
submissions/           what you handed in, as it came (a notebook, a saved model, or the parts and
                       files of an entry), and the feedback page of a released grade
extensions.json        more time or attempts that you were given
progress_events.jsonl  the log that your progress is made of. "active" lists minutes since 1970 in
                       which you worked at a notebook; "active_days" is what older minutes are
                       summed up to; "opened" and "checked" say that you opened and validated it;
                       "submitted", "graded" and "withdrawn" are what you handed in and which
                       released grade counts
achievements.json      your achievements, the rule of each as it was then, and what it rests on
executions.jsonl       programs that you ran in the sandbox, and what came of them
trials.jsonl           validations of your notebooks
hints.jsonl            hints that you were given, and who or what wrote them
explanations.jsonl     what you had explained
self_checks.json       how you judged your own answers by their rubrics
model_calls.jsonl      what of your work was sent to which language model, if your server has one;
                       "hidden" says what the placeholders in it stand for, which was not sent
training_runs.jsonl    your training runs with all their settings; their curves, checkpoints and
                       models are in their folders: download them in the panel "Training runs"
training_use.json      processor time of your runs, by hour
audit.jsonl            what you changed on this server, and who took you in or out of a course
as_staff.jsonl         what you wrote as staff: versions, reasons, comments; your webhooks

Not in here: grades before they are released; hidden tests; what staff note for themselves; names
of other people (they are "staff" or "another person"), unless somebody wrote one into a text.

Nothing of this was sent anywhere but what stands in model_calls.jsonl. The server's page on privacy
says how long each is kept, who sees it and how to have it erased: docs/privacy.md of jupyter_ppo.
"""
