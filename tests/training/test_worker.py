"""The worker process: how it begins, what it watches, how it ends."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import jupyter_ppo
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunState, RunStatus
from jupyter_ppo.training.control import Control, Phase
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import open_run, start_run
from jupyter_ppo.training.watchdog import Watchdog, trim_log

_DEADLINE = 120.0
_ROOT = str(Path(jupyter_ppo.__file__).parents[1])


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {_DEADLINE} s"
        time.sleep(0.05)


def small(**changes: object) -> RunSpec:
    return spec_from_preset("cartpole-fast", **{"total_steps": 4000, "eval_every": 0, **changes})


def new_files(path: Path, spec: RunSpec | None = None) -> RunDirectory:
    path.mkdir(exist_ok=True)
    files = RunDirectory(path)
    files.create(spec or small())
    return files


# Control


def test_commands_come_once_in_order_and_old_ones_not_at_all(tmp_path: Path) -> None:
    files = new_files(tmp_path)
    files.append_command(RunCommand(Command.STOP))
    offset = files.commands_file.stat().st_size
    ids = [files.append_command(RunCommand(kind)) for kind in (Command.PAUSE, Command.RESUME)]
    control = Control(files.commands_file, offset)
    assert [command.id for command in control.commands()] == ids
    assert control.offset == files.commands_file.stat().st_size
    assert control.commands() == []
    ids.append(files.append_command(RunCommand(Command.SET, {"ent_coef": 0.1})))
    (last,) = control.commands()
    assert (last.id, last.values) == (ids[-1], {"ent_coef": 0.1})


def test_changes_are_not_lost_with_the_worker_that_read_them_and_pauses_are_over(
    tmp_path: Path,
) -> None:
    files = new_files(tmp_path)
    files.append_command(RunCommand(Command.SET, {"ent_coef": 0.5}))  # in the checkpoint
    followed = files.commands_file.stat().st_size
    changes = [
        RunCommand(Command.SET, {"ent_coef": 0.1}, "a"),
        RunCommand(Command.EXTEND, {"total_steps": 9000}, "b"),
    ]
    for command in (*changes, RunCommand(Command.PAUSE), RunCommand(Command.STOP)):
        files.append_command(command)
    end = files.commands_file.stat().st_size
    resume = files.append_command(RunCommand(Command.RESUME))
    control = Control(files.commands_file, end, followed=followed)
    first = control.commands()
    assert first[:2] == changes
    assert [command.id for command in first[2:]] == [resume]
    assert control.commands() == []


def test_a_command_that_is_not_understood_is_told_and_the_others_come(tmp_path: Path) -> None:
    files = new_files(tmp_path)
    refused: list[str] = []
    control = Control(files.commands_file, 0, refused.append)
    files.commands_file.write_text('{"command": "explode"}\n{"command": "pause"}\nnonsense\n')
    assert [command.command for command in control.commands()] == [Command.PAUSE]
    assert len(refused) == 1
    assert "explode" in refused[0]


# Watchdog


@dataclass
class Watched:
    files: RunDirectory
    control: Control
    watchdog: Watchdog
    gave_up: list[int]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    files = new_files(tmp_path, small(step_timeout=2.0))
    files.write_status(RunStatus(RunState.RUNNING, 500))
    gave_up: list[int] = []
    control = Control(files.commands_file, give_up=gave_up.append)
    watchdog = Watchdog(
        files,
        files.read_spec(),
        control,
        has_owner=False,
        disk_bytes=1_000_000,
        give_up=gave_up.append,
    )
    return Watched(files, control, watchdog, gave_up)


@pytest.mark.parametrize(
    ("phase", "where"), [(Phase.ENV, "in training"), (Phase.EVAL, "in an evaluation")]
)
def test_an_environment_that_hangs_ends_the_run_with_place_and_limit(
    watched: Watched, phase: Phase, where: str
) -> None:
    for _ in range(10):  # it answers each time: nothing happens
        watched.control.beat(phase)
        watched.watchdog.look(1.0)
        watched.watchdog.look(0.9)
    assert watched.gave_up == []
    watched.watchdog.look(0.9)
    watched.watchdog.look(0.9)
    assert watched.gave_up == [1]
    status = watched.files.read_status()
    assert (status.state, status.step) == (RunState.FAILED, 500)
    assert f"CartPole-v1 did not answer for 2 s {where}" in status.message
    assert "step_timeout" in status.message


def test_an_update_and_a_pause_may_take_as_long_as_they_like(watched: Watched) -> None:
    for phase in (Phase.START, Phase.UPDATE, Phase.PAUSED):
        watched.control.beat(phase)
        for _ in range(10):
            watched.watchdog.look(1.0)
    assert watched.gave_up == []


def test_a_process_that_was_frozen_has_not_waited(watched: Watched) -> None:
    watched.control.beat(Phase.ENV)
    watched.watchdog.look(0.1)
    watched.watchdog.look(3600.0)
    assert watched.gave_up == []


def test_a_folder_over_its_limit_ends_the_run_with_a_reason(watched: Watched) -> None:
    watched.watchdog.look(0.1)
    assert watched.control.end_reason == ""
    (watched.files.path / "more").write_bytes(bytes(1_000_001))
    watched.watchdog._disk_at = 0.0
    watched.watchdog.look(0.1)
    assert "larger than the 1 MB" in watched.control.end_reason


def test_a_log_is_bounded_and_keeps_its_end(watched: Watched) -> None:
    log = watched.files.log_file
    log.write_text("early\n" * 100 + "late\n" * 1_000_000)
    with log.open("ab") as printer:  # as the worker's own output
        trim_log(watched.files)
        printer.write(b"after\n")
    assert log.stat().st_size < 3 * 1024 * 1024
    text = log.read_text()
    assert text.startswith("(earlier output was dropped)\nlate\n")
    assert text.endswith("late\nafter\n")
    trim_log(watched.files)
    assert log.read_text() == text


# Real workers


class Stuck(gym.Env[Any, Any]):
    """Prints a lot, and then waits for ever."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        if self.steps > 100:
            time.sleep(3600)
        print("x" * 100_000)
        return np.zeros(2, np.float32), 1.0, self.steps % 10 == 0, False, {}


