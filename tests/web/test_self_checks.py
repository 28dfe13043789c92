"""Self-checks over HTTP: the rubric without notes, one's own levels, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

PATH = "/courses/ppo/assignments/one/self-checks/why"
RUBRIC = [
    {
        "name": "reason",
        "title": "The reason",
        "note": "Only the word 'variance' counts.",
        "levels": [
            {"name": "missing", "points": 0, "description": "Says nothing"},
            {"name": "there", "points": 3, "description": "Names it"},
        ],
    }
]


@pytest.fixture
def with_rubric(source: bytes) -> bytes:
    notebook = json.loads(source)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why":
            cell["metadata"]["jupyter_ppo"] = {"rubric": RUBRIC}
    return json.dumps(notebook).encode()


async def test_a_student_sees_the_rubric_without_notes_and_keeps_their_own_levels(
    api: Any, with_rubric: bytes
) -> None:
    await api.course(with_rubric)
    first = await api.ok("sam", "GET", PATH)
    assert (first["levels"], first["revision"]) == ({}, 0)
    assert first["rubric"][0]["levels"][1] == {
        "name": "there",
        "points": 3.0,
        "description": "Names it",
    }
    assert "variance" not in json.dumps(first)
    kept = await api.ok("sam", "PUT", PATH, {"levels": {"reason": "there"}})
    assert (kept["levels"], kept["revision"]) == ({"reason": "there"}, 1)
    assert (await api.ok("sue", "GET", PATH))["levels"] == {}
    assert (await api("oto", "GET", PATH)).code == 404


@pytest.mark.parametrize(
    ("levels", "field"),
    [({"style": "there"}, "levels"), ({"reason": "best"}, "levels.reason")],
)
async def test_what_is_not_in_the_rubric_is_named(
    api: Any, with_rubric: bytes, levels: dict[str, str], field: str
) -> None:
    await api.course(with_rubric)
    answer = await api("sam", "PUT", PATH, {"levels": levels})
    assert (answer.code, json.loads(answer.body)["field"]) == (400, field)


async def test_an_answer_without_a_rubric_says_so(api: Any, source: bytes) -> None:
    await api.course(source)
    assert (await api("sam", "GET", PATH)).code == 409
    assert (await api("sam", "GET", f"{PATH}-not")).code == 404


async def test_another_device_with_an_old_revision_changes_nothing(
    api: Any, with_rubric: bytes
) -> None:
    await api.course(with_rubric)
    seen = {"If-Match": '"0"'}
    await api.ok("sam", "PUT", PATH, {"levels": {"reason": "there"}}, headers=seen)
    stale = await api("sam", "PUT", PATH, {"levels": {"reason": "missing"}}, headers=seen)
    assert stale.code == 409
    conflict = json.loads(stale.body)["conflict"]
    assert (conflict["yours"]["levels"], conflict["theirs"]["levels"]) == (
        {"reason": "missing"},
        {"reason": "there"},
    )
