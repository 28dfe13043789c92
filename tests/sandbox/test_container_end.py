"""How containers of the real engine ended, asked after they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import container_end
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.container_end import ContainerEnd
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image

pytestmark = [pytest.mark.docker, pytest.mark.image]

#: No agent goes on after it has read this.
NO_FRAME = b"\xff" * 64


@pytest.fixture
def box(unwell_engine: tuple[Any, str]) -> Iterator[Box]:
    """A container whose agent waits, at an engine that can be made to fail."""
    _, address = unwell_engine
    with Engine.connect(address) as engine:
        made = Box(engine, ensure_image(engine), SandboxLimits(memory_mb=128))
        try:
            made.start()
            made.stream.settimeout(120)
            assert made.stream.recv(4096)  # its agent is ready
            yield made
        finally:
            made.remove()


def wait_for_the_end(box: Box) -> None:
    while box.stream.recv(4096):
        pass


def test_an_end_that_came_from_inside_is_told_with_its_code(box: Box) -> None:
    box.stream.sendall(NO_FRAME)
    wait_for_the_end(box)
    assert box.how_it_ended() == ContainerEnd(1, out_of_memory=False)


def test_a_container_that_was_killed_through_the_engine_did_not_end_by_itself(
    box: Box, engine: Engine
) -> None:
    engine.api.kill(box.name)
    wait_for_the_end(box)
    assert box.how_it_ended() is None


def test_a_container_that_ended_with_its_stream_did_not_end_by_itself(box: Box) -> None:
    box.close_stream()
    assert box.how_it_ended() is None


@pytest.mark.parametrize("status", [404, 500])
def test_an_engine_that_does_not_say_how_is_no_end(
    box: Box, unwell_engine: tuple[Any, str], status: int
) -> None:
    server, _ = unwell_engine
    server.refuse(r"GET \S+/events", status)
    box.stream.sendall(NO_FRAME)
    wait_for_the_end(box)
    assert box.how_it_ended() is None


def test_a_container_that_runs_on_is_not_waited_for_long(
    box: Box, monkeypatch: pytest.MonkeyPatch, own_containers: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(container_end, "NOTICE_SECONDS", 0.3)
    assert box.how_it_ended() is None
    assert own_containers() == [f"/{box.name}"]
