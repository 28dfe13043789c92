"""Marks, and what they make of an exercise."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.marking import pseudonyms
from jupyter_ppo.domain.marks import MAX_COMMENT, Mark
from jupyter_ppo.domain.sandbox import Verdict

EXERCISE = ExerciseGrade("why", 1.0, 3.0, True, "A person reads this.")


def marked(mark: Mark | None) -> ExerciseGrade:
    return replace(EXERCISE, mark=mark)


def test_a_persons_points_stand_in_the_place_of_the_automatic_ones() -> None:
    assert marked(Mark(2.5)).score == 2.5
    assert marked(Mark(0.0)).score == 0.0
    assert marked(None).score == 1.0


def test_extra_credit_is_added_and_may_go_over_the_most() -> None:
    assert marked(Mark(3.0, 0.1)).score == 3.1
    assert marked(Mark(None, -0.25)).score == 0.75


def test_only_points_end_the_waiting() -> None:
    assert marked(None).waits
    assert marked(Mark(None, 1.0, "Nice.")).waits
    assert not marked(Mark(0.0)).waits


def test_a_change_of_the_automatic_points_after_the_mark_is_told() -> None:
    assert marked(Mark(2.0, auto_points=0.5)).auto_changed
    assert not marked(Mark(2.0, auto_points=1.0)).auto_changed
    assert not marked(Mark(2.0)).auto_changed


def test_a_mark_above_what_the_exercise_gives_by_now_is_told() -> None:
    at_most = replace(EXERCISE, max_points=5.0)
    assert replace(at_most, mark=Mark(9.0, auto_points=at_most.points)).auto_changed
    assert not replace(at_most, mark=Mark(5.0, auto_points=at_most.points)).auto_changed


def test_a_student_is_not_told_who_marked_it() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    mark = Mark(2.0, 0.5, "Good.", 3, "gil", now, 0.5)
    grade = Grade(uuid4(), (marked(mark), EXERCISE), Verdict.RAN, "", "0" * 64, now, 1.0)
    shown = grade.for_student()
    assert shown.exercises[0].mark == Mark(2.0, 0.5, "Good.", 3, "", now)
    assert not shown.exercises[0].auto_changed
    assert shown.exercises[1] == EXERCISE
    assert (shown.points, shown.extra_credit, shown.needs_review) == (3.5, 0.5, True)


@pytest.mark.parametrize(
    ("mark", "field"),
    [
        (Mark(-0.01), "points"),
        (Mark(3.01), "points"),
        (Mark(math.nan), "points"),
        (Mark(math.inf), "points"),
        (Mark(1.0, math.nan), "extra_credit"),
        (Mark(1.0, math.inf), "extra_credit"),
        (Mark(1.0, 1_000_000.5), "extra_credit"),
        (Mark(1.0, comment="x" * (MAX_COMMENT + 1)), "comment"),
        (Mark(1.0, comment="a\0b"), "comment"),
        (Mark(1.0, comment="\ud800"), "comment"),
    ],
)
def test_what_cannot_be_given_is_named(mark: Mark, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        mark.checked(3.0)
    assert caught.value.field == field


def test_a_mark_that_says_nothing_is_empty() -> None:
    assert Mark(None, revision=4).is_empty
    for mark in (Mark(0.0), Mark(None, 0.5), Mark(None, comment="x")):
        assert not mark.is_empty


@settings(deadline=None, max_examples=30)
@given(st.sets(st.text(min_size=1, max_size=12), max_size=400), st.binary(min_size=32, max_size=32))
def test_everybody_has_a_pseudonym_of_their_own_that_does_not_change(
    users: set[str], secret: bytes
) -> None:
    assignment = uuid4()
    users = {user for user in users if not any(0xD800 <= ord(c) < 0xE000 for c in user)}
    named = pseudonyms(secret, assignment, users)
    assert set(named) == users
    assert len(set(named.values())) == len(users)
    assert all(name.startswith("Student ") and len(name) >= 12 for name in named.values())
    assert pseudonyms(secret, assignment, sorted(users)) == named


def test_a_class_that_needs_longer_pseudonyms_gets_them() -> None:
    named = pseudonyms(b"s" * 32, uuid4(), [f"student{i}" for i in range(3_000)])
    lengths = {len(name) for name in named.values()}
    assert len(set(named.values())) == 3_000
    assert lengths > {len("Student 7F3A")}
    assert max(lengths) < len("Student 7F3A") + 6


def test_a_pseudonym_tells_nothing_of_another_assignment_or_course() -> None:
    first, second = uuid4(), uuid4()
    one = pseudonyms(b"a" * 32, first, ["ada"])
    assert pseudonyms(b"a" * 32, second, ["ada"]) != one
    assert pseudonyms(b"b" * 32, first, ["ada"]) != one
