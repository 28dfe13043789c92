"""What training runs measured, over HTTP: cursors, curves, downloads, and forms."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from typing import Any

import jsonschema
import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE
from jupyter_ppo.domain.presets import Preset, preset_values
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.web.training_requests import spec_schema

DEADLINE_SECONDS = 60


def said(response: Any) -> Any:
    return json.loads(response.body)


async def new_run(api: Any, user: str = "sam", **body: Any) -> dict[str, Any]:
    """Start one run, and return it."""
    made = await api.ok(user, "POST", "/runs", body)
    run: dict[str, Any] = made["items"][0]
    return run


async def reached(api: Any, run: dict[str, Any], *states: str) -> dict[str, Any]:
    """Wait until a run is in one of these states, and return it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        found: dict[str, Any] = await api.ok("ada", "GET", f"/runs/{run['id']}")
        if found["state"] in states:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def waiting(api: Any, placed: Any, user: str = "sam", **body: Any) -> tuple[str, Any]:
    """Start a run that the test has in hand; return its id and its folder's writer."""
    run = await new_run(api, user, tags=["wait"], **body)
    await reached(api, run, "running")
    return run["id"], placed[run["id"]]


async def test_metrics_are_read_from_cursor_to_cursor_without_loss(api: Any, placed: Any) -> None:
    run, hand = await waiting(api, placed)
    hand.measure(range(10, 260, 10), **{"return": 21.5, "approx_kl": float("nan")})
    hand.rewind(200)
    hand.measure(range(210, 300, 10), **{"return": 22.5})
    items, cursor, rounds = [], 0, 0
    while True:
        query = {"since": cursor, "limit": 7}
        part = await api.ok("sam", "GET", f"/runs/{run}/metrics", params=query)
        if not part["items"]:
            break
        assert len(part["items"]) <= 7
        items += part["items"]
        cursor = part["cursor"]
        rounds += 1
    steps = [item.get("step", -item.get("rewind", 0)) for item in items]
    assert steps == [*range(10, 260, 10), -200, *range(210, 300, 10)]
    assert items[0] == {"step": 10, "seconds": 0.01, "values": {"return": 21.5, "approx_kl": None}}
    assert rounds == 5
    assert cursor == hand.files.metrics_file.stat().st_size
    hand.measure([300], **{"return": 1.0})
    new = await api.ok("sam", "GET", f"/runs/{run}/metrics", params={"since": cursor})
    assert [item["step"] for item in new["items"]] == [300]


@pytest.mark.parametrize("since", ["-1", "1", "999999", "x", str(2**70)])
async def test_a_cursor_that_is_none_is_refused(api: Any, since: str) -> None:
    run = await new_run(api)
    await reached(api, run, "finished")
    for part in ("metrics", "events"):
        refused = await api("sam", "GET", f"/runs/{run['id']}/{part}", params={"since": since})
        assert (refused.code, said(refused)["field"]) == (400, "since"), part


async def test_curves_have_so_many_points_and_keep_the_extremes(api: Any, placed: Any) -> None:
    run, hand = await waiting(api, placed)
    hand.measure(range(1, 3000), **{"return": 1.0})
    hand.measure([3000], **{"return": 500.0, "loss": 0.5})
    hand.measure(range(3001, 6000), **{"return": 1.0})
    path = f"/runs/{run}/series"
    drawn = await api.ok("sam", "GET", path, params={"points": 100})
    curve = drawn["series"]["return"]
    assert len(curve["steps"]) == len(curve["values"]) <= 100
    assert (curve["steps"][0], curve["steps"][-1]) == (1, 5999)
    assert max(curve["values"]) == 500.0
    assert drawn["cursor"] == hand.files.metrics_file.stat().st_size
    some = await api.ok("sam", "GET", path, params={"names": "loss,entropy"})
    assert some["series"] == {"loss": {"steps": [3000], "values": [0.5]}}
    refused = await api("sam", "GET", path, params={"points": 3})
    assert (refused.code, said(refused)["field"]) == (400, "points")


async def test_evaluations_checkpoints_and_the_log_are_there(api: Any) -> None:
    run = await new_run(api)
    await reached(api, run, "finished")
    path = f"/runs/{run['id']}"
    [evaluation] = (await api.ok("sam", "GET", f"{path}/evaluations"))["items"]
    assert (evaluation["step"], evaluation["mean_return"]) == (1000, 490.0)
    [checkpoint] = (await api.ok("sam", "GET", f"{path}/checkpoints"))["items"]
    assert (checkpoint["step"], checkpoint["is_exact"]) == (1000, True)
    log = await api.ok("sam", "GET", f"{path}/log")
    assert log["text"].strip() == "It said <b>this</b>."
    events = (await api.ok("sam", "GET", f"{path}/events"))["items"]
    assert [event["data"]["state"] for event in events][-1] == "finished"


