"""How often a person may ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jupyter_ppo.domain.errors import TooManyRequestsError
from jupyter_ppo.services.asking_limits import AskingLimits

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


def given_at(*minutes_ago: int) -> AskingLimits:
    """Return limits after something was given to ``sam`` so many minutes ago, in two stores."""
    times = [NOW - timedelta(minutes=each) for each in minutes_ago]

    def count(user: str, since: datetime) -> int:
        return sum(time >= since for time in times) if user == "sam" else 0

    return AskingLimits((count, lambda user, since: 0), Clock(), per_hour=3)


def test_what_was_given_within_the_hour_counts_and_older_does_not() -> None:
    with given_at(1, 2, 61, 200).asking("sam"):
        pass
    with pytest.raises(TooManyRequestsError), given_at(1, 2, 59).asking("sam"):
        pytest.fail("a fourth was given")


def test_the_limit_is_one_persons() -> None:
    with given_at(1, 2, 3).asking("sue"):
        pass


def test_nobody_asks_twice_at_once_and_others_may() -> None:
    limits = given_at()
    with limits.asking("sam"):
        with limits.asking("sue"):
            pass
        with pytest.raises(TooManyRequestsError), limits.asking("sam"):
            pytest.fail("two at once")
    with limits.asking("sam"):
        pass


def test_a_place_is_free_again_after_a_failure() -> None:
    limits = given_at()
    with pytest.raises(ZeroDivisionError), limits.asking("sam"):
        raise ZeroDivisionError
    with limits.asking("sam"):
        pass
