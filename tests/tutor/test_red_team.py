"""Hostile answers: each of them is flagged, and none of them leaves its place in the prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.entries import Criterion, Level
from jupyter_ppo.domain.tutoring import Flag
from jupyter_ppo.tutor.detectors import flags_of
from jupyter_ppo.tutor.draft_prompt import DraftPrompt, compose_draft

_FOLDER = Path(__file__).parent
_RED_TEAM = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((_FOLDER / "red_team").glob("*.json"))
}
_HONEST = json.loads((_FOLDER / "honest_answers.json").read_text("utf-8"))
_EVERY = [
    pytest.param(text, id=f"{kind}-{i}")
    for kind in _RED_TEAM
    for i, text in enumerate(_RED_TEAM[kind])
]
#: The least share of each kind that detectors find; an answer about an address is only found by
#: what guards the other end: links are never shown.
_RECALL = dict.fromkeys(_RED_TEAM, 1.0) | {"exfiltration": 0.6}
_RUBRIC = (
    Criterion(
        "idea",
        "The idea",
        (Level("missing", 0), Level("partly", 1), Level("full", 3)),
        note="Accept any wording of a trust region.",
    ),
    Criterion("clip", "The clip", (Level("none", 0), Level("full", 2))),
)
_CANARY = "mark-0123456789abcdef"


def _prompt(answer: str) -> DraftPrompt:
    return compose_draft("Why is the ratio clipped?", _RUBRIC, answer, seed=1, canary=_CANARY)


def _stays_data(answer: str) -> None:
    prompt = _prompt(answer)
    first, line, last = prompt.user.split("\n")
    assert first == last
    assert first not in line
    assert json.loads(line) == {"answer": answer}
    assert len(prompt.user.splitlines()) == 3  # no other character ends a line either
    assert not set("<>`") & set(line)
    assert not [each for each in line if not each.isprintable()]


def test_there_are_at_least_sixty_hostile_answers_of_every_kind() -> None:
    assert sum(map(len, _RED_TEAM.values())) >= 60
    assert len({text for texts in _RED_TEAM.values() for text in texts}) >= 60
    assert len(_RED_TEAM) >= 12


@pytest.mark.parametrize("kind", _RED_TEAM)
def test_detectors_find_a_kind_of_hostile_answers(kind: str) -> None:
    texts = _RED_TEAM[kind]
    found = sum(bool(flags_of(text)) for text in texts)
    assert found / len(texts) >= _RECALL[kind]


@pytest.mark.parametrize("answer", _EVERY)
def test_a_hostile_answer_stays_data(answer: str) -> None:
    _stays_data(answer)


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_stays_data(answer: str) -> None:
    _stays_data(answer)


@pytest.mark.parametrize("answer", _EVERY)
def test_a_hostile_answer_is_not_in_the_system_part(answer: str) -> None:
    system, plain = _prompt(answer).system, _prompt("nothing").system
    fence = _prompt(answer).user.split("\n")[0]
    assert len(system) == len(plain)
    assert answer not in system
    assert fence not in system  # each prompt has its own


def test_honest_answers_are_not_flagged_as_speaking_to_the_grader() -> None:
    assert len(_HONEST) >= 40
    wrong = {Flag.INSTRUCTIONS, Flag.FAKE_ROLE, Flag.FORGED_RESULT}
    assert [text for text in _HONEST if wrong & {each.flag for each in flags_of(text)}] == []
