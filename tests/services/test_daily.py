"""Daily work is done at the start and again, whatever fails, until it is stopped."""

from __future__ import annotations

import logging
import threading

import pytest

from jupyter_ppo.services.daily import DailyWork

SECONDS = 20


def test_every_task_is_done_at_the_start_and_again() -> None:
    done = threading.Semaphore(0)
    work = DailyWork({"one": done.release}, every_seconds=0.001)
    work.start()
    work.start()
    for _ in range(3):
        assert done.acquire(timeout=SECONDS)
    work.stop()
    assert "jupyter-ppo-daily" not in {thread.name for thread in threading.enumerate()}


def test_one_that_fails_is_logged_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ValueError

    with caplog.at_level(logging.ERROR):
        DailyWork({"outlines": fail, "retention": lambda: done.append("retention")}).do()
    assert done == ["retention"]
    assert "outlines" in caplog.text


def test_a_stop_waits_for_the_task_under_way_and_begins_no_other() -> None:
    begun, release, done = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        assert release.wait(SECONDS)
        done.append("first")

    work = DailyWork({"first": first, "second": lambda: done.append("second")})
    work.start()
    assert begun.wait(SECONDS)
    stopping = threading.Thread(target=work.stop)
    stopping.start()
    while not work._ended.is_set():  # the stop is on its way
        pass
    release.set()
    stopping.join(SECONDS)
    assert done == ["first"]
    work.start()
    assert done == ["first"]
