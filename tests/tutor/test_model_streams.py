"""Answers that come piece by piece, on both wires: whole, broken off, not wanted any more."""

from __future__ import annotations

import threading
import time

import pytest
from llm_asking import ANSWER, Open, fails, request
from llm_server import Behaviour, LlmServer

from jupyter_ppo.domain.tutoring import Failure, Finish


@pytest.mark.parametrize("kind", ["ok", "cut_bytes"])
def test_a_stream_is_handed_over_whole_and_in_order(
    opened: Open, llm_server: LlmServer, kind: str
) -> None:
    text = "Schau auf die Größe 学生 🙂 des Verhältnisses. " * 5
    llm_server.always(Behaviour(kind, text=text))
    pieces: list[str] = []
    threads: set[int] = set()

    def heard(piece: str) -> bool:
        pieces.append(piece)
        threads.add(threading.get_ident())
        return True

    answer = opened().stream(request(), heard)
    assert "".join(pieces) == answer.text == text
    assert len(pieces) > 5
    assert threads == {threading.get_ident()}
    assert llm_server.received[0].is_stream


def test_cut_bytes_do_no_harm_to_a_whole_answer(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("cut_bytes", text=ANSWER))
    assert opened().answer(request()).text == ANSWER


def test_a_stream_without_its_last_event_is_complete(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("no_done")
    assert opened().stream(request(), lambda _: True).finish is Finish.STOP


def test_a_stream_that_breaks_off_is_no_answer_and_is_not_repeated(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.always("drops_midway")
    pieces: list[str] = []
    with fails(Failure.UNAVAILABLE):
        opened().stream(request(), lambda piece: pieces.append(piece) is None)
    assert pieces
    assert len(llm_server.received) == 1


def test_a_stream_that_fails_before_its_first_word_is_asked_again(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.will("fails", "drops")
    assert opened().stream(request(), lambda _: True).tries == 3


def test_a_stream_ends_when_nobody_wants_more(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("stalls", text="one two three four five six seven " * 9))
    pieces: list[str] = []

    def heard(piece: str) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    begun = time.monotonic()
    answer = opened().stream(request(), heard)
    assert time.monotonic() - begun < 15
    assert (answer.finish, answer.text) == (Finish.STOPPED, "".join(pieces))
    assert answer.usage.is_estimated
    assert answer.usage.output > 0


def test_what_a_listener_raises_ends_the_stream(opened: Open, llm_server: LlmServer) -> None:
    def heard(piece: str) -> bool:
        raise KeyError(piece)

    with pytest.raises(KeyError):
        opened().stream(request(), heard)
    assert opened().answer(request()).finish is Finish.STOP
