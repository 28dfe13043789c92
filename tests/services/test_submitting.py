"""The assignment that a notebook belongs to is found by its cells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Assignment, AssignmentVersion, CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidInputError, WrongAssignmentError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.services.submitting import checked_key, matching

NOW = datetime(2026, 11, 21, tzinfo=UTC)
IDS = st.frozensets(st.sampled_from("abcdefgh"))


def assignment(name: str, *grade_ids: str) -> Assignment:
    exercises = tuple(
        Exercise(each, CellKind.TESTS, 1.0, place) for place, each in enumerate(grade_ids)
    )
    version = AssignmentVersion(new_id(), new_id(), 1, "d" * 64, "d" * 64, exercises, NOW)
    return Assignment(new_id(), new_id(), name, NOW, version)


def test_all_or_most_of_the_exercises_decide() -> None:
    one, two = assignment("one", "a", "b", "c"), assignment("two", "a", "d")
    assert matching([one, two], {"a", "b", "c", "solution"}) is one
    assert matching([one, two], {"a", "b"}) is one
    assert matching([one, two], {"a", "d"}) is two
    with pytest.raises(WrongAssignmentError, match=r"no assignment in this course \(one, two\)"):
        matching([one, two], {"a"})
    with pytest.raises(WrongAssignmentError, match="there are none"):
        matching([], {"a"})


def test_two_that_fit_equally_well_are_named_and_none_is_chosen() -> None:
    every = [assignment("one", "a"), assignment("copy", "a"), assignment("other", "z")]
    with pytest.raises(WrongAssignmentError, match=r"2 assignments equally well \(one, copy\)"):
        matching(every, {"a"})


@given(st.lists(IDS, max_size=5), IDS)
def test_what_is_chosen_shares_more_than_half_and_no_other_shares_more(
    wanted: list[frozenset[str]], found: frozenset[str]
) -> None:
    every = [assignment(str(place), *sorted(ids)) for place, ids in enumerate(wanted)]
    try:
        chosen = matching(every, found)
    except WrongAssignmentError:
        return
    ids = wanted[int(chosen.name)]
    share = len(ids & found) / len(ids)
    assert share > 0.5
    assert all(len(each & found) / len(each) <= share for each in wanted if each)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\n", "ä", "\x7f"])
def test_a_key_that_is_not_printable_ascii_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked_key(key)
    assert caught.value.field == "Idempotency-Key"
    assert checked_key("try 1") == "try 1"
