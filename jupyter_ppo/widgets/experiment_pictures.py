"""What an experiment may show: plain descriptions of pictures, made of whatever holds numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_ppo.widgets.experiment_attempt import Missing, MissingValueError, first_line, say

#: A list, tuple, range, array of NumPy or tensor of torch; or a ``Missing`` in place of it.
Numbers = Any
#: ``("x", 1.2, "1 + eps")``: an axis, a place on it, and a label.
Mark = tuple[str, float, str]
#: ``("x", 0.8, 1.2, "not clipped")``: an axis, where a region begins and ends, and a label.
Shade = tuple[str, float, float, str]

LINE_STYLES: Final = ("line", "dashed", "dots", "steps")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A series of a plot.

    ``x`` None means 0, 1, 2, ...; ``band`` is a pair of the lower and the upper edge of a region,
    each as long as ``y``. ``color`` is a number from 0 on, to give two series the same colour.
    """

    name: str
    x: Numbers
    y: Numbers
    style: str = "line"
    band: tuple[Numbers, Numbers] | None = None
    color: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """Lines or dots over an axis of numbers."""

    title: str
    lines: Sequence[Line]
    x_label: str
    y_label: str
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    marks: Sequence[Mark] = ()
    shaded: Sequence[Shade] = ()
    y_log: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars in groups: a group for each name, in it a bar for each series."""

    title: str
    names: Sequence[Any]
    series: Mapping[str, Numbers]
    y_label: str = ""
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """A table of numbers as colours: around 0 in two colours where both signs occur."""

    title: str
    values: Numbers
    row_labels: Sequence[Any] = ()
    column_labels: Sequence[Any] = ()
    show_values: bool = True
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image: whole numbers from 0 to 255 of shape (H, W) in grey or (H, W, 3) in colour."""

    title: str
    pixels: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """A row of dots for each group, such as one dot for each seed.

    ``middles`` maps groups to ``(middle, low, high)``, such as a mean with its interval.
    """

    title: str
    groups: Mapping[str, Numbers]
    x_label: str
    middles: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    x_range: tuple[float, float] | None = None
    x_log: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of a timeline: spans ``(start, end, label)``, ``end`` exclusive, and events."""

    name: str
    spans: Sequence[tuple[float, float, str]] = ()
    events: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """What happens when, row by row, such as the episodes in each environment of a rollout."""

    title: str
    rows: Sequence[Row]
    x_label: str = "step"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A small table of words and numbers."""

    title: str
    columns: Sequence[Any]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """Plain text; each line is a paragraph. ``tone`` is "plain" or "warn", which stands out."""

    text: str
    tone: str = "plain"


Picture = Plot | Bars | Dots | Heat | Frame | Timeline | Table | Note


def numbers(values: Numbers, name: str, length: int | None = None) -> list[float] | None:
    """Return a series as floats, None when it cannot be drawn; what is wrong is said.

    ``length`` is how many there must be. What is not finite stays, as a gap, and is said too.
    """
    found = _nested(values, name)
    if found is None:
        return None
    depth = _depth(found)
    if depth != 1:
        what = "a single number" if depth == 0 else f"an array of {depth} dimensions"
        say(f"{name}: {what}, but one series of numbers is needed")
        return None
    floats = _floats(found, name)
    if floats is None:
        return None
    if length is not None and len(floats) != length:
        say(f"{name}: {_count(len(floats))}, but {length} are needed")
        return None
    wrong = sum(not math.isfinite(value) for value in floats)
    if wrong:
        say(f"{name}: {wrong} of {_count(len(floats))} not finite (NaN or infinite)")
    return floats


def matrix(values: Numbers, name: str) -> list[list[float]] | None:
    """Return a table of numbers as rows of floats, None when it cannot be drawn."""
    found = _nested(values, name)
    if found is None:
        return None
    if _depth(found) != 2:
        say(f"{name}: {_depth(found)} dimensions, but a table of rows and columns has 2")
        return None
    rows = [_floats(row, name) for row in found]
    whole = [row for row in rows if row is not None]
    if len(whole) != len(rows):
        return None
    if not whole or not whole[0] or len({len(row) for row in whole}) != 1:
        say(f"{name}: rows of {sorted({len(row) for row in whole})} columns, all must be as long")
        return None
    wrong = sum(not math.isfinite(value) for row in whole for value in row)
    if wrong:
        say(f"{name}: {wrong} of {_count(len(whole) * len(whole[0]))} not finite (NaN or infinite)")
    return whole


def pixels(values: Numbers, name: str) -> list[list[tuple[int, int, int]]] | None:
    """Return the rows of an image as colours, None when it cannot be drawn."""
    found = _nested(values, name)
    if found is None:
        return None
    depth = _depth(found)
    if depth not in (2, 3):
        say(f"{name}: {depth} dimensions, but an image has 2 (grey) or 3 (colour)")
        return None
    try:
        rows = [[_colour(one) for one in row] for row in found]
    except (TypeError, ValueError, OverflowError):
        say(f"{name}: a pixel is a number, or three, from 0 to 255")
        return None
    if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
        say(f"{name}: the rows of an image must be equally long")
        return None
    return rows


def word(value: Any) -> str:
    """Return a label or a number as it is shown."""
    if isinstance(value, bool | str):
        return str(value)
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def number_text(value: float) -> str:
    """Return a number with at most five digits that matter."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.5g}"


def _nested(values: Numbers, name: str) -> Any:
    """Return lists in lists, or a number; None when there is none of them, which is said."""
    if isinstance(values, Missing):
        say(values.reason)
        return None
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
        if hasattr(values, "tolist"):
            return values.tolist()
        if isinstance(values, str | bytes | Mapping):
            say(f"{name}: {type(values).__name__}, but numbers are needed")
            return None
        if isinstance(values, Iterable):
            return [_inner(value) for value in values]
    except MissingValueError as error:
        say(str(error))
        return None
    except Exception as error:  # an object of the learner may raise anything
        say(f"{name}: {first_line(error)}")
        return None
    return values


def _inner(value: Any) -> Any:
    if isinstance(value, Missing):
        raise MissingValueError(value.reason)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [_inner(one) for one in value]
    return value


def _depth(found: Any) -> int:
    depth = 0
    while isinstance(found, list):
        depth += 1
        if not found:
            break
        found = found[0]
    return depth


def _floats(found: Any, name: str) -> list[float] | None:
    try:
        return [math.nan if value is None else float(value) for value in found]
    except (TypeError, ValueError, OverflowError):
        say(f"{name}: not all of it are numbers")
        return None


def _colour(one: Any) -> tuple[int, int, int]:
    parts = one if isinstance(one, list) else [one] * 3
    red, green, blue = (min(max(int(part), 0), 255) for part in parts)
    return red, green, blue


def _count(count: int) -> str:
    return f"{count} value" if count == 1 else f"{count} values"
