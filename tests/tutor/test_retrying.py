"""Back-off with full jitter, and who is asked again."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure
from jupyter_ppo.tutor.retrying import Backoff, repeated

CHANCES = st.floats(0, 1)


def error(failure: Failure, retry_after: float | None = None) -> ModelUnavailableError:
    return ModelUnavailableError("down", failure=failure, retry_after=retry_after)


@given(st.integers(1, 5000), CHANCES)
def test_a_wait_is_between_nothing_and_the_bound(tried: int, chance: float) -> None:
    wait = Backoff(tries=10_000, first=0.5, longest=20).wait(tried, None, chance)
    assert wait is not None
    assert 0 <= wait <= min(20.0, 0.5 * 2.0 ** min(tried - 1, 60))


def test_the_bound_doubles_up_to_the_longest() -> None:
    backoff = Backoff(tries=9, first=0.5, longest=3)
    assert [backoff.wait(tried, None, 1.0) for tried in range(1, 6)] == [0.5, 1, 2, 3, 3]


@given(st.floats(0, 60), CHANCES)
def test_nobody_comes_back_before_they_were_told_to(told: float, chance: float) -> None:
    wait = Backoff(patience=60).wait(1, told, chance)
    assert wait is not None
    assert wait >= told


def test_who_is_told_to_wait_too_long_gives_up() -> None:
    assert Backoff(patience=60).wait(1, 61, 0.5) is None


@given(st.integers(1, 20))
def test_there_are_no_more_tries_than_permitted(tries: int) -> None:
    asked: list[int] = []
    waited: list[float] = []

    async def attempt() -> None:
        asked.append(1)
        raise error(Failure.UNAVAILABLE)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    with pytest.raises(ModelUnavailableError):
        asyncio.run(repeated(attempt, Backoff(tries=tries), sleep=sleep))
    assert (len(asked), len(waited)) == (tries, tries - 1)


@pytest.mark.parametrize("failure", list(Failure))
def test_only_what_passes_by_itself_is_asked_again(failure: Failure) -> None:
    asked: list[int] = []

    async def attempt() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise error(failure)
        return "answer"

    done = repeated(attempt, Backoff(first=0))
    if failure in {Failure.RATE_LIMITED, Failure.UNAVAILABLE, Failure.TIMEOUT}:
        assert asyncio.run(done) == "answer"
    else:
        with pytest.raises(ModelUnavailableError):
            asyncio.run(done)
        assert len(asked) == 1


def test_nothing_is_asked_again_once_something_was_heard() -> None:
    asked: list[int] = []

    async def attempt() -> None:
        asked.append(1)
        raise error(Failure.UNAVAILABLE)

    with pytest.raises(ModelUnavailableError):
        asyncio.run(repeated(attempt, Backoff(first=0), may_repeat=lambda: False))
    assert len(asked) == 1
