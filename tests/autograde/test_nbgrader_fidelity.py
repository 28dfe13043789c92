"""The notebooks in nbgrader's own tests and documentation: the same points here, cell by cell.

nbgrader is installed with its test files and with the course of its manual. Each notebook there
that can be a source is released and graded by both, with every submission that belongs to it.
Those that cannot are in test_nbgrader_sources.py, with the reason. What nbgrader gave is recorded
with its version, since it takes minutes; PPO_ASK_NBGRADER=1 asks it again.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import nbformat
import nbgrader
import pytest
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.exam import CheckState, Exam
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import Sealing, SealState
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.notebook import ContainerSandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RECORD = Path(__file__).with_name("nbgrader_points.json")

Points = dict[tuple[str, str, str], tuple[float | None, float]]
"""Points and maximum by student, source and grade_id; None waits for a person."""

ROOT = Path(nbgrader.__file__).parent
APPS, PREPROCESSORS, UI = (f"tests/{room}/files" for room in ("apps", "preprocessors", "ui-tests"))
MANUAL = "docs/source/user_guide"

SOURCES = {
    "answers": f"{APPS}/submitted-changed.ipynb",
    "squares": f"{APPS}/test.ipynb",
    "squares-hidden": f"{APPS}/test-hidden-tests.ipynb",
    "squares-task": f"{PREPROCESSORS}/test_taskcell.ipynb",
    "five-seconds": f"{APPS}/timeout.ipynb",
    "zero-points": f"{APPS}/validation-zero-points.ipynb",
    "environment": f"{APPS}/validating-environment-variable.ipynb",
    "open-file": f"{APPS}/open_relative_file.ipynb",
    "manual-code": f"{PREPROCESSORS}/manually-graded-code-cell.ipynb",
    "autotest-simple": f"{APPS}/autotest-simple.ipynb",
    "autotest-hashed": f"{APPS}/autotest-hashed.ipynb",
    "autotest-hidden": f"{APPS}/autotest-hidden.ipynb",
    "autotest-multi": f"{APPS}/autotest-multi.ipynb",
    "problem1": f"{MANUAL}/source/ps1/problem1.ipynb",
    "problem2": f"{MANUAL}/source/ps1/problem2.ipynb",
    "problem1-autotest": f"{MANUAL}/source/ps1_autotest/problem1.ipynb",
}
NOT_HANDED_IN = ("autotest-simple", "autotest-hashed", "autotest-hidden", "problem1", "problem2")
"""Of the others the source itself is handed in; of these the right answers are below."""
RELEASED = ("squares-hidden", "squares-task", "problem1-autotest")
"""Of these the students' copy is handed in too; of others it is below, or in the parity test."""


class Handed(NamedTuple):
    """A submission that is among nbgrader's files."""

    student: str
    source: str
    path: str
    is_cheating: bool = False
    graded_as: str = ""
    """The student with the same answers, where nbgrader cannot grade this one."""

    @property
    def key(self) -> tuple[str, str]:
        return self.student, self.source


