"""Packages that only exports need; they are imported where they are used."""

from __future__ import annotations

from importlib.util import find_spec

from jupyter_ppo.domain.errors import UnavailableError


def needs(*packages: str) -> None:
    """Raise ``UnavailableError`` that says how to install what is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        msg = (
            f"{', '.join(missing)} is not installed and this export needs it. "
            "Install it with: pip install jupyter_ppo[export]"
        )
        raise UnavailableError(msg)
