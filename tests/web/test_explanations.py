"""Explanations over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

PATH = "/courses/ppo/explanations"
ERROR = {
    "kind": "error",
    "code": "x = advantage",
    "error_type": "NameError",
    "message": "name 'advantage' is not defined",
    "traceback": "",
}


async def test_an_error_is_explained_without_any_model(api: Any, source: bytes) -> None:
    await api.course(source)
    found = await api.ok("sam", "POST", PATH, ERROR)
    assert (found["kind"], found["source"], found["model"]) == ("error", "rule", None)
    assert "has been given that name" in found["text"]
    assert found["facts"]
    assert "No language model is involved" in found["said_by"]
    assert found["note"] == ""


async def test_events_are_there_without_a_model_too(api: Any, source: bytes) -> None:
    await api.course(source)
    wish = {"kind": "cell", "code": "import numpy", "assignment": "one"}
    response = await api("sam", "POST", PATH, wish, headers={"Accept": "text/event-stream"})
    event, data = response.body.decode().strip().split("\n")
    assert event == "event: done"
    assert "It imports numpy." in json.loads(data.removeprefix("data: "))["facts"]


async def test_a_run_is_explained_to_its_owner_only(api: Any, source: bytes, placed: Any) -> None:
    await api.course(source)
    made = await api.ok("sam", "POST", "/runs", {"spec": {"total_steps": 4096}, "tags": ["wait"]})
    run_id = made["items"][0]["id"] if "items" in made else made["runs"][0]["id"]
    wish = {"kind": "run", "run_id": run_id, "question": "why did KL spike?"}
    empty = await api("sam", "POST", PATH, wish)
    assert empty.code == 400
    while run_id not in placed:
        await api.ok("sam", "GET", "/runs")
    run = placed[run_id]
    for update in range(1, 21):
        run.measure([update * 100], approx_kl=0.3 if update == 12 else 0.01 + update % 2 / 1000)
    found = await api.ok("sam", "POST", PATH, wish)
    assert "Update 12" in found["text"]
    assert any("0.3" in fact for fact in found["facts"])
    assert (await api("sue", "POST", PATH, wish)).code == 404
    run.finish()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "poem"}, None),
        ({"kind": "cell"}, "code"),
        ({"kind": "cell", "code": "x", "more": 1}, "more"),
        ({"kind": "run", "run_id": "x"}, "run_id"),
        ({"kind": "cell", "code": "x", "assignment": "none"}, "assignment"),
    ],
)
async def test_bodies_that_cannot_be_used_are_refused(
    api: Any, source: bytes, body: dict[str, Any], field: str | None
) -> None:
    await api.course(source)
    response = await api("sam", "POST", PATH, body)
    assert response.code in {400, 404}
    if field is not None:
        assert field in (json.loads(response.body)["field"] or "")
