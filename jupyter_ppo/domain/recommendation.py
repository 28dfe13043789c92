"""What a student is told to do next, and why: one thing, by rules that anybody can read.

1. What is due within a week, or late and still taken, and was never handed in: the earliest first.
2. What was begun and not handed in.
3. An exercise that lacks points, in a chapter with less than 60 % of its points: what comes later
   builds on it.
4. The next chapter.
5. Any other exercise that lacks points.

Within a rule the order of the course decides. Nothing that is closed or not open yet is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from jupyter_ppo.domain.progress_records import (
    ChapterProgress,
    ExerciseProgress,
    ReasonKind,
    Recommendation,
    WorkState,
)

T = TypeVar("T")

DUE_SOON: Final = timedelta(days=7)
#: With less than this share of a chapter's points it comes before the next chapter.
FIRM: Final = 0.6
_BEFORE_HAND_IN: Final = frozenset({WorkState.NOT_STARTED, WorkState.STARTED})


def recommend(chapters: Sequence[ChapterProgress], now: datetime) -> Recommendation | None:
    """Return what to do next; None when everything that is open is done or waits for a grade."""
    takes = [chapter for chapter in chapters if _takes(chapter, now)]
    due = [one for one in takes if one.state in _BEFORE_HAND_IN and _is_due_soon(one, now)]
    if due:
        chapter = min(due, key=lambda one: one.due_at or now)
        return _whole(chapter, ReasonKind.DUE_SOON, _due_reason(chapter, now))
    begun = _first(takes, lambda one: one.state is WorkState.STARTED)
    if begun is not None:
        reason = f"You began {_named(begun)} and have not handed it in yet."
        return _whole(begun, ReasonKind.CONTINUE, reason)
    partly = [chapter for chapter in takes if chapter.state is WorkState.PARTLY]
    weak = _first(partly, lambda one: (one.points or 0.0) < FIRM * one.max_points)
    if weak is not None:
        return _missing(weak)
    new = _first(takes, lambda one: one.state is WorkState.NOT_STARTED and one.number is not None)
    new = new or _first(takes, lambda one: one.state is WorkState.NOT_STARTED)
    if new is not None:
        reason = f"{_named(new, is_first=True)} is the next one that you have not begun."
        return _whole(new, ReasonKind.NEXT_CHAPTER, reason)
    return _missing(partly[0]) if partly else None


def _takes(chapter: ChapterProgress, now: datetime) -> bool:
    """Whether another attempt is taken by its times; how many are left is not known here."""
    opens, closes = chapter.opens_at, chapter.closes_at
    return (opens is None or opens <= now) and (closes is None or now <= closes)


def _is_due_soon(chapter: ChapterProgress, now: datetime) -> bool:
    return chapter.due_at is not None and chapter.due_at - now <= DUE_SOON


def _due_reason(chapter: ChapterProgress, now: datetime) -> str:
    due = chapter.due_at or now
    when = f"{due.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if due < now:
        return f"{_named(chapter, is_first=True)} was due on {when}; it is still taken."
    days = (due - now).days
    left = "within a day" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
    return f"{_named(chapter, is_first=True)} is due {left}, on {when}, and not handed in yet."


def _missing(chapter: ChapterProgress) -> Recommendation:
    exercise = _open_exercise(chapter)
    if exercise is None:
        reason = f"{_named(chapter, is_first=True)} lacks points."
        return Recommendation(chapter.assignment, None, ReasonKind.MISSING_POINTS, reason)
    lacking = exercise.max_points - (exercise.points or 0.0)
    reason = (
        f"{exercise.title!r} in {_named(chapter)} lacks {lacking:g} of "
        f"{exercise.max_points:g} points."
    )
    return Recommendation(chapter.assignment, exercise.grade_id, ReasonKind.MISSING_POINTS, reason)


def _whole(chapter: ChapterProgress, kind: ReasonKind, reason: str) -> Recommendation:
    """Recommend a chapter by the first of its exercises that is not done."""
    exercise = _open_exercise(chapter)
    if exercise is None:
        return Recommendation(chapter.assignment, None, kind, reason)
    begin = f" Its first exercise is {exercise.title!r}."
    return Recommendation(chapter.assignment, exercise.grade_id, kind, reason + begin)


def _open_exercise(chapter: ChapterProgress) -> ExerciseProgress | None:
    return _first(chapter.exercises, lambda one: one.state is not WorkState.DONE)


def _named(chapter: ChapterProgress, *, is_first: bool = False) -> str:
    if chapter.number is None:
        return chapter.title
    return f"{'Chapter' if is_first else 'chapter'} {chapter.number}, {chapter.title},"


def _first(items: Iterable[T], fits: Callable[[T], bool]) -> T | None:
    return next((item for item in items if fits(item)), None)
