"""One container at the real engine, which is made to refuse one request of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image

pytestmark = [pytest.mark.docker, pytest.mark.image]

REQUESTS = [r"POST \S+/containers/create", r"POST \S+/attach", r"POST \S+/start"]


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("requests", REQUESTS, ids=["create", "attach", "start"])
def test_an_engine_that_fails_is_not_the_containers_fault(
    unwell_engine: tuple[Any, str],
    own_containers: Callable[[], list[str]],
    requests: str,
    status: int,
) -> None:
    started_error(unwell_engine, requests, status, EngineUnavailableError)
    assert own_containers() == []


@pytest.mark.parametrize("requests", REQUESTS, ids=["create", "attach", "start"])
def test_a_request_that_is_refused_is_a_failure_of_this_run_alone(
    unwell_engine: tuple[Any, str], own_containers: Callable[[], list[str]], requests: str
) -> None:
    started_error(unwell_engine, requests, 400, SandboxError)
    assert own_containers() == []


def started_error(
    unwell_engine: tuple[Any, str], requests: str, status: int, kind: type[Exception]
) -> None:
    """Start a box at an engine that refuses these requests; check which error it is."""
    server, address = unwell_engine
    with Engine.connect(address) as engine:
        box = Box(engine, ensure_image(engine), SandboxLimits())
        server.refuse(requests, status)
        try:
            with pytest.raises(kind, match="made to fail") as caught:
                box.start()
        finally:
            box.remove()
    assert type(caught.value) is kind