def test_a_loud_environment_that_hangs_is_ended_and_its_log_bounded(tmp_path: Path) -> None:
    spec = RunSpec(n_envs=1, n_steps=512, step_timeout=4.0)
    run = start_run(spec, tmp_path / "run", env=Stuck)
    assert run.wait(_DEADLINE) is RunState.FAILED
    assert "Stuck did not answer for 4 s in training" in run.status().message
    assert run.files.log_file.stat().st_size <= 4 * 1024 * 1024 + 1000
    assert "in step" in run.log_tail()  # where it waits
    assert not run.files.worker_is_alive()


def worker(files: RunDirectory, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a worker as a container does: by its command line, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter_ppo.training.worker", *options, str(files.path)],
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        env={**os.environ, "PYTHONPATH": _ROOT, "OMP_NUM_THREADS": "1"},
        check=False,
        **more,
    )


def test_a_full_disk_is_told_and_the_run_goes_on_until_its_folder_is_too_large(
    tmp_path: Path,
) -> None:
    files = new_files(tmp_path, small(total_steps=10**9, checkpoint_seconds=0.0))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no checkpoint fits

    done = worker(files, preexec_fn=no_room)
    assert done.returncode == 1, done.stderr
    status = files.read_status()
    assert status.state is RunState.FAILED
    assert status.message.startswith("The disk with ")
    assert "Free some space and resume" in status.message
    assert not list(files.path.rglob("*.ckpt"))

    done = worker(files, "--disk-bytes", "1000")
    assert done.returncode == 0, done.stderr
    assert "a training process begins" in done.stdout
    assert files.read_status().state is RunState.INTERRUPTED
    assert "larger than" in files.read_status().message
    assert files.checkpoints().newest() is not None


def test_a_second_worker_is_refused_with_the_first_one_s_process(tmp_path: Path) -> None:
    files = new_files(tmp_path)
    with files.locked_for_worker():
        done = worker(files)
    assert done.returncode == 2
    assert f"process {os.getpid()} works on" in done.stderr
    assert files.read_status().state is RunState.STARTING  # the other one's word


def test_an_edited_spec_is_refused_where_it_matters_and_told_where_it_does_not(
    tmp_path: Path,
) -> None:
    spec = small(seed=1)
    files = new_files(tmp_path, spec)
    files.checkpoints().write(
        1024,
        1,
        {},
        weights_sha256="",
        is_exact=True,
        extra={"spec": {**spec.to_dict(), "eval_every": 7, "gamma": 0.5}},
    )
    done = worker(files)
    assert done.returncode == 1
    status = files.read_status()
    assert status.state is RunState.FAILED
    assert status.message.startswith("gamma in spec.json was 0.5 and is 0.98 now.")
    (warning,) = [event for event in files.read_events() if event.kind is EventKind.WARNING]
    assert warning.message.startswith("eval_every in spec.json was 7 and is 0 now.")


_PARENT = """
import sys
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.training.launch import start_run
spec = spec_from_preset("cartpole-fast", total_steps=10**9, eval_every=0)
for name, detached in (("owned", False), ("detached", True)):
    print(start_run(spec, f"{sys.argv[1]}/{name}", detached=detached).worker_pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has started an owned worker and a detached one."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": _ROOT},
    )
    assert process.stdout is not None
    workers = [int(process.stdout.readline()) for _ in range(2)]
    with process:
        try:
            yield process
        finally:
            process.kill()
            for pid in workers:
                if not is_gone(pid):
                    os.kill(pid, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    # A zombie is gone: without an init process nobody reaps it here.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_an_owned_worker_ends_with_its_parent_and_a_detached_one_does_not(
    tmp_path: Path, parent: subprocess.Popen[str]
) -> None:
    owned, detached = (open_run(tmp_path / name) for name in ("owned", "detached"))
    until(lambda: min(owned.status().step, detached.status().step) > 0, "training")
    pid = owned.worker_pid
    assert pid is not None
    parent.kill()
    until(lambda: owned.state().has_ended, "the end of the owned run")
    assert owned.state() is RunState.INTERRUPTED
    assert owned.status().message == "The process that started the training ended."
    (*_, newest) = owned.checkpoints()
    assert newest.step == owned.status().step
    until(lambda: is_gone(pid), "the worker's exit")
    step = detached.status().step
    until(lambda: detached.status().step > step, "training without the parent")
    detached.stop()
    assert detached.wait(_DEADLINE) is RunState.STOPPED
    assert json.loads(detached.files.state_file.read_text())["state"] == "stopped"
