"""``jupyter ppo people``: another username for somebody."""

from __future__ import annotations

import argparse

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    people = commands.add_parser("people", help="usernames of people")
    verbs = people.add_subparsers(metavar="verb", required=True)

    rename = verbs.add_parser("rename", help="give a person another username, everywhere")
    rename.add_argument("old", help="the username until now")
    rename.add_argument("new", help="the username from now on; nobody may have it")
    rename.add_argument(
        "--dry-run", action="store_true", help="only say how many rows would be changed"
    )
    rename.set_defaults(run=_rename)


def _rename(arguments: argparse.Namespace, context: Context) -> int:
    counts = context.service.use_cases.renaming.rename(
        context.caller, arguments.old, arguments.new, dry_run=arguments.dry_run
    )
    old, new = visible(arguments.old), visible(arguments.new)
    if arguments.dry_run:
        print(f"{old} would be {new} in so many rows; nothing was changed")
    else:
        print(f"{old} is {new} from now on, in so many rows")
    for table, count in counts.items():
        print(f"{count:>8} {table.replace('_', ' ')}")
    return 0
