"""A service that is down is left alone, and asked again after a while."""

from __future__ import annotations

import threading

import pytest

from jupyter_ppo.domain.tutoring import Failure
from jupyter_ppo.tutor.breaker import Breaker


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, seconds=30, clock=clock)


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.note(Failure.TIMEOUT)
        assert breaker.wait() == 0
    breaker.note(Failure.UNAVAILABLE)
    assert breaker.wait() == 30


def test_an_answer_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    for end in (Failure.TIMEOUT, Failure.TIMEOUT, None, Failure.TIMEOUT, Failure.TIMEOUT):
        breaker.note(end)
    assert breaker.wait() == 0


@pytest.mark.parametrize("failure", [Failure.RATE_LIMITED, Failure.REJECTED, Failure.UNREADABLE])
def test_who_answers_at_all_is_not_down(breaker: Breaker, failure: Failure) -> None:
    for _ in range(10):
        breaker.note(failure)
    assert breaker.wait() == 0


def test_one_may_try_when_the_time_is_over_and_the_others_wait(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(3):
        breaker.note(Failure.UNAVAILABLE)
    clock.now += 30
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(breaker.wait())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.0] + [30.0] * 7


def test_the_one_who_tries_closes_it_or_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.note(Failure.UNAVAILABLE)
    clock.now += 31
    assert breaker.wait() == 0
    breaker.note(Failure.UNAVAILABLE)
    assert breaker.wait() == 30
    clock.now += 30
    assert breaker.wait() == 0
    breaker.note(None)
    assert [breaker.wait() for _ in range(3)] == [0, 0, 0]
