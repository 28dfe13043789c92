"""Batches and the queue over HTTP."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

NEW = "/courses/ppo/assignments/one/batches"


async def over(api: Any, batch_id: str) -> dict[str, Any]:
    for _ in range(1000):
        batch: dict[str, Any] = await api.ok("gil", "GET", f"/batches/{batch_id}")
        if batch["is_over"]:
            return batch
        await asyncio.sleep(0.02)
    raise AssertionError(batch)


@pytest.fixture
def service_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", {})


async def test_a_class_is_graded_again_on_the_version_that_was_mended(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    receipts = [await api.submit(answer, user) for user in ("sam", "sue")]
    for receipt in receipts:
        await api.graded(receipt["id"])
    notebook = json.loads(source)
    notebook["cells"][2]["metadata"]["nbgrader"]["points"] = 4
    await api.ok("ines", "PUT", "/courses/ppo/assignments/one", json.dumps(notebook).encode())
    body = {"scope": "all", "newest_version": True, "reason": "two points more"}
    response = await api("gil", "POST", NEW, body)
    batch = json.loads(response.body)
    assert response.code == 202
    assert response.headers["Location"].endswith(f"/batches/{batch['id']}")
    assert (batch["version"], batch["total"], batch["created_by"]) == (2, 2, "gil")
    assert (batch["scope"], batch["reason"], batch["cancelled_at"]) == ("all", body["reason"], None)
    ended = await over(api, batch["id"])
    assert ended["counts"] == {"waiting": 0, "grading": 0, "done": 2, "failed": 0, "cancelled": 0}
    page = await api.ok("gil", "GET", f"/batches/{batch['id']}/items", params={"changed": "true"})
    assert [item["user"] for item in page["items"]] == ["sam", "sue"]
    first = page["items"][0]
    assert first["before"]["version"] == 1
    assert first["before"]["exercises"]["double-tests"] == 2
    assert first["after"]["version"] == 2
    assert first["after"]["exercises"]["double-tests"] == 4
    assert (first["state"], first["error"], first["position"]) == ("done", None, None)
    listed = await api.ok("gil", "GET", "/courses/ppo/batches", params={"assignment": "one"})
    assert [each["id"] for each in listed["items"]] == [batch["id"]]


@pytest.mark.parametrize("service_settings", [{"grading_workers": 0}], indirect=True)
async def test_places_in_the_queue_and_cancel(api: Any, source: bytes, answer: bytes) -> None:
    await api.course(source)
    first, second = [await api.submit(answer, user) for user in ("sam", "sue")]
    queue = await api.ok("sue", "GET", "/courses/ppo/queue")
    assert queue == {
        "waiting": 2,
        "grading": 0,
        "own": [{"submission_id": second["id"], "position": 2}],
    }
    body = {"scope": "listed", "submissions": [second["id"]]}
    batch = await api.ok("gil", "POST", NEW, body)
    (item,) = (await api.ok("gil", "GET", f"/batches/{batch['id']}/items"))["items"]
    assert (item["state"], item["position"], item["before"]) == ("waiting", 2, None)
    for _ in range(2):
        shown = await api.ok("gil", "POST", f"/submissions/{first['id']}/cancel")
        assert (shown["id"], shown["state"]) == (first["id"], "submitted")
    queue = await api.ok("sue", "GET", "/courses/ppo/queue")
    assert queue["own"] == [{"submission_id": second["id"], "position": 1}]
    cancelled = [await api.ok("gil", "POST", f"/batches/{batch['id']}/cancel") for _ in range(2)]
    assert cancelled[0] == cancelled[1]
    assert cancelled[0]["counts"]["cancelled"] == 1
    assert cancelled[0]["cancelled_at"] is not None
    assert (await api.ok("sue", "GET", "/courses/ppo/queue"))["waiting"] == 0


async def test_a_bad_batch_is_a_400_that_names_the_field(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await api.graded((await api.submit(answer))["id"])
    cases: list[tuple[Any, str | None]] = [
        (b"", None),
        ({}, "scope"),
        ({"scope": "everything"}, "scope"),
        ({"scope": "failed"}, "scope"),
        ({"scope": "listed"}, "submissions"),
        ({"scope": "listed", "submissions": []}, "submissions"),
        ({"scope": "listed", "submissions": ["x"]}, "submissions[0]"),
        ({"scope": "listed", "submissions": [str(uuid.uuid4())] * 5001}, "submissions"),
        ({"scope": "all", "submissions": [str(uuid.uuid4())]}, "submissions"),
        ({"scope": "all", "newest_version": "maybe"}, "newest_version"),
        ({"scope": "all", "reason": "x" * 2001}, "reason"),
        ({"scope": "all", "reason": None}, "reason"),
        ({"scope": "all", "color": "red"}, "color"),
    ]
    for body, field in cases:
        response = await api("gil", "POST", NEW, body)
        error = json.loads(response.body)
        assert (response.code, error["code"]) == (400, "invalid_input"), (body, error)
        assert error["field"] == field, (body, error)
    for query in ({"limit": 0}, {"limit": 201}, {"offset": -1}, {"changed": "perhaps"}):
        path = f"/batches/{uuid.uuid4()}/items"
        assert (await api("gil", "GET", path, params=query)).code == 400


async def test_what_is_unknown_foreign_or_not_for_students_is_a_404(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await api.submit(answer)
    batch = (await api.ok("gil", "POST", NEW, {"scope": "all"}))["id"]
    await api.ok("ada", "POST", "/courses", {"name": "other"})
    await api.ok("ada", "PUT", "/courses/other/members/oto", {"role": "instructor"})
    unknown = str(uuid.uuid4())
    for verb, rest in (("GET", ""), ("GET", "/items"), ("POST", "/cancel")):
        for person in ("sam", "oto"):
            absent = await api(person, verb, f"/batches/{unknown}{rest}")
            foreign = await api(person, verb, f"/batches/{batch}{rest}")
            assert (absent.code, absent.body) == (404, foreign.body)
            assert foreign.code == 404
        assert (await api("gil", verb, f"/batches/nonsense{rest}")).code == 404
    wrong = {"scope": "listed", "submissions": [unknown]}
    assert (await api("gil", "POST", NEW, wrong)).code == 404
    for path in ("/courses/ppo/assignments/two/batches", "/courses/none/assignments/one/batches"):
        assert (await api("gil", "POST", path, {"scope": "all"})).code == 404
    missing = await api("gil", "GET", "/courses/ppo/batches", params={"assignment": "two"})
    assert missing.code == 404
    assert (await api("gil", "POST", f"/submissions/{unknown}/cancel")).code == 404
