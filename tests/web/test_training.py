"""Training runs over HTTP: bodies, pages, commands, and whose they are."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from jupyter_ppo.domain.presets import preset_values
from jupyter_ppo.domain.run_spec import RunSpec

DEADLINE_SECONDS = 60
ABSENT = "0199a5d2-0000-7000-8000-000000000000"


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


# -- making ------------------------------------------------------------------------------------


async def test_a_run_is_queued_trained_and_found_again(api: Any) -> None:
    response = await api("sam", "POST", "/runs", {"name": "first", "tags": ["a", "b"]})
    assert response.code == 202
    made = said(response)
    [run] = made["items"]
    assert response.headers["Location"].endswith(f"/jupyter-ppo/api/v1/runs/{run['id']}")
    assert (run["user"], run["name"], run["tags"]) == ("sam", "first", ["a", "b"])
    assert run["state"] in {"queued", "starting", "running", "finished"}
    done = await reached(api, run, "finished")
    assert (done["env_id"], done["progress"]["step"]) == ("CartPole-v1", 1000)
    assert done["group_id"] == made["group_id"]


async def test_without_a_preset_it_is_the_environments_own_and_the_spec_changes_it(
    api: Any,
) -> None:
    spec = {"n_epochs": 3, "learning_rate": {"kind": "linear", "start": 0.002}}
    run = await new_run(api, spec=spec)
    values = preset_values("cartpole-fast") | spec
    assert run["spec"] == RunSpec.from_dict(values).to_dict()
    other = await new_run(api, spec={"env_id": "Acrobot-v1"})
    assert other["spec"] == RunSpec(env_id="Acrobot-v1").to_dict()
    zoo = await new_run(api, preset="rl-zoo", spec={"env_id": "Acrobot-v1"})
    assert zoo["spec"] == RunSpec.from_dict(preset_values("rl-zoo", "Acrobot-v1")).to_dict()
    again = await new_run(api, preset="sb3-defaults", spec=zoo["spec"])
    assert again["spec"] == zoo["spec"]


async def test_each_seed_is_a_run_of_the_same_group_in_their_order(api: Any) -> None:
    made = await api.ok("sam", "POST", "/runs", {"spec": {"seed": 9}, "seeds": [5, 3, 4]})
    assert [run["seed"] for run in made["items"]] == [5, 3, 4]
    assert {run["group_id"] for run in made["items"]} == {made["group_id"]}
    page = await api.ok("sam", "GET", "/runs", params={"group": made["group_id"]})
    assert page["total"] == 3


async def test_what_is_probably_not_meant_is_said_once(api: Any) -> None:
    body = {"spec": {"batch_size": 100, "torch_threads": 4}, "seeds": [1, 2]}
    made = await api.ok("sam", "POST", "/runs", body)
    assert [sentence.partition(":")[0] for sentence in made["warnings"]] == [
        "batch_size",
        "torch_threads",
    ]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"spec": {"batch_size": 0}}, "spec.batch_size", "2 to"),
        ({"spec": {"n_envs": 2.5}}, "spec.n_envs", "from 1 to 1024"),
        ({"spec": {"gamma": "0.9"}}, "spec.gamma", "from 0 to 1"),
        ({"spec": {"learning_rate": 7}}, "spec.learning_rate", "1e-08 to 1"),
        ({"spec": {"learning_rate": {"kind": "x"}}}, "spec.learning_rate", "spec.learning_rate.ki"),
        ({"spec": {"target_return": 5, "eval_every": 0}}, "spec.target_return", "eval_every"),
        ({"spec": {"bach_size": 64}}, "spec.bach_size", "batch_size"),
        ({"spec": {"preset": "rl-zoo"}}, "spec.preset", "no such hyperparameter"),
        ({"spec": {"env_id": "a b"}}, "spec.env_id", "Gymnasium id"),
        ({"spec": {"env_id": ["x"]}}, "spec.env_id", "Gymnasium id"),
        ({"spec": {"env_id": None}}, "spec.env_id", "Gymnasium id"),
        ({"spec": {"env_kwargs": {"x": "y" * 20_000}}}, "spec.env_kwargs", "16 KiB"),
        ({"spec": {"env_sha256": "0" * 64}}, "spec.env_sha256", "notebook"),
        ({"spec": {"total_steps": 10**400}}, "spec.total_steps", "2 to"),
        ({"spec": []}, "spec", ""),
        ({"seeds": [1, 2, -1]}, "seeds[2]", "0"),
        ({"seeds": [1, 2**31]}, "seeds[1]", "2147483647"),
        ({"seeds": [1, "2"]}, "seeds[1]", ""),
        ({"seeds": [4, 5, 4]}, "seeds[2]", "twice"),
        ({"seeds": list(range(51))}, "seeds", "50"),
        ({"seeds": []}, "seeds", "1 to 50 different whole numbers"),
        ({"tags": ["ok", "x" * 51]}, "tags[1]", "50"),
        ({"name": "x" * 201}, "name", "200"),
        ({"preset": "mine"}, "preset", "cartpole-fast"),
        ({"preset": "rl-zoo", "spec": {"env_id": "Own-v0"}}, "preset", "sb3-defaults"),
        ({"steps": 5}, "steps", ""),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused_with_place_and_range(
    api: Any, body: dict[str, Any], field: str, words: str
) -> None:
    response = await api("sam", "POST", "/runs", body)
    error = said(response)
    assert (response.code, error["field"]) == (400, field), error
    assert words in error["message"]
    assert (await api.ok("sam", "GET", "/runs"))["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"spec": {"gamma": NaN}}',
        b'{"spec": {"env_kwargs": {"a": Infinity}}}',
        b'{"spec": {"env_kwargs": {"a": "\\ud800"}}}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000b"}',
        b'{"tags": ["a\\u0000b"]}',
        b'{"seeds": [1e999]}',
        b'{"spec": {"gamma": ' + b"9" * 5000 + b"}}",
        b'{"spec": ' + b"[" * 3000,
    ],
)
async def test_odd_json_is_refused_and_never_a_mistake_of_the_server(api: Any, body: bytes) -> None:
    response = await api("sam", "POST", "/runs", body)
    assert response.code == 400, (body[:60], response.body)


async def test_the_same_request_with_the_same_key_makes_nothing_new(api: Any) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"name": "one", "seeds": [1, 2]}
    first = await api("sam", "POST", "/runs", body, headers=key)
    second = await api("sam", "POST", "/runs", body, headers=key)
    assert (first.code, second.code) == (202, 200)
    ids = [[run["id"] for run in said(each)["items"]] for each in (first, second)]
    assert ids[0] == ids[1]
    other = await api("sam", "POST", "/runs", body | {"name": "two"}, headers=key)
    assert (other.code, said(other)["field"]) == (409, "Idempotency-Key")
    assert (await api("sue", "POST", "/runs", body, headers=key)).code == 202
    assert (await api.ok("sam", "GET", "/runs"))["total"] == 2


# -- finding -----------------------------------------------------------------------------------


async def test_runs_are_listed_newest_first_and_by_state_tag_and_page(api: Any) -> None:
    runs = [await new_run(api, name=name, tags=[name]) for name in ("a", "b", "c")]
    for run in runs:
        await reached(api, run, "finished")
    page = await api.ok("sam", "GET", "/runs", params={"limit": 2})
    assert [run["name"] for run in page["items"]] == ["c", "b"]
    assert (page["total"], page["offset"], page["limit"]) == (3, 0, 2)
    for params, total in (
        ({"tag": "b"}, 1),
        ({"tag": "none"}, 0),
        ({"state": "finished"}, 3),
        ({"state": "paused"}, 0),
    ):
        assert (await api.ok("sam", "GET", "/runs", params=params))["total"] == total
    refused = await api("sam", "GET", "/runs", params={"state": "happy"})
    assert (refused.code, said(refused)["field"]) == (400, "state")


async def test_everybody_sees_their_own_runs_and_an_admin_all(api: Any) -> None:
    for user in ("sam", "sue"):
        await new_run(api, user)
    for user, users in (
        ("sam", {"sam"}),
        ("sue", {"sue"}),
        ("ines", set()),
        ("ada", {"sam", "sue"}),
    ):
        page = await api.ok(user, "GET", "/runs")
        assert {run["user"] for run in page["items"]} == users
    assert (await api.ok("ada", "GET", "/runs", params={"user": "sue"}))["total"] == 1
    mine = await api.ok("sam", "GET", "/runs", params={"user": "sue"})
    assert all(run["user"] == "sam" for run in mine["items"])


async def test_a_run_is_renamed_and_what_is_absent_stays(api: Any) -> None:
    run = await new_run(api, name="old", tags=["t"])
    path = f"/runs/{run['id']}"
    changed = await api.ok("sam", "PATCH", path, {"name": "new"})
    assert (changed["name"], changed["tags"]) == ("new", ["t"])
    changed = await api.ok("sam", "PATCH", path, {"tags": []})
    assert (changed["name"], changed["tags"]) == ("new", [])
    assert (await api.ok("sam", "GET", path))["name"] == "new"


async def test_a_run_is_deleted_with_its_files_once_nobody_trains_it(api: Any, placed: Any) -> None:
    run, hand = await waiting(api, placed)
    refused = await api("sam", "DELETE", f"/runs/{run}")
    assert (refused.code, said(refused)["code"]) == (409, "conflict")
    hand.measure([10])
    hand.finish()
    await reached(api, {"id": run}, "finished")
    gone = await api.ok("sam", "DELETE", f"/runs/{run}")
    assert (gone["id"], gone["state"]) == (run, "finished")
    assert (await api("sam", "GET", f"/runs/{run}")).code == 404
    assert not hand.files.path.exists()


# -- commands ----------------------------------------------------------------------------------


async def test_a_command_is_taken_and_an_event_says_when_it_took_effect(
    api: Any, placed: Any
) -> None:
    run, hand = await waiting(api, placed)
    hand.measure([256])
    path = f"/runs/{run}"
    body = {"command": "set", "values": {"learning_rate": 0.0001}}
    response = await api("sam", "POST", f"{path}/commands", body)
    taken = said(response)
    assert response.code == 202
    assert (taken["command"], taken["values"]) == ("set", {"learning_rate": 0.0001})
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        events = (await api.ok("sam", "GET", f"{path}/events"))["items"]
        changed = [event for event in events if event["kind"] == "changed"]
        if changed:
            break
        assert time.monotonic() < deadline, events
        await asyncio.sleep(0.05)
    assert (changed[0]["step"], changed[0]["data"]["id"]) == (256, taken["id"])
    await api.ok("sam", "POST", f"{path}/commands", {"command": "pause"})
    await reached(api, {"id": run}, "paused")
    await api.ok("sam", "POST", f"{path}/commands", {"command": "stop"})
    stopped = await reached(api, {"id": run}, "stopped")
    assert stopped["message"] == "It was stopped."


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "command", ""),
        ({"command": "fly"}, "command", "pause"),
        ({"command": "pause", "values": {"gamma": 1}}, "values.gamma", "no values"),
        ({"command": "set"}, "values.learning_rate", "needs a value"),
        ({"command": "set", "values": {"gamma": 0.9}}, "values.gamma", "learning_rate"),
        ({"command": "set", "values": {"clip_range": 99}}, "values.clip_range", "0.0001"),
        ({"command": "extend", "values": {"total_steps": 0}}, "values.total_steps", "2 to"),
        ({"command": "stop", "id": "mine"}, "id", ""),
    ],
)
async def test_a_command_that_cannot_be_used_is_refused_with_its_place(
    api: Any, body: dict[str, Any], field: str, words: str
) -> None:
    run = await new_run(api)
    response = await api("sam", "POST", f"/runs/{run['id']}/commands", body)
    error = said(response)
    assert (response.code, error["field"]) == (400, field), error
    assert words in error["message"]


async def test_an_ended_run_is_queued_again_by_resume(api: Any, placed: Any) -> None:
    run, hand = await waiting(api, placed)
    hand.measure([64])
    await api.ok("sam", "POST", f"/runs/{run}/commands", {"command": "stop"})
    await reached(api, {"id": run}, "stopped")
    response = await api("sam", "POST", f"/runs/{run}/commands", {"command": "resume"})
    assert response.code == 202
    await reached(api, {"id": run}, "running")
    assert placed[run] is not hand


async def test_a_foreign_run_is_absent_in_the_same_words_everywhere(api: Any) -> None:
    run = await new_run(api)
    await reached(api, run, "finished")
    for verb, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/commands", {"command": "stop"}),
        ("GET", "/metrics", None),
        ("GET", "/series", None),
        ("GET", "/events", None),
        ("GET", "/evaluations", None),
        ("GET", "/checkpoints", None),
        ("GET", "/checkpoints/1000", None),
        ("GET", "/model", None),
        ("GET", "/log", None),
        ("GET", "/stream", None),
    ):
        theirs = await api("sue", verb, f"/runs/{run['id']}{path}", body)
        nothing = await api("sue", verb, f"/runs/{ABSENT}{path}", body)
        assert theirs.code == nothing.code == 404, path
        assert theirs.body.decode().replace(run["id"], ABSENT) == nothing.body.decode()
