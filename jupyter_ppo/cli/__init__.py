"""The command ``jupyter ppo``: what the REST API does, from a terminal.

Commands use the same services and the same settings as the server (``jupyter_server_config`` files
and ``--PPOService.<name>=<value>``). Exit status: 0 done, 1 an error that the message explains,
2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jupyter_ppo.cli import assignments, courses, demo, grades, image
from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.errors import PPOError


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command; each command's ``run`` default does the work."""
    parser = argparse.ArgumentParser(
        prog="jupyter ppo",
        description="Release, submit, collect and grade the notebooks of a PPO course.",
        epilog="Settings: --PPOService.<name>=<value>, as in a Jupyter config file.",
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for part in (courses, assignments, grades, image, demo):
        part.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    for word in rest:
        if not word.startswith("--PPOService."):
            parser.error(f"unrecognized argument: {word}")
    try:
        with Context(rest) as context:
            status: int = arguments.run(arguments, context)
            return status
    except PPOError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
