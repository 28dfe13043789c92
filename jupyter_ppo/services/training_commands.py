"""Which commands of a run were followed, and which came too late for the worker that was there.

A worker notes the id of every change that it makes (SET, EXTEND) in an event. PAUSE, RESUME and
STOP show in the state alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    PPOError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.run_records import RunStore, TrainingQuota, TrainingRun
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader, parsed

_log = logging.getLogger(__name__)

_PIECE_BYTES = 1024 * 1024
_CHANGE_TOO_LATE = "The run ended before this change could be made. Resume it, then change it."
_CHANGES = frozenset({Command.SET, Command.EXTEND})


@dataclass(frozen=True, slots=True)
class _WrittenCommand:
    """A command in the file of a run's commands, from the byte ``begin`` to ``end``."""

    begin: int
    end: int
    command: RunCommand


@dataclass(frozen=True, slots=True)
class _LateCommands:
    """What the worker that has ended did not follow.

    ``total_steps`` is the furthest EXTEND after the last STOP, None without one, ``id`` that of the
    last, and ``commands_from`` the byte from which on the next worker has to follow. ``changes``
    are the SETs that no worker will follow.
    """

    total_steps: int | None
    id: str
    commands_from: int
    changes: tuple[RunCommand, ...]


def extend_folder(files: RunDirectory, total_steps: int, command_id: str) -> None:
    """Let the next worker know of a longer run, unless it is told already."""
    if total_steps <= files.read_spec().total_steps:
        return
    for written in _written(files, 0):
        told = written.command.values.get("total_steps")
        if written.command.command is Command.EXTEND and told is not None and told >= total_steps:
            return
    files.append_command(RunCommand(Command.EXTEND, {"total_steps": total_steps}, command_id))


def commands_to_answer(files: RunDirectory, commands_from: int) -> int:
    """Return the byte of the commands from which on the next worker must follow them.

    The worker before it may have followed some of those after ``commands_from``: their ids are in
    events. What comes before such a one was followed as well.
    """
    size = commands_bytes(files)
    behind = min(commands_from, size)
    answered = _answered(files)
    for written in _written(files, behind):
        if written.command.id in answered:
            behind = written.end
    return behind


def is_answered(files: RunDirectory, command_id: str) -> bool:
    """Whether an event says what came of a command."""
    return command_id in _answered(files)


def _late_commands(files: RunDirectory, commands_from: int) -> _LateCommands:
    """Return what came after the last look of a worker that has ended by itself."""
    answered = _answered(files)
    late: list[_WrittenCommand] = []
    dropped: list[RunCommand] = []
    for written in _written(files, min(commands_from, commands_bytes(files))):
        if written.command.command is Command.STOP:
            dropped += [each.command for each in late]
            late.clear()
        elif written.command.command in _CHANGES and written.command.id not in answered:
            late.append(written)
    extensions = [each.command for each in late if each.command.command is Command.EXTEND]
    totals = [each.values["total_steps"] for each in extensions]
    extension = extensions[-1].id if extensions else ""
    if not totals:
        dropped += [each.command for each in late]
    changes = tuple(each for each in dropped if each.command is Command.SET)
    begin = late[0].begin if late else 0
    return _LateCommands(max(totals, default=None), extension, begin, changes)


def follow_late(
    files: RunDirectory,
    run: TrainingRun,
    status: RunStatus,
    *,
    runs: RunStore,
    quota: TrainingQuota,
) -> None:
    """Do as if commands that came after the worker's last look had come after its end.

    Call it when the end, ``status``, is recorded; ``run`` is as it was when the worker began.
    Never raises: the end stays as it is recorded, and an event says what was not done.
    """
    try:
        late = _late_commands(files, run.commands_from)
        notes = [(each.id, _CHANGE_TOO_LATE) for each in late.changes]
        if late.total_steps is not None and status.state in {RunState.FINISHED, RunState.STOPPED}:
            try:
                runs.requeue(
                    run.id,
                    quota=quota,
                    total_steps=late.total_steps,
                    commands_from=late.commands_from,
                )
            except InvalidInputError:
                pass  # it reached so many anyway
            except (ConflictError, TooManyRequestsError) as error:
                if not runs.run(run.id).state.has_ended:  # who wrote it has queued the run
                    return
                notes.append((late.id, f"The run was not extended: {error.message}"))
        for command_id, text in notes:
            files.note(EventKind.WARNING, status.step, text, id=command_id)
    except (OSError, PPOError) as error:  # it is deleted already, or cannot be written
        _log.warning("Late commands of training run %s are not followed: %s", run.id, error)


def asked_since_pause(files: RunDirectory) -> tuple[Command | None, int]:
    """Return the last RESUME or STOP after the last PAUSE, and the byte behind that PAUSE."""
    asked, behind = None, 0
    for written in _written(files, 0):
        match written.command.command:
            case Command.PAUSE:
                asked, behind = None, written.end
            case Command.RESUME | Command.STOP if behind:
                asked = written.command.command
    return asked, behind


def commands_bytes(files: RunDirectory) -> int:
    """Return the size of the file of a run's commands, 0 when there is none."""
    path = files.commands_file
    try:
        return 0 if path.is_symlink() else path.stat().st_size
    except OSError:
        return 0


def _written(files: RunDirectory, begin: int) -> Iterator[_WrittenCommand]:
    if not commands_bytes(files):
        return
    reader = LineReader(files.commands_file, begin)
    while lines := reader.read_lines(1):  # one line at a time: people wrote few
        for data in parsed(lines):
            try:
                command = RunCommand.from_dict(data)
            except InvalidInputError:
                continue
            yield _WrittenCommand(begin, reader.offset, command)
        begin = reader.offset


def _answered(files: RunDirectory) -> set[str]:
    found: set[str] = set()
    path = files.events_file
    if path.is_symlink() or not path.is_file():
        return found
    offset = 0
    while True:
        events, behind = files.read_events_from(offset, _PIECE_BYTES)
        found |= {str(event.data["id"]) for event in events if "id" in event.data}
        if behind == offset:
            return found
        offset = behind
