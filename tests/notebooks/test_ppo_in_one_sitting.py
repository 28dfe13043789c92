"""The course's first assignment: its own solution is worth everything, its skeleton nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.grading import ExerciseGrade, total
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import FindingKind, Sealing, SealState

SOURCE = Path(__file__).parents[2] / "notebooks" / "ppo-in-one-sitting.ipynb"

GAE = """
def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
    advantages = np.zeros_like(rewards)
    advantage = np.zeros_like(last_value)
    next_value, next_done = last_value, last_done
    for t in reversed(range(len(rewards))):
        going_on = 1.0 - next_done
        delta = rewards[t] + gamma * going_on * next_value - values[t]
        advantage = delta + gamma * gae_lambda * going_on * advantage
        advantages[t] = advantage
        next_value, next_done = values[t], dones[t]
    return advantages, advantages + values
"""
CLIP = """
def clipped_surrogate_loss(logratio, advantages, clip_range):
    ratio = np.exp(logratio)
    clipped = np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return -np.mean(np.minimum(ratio * advantages, clipped * advantages))
"""
#: Mistakes that learners make: what to change in the right answer, and the points that are left.
MISTAKES = {
    "ignores the ends of episodes": ("1.0 - next_done", "1.0 + 0 * next_done", 7),
    "takes the done of the wrong step": ("values[t], dones[t]", "values[t], 0 * dones[t]", 7),
    "takes the done of its own step": ("1.0 - next_done", "1.0 - dones[t]", 7),
    "forgets last_done": ("last_value, last_done\n", "last_value, 0 * last_done\n", 9),
    "forgets gae_lambda": ("gamma * gae_lambda * going_on * adv", "gamma * going_on * adv", 7),
    "cuts only the value": ("gae_lambda * going_on * adv", "gae_lambda * adv", 7),
    "returns values as returns": ("advantages + values", "values + 0 * advantages", 7),
    "changes its inputs": ("return advantages,", "dones += 1\n    return advantages,", 8),
    "always float64": ("np.zeros_like(rewards)", "np.zeros(rewards.shape)", 13),
    "has the wrong sign": ("return -np.mean", "return np.mean", 9),
    "forgets the mean": ("-np.mean(np.minimum", "-(np.minimum", 10),
    "sums instead": ("-np.mean", "-np.sum", 11),
    "takes the maximum": ("np.minimum", "np.maximum", 9.5),
    "never clips": ("np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)", "ratio", 10.5),
    "forgets exp": ("np.exp(logratio)", "1.0 + logratio", 10),
}


@pytest.fixture(scope="module")
def source() -> bytes:
    return SOURCE.read_bytes()


@pytest.fixture(scope="module")
def grader() -> NotebookGrader:
    return NotebookGrader()


def cells(data: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(data)["cells"]
    return found


def test_the_notebook_is_valid_clean_and_has_stable_ids(source: bytes) -> None:
    node = nbformat.reads(source.decode(), as_version=nbformat.NO_CONVERT)
    nbformat.validate(node)
    for cell in node.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        if "nbgrader" in cell.metadata:
            assert cell.id == cell.metadata.nbgrader.grade_id
    assert node.metadata.kernelspec.name == "python3"


def test_it_has_two_graded_functions_in_four_tiers_and_one_question(
    grader: NotebookGrader, source: bytes
) -> None:
    exercises = grader.release(source).exercises
    assert [(item.grade_id, item.points) for item in exercises] == [
        ("gae_shape", 1.0),
        ("gae_by_hand", 2.0),
        ("gae_random", 3.0),
        ("gae_properties", 2.0),
        ("clip_shape", 1.0),
        ("clip_by_hand", 2.0),
        ("clip_random", 2.0),
        ("clip_properties", 1.0),
        ("why_not_clipped", 2.0),
    ]
    assert exercises[-1].kind is CellKind.MANUAL


def test_students_get_neither_solutions_nor_hidden_tests_nor_the_rubric(
    grader: NotebookGrader, source: bytes
) -> None:
    release = grader.release(source).release.decode()
    for secret in ("going_on", "np.minimum", "expected_advantages", "rubric", "it does not vanish"):
        assert secret in source.decode()
        assert secret not in release


def score_here(source: bytes, answers: str) -> float:
    """Run setup, answers and tests in this process (they are ours) and add up the points."""
    names: dict[str, Any] = {}
    exec("import numpy as np\n" + answers, names)  # noqa: S102 - the text is in this file
    points = 0.0
    for cell in cells(source):
        meta = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] != "code" or not meta.get("grade"):
            continue
        text = "".join(cell["source"])
        with contextlib.suppress(Exception):
            exec(text, names)  # noqa: S102 - and in the notebook
            part = text.endswith("\nchecks.points")
            points += names["checks"].points if part else meta["points"]
    return points


def test_the_right_answers_score_everything(source: bytes) -> None:
    assert score_here(source, GAE + CLIP) == 14.0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_common_mistake_costs_points_but_not_all(source: bytes, mistake: str) -> None:
    right, wrong, points = MISTAKES[mistake]
    answers = GAE + CLIP
    assert right in answers
    assert score_here(source, answers.replace(right, wrong)) == points


@pytest.mark.parametrize("mistake", ["takes the done of its own step", "forgets last_done"])
def test_a_wrong_use_of_dones_is_told_what_it_can_be(source: bytes, mistake: str) -> None:
    right, wrong, _ = MISTAKES[mistake]
    names: dict[str, Any] = {}
    exec("import numpy as np\n" + GAE.replace(right, wrong), names)  # noqa: S102 - in this file
    (tests,) = (cell for cell in cells(source) if cell["id"] == "gae_random")
    with pytest.raises(AssertionError) as caught:
        exec("".join(tests["source"]), names)  # noqa: S102 - and in the notebook
    for words in ("dones[t + 1] (not dones[t])", "last_done after the last step"):
        assert words in str(caught.value)


def test_a_cell_of_several_checks_gives_the_points_of_those_that_pass(source: bytes) -> None:
    (tests,) = (cell for cell in cells(source) if cell["id"] == "clip_by_hand")
    names: dict[str, Any] = {}
    answers = CLIP.replace("np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)", "ratio")
    exec("import numpy as np\n" + answers, names)  # noqa: S102 - in this file
    exec("".join(tests["source"]), names)  # noqa: S102 - and in the notebook
    assert (names["checks"].points, names["checks"].max_points) == (1.5, 2.0)
    assert tests["metadata"]["nbgrader"]["points"] == 2


def test_reading_the_tests_finds_nothing_that_stands_in_the_way_and_nothing_weak(
    grader: NotebookGrader, source: bytes
) -> None:
    found = {cell.grade_id: cell.findings for cell in grader.release(source).cells}
    assert len(found) == 8
    kinds = {FindingKind.OBSTACLE, FindingKind.WEAK}
    assert not {name: seen for name, seen in found.items() if {f.kind for f in seen} & kinds}


@pytest.mark.docker
@pytest.mark.image
def test_reasons_in_a_real_run_tell_hidden_tests_and_missing_answers(
    grader: NotebookGrader, source: bytes
) -> None:
    document = json.loads(grader.release(source).release)
    for cell in document["cells"]:
        if cell["id"] == "compute_gae":
            cell["source"] = GAE.replace("last_value, last_done\n", "last_value, 0 * last_done\n")
    submitted = json.dumps(document).encode()
    reasons = {item.grade_id: item.reason for item in graded(grader, source, submitted)}
    assert reasons["gae_by_hand"] == "All tests passed."
    assert reasons["gae_random"].startswith("Hidden test 1 failed: wrong advantages: look at dones")
    assert reasons["clip_shape"] == "No answer yet."


def graded(grader: NotebookGrader, source: bytes, submitted: bytes) -> tuple[ExerciseGrade, ...]:
    """Grade as the service does: by the examiner, with what the reference solution's run showed."""
    from jupyter_ppo.sandbox.notebook import ContainerSandbox

    sandbox, released = ContainerSandbox(), grader.release(source)
    assert grader.check(submitted, released) == ()

    def run(notebook: dict[str, Any], exam: Exam | None) -> NotebookRun:
        assert exam is not None
        ran = asyncio.run(sandbox.run(notebook, SandboxLimits(), exam))
        assert ran.verdict is Verdict.RAN, ran.detail
        return ran

    reference = grader.restore(source, source)
    cells = grader.sealing(source, run(reference, grader.exam(source, reference, None)), None)
    assert {cell.state for cell in cells} == {SealState.SEALED}, cells
    sealing = Sealing(uuid4(), cells, datetime.now(UTC), 1.0)
    assert not sealing.contract
    notebook = grader.restore(source, submitted)
    ran = run(notebook, grader.exam(source, notebook, sealing))
    grades = grader.score(notebook, ran, released.exercises, sealing)
    assert all(item.is_sealed for item in grades)
    return grades


@pytest.mark.docker
@pytest.mark.image
def test_the_reference_solution_scores_a_hundred_percent(
    grader: NotebookGrader, source: bytes
) -> None:
    grades = graded(grader, source, source)
    automatic = [item for item in grades if not item.needs_review]
    assert [item.points for item in automatic] == [item.max_points for item in automatic], grades
    assert total(item.points for item in grades) == 14.0
    assert [item.grade_id for item in grades if item.needs_review] == ["why_not_clipped"]
    lines = {item.grade_id: item.checks for item in grades if item.checks}
    assert [(line.name, line.points) for line in lines["clip_by_hand"]] == [
        ("ratio 1", 0.5),
        ("moved far enough", 0.5),
        ("hidden test 1", 1.0),
    ]
    assert len(lines) == 1


@pytest.mark.docker
@pytest.mark.image
def test_the_released_skeleton_scores_zero_percent(grader: NotebookGrader, source: bytes) -> None:
    grades = graded(grader, source, grader.release(source).release)
    assert total(item.points for item in grades) == 0.0
    assert not any(item.needs_review for item in grades)