async def test_a_run_that_has_nothing_yet_says_so(api: Any, placed: Any) -> None:
    run, _ = await waiting(api, placed)
    path = f"/runs/{run}"
    assert await api.ok("sam", "GET", f"{path}/metrics") == {"items": [], "cursor": 0}
    assert await api.ok("sam", "GET", f"{path}/series") == {"series": {}, "cursor": 0}
    assert (await api.ok("sam", "GET", f"{path}/evaluations"))["items"] == []
    assert (await api("sam", "GET", f"{path}/model")).code == 404
    assert (await api("sam", "GET", f"{path}/checkpoints/5")).code == 404


# -- downloads ---------------------------------------------------------------------------------


async def test_a_checkpoint_and_the_model_are_downloaded_as_they_are(api: Any, placed: Any) -> None:
    run = await new_run(api)
    await reached(api, run, "finished")
    files = placed[run["id"]].files
    for path, file, kind, name in (
        ("model", files.model_file, "application/zip", f"{run['id']}.zip"),
        (
            "checkpoints/1000",
            files.checkpoints().path(1000),
            "application/octet-stream",
            f"{run['id']}-1000.ckpt",
        ),
    ):
        response = await api("sam", "GET", f"/runs/{run['id']}/{path}")
        assert (response.code, response.body) == (200, file.read_bytes())
        assert response.headers["Content-Type"] == kind
        assert response.headers["Content-Length"] == str(file.stat().st_size)
        assert f"filename*=utf-8''{name}" in response.headers["Content-Disposition"]
        assert response.headers["Cache-Control"] == "no-store"
    for step in ("1001", "x", "-1", "9" * 40, "1000.0", "\u0661"):
        response = await api("sam", "GET", f"/runs/{run['id']}/checkpoints/{step}")
        assert response.code == 404, step


async def test_a_large_model_is_sent_piece_by_piece(api: Any, placed: Any) -> None:
    run = await new_run(api)
    await reached(api, run, "finished")
    size = 48 * 2**20
    with placed[run["id"]].files.model_file.open("wb") as file:
        file.truncate(size)
    received = 0

    def take(piece: bytes) -> None:
        nonlocal received
        received += len(piece)

    tracemalloc.start()
    try:
        response = await api("sam", "GET", f"/runs/{run['id']}/model", streaming_callback=take)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (response.code, received) == (200, size)
    assert peak < size / 4


# -- forms -------------------------------------------------------------------------------------


async def test_the_caller_learns_what_they_may_use_and_use(api: Any, placed: Any) -> None:
    await waiting(api, placed)
    found = await api.ok("sam", "GET", "/runs/usage")
    assert (found["usage"]["running"], found["usage"]["runs"]) == (1, 1)
    assert found["quota"]["running"] >= 1
    other = await api.ok("sue", "GET", "/runs/usage")
    assert other["usage"]["runs"] == 0


async def test_forms_are_made_of_every_setting_and_the_presets_of_an_environment(api: Any) -> None:
    found = await api.ok("sam", "GET", "/runs/hyperparameters")
    assert [one["name"] for one in found["items"]] == list(HYPERPARAMETERS)
    assert {one["name"] for one in found["items"] if one["is_live"]} == set(LIVE)
    by_name = {one["name"]: one for one in found["items"]}
    assert by_name["batch_size"]["default"] == 64
    assert by_name["activation"]["choices"] == ["tanh", "relu", "elu", "gelu"]
    assert found["default_preset"] == "cartpole-fast"
    assert [preset["name"] for preset in found["presets"]] == [each.value for each in Preset]
    for preset in found["presets"]:
        assert RunSpec.from_dict(preset["values"])
    other = await api.ok("sam", "GET", "/runs/hyperparameters", params={"env_id": "Own-v0"})
    assert [preset["name"] for preset in other["presets"]] == ["sb3-defaults"]
    assert (other["default_preset"], other["env_id"]) == ("sb3-defaults", "Own-v0")


def test_the_schema_of_a_spec_takes_what_the_domain_takes_at_every_bound() -> None:
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(RunSpec().to_dict())
    for env_id in ("CartPole-v1", "MountainCarContinuous-v0", "BipedalWalker-v3"):
        validator.validate(preset_values("rl-zoo", env_id))
    for name, one in HYPERPARAMETERS.items():
        if one.kind in {"number", "whole", "schedule"}:
            for value in (one.low, one.high, one.low - 1, one.high + 1, "x", True):
                try:
                    one.checked(value)
                    taken = True
                except InvalidInputError:
                    taken = False
                assert validator.is_valid({name: value}) is taken, (name, value)
    assert not validator.is_valid({"env_sha256": "0" * 64})
    assert not validator.is_valid({"batchsize": 64})