HANDED_IN = (
    Handed("unchanged", "answers", f"{APPS}/submitted-unchanged.ipynb"),
    Handed("grade-cell-changed", "answers", f"{APPS}/submitted-grade-cell-changed.ipynb"),
    Handed("locked-cell-changed", "answers", f"{APPS}/submitted-locked-cell-changed.ipynb"),
    Handed(
        "answer-cell-type",
        "answers",
        f"{PREPROCESSORS}/submitted-answer-cell-type-changed.ipynb",
        graded_as="unchanged",
    ),
    Handed(
        "grade-cell-type",
        "answers",
        f"{PREPROCESSORS}/submitted-grade-cell-type-changed.ipynb",
        graded_as="unchanged",
    ),
    Handed("cheat", "answers", f"{APPS}/submitted-cheat-attempt.ipynb", True),
    Handed("cheat-other", "answers", f"{APPS}/submitted-cheat-attempt-alternative.ipynb", True),
    Handed("unchanged", "autotest-simple", f"{APPS}/autotest-simple-unchanged.ipynb"),
    Handed("changed", "autotest-simple", f"{APPS}/autotest-simple-changed.ipynb"),
    Handed("unchanged", "autotest-hashed", f"{APPS}/autotest-hashed-unchanged.ipynb"),
    Handed("changed", "autotest-hashed", f"{APPS}/autotest-hashed-changed.ipynb"),
    Handed("unchanged", "autotest-multi", f"{APPS}/autotest-multi-unchanged.ipynb"),
    Handed("changed", "autotest-multi", f"{APPS}/autotest-multi-changed.ipynb"),
    Handed("unchanged", "autotest-hidden", f"{APPS}/autotest-hidden-unchanged.ipynb"),
    Handed("changed", "autotest-hidden", f"{APPS}/autotest-hidden-changed-wrong.ipynb"),
    Handed("right", "autotest-hidden", f"{APPS}/autotest-hidden-changed-right.ipynb"),
    Handed("bitdiddle", "problem1", f"{MANUAL}/submitted/bitdiddle/ps1/problem1.ipynb"),
    Handed("bitdiddle", "problem2", f"{MANUAL}/submitted/bitdiddle/ps1/problem2.ipynb"),
    Handed("hacker", "problem1", f"{MANUAL}/submitted/hacker/ps1/problem1.ipynb"),
    Handed("hacker", "problem2", f"{MANUAL}/submitted/hacker/ps1/problem2.ipynb"),
    Handed(
        "hacker-archived",
        "problem1",
        f"{MANUAL}/downloaded/ps1/archive/ps1_hacker_attempt_2016-01-30-20-30-10_problem1.ipynb",
    ),
)

NOT_SEALED = {
    # The functions in this one are wrong on purpose: they satisfy the visible tests only.
    ("squares-hidden", "correct_squares"): SealState.REFERENCE_FAILS,
    ("squares-hidden", "correct_sum_of_squares"): SealState.REFERENCE_FAILS,
    ("zero-points", "correct_squares"): SealState.REFERENCE_FAILS,  # wrong on purpose too
    ("open-file", "open_file"): SealState.REFERENCE_FAILS,  # see DIFFERENT
    # It fails on purpose where nbgrader's variable says that it is graded.
    ("environment", "cell-bfbdf1784663b6b6"): SealState.REFERENCE_FAILS,
}

DIFFERENT = {
    # It reads a file beside the notebook; here a notebook is all there is.
    ("author", "open-file", "open_file"): (0.0, 10.0),
}
"""Points here and with nbgrader where they are not the same, with the reason."""


def in_nbgrader(path: str) -> bytes:
    """Return a file of nbgrader's, with unittest where it uses nose, which is no more."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for name, method in (("assert_equal", "assertEqual"), ("assert_raises", "assertRaises")):
        ours = f"import unittest; {name} = unittest.TestCase().{method}"
        text = text.replace(f"from nose.tools import {name}", ours)
    assert "nose" not in text
    return text.encode()


def run_nbgrader(course: Path, *arguments: str) -> None:
    """Run a command in the course folder as a teacher would."""
    programs = str(Path(sys.executable).parent)  # nbgrader calls alembic by name
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONWARNINGS", None)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one assignment of all sources, released by nbgrader."""
    root = tmp_path_factory.mktemp("fidelity") / "course"
    folder = root / "source" / "ps1"
    folder.mkdir(parents=True)
    for name, path in SOURCES.items():
        (folder / f"{name}.ipynb").write_bytes(in_nbgrader(path))
    for extra in ("autotests.yml", "data.txt"):
        shutil.copy(ROOT / APPS / extra, folder)
    (root / "nbgrader_config.py").write_text("", encoding="utf-8")
    run_nbgrader(root, "generate_assignment", "ps1")
    return root


