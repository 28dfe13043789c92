"""Workers beside the server: started, ended with a checkpoint, and gone on with exactly."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import (
    BusyError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, RunCommand, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.process_place import ProcessPlace

# Long enough not to end before a test that has to wait for its core looks at it.
SPEC = RunSpec(total_steps=12800, n_steps=64, n_envs=2, batch_size=64, n_epochs=1)
ROOM = 2**30


def make(path: Path, spec: RunSpec = SPEC) -> RunDirectory:
    path.mkdir()
    files = RunDirectory(path)
    files.create(spec, state=RunState.QUEUED)
    return files


def wait(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this in time"
        time.sleep(0.02)


def test_a_worker_that_is_ended_leaves_a_checkpoint_and_the_next_one_gives_the_same_weights(
    tmp_path: Path,
) -> None:
    place = ProcessPlace()
    whole, cut = make(tmp_path / "whole"), make(tmp_path / "cut")
    alone = place.start(whole.path, disk_bytes=ROOM)
    first = place.start(cut.path, disk_bytes=ROOM)
    wait(lambda: cut.read_status().step >= 256 or not first.is_alive)
    with pytest.raises(ConflictError):
        place.start(cut.path, disk_bytes=ROOM)
    first.end(30)
    first.close()
    assert not first.is_alive
    assert first.cpu_seconds > 0.1
    status = cut.read_status()
    assert status.state is RunState.INTERRUPTED
    assert 256 <= status.step < SPEC.total_steps
    second = place.start(cut.path, disk_bytes=ROOM)
    wait(lambda: not second.is_alive and not alone.is_alive)
    for placed in (second, alone, alone):
        placed.close()
    assert cut.read_status().state is RunState.FINISHED, cut.log_tail()
    sums = [files.checkpoints().list()[-1].weights_sha256 for files in (whole, cut)]
    assert sums[0] == sums[1]


def test_commands_before_the_byte_named_are_not_followed(tmp_path: Path) -> None:
    files = make(tmp_path / "run")
    files.append_command(RunCommand(Command.STOP))
    old = files.commands_file.stat().st_size
    files.append_command(RunCommand(Command.PAUSE))
    placed = ProcessPlace().start(files.path, disk_bytes=ROOM, commands_from=old)
    wait(lambda: files.read_status().state is RunState.PAUSED or not placed.is_alive)
    assert files.read_status().state is RunState.PAUSED, files.log_tail()
    placed.close()
    assert not placed.is_alive


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"spec\.json is missing"):
        ProcessPlace().start(tmp_path, disk_bytes=ROOM)


def test_an_environment_that_workers_would_not_know_is_told_at_once() -> None:
    place = ProcessPlace()
    place.check(SPEC)
    place.check(RunSpec(env_id="nobodys.module:Maze-v0"))
    with pytest.raises(InvalidInputError, match="CartPole-v1") as caught:
        place.check(RunSpec(env_id="CartPol-v1"))
    assert caught.value.field == "env_id"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EAGAIN, BusyError),
        (errno.EACCES, UnavailableError),
    ],
)
def test_why_no_worker_can_be_started_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[UnavailableError]
) -> None:
    """A full disk and a full machine concern every run, another error only this one."""
    files = make(tmp_path / "run")

    def fail(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(UnavailableError) as caught:
        ProcessPlace().start(files.path, disk_bytes=ROOM)
    assert type(caught.value) is kind
