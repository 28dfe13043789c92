"""What hints take from points, from the instructor's setting to every place that shows a grade."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

PATH = "/courses/ppo/assignments/one/hints/double"
BOOK = "/courses/ppo/gradebook"
SETTINGS = "/courses/ppo/feedback-settings"
REASON = "Hints took 0.5 of 2 points."


def attempt(number: int) -> dict[str, str]:
    return {"answer": f"def double(x):\n    return x + {number}"}


async def class_with_costs(api: Any, source: bytes) -> None:
    """Make the course; the levels of a hint take 0, a quarter, a half and all of the points."""
    await api.course(source)
    await api.ok("ines", "PUT", SETTINGS, {"hint_costs": [0, 0.25, 0.5, 1]})


async def graded(api: Any, notebook: bytes, user: str) -> dict[str, Any]:
    receipt = await api.submit(notebook, user)
    await api.graded(receipt["id"])
    grade: dict[str, Any] = await api.ok(user, "GET", f"/submissions/{receipt['id']}/grade")
    return grade


def exercise(grade: dict[str, Any], grade_id: str = "double-tests") -> dict[str, Any]:
    return next(each for each in grade["exercises"] if each["grade_id"] == grade_id)


async def test_what_the_next_level_takes_is_said_before_it_is_taken(
    api: Any, source: bytes
) -> None:
    await class_with_costs(api, source)
    shown = []
    for number in range(4):
        upcoming = (await api.ok("sam", "GET", PATH))["next"]
        hint = await api.ok("sam", "POST", PATH, attempt(number))
        assert (hint["level"], hint["cost_fraction"]) == (
            upcoming["level"],
            upcoming["cost_fraction"],
        )
        shown.append(hint["cost_fraction"])
    assert shown == [0.0, 0.25, 0.5, 1.0]


async def test_the_dearest_hint_is_taken_off_once_and_every_place_shows_it(
    api: Any, source: bytes, answer: bytes, tmp_path: Path
) -> None:
    await class_with_costs(api, source)
    for number in (0, 1, 1):  # two levels; the same attempt again is the same hint
        await api.ok("sam", "POST", PATH, attempt(number))

    with_hints = await graded(api, answer, "sam")
    without = await graded(api, answer, "sue")

    found = exercise(with_hints)
    assert (found["points"], found["score"], found["hint_deduction"]) == (1.5, 1.5, 0.5)
    assert REASON in found["reason"]
    assert with_hints["points"] == 1.5
    other = exercise(without)
    assert (other["points"], other["hint_deduction"]) == (2.0, 0.0)
    assert "Hints" not in other["reason"]
    assert exercise(with_hints, "why")["hint_deduction"] == 0.0

    page = await api("sam", "GET", f"/submissions/{with_hints['submission_id']}/feedback")
    assert REASON in page.body.decode()

    rows = (await api.ok("gil", "GET", BOOK))["items"]
    assert [row["cells"]["one"]["points"] for row in rows] == [1.5, 2.0]
    parts = await api.ok("gil", "GET", BOOK, params={"assignment": "one"})
    assert [row["cells"]["double-tests"]["points"] for row in parts["items"]] == [1.5, 2.0]

    book = await api("gil", "GET", BOOK, params={"format": "csv"})
    lines = csv.DictReader(io.StringIO(book.body.decode(), newline=""))
    assert {line["student"]: line["one"] for line in lines} == {"sam": "1.5", "sue": "2"}

    grades = await api("gil", "GET", "/courses/ppo/grades", params={"format": "csv"})
    lines = csv.DictReader(io.StringIO(grades.body.decode(), newline=""))
    assert {line["student"]: (line["points"], line["hint_deduction"]) for line in lines} == {
        "sam": ("1.5", "0.5"),
        "sue": ("2", "0"),
    }

    exported = await api("ines", "GET", f"{BOOK}/nbgrader")
    (tmp_path / "gradebook.db").write_bytes(exported.body)
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as nbgrader:
        scores = nbgrader.execute(
            "SELECT submitted_assignment.student_id, grade.auto_score, comment.auto_comment"
            " FROM grade"
            " JOIN base_cell ON base_cell.id = grade.cell_id"
            " LEFT JOIN comment"
            " ON comment.cell_id = grade.cell_id AND comment.notebook_id = grade.notebook_id"
            " JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id"
            " JOIN submitted_assignment"
            " ON submitted_assignment.id = submitted_notebook.assignment_id"
            " WHERE base_cell.name = 'double-tests'"
        ).fetchall()
    assert sorted(scores) == [("sam", 1.5, REASON), ("sue", 2.0, None)]


async def test_a_hint_after_the_hand_in_takes_nothing_from_it_but_from_the_next_attempt(
    api: Any, source: bytes, answer: bytes
) -> None:
    await class_with_costs(api, source)
    await api.ok("sam", "POST", PATH, attempt(0))
    first = await graded(api, answer, "sam")
    await api.ok("sam", "POST", PATH, attempt(1))
    batch = await api.ok("ines", "POST", "/courses/ppo/assignments/one/batches", {"scope": "all"})
    for _ in range(1000):
        if (await api.ok("ines", "GET", f"/batches/{batch['id']}"))["is_over"]:
            break
        await asyncio.sleep(0.02)
    regraded = await api.ok("sam", "GET", f"/submissions/{first['submission_id']}/grade")
    assert (first["points"], regraded["points"]) == (2.0, 2.0)
    assert (await graded(api, answer, "sam"))["points"] == 1.5


async def test_a_price_that_the_instructor_changes_later_is_not_taken_for_earlier_hints(
    api: Any, source: bytes, answer: bytes
) -> None:
    await class_with_costs(api, source)
    for number in range(2):
        await api.ok("sam", "POST", PATH, attempt(number))
    settings = {"hint_costs": [1, 1, 1, 1]}
    await api.ok("ines", "PUT", SETTINGS, settings)
    assert (await graded(api, answer, "sam"))["points"] == 1.5


async def test_a_mark_of_a_person_stands_as_it_was_given(
    api: Any, source: bytes, answer: bytes
) -> None:
    await class_with_costs(api, source)
    for number in range(2):
        await api.ok("sam", "POST", PATH, attempt(number))
    grade = await graded(api, answer, "sam")
    mark = f"/submissions/{grade['submission_id']}/marks/double-tests"
    await api.ok("gil", "PUT", mark, {"points": 2, "revision": 0})
    found = exercise(await api.ok("sam", "GET", f"/submissions/{grade['submission_id']}/grade"))
    assert (found["points"], found["score"], found["hint_deduction"]) == (1.5, 2.0, 0.5)
