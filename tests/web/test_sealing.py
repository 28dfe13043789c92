"""What is known of an assignment's tests, for those who teach; what a student is shown of it."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState, Exam
from jupyter_ppo.domain.sandbox import CellRun, NotebookRun, SandboxLimits, SandboxStatus, Verdict

SUBMISSIONS = "/courses/ppo/assignments/one/submissions"
SEALING = "/courses/ppo/assignments/one/sealing"


class HalfSandbox:
    """The reference passes with two checks in each test; a submission passes the first of them."""

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "test engine", "test image", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        ran = copy.deepcopy(notebook)
        cells = tuple(CellRun(i, finished=True, seconds=0.0) for i in range(len(ran["cells"])))
        is_reference = exam is not None and exam.is_recording
        lines = (CheckLine("shape", 1.0, 1.0), CheckLine("by hand", float(is_reference), 1.0, "No"))
        record = {"env_id": "CartPole-v1", "mean": 9.5, "low": 9.0, "high": 10.0, "episodes": 2}
        checks = tuple(
            CheckRun(
                index,
                CheckState.PASSED if is_reference else CheckState.FAILED,
                lines=lines,
                uses=frozenset({"compare Net"}),
                records=(record,),
            )
            for index in (exam.tests if exam else ())
        )
        return NotebookRun(ran, Verdict.RAN, "", cells, 0.25, checks=checks)


def with_tests(source: bytes, code: str, **metadata: Any) -> bytes:
    """Return the notebook with other tests in its test cell."""
    notebook = nbformat.reads(source.decode(), as_version=4)
    old = notebook.cells[2]
    notebook.cells[2] = new_code_cell(code, id=old.id, metadata={**old.metadata, **metadata})
    return nbformat.writes(notebook).encode()


async def test_before_the_reference_was_run_the_answer_says_what_to_do(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    response = await api("gil", "GET", SEALING)
    body = json.loads(response.body)
    assert (response.code, body["code"], body["field"]) == (404, "not_found", "sealing")
    assert "Send POST" in body["message"]


async def test_an_author_runs_the_reference_and_graders_see_what_it_showed(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    made = await api.ok("ines", "POST", SEALING)
    assert [(cell["grade_id"], cell["state"]) for cell in made["tests"]] == [
        ("double-tests", "sealed")
    ]
    assert set(made) == {"created_at", "wall_seconds", "tests", "contract"}
    assert await api.ok("gil", "GET", SEALING) == made


async def test_a_release_answers_what_is_weak_in_its_tests(api: Any, source: bytes) -> None:
    await api.course(source)
    weak = with_tests(source, "assert not abs(double(2.5) - 5.0) > 1e-9")
    made = await api.ok("ines", "PUT", "/courses/ppo/assignments/one", weak)
    [cell] = made["tests"]
    assert cell["grade_id"] == "double-tests"
    assert "weak" in {found["kind"] for found in cell["findings"]}
    assert all(found["line"] == 1 and found["text"] for found in cell["findings"])


async def test_a_new_version_is_not_known_before_its_own_run(api: Any, source: bytes) -> None:
    await api.course(source)
    await api.ok("ines", "POST", SEALING)
    await api.ok("ines", "PUT", "/courses/ppo/assignments/one", source)
    assert (await api("gil", "GET", SEALING)).code == 404


@pytest.mark.parametrize("sandbox_class", [HalfSandbox])
async def test_a_grade_has_its_checks_and_what_the_tests_wrote_down(
    api: Any, source: bytes
) -> None:
    seen = with_tests(source, 'assert double(len("CartPole-v1")) == 22')
    await api.course(seen)
    submission = (await api.submit(seen))["id"]
    listed = await api.graded(submission)
    grade = await api.ok("sam", "GET", f"/submissions/{submission}/grade")
    tests, _ = grade["exercises"]
    assert (tests["sealed"], listed["unsealed_points"]) == (True, 0)
    assert [line["max_points"] for line in tests["checks"]] == [1, 1]
    assert [record["env_id"] for record in tests["records"]] == ["CartPole-v1"]


async def test_points_of_tests_that_ran_with_the_student_are_marked(
    api: Any, source: bytes
) -> None:
    unsealed = with_tests(source, "assert double(2) == 4", tags=["unsealed"])
    await api.course(unsealed)
    submission = (await api.submit(unsealed))["id"]
    listed = await api.graded(submission)
    grade = await api.ok("sam", "GET", f"/submissions/{submission}/grade")
    assert [each["sealed"] for each in grade["exercises"]] == [False, True]
    assert (listed["points"], listed["unsealed_points"]) == (2, 2)
    table = await api("gil", "GET", "/courses/ppo/grades", params={"format": "csv"})
    [row] = csv.DictReader(io.StringIO(table.body.decode()))
    assert row["unsealed_points"] == "2"


@pytest.mark.parametrize("service_settings", [{"attempts_per_hour": 2}], ids=["two an hour"])
async def test_a_student_who_tries_too_often_waits_and_those_who_teach_do_not(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    for user, codes in (("sam", [201, 201, 429]), ("sue", [201]), ("gil", [201] * 3)):
        answers = [await api(user, "POST", SUBMISSIONS, answer) for _ in codes]
        assert [response.code for response in answers] == codes
        if codes[-1] == 429:
            assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
            assert json.loads(answers[-1].body)["field"] == "attempts"
    collected = await api.ok("gil", "GET", "/courses/ppo/submissions", params={"user": "sam"})
    assert collected["total"] == 2
