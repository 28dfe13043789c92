"""Token buckets: what is let through, and when what is not may come again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import RateLimitedError
from jupyter_ppo.services.rate_limits import DEFAULTS, Limit, RateLimits, unlimited

WRITES = Limit.WRITES


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def passes(limits: RateLimits, who: str = "sam", limit: Limit = WRITES) -> bool:
    try:
        limits.take(limit, who)
    except RateLimitedError:
        return False
    return True


def waits(limits: RateLimits) -> float:
    """Return the seconds that are told, 0 for who is let through."""
    try:
        limits.check(WRITES, "sam")
    except RateLimitedError as error:
        return error.retry_after
    return 0.0


@given(
    per_minute=st.integers(1, 10_000),
    gaps=st.lists(st.floats(0.0, 30.0), max_size=200),
)
def test_never_more_comes_through_than_the_burst_and_the_rate(
    per_minute: int, gaps: list[float]
) -> None:
    clock = Clock()
    limits = RateLimits({WRITES: per_minute}, clock=clock)
    burst = max(1.0, per_minute / 3)
    through = 0
    for gap in gaps:
        clock.now += gap
        through += passes(limits)
        assert through <= burst + clock.now * per_minute / 60 + 1e-6


@given(per_minute=st.integers(1, 10_000), sent=st.integers(0, 300))
def test_who_waits_as_told_is_let_through(per_minute: int, sent: int) -> None:
    clock = Clock()
    limits = RateLimits({WRITES: per_minute}, clock=clock)
    for _ in range(sent):
        passes(limits)
    wait = waits(limits)
    assert 0 <= wait <= 60 / per_minute + 1e-6
    clock.now += wait + 1e-6
    assert passes(limits)


@given(per_minute=st.integers(1, 10_000))
def test_who_stays_at_the_rate_is_never_refused(per_minute: int) -> None:
    clock = Clock()
    limits = RateLimits({WRITES: per_minute}, clock=clock)
    for _ in range(300):
        assert passes(limits)
        clock.now += 60 / per_minute + 1e-9


def test_people_and_kinds_are_counted_each_for_itself() -> None:
    limits = RateLimits({WRITES: 1, Limit.READS: 1}, clock=Clock())
    assert passes(limits)
    assert not passes(limits)
    assert passes(limits, "sue")
    assert passes(limits, limit=Limit.READS)


def test_the_error_names_the_limit_and_when_to_come_again() -> None:
    limits = RateLimits({WRITES: 2}, clock=Clock())
    limits.take(WRITES, "sam")
    with pytest.raises(RateLimitedError, match=r"writes: .* more than 2 in a minute\. Wait 30 s"):
        limits.take(WRITES, "sam")
    with pytest.raises(RateLimitedError) as caught:
        limits.take(WRITES, "sam")
    assert (caught.value.field, caught.value.retry_after) == ("rate_limits.writes", 30.0)


def test_looking_counts_nothing() -> None:
    limits = RateLimits({WRITES: 1}, clock=Clock())
    for _ in range(5):
        limits.check(WRITES, "sam")
    limits.take(WRITES, "sam")
    with pytest.raises(RateLimitedError):
        limits.check(WRITES, "sam")


def test_zero_is_any_number() -> None:
    for limits in (unlimited(), RateLimits({WRITES: 0}, clock=Clock())):
        assert all(passes(limits) for _ in range(1000))


def test_of_very_many_the_ones_who_did_not_come_for_longest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jupyter_ppo.services.rate_limits._MOST_BUCKETS", 3)
    limits = RateLimits({WRITES: 1}, clock=Clock())
    assert [passes(limits, who) for who in "abcd"] == [True] * 4
    assert [passes(limits, who) for who in "dcb"] == [False] * 3
    assert passes(limits, "a")


def test_every_limit_has_a_default_that_a_class_does_not_reach() -> None:
    assert set(DEFAULTS) == set(Limit)
    # A JupyterLab looks every 10 s at a handful of things; 330 of them are open at a deadline.
    assert DEFAULTS[Limit.READS] >= 10 * 6 * 5
    assert DEFAULTS[Limit.COURSE] >= 330 * 6 * 5
    assert DEFAULTS[Limit.GUESSES] < 60


@given(per_minute=st.integers(1, 600), idle=st.floats(0.0, 1e6))
def test_nobody_saves_up_more_than_a_third_of_a_minute(per_minute: int, idle: float) -> None:
    clock = Clock()
    limits = RateLimits({WRITES: per_minute}, clock=clock)
    limits.take(WRITES, "sam")
    clock.now += idle
    at_once = sum(passes(limits) for _ in range(per_minute))
    assert at_once <= max(1.0, per_minute / 3)
