"""What comes between a worker's last word and the record of it, and folders that cannot be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    ConflictError,
    EngineUnavailableError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from jupyter_ppo.domain.run_records import RunProgress, TrainingQuota, TrainingRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunState, RunStatus
from jupyter_ppo.services import training_attendant
from jupyter_ppo.services.training_folders import RunFolders
from jupyter_ppo.training.files import RunDirectory

ADA, BOB = Caller("ada"), Caller("bob")
PAUSE, RESUME, STOP = (RunCommand(each) for each in (Command.PAUSE, Command.RESUME, Command.STOP))
LONGER = RunCommand(Command.EXTEND, {"total_steps": 20_000})
OTHER_RATE = RunCommand(Command.SET, {"learning_rate": 0.01})


@pytest.fixture
def files_of(folder: Path) -> Callable[[TrainingRun], RunDirectory]:
    return lambda run: RunFolders(folder).files(run.id)


def ended_but_there(server: Any, files_of: Callable[[TrainingRun], RunDirectory]) -> Any:
    """Return a run whose worker has written its end and is not gone yet."""
    server.place.leaves_late.set()
    run = server.add()
    server.wait(files_of(run).state_file.exists)
    server.wait(lambda: files_of(run).read_status().state is RunState.FINISHED)
    assert server.service.run(ADA, run.id).is_held
    return run


def test_an_extension_after_the_worker_s_last_word_is_not_lost(
    serve: Callable[..., Any], files_of: Callable[[TrainingRun], RunDirectory]
) -> None:
    server = serve()
    run = ended_but_there(server, files_of)
    asked = server.service.command(ADA, run.id, LONGER)
    server.place.leaves_late.clear()
    server.wait(lambda: server.service.run(ADA, run.id).step == 20_000)
    end = server.until(run, RunState.FINISHED)
    assert (end.total_steps, end.spec.total_steps) == (20_000, 20_000)
    assert asked in [event.data.get("id") for event in server.service.events(ADA, run.id).items]
    assert len(server.place.started) == 2


@pytest.mark.parametrize("command", [PAUSE, RESUME, STOP, OTHER_RATE])
def test_other_commands_after_the_worker_s_last_word_are_refused(
    serve: Callable[..., Any],
    files_of: Callable[[TrainingRun], RunDirectory],
    command: RunCommand,
) -> None:
    server = serve()
    run = ended_but_there(server, files_of)
    with pytest.raises(ConflictError, match="is finished, so it cannot"):
        server.service.command(ADA, run.id, command)
    server.place.leaves_late.clear()
    assert server.until(run, RunState.FINISHED).step == 10_000


def test_an_extension_that_came_before_a_stop_is_not_followed(
    serve: Callable[..., Any], files_of: Callable[[TrainingRun], RunDirectory]
) -> None:
    server = serve()
    run = ended_but_there(server, files_of)
    server.service.command(ADA, run.id, LONGER)
    files_of(run).append_command(STOP)
    server.place.leaves_late.clear()
    server.queue.stop()
    assert server.service.run(ADA, run.id).state is RunState.FINISHED


def test_a_change_that_was_taken_too_late_is_told_of(
    serve: Callable[..., Any], files_of: Callable[[TrainingRun], RunDirectory]
) -> None:
    server = serve()
    run = ended_but_there(server, files_of)
    files_of(run).append_command(RunCommand(Command.SET, {"ent_coef": 0.1}, "late"))
    server.place.leaves_late.clear()
    server.until(run, RunState.FINISHED)
    server.wait(lambda: any(e.data.get("id") == "late" for e in files_of(run).read_events()))
    (event,) = [e for e in files_of(run).read_events() if e.data.get("id") == "late"]
    assert event.kind is EventKind.WARNING
    assert "before this change" in event.message


def test_an_extension_over_the_quota_says_so(
    serve: Callable[..., Any], files_of: Callable[[TrainingRun], RunDirectory]
) -> None:
    server = serve(quota=TrainingQuota(cpu_seconds_per_day=0.2), cpu_rate=0.0)
    run = ended_but_there(server, files_of)
    server.service.command(ADA, run.id, LONGER)
    server.place.cpu_rate = 1e6
    server.place.leaves_late.clear()
    server.wait(lambda: bool(server.service.events(ADA, run.id).items))
    server.wait(
        lambda: "not extended: cpu_seconds" in server.service.events(ADA, run.id).items[-1].message
    )


def test_an_extension_that_is_written_when_its_end_is_recorded_already_is_followed(
    serve: Callable[..., Any],
) -> None:
    server = serve()
    run = server.until(server.add(), RunState.FINISHED)
    server.queue.stop()  # nobody will look at the folder
    server.service._tell(run, replace(LONGER, id="x"))
    now = server.service.run(ADA, run.id)
    assert (now.state, now.total_steps) == (RunState.QUEUED, 20_000)


def test_a_resume_that_a_dying_server_did_not_follow_is_followed_by_the_next(
    serve: Callable[..., Any], files_of: Callable[[TrainingRun], RunDirectory], folder: Path
) -> None:
    idle = serve(workers=0)
    run, stopped, kept = (idle.add() for _ in range(3))
    for each in (run, stopped, kept):
        taken = idle.runs.take_next("dead", TrainingQuota(running=9))
        assert taken is not None
        files = RunFolders(folder).make(taken)
        files.write_status(RunStatus(RunState.PAUSED, 4_000))
        files.append_command(PAUSE)
        progress = RunProgress(RunState.PAUSED, 4_000, 10_000, "", 5.0, 6.0, 0)
        idle.runs.record(each.id, "dead", progress)
    idle.service.command(ADA, run.id, RESUME)
    idle.service.command(ADA, stopped.id, STOP)
    server = serve()
    assert server.until(run, RunState.FINISHED).step == 10_000
    assert server.until(stopped, RunState.STOPPED).step == 4_000
    assert server.service.run(ADA, kept.id).state is RunState.PAUSED


# -- folders that cannot be used -------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("directory: no run can be started in X (Permission denied)."),
        PermissionError(13, "Permission denied"),
    ],
)
def test_a_run_whose_folder_cannot_be_used_holds_nobody_up(
    serve: Callable[..., Any], error: Exception
) -> None:
    idle = serve(workers=0)
    bad, good = idle.add(), idle.add(caller=BOB)
    server = serve(workers=1, unusable={str(bad.id): error})
    assert server.until(good, RunState.FINISHED, caller=BOB).step == 10_000
    end = server.until(bad, RunState.INTERRUPTED)
    assert "Permission denied" in end.message
    server.place.unusable.clear()
    server.service.command(ADA, bad.id, RESUME)
    server.until(bad, RunState.FINISHED)


def test_a_worker_that_does_not_leave_its_run_holds_nobody_else_up(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_attendant, "_LEAVING_SECONDS", 0.1)
    idle = serve(workers=0)
    bad, good = idle.add(), idle.add(caller=BOB)
    server = serve(workers=1, unusable={str(bad.id): ConflictError("A worker is at it.")})
    assert "still holds this run" in server.until(bad, RunState.INTERRUPTED).message
    server.until(good, RunState.FINISHED, caller=BOB)


def test_waiting_for_an_engine_is_not_the_run_s_time(serve: Callable[..., Any]) -> None:
    server = serve(errors=[EngineUnavailableError("No engine.")])
    run = server.add()
    server.wait(lambda: bool(server.service.run(ADA, run.id).message))
    assert server.service.run(ADA, run.id).wall_seconds == 0.0


def test_the_time_of_tries_that_failed_is_not_the_run_s(serve: Callable[..., Any]) -> None:
    server = serve(errors=[ConflictError("A worker is leaving.")] * 2)
    began = time.monotonic()
    end = server.until(server.add(), RunState.FINISHED)
    assert time.monotonic() - began > 2.0  # two tries, each a second apart
    assert end.wall_seconds < time.monotonic() - began - 1.9


# -- deleting --------------------------------------------------------------------------------------


def test_a_folder_that_a_killed_server_was_deleting_is_swept_away_and_no_other(
    serve: Callable[..., Any], folder: Path
) -> None:
    first = serve()
    gone, other, kept = (first.until(first.add(), RunState.FINISHED) for _ in range(3))
    folders = RunFolders(folder)
    folders.mark_deleted(gone.id)  # the process is killed between the two
    first.runs.delete(gone.id)
    first.runs.delete(other.id)  # of another database, as far as this one knows
    folders.mark_deleted(kept.id)  # killed before the record was deleted
    first.queue.stop()
    server = serve(worker="next")
    server.wait(lambda: not (folder / str(gone.id)).exists())
    server.queue.stop()
    assert {path.name for path in folder.iterdir()} == {str(other.id), str(kept.id)}


def test_a_run_that_cannot_be_deleted_is_not_marked(
    serve: Callable[..., Any], folder: Path
) -> None:
    server = serve(lingers=True)
    run = server.add()
    server.until(run, RunState.RUNNING)
    with pytest.raises(ConflictError):
        server.service.delete(ADA, run.id)
    assert not (folder / str(run.id) / ".deleted").exists()


@pytest.mark.parametrize("command", [RESUME, LONGER])
def test_a_command_for_a_run_that_is_deleted_meanwhile_leaves_no_folder(
    serve: Callable[..., Any], folder: Path, command: RunCommand
) -> None:
    server = serve(workers=0)
    run = server.add()
    server.service.command(ADA, run.id, STOP)
    stopped = server.service.run(ADA, run.id)
    server.service.delete(ADA, run.id)
    for follow in (server.service._go_on, server.service._tell):
        with pytest.raises(NotFoundError):
            follow(stopped, command)
        assert list(folder.iterdir()) == []


# -- what the place knows --------------------------------------------------------------------------


def test_nothing_is_kept_of_what_cannot_be_trained_there(
    serve: Callable[..., Any],
) -> None:
    server = serve(workers=0)

    def check(spec: RunSpec) -> None:
        msg = f"env_id: no {spec.env_id}."
        raise InvalidInputError(msg, field="env_id")

    server.service._check_spec = check
    with pytest.raises(InvalidInputError, match="no CartPole"):
        server.add()
    assert server.service.runs(ADA).total == 0
