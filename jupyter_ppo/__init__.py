"""Learn Proximal Policy Optimization inside Jupyter.

Importing this package in a student's kernel loads neither the server, nor SQLAlchemy, nor torch:
the public names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_ppo._version import __version__ as __version__
    from jupyter_ppo.widgets.live import LiveRun as LiveRun
    from jupyter_ppo.widgets.live import train as train

__all__ = ["LiveRun", "train"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from jupyter_ppo.widgets import live

        return getattr(live, name)
    if name == "__version__":
        from jupyter_ppo._version import __version__

        return __version__
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the built front end is; called by ``jupyter labextension``."""
    return [{"src": "labextension", "dest": "jupyter-ppo"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load; called when a server starts."""
    from jupyter_ppo.extension import PPOExtension

    return [{"module": "jupyter_ppo", "app": PPOExtension}]
