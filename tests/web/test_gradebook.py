"""The gradebook over HTTP: pages, CSV, and nbgrader's gradebook.db."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest

BOOK = "/courses/ppo/gradebook"
NBGRADER = f"{BOOK}/nbgrader"


async def test_a_page_has_a_row_for_everyone_who_learns(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    found = await api.ok("gil", "GET", BOOK)
    assert found["columns"] == [
        {"name": "one", "kind": "notebook", "max_points": 5.0, "due_at": None}
    ]
    sam, sue = found["items"]
    assert (sam["user"], sam["total"], sam["max_total"]) == ("sam", 2.0, 5.0)
    assert sam["cells"]["one"] == {
        "submission_id": submission,
        "state": "released",
        "points": 2.0,
        "max_points": 5.0,
        "penalty": 0.0,
        "extra_credit": 0.0,
        "late_seconds": 0,
        "attempts": 1,
        "needs_review": True,
        "unsealed_points": 0.0,
        "released": True,
    }
    assert (sue["user"], sue["cells"]["one"]["state"]) == ("sue", "not_submitted")
    page = await api.ok("gil", "GET", BOOK, params={"limit": 1, "offset": 1})
    assert ([row["user"] for row in page["items"]], page["total"]) == (["sue"], 2)
    down = {"sort": "total", "order": "desc", "search": "S"}
    users = [row["user"] for row in (await api.ok("gil", "GET", BOOK, params=down))["items"]]
    assert users == ["sam", "sue"]
    parts = await api.ok("gil", "GET", BOOK, params={"assignment": "one", "state": "needs_review"})
    assert [column["name"] for column in parts["columns"]] == ["double-tests", "why"]
    assert [row["user"] for row in parts["items"]] == ["sam"]
    assert parts["items"][0]["cells"]["double-tests"]["points"] == 2.0


async def test_csv_holds_all_rows_whatever_the_page(api: Any, source: bytes) -> None:
    await api.course(source)
    await api.ok("ines", "PUT", "/courses/ppo/members/=1+1", {"role": "student"})
    response = await api("gil", "GET", BOOK, params={"format": "csv", "limit": 1})
    assert response.code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(response.body.decode(), newline="")))
    assert [row[0] for row in rows] == ["student", "'=1+1", "sam", "sue"]
    assert not response.body.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"limit": 0}, 400, "limit"),
        ({"limit": 201}, 400, "limit"),
        ({"limit": "many"}, 400, "limit"),
        ({"offset": -1}, 400, "offset"),
        ({"offset": 2**31}, 400, "offset"),
        ({"state": "asleep"}, 400, "state"),
        ({"order": "sideways"}, 400, "order"),
        ({"format": "xlsx"}, 400, "format"),
        ({"search": "x" * 201}, 400, "search"),
        ({"sort": "x" * 201}, 400, "sort"),
        ({"sort": "two"}, 400, "sort"),
        ({"sort": "one", "assignment": "one"}, 400, "sort"),
        ({"assignment": "two"}, 404, "assignment"),
        ({"group": str(uuid4())}, 404, "group"),
    ],
)
async def test_a_query_that_cannot_be_used_is_named(
    api: Any, source: bytes, params: dict[str, Any], code: int, field: str
) -> None:
    await api.course(source)
    response = await api("gil", "GET", BOOK, params=params)
    assert (response.code, json.loads(response.body)["field"]) == (code, field)


async def test_a_class_goes_to_nbgrader_and_comes_back(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await api.graded((await api.submit(answer))["id"])
    exported = await api("ines", "GET", NBGRADER)
    assert exported.headers["Content-Type"] == "application/vnd.sqlite3"
    assert exported.body.startswith(b"SQLite format 3\x00")
    await api.ok("ada", "POST", "/courses", {"name": "copy"})
    report = await api.ok("ada", "POST", "/courses/copy/gradebook/nbgrader", exported.body)
    assert report == {
        "students": 2,
        "assignments": 1,
        "submissions": 1,
        "grades": 1,
        "warnings": [],
    }
    found = await api.ok("ada", "GET", "/courses/copy/gradebook")
    assert [(row["user"], row["total"]) for row in found["items"]] == [("sam", 2.0), ("sue", 0.0)]
    state = found["items"][0]["cells"]["one"]["state"]
    assert state == "graded"  # nobody sees it before the staff releases it


@pytest.mark.parametrize("body", [b"", b"{}", b"SQLite format 3\x00", b"\x00" * 5000])
async def test_what_is_no_gradebook_is_refused(api: Any, source: bytes, body: bytes) -> None:
    await api.course(source)
    response = await api("ines", "POST", NBGRADER, body)
    assert (response.code, json.loads(response.body)["field"]) == (400, "gradebook")
