"""jupyter ppo train and resume: real runs, followed in the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.cli.parser import build_parser
from jupyter_ppo.cli.run_folders import given_value
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.launch import open_run

Cli = Any
Command = Callable[..., subprocess.Popen[str]]
DEADLINE = 120.0
SMALL = (
    *("--preset", "sb3-defaults", "--steps", "64"),
    *("--set", "n_envs=2", "--set", "n_steps=16", "--set", "batch_size=16", "--set", "n_epochs=1"),
)


def test_a_run_is_trained_reported_and_extended(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cli.home)
    said = cli.ok(
        "train", *SMALL, "--out", "runs/mine", "--seed", "3", "--name", "first", "--quiet"
    )
    assert said.splitlines()[0] == "run runs/mine"
    assert "runs/mine: finished, 64 of 64 steps in " in said
    run = open_run(cli.home / "runs" / "mine")
    assert (run.spec.seed, run.spec.n_envs, run.name) == (3, 2, "first")
    assert run.files.model_file.exists()
    status, _, err = cli("resume", "mine")
    assert status == 1
    assert "this run has finished after 64 steps. A later end trains it further" in err
    assert "--steps 128" in err
    assert "finished, 128 of 128 steps" in cli.ok("resume", "mine", "--steps", "128", "--quiet")
    assert not (cli.home / "data").exists(), "no database was opened"


def test_several_seeds_are_trained(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cli.home)
    said = cli.ok("train", *SMALL, "--out", "runs/group", "--seeds", "0,5", "--quiet")
    assert said.count("finished, 64 of 64 steps") == 2
    assert sorted(path.name for path in (cli.home / "runs" / "group").iterdir()) == [
        "seed-0",
        "seed-5",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "no id"), "env_id: 'no id'"),
        (("train", "--steps", "many"), "total_steps: 'many' is not"),
        (("train", "--set", "gamma"), "set: 'gamma' is not NAME=VALUE"),
        (("train", "--set", "gama=0.9"), "gama: there is no such hyperparameter. Did you mean"),
        (("train", "--set", "gamma=2"), "gamma: 2 is out of range: use 0 to 1"),
        (("train", "--set", "learning_rate=linear:x"), "learning_rate.start"),
        (("train", "--seeds", "0,zwei"), "seed: 'zwei' is not"),
        (("train", "--seeds", "0,1,2", "--detach"), "2 runs train at the same time"),
        (("train", "Corridor-v0", "--preset", "rl-zoo"), "rl-zoo has no values"),
        (("train", "CartPol-v1"), "Did you mean CartPole-v1"),
        (("train", "--set", "learning_rate=foo:1:0"), "linear:1e-3:0"),
        (("train", "--set", "clip_range=linear"), "clip_range: 'linear' is neither"),
        (("train", "--seed", "-1"), "seed: -1 is out of range"),
        (("resume", "nowhere"), "holds no training run"),
    ],
)
def test_what_cannot_be_trained_is_named_and_nothing_is_left(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(cli.home)
    status, out, err = cli(*words)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert said in err
    assert list((cli.home / "runs").glob("*")) == []


def test_classic_mistakes_are_warned_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cli.home)
    _, _, err = cli("train", *SMALL, "--set", "batch_size=12", "--quiet")
    assert "warning: batch_size: 12 does not divide" in err


def test_a_failed_run_says_why_and_gives_status_1(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cli.home)
    status, out, _ = cli("train", "no_such_module:NoSuchEnv-v0", *SMALL, "--quiet")
    assert status == 1
    assert "failed, 0 of 64 steps" in out
    assert "NoSuchEnv" in out
    assert "when that is mended, go on with: jupyter ppo resume runs/" in out


@pytest.fixture
def command(cli: Cli) -> Iterator[Command]:
    """Start a command as a process; after the test nothing of it or of its training is left."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_ppo.cli", *words, *cli.settings],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cli.home,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
    for spec in (cli.home / "runs").glob("*/spec.json"):
        pid = open_run(spec.parent).worker_pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def wait_for_steps(folder: Path, more_than: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        assert time.monotonic() < deadline
        if (folder / "spec.json").exists():
            status = open_run(folder).status()
            assert not status.state.has_ended, status.message
            if status.step > more_than:
                return
        time.sleep(0.05)


def test_ctrl_c_stops_with_a_checkpoint_and_says_how_to_go_on(cli: Cli, command: Command) -> None:
    folder = cli.home / "runs" / "long"
    process = command("train", "--steps", "1e9", "--out", "runs/long")
    wait_for_steps(folder, 0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, err
    assert "stopping with a checkpoint" in err
    assert "go on with: jupyter ppo resume runs/long" in out
    run = open_run(folder)
    assert run.state() is RunState.STOPPED
    stopped_at = run.status().step
    assert run.checkpoints()[-1].step == stopped_at
    process = command("resume", "long", "--detach")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    wait_for_steps(folder, stopped_at)  # the command has ended, the training goes on
    run.stop()
    assert run.wait(DEADLINE) is RunState.STOPPED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e5", 1e5),
        ("None", None),
        ("true", True),
        ("[64, 64]", [64, 64]),
        ("relu", "relu"),
        ("linear:1e-3", {"kind": "linear", "start": 1e-3}),
        ("cosine:1e-3:1e-5", {"kind": "cosine", "start": 1e-3, "end": 1e-5}),
        ('{"size": 3}', {"size": 3}),
        ("linear", "linear"),
    ],
)
def test_values_are_read_as_they_are_meant(text: str, value: Any) -> None:
    assert given_value(text, "x") == value


def test_the_command_starts_without_torch() -> None:
    heavy = {"torch", "stable_baselines3", "gymnasium", "pandas", "onnx", "tensorboard"}
    code = f"import sys, jupyter_ppo.cli.parser; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        timeout=DEADLINE,
    )
    assert done.stdout == "[]\n"


def test_seed_and_seeds_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["train", "--seed", "1", "--seeds", "1,2"])
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_ctrl_c_while_the_command_is_loaded_ends_it_quietly() -> None:
    code = """
import os, signal, sys

class CtrlC:
    def find_spec(self, name, *_):
        if name == "jupyter_ppo.cli.runs":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
from jupyter_ppo.cli import main
sys.exit(main(["train"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        timeout=DEADLINE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
