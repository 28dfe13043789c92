"""Hints: one for each attempt, and what they take from the points of an exercise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.hint_records import NewHint
from jupyter_ppo.domain.tutoring import HintLevel, HintSource
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.hints import Hints


@pytest.fixture
def new(course: Course, assignment: Assignment) -> NewHint:
    return NewHint(
        course_id=course.id,
        assignment_id=assignment.id,
        user="ada",
        grade_id="gae",
        level=HintLevel.CONCEPT,
        source=HintSource.AUTHORED,
        model="",
        text="Walk backwards.",
        attempt_digest="a" * 64,
        call_id=None,
        cost_fraction=0.0,
    )


@pytest.fixture
def hints(database: Database) -> Hints:
    return Hints(database)


def test_hints_of_an_exercise_come_back_in_order_and_are_nobody_elses(
    hints: Hints, new: NewHint, assignment: Assignment
) -> None:
    first = hints.add(new)
    second = hints.add(replace(new, attempt_digest="b" * 64, level=HintLevel.LOCATION))
    hints.add(replace(new, user="ben"))
    hints.add(replace(new, grade_id="loss"))
    assert list(hints.taken(assignment.id, "ada", "gae")) == [first, second]
    assert first.new == new


def test_the_same_attempt_keeps_its_first_hint(hints: Hints, new: NewHint) -> None:
    first = hints.add(new)
    again = hints.add(replace(new, text="Something else.", level=HintLevel.STEP))
    assert again == first


def test_an_attempt_that_asks_many_times_at_once_has_one_hint(
    hints: Hints, new: NewHint, assignment: Assignment
) -> None:
    found: list[Any] = []
    asked = [
        Thread(target=lambda n=n: found.append(hints.add(replace(new, text=f"{n}"))))
        for n in range(8)
    ]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()
    assert len({hint.id for hint in found}) == 1
    assert len(hints.taken(assignment.id, "ada", "gae")) == 1


def test_the_dearest_hint_from_before_the_hand_in_counts(
    hints: Hints, new: NewHint, assignment: Assignment, database: Database
) -> None:
    hints.add(new)
    hints.add(replace(new, attempt_digest="b" * 64, cost_fraction=0.1))
    hints.add(replace(new, attempt_digest="c" * 64, cost_fraction=0.25))
    hints.add(replace(new, user="ben", cost_fraction=1.0))
    with database.session() as session:
        now = database_now(session)
    later = now + timedelta(minutes=1)
    assert hints.costs(assignment.id, "ada", later) == {"gae": 0.25}
    assert hints.costs(assignment.id, "ada", now - timedelta(minutes=1)) == {}
