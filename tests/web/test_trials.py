"""Trials over HTTP: begun, asked for, refused, and never a word of a hidden test."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import nbformat
import pytest

VALIDATIONS = "/courses/ppo/assignments/one/validations"
CHECKS, PREVIEWS = "/courses/ppo/checks", "/courses/ppo/previews"
ABSENT = "0199a5d2-0000-7000-8000-000000000000"


async def ended(api: Any, user: str, trial: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = await api.ok(user, "GET", f"/trials/{trial}")
        if found["state"] in {"done", "failed"}:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


def changed(source: bytes, **metadata: Any) -> bytes:
    notebook = nbformat.reads(source.decode(), as_version=4)
    notebook.cells[2].metadata["nbgrader"].update(metadata)
    return nbformat.writes(notebook).encode()


async def test_a_validation_answers_202_and_later_what_the_visible_tests_said(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    response = await api("sam", "POST", VALIDATIONS, answer)
    begun = json.loads(response.body)
    assert response.code == 202
    assert response.headers["Location"].endswith(f"/trials/{begun['id']}")
    assert (begun["kind"], begun["result"], begun["assignment"]) == ("validation", None, "one")
    done = await ended(api, "sam", begun["id"])
    assert (done["state"], done["error"]) == ("done", None)
    result = done["result"]
    assert (result["passed"], result["total"]) == (1, 1)
    assert [item["passed"] for item in result["exercises"]] == [True, None]
    assert set(result) == {"passed", "total", "exercises", "warnings", "note"}
    assert "double(3) == 6" not in json.dumps(done)
    listed = await api.ok("sam", "GET", "/courses/ppo/submissions")
    assert listed["total"] == 0  # nothing was handed in


async def test_a_check_answers_what_is_not_ready(api: Any, source: bytes) -> None:
    await api.course(source)
    begun = await api.ok("ines", "POST", CHECKS, source)
    result = (await ended(api, "ines", begun["id"]))["result"]
    # In this sandbox every test passes, whatever the answer.
    assert not result["is_ready"]
    assert [(item["grade_id"], item["cell"]) for item in result["problems"]][-1] == (
        "double-tests",
        2,
    )
    assert "without an answer" in result["problems"][-1]["message"]
    assert result["solution"]["points"] == 2
    broken = await api.ok("ines", "POST", CHECKS, changed(source, points=-1))
    result = (await ended(api, "ines", broken["id"]))["result"]
    assert (result["is_ready"], result["solution"], result["skeleton"]) == (False, None, None)
    assert {item["severity"] for item in result["problems"]} == {"error"}


async def test_a_preview_is_the_students_copy(api: Any, source: bytes) -> None:
    await api.course(source)
    response = await api("ines", "POST", PREVIEWS, source)
    assert response.code == 200
    assert response.headers["Content-Type"] == "application/x-ipynb+json"
    copy = nbformat.reads(response.body.decode(), as_version=4)
    assert "YOUR CODE HERE" in copy.cells[1].source
    assert "HIDDEN" not in response.body.decode()


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"nbformat": 3, "cells": []}'])
async def test_what_is_no_notebook_is_refused_at_once(api: Any, source: bytes, body: bytes) -> None:
    await api.course(source)
    for user, path in (("sam", VALIDATIONS), ("ines", CHECKS), ("ines", PREVIEWS)):
        response = await api(user, "POST", path, body)
        said = json.loads(response.body)
        assert response.code == 400, path
        assert said["code"] in {"invalid_notebook", "wrong_assignment"}
        assert said["field"]


async def test_a_notebook_of_something_else_is_refused(api: Any, source: bytes) -> None:
    await api.course(source)
    other = nbformat.writes(nbformat.v4.new_notebook()).encode()
    response = await api("sam", "POST", VALIDATIONS, other)
    assert (response.code, json.loads(response.body)["code"]) == (400, "wrong_assignment")


async def test_unknown_and_foreign_things_are_absent_in_the_same_words(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    begun = await api.ok("sam", "POST", VALIDATIONS, answer)
    assert (await api("sam", "POST", "/courses/ppo/assignments/x/validations", b"")).code == 404
    assert (await api("sam", "POST", "/courses/x/checks", source)).code == 404
    assert (await api("sam", "GET", "/trials/no-id")).code == 404
    foreign = await api("sue", "GET", f"/trials/{begun['id']}")
    missing = await api("sue", "GET", f"/trials/{ABSENT}")
    assert foreign.code == missing.code == 404
    assert foreign.body == missing.body


async def test_only_authors_check_and_preview(api: Any, source: bytes) -> None:
    await api.course(source)
    for user, code in (("sam", 403), ("gil", 403), ("oto", 404)):
        for path in (CHECKS, PREVIEWS):
            assert (await api(user, "POST", path, source)).code == code, (user, path)
    check = await api.ok("ines", "POST", CHECKS, source)
    assert (await api("gil", "GET", f"/trials/{check['id']}")).code == 404
    assert (await api("ada", "GET", f"/trials/{check['id']}")).code == 200


async def test_too_many_validations_say_when_to_come_back(
    api: Any, source: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_ppo.services.trials.VALIDATIONS_PER_HOUR", 1)
    await api.course(source)
    begun = await api.ok("sam", "POST", VALIDATIONS, answer)
    await ended(api, "sam", begun["id"])
    response = await api("sam", "POST", VALIDATIONS, answer)
    assert (response.code, json.loads(response.body)["code"]) == (429, "too_many_requests")
    assert 3000 < int(response.headers["Retry-After"]) <= 3600


async def test_a_trial_is_absent_while_its_assignment_or_its_course_is_in_the_trash(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    begun = await api.ok("sam", "POST", VALIDATIONS, answer)
    await ended(api, "sam", begun["id"])
    check = await api.ok("ines", "POST", "/courses/ppo/checks", source)
    gone = await api.ok("ines", "DELETE", "/courses/ppo/assignments/one")
    for user in ("sam", "ines", "ada"):
        assert (await api(user, "GET", f"/trials/{begun['id']}")).code == 404
    await ended(api, "ines", check["id"])
    await api.ok("ines", "POST", f"/courses/ppo/trash/{gone['id']}")
    await api.ok("sam", "GET", f"/trials/{begun['id']}")
    await api.ok("ada", "DELETE", "/courses/ppo")
    for user, trial in (("sam", begun), ("ines", check), ("ada", begun), ("ada", check)):
        assert (await api(user, "GET", f"/trials/{trial['id']}")).code == 404
