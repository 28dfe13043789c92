"""Answers that are kept and asked for again, and texts too long to be asked about."""

from __future__ import annotations

import re
from typing import Any

import pytest
from llm_server import Behaviour, Received

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.hint_ladder import FailingCheck
from jupyter_ppo.domain.tutoring import HintSource
from jupyter_ppo.services.explaining import CellAsked
from jupyter_ppo.services.hints import MAX_ANSWER
from jupyter_ppo.tutor.fencing import canary_of, new_canary
from jupyter_ppo.tutor.hint_prompt import RULES
from jupyter_ppo.tutor.templates import DRAFT

FIRST = "def running_mean(values):\n    return values\n"
SECOND = "def running_mean(values):\n    return np.cumsum(values)\n"
WORDS = "Think about what every place of the result stands for, and say it aloud to somebody. " * 6
LONG = "This is longer than what a language model is asked about here."


def ask(room: Any, caller: Any, answer: str) -> Any:
    return room.hints.ask(caller, "rl", "ps1", "mean", answer, FailingCheck("mean-tests"))


@pytest.fixture
def repeats(room: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the model repeat the secret mark of each prompt; return the marks that it repeated."""
    marks: list[str] = []

    def take(received: Received) -> Behaviour:
        (mark,) = re.findall(r"mark-[0-9a-f]{16}", received.system)
        marks.append(mark)
        return Behaviour("ok", text=f"{WORDS}And {mark.upper()} is it.")

    monkeypatch.setattr(room.server, "take", take)
    return marks


def test_a_kept_answer_with_the_mark_of_its_own_prompt_is_not_shown(
    room: Any, repeats: list[str]
) -> None:
    sue = room.world.member("sue", Role.STUDENT)
    for caller in (room.sam, sue):
        ask(room, caller, FIRST)
        given = ask(room, caller, SECOND)
        assert given.hint.new.source is HintSource.AUTHORED
        assert "broke a rule" in given.note
    # Both answers came from the cache the second time, with the marks of sam's prompts.
    assert len(repeats) == 2


def test_a_kept_explanation_with_the_mark_of_its_own_prompt_is_not_shown(
    room: Any, repeats: list[str]
) -> None:
    for _ in range(2):
        given = room.explanations.explain(room.sam, "rl", CellAsked("total = 0\n"))
        assert given.explanation.new.source is HintSource.RULE
        assert "broke a rule" in given.note
    assert len(repeats) == 2


def test_a_good_answer_that_is_kept_is_shown_again(room: Any) -> None:
    sue = room.world.member("sue", Role.STUDENT)
    texts = []
    for caller in (room.sam, sue):
        ask(room, caller, FIRST)
        texts.append(ask(room, caller, SECOND).hint.new)
    assert [each.source for each in texts] == [HintSource.MODEL] * 2
    assert texts[0].text == texts[1].text
    assert len(room.server.received) == 1


@pytest.mark.parametrize("rules", [RULES, DRAFT.system], ids=["hints", "drafts"])
def test_the_mark_of_every_prompt_is_found_in_it(rules: str) -> None:
    mark, others = new_canary(), new_canary()
    fields = dict.fromkeys(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", rules), "x")
    fields["question"] = f"Never write this mark: {others}"
    assert canary_of(rules.format(**{**fields, "canary": mark})) == mark
    assert canary_of("Write plain words.") == ""


def test_an_answer_that_is_too_long_for_a_model_gets_the_authors_hint(room: Any) -> None:
    ask(room, room.sam, FIRST)
    long = f"{SECOND}\n# {'x' * 20_000}\n"
    given = ask(room, room.sam, long)
    assert given.hint.new.source is HintSource.AUTHORED
    assert given.note == LONG
    assert not room.server.received


def test_the_longest_answer_there_is_still_gets_a_hint(room: Any) -> None:
    ask(room, room.sam, FIRST)
    given = ask(room, room.sam, SECOND.ljust(MAX_ANSWER, "#"))
    assert given.hint.new.text


def test_a_model_that_does_not_stop_is_not_read_to_its_end(room: Any) -> None:
    room.server.always(Behaviour("ok", text="x" * 200_000))
    ask(room, room.sam, FIRST)
    given = ask(room, room.sam, SECOND)
    assert given.hint.new.source is HintSource.AUTHORED
    assert "broke a rule" in given.note


def test_an_explanation_of_what_is_too_long_is_made_by_rules(room: Any) -> None:
    room.use(room.model, max_characters=100)
    given = room.explanations.explain(room.sam, "rl", CellAsked("total = 0\n" * 20))
    assert given.explanation.new.source is HintSource.RULE
    assert given.note == LONG
    assert not room.server.received
