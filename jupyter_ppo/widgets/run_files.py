"""Files of a run that a reader may take away: its model, and its measurements as a table."""

from __future__ import annotations

import csv
import io
import math
import re

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.training.run import Run

_FIRST = ("step", "seconds")


def download(run: Run, what: str, label: str) -> tuple[str, bytes]:
    """Return the name and the bytes of ``model`` or ``metrics`` (CSV).

    Raises ``NotFoundError`` when there is no model yet, ``InvalidInputError`` for anything else.
    """
    stem = re.sub(r"[^\w.-]+", "-", run.name or label).strip("-.") or "run"
    match what:
        case "model":
            try:
                return f"{stem}.zip", run.files.model_file.read_bytes()
            except FileNotFoundError:
                msg = (
                    "model: this run has no model yet. It is written when a run finishes or is "
                    "stopped."
                )
                raise NotFoundError(msg, field="model") from None
        case "metrics":
            return f"{stem}-metrics.csv", metrics_csv(run)
        case _:
            msg = f"download: {what[:40]!r} is not known. Use model or metrics."
            raise InvalidInputError(msg, field="download")


def metrics_csv(run: Run) -> bytes:
    """Return all points that count as CSV in UTF-8: step, seconds, and a column for each metric.

    A cell is empty where a metric was not measured, and ``nan`` where it was not defined.
    """
    points = run.metrics()
    names = list(dict.fromkeys(str(name) for point in points for name in point.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIRST, *names])
    for point in points:
        values = [point.values.get(name) for name in names]
        writer.writerow([point.step, point.seconds, *map(_cell, values)])
    return text.getvalue().encode()


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return "nan" if math.isnan(value) else repr(value)
