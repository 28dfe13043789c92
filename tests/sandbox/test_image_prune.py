"""What is removed of the images that earlier versions left behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from docker.errors import ImageNotFound

from jupyter_ppo.sandbox import image_prune
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import DEPENDENCIES_REPOSITORY, REPOSITORY, image_tag
from jupyter_ppo.sandbox.image_prune import prune_images, unneeded

pytestmark = [pytest.mark.docker, pytest.mark.image]


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.connect() as engine:
        yield engine


@pytest.fixture
def names(engine: Engine) -> Iterator[dict[str, str]]:
    """More names of the present image: as an earlier version's, as its libraries', and foreign."""
    tag = f"test-{uuid.uuid4().hex}"
    repositories = {
        "old": REPOSITORY,
        "libraries": DEPENDENCIES_REPOSITORY,
        "foreign": f"somebody/{REPOSITORY}",
    }
    for repository in repositories.values():
        assert engine.api.tag(image_tag(), repository, tag)
    found = {what: f"{repository}:{tag}" for what, repository in repositories.items()}
    yield found
    for name in found.values():
        try:
            engine.api.remove_image(name)
        except ImageNotFound:
            continue


def test_only_our_images_that_this_version_does_not_need_are_removed(
    engine: Engine, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = unneeded(engine)
    assert names["old"] in found
    assert names["libraries"] not in found, "the present image stands on these layers"
    assert not {names["foreign"], image_tag()} & set(found)

    # Whatever else an earlier version left on this machine is not this test's to remove.
    monkeypatch.setattr(image_prune, "unneeded", lambda engine: [names["old"]])
    said: list[str] = []
    assert prune_images(engine, said.append) == 1
    assert said == [f"removed {names['old']}"]
    assert prune_images(engine, said.append) == 0
    assert engine.api.inspect_image(image_tag())
