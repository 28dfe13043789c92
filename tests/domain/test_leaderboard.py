"""Ranks, ties and pseudonyms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.leaderboard import PolicyResult, checked_pseudonym, folded, ranked


def result(user: str, mean: float, env_id: str = "CartPole-v1") -> PolicyResult:
    return PolicyResult(user, f"fox {user}", "first", env_id, mean, mean - 1, mean + 1, 20)


def test_the_best_mean_of_each_person_counts_and_equal_means_share_a_rank() -> None:
    entries = ranked(
        [result("a", 300), result("b", 500), result("a", 400), result("c", 400), result("d", 7)]
    )
    assert [(entry.rank, entry.result.user, entry.result.mean) for entry in entries] == [
        (1, "b", 500),
        (2, "a", 400),
        (2, "c", 400),
        (4, "d", 7),
    ]


def test_each_environment_is_ranked_by_itself() -> None:
    entries = ranked([result("a", 10), result("b", 10, "Acrobot-v1"), result("a", 5, "Acrobot-v1")])
    assert [(entry.result.env_id, entry.rank, entry.result.user) for entry in entries] == [
        ("Acrobot-v1", 1, "b"),
        ("Acrobot-v1", 2, "a"),
        ("CartPole-v1", 1, "a"),
    ]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([1.0, 2.0, 3.0]))))
@settings(deadline=None, max_examples=50)
def test_a_rank_is_one_more_than_the_number_of_better_people(
    found: list[tuple[str, float]],
) -> None:
    entries = ranked(result(user, mean) for user, mean in found)
    assert len(entries) == len({user for user, _ in found})
    for entry in entries:
        own = [mean for user, mean in found if user == entry.result.user]
        assert entry.result.mean == max(own)
        better = sum(other.result.mean > entry.result.mean for other in entries)
        assert entry.rank == better + 1


@pytest.mark.parametrize("name", ["fox", "Quick fox 7", "Füchsin", "狐狸狐", "x" * 40])
def test_a_pseudonym_may_be_any_printable_text(name: str) -> None:
    assert checked_pseudonym(name) == name


@pytest.mark.parametrize(
    "name", ["", "ab", "x" * 41, " fox", "fox ", "a\nb c", "a\x00bc", "fox\u202e", "x" * 10**6]
)
def test_other_text_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(InvalidInputError, match="3 to 40 printable characters") as refused:
        checked_pseudonym(name)
    assert refused.value.field == "pseudonym"
    assert len(refused.value.message) < 300


def test_names_that_look_the_same_are_the_same() -> None:
    assert folded("Quick  Fox") == folded("quickfox") == folded("\uff31uickFox")
    assert folded("fox 1") != folded("fox 2")
