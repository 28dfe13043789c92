"""A run from beginning to end over HTTP, trained by a real worker beside a real server."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

SERVER_TOKEN = "server-token"
DEADLINE_SECONDS = 120
SPEC = {
    "total_steps": 400_000,
    "n_envs": 16,
    "n_steps": 64,
    "batch_size": 256,
    "n_epochs": 2,
    "learning_rate": 0.001,
    "eval_every": 0,
    "checkpoint_seconds": 0,
}


@pytest.fixture
def jp_server_config(jp_server_config: Any) -> Any:
    jp_server_config.ServerApp.identity_provider_class = IdentityProvider
    jp_server_config.IdentityProvider.token = SERVER_TOKEN
    jp_server_config.PPOService.identity = "owner"
    jp_server_config.PPOService.owner = "olga"
    del jp_server_config.PPOService["training_place_class"]
    jp_server_config.PPOService.training_place = "process"
    return jp_server_config


async def test_an_environment_that_workers_do_not_know_is_refused_at_once(api: Any) -> None:
    response = await api(SERVER_TOKEN, "POST", "/runs", {"spec": {"env_id": "CartPol-v1"}})
    error = json.loads(response.body)
    assert (response.code, error["field"]) == (400, "spec.env_id")
    assert error["message"].startswith("spec.env_id: ")
    assert "CartPole-v1" in error["message"]
    assert (await api.ok(SERVER_TOKEN, "GET", "/runs"))["total"] == 0


@pytest.mark.timeout(300)
async def test_a_run_is_steered_over_http_and_followed_over_a_websocket(
    api: Any, jp_serverapp: Any, jp_http_port: int, jp_base_url: str
) -> None:
    """It is changed and paused, its stream is cut, it goes on, is stopped and taken home."""
    made = await api.ok(SERVER_TOKEN, "POST", "/runs", {"preset": "sb3-defaults", "spec": SPEC})
    run = made["items"][0]["id"]
    base = f"ws://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-ppo/api/v1/runs/{run}/stream"
    points: list[Any] = []
    events: list[Any] = []
    states: list[str] = []
    cursors = {"points": 0, "event": 0}

    async def tell(command: str, **values: Any) -> str:
        body = {"command": command, "values": values}
        return str((await api.ok(SERVER_TOKEN, "POST", f"/runs/{run}/commands", body))["id"])

    async def follow(until: Any) -> int | None:
        """Read from where it was left until something is there; return the code of its end."""
        address = f"{base}?since={cursors['points']}&events_since={cursors['event']}"
        headers = {"Authorization": f"token {SERVER_TOKEN}"}
        connection = await websocket_connect(HTTPRequest(address, headers=headers))
        try:
            while not until():
                text = await asyncio.wait_for(connection.read_message(), DEADLINE_SECONDS)
                if text is None:
                    return connection.close_code
                said = json.loads(text)
                if said["type"] == "status":
                    states.append(said["state"])
                if said["type"] in cursors:
                    (points if said["type"] == "points" else events).extend(said["items"])
                    cursors[said["type"]] = said["cursor"]
        finally:
            connection.close()
        return None

    def updates() -> list[Any]:
        return [point for point in points if "approx_kl" in point.get("values", {})]

    await follow(lambda: len(updates()) > 3)
    changed = await tell("set", learning_rate=0.0001)
    await follow(lambda: any(event["data"].get("id") == changed for event in events))
    [step] = [event["step"] for event in events if event["data"].get("id") == changed]
    await tell("pause")
    await follow(lambda: states[-1] == "paused")
    await tell("resume")
    seen = len(updates())
    await follow(lambda: len(updates()) > seen + 3)
    await tell("stop")
    assert await follow(lambda: False) == 1000
    assert states[-1] == "stopped"

    rates = {point["step"]: point["values"]["learning_rate"] for point in updates()}
    assert {rate for at, rate in rates.items() if at <= step} == {0.001}
    assert {rate for at, rate in rates.items() if at > step} == {0.0001}
    assert sorted(rates) == list(range(1024, max(rates) + 1, 1024))
    every = await api.ok(SERVER_TOKEN, "GET", f"/runs/{run}/metrics", params={"limit": 10_000})
    assert every["items"] == points[: len(every["items"])]
    assert every["cursor"] <= cursors["points"]

    found = await api.ok(SERVER_TOKEN, "GET", f"/runs/{run}")
    assert found["progress"]["step"] == max(rates)
    assert found["cpu_seconds"] > 0
    model = await api(SERVER_TOKEN, "GET", f"/runs/{run}/model")
    from stable_baselines3 import PPO

    learned = PPO.load(io.BytesIO(model.body), device="cpu")
    assert learned.num_timesteps == max(rates)
    [newest] = (await api.ok(SERVER_TOKEN, "GET", f"/runs/{run}/checkpoints"))["items"][-1:]
    assert newest["step"] == max(rates)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (await api(SERVER_TOKEN, "DELETE", f"/runs/{run}")).code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert (await api(SERVER_TOKEN, "GET", f"/runs/{run}")).code == 404
