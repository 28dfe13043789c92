"""Removing the images that earlier versions of this package left behind."""

from __future__ import annotations

from typing import Any, Final

from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException

from jupyter_ppo.domain.errors import EngineUnavailableError
from jupyter_ppo.sandbox.base_image import Report, image_facts
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import (
    DEPENDENCIES_REPOSITORY,
    REPOSITORY,
    dependencies_tag,
    image_tag,
)

#: Podman names images without a registry so; Docker leaves it out.
_LOCAL: Final = "localhost/"


def prune_images(engine: Engine, report: Report = lambda line: None) -> int:
    """Remove our images but those that this version needs; return how many names are gone.

    Kept are the sandbox image, every image of libraries that it stands on, and the one that the
    next build would take. One that a container uses stays too, and ``report`` says so. Raises
    ``EngineUnavailableError`` when the engine does not answer.
    """
    removed = 0
    try:
        for name in unneeded(engine):
            try:
                engine.api.remove_image(name)
            except ImageNotFound:  # somebody else was faster
                continue
            except APIError as error:
                report(f"{name} was not removed: {error.explanation or error}")
                continue
            removed += 1
            report(f"removed {name}")
    except (DockerException, RequestException) as error:
        msg = f"The container engine did not do what it was asked: {error}. See its log."
        raise EngineUnavailableError(msg, field="engine") from error
    return removed


def unneeded(engine: Engine) -> list[str]:
    """Return the names of our images that this version does not need, sorted."""
    current = {image_tag(), dependencies_tag()}
    layers = _layers(image_facts(engine, image_tag()))
    found: set[str] = set()
    for image in engine.api.images():
        for name in image.get("RepoTags") or ():
            own = str(name).removeprefix(_LOCAL)
            repository = own.rpartition(":")[0]
            if repository not in {REPOSITORY, DEPENDENCIES_REPOSITORY} or own in current:
                continue
            below = _layers(image_facts(engine, name))
            if repository == DEPENDENCIES_REPOSITORY and below and layers[: len(below)] == below:
                continue  # built with a base of its own, and the sandbox image stands on it
            found.add(str(name))
    return sorted(found)


def _layers(facts: Any) -> list[str]:
    return list(((facts or {}).get("RootFS") or {}).get("Layers") or ())