@pytest.fixture(scope="module")
def sources(course: Path) -> dict[str, bytes]:
    """The sources, with the tests written out that nbgrader makes of AUTOTEST."""
    found: dict[str, bytes] = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for name in SOURCES:
            document = json.loads((course / f"source/ps1/{name}.ipynb").read_bytes())
            for cell in document["cells"]:
                if "AUTOTEST" in "".join(cell["source"]):
                    grade_id = cell["metadata"]["nbgrader"]["grade_id"]
                    cell["source"] = book.find_source_cell(grade_id, name, "ps1").source
            found[name] = json.dumps(document).encode()
    return found


@pytest.fixture(scope="module")
def submissions(course: Path, sources: dict[str, bytes]) -> dict[tuple[str, str], bytes]:
    """What students hand in, by student and source: the source itself, and what is there."""
    found = {
        ("author", name): source for name, source in sources.items() if name not in NOT_HANDED_IN
    }
    for name in RELEASED:
        found["untouched", name] = (course / f"release/ps1/{name}.ipynb").read_bytes()
    for handed in HANDED_IN:
        found[handed.student, handed.source] = in_nbgrader(handed.path)
    return found


def given_by_nbgrader(course: Path, submissions: dict[tuple[str, str], bytes]) -> Points:
    """Return what nbgrader gives: what it gave when it was last asked, with this version of it."""
    if os.environ.get("PPO_ASK_NBGRADER"):
        given = graded_by_nbgrader(course, submissions)
        rows = [[*key, *points] for key, points in sorted(given.items())]
        record = {"version": nbgrader.__version__, "points": rows}
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert record["version"] == nbgrader.__version__, "ask it again: PPO_ASK_NBGRADER=1"
    return {(who, name, cell): (auto, most) for who, name, cell, auto, most in record["points"]}


def graded_by_nbgrader(course: Path, submissions: dict[tuple[str, str], bytes]) -> Points:
    refused = {handed.key: handed.graded_as for handed in HANDED_IN if handed.graded_as}
    for (student, name), data in submissions.items():
        if (student, name) in refused:
            continue
        folder = course / "submitted" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        document = nbformat.reads(data.decode(), as_version=4)
        # As ``nbgrader update`` does it; an old one would end the whole command.
        document = MetadataValidator().upgrade_notebook_metadata(document)
        nbformat.write(document, folder / f"{name}.ipynb")
        shutil.copy(ROOT / APPS / "data.txt", folder)
    run_nbgrader(course, "autograde", "ps1", "--create")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        found: Points = {
            (submission.student.id, notebook.name, grade.name): (grade.auto_score, grade.max_score)
            for submission in book.assignment_submissions("ps1")
            for notebook in submission.notebooks
            for grade in notebook.grades
            if (submission.student.id, notebook.name) in submissions
        }
    same = {
        (student, name, cell): points
        for (student, name), other in refused.items()
        for (of, where, cell), points in found.items()
        if (of, where) == (other, name)
    }
    return found | same


class OurGrading:
    """Calibrates sources and grades submissions as the services do."""

    def __init__(self, sources: dict[str, bytes], sandbox: ContainerSandbox) -> None:
        self.grader = NotebookGrader()
        self.sources = sources
        self.sandbox = sandbox
        self.sealings: dict[str, Sealing] = {}

    def run(self, notebook: dict[str, Any], exam: Exam | None) -> NotebookRun:
        return asyncio.run(self.sandbox.run(notebook, SandboxLimits(), exam))

    def calibrate(self, name: str) -> Sealing:
        source = self.sources[name]
        notebook = self.grader.restore(source, source)
        exam = self.grader.exam(source, notebook, None)
        sealed, plain = NotebookRun(notebook, Verdict.NOT_RUN, "", (), 0.0), None
        if exam is not None:
            sealed = self.run(notebook, exam)
            passed = {run.index for run in sealed.checks if run.state is CheckState.PASSED}
            plain = None if exam.tests <= passed else self.run(notebook, None)
        cells = self.grader.sealing(source, sealed, plain)
        return Sealing(uuid4(), cells, datetime.now(UTC), sealed.wall_seconds)

    def grade(self, student: str, name: str, data: bytes) -> Points:
        source, sealing = self.sources[name], self.sealings[name]
        released = self.grader.release(source)
        self.grader.check(data, released)
        notebook = self.grader.restore(source, data)
        run = self.run(notebook, self.grader.exam(source, notebook, sealing))
        assert run.verdict is Verdict.RAN, (student, name, run.detail)
        grades = self.grader.score(notebook, run, released.exercises, sealing)
        return {
            (student, name, grade.grade_id): (
                None if grade.needs_review else grade.points,
                grade.max_points,
            )
            for exercise, grade in zip(released.exercises, grades, strict=True)
            if exercise.kind is not CellKind.TASK  # nbgrader never scores a task by itself
        }

    def grade_source(self, name: str, submissions: dict[tuple[str, str], bytes]) -> Points:
        self.sealings[name] = self.calibrate(name)
        found: Points = {}
        for (student, of), data in submissions.items():
            if of == name:
                found |= self.grade(student, name, data)
        return found


