"""A saved model in the place of one answer."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import zipfile
from typing import Any

import pytest

from jupyter_ppo.autograde.feedback import feedback_page
from jupyter_ppo.autograde.model_cell import model_name
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.errors import InvalidModelError, InvalidNotebookError
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.ports import ReleasedNotebook

ANSWER = "### BEGIN SOLUTION\nimport numpy as np\npolicy = lambda seen: 0\n### END SOLUTION"


def model() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data", json.dumps({"clip_range": 0.2, "n_steps": 64}))
        archive.writestr("policy.pth", bytes(range(256)) * 20)
        archive.writestr("_stable_baselines3_version", "2.7.0")
    return buffer.getvalue()


def tagged(make: Any, answer: str = ANSWER, grade_id: str = "policy") -> dict[str, Any]:
    cell: dict[str, Any] = make.solution(grade_id, answer)
    cell["metadata"]["tags"] = ["saved-model"]
    return cell


@pytest.fixture
def source(make: Any) -> bytes:
    data: bytes = make.data(
        make.solution("helper", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
        tagged(make),
        make.tests(
            "works",
            "assert policy(1) == 0\n### BEGIN HIDDEN TESTS\nassert policy(2) == 0\n"
            "### END HIDDEN TESTS",
        ),
    )
    return data


@pytest.fixture
def released(grader: NotebookGrader, source: bytes) -> ReleasedNotebook:
    return grader.release(source)


def test_the_students_copy_keeps_the_tag_and_takes_a_model(
    grader: NotebookGrader, released: ReleasedNotebook
) -> None:
    assert b"saved-model" in released.release
    [warning] = grader.check(model(), released)
    assert "answers 'policy' only; 1 other answers" in warning
    with pytest.raises(InvalidModelError):
        grader.check(b"PK\x03\x04", released)
    assert grader.check(released.release, released) == ()


def test_an_assignment_without_the_tag_takes_no_model(grader: NotebookGrader, make: Any) -> None:
    released = grader.release(
        make.data(make.solution("policy", ANSWER), make.tests("works", "assert policy(1) == 0"))
    )
    with pytest.raises(InvalidNotebookError, match=r"Choose the \.ipynb file"):
        grader.check(model(), released)


def test_the_notebook_that_runs_loads_the_model_and_has_no_other_answer(
    grader: NotebookGrader, source: bytes, released: ReleasedNotebook
) -> None:
    restored = grader.restore(source, model())
    plain = grader.restore(source, released.release)
    helper, answer, tests = restored["cells"]
    assert helper["source"] == plain["cells"][0]["source"]
    assert tests == plain["cells"][2]
    tree = ast.parse(answer["source"])
    saved = ast.literal_eval(tree.body[0].value)  # type: ignore[attr-defined]
    assert base64.b64decode(saved) == model()
    assert answer["source"].endswith("policy = _load_saved_model()\n")
    assert "PPO.load" in answer["source"]


def test_the_examiner_gets_nothing_of_it(
    grader: NotebookGrader, source: bytes, released: ReleasedNotebook
) -> None:
    def exam(submitted: bytes) -> Exam:
        made = grader.exam(source, grader.restore(source, submitted), None)
        assert made is not None
        return made

    with_model, without = exam(model()), exam(released.release)
    assert with_model.cells == without.cells
    assert with_model.student_names == without.student_names
    assert "PPO" not in repr(with_model.cells)


def test_the_feedback_page_names_the_model_and_does_not_show_its_bytes(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    notebook = grader.restore(source, model())
    page = feedback_page(make.submission(), make.ran(notebook), ()).decode()
    text = re.sub(r"<[^>]+>", "", page)
    assert re.search(r"# a saved model, 5 kB, sha256 [0-9a-f]{64}", text)
    assert "not part of a saved model; shown as released" in text
    assert "b64decode" not in text
    assert base64.b64encode(model())[:40].decode() not in page
    assert "policy(2)" not in text


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("policy = 1", "policy"),
        ("import a\nmodel = 1\nfor i in range(3):\n    model.learn()", "i"),
        ("model = 1\nmodel.learn()\nimport b", "model"),
        ("a, policy = 1, 2", "policy"),
        ("class Policy:\n    def predict(self):\n        x = 1", "Policy"),
        ("def policy(seen):\n    action = 1\n    return action", "policy"),
        ("%time model = 1", "model"),
        ("with open('x') as f:\n    policy = f", "policy"),
        ("import a", None),
        ("print(1)", None),
        ("no python", None),
    ],
)
def test_the_last_name_that_the_answer_binds_is_the_policys(answer: str, name: str | None) -> None:
    assert model_name(answer) == name


def test_a_tag_that_makes_no_sense_is_refused_at_release(grader: NotebookGrader, make: Any) -> None:
    tests = make.tests("works", "assert policy(1) == 0")
    marked_tests = make.tests("works", "assert policy(1) == 0")
    marked_tests["metadata"]["tags"] = ["saved-model"]
    text = make.manual("why", "Because.")
    text["metadata"]["tags"] = ["saved-model"]
    nothing = "### BEGIN SOLUTION\nprint(1)\n### END SOLUTION"
    for cells, words in (
        ((tagged(make), tagged(make, grade_id="b"), tests), r"cells\[1\]: cells\[0\] has the tag"),
        ((make.solution("policy", ANSWER), marked_tests), r"cells\[1\]: .* belongs on an answer"),
        ((make.solution("policy", ANSWER), text, tests), "belongs on an answer cell in code"),
        ((tagged(make, nothing), tests), r"cells\[0\]: .* must bind the policy to a name"),
    ):
        with pytest.raises(InvalidNotebookError, match=words):
            grader.release(make.data(*cells))
