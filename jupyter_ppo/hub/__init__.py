"""JupyterHub: the same extension as a service of a hub. The only place that imports jupyterhub."""

from __future__ import annotations


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell jupyter_server of the application; called by its extension manager."""
    from jupyter_ppo.hub.app import PPOHubService  # jupyterhub is not there on every machine

    return [{"module": "jupyter_ppo.hub", "app": PPOHubService}]
