"""What a student is told to do next, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_ppo.domain.progress_records import (
    ChapterProgress,
    ExerciseProgress,
    ReasonKind,
    Recommendation,
    WorkState,
)
from jupyter_ppo.domain.recommendation import recommend

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def chapter(
    number: int, state: WorkState, points: float | None = None, **more: Any
) -> ChapterProgress:
    exercise = ExerciseProgress(
        f"ex-{number}", f"Exercise {number}", state, points, 10.0, 0, 1, (), ()
    )
    made = ChapterProgress(
        assignment=f"ch-{number}",
        title=f"Title {number}",
        number=number,
        state=state,
        points=points,
        max_points=10.0,
        exercises=(exercise,),
        minutes=0,
        expected_minutes=60,
        opens_at=None,
        due_at=None,
        closes_at=None,
        submitted_at=None,
        attempts=0,
        submission_id=None,
    )
    return replace(made, **more)


NEW, STARTED, PARTLY = WorkState.NOT_STARTED, WorkState.STARTED, WorkState.PARTLY
DONE, HANDED_IN = WorkState.DONE, WorkState.HANDED_IN


def next_of(*chapters: ChapterProgress) -> Recommendation:
    found = recommend(chapters, NOW)
    assert found is not None
    return found


def test_what_is_due_within_a_week_comes_first_the_earliest_before_the_others() -> None:
    found = next_of(
        chapter(1, STARTED),
        chapter(2, NEW, due_at=NOW + 6 * DAY),
        chapter(3, NEW, due_at=NOW + 2 * DAY),
    )
    assert (found.assignment, found.grade_id) == ("ch-3", "ex-3")
    assert found.kind is ReasonKind.DUE_SOON
    assert found.reason == (
        "Chapter 3, Title 3, is due in 2 days, on 2026-11-24 12:00 UTC, and not handed in yet. "
        "Its first exercise is 'Exercise 3'."
    )


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (timedelta(minutes=5), "is due within a day"),
        (DAY, "is due in 1 day,"),
        (-DAY, "was due on 2026-11-21 12:00 UTC; it is still taken."),
    ],
)
def test_the_reason_says_how_long_there_is(due: timedelta, words: str) -> None:
    assert words in next_of(chapter(1, NEW, due_at=NOW + due)).reason


def test_what_is_due_later_or_handed_in_is_not_due_soon() -> None:
    found = next_of(chapter(1, HANDED_IN, due_at=NOW + DAY), chapter(2, NEW, due_at=NOW + 8 * DAY))
    assert (found.assignment, found.kind) == ("ch-2", ReasonKind.NEXT_CHAPTER)


def test_what_was_begun_comes_before_what_lacks_points() -> None:
    found = next_of(chapter(1, PARTLY, 2.0), chapter(2, STARTED), chapter(3, NEW))
    assert (found.assignment, found.kind) == ("ch-2", ReasonKind.CONTINUE)


def test_a_chapter_with_few_points_comes_before_the_next_one_and_says_how_many_it_lacks() -> None:
    found = next_of(chapter(1, PARTLY, 5.5), chapter(2, NEW))
    assert (found.grade_id, found.kind) == ("ex-1", ReasonKind.MISSING_POINTS)
    assert found.reason == "'Exercise 1' in chapter 1, Title 1, lacks 4.5 of 10 points."


def test_a_chapter_with_most_points_waits_until_there_is_no_next_one() -> None:
    partly = chapter(1, PARTLY, 9.0)
    assert next_of(partly, chapter(2, NEW)).kind is ReasonKind.NEXT_CHAPTER
    assert next_of(partly, chapter(2, HANDED_IN)).assignment == "ch-1"


def test_numbered_chapters_come_before_others() -> None:
    other = replace(chapter(7, NEW), number=None)
    assert next_of(other, chapter(8, NEW)).assignment == "ch-8"
    assert next_of(other).reason.startswith("Title 7 is the next one")


@pytest.mark.parametrize("state", [NEW, STARTED, PARTLY])
@pytest.mark.parametrize("times", [{"closes_at": NOW - DAY}, {"opens_at": NOW + DAY}])
def test_what_is_closed_or_not_open_is_never_named(
    state: WorkState, times: dict[str, datetime]
) -> None:
    assert recommend([chapter(1, state, 0.0, due_at=NOW - DAY, **times)], NOW) is None


def test_nothing_is_left_when_all_is_done_or_waits_for_a_grade() -> None:
    assert recommend([chapter(1, DONE, 10.0), chapter(2, HANDED_IN)], NOW) is None
    assert recommend([], NOW) is None


def test_a_chapter_without_exercises_is_named_as_a_whole() -> None:
    found = next_of(chapter(1, NEW, exercises=()))
    assert found.grade_id is None
    assert found.reason == "Chapter 1, Title 1, is the next one that you have not begun."
