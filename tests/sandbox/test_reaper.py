from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker.errors import APIError

from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.reaper import reap, reap_at_start

Eventually = Callable[[Callable[[], bool], str], None]


def test_a_server_starts_without_an_engine(tmp_path: Path) -> None:
    assert isinstance(reap_at_start(f"unix://{tmp_path}/none.sock"), list)


@pytest.fixture
def container(engine: Engine, eventually: Eventually) -> Iterator[Callable[[str], str]]:
    names = []

    def make(label: str) -> str:
        name = f"jupyter-ppo-test-{uuid.uuid4().hex[:12]}"
        names.append(name)
        engine.api.create_container(
            ensure_image(engine), ["sleep", "1000"], name=name, labels={owner.LABEL: label}
        )
        return name

    yield make
    for name in {*names} & names_at(engine):
        with contextlib.suppress(APIError):  # it is being removed already
            engine.api.remove_container(name, force=True)
    eventually(lambda: not {*names} & names_at(engine), "a container stays")


def names_at(engine: Engine) -> set[str]:
    return {found["Names"][0].lstrip("/") for found in engine.api.containers(all=True)}


@pytest.mark.docker
@pytest.mark.image
def test_only_the_containers_of_dead_servers_are_removed(
    engine: Engine, container: Callable[[str], str], eventually: Eventually
) -> None:
    place = owner.own_token().rsplit(":", 2)[0]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        dead = f"{server.pid}:{owner.start_time(server.pid)}"
        orphan = container(f"{place}:{dead}")
        others = {container(owner.own_token()), container(f"another-{place}:{dead}")}
        engine.api.start(orphan)
        engine.api.pause(orphan)  # does not notice that its server is gone
        assert orphan not in reap(engine)
        server.communicate(b"\n")
    removed = set(reap(engine))
    # A server that starts at this moment on the same machine may have been faster.
    eventually(lambda: orphan not in names_at(engine), "the orphan is still there")
    assert not others & removed
    assert others <= names_at(engine)
