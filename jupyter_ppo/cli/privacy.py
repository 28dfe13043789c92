"""``jupyter ppo privacy``: what is kept of people, an export of it, and erasing it."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import ConflictError


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    privacy = commands.add_parser("privacy", help="what is kept of people; export and erase it")
    verbs = privacy.add_subparsers(metavar="verb", required=True)

    show = verbs.add_parser("show", help="print what is kept, for how long and why")
    show.set_defaults(run=_show)

    export = verbs.add_parser("export", help="write everything about one person into a ZIP file")
    export.add_argument("user", nargs="?", help="whose; your own if left out")
    export.add_argument("file", help="a new file")
    export.set_defaults(run=_export)

    erase = verbs.add_parser("erase", help="erase a person for good; points stay, without a name")
    erase.add_argument("user")
    erase.add_argument("--confirm", required=True, metavar="USER", help="the username once more")
    erase.set_defaults(run=_erase)

    retain = verbs.add_parser("retain", help="do the daily clean-up now")
    retain.set_defaults(run=_retain)


def _show(_: argparse.Namespace, context: Context) -> int:
    for kept in context.service.use_cases.privacy.notice(context.caller).kept:
        print(kept.what)
        print(f"  where:    {kept.where}")
        print(f"  how long: {kept.how_long}")
        print(f"  why:      {kept.why}")
        print(f"  who sees: {kept.who}; admins")
    model = context.service.use_cases.tutor.status(context.caller)
    if model.available:
        print(f"What a language model is asked goes to {model.host}, without names.")
        print("Nothing else is sent anywhere.")
    else:
        print("Nothing is sent anywhere.")
    return 0


def _export(arguments: argparse.Namespace, context: Context) -> int:
    privacy, target = context.service.use_cases.privacy, Path(arguments.file)
    if target.exists():
        msg = f"file: {arguments.file!r} is there already. Name another; nothing was written."
        raise ConflictError(msg, field="file")
    if arguments.user is None:
        pieces = privacy.my_data(context.caller)
    else:
        pieces = privacy.data_of(context.caller, arguments.user)
    # Whole or not at all, and readable by nobody else: mkstemp makes it so.
    descriptor, part = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise
    whose = visible(arguments.user or context.caller.user)
    print(f"what is kept of {whose}: {target.stat().st_size:,} bytes written to {arguments.file}")
    print("keep it where only its person can read it")
    return 0


def _erase(arguments: argparse.Namespace, context: Context) -> int:
    privacy = context.service.use_cases.privacy
    erased = privacy.erase(context.caller, arguments.user, arguments.confirm)
    print(f"{visible(arguments.user)} is erased; {erased.stand_in} stands for them from now on")
    for what, count in sorted(erased.counts.items()):
        if count:
            print(f"{count:>8} {what.replace('_', ' ')}")
    if erased.waiting:
        print(
            f"{erased.waiting} of their files were used a moment ago: the daily clean-up, or "
            "jupyter ppo privacy retain, removes them"
        )
    print("backups that were made before still hold their data; docs/privacy.md says what to do")
    return 0


def _retain(_: argparse.Namespace, context: Context) -> int:
    done = context.service.use_cases.privacy.retain(context.caller)
    print(
        f"{done.events} events of activity summed up, {done.executions} executions deleted, "
        f"{done.files} files of erased people removed"
    )
    return 0
