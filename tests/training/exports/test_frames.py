"""Tables of runs: tidy, without what was measured twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.training import Metric, MetricPoint
from jupyter_ppo.training.exports import FrameKind, runs_to_frame
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs that somebody else's loop logged."""
    for seed in (1, 2):
        given = {"env_id": "CartPole-v1", "seed": seed, "learning_rate": 1e-3}
        with RunLog(tmp_path / f"run{seed}", name="mine", **given) as run:  # type: ignore[arg-type]
            for step in (10, 20, 30):
                run.episode(step, step * seed, 5)
                run.log(step, loss=1 / step, **({"extra": 7} if seed == 2 else {}))
            run.evaluation(30, [1.0, 3.0], [4, 6], seed=100)
    return tmp_path


def test_a_row_is_an_update_of_a_run_at_its_step(folder: Path) -> None:
    frame = runs_to_frame(folder)
    assert list(frame.columns[:5]) == ["run", "name", "seed", "step", "seconds"]
    assert set(frame.columns[5:]) == {"loss", "extra"}
    assert len(frame) == 6
    one = frame[frame.seed == 1]
    assert one.step.tolist() == [10, 20, 30]
    assert one.loss.tolist() == [1 / 10, 1 / 20, 1 / 30]
    assert one.extra.isna().all()
    assert set(frame.run) == {"run1", "run2"}


def test_episodes_evaluations_and_runs_are_other_rows(folder: Path) -> None:
    episodes = runs_to_frame([folder / "run2", str(folder / "run1")], kind="episodes")
    assert episodes["return"].tolist() == [20, 40, 60, 10, 20, 30]
    assert episodes.episode.tolist() == [1, 2, 3, 1, 2, 3]
    found = runs_to_frame(open_run(folder / "run1"), kind="evaluations").iloc[0]
    assert (found.step, found.eval_return, found.eval_return_std, found.eval_length) == (
        30,
        2,
        1,
        5,
    )
    assert (found.episodes, found.eval_seed, found.deterministic) == (2, 100, True)
    runs = runs_to_frame(folder, kind=FrameKind.RUNS).set_index("run").loc["run1"]
    assert (runs.state, runs.step, runs.learning_rate, runs.seed) == ("finished", 30, 1e-3, 1)
    assert runs.batch_size is None, "a default of ours is not what that loop used"


def test_runs_of_workers_have_every_hyperparameter(trained: Trained) -> None:
    schedule = {"kind": "linear", "start": 1e-3, "end": 0.0}
    run = trained(learning_rate=schedule, eval_every=64, eval_episodes=2)
    row = runs_to_frame(run, kind="runs").iloc[0]
    assert (row.batch_size, row.gamma, row.policy_layers) == (32, 0.99, "[64, 64]")
    assert (row.learning_rate, row.activation) == ("linear 0.001 to 0", "tanh")
    updates = runs_to_frame(run)
    assert updates.step.tolist() == [64, 128], "the last update is there, each at its true step"
    assert updates.approx_kl.notna().all()
    assert runs_to_frame(run, kind="evaluations").step.tolist() == [64, 128]
    kept = runs_to_frame(run, metrics=["loss", "clip_fraction"])
    assert list(kept.columns[5:]) == ["loss", "clip_fraction"]


def test_what_a_resumed_run_measured_again_is_there_once(folder: Path) -> None:
    run = open_run(folder / "run1")
    writer = MetricWriter(run.files.metrics_file)
    writer.rewind(10)
    writer.add(MetricPoint(20, 0.5, {"loss": 5.0}))
    writer.close()
    assert runs_to_frame(run).loss.tolist() == [0.1, 5.0]


def test_runs_of_the_same_name_are_told_apart_and_the_same_run_counts_once(
    folder: Path, tmp_path: Path
) -> None:
    RunLog(tmp_path / "other" / "run1").close()
    both = runs_to_frame([folder / "run1", tmp_path / "other", folder / "run1"], kind="runs")
    assert both.run.tolist() == [str(folder / "run1"), str(tmp_path / "other" / "run1")]


def test_no_points_yet_is_an_empty_table(tmp_path: Path) -> None:
    RunLog(tmp_path / "run").close()
    for kind in ("updates", "episodes", "evaluations"):
        frame = runs_to_frame(tmp_path / "run", kind=kind)
        assert len(frame) == 0
        assert list(frame.columns[:4]) == ["run", "name", "seed", "step"]
    assert list(runs_to_frame(tmp_path / "run", [Metric.LOSS]).columns)[-1] == "loss"


def test_what_cannot_be_shown_is_named(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"kind: 'steps' .* updates, episodes"):
        runs_to_frame(folder, kind="steps")
    with pytest.raises(InvalidInputError, match=r"no run has 'los'.*loss"):
        runs_to_frame(folder, ["los"])
    with pytest.raises(NotFoundError, match="holds no training run"):
        runs_to_frame(folder / "nothing")
    with pytest.raises(InvalidInputError, match="run: NoneType is no run"):
        runs_to_frame(None)  # type: ignore[arg-type]


def test_importing_the_exports_loads_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_ppo.training.exports as exports; exports.runs_to_frame;"
        "exports.export_onnx; exports.export_tensorboard; exports.evaluate_run; exports.export_sb3;"
        "print([name for name in ('torch', 'pandas', 'onnx', 'tensorboard')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
