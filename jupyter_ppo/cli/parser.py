"""The parser of every command, and what runs one."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from jupyter_ppo import __version__
from jupyter_ppo.cli import (
    achievements,
    assignments,
    backup,
    batches,
    courses,
    demo,
    drafts,
    entries,
    execute,
    gradebook,
    grades,
    hints,
    image,
    leaderboard,
    llm,
    marking,
    models,
    people,
    preferences,
    privacy,
    progress,
    runs,
    sealing,
    service,
    terms,
    tokens,
    training,
    trash,
    trials,
    webhooks,
    worker,
)
from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.secret_files import read_secret_files
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.wiring import PPOService

#: In the order in which the help lists them.
_PARTS = (
    courses,
    assignments,
    terms,
    sealing,
    trials,
    hints,
    entries,
    grades,
    batches,
    marking,
    gradebook,
    progress,
    achievements,
    leaderboard,
    drafts,
    llm,
    execute,
    training,
    runs,
    models,
    preferences,
    tokens,
    webhooks,
    people,
    privacy,
    trash,
    backup,
    image,
    service,
    worker,
    demo,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command; each command's ``run`` default does the work."""
    parser = argparse.ArgumentParser(
        prog="jupyter ppo",
        description="Release, submit, collect and grade the notebooks of a PPO course; run code.",
        epilog="Settings: --PPOService.<name>=<value>, as in a Jupyter config file.",
    )
    parser.add_argument("--version", action="version", version=f"jupyter_ppo {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for part in _PARTS:
        part.add_commands(commands)
    return parser


def run_command(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; Ctrl-C is a ``KeyboardInterrupt``."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    known = PPOService.class_trait_names(config=True)
    for word in rest:
        name = word.removeprefix("--PPOService.").partition("=")[0]
        if not word.startswith("--PPOService.") or name not in known:
            parser.error(f"unrecognized argument: {word}. Settings are {', '.join(known)}.")
    try:
        read_secret_files()
        with _terminated_like_interrupted(), Context(rest) as context:
            status: int = arguments.run(arguments, context)
            return status
    except PPOError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:  # a file that was named; ours raise errors of their own
        print(f"error: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it started is ended, work is given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
