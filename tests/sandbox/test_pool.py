"""The pool with things that take no time to make; with real containers see test_warm_kernels."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import EngineUnavailableError
from jupyter_ppo.sandbox import pool as pool_module
from jupyter_ppo.sandbox.pool import WarmPool

Eventually = Callable[[Callable[[], bool], str], None]
SECONDS = 120


class Thing:
    """What a pool of these tests holds."""

    def __init__(self) -> None:
        self.is_alive = True
        self.closings: list[str] = []

    def close(self) -> None:
        self.is_alive = False
        self.closings.append(threading.current_thread().name)


class Maker:
    """Makes things, and remembers them; raises while told to; waits while told to."""

    def __init__(self) -> None:
        self.made: list[Thing] = []
        self.failing = False
        self.failures = 0
        self.dying = False
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        #: Whether making ends early when it is told to, as it should.
        self.obeys = True

    def __call__(self, ending: Ending) -> Thing:
        if self.obeys:
            ending.on_end(self.may_go_on.set)
        self.entered.set()
        assert self.may_go_on.wait(SECONDS)
        if self.failing or (self.obeys and ending.is_ended):
            self.failures += 1
            msg = "made to fail"
            raise EngineUnavailableError(msg)
        thing = Thing()
        thing.is_alive = not self.dying
        self.made.append(thing)
        return thing


Made = Callable[..., tuple[WarmPool[Thing], Maker]]


@pytest.fixture
def make_pool() -> Iterator[Made]:
    pools: list[tuple[WarmPool[Thing], Maker]] = []

    def make(size: int, breath: float = 0.0) -> tuple[WarmPool[Thing], Maker]:
        maker = Maker()
        pools.append((WarmPool(maker, size, "thing", breath=breath), maker))
        return pools[-1]

    yield make
    for pool, maker in pools:
        maker.may_go_on.set()
        pool.close()


def taken_from(pool: WarmPool[Thing]) -> Thing:
    """Take one, as soon as one waits."""
    end = time.monotonic() + SECONDS
    while (taken := pool.take()) is None:
        assert time.monotonic() < end, "nothing waits"
        time.sleep(0.001)
    return taken


def test_it_fills_itself_and_replaces_what_was_taken(
    make_pool: Made, eventually: Eventually
) -> None:
    pool, maker = make_pool(3)
    assert pool.ready == 0
    pool.start()
    eventually(lambda: pool.ready == 3, "the pool was not filled")
    first = taken_from(pool)
    assert first is maker.made[0]
    eventually(lambda: pool.ready == 3, "what was taken was not replaced")
    assert len(maker.made) == 4
    assert first.closings == []


def test_nothing_is_taken_where_nothing_waits(make_pool: Made, eventually: Eventually) -> None:
    pool, maker = make_pool(1)
    assert pool.take() is None
    maker.failing = True
    pool.start()
    eventually(lambda: maker.failures > 0, "nothing was tried")
    assert pool.take() is None


def test_a_dead_one_is_never_given_out_and_is_closed(
    make_pool: Made, eventually: Eventually
) -> None:
    pool, maker = make_pool(2)
    pool.start()
    eventually(lambda: pool.ready == 2, "the pool was not filled")
    maker.made[0].is_alive = False
    assert pool.take() is maker.made[1]
    eventually(lambda: maker.made[0].closings == ["jupyter-ppo-pool-thing"], "it was not closed")


def test_one_that_dies_while_it_waits_is_replaced(
    make_pool: Made, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(pool_module, "_FIRST_RETRY_SECONDS", 0.01)
    pool, maker = make_pool(2)
    pool.start()
    eventually(lambda: pool.ready == 2, "the pool was not filled")
    maker.made[1].is_alive = False
    eventually(lambda: pool.ready == 2, "the dead one was not replaced")
    eventually(lambda: len(maker.made[1].closings) == 1, "the dead one was not closed")


def test_failures_are_logged_once_and_a_take_wakes_it(
    make_pool: Made,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pool_module, "_LONGEST_RETRY_SECONDS", 10_000.0)
    monkeypatch.setattr(pool_module, "_FIRST_RETRY_SECONDS", 10_000.0)
    pool, maker = make_pool(1)
    maker.failing = True
    with caplog.at_level(logging.WARNING):
        pool.start()
        eventually(lambda: maker.failures == 1, "nothing was made")
        eventually(lambda: len(caplog.records) == 1, "the failure was not logged")
        maker.failing = False
        assert pool.take() is None
        eventually(lambda: pool.ready == 1, "the take did not wake it")
    assert "made to fail" in caplog.text


def test_it_tries_again_by_itself_and_logs_a_streak_once(
    make_pool: Made,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pool_module, "_LONGEST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(pool_module, "_FIRST_RETRY_SECONDS", 0.005)
    pool, maker = make_pool(1)
    maker.failing = True
    with caplog.at_level(logging.WARNING):
        pool.start()
        eventually(lambda: maker.failures >= 4, "it gave up")
        maker.failing = False
        eventually(lambda: pool.ready == 1, "it gave up")
    assert len(caplog.records) == 1


def test_what_dies_right_after_it_was_made_counts_as_a_failure(
    make_pool: Made,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pool_module, "_LONGEST_RETRY_SECONDS", 10_000.0)
    monkeypatch.setattr(pool_module, "_FIRST_RETRY_SECONDS", 10_000.0)
    monkeypatch.setattr(pool_module, "_PROVEN_SECONDS", 10_000.0)
    monkeypatch.setattr(pool_module, "_LOOK_SECONDS", 0.001)
    pool, maker = make_pool(1)
    maker.dying = True
    with caplog.at_level(logging.WARNING):
        pool.start()
        eventually(lambda: len(caplog.records) == 1, "the failure was not logged")
        eventually(lambda: len(maker.made[0].closings) == 1, "the dead one was not closed")
    assert "right after it was made" in caplog.text
    assert pool._not_before > time.monotonic() + 1000, "it does not wait"
    assert len(maker.made) == 1
    maker.dying = False
    assert pool.take() is None
    eventually(lambda: pool.ready == 1, "the take did not wake it")


def test_what_stays_alive_ends_a_streak_of_failures(
    make_pool: Made, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_PROVEN_SECONDS", 0.0)
    monkeypatch.setattr(pool_module, "_LOOK_SECONDS", 0.001)
    pool, _ = make_pool(1)
    pool._retry_seconds = 8.0
    pool.start()
    eventually(lambda: pool._retry_seconds == 1.0, "the streak goes on")


@pytest.mark.parametrize("obeys", [True, False])
def test_what_is_being_made_while_it_closes_is_ended_or_closed(
    make_pool: Made, eventually: Eventually, caplog: pytest.LogCaptureFixture, obeys: bool
) -> None:
    pool, maker = make_pool(2)
    maker.obeys = obeys
    maker.may_go_on.clear()
    pool.start()
    assert maker.entered.wait(SECONDS)
    closing = threading.Thread(target=pool.close)
    closing.start()
    eventually(lambda: pool._closed, "it does not close")
    if not obeys:
        maker.may_go_on.set()
    closing.join(SECONDS)
    assert not closing.is_alive()
    assert [len(thing.closings) for thing in maker.made] == ([] if obeys else [1])
    assert "jupyter-ppo-pool-thing" not in {thread.name for thread in threading.enumerate()}
    assert caplog.records == [], "an end that was asked for is no failure"


def test_what_was_taken_is_not_ended_with_the_pool(make_pool: Made, eventually: Eventually) -> None:
    pool, maker = make_pool(1)
    pool.start()
    eventually(lambda: pool.ready == 1, "the pool was not filled")
    maker.may_go_on.clear()
    taken = taken_from(pool)
    pool.close()
    assert taken.is_alive
    assert maker.made == [taken]


def test_a_closed_pool_holds_nothing_and_makes_nothing(
    make_pool: Made, eventually: Eventually
) -> None:
    pool, maker = make_pool(2)
    pool.start()
    eventually(lambda: pool.ready == 2, "the pool was not filled")
    pool.close()
    pool.close()
    assert [len(thing.closings) for thing in maker.made] == [1, 1]
    assert pool.ready == 0
    assert pool.take() is None
    pool.start()
    assert pool._thread is not None
    assert not pool._thread.is_alive()


def test_an_error_of_closing_stops_nothing(
    make_pool: Made, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    pool, maker = make_pool(2)
    pool.start()
    eventually(lambda: pool.ready == 2, "the pool was not filled")

    def fail() -> None:
        msg = "made to fail"
        raise EngineUnavailableError(msg)

    maker.made[0].close = fail  # type: ignore[method-assign]
    pool.close()
    assert maker.made[1].closings
    assert "perhaps not removed" in caplog.text


def test_many_takers_never_share_one_and_nothing_leaks(make_pool: Made) -> None:
    pool, maker = make_pool(4)
    pool.start()

    def take_some(_: int) -> list[Thing]:
        return [taken_from(pool) for _ in range(50)]

    with ThreadPoolExecutor(8) as threads:
        taken = [thing for some in threads.map(take_some, range(8)) for thing in some]
    pool.close()
    assert len(taken) == len(set(map(id, taken))) == 400
    assert all(not thing.closings for thing in taken)
    left = [thing for thing in maker.made if id(thing) not in set(map(id, taken))]
    assert all(len(thing.closings) == 1 for thing in left)


def test_takers_of_a_closing_pool_get_one_or_none_and_nothing_leaks(make_pool: Made) -> None:
    pool, maker = make_pool(4)
    pool.start()
    begun, closed = threading.Barrier(5), threading.Event()

    def take_until_closed(_: int) -> list[Thing]:
        taken: list[Thing] = []
        begun.wait(SECONDS)
        while not closed.is_set():
            if (thing := pool.take()) is not None:
                taken.append(thing)
        return taken

    with ThreadPoolExecutor(4) as threads:
        results = [threads.submit(take_until_closed, number) for number in range(4)]
        begun.wait(SECONDS)
        pool.close()
        closed.set()
        taken = {id(thing) for result in results for thing in result.result(SECONDS)}
    assert all((id(thing) in taken) != bool(thing.closings) for thing in maker.made)


@settings(max_examples=30, deadline=None)
@given(
    size=st.integers(0, 3),
    steps=st.lists(st.sampled_from(["take", "kill", "die", "fail", "heal"]), max_size=20),
)
def test_whatever_happens_each_is_taken_once_or_closed_once(size: int, steps: list[str]) -> None:
    maker = Maker()
    pool: WarmPool[Thing] = WarmPool(maker, size, "thing", breath=0.0)
    pool.start()
    taken: list[Thing] = []
    for step in steps:
        match step:
            case "take":
                if (thing := pool.take()) is not None:
                    taken.append(thing)
            case "kill":
                for thing in [thing for thing in maker.made if thing not in taken]:
                    thing.is_alive = False
            case "fail":
                maker.failing = True
            case "die":
                maker.dying = True
            case "heal":
                maker.failing = maker.dying = False
        assert pool.ready <= size
    pool.close()
    assert len({id(thing) for thing in taken}) == len(taken)
    for thing in maker.made:
        assert len(thing.closings) == (0 if thing in taken else 1)
