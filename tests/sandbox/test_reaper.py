from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.reaper import reap, reap_at_start


def test_a_server_starts_without_an_engine(tmp_path: Path) -> None:
    assert isinstance(reap_at_start(f"unix://{tmp_path}/none.sock"), list)


@pytest.fixture
def container(engine: Engine) -> Iterator[Callable[[str], str]]:
    names = []

    def make(label: str) -> str:
        name = f"jupyter-ppo-test-{uuid.uuid4().hex[:12]}"
        engine.api.create_container(
            ensure_image(engine), ["sleep", "1000"], name=name, labels={owner.LABEL: label}
        )
        names.append(name)
        return name

    yield make
    for container in engine.api.containers(all=True):
        if container["Names"][0].lstrip("/") in names:
            engine.api.remove_container(container["Id"], force=True)


@pytest.mark.docker
@pytest.mark.image
def test_only_the_containers_of_dead_servers_are_removed(
    engine: Engine, container: Callable[[str], str]
) -> None:
    host, pid, _ = owner.own_token().rsplit(":", 2)
    orphan = container(f"{host}:{pid}:1")
    mine = container(owner.own_token())
    elsewhere = container("another-host:1:1")
    engine.api.start(orphan)
    engine.api.pause(orphan)  # does not notice that its server is gone
    removed = reap(engine)
    assert orphan in removed
    assert not {mine, elsewhere} & set(removed)