class Both(NamedTuple):
    """The points of both, and what is known here of the test cells."""

    ours: Points
    theirs: Points
    sealings: dict[str, Sealing]


@pytest.fixture(scope="module")
def both(
    course: Path, sources: dict[str, bytes], submissions: dict[tuple[str, str], bytes]
) -> Iterator[Both]:
    """Grade everything here, and look at what nbgrader gives."""
    examiners = Examiners(idle=2)
    grading = OurGrading(sources, ContainerSandbox(examiners=examiners))
    try:
        with ThreadPoolExecutor(3) as threads:
            theirs = threads.submit(given_by_nbgrader, course, submissions)
            parts = threads.map(lambda name: grading.grade_source(name, submissions), sources)
            ours = {key: points for part in parts for key, points in part.items()}
            yield Both(ours, theirs.result(), grading.sealings)
    finally:
        examiners.close()


@pytest.mark.docker
@pytest.mark.image
def test_honest_submissions_get_the_points_that_nbgrader_gives(both: Both) -> None:
    cheating = {handed.key for handed in HANDED_IN if handed.is_cheating}
    honest = {key: points for key, points in both.ours.items() if key[:2] not in cheating}
    theirs = {key: points for key, points in both.theirs.items() if key in honest}
    assert theirs.keys() == honest.keys()
    found = {
        key: (points[0], theirs[key][0]) for key, points in honest.items() if points != theirs[key]
    }
    assert found == DIFFERENT
    assert {key[:2] for key in honest} == {
        *(("author", name) for name in SOURCES if name not in NOT_HANDED_IN),
        *(("untouched", name) for name in RELEASED),
        *(handed.key for handed in HANDED_IN if not handed.is_cheating),
    }
    # Neither side gave the same to everybody.
    counts = Counter(points for points, _ in honest.values())
    assert min(counts[None], counts[0.0], counts[0.5], counts[1.0]) > 5, counts


@pytest.mark.docker
@pytest.mark.image
def test_cheating_submissions_get_no_more_than_nbgrader_gives(both: Both) -> None:
    keys = [handed.key for handed in HANDED_IN if handed.is_cheating]
    for student, source in keys:
        assert both.ours[student, source, "foo"] == (1.0, 1.0)  # its test checks nothing
        assert both.ours[student, source, "bar"] == (0.0, 1.0)
        for key, (points, _) in both.theirs.items():
            if key[:2] == (student, source):
                assert (both.ours[key][0] or 0.0) <= (points or 0.0)


@pytest.mark.docker
@pytest.mark.image
def test_test_cells_are_sealed_but_for_the_known_ones(both: Both) -> None:
    states = {
        (name, cell): state
        for name, sealing in both.sealings.items()
        for cell, state in sealing.states.items()
    }
    assert {key: state for key, state in states.items() if state is not SealState.SEALED} == (
        NOT_SEALED
    )
    assert len(states) == 34
