"""The worker process: ``python -m jupyter_ppo.training.worker RUN_DIRECTORY``.

It trains what spec.json says and writes the run's folder (see ``files``). Where there are
checkpoints it goes on from the newest good one. It ends, leaving a checkpoint, when told to, on
SIGTERM, and, unless it is detached, when the process that started it is gone.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Group
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import EventKind, RunState, RunStatus
from jupyter_ppo.training import worker_lock
from jupyter_ppo.training.checkpoints import Checkpoint
from jupyter_ppo.training.control import Control
from jupyter_ppo.training.files import RunDirectory, first_log_line
from jupyter_ppo.training.lines import NO_ROOM
from jupyter_ppo.training.own_env import load_env
from jupyter_ppo.training.watchdog import Watchdog, trim_log

#: Settings that do not change what is learned, so that they may be edited in spec.json.
_FREE_GROUPS: Final = (Group.CHECKPOINTS, Group.EVALUATION, Group.LENGTH)
_FREE: Final = frozenset(
    name
    for name, setting in HYPERPARAMETERS.items()
    if setting.group in _FREE_GROUPS or name in {"step_timeout", "torch_threads"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return 0 when the run ended as it should, 1 when it FAILED, 2 when it cannot begin."""
    options = _options(arguments)
    files = RunDirectory(options.run_directory.resolve())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Until the trainer asks there is nothing to save.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with ExitStack() as stack:
        try:
            if options.lock_descriptor is None:
                print(first_log_line(), flush=True)  # noqa: T201
                descriptor = stack.enter_context(files.locked_for_worker())
            else:
                descriptor = options.lock_descriptor
                # Ours already on a local disk; on NFS locks are not inherited.
                worker_lock.take(descriptor, files.lock_file)
            worker_lock.keep_from_children(descriptor)
            files.prepare_for_worker()
            files.mark_start()
        except (PPOError, OSError) as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 2
        return _work(files, options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jupyter_ppo.training.worker")
    parser.add_argument(
        "--lock-descriptor",
        type=int,
        metavar="FD",
        help="worker.lock, opened and locked by the process that starts this one; the run is "
        "interrupted when standard input ends, which is when that process is gone",
    )
    parser.add_argument("--detached", action="store_true", help="live on without that process")
    parser.add_argument(
        "--commands-from",
        type=int,
        metavar="OFFSET",
        help="commands before this byte of commands.jsonl were for earlier workers",
    )
    parser.add_argument(
        "--disk-bytes",
        type=int,
        metavar="N",
        help="interrupt the run when its folder is larger",
    )
    parser.add_argument("run_directory", type=Path)
    return parser.parse_args(arguments)


def _work(files: RunDirectory, options: argparse.Namespace) -> int:
    try:
        newest = files.checkpoints().newest(set_aside=True)
    except InvalidInputError as error:
        print(error, file=sys.stderr)  # noqa: T201
        files.announce(replace(files.read_status(), state=RunState.FAILED, message=error.message))
        return 1

    def give_up(status: int) -> None:
        try:
            ended = replace(files.read_status(), state=RunState.INTERRUPTED)
            files.announce(replace(ended, message=control.end_reason))
            trim_log(files)
        finally:
            os._exit(status)

    followed = _followed(newest)
    control = Control(
        files.commands_file,
        max(_commands_from(files, options.commands_from), followed),
        lambda sentence: files.note(EventKind.WARNING, files.read_status().step, sentence),
        give_up,
        followed=followed,
    )

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        control.end("The training process was told to end (SIGTERM).")

    signal.signal(signal.SIGTERM, on_signal)
    try:
        spec = files.read_spec()
        Watchdog(
            files,
            spec,
            control,
            has_owner=options.lock_descriptor is not None and not options.detached,
            disk_bytes=options.disk_bytes,
        ).start()
        if newest is not None:
            _compare(files, spec, newest)
        env = load_env(files, spec)
        from jupyter_ppo.training.trainer import Trainer  # loads torch: seconds

        Trainer(files, spec, control, env).run()
    except BaseException as error:
        # Whatever it was, the reader of the run gets one sentence and the log gets the rest.
        traceback.print_exc()
        _write_failure(files, control, error)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        trim_log(files)  # a flood may have come since the watchdog looked
    return 0


def _commands_from(files: RunDirectory, given: int | None) -> int:
    if given is not None:
        return given
    return files.commands_file.stat().st_size if files.commands_file.exists() else 0


def _followed(newest: Checkpoint | None) -> int:
    """Return the byte before which all commands are part of the checkpoint."""
    offset = newest.extra.get("commands_offset", 0) if newest is not None else 0
    return max(offset, 0) if isinstance(offset, int) else 0


def _compare(files: RunDirectory, spec: RunSpec, newest: Checkpoint) -> None:
    """Say what was edited since the checkpoint; raise ``InvalidInputError`` when it matters."""
    for sentence in newest.skipped:
        files.note(EventKind.WARNING, newest.info.step, sentence)
    before: Any = newest.extra.get("spec")
    if not isinstance(before, dict):
        return
    now = spec.to_dict()
    changed = [name for name in now if name in before and before[name] != now[name]]
    for name in sorted(changed, key=_FREE.__contains__, reverse=True):
        was, value = str(before[name])[:80], str(now[name])[:80]
        change = f"{name} in spec.json was {was} and is {value} now."
        if name not in _FREE:
            msg = (
                f"{change} A run keeps what it began with. Put the old value back, or start a new "
                "run in another folder."
            )
            raise InvalidInputError(msg, field=name)
        files.note(EventKind.WARNING, newest.info.step, f"{change} The new value is used.")


def _write_failure(files: RunDirectory, control: Control, error: BaseException) -> None:
    try:
        status = files.read_status()
    except InvalidInputError:
        status = RunStatus(RunState.STARTING)
    if control.end_reason:  # on its way out anyway
        end = replace(status, state=RunState.INTERRUPTED, message=control.end_reason)
    else:
        end = replace(status, state=RunState.FAILED, message=_sentence(files, error))
    files.announce(end)


def _sentence(files: RunDirectory, error: BaseException) -> str:
    if isinstance(error, PPOError):
        return error.message
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return (
            f"The disk with {files.path} is full, or your share of it. "
            "Free some space and resume the run: it goes on from its last checkpoint."
        )
    if isinstance(error, MemoryError):
        return (
            "The machine has not enough memory for this training. Use fewer or smaller "
            "environments (n_envs, n_steps), or close other programs, and resume the run."
        )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    what = type(error).__name__
    return f"Training failed: {what}: {lines[0][:300]}" if lines else f"Training failed: {what}"


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # all is written; taking torch apart would only cost time
