"""Whether Gymnasium knows an environment, before a run is made. Loads Gymnasium, not torch."""

from __future__ import annotations

import difflib
import importlib
from typing import Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec

#: Environments that come with Gymnasium; importing any other would run code of others.
_SHIPPED: Final = "gymnasium.envs."


def check_env_id(spec: RunSpec, *, field: str = "env_id") -> None:
    """Raise ``InvalidInputError`` with close matches when no such environment is registered.

    Ids with a module and classes of the user's own are not looked up: that would run their code.
    """
    if spec.env_sha256 is not None or ":" in spec.env_id:
        return
    import gymnasium
    from gymnasium.envs.registration import registry

    try:
        gymnasium.spec(spec.env_id)
    except gymnasium.error.Error as error:
        near = difflib.get_close_matches(spec.env_id, registry, n=3, cutoff=0.6)
        remedy = (
            f"Did you mean {' or '.join(near)}?"
            if near
            else "Use an id of gymnasium.registry, 'module:Name-v0', or give the class itself."
        )
        msg = f"{field}: Gymnasium knows no environment {spec.env_id!r}. {remedy}"
        raise InvalidInputError(msg, field=field) from error


def check_env_package(spec: RunSpec, *, field: str = "env_id") -> None:
    """Raise ``InvalidInputError`` that says what to install, for Gymnasium's own environments.

    Their module is imported, in this process; no environment is made. An id that Gymnasium does
    not know passes: ``check_env_id`` refuses it.
    """
    import gymnasium
    from gymnasium.envs.registration import registry

    known = registry.get(spec.env_id) if spec.env_sha256 is None else None
    place = known.entry_point if known is not None else None
    if not isinstance(place, str) or not place.startswith(_SHIPPED):
        return
    try:
        importlib.import_module(place.partition(":")[0])
    except (ImportError, gymnasium.error.Error) as error:
        msg = f"{field}: {spec.env_id} cannot be used here. {str(error).rstrip('.')}."
        raise InvalidInputError(msg, field=field) from error
