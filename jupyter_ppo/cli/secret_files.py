"""Secrets from files: an orchestrator mounts them, and no listing of containers shows them."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import InvalidInputError

#: Each may be given as ``<name>_FILE``: the path of a file that holds it, and perhaps a line end.
SECRETS: Final = (
    "JUPYTERHUB_API_TOKEN",
    "JUPYTER_PPO_COOKIE_SECRET",
    "JUPYTER_PPO_DB_URL",
    "JUPYTER_PPO_LLM_API_KEY",
    "PGPASSWORD",
)


def read_secret_files(environment: MutableMapping[str, str] = os.environ) -> None:
    """Put what the files hold into the environment of this process.

    Raises ``InvalidInputError`` for a file that cannot be read or is empty, and for a secret that
    is given both ways.
    """
    for name in SECRETS:
        path = environment.get(f"{name}_FILE")
        if not path:
            continue
        if environment.get(name):
            msg = f"{name}: it is set, and so is {name}_FILE. Take one of them away."
            raise InvalidInputError(msg, field=name)
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            msg = f"{name}_FILE: {path!r} cannot be read: {why}. Let this account read the file."
            raise InvalidInputError(msg, field=f"{name}_FILE") from None
        if not text:
            msg = f"{name}_FILE: {path!r} is empty. Write the secret into it."
            raise InvalidInputError(msg, field=f"{name}_FILE")
        environment[name] = text
        del environment[f"{name}_FILE"]  # what this process starts finds one of them
