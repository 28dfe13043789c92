"""jupyter ppo runs, evaluate and export, on a small run that was trained once."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import open_run, start_run

Cli = Any
DEADLINE = 120.0
SPEC = RunSpec(
    total_steps=256,
    n_envs=4,
    n_steps=32,
    batch_size=64,
    n_epochs=1,
    eval_every=128,
    eval_episodes=3,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has finished; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    run = start_run(SPEC, folder, name="small", tags=("a", "b"))
    assert run.wait(DEADLINE) is RunState.FINISHED, run.status().message
    return folder


@pytest.fixture
def runs(cli: Cli, trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``./runs`` with a copy of that run in it."""
    shutil.copytree(trained, cli.home / "runs" / "mine")
    monkeypatch.chdir(cli.home)
    return Path(cli.home / "runs")


def test_runs_are_listed_also_those_of_several_seeds_and_damaged_ones(cli: Cli, runs: Path) -> None:
    shutil.copytree(runs / "mine", runs / "group" / "seed-4")
    (runs / "broken").mkdir()
    (runs / "broken" / "spec.json").write_text("{")
    status, out, err = cli("runs")
    assert status == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert sorted(line[0] for line in lines) == ["runs/group/seed-4", "runs/mine"]
    assert lines[0][1:4] == ["small", "CartPole-v1", "finished"]
    assert "broken" in err
    assert "spec.json" in err
    (one,) = json.loads(cli.ok("runs", "list", "runs/group", "--json"))
    assert one["status"]["step"] == 256
    assert one["spec"]["n_envs"] == 4
    assert not (cli.home / "data").exists(), "no database was opened"


