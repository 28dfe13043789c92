"""Removes what killed servers left: containers and folders whose owner is no longer there.

A container normally ends with its server, even one killed with SIGKILL, because its stream ends.
One that was paused does not notice; this finds it by its label.
"""

from __future__ import annotations

import logging

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.sandbox import owner, podman
from jupyter_ppo.sandbox.engine import Engine, engine_errors
from jupyter_ppo.sandbox.removal import LEFTOVERS

_log = logging.getLogger(__name__)


def reap(engine: Engine) -> list[str]:
    """Remove the containers (and Podman's volumes) of dead owners on this host; return their names.

    What the engine does not remove at once is left to ``LEFTOVERS``. Raises
    ``EngineUnavailableError`` or ``SandboxError`` when the engine cannot be asked.
    """
    removed = []
    with engine_errors("listing containers"):
        found = engine.api.containers(all=True, filters={"label": owner.LABEL})
    for container in found:
        if owner.is_orphan(container["Labels"][owner.LABEL]):
            name = container["Names"][0].lstrip("/")
            try:
                with engine_errors("removing an orphan"):
                    engine.api.remove_container(container["Id"], force=True, v=True)
                removed.append(name)
            except PPOError:  # perhaps it goes by itself, or another server was faster
                LEFTOVERS.add(engine, name)
    if engine.is_podman:
        removed += _reap_volumes(engine)
    return removed


def _reap_volumes(engine: Engine) -> list[str]:
    with engine_errors("listing volumes"):
        found = engine.api.volumes(filters={"label": owner.LABEL})["Volumes"] or []
    orphans = {
        podman.container_of(volume["Name"])
        for volume in found
        if owner.is_orphan(volume["Labels"][owner.LABEL])
    }
    removed = []
    for name in sorted(orphans):
        try:
            with engine_errors("removing an orphan"):
                podman.remove_volumes(engine.api, name)
            removed.append(f"the volumes of {name}")
        except PPOError:
            LEFTOVERS.add(engine, name)
    return removed


def reap_at_start(base_url: str | None = None) -> list[str]:
    """Remove left-over folders and containers; never raises, so that a server can always start."""
    removed = []
    try:
        removed += [path.name for path in owner.remove_orphaned_folders()]
        with Engine.connect(base_url) as engine:
            removed += reap(engine)
    except PPOError as error:
        _log.info("Left-over containers were not looked for: %s", error.message)
    if removed:
        _log.warning("Removed what a killed server had left: %s", ", ".join(removed))
    return removed
