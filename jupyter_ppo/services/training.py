"""Training runs of people: asked for, steered and read. What trains them is ``training_queue``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import one_spelling
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PPOError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.run_records import (
    CreatedRuns,
    RunStore,
    TrainingQuota,
    TrainingRun,
    TrainingUsage,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    CheckpointInfo,
    Command,
    Evaluation,
    RunCommand,
    RunState,
    RunStatus,
)
from jupyter_ppo.services import training_request
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.training_commands import commands_bytes, extend_folder, is_answered
from jupyter_ppo.services.training_folders import RunFolders
from jupyter_ppo.services.training_reading import (
    EventBatch,
    MetricBatch,
    RunReader,
    SeriesBatch,
)

#: The most that the file of a run's commands may hold, in bytes.
_MAX_COMMANDS_BYTES = 1024 * 1024
_STOPPED_WAITING = "It was stopped while it waited."


class TrainingService:
    """Use cases of training runs. Every method takes the caller first and checks their rights.

    People see and steer their own runs, admins all; of another's run a person learns no more than
    of one that does not exist (``NotFoundError``). Quotas hold for everyone, admins included.
    ``on_queued`` wakes whoever trains, ``check_spec`` raises ``InvalidInputError`` for
    what cannot be trained there. Use it from any thread.
    """

    def __init__(
        self,
        *,
        runs: RunStore,
        folder: Path,
        quota: TrainingQuota,
        audit: AuditLog,
        on_queued: Callable[[], None] = lambda: None,
        check_spec: Callable[[RunSpec], None] = lambda spec: None,
    ) -> None:
        self._runs = runs
        self._folders = RunFolders(folder)
        self.quota = quota
        self._audit = audit
        self._on_queued = on_queued
        self._check_spec = check_spec

    def create(
        self,
        caller: Caller,
        specs: Sequence[RunSpec],
        *,
        name: str = "",
        tags: Sequence[str] = (),
        request_key: str | None = None,
    ) -> CreatedRuns:
        """Queue one run per spec, all or none; they share a group.

        A ``request_key`` that the caller used before gives the runs made then. Raises
        ``InvalidInputError`` naming the field, ``ConflictError`` for a key of another request, and
        ``TooManyRequestsError`` naming the quota.
        """
        name, tags = training_request.checked_name(name), training_request.checked_tags(tags)
        specs = training_request.checked_specs(specs)
        self._check_spec(specs[0])  # they differ in their seeds
        created = self._runs.create(
            caller.user,
            name,
            tags,
            specs,
            self.quota,
            request_key=training_request.checked_key(request_key),
            request_digest=training_request.digest(name, tags, specs),
        )
        if not created.is_repeat:
            first = created.runs[0]
            detail = {"runs": len(created.runs), "env_id": first.spec.env_id}
            note(self._audit, caller.user, "training.create", str(first.group_id), detail)
            self._on_queued()
        return created

    def runs(
        self,
        caller: Caller,
        *,
        user: str | None = None,
        state: RunState | None = None,
        tag: str | None = None,
        group: UUID | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page[TrainingRun]:
        """Return runs, newest first: the caller's own, or for admins those of ``user`` or all.

        A person who names another finds nothing.
        """
        whose = None if user is None else one_spelling(user)
        if not caller.admin:
            if whose not in {None, caller.user}:
                return Page((), 0, offset, limit)
            whose = caller.user
        tag = None if tag is None else one_spelling(tag)
        return self._runs.runs(
            whose, state=state, tag=tag, group_id=group, offset=offset, limit=limit
        )

    def run(self, caller: Caller, run_id: UUID) -> TrainingRun:
        """Return a run; raise ``NotFoundError``."""
        found = self._runs.run(run_id)
        if not caller.admin and found.user != caller.user:
            msg = f"There is no training run {str(run_id)!r}."
            raise NotFoundError(msg, field="run")
        return found

    def rename(
        self,
        caller: Caller,
        run_id: UUID,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> TrainingRun:
        """Give a run another name or other tags (None: as they are).

        Raises ``NotFoundError`` and ``InvalidInputError`` (field ``name`` or ``tags``).
        """
        found = self.run(caller, run_id)
        return self._runs.rename(
            run_id,
            found.name if name is None else training_request.checked_name(name),
            found.tags if tags is None else training_request.checked_tags(tags),
        )

    def delete(self, caller: Caller, run_id: UUID) -> TrainingRun:
        """Delete a run and its folder for ever; return what it was.

        Raises ``NotFoundError``, and ``ConflictError`` while a worker has it.
        """
        found = self.run(caller, run_id)
        self._folders.mark_deleted(run_id)
        try:
            self._runs.delete(run_id)
        except PPOError:
            self._folders.unmark_deleted(run_id)
            raise
        self._folders.remove(run_id)
        detail = {"user": found.user, "step": found.step}
        note(self._audit, caller.user, "training.delete", str(run_id), detail)
        return found

    def command(self, caller: Caller, run_id: UUID, command: RunCommand) -> str:
        """Ask something of a run; return the command's id, which comes back in an event.

        A worker follows within one update. A run that waits can be stopped and extended; one that
        has ended, or gave its place up while paused, is queued again by RESUME and EXTEND. Raises
        ``NotFoundError``, ``ConflictError`` (the state does not allow it), ``InvalidInputError``
        naming the value, and ``TooManyRequestsError`` naming the quota.
        """
        command = replace(command, id=command.id or new_id().hex)
        run = self.run(caller, run_id)
        if run.is_held:
            self._tell(run, command)
        elif run.state.has_ended or run.state is RunState.PAUSED:
            self._go_on(run, command)
        else:
            self._change_queued(run, command)
        return command.id

    def status(self, caller: Caller, run_id: UUID) -> tuple[TrainingRun, RunStatus | None]:
        """Return a run, and how far its worker says it is; None when it never had one.

        The record decides on the state unless a worker is at the run.
        """
        run = self.run(caller, run_id)
        said = self._reader(run_id).status()
        if said is None or (said.state is RunState.QUEUED and not said.step):
            return run, None
        if not run.is_held or said.state.has_ended or said.state is RunState.QUEUED:
            said = replace(said, state=run.state, message=run.message)
        return run, said

    def metrics(
        self, caller: Caller, run_id: UUID, *, since: int = 0, limit: int = 1000
    ) -> MetricBatch:
        """Return what was measured after the cursor ``since``; at most ``limit`` items.

        Raises ``NotFoundError`` and ``InvalidInputError`` (field ``since`` or ``limit``).
        """
        return self.follow(caller, run_id).metrics(since, limit=limit)

    def series(
        self,
        caller: Caller,
        run_id: UUID,
        *,
        names: Sequence[str] | None = None,
        points: int = 1000,
    ) -> SeriesBatch:
        """Return columns to draw, each of at most ``points`` points; see ``RunReader.series``."""
        return self.follow(caller, run_id).series(names, points=points)

    def events(
        self, caller: Caller, run_id: UUID, *, since: int = 0, limit: int = 1000
    ) -> EventBatch:
        """Return what happened after the cursor ``since``; raises as ``metrics``."""
        return self.follow(caller, run_id).events(since, limit=limit)

    def evaluations(self, caller: Caller, run_id: UUID) -> tuple[Evaluation, ...]:
        """Return the run's evaluations, in order."""
        return self.follow(caller, run_id).evaluations()

    def checkpoints(self, caller: Caller, run_id: UUID) -> tuple[CheckpointInfo, ...]:
        """Return the run's checkpoints, oldest first."""
        return self.follow(caller, run_id).checkpoints()

    def checkpoint_file(self, caller: Caller, run_id: UUID, step: int) -> Path:
        """Return the file of a checkpoint: bytes that nobody here may unpickle."""
        return self.follow(caller, run_id).checkpoint_file(step)

    def model_file(self, caller: Caller, run_id: UUID) -> Path:
        """Return the file of the trained model: bytes that nobody here may unpickle."""
        return self.follow(caller, run_id).model_file()

    def log_tail(self, caller: Caller, run_id: UUID, *, lines: int = 100) -> str:
        """Return the last lines that the worker printed."""
        return self.follow(caller, run_id).log_tail(lines=lines)

    def usage(self, caller: Caller) -> tuple[TrainingQuota, TrainingUsage]:
        """Return what the caller may use, and uses now."""
        return self.quota, self._runs.usage(caller.user)

    def follow(self, caller: Caller, run_id: UUID) -> RunReader:
        """Return what reads the run's folder, rights checked now; raise ``NotFoundError``."""
        self.run(caller, run_id)
        return self._reader(run_id)

    def _reader(self, run_id: UUID) -> RunReader:
        return RunReader(self._folders.path(run_id))

    def _tell(self, run: TrainingRun, command: RunCommand) -> None:
        """Write a command for the worker that is at the run, or begins just now."""
        self._refuse_at_end(run, command)
        files = self._folders.make(run)
        if commands_bytes(files) > _MAX_COMMANDS_BYTES:
            msg = "commands: this run was given too many. Stop it, and resume it if need be."
            raise TooManyRequestsError(msg, retry_after=60.0, field="commands")
        if command.command is Command.EXTEND:
            _check_longer(run, command)
        files.append_command(command)
        self._check_told(run.id, command)

    def _refuse_at_end(self, run: TrainingRun, command: RunCommand) -> None:
        """Raise ``ConflictError`` when the worker has written its end, and follows nothing more.

        What extends the run is taken all the same: it goes on then.
        """
        said = self._reader(run.id).status()
        if command.command is not Command.EXTEND and said is not None and said.state.has_ended:
            raise _not_now(replace(run, state=said.state), command, "Ask again in a moment.")

    def _check_told(self, run_id: UUID, command: RunCommand) -> None:
        """Follow a command here whose worker has gone while it was written.

        While the run is held, whoever has it looks once more when its end is recorded.
        """
        try:
            now = self._runs.run(run_id)
        except NotFoundError:  # it was deleted meanwhile
            self._folders.remove(run_id)
            raise
        if now.is_held or now.state is RunState.QUEUED:
            return
        is_parked = now.state is RunState.PAUSED
        if command.command is Command.PAUSE and not is_parked:
            raise _not_now(now, command, _how_to_go_on(now))
        if command.command is Command.EXTEND:
            is_late = is_parked or not is_answered(self._folders.files(run_id), command.id)
        else:
            is_late = is_parked and command.command in {Command.RESUME, Command.STOP}
        if not is_late:
            return
        try:
            self._go_on(now, command)
        except (ConflictError, InvalidInputError):
            now = self._runs.run(run_id)
            if not now.is_held and now.state is not RunState.QUEUED:
                raise

    def _go_on(self, run: TrainingRun, command: RunCommand) -> None:
        """Follow a command for a run that has ended, or is parked."""
        if command.command is Command.STOP and self._runs.stop_waiting(run.id, _STOPPED_WAITING):
            return
        if command.command not in {Command.RESUME, Command.EXTEND}:
            raise _not_now(run, command, _how_to_go_on(run))
        total = command.values.get("total_steps")
        if run.step and not self._folders.exists(run.id):
            msg = (
                "state: the folder of this run is gone, so it cannot go on. Start a new run with "
                "the same settings."
            )
            raise ConflictError(msg, field="state")
        files = self._folders.make(run)
        try:
            if total is not None and run.state is RunState.PAUSED:
                self._runs.extend(run.id, total)  # it stays paused
            else:
                self._runs.requeue(
                    run.id, quota=self.quota, total_steps=total, commands_from=commands_bytes(files)
                )
        except NotFoundError:  # it was deleted meanwhile
            self._folders.remove(run.id)
            raise
        if total is not None:
            extend_folder(files, total, command.id)
        self._on_queued()

    def _change_queued(self, run: TrainingRun, command: RunCommand) -> None:
        match command.command:
            case Command.STOP:
                if not self._runs.stop_waiting(run.id, _STOPPED_WAITING):
                    self._tell(self._runs.run(run.id), command)  # it has begun meanwhile
            case Command.EXTEND:
                total = command.values["total_steps"]
                self._runs.extend(run.id, total)
                if self._folders.exists(run.id):
                    extend_folder(self._folders.files(run.id), total, command.id)
            case _:
                raise _not_now(run, command, "It can be stopped and extended.")


def _check_longer(run: TrainingRun, command: RunCommand) -> None:
    total = command.values["total_steps"]
    if total <= max(run.step, run.total_steps):
        msg = (
            f"total_steps: {total} is not more than the {run.total_steps} steps that this run "
            "makes anyway. Name the total that it shall reach."
        )
        raise InvalidInputError(msg, field="total_steps")


def _how_to_go_on(run: TrainingRun) -> str:
    if run.state is RunState.FINISHED:
        return "Extend it to more steps to go on."
    return "Resume it first."


def _not_now(run: TrainingRun, command: RunCommand, remedy: str) -> ConflictError:
    msg = f"state: this run is {run.state}, so it cannot {command.command}. {remedy}"
    return ConflictError(msg, field="state")
