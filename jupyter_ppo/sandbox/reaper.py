"""Removes what killed servers left: containers and folders whose owner is no longer there.

A container normally ends with its server, even one killed with SIGKILL, because its stream ends.
One that was paused does not notice; this finds it by its label.
"""

from __future__ import annotations

import contextlib
import logging

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.box import engine_errors
from jupyter_ppo.sandbox.engine import Engine

_log = logging.getLogger(__name__)


def reap(engine: Engine) -> list[str]:
    """Remove the containers of dead owners on this host; return their names.

    Raises ``EngineUnavailableError`` or ``SandboxError`` when the engine cannot be asked.
    """
    removed = []
    with engine_errors("listing containers"):
        found = engine.api.containers(all=True, filters={"label": owner.LABEL})
    for container in found:
        if owner.is_orphan(container["Labels"][owner.LABEL]):
            # It may be gone by itself, or another server removes it at the same moment.
            with contextlib.suppress(PPOError), engine_errors("removing an orphan"):
                engine.api.remove_container(container["Id"], force=True, v=True)
                removed.append(container["Names"][0].lstrip("/"))
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
