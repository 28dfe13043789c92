"""From events to a state, and from a state and an outline to what is shown.

``fold`` is the only reading of the log: the state of a person is the fold of their events in order
of position, so it can always be made anew. Activity may come in any order and more than once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from jupyter_ppo.domain.activity import days, merged, total_minutes, union
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.outline import CourseOutline, OutlineChapter, OutlineExercise
from jupyter_ppo.domain.progress_events import EventKind, ProgressEvent
from jupyter_ppo.domain.progress_records import (
    ChapterProgress,
    ConceptProgress,
    EvidenceWeeks,
    ExerciseProgress,
    Progress,
    StudentState,
    WorkRecord,
    WorkState,
)
from jupyter_ppo.domain.recommendation import recommend

#: Points closer to the most there are than this are all points.
_SAME: Final = 1e-9
_WEEK: Final = timedelta(days=7)
_DETAIL_TITLES: Final = {detail.key: detail.title for detail in DETAILS}


class Times(Protocol):
    """The times of an assignment: its terms', or one person's."""

    @property
    def opens_at(self) -> datetime | None:
        """When it is first shown."""

    @property
    def due_at(self) -> datetime | None:
        """When it is late."""

    @property
    def closes_at(self) -> datetime | None:
        """After which it is not taken."""


# -- the log -------------------------------------------------------------------------------------


def fold(state: StudentState, event: ProgressEvent) -> StudentState:
    """Take one more event of the person into their state, in place, and return it."""
    apply(state, event.position, event.kind, event.assignment, event.occurred_at, event.data)
    return state


def apply(
    state: StudentState,
    position: int,
    kind: EventKind,
    assignment: str,
    occurred_at: datetime,
    data: Mapping[str, Any],
) -> None:
    """Do what ``fold`` does with an event that is no object: recomputing reads millions."""
    work = state.works.get(assignment)
    if work is None:
        work = state.works[assignment] = WorkRecord()
    if kind is EventKind.ACTIVE:
        work.minutes = merged(work.minutes, data["minutes"])
    elif kind is EventKind.OPENED:
        work.opened_at = _earlier(work.opened_at, occurred_at)
    elif kind is EventKind.CHECKED:
        work.checked_at = _earlier(work.checked_at, occurred_at)
    elif kind is EventKind.ACTIVE_DAYS:
        for summed, name in ((work.older_minutes, "days"), (work.older_once, "once")):
            for day, minutes in data[name].items():
                summed[day] = summed.get(day, 0) + minutes
    elif kind is EventKind.SUBMITTED:
        work.handed_in[UUID(data["submission_id"])] = occurred_at
        _count_attempts(work)
        state.evidence_weeks.add(week_of(occurred_at))
    elif kind is EventKind.GRADED:
        work.graded_at = occurred_at
        work.submission_id = UUID(data["submission_id"])
        work.attempt = data["attempt"]
        work.points = dict(data["points"])
        state.evidence_weeks.add(week_of(occurred_at))
    else:
        _withdraw(work, [UUID(each) for each in data.get("submissions", ())])
    state.position = max(state.position, position)
    if state.last_event_at is None or state.last_event_at < occurred_at:
        state.last_event_at = occurred_at


def _earlier(first: datetime | None, second: datetime) -> datetime:
    return second if first is None or second < first else first


def _count_attempts(work: WorkRecord) -> None:
    work.attempts = len(work.handed_in)
    work.submitted_at = max(work.handed_in.values(), default=None)


def _withdraw(work: WorkRecord, submissions: Sequence[UUID]) -> None:
    for each in submissions:
        work.handed_in.pop(each, None)
    _count_attempts(work)
    if not submissions or work.submission_id in submissions:
        work.graded_at, work.submission_id, work.attempt, work.points = None, None, 0, {}


def week_of(time: datetime) -> str:
    """Return the ISO week of a time in UTC, such as ``2026-W47``."""
    return _week(time.astimezone(UTC).date())


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


# -- what is shown -------------------------------------------------------------------------------


def derive(
    state: StudentState,
    outline: CourseOutline,
    now: datetime,
    due: Mapping[str, Times] | None = None,
) -> Progress:
    """Return where a person stands; ``due`` are their own times where they have others.

    Chapters that do not open before ``now`` are left out, as students are not told of them. Points
    are those of exercises: lateness takes none of them away here, it says nothing of what is known.
    """
    own = due or {}
    shown = [one for one in outline.chapters if one.opens_at is None or one.opens_at <= now]
    chapters = tuple(
        _chapter(one, state.works.get(one.assignment), own.get(one.assignment, one))
        for one in shown
    )
    by_day = minutes_by_day(state)
    return Progress(
        user=state.user,
        chapters=chapters,
        concepts=_concepts(chapters),
        goals=_goals(shown, chapters),
        minutes=sum(by_day.values()),
        minutes_by_day=by_day,
        weeks=evidence_weeks(state.evidence_weeks, now),
        next=recommend(chapters, now),
        points=total(chapter.points or 0.0 for chapter in chapters),
        max_points=total(chapter.max_points for chapter in chapters),
        last_event_at=state.last_event_at,
        position=state.position,
    )


def work_minutes(work: WorkRecord) -> int:
    """Return the time on task of one assignment in minutes."""
    return total_minutes(work.minutes) + sum(work.older_minutes.values())


def minutes_by_day(state: StudentState) -> Mapping[date, int]:
    """Return the time on task of each day (UTC), each minute once whatever it was spent on."""
    found = days(union(work.minutes for work in state.works.values()))
    for work in state.works.values():
        for day, minutes in work.older_once.items():
            if minutes:
                key = date.fromisoformat(day)
                found[key] = found.get(key, 0) + minutes
    return dict(sorted(found.items()))


def evidence_weeks(weeks: Iterable[str], now: datetime) -> EvidenceWeeks:
    """Count the weeks with evidence.

    The row that goes on is not broken by a week that is not over: it may end with the last one.
    """
    days_ = sorted(date.fromisoformat(f"{week}-1") for week in set(weeks))
    longest = length = 0
    last: date | None = None
    rows: dict[date, int] = {}
    for day in days_:
        length = length + 1 if last is not None and day - last == _WEEK else 1
        longest = max(longest, length)
        rows[day] = length
        last = day
    today = now.astimezone(UTC).date()
    monday = today - timedelta(days=today.weekday())
    current = rows.get(monday) or rows.get(monday - _WEEK, 0)
    return EvidenceWeeks(current, longest, len(days_))


def _chapter(chapter: OutlineChapter, work: WorkRecord | None, times: Times) -> ChapterProgress:
    record = work or WorkRecord()
    exercises = tuple(_exercise(each, record) for each in chapter.exercises)
    is_graded = record.submission_id is not None
    return ChapterProgress(
        assignment=chapter.assignment,
        title=chapter.title,
        number=chapter.number,
        state=_state(record, exercises),
        points=total(each.points or 0.0 for each in exercises) if is_graded else None,
        max_points=total([chapter.max_points]),
        exercises=exercises,
        minutes=work_minutes(record),
        expected_minutes=chapter.minutes,
        opens_at=times.opens_at,
        due_at=times.due_at,
        closes_at=times.closes_at,
        submitted_at=record.submitted_at,
        attempts=record.attempts,
        submission_id=record.submission_id,
    )


def _state(work: WorkRecord, exercises: Iterable[ExerciseProgress]) -> WorkState:
    if work.submission_id is not None:
        is_done = all(each.state is WorkState.DONE for each in exercises)
        return WorkState.DONE if is_done else WorkState.PARTLY
    if work.handed_in:
        return WorkState.HANDED_IN
    is_started = work.opened_at or work.checked_at or work.minutes or work.older_minutes
    return WorkState.STARTED if is_started else WorkState.NOT_STARTED


def _exercise(exercise: OutlineExercise, work: WorkRecord) -> ExerciseProgress:
    """Return how an exercise stands; one that the graded attempt did not have is not started."""
    found = {each: work.points[each] for each in exercise.checks if each in work.points}
    passed = sum(points >= exercise.checks[each] - _SAME for each, points in found.items())
    points: float | None = None
    if found:
        points = total(found.values())
        is_done = len(found) == len(exercise.checks) and (
            passed == len(found) or points >= exercise.max_points - _SAME
        )
        state = WorkState.DONE if is_done else WorkState.PARTLY
    elif work.submission_id is None and work.handed_in:
        state = WorkState.HANDED_IN
    else:
        state = WorkState.NOT_STARTED
    return ExerciseProgress(
        grade_id=exercise.grade_id,
        title=exercise.title,
        state=state,
        points=points,
        max_points=total([exercise.max_points]),
        checks_passed=passed,
        checks=len(exercise.checks),
        goals=exercise.goals,
        concepts=exercise.concepts,
    )


def _concepts(chapters: Iterable[ChapterProgress]) -> tuple[ConceptProgress, ...]:
    """Return the details that are practised, in the order of ``domain.details``."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for chapter in chapters:
        for exercise in chapter.exercises:
            for key in exercise.concepts:
                counts[key][0] += exercise.state is WorkState.DONE
                counts[key][1] += 1
    order = [key for key in _DETAIL_TITLES if key in counts]
    order += sorted(counts.keys() - _DETAIL_TITLES.keys())
    return tuple(ConceptProgress(key, _DETAIL_TITLES.get(key, key), *counts[key]) for key in order)


def _goals(
    outlines: Iterable[OutlineChapter], chapters: Iterable[ChapterProgress]
) -> tuple[ConceptProgress, ...]:
    """Return every chapter's goals; the key of one is ``<assignment>:<id>``."""
    found = []
    for outline, chapter in zip(outlines, chapters, strict=True):
        for goal, title in outline.goals.items():
            own = [each for each in chapter.exercises if goal in each.goals]
            shown = sum(each.state is WorkState.DONE for each in own)
            key = f"{chapter.assignment}:{goal}"
            found.append(ConceptProgress(key, title, shown, len(own)))
    return tuple(found)
