"""From events to a state, and from a state and an outline to what is shown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.outline import CourseOutline, OutlineChapter, OutlineExercise
from jupyter_ppo.domain.progress import derive, evidence_weeks, fold, week_of
from jupyter_ppo.domain.progress_events import EventKind, ProgressEvent
from jupyter_ppo.domain.progress_records import (
    ConceptProgress,
    EvidenceWeeks,
    Progress,
    StudentState,
    WorkState,
)
from jupyter_ppo.domain.terms import Terms

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday
MINUTE = minute_of(NOW)
COURSE = new_id()
FIRST, SECOND = new_id(), new_id()

GAE = OutlineExercise("gae", "Advantages", {"gae-1": 1.0, "gae-2": 2.0}, ("g1",), ("core-5",))
LOSS = OutlineExercise("loss", "The loss", {"loss-1": 3.0}, ("g1", "g2"), ("core-5", "core-8"))
CLIP = OutlineExercise("clip", "Clipping", {"clip-1": 4.0}, (), ("core-8",))
OUTLINE = CourseOutline(
    "ppo",
    (
        OutlineChapter(
            "one",
            "Returns",
            1,
            AssignmentKind.NOTEBOOK,
            90,
            {"g1": "You can write returns.", "g2": "You can write a loss.", "g3": "You can rest."},
            (GAE, LOSS),
            due_at=NOW + timedelta(days=30),
        ),
        OutlineChapter("two", "Clipping", 2, AssignmentKind.NOTEBOOK, 60, {}, (CLIP,)),
    ),
)


class Log:
    """Events of one person, each with the next position."""

    def __init__(self) -> None:
        self.events: list[ProgressEvent] = []

    def add(
        self,
        kind: EventKind,
        data: dict[str, Any] | None = None,
        *,
        assignment: str = "one",
        at: datetime = NOW,
    ) -> Log:
        position = len(self.events) + 1
        event = ProgressEvent(
            position, new_id(), COURSE, "ada", kind, assignment, at, at, data or {}
        )
        self.events.append(event)
        return self

    def hand_in(self, submission: UUID = FIRST, attempt: int = 1, **given: Any) -> Log:
        data = {"submission_id": str(submission), "attempt": attempt}
        return self.add(EventKind.SUBMITTED, data, **given)

    def grade(self, points: dict[str, float], submission: UUID = FIRST, **given: Any) -> Log:
        data = {"submission_id": str(submission), "attempt": 1, "points": points}
        return self.add(EventKind.GRADED, data, **given)

    @property
    def state(self) -> StudentState:
        return folded(self.events)

    @property
    def progress(self) -> Progress:
        return derive(self.state, OUTLINE, NOW)


def folded(events: list[ProgressEvent]) -> StudentState:
    state = StudentState("ada")
    for event in events:
        fold(state, event)
    return state


def test_nothing_is_known_of_who_did_nothing() -> None:
    found = Log().progress
    assert [each.state for each in found.chapters] == [WorkState.NOT_STARTED] * 2
    assert (found.points, found.max_points, found.minutes) == (0.0, 10.0, 0)
    assert found.weeks == EvidenceWeeks(0, 0, 0)
    assert found.last_event_at is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (EventKind.OPENED, {}),
        (EventKind.CHECKED, {"passed": 1, "failed": 2}),
        (EventKind.ACTIVE, {"minutes": [MINUTE]}),
        (EventKind.ACTIVE_DAYS, {"days": {"2026-01-01": 3}, "once": {"2026-01-01": 3}}),
    ],
)
def test_a_chapter_that_was_worked_at_is_started_and_its_exercises_are_not(
    kind: EventKind, data: dict[str, Any]
) -> None:
    chapter = Log().add(kind, data).progress.chapters[0]
    assert chapter.state is WorkState.STARTED
    assert {each.state for each in chapter.exercises} == {WorkState.NOT_STARTED}


def test_a_chapter_is_handed_in_until_a_grade_is_released_then_partly_and_done() -> None:
    log = Log().add(EventKind.OPENED).hand_in()
    chapter = log.progress.chapters[0]
    assert (chapter.state, chapter.points, chapter.attempts) == (WorkState.HANDED_IN, None, 1)
    assert {each.state for each in chapter.exercises} == {WorkState.HANDED_IN}

    log.grade({"gae-1": 1.0, "gae-2": 0.5, "loss-1": 3.0, "gone": 7.0})
    chapter = log.progress.chapters[0]
    assert (chapter.state, chapter.points, chapter.submission_id) == (WorkState.PARTLY, 4.5, FIRST)
    gae, loss = chapter.exercises
    assert (gae.state, gae.points, gae.checks_passed, gae.checks) == (WorkState.PARTLY, 1.5, 1, 2)
    assert (loss.state, loss.points, loss.checks_passed) == (WorkState.DONE, 3.0, 1)

    log.grade({"gae-1": 1.0, "gae-2": 2.0, "loss-1": 3.0})
    assert log.progress.chapters[0].state is WorkState.DONE
    assert log.progress.points == 6.0


def test_an_exercise_that_the_graded_version_did_not_have_is_not_started() -> None:
    chapter = Log().hand_in().grade({"gae-1": 1.0, "gae-2": 2.0}).progress.chapters[0]
    assert chapter.state is WorkState.PARTLY
    assert chapter.exercises[1].state is WorkState.NOT_STARTED
    assert chapter.exercises[1].points is None


def test_marks_above_a_check_make_up_for_another_one() -> None:
    chapter = Log().hand_in().grade({"gae-1": 0.0, "gae-2": 3.0}).progress.chapters[0]
    assert chapter.exercises[0].state is WorkState.DONE
    assert chapter.exercises[0].checks_passed == 1


def test_a_grade_that_is_taken_back_leaves_what_was_handed_in() -> None:
    log = Log().hand_in().grade({"gae-1": 1.0}).add(EventKind.WITHDRAWN)
    chapter = log.progress.chapters[0]
    assert (chapter.state, chapter.points, chapter.submission_id) == (
        WorkState.HANDED_IN,
        None,
        None,
    )


def test_an_attempt_in_the_trash_is_none_and_takes_only_its_own_grade_away() -> None:
    earlier = NOW - timedelta(hours=1)
    log = Log().hand_in(at=earlier).hand_in(SECOND, 2).grade({"gae-1": 1.0})
    log.add(EventKind.WITHDRAWN, {"submissions": [str(SECOND)]})
    chapter = log.progress.chapters[0]
    assert (chapter.attempts, chapter.submitted_at) == (1, earlier)
    assert chapter.state is WorkState.PARTLY
    log.add(EventKind.WITHDRAWN, {"submissions": [str(FIRST)]})
    chapter = log.progress.chapters[0]
    assert (chapter.attempts, chapter.submitted_at) == (0, None)
    assert chapter.state is WorkState.NOT_STARTED


def test_concepts_and_goals_are_shown_by_exercises_with_all_points() -> None:
    log = Log().hand_in().grade({"gae-1": 1.0, "gae-2": 0.0, "loss-1": 3.0})
    found = log.progress
    assert [(each.key, each.shown, each.exercises) for each in found.concepts] == [
        ("core-5", 1, 2),
        ("core-8", 1, 2),
    ]
    assert found.goals == (
        ConceptProgress("one:g1", "You can write returns.", 1, 2),
        ConceptProgress("one:g2", "You can write a loss.", 1, 1),
        ConceptProgress("one:g3", "You can rest.", 0, 0),
    )
    assert [each.is_shown for each in found.goals] == [False, True, False]


def test_a_minute_in_two_notebooks_counts_in_each_and_once_in_all() -> None:
    log = Log().add(EventKind.ACTIVE, {"minutes": [MINUTE, MINUTE + 1]})
    log.add(EventKind.ACTIVE, {"minutes": [MINUTE + 1, MINUTE + 2]}, assignment="two")
    older = {"days": {"2026-01-01": 5}, "once": {"2026-01-01": 4}}
    log.add(EventKind.ACTIVE_DAYS, older)
    found = log.progress
    assert [chapter.minutes for chapter in found.chapters] == [7, 2]
    assert found.minutes == 7
    assert found.minutes_by_day == {date(2026, 1, 1): 4, date(2026, 11, 22): 3}


def test_chapters_that_are_not_open_yet_are_not_told_of() -> None:
    later = replace(OUTLINE.chapters[1], opens_at=NOW + timedelta(seconds=1))
    outline = replace(OUTLINE, chapters=(OUTLINE.chapters[0], later))
    found = derive(StudentState("ada"), outline, NOW)
    assert [each.assignment for each in found.chapters] == ["one"]
    assert found.max_points == 6.0
    opened = derive(StudentState("ada"), outline, NOW + timedelta(seconds=1))
    assert len(opened.chapters) == 2


def test_a_persons_own_times_are_shown() -> None:
    own = Terms(due_at=NOW + timedelta(days=40), closes_at=NOW + timedelta(days=50))
    chapter = derive(StudentState("ada"), OUTLINE, NOW, {"one": own}).chapters[0]
    assert (chapter.due_at, chapter.closes_at) == (own.due_at, own.closes_at)


ACTIVITY = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.sampled_from([EventKind.ACTIVE, EventKind.OPENED, EventKind.CHECKED]),
        st.lists(st.integers(MINUTE - 20, MINUTE), min_size=1, max_size=6),
    ),
    max_size=12,
)


@given(ACTIVITY, st.randoms(use_true_random=False))
def test_activity_in_any_order_and_more_than_once_is_the_same_activity(
    reported: list[tuple[str, EventKind, list[int]]], chance: random.Random
) -> None:
    log = Log()
    for assignment, kind, minutes in reported:
        data = {"minutes": minutes} if kind is EventKind.ACTIVE else {}
        at = datetime.fromtimestamp(minutes[0] * 60, UTC)
        log.add(kind, data, assignment=assignment, at=at)
    again = log.events + chance.choices(log.events, k=5) if log.events else []
    chance.shuffle(again)
    assert folded(again) == log.state
    every = {minute for _, kind, own in reported if kind is EventKind.ACTIVE for minute in own}
    assert log.progress.minutes == len(every)


@given(st.integers(0, 6))
def test_weeks_are_iso_weeks_in_utc(day: int) -> None:
    monday = datetime(2020, 12, 28, tzinfo=UTC)
    assert week_of(monday + timedelta(days=day)) == "2020-W53"
    assert week_of(monday.replace(hour=0).astimezone(UTC) - timedelta(seconds=1)) == "2020-W52"


@pytest.mark.parametrize(
    ("weeks", "counts"),
    [
        ([], (0, 0, 0)),
        (["2026-W47"], (1, 1, 1)),  # this week
        (["2026-W46"], (1, 1, 1)),  # last week: this one is not over
        (["2026-W45"], (0, 1, 1)),
        (["2026-W47", "2026-W46", "2026-W44"], (2, 2, 3)),
        (["2020-W53", "2021-W01", "2021-W02", "2026-W47"], (1, 3, 4)),
    ],
)
def test_a_row_of_weeks_goes_on_through_a_week_that_is_not_over(
    weeks: list[str], counts: tuple[int, int, int]
) -> None:
    assert evidence_weeks(weeks, NOW) == EvidenceWeeks(*counts)


def test_weeks_count_what_was_handed_in_and_graded_and_no_activity() -> None:
    log = Log().add(EventKind.ACTIVE, {"minutes": [MINUTE]})
    assert log.progress.weeks.total == 0
    log.hand_in(at=NOW - timedelta(days=7)).grade({})
    assert log.progress.weeks == EvidenceWeeks(2, 2, 2)


def test_the_newest_event_and_its_position_are_known() -> None:
    log = Log().add(EventKind.OPENED).add(EventKind.OPENED, at=NOW - timedelta(days=1))
    assert (log.progress.last_event_at, log.progress.position) == (NOW, 2)
