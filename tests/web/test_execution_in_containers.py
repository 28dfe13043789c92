"""Running code over HTTP, from the request to a container and back."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.programs import ContainerPrograms

pytestmark = [pytest.mark.docker, pytest.mark.image]
DEADLINE_SECONDS = 120

PROGRAM = """
import sys
import numpy as np

def double(x):
    return 2 * x

scores = [float(np.float64(n)) for n in (1, 2)]
best, worst = float("inf"), float("nan")
print("printed")
print("warned", file=sys.stderr)
"""


@pytest.fixture
def service_settings() -> dict[str, Any]:
    return {"programs_class": ContainerPrograms, "warm_programs": 1, "execute_per_minute": 100}


def _own_containers() -> list[str]:
    with Engine.connect() as engine:
        label = f"{owner.LABEL}={owner.own_token()}"
        found = engine.api.containers(all=True, filters={"label": label})
    return [container["Names"][0] for container in found]


async def test_code_is_run_in_a_container_that_is_gone_when_the_server_stops(
    api: Any, jp_serverapp: Any
) -> None:
    asked = {"code": PROGRAM, "capture_locals": True, "globals": {"given": 1}}
    answer = await api.ok("sam", "POST", "/execute", asked)
    assert (answer["success"], answer["stdout"], answer["stderr"]) == (
        True,
        "printed\n",
        "warned\n",
    )
    expected = {"scores": [1.0, 2.0], "best": "Infinity", "worst": "NaN"}
    assert answer["locals"].items() >= expected.items()
    assert answer["execution_time"] > 0
    assert answer["memory_used_mb"] > 5

    cases = [
        {"call": {"function": "double", "args": [21]}, "expected": 42},
        {"call": {"function": "double", "args": ["ab"]}, "expected": "abab"},
        {"call": {"function": "absent"}, "expected": None},
    ]
    tested = await api.ok("sam", "POST", "/execute/tests", {"code": PROGRAM, "cases": cases})
    assert [case["verdict"] for case in tested["cases"]] == ["passed", "passed", "raised"]

    for code, more, status, outcome in (
        ("def f(:\n", {}, 400, "syntax_error"),
        ("1 / 0", {}, 200, "raised"),
        ("while True: pass", {"timeout": 1}, 408, "timeout"),
        ("x = bytearray(10**9)\nx[::4096] = x[::4096]", {"memory": 128}, 507, "memory"),
    ):
        response = await api("sam", "POST", "/execute", {"code": code} | more)
        body = json.loads(response.body)
        assert (response.code, body["outcome"]) == (status, outcome), body
    history = await api.ok("sam", "GET", "/execute/history")
    assert [line["state"] for line in history["items"]] == ["done"] * 6

    deadline = time.monotonic() + DEADLINE_SECONDS
    while (await api.ok("", "GET", "/execute/health"))["pool"] != {"ready": 1, "size": 1}:
        assert time.monotonic() < deadline, "no container was made ready"
        await asyncio.sleep(0.05)
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_ppo"]
    assert _own_containers()
    await app.stop_extension()
    assert _own_containers() == []
