"""nbgrader's partial credit, one rule for both ways that a test cell is run.

Source: ``nbgrader.utils.determine_grade`` (0.9); ``autograde.score`` lists where we differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PASSED = "All tests passed."
_REASON_MAX = 300
_NUMBER_MAX = 64
# How NumPy 2 and torch show a single number.
_SCALAR = re.compile(r"(?:np\.\w+|array|tensor)\(([^,()]+)(?:, dtype=[\w.]+)?\)")
_TRUTH = {"True": True, "False": False}


@dataclass(frozen=True, slots=True)
class Score:
    """What a graded cell gives, and one sentence for the student."""

    points: float
    reason: str
    needs_review: bool = False


def score_of_result(text: object, points: float, *, is_quiet: bool = False) -> Score:
    """Score a test cell without an error by its last expression's value, as text.

    ``is_quiet`` leaves out a number that is no points: a student's code may have chosen it.
    """
    if not text:
        return Score(0.0, "The tests gave a result without text; a person looks at it.", True)
    plain = _without_kind(text)
    if plain in _TRUTH:
        if _TRUTH[plain]:
            return Score(points, PASSED)
        return Score(0.0, "The last line of the tests gave False.")
    number = number_of(text)
    if number is None:  # as nbgrader has it: what is no number at all is no partial credit
        return Score(
            points, "No test failed. The last line gave no plain number to count as points."
        )
    return score_of_number(number, points, is_quiet=is_quiet)


def score_of_number(number: float, points: float, *, is_quiet: bool = False) -> Score:
    """Score ``number`` of ``points``; what lies outside waits for a person with zero."""
    if not 0.0 <= number <= points:  # NaN is neither
        given = "something else than" if is_quiet else f"{number:g} of at most"
        most = f"0 to {points:g}" if is_quiet else f"{points:g}"
        reason = f"The tests gave {given} {most} points; a person looks at it."
        return Score(0.0, reason, True)
    return Score(number, f"The tests gave {number:g} of {points:g} points.")


def is_full(text: object, points: float) -> bool:
    """Whether a last value gives full points; more than those does not."""
    score = score_of_result(text, points)
    return not score.needs_review and score.points >= points - 1e-9


def number_of(text: object) -> float | None:
    """Return the text of a number as one, also of NumPy's or torch's; None for anything else."""
    try:
        return float(_without_kind(text))
    except ValueError:
        return None


def _without_kind(text: object) -> str:
    """Return ``2.0`` of ``np.float64(2.0)``; empty for what is surely no number."""
    if not isinstance(text, str) or len(text) > _NUMBER_MAX:
        return ""
    scalar = _SCALAR.fullmatch(text)
    return scalar[1] if scalar is not None else text


def one_line(text: str, limit: int = _REASON_MAX) -> str:
    """Return ``text`` as one line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
