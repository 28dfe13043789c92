"""Predictions of a learner that cannot be taken back: a file that only grows."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import ConflictError, UnavailableError

_FORMAT: Final = 1
_MOST_BYTES: Final = 1_000_000


class Verdict(StrEnum):
    """What a detail does to the result, predicted or measured."""

    HELPS = "helps"
    NO_DIFFERENCE = "makes no difference"
    HARMS = "harms"


class Sureness(StrEnum):
    """How sure a learner is of a prediction."""

    GUESS = "a guess"
    FAIRLY = "fairly sure"
    SURE = "sure"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a learner has said before seeing the result."""

    key: str
    verdict: Verdict
    sureness: Sureness
    at: str  # time, ISO 8601, in UTC


class PredictionFile:
    """Locked predictions, one JSON object a line. The first of a key counts; nothing is rewritten.

    A line that cannot be read stays where it is and is named by ``damage``.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.damage = ""

    def read(self) -> dict[str, Prediction]:
        """Return the prediction of each key. Raises ``UnavailableError`` if there is no access."""
        self.damage = ""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            msg = f"{self.path.name} cannot be read ({error.strerror or error})."
            raise UnavailableError(msg, field="file") from error
        found: dict[str, Prediction] = {}
        wrong = []
        for number, line in enumerate(data[:_MOST_BYTES].split(b"\n"), 1):
            if not line.strip():
                continue
            prediction = _parsed(line)
            if prediction is None:
                wrong.append(number)
            else:
                found.setdefault(prediction.key, prediction)
        if wrong or len(data) > _MOST_BYTES:
            self.damage = self._told(wrong, len(found), is_long=len(data) > _MOST_BYTES)
        return found

    def lock(self, key: str, verdict: Verdict, sureness: Sureness) -> Prediction:
        """Add a prediction for ever and return it.

        Raises ``ConflictError`` when there is one for ``key`` already, and ``UnavailableError``
        when it cannot be kept; then it does not count.
        """
        known = self.read()
        if key in known:
            msg = f"{key}: your prediction was locked before: {known[key].verdict}."
            raise ConflictError(msg, field="key")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record = {
            "format": _FORMAT,
            "key": key,
            "prediction": verdict.value,
            "sure": sureness.value,
            "time": now,
        }
        try:
            self._append(json.dumps(record).encode())
        except OSError as error:
            msg = (
                f"Your prediction could not be kept in {self.path.name} "
                f"({error.strerror or error}), so the result stays hidden."
            )
            raise UnavailableError(msg, field="file") from error
        # Another tab may have been first.
        return self.read().get(key, Prediction(key, verdict, sureness, now))

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # After a line that was cut off, ours begins on a new one.
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            data = (b"\n" if is_cut else b"") + line + b"\n"
            if os.write(descriptor, data) != len(data):
                msg = "no room left"
                raise OSError(msg)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _told(self, wrong: list[int], count: int, *, is_long: bool) -> str:
        parts = []
        if wrong:
            shown = ", ".join(map(str, wrong[:5])) + (" and more" if len(wrong) > 5 else "")
            lines = "Line" if len(wrong) == 1 else "Lines"
            verb = "cannot be read and is" if len(wrong) == 1 else "cannot be read and are"
            parts.append(f"{lines} {shown} of {self.path.name} {verb} left as found.")
        if is_long:
            parts.append(f"{self.path.name} is longer than 1 MB; the rest was not read.")
        others = (
            "The other prediction counts" if count == 1 else f"The other {count} predictions count"
        )
        return " ".join([*parts, f"{others}." if count else "No other prediction is in it."])


def _parsed(line: bytes) -> Prediction | None:
    try:
        record: Any = json.loads(line.decode())
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            return None
        key, time = record["key"], record.get("time", "")
        if not isinstance(key, str) or not isinstance(time, str):
            return None
        return Prediction(key, Verdict(record["prediction"]), Sureness(record["sure"]), time)
    except (ValueError, KeyError, RecursionError):  # a text of JSON or UTF-8 that is none, too
        return None
