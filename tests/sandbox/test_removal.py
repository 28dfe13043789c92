"""What the engine does not remove at once, at an engine that can be made to refuse."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.execution import Program
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import podman, removal
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.programs import ContainerPrograms
from jupyter_ppo.sandbox.removal import Leftovers
from jupyter_ppo.sandbox.warm_kernels import KernelPools

Eventually = Callable[[Callable[[], bool], str], None]
LIMITS = SandboxLimits(memory_mb=128)


@pytest.fixture
def leftovers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Leftovers]:
    """Those of this test alone, tried often."""
    monkeypatch.setattr(removal, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(removal, "_LONGEST_RETRY_SECONDS", 0.1)
    made = Leftovers()
    monkeypatch.setattr(removal, "LEFTOVERS", made)
    yield made
    assert "jupyter-ppo-leftovers" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.docker
@pytest.mark.image
def test_a_container_that_was_not_removed_is_removed_once_the_engine_does(
    unwell_engine: tuple[Any, str],
    own_containers: Callable[[], list[str]],
    eventually: Eventually,
    leftovers: Leftovers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = set(own_containers())
    server, address = unwell_engine
    with Engine.connect(address) as engine:
        box = Box(engine, ensure_image(engine), LIMITS)
        server.refuse(r"POST \S+/start", 500)
        with pytest.raises(EngineUnavailableError):
            box.start()
        server.refuse("DELETE ", 500)
        with pytest.raises(EngineUnavailableError):
            box.remove()
    # It was never started, so it does not go by itself.
    assert set(own_containers()) - before == {f"/{box.name}"}
    assert leftovers.names == {box.name}
    with caplog.at_level(logging.DEBUG, removal.__name__):
        leftovers.start()
        leftovers.start()
        eventually(lambda: "still not removed" in caplog.text, "it is not tried again")
        assert leftovers.names == {box.name}
        leftovers.stop()  # the other user goes on
        server.refuse("(?!)", 500)
        eventually(lambda: not leftovers.names, "it is not removed")
    assert set(own_containers()) == before
    leftovers.stop()


@pytest.mark.docker
@pytest.mark.image
def test_what_a_request_leaves_is_removed_while_the_server_lives(
    unwell_engine: tuple[Any, str],
    eventually: Eventually,
    leftovers: Leftovers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jupyter_ppo.sandbox.warm_kernels.LEFTOVERS", leftovers)
    server, address = unwell_engine
    programs = ContainerPrograms(address)
    server.refuse(r"(POST \S+/start|DELETE )", 500)
    with pytest.raises(EngineUnavailableError):
        programs.run([Program("1")], LIMITS, 1)
    programs.close()
    (name,) = leftovers.names
    server.refuse("(?!)", 500)
    pools = KernelPools(LIMITS, light=0, heavy=0, base_url=address)
    pools.start()
    eventually(lambda: not leftovers.names, "it is not removed")
    pools.close()
    pools.close()
    with Engine.connect() as engine:
        assert engine.api.containers(all=True, filters={"name": name}) == []


def test_an_engine_that_is_gone_stops_nothing(
    leftovers: Leftovers, eventually: Eventually, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    address = f"unix://{tmp_path}/none.sock"
    leftovers.add(Engine(None, "1", address, asked_url=address), "a")  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG, removal.__name__):
        leftovers.start()
        eventually(lambda: caplog.text.count("still not removed") > 2, "it gave up")
    leftovers.stop()
    assert leftovers.names == {"a"}


class Volumes:
    """The part of an engine that knows volumes, of which some stay in use."""

    def __init__(self, *used: str) -> None:
        self.left = ["a-tmp", "a-dev-shm", "a-home-student"]
        self.used = used

    def remove_volume(self, name: str) -> None:
        if name in self.left and name not in self.used:
            self.left.remove(name)

    def inspect_volume(self, name: str) -> None:
        if name not in self.left:
            msg = "no such volume"
            raise NotFound(msg)


def test_each_volume_is_tried_whatever_comes_of_the_others() -> None:
    engine: Any = Volumes("a-tmp")
    with pytest.raises(SandboxError, match="a-tmp"):
        podman.remove_volumes(engine, "a", wait=False)
    assert engine.left == ["a-tmp"]
    assert {podman.container_of(name) for name in Volumes().left} == {"a"}


def test_volumes_are_tried_also_when_the_container_is_not_removed(leftovers: Leftovers) -> None:
    class Failing(Volumes):
        def remove_container(self, name: str, **_: Any) -> None:
            msg = "made to fail"
            raise APIError(msg)

    engine: Any = Engine(Failing(), "1", "unix:///a", is_podman=True)  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="made to fail"):
        removal.remove(engine, "a")
    assert engine.api.left == []
    assert leftovers.names == {"a"}