def test_no_runs_are_no_error_and_a_folder_that_is_not_there_is_one(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for words, folder in (((), "runs"), (("list", "empty"), "empty")):
        status, out, err = cli("runs", *words)
        assert (status, out, err) == (0, "", f"no runs in {folder}\n")
    status, out, err = cli("runs", "list", "none")
    assert (status, out, err) == (1, "", "error: folder: there is no folder 'none'.\n")


def test_a_run_that_is_not_there_is_answered_with_names_that_are_close(
    cli: Cli, runs: Path
) -> None:
    for words in (("show", "mne"), ("trust", "mne"), ("show", "smal")):
        status, _, err = cli("runs", *words)
        assert status == 1
        assert f"{words[1]} holds no training run, and ./runs has none of that name." in err
        assert "Did you mean mine?" in err
    assert "Did you mean" not in cli("runs", "show", "quite-another")[2]
    assert cli.ok("runs", "list", "runs/mine").startswith("runs/mine\tsmall\t")


def test_one_run_is_shown(cli: Cli, runs: Path) -> None:
    said = cli.ok("runs", "show", "mine")
    assert said.splitlines()[0] == "runs/mine small: PPO on CartPole-v1"
    assert "finished, 256 of 256 steps" in said
    assert "  n_envs = 4" in said
    assert "gamma" not in said, "only what differs from the defaults"
    assert "evaluation after 256 steps" in said
    assert "checkpoint 256" in said
    data = json.loads(cli.ok("runs", "show", str(runs / "mine"), "--json"))
    assert data["tags"] == ["a", "b"]
    assert data["checkpoints"][-1]["step"] == 256
    assert len(data["evaluations"][-1]["returns"]) == 3


def test_a_run_is_renamed_and_deleted_only_when_asked_twice(cli: Cli, runs: Path) -> None:
    assert "other" in cli.ok("runs", "rename", "mine", "other", "--tag", "x")
    assert (open_run(runs / "mine").name, open_run(runs / "mine").tags) == ("other", ("x",))
    status, _, err = cli("runs", "delete", "mine")
    assert status == 1
    assert "--yes" in err
    assert (runs / "mine").exists()
    assert cli.ok("runs", "delete", "mine", "--yes") == "runs/mine deleted\n"
    assert not (runs / "mine").exists()


def test_what_has_ended_cannot_be_steered(cli: Cli, runs: Path) -> None:
    for words in (("pause",), ("change", "learning_rate=1e-4")):
        status, _, err = cli("runs", words[0], "mine", *words[1:])
        assert status == 1
        assert "this run is finished" in err
    status, _, err = cli("runs", "change", "mine", "gamma=0.9")
    assert "gamma: this cannot be changed while a run goes on" in err
    assert "finished" in cli.ok("runs", "stop", "mine")


def test_a_run_that_goes_on_is_paused_changed_and_stopped(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "long"
    run = start_run(SPEC.changed(total_steps=10**9, checkpoint_seconds=60), folder)
    try:
        while run.status().step == 0:
            assert not run.state().has_ended, run.status().message
            run.wait(0.05)
        said = cli.ok("runs", "change", str(folder), "clip_range=0.1")
        (change,) = [event for event in run.events() if event.kind == "changed"]
        assert f"step {change.step:,}: {change.message}" in said
        assert ": paused, " in cli.ok("runs", "pause", str(folder))
        assert run.state() is RunState.PAUSED
        assert ": stopped, " in cli.ok("runs", "stop", str(folder))
    finally:
        run.stop()
    assert run.wait(DEADLINE) is RunState.STOPPED


def test_the_log_is_shown_without_obeying_it(cli: Cli, runs: Path) -> None:
    (runs / "mine" / "worker.log").write_bytes(b"red \x1b[31m\xff\n")
    assert cli.ok("runs", "log", "mine").startswith("red \\x1b[31m")


def test_a_run_of_somebody_else_is_trusted_by_name_only(cli: Cli, runs: Path) -> None:
    status, _, err = cli("resume", "mine", "--steps", "512", "--quiet")
    assert status == 1, "the key that signed it is not ours: every test has folders of its own"
    assert "jupyter ppo runs trust" in err + open_run(runs / "mine").status().message
    said = cli.ok("runs", "trust", "mine")
    assert "model.zip" in said
    assert "checkpoints/" in said
    assert "finished, 512 of 512 steps" in cli.ok("resume", "mine", "--quiet")


def test_a_checkpoint_plays_on_held_out_seeds(cli: Cli, runs: Path) -> None:
    said = cli.ok("evaluate", "mine", "--episodes", "4", "--seed", "77")
    assert "4 episodes after 256 steps of training, seeds 77 to 80, most likely actions" in said
    found = json.loads(cli.ok("evaluate", "mine", "--episodes", "4", "--seed", "77", "--json"))
    assert (found["step"], found["seed"], len(found["returns"])) == (256, 77, 4)
    assert f"mean {sum(found['returns']) / 4:.2f}" in said
    for words, error in (
        (("--episodes", "0"), "eval_episodes"),
        (("--checkpoint", "3"), "3"),
    ):
        status, _, err = cli("evaluate", "mine", *words)
        assert status == 1
        assert error in err


def test_a_file_needs_an_environment_and_has_one_checkpoint(cli: Cli, runs: Path) -> None:
    model = shutil.copy(runs / "mine" / "model.zip", cli.home / "model.zip")
    status, _, err = cli("evaluate", str(model))
    assert status == 1
    assert "--env" in err
    status, _, err = cli("evaluate", str(model), "--env", "CartPole-v1", "--checkpoint", "256")
    assert status == 1
    assert "a file holds one model" in err


@pytest.mark.docker
@pytest.mark.image
def test_a_file_is_evaluated_in_the_sandbox_as_the_run_is_here(cli: Cli, runs: Path) -> None:
    here = json.loads(cli.ok("evaluate", "mine", "--episodes", "3", "--json"))
    model = shutil.copy(runs / "mine" / "model.zip", cli.home / "model.zip")
    words = ("evaluate", str(model), "--env", "CartPole-v1", "--episodes", "3", "--json")
    there = json.loads(cli.ok(*words))
    assert there["returns"] == here["returns"]
    assert there["seed"] == 1_000_000
    far, one = np.full(4, 1e3), np.ones(4)
    np.savez(cli.home / "normalisation.npz", obs_mean=far, obs_var=one, epsilon=1e-8, clip_obs=10.0)
    status, out, err = cli(*words)
    assert (status, "normalisation.npz" in err) == (0, True)
    assert max(json.loads(out)["returns"]) < 12, "what it sees is always the same"


def test_tables_have_every_point_and_replace_no_file(cli: Cli, runs: Path) -> None:
    points = open_run(runs / "mine").metrics()
    cli.ok("export", "mine", "--to", "csv", "out/run.csv")
    with (cli.home / "out" / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [point.step for point in points]
    returns = [float(row["return"]) for row in rows if row["return"]]
    assert returns == [point.values["return"] for point in points if "return" in point.values]
    cli.ok("export", "mine", "--to", "json", "out/run.json")
    data = json.loads((cli.home / "out" / "run.json").read_text())
    assert len(data["metrics"]) == len(points)
    assert len(data["evaluations"]) == 2
    assert math.isclose(data["status"]["step"], 256)
    status, _, err = cli("export", "mine", "--to", "csv", "out/run.csv")
    assert status == 1
    assert "exists already" in err
    status, _, err = cli("export", "mine", "--to", "csv", "x.csv", "--checkpoint", "256")
    assert "csv has the whole run" in err


def test_models_are_exported_and_compared(cli: Cli, runs: Path) -> None:
    said = cli.ok("export", "mine", "--to", "sb3", "out/model.zip")
    assert "Same actions as the checkpoint" in said
    assert (cli.home / "out" / "model.zip").exists()
    said = cli.ok("export", "mine", "--to", "tensorboard", "out/tb")
    assert list((cli.home / "out" / "tb").rglob("*tfevents*"))


def test_an_episode_is_exported_as_a_gif(cli: Cli, runs: Path) -> None:
    step = open_run(runs / "mine").checkpoints()[0].step
    words = ("export", "mine", "--to", "gif", "out/episode.gif", "--checkpoint", str(step))
    said = cli.ok(*words, "--seed", "7", "--max-steps", "5")
    assert said == f"out/episode.gif: return 5 in 5 steps, checkpoint of step {step}, seed 7\n"
    assert (cli.home / "out" / "episode.gif").read_bytes().startswith(b"GIF89a")
    status, _, err = cli(*words)
    assert (status, "exists already" in err) == (1, True)
    status, _, err = cli("export", "mine", "--to", "csv", "x.csv", "--seed", "7")
    assert (status, "seed: csv shows no episode" in err) == (1, True)


def test_the_figure_is_one_file_that_needs_no_network(cli: Cli, runs: Path) -> None:
    cli.ok("export", "mine", "--to", "html", "out/figure.html")
    text = (cli.home / "out" / "figure.html").read_text()
    assert "Approximate KL divergence" in text
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", text)


def test_a_run_that_waits_is_stopped_before_it_began(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "waits"
    folder.mkdir()
    RunDirectory(folder).create(SPEC, state=RunState.QUEUED)
    assert "queued, 0 of 256 steps" in cli.ok("runs", "show", str(folder))
    assert "stopped" in cli.ok("runs", "stop", str(folder))
    assert RunDirectory(folder).read_status() == RunStatus(
        RunState.STOPPED, message="Stopped before it began.", total_steps=256
    )
