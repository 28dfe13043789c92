"""Workers of people's runs: followed, bounded, given back, and gone on with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    ConflictError,
    EngineUnavailableError,
    InvalidInputError,
    PPOError,
    SandboxError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.run_records import RunProgress, TrainingQuota
from jupyter_ppo.domain.training import (
    Command,
    RunCommand,
    RunState,
    RunStatus,
)
from jupyter_ppo.services.training_attendant import Pace
from jupyter_ppo.services.training_folders import RunFolders
from jupyter_ppo.training.files import RunDirectory

ADA = Caller("ada")
PAUSE, RESUME, STOP = (RunCommand(each) for each in (Command.PAUSE, Command.RESUME, Command.STOP))


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (TrainingQuota(wall_seconds=0.3), "wall_seconds: the 0.3 s"),
        (TrainingQuota(cpu_seconds_per_day=0.3), "cpu_seconds_per_day: the 0.3 s"),
        (TrainingQuota(disk_mb=2), "disk_mb: your runs take more than 2 MiB"),
    ],
)
def test_a_run_over_a_quota_is_stopped_with_its_checkpoint_and_told_why(
    serve: Callable[..., Any], quota: TrainingQuota, words: str, folder: Path
) -> None:
    server = serve(quota=quota, cpu_rate=1.0, lingers=True)
    run = server.add()
    server.until(run, RunState.RUNNING, RunState.INTERRUPTED)
    (folder / str(run.id) / "model.zip").write_bytes(bytes((quota.disk_mb < 9) * 3 * 2**20))
    end = server.until(run, RunState.INTERRUPTED)
    assert end.message.startswith(words)
    assert server.place.started[0].files.read_status().message == "Asked to."
    with pytest.raises((ConflictError, TooManyRequestsError)) as caught:
        server.service.command(ADA, run.id, RESUME)
    assert caught.value.field == words.partition(":")[0]


def test_a_worker_that_is_killed_leaves_a_run_that_can_go_on(serve: Callable[..., Any]) -> None:
    server = serve(lingers=True)
    run = server.add()
    server.wait(lambda: server.service.run(ADA, run.id).step > 500)
    (server.place.started[0].files.log_file).write_text("Gone <b>wrong</b>\n")
    server.place.started[0].kill()
    end = server.until(run, RunState.INTERRUPTED)
    assert "killed, or ran out of memory" in end.message
    assert end.message.endswith("It printed last: Gone <b>wrong</b>")
    server.service.command(ADA, run.id, RESUME)
    server.wait(lambda: server.service.run(ADA, run.id).step == 10_000)


def test_a_server_that_stops_gives_its_runs_back_and_the_next_goes_on(
    serve: Callable[..., Any],
) -> None:
    server = first = serve(lingers=True)
    runs = [first.add(), first.add()]
    server.wait(lambda: all(first.service.run(ADA, run.id).step > 300 for run in runs))
    first.service.command(ADA, runs[1].id, PAUSE)
    first.until(runs[1], RunState.PAUSED)
    first.queue.stop()
    back = [first.service.run(ADA, run.id) for run in runs]
    assert [run.state for run in back] == [RunState.QUEUED, RunState.PAUSED]
    assert not any(run.is_held for run in back)
    second = serve(worker="next", lingers=True)
    server.wait(lambda: second.service.run(ADA, runs[0].id).step == 10_000)
    assert second.place.started[0]._first_step == back[0].step
    assert len(second.place.started) == 1
    second.service.command(ADA, runs[1].id, RESUME)
    server.wait(lambda: second.service.run(ADA, runs[1].id).step == 10_000)


def test_a_worker_that_heard_of_the_server_s_end_first_is_given_back_too(
    serve: Callable[..., Any],
) -> None:
    server = serve(lingers=True)
    run = server.add()
    server.until(run, RunState.RUNNING)
    server.place.started[0].end(5)
    server.queue.stop()
    assert server.service.run(ADA, run.id).state is RunState.QUEUED


def test_a_worker_that_does_not_go_after_its_end_is_ended(serve: Callable[..., Any]) -> None:
    pace = Pace(poll=0.01, record=0.02, measure=0.05, end=0.2, park=60.0)
    server = serve(pace=pace, lingers=True)
    run = server.add()
    server.until(run, RunState.RUNNING)
    (worker,) = server.place.started
    worker.files.write_status = lambda status: None
    RunDirectory(worker.files.path).write_status(RunStatus(RunState.FINISHED, 10_000))
    assert server.until(run, RunState.FINISHED, RunState.INTERRUPTED).step > 0
    assert not worker.is_alive


def test_runs_of_a_server_that_died_are_taken_over(serve: Callable[..., Any]) -> None:
    idle = serve(workers=0)
    run = idle.add()
    taken = idle.runs.take_next("dead", TrainingQuota())
    assert taken is not None
    files = RunFolders(idle.service._folders.root).make(taken)
    files.write_status(RunStatus(RunState.RUNNING, 4_000))
    progress = RunProgress(RunState.RUNNING, 4_000, 10_000, "", 5.0, 6.0, 0)
    idle.runs.record(run.id, "dead", progress)
    server = serve(errors=[ConflictError("A worker is leaving.")])
    end = server.until(run, RunState.FINISHED)
    assert server.place.started[0]._first_step == 4_000
    assert (end.cpu_seconds, end.wall_seconds > 6.0) == (5.0, True)


def test_a_long_pause_gives_the_place_up(serve: Callable[..., Any]) -> None:
    pace = Pace(poll=0.01, record=0.02, measure=0.05, end=5.0, park=0.2)
    server = serve(workers=1, pace=pace, lingers=True)
    first, second = server.add(), server.add()
    server.until(first, RunState.RUNNING)
    server.service.command(ADA, first.id, PAUSE)
    server.wait(lambda: server.service.run(ADA, second.id).step == 10_000)
    parked, status = server.service.status(ADA, first.id)
    assert (parked.state, parked.is_held) == (RunState.PAUSED, False)
    assert status is not None
    assert status.state is RunState.PAUSED
    server.service.command(ADA, first.id, RunCommand(Command.EXTEND, {"total_steps": 11_000}))
    server.service.command(ADA, second.id, STOP)
    server.service.command(ADA, first.id, RESUME)
    server.wait(lambda: server.service.run(ADA, first.id).step == 11_000)


def test_without_an_engine_runs_wait_and_say_why(serve: Callable[..., Any]) -> None:
    server = serve(errors=[EngineUnavailableError("No engine answers.")])
    run = server.add()
    server.wait(lambda: bool(server.service.run(ADA, run.id).message))
    waiting = server.service.run(ADA, run.id)
    assert (waiting.state, waiting.position) == (RunState.QUEUED, 1)
    assert waiting.message == "It waits: No engine answers."


@pytest.mark.parametrize(
    ("errors", "state", "message"),
    [
        ([InvalidInputError("env_id: no such.")], RunState.FAILED, "env_id: no such."),
        ([SandboxError("It broke.")] * 3, RunState.INTERRUPTED, "It broke."),
        ([SandboxError("It broke.")], RunState.FINISHED, ""),
    ],
)
def test_a_run_that_cannot_be_started_says_why(
    serve: Callable[..., Any], errors: list[PPOError], state: RunState, message: str
) -> None:
    server = serve(errors=list(errors))
    assert server.until(server.add(), state).message == message


def test_another_server_that_has_the_run_is_left_alone(serve: Callable[..., Any]) -> None:
    server = serve(lingers=True)
    run = server.add()
    server.until(run, RunState.RUNNING)
    server.runs.give_back(run.id, "me")
    assert server.runs.take_next("other", TrainingQuota()) is not None
    server.wait(lambda: not server.place.started[0].is_alive)
    server.queue.stop()
    assert server.service.run(ADA, run.id).is_held
    server.runs.record(run.id, "other", RunProgress(RunState.STOPPED, 1, 1, "", 0, 0, 0))


def test_a_command_that_comes_while_a_worker_starts_is_followed(
    serve: Callable[..., Any],
) -> None:
    server = serve(workers=0)
    run = server.add()
    assert server.runs.take_next("dead", TrainingQuota()) is not None
    server.service.command(ADA, run.id, STOP)
    other = serve(worker="next")
    assert other.until(run, RunState.STOPPED).message == "You did."


def test_a_run_whose_folder_is_gone_does_not_begin_anew(
    serve: Callable[..., Any], folder: Path
) -> None:
    server = serve()
    run = server.until(server.add(), RunState.FINISHED)
    shutil.rmtree(folder / str(run.id))
    assert server.service.status(ADA, run.id) == (run, None)
    with pytest.raises(ConflictError, match="is gone"):
        server.service.command(ADA, run.id, RunCommand(Command.EXTEND, {"total_steps": 20_000}))


def test_what_a_killed_server_left_of_folders_is_swept_away(
    serve: Callable[..., Any], folder: Path
) -> None:
    folder.mkdir()
    for name in (".gone-1", ".new-1", ".new-2", "own"):
        (folder / name / "checkpoints").mkdir(parents=True)
    os.utime(folder / ".new-1", (0, 0))
    server = serve()
    server.wait(lambda: sorted(path.name for path in folder.iterdir()) == [".new-2", "own"])
