"""Drafted feedback over HTTP: from the estimate to the released mark, and who may do what."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from llm_server import LlmServer

PATH = "/courses/ppo/assignments/one"
RUBRIC = [
    {
        "name": "why",
        "title": "Why",
        "note": "STAFF-ONLY",
        "levels": [
            {"name": "none", "points": 0, "description": "no"},
            {"name": "full", "points": 3, "description": "yes"},
        ],
    }
]


@pytest.fixture
def service_settings(llm_server: LlmServer) -> dict[str, Any]:
    return {
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_tries": 1,
        "llm_currency": "CHF",
    }


@pytest.fixture
def source(source: bytes) -> bytes:
    notebook = json.loads(source)
    notebook["cells"][3]["metadata"]["jupyter_ppo"] = {"rubric": RUBRIC}
    return json.dumps(notebook).encode()


async def drafted(api: Any, source: bytes) -> dict[str, Any]:
    """Return the one draft of one student's answer."""
    await api.course(source)
    notebook = json.loads(source)
    notebook["cells"][3]["source"] = "Because the ratio is clipped."
    receipt = await api.submit(json.dumps(notebook).encode())
    await api.graded(receipt["id"])
    estimate = await api.ok("gil", "POST", f"{PATH}/drafts/estimate", {})
    assert (estimate["answers"], estimate["calls"], estimate["currency"]) == (1, 3, "CHF")
    marked = {"for_calibration": True}
    none = await api.ok("gil", "POST", f"{PATH}/drafts/estimate", marked)
    assert (none["answers"], none["calls"]) == (0, 0)
    assert (await api("ines", "POST", f"{PATH}/draft-batches", marked)).code == 409
    batch = await api.ok("ines", "POST", f"{PATH}/draft-batches", {})
    deadline = time.monotonic() + 60
    while batch["state"] == "running":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
        batch = await api.ok("gil", "GET", f"/draft-batches/{batch['id']}")
    assert (batch["state"], batch["done"], batch["waiting"]) == ("succeeded", 1, 0)
    listed = await api.ok("gil", "GET", f"{PATH}/draft-batches")
    assert [each["currency"] for each in (batch, *listed["items"])] == ["CHF", "CHF"]
    page = await api.ok("gil", "GET", f"{PATH}/drafts")
    return dict(page["items"][0])


async def test_a_draft_is_read_approved_and_becomes_the_mark(api: Any, source: bytes) -> None:
    item = await drafted(api, source)
    assert item["who"].startswith("Student ")

    draft = await api.ok("gil", "GET", f"/drafts/{item['id']}")
    assert draft["answer_text"] == "Because the ratio is clipped."
    [result] = draft["results"]
    if result["evidence"]:
        start, end = result["evidence_span"]
        assert draft["answer_text"][start:end] == result["evidence"]
    assert len(draft["calls"]) == 3

    for user, status in ((None, 403), ("oto", 404), ("sue", 404), ("sam", 404)):
        assert (await api(user, "GET", f"/drafts/{item['id']}")).code == status
        answer = await api(user, "POST", f"/drafts/{item['id']}/approve", {"revision": 0})
        assert answer.code == status

    done = await api.ok("gil", "POST", f"/drafts/{item['id']}/approve", {"revision": 0})
    assert done["state"] == "approved"
    assert done["record"]["points"] == item["points"]
    grade = await api.ok("gil", "GET", f"/submissions/{item['submission_id']}/grade")
    [mark] = [each["mark"] for each in grade["exercises"] if each["grade_id"] == "why"]
    assert mark["points"] == item["points"]
    again = await api("ines", "POST", f"/drafts/{item['id']}/approve", {"revision": 0})
    assert again.code == 409


async def test_who_decides_on_what_they_did_not_see_gets_both(api: Any, source: bytes) -> None:
    item = await drafted(api, source)
    mark = {"points": 1, "comment": "By hand.", "revision": 0}
    await api.ok("ines", "PUT", f"/submissions/{item['submission_id']}/marks/why", mark)

    body = {"revision": 0, "results": [{"criterion": "why", "level": "full", "comment": "Yes."}]}
    answer = await api("gil", "POST", f"/drafts/{item['id']}/edit", body)

    assert answer.code == 409
    theirs = json.loads(answer.body)["conflict"]["theirs"]
    assert (theirs["revision"], theirs["points"], theirs["comment"]) == (1, 1.0, "By hand.")


async def test_calibration_marks_come_over_http(api: Any, source: bytes) -> None:
    item = await drafted(api, source)
    found = await api.ok("gil", "GET", f"{PATH}/calibrations/why/next")
    assert found["submission_id"] == item["submission_id"]
    answers = f"{PATH}/calibrations/why/answers/{found['submission_id']}"
    wrong = await api("gil", "PUT", answers, {"levels": {"why": "most"}})
    assert wrong.code == 400
    report = await api.ok("gil", "PUT", answers, {"levels": {"why": "full"}})
    assert (report["marked"], report["drafted"], report["is_passed"]) == (1, 1, False)
    assert "Mark 19 more" in report["why_not"]
    assert report["criteria"][0]["levels"] == ["none", "full"]
    assert (await api("gil", "GET", f"{PATH}/calibrations/why/next")).code == 404
    assert (await api("sam", "GET", f"{PATH}/calibrations/why")).code == 403
