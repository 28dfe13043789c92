"""A service that fails, hangs, or is left alone: what is repeated, and what is told."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from llm_asking import KEY, QUICK, Open, fails, request
from llm_server import Behaviour, LlmServer

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure
from jupyter_ppo.tutor.breaker import Breaker
from jupyter_ppo.tutor.retrying import Backoff


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("unauthorised", Failure.UNAUTHORISED),
        ("forbidden", Failure.UNAUTHORISED),
        ("rejected", Failure.REJECTED),
        ("not_found", Failure.REJECTED),
        ("empty", Failure.UNREADABLE),
        ("not_json", Failure.UNREADABLE),
        ("html", Failure.UNREADABLE),
    ],
)
def test_what_cannot_pass_by_itself_is_not_asked_again(
    opened: Open, llm_server: LlmServer, kind: str, failure: Failure
) -> None:
    llm_server.always(kind)
    with fails(failure):
        opened().answer(request())
    assert len(llm_server.received) == 1


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("rate_limited", Failure.RATE_LIMITED),
        ("fails", Failure.UNAVAILABLE),
        ("overloaded", Failure.UNAVAILABLE),
        ("drops", Failure.UNAVAILABLE),
        ("drops_midway", Failure.UNAVAILABLE),
    ],
)
def test_what_passes_is_asked_again_and_no_more_than_permitted(
    opened: Open, llm_server: LlmServer, kind: str, failure: Failure
) -> None:
    llm_server.will(kind)
    assert opened().answer(request()).tries == 2
    llm_server.always(kind)
    with fails(failure):
        opened().answer(request())
    assert len(llm_server.received) == 2 + QUICK.tries


@pytest.mark.parametrize("kind", ["slow", "stalls"])
def test_a_service_that_hangs_is_left_in_time(
    opened: Open, llm_server: LlmServer, kind: str
) -> None:
    llm_server.always(kind)
    model = opened(timeout=0.3, backoff=Backoff(tries=1))
    with fails(Failure.TIMEOUT):
        model.answer(request())
    with fails(Failure.TIMEOUT):
        model.stream(request(), lambda _: True)


def test_a_wait_that_was_asked_for_is_kept(opened: Open, llm_server: LlmServer) -> None:
    llm_server.will(Behaviour("rate_limited", retry_after="1"))
    assert opened().answer(request()).tries == 2
    first, second = llm_server.received
    assert second.at - first.at >= 1


def test_a_wait_longer_than_our_patience_is_told(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("rate_limited", retry_after="3600"))
    with pytest.raises(ModelUnavailableError) as caught:
        opened().answer(request())
    assert caught.value.retry_after == 3600
    assert len(llm_server.received) == 1


def test_a_service_that_is_down_is_left_alone(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("fails")
    model = opened(Breaker(failures=3, seconds=60), backoff=Backoff(tries=1))
    for _ in range(3):
        with fails(Failure.UNAVAILABLE):
            model.answer(request())
    with fails(Failure.CIRCUIT_OPEN):
        model.answer(request())
    assert len(llm_server.received) == 3


def test_a_closed_model_answers_nobody_and_frees_who_waits(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.always("slow")
    model = opened()
    ends: list[BaseException] = []

    def ask() -> None:
        try:
            model.answer(request())
        except BaseException as error:
            ends.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not llm_server.received:
        time.sleep(0.01)
    model.close()
    thread.join(10)
    assert [getattr(each, "failure", each) for each in ends] == [Failure.UNAVAILABLE]
    with fails(Failure.UNAVAILABLE):
        model.answer(request())


def test_redirects_are_not_followed(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("redirects")
    with fails(Failure.UNREADABLE):
        opened().answer(request())
    assert len(llm_server.received) == 1


@pytest.mark.parametrize("kind", ["ok", "unauthorised", "fails", "not_json", "rejected", "drops"])
def test_the_key_is_in_no_log(
    opened: Open, llm_server: LlmServer, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    llm_server.always(kind)
    model = opened(backoff=Backoff(tries=1))
    with caplog.at_level(logging.DEBUG):
        try:
            model.answer(request())
        except ModelUnavailableError:
            logging.getLogger("test").exception("it failed")
    assert KEY not in caplog.text
    assert KEY not in repr(model)
