"""Explanations of errors, cells and runs: rules always, a model's words beside."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from llm_server import Behaviour

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import MetricPoint
from jupyter_ppo.domain.tutoring import ExplanationKind, HintSource
from jupyter_ppo.services.explaining import CellAsked, ErrorAsked, RunAsked
from jupyter_ppo.training.metric_log import MetricWriter

ERROR = ErrorAsked("x = advantage + 1", "NameError", "name 'advantage' is not defined", "")
LEAK = "Write totals = np.cumsum(values) and counts = np.arange(1, len(values) + 1). " * 8


@pytest.fixture
def run(room: Any) -> UUID:
    """A run of the student's whose KL spikes at update 40."""
    found: UUID = room.training.create(room.sam, [RunSpec()]).runs[0].id
    folder = room.runs / str(found)
    folder.mkdir(parents=True)
    writer = MetricWriter(folder / "metrics.jsonl")
    for update in range(1, 61):
        kl = 0.25 if update == 40 else 0.008 + 0.001 * (update % 3)
        values = {"approx_kl": kl, "clip_fraction": 0.1, "learning_rate": 3e-4}
        writer.add(MetricPoint(update * 2048, update, values))
    writer.close()
    return found


def explain(room: Any, asked: Any, **more: Any) -> Any:
    return room.explanations.explain(room.sam, "rl", asked, **more)


def test_an_error_is_explained_by_rules_where_there_is_no_model(room: Any) -> None:
    room.without_model()
    given = explain(room, ERROR)
    made = given.explanation.new
    assert (made.kind, made.source, made.model) == (ExplanationKind.ERROR, HintSource.RULE, "")
    assert "nothing has been given that name" in made.text
    assert given.facts
    assert given.note == ""


def test_a_models_words_go_beside_the_facts_and_not_in_their_place(room: Any) -> None:
    given = explain(room, ERROR)
    assert given.explanation.new.source is HintSource.MODEL
    assert "nothing has been given that name" in given.facts[0]
    assert "x = advantage + 1" in room.server.received[0].user
    assert "x = advantage + 1" not in room.server.received[0].system


def test_a_cell_is_explained(room: Any) -> None:
    room.without_model()
    given = explain(room, CellAsked("import numpy as np\ntotal = 0\n"))
    assert "It imports numpy" in given.explanation.new.text


def test_why_kl_spiked_is_told_from_the_figures(room: Any, run: UUID) -> None:
    room.without_model()
    given = explain(room, RunAsked(run, None, "why did KL spike?"))
    made = given.explanation.new
    assert made.subject["update"] == 40
    assert "The policy moved far in one update" in made.text
    assert any("0.25" in fact and "unusual" in fact for fact in given.facts)
    assert json.dumps(dict(made.subject))


def test_a_model_gets_the_figures_and_nothing_else_of_a_run(room: Any, run: UUID) -> None:
    given = explain(room, RunAsked(run, 40, "why did KL spike at update 40?"))
    assert given.explanation.new.source is HintSource.MODEL
    sent = room.server.received[0]
    assert "0.25" in sent.system
    assert "why did KL spike" in sent.user
    assert str(run) not in sent.everything


def test_the_run_of_another_is_as_one_that_there_is_not(room: Any, run: UUID) -> None:
    sue = room.world.member("sue", Role.STUDENT)
    messages = []
    for run_id in (run, uuid4()):
        with pytest.raises(NotFoundError) as refused:
            room.explanations.explain(sue, "rl", RunAsked(run_id))
        messages.append(refused.value.message.replace(str(run_id), ""))
    assert messages[0] == messages[1]
    assert room.server.received == []


def test_an_update_that_there_is_not_is_named(room: Any, run: UUID) -> None:
    with pytest.raises(InvalidInputError) as refused:
        explain(room, RunAsked(run, 61))
    assert refused.value.field == "update"


def test_an_explanation_never_shows_the_solution_of_its_assignment(room: Any) -> None:
    room.server.always(Behaviour("ok", text=LEAK))
    given = explain(room, ErrorAsked("x", "NameError", "name 'x' is not defined", "", "ps1"))
    assert given.explanation.new.source is HintSource.RULE
    assert "np.arange" not in given.explanation.new.text
    assert "not shown" in given.note


def test_a_notebook_can_keep_the_model_away(room: Any) -> None:
    room.release(room.notebook(tutor=False), "ps1")
    given = explain(room, CellAsked("x = 1", "ps1"))
    assert given.explanation.new.source is HintSource.RULE
    assert room.server.received == []


def test_a_course_can_have_no_explanations(room: Any) -> None:
    room.choose(explanations=False)
    with pytest.raises(ConflictError):
        explain(room, ERROR)


def test_a_course_can_keep_the_model_away(room: Any) -> None:
    room.choose(models_for_explanations=False)
    assert explain(room, ERROR).explanation.new.source is HintSource.RULE
    assert room.server.received == []


@pytest.mark.parametrize("kind", ["refuses", "rate_limited", "fails", "drops_midway", "truncated"])
def test_a_model_that_fails_is_no_error_for_the_student(room: Any, kind: str) -> None:
    room.server.always(kind)
    given = explain(room, ERROR)
    assert given.explanation.new.source is HintSource.RULE
    assert given.note


def test_a_stranger_sees_no_course(room: Any) -> None:
    with pytest.raises(NotFoundError):
        room.explanations.explain(Caller("oto"), "rl", ERROR)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (CellAsked("x" * 20_001), "code"),
        (CellAsked("a\0"), "code"),
        (ErrorAsked("", "E" * 501, "", ""), "error_type"),
        (ErrorAsked("", "E", "m" * 4_001, ""), "message"),
        (ErrorAsked("", "E", "", "t" * 20_001), "traceback"),
    ],
)
def test_what_is_too_long_is_named(room: Any, asked: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        explain(room, asked)
    assert refused.value.field == field
