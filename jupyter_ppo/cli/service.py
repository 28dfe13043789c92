"""``jupyter ppo service``."""

from __future__ import annotations

import argparse

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.errors import UnavailableError


def add_commands(commands: Commands) -> None:
    """Add this module's command to the parser."""
    service = commands.add_parser(
        "service", help="the course service of a JupyterHub; the hub starts it (docs/jupyterhub.md)"
    )
    service.add_argument("--config", help="a Jupyter config file with the settings of the service")
    service.set_defaults(run=_service)


def _service(arguments: argparse.Namespace, context: Context) -> int:
    try:
        from jupyter_ppo.hub.app import PPOHubService  # jupyterhub is not there on every machine
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "jupyterhub":
            raise
        msg = 'JupyterHub is not installed here. Install it: pip install "jupyter_ppo[hub]".'
        raise UnavailableError(msg) from None
    options = [f"--config={arguments.config}"] if arguments.config else []
    PPOHubService.launch_instance(argv=[*context.argv, *options])  # type: ignore[no-untyped-call]
    return 0
