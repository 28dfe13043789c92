"""Which hint comes next."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.hint_ladder import (
    NO_ATTEMPT,
    SWITCHED_OFF,
    WRITE_FIRST,
    AuthoredHints,
    cost_of,
    level_of,
    most_levels,
    next_hint,
    upcoming,
)
from jupyter_ppo.domain.tutoring import HintLevel

SKELETON = "s"
DIGESTS = st.sampled_from([NO_ATTEMPT, SKELETON, "a", "b", "c", "d", "e", "f"])


@dataclass(frozen=True)
class Given:
    level: HintLevel
    attempt_digest: str


def ask_all(digests: list[str], most: int) -> list[Given]:
    taken: list[Given] = []
    for digest in digests:
        found = next_hint(taken, digest, SKELETON, most)
        if found.level is not None and found.again is None:
            taken.append(Given(found.level, digest))
    return taken


@given(st.lists(DIGESTS, max_size=20), st.integers(0, 4))
def test_every_new_attempt_is_one_level_more_until_the_most_is_reached(
    digests: list[str], most: int
) -> None:
    numbers = [hint.level.number for hint in ask_all(digests, most)]
    assert numbers == [min(place + 1, most) for place in range(len(numbers))]


@given(st.lists(DIGESTS, max_size=20), st.integers(1, 4))
def test_no_attempt_gets_two_hints_and_the_same_one_gets_its_own_again(
    digests: list[str], most: int
) -> None:
    taken = ask_all(digests, most)
    asked = [hint.attempt_digest for hint in taken]
    assert len(set(asked)) == len(asked)
    for place, hint in enumerate(taken):
        found = next_hint(taken, hint.attempt_digest, SKELETON, most)
        assert (found.again, found.level) == (place, hint.level)


@given(st.lists(DIGESTS, max_size=20), st.integers(1, 4))
def test_from_the_second_level_on_an_attempt_is_asked_for(digests: list[str], most: int) -> None:
    for hint in ask_all(digests, most):
        if hint.level.number > 1:
            assert hint.attempt_digest not in {NO_ATTEMPT, SKELETON}


def test_the_first_hint_needs_no_attempt_and_the_second_does() -> None:
    taken = ask_all([SKELETON], 4)
    assert [hint.level for hint in taken] == [HintLevel.RESTATE]
    assert next_hint(taken, NO_ATTEMPT, SKELETON, 4).why_not == WRITE_FIRST
    assert next_hint(taken, "a", SKELETON, 4).level is HintLevel.CONCEPT


def test_without_levels_there_is_no_hint_not_even_one_that_was_given() -> None:
    taken = ask_all(["a", "b"], 4)
    assert next_hint(taken, "a", SKELETON, 0).why_not == SWITCHED_OFF
    assert upcoming(taken, 0) is None


def test_fewer_levels_than_were_taken_keep_to_the_most_there_is_now() -> None:
    taken = ask_all(["a", "b", "c", "d"], 4)
    assert upcoming(taken, 2) is HintLevel.CONCEPT
    assert next_hint(taken, "e", SKELETON, 2).level is HintLevel.CONCEPT


@given(st.integers(-5, 9), st.integers(-5, 9))
def test_the_most_is_what_both_the_course_and_the_person_allow(course: int, person: int) -> None:
    most = most_levels(course, person)
    assert 0 <= most <= 4
    assert most <= max(course, 0)
    assert most <= max(person, 0)


def test_levels_and_their_numbers_belong_together() -> None:
    assert [level_of(level.number) for level in HintLevel] == list(HintLevel)


def test_a_level_costs_what_is_set_for_it_and_nothing_if_nothing_is() -> None:
    costs = (0.0, 0.1, 0.2)
    assert [cost_of(level, costs) for level in HintLevel] == [0.0, 0.1, 0.2, 0.0]


def test_an_author_writes_every_level_but_the_first() -> None:
    hints = AuthoredHints("c", "l", "s")
    assert [hints.of(level) for level in HintLevel] == ["", "c", "l", "s"]
