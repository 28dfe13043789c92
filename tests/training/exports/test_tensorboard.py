"""TensorBoard reads what was exported, under SB3's names, at the true steps."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.training.exports import export_tensorboard
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    with RunLog(tmp_path / "mine", learning_rate=1e-3, seed=4) as log:
        for step in range(1, 6):
            log.episode(step, 10 * step, 3)
            log.log(step, approx_kl=step / 100, entropy=math.nan if step == 2 else 0.5, my_own=step)
    return open_run(tmp_path / "mine")


def test_tensorboard_shows_every_metric_at_its_step(run: Run, tmp_path: Path) -> None:
    file = export_tensorboard(run, tmp_path / "logs")
    assert file.parent == tmp_path / "logs" / "mine"
    shown = EventAccumulator(str(file.parent)).Reload()
    tags = {"episode/return", "episode/length", "train/approx_kl", "train/entropy", "my_own"}
    assert set(shown.Tags()["scalars"]) == tags
    points = shown.Scalars("train/approx_kl")
    assert [point.step for point in points] == [1, 2, 3, 4, 5]
    assert [point.value for point in points] == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])
    assert [point.step for point in shown.Scalars("train/entropy")] == [1, 3, 4, 5]
    began = run.events()[0].at.timestamp()
    assert all(0 <= point.wall_time - began < 60 for point in points)


def test_hyperparameters_are_compared_on_their_own_page(run: Run, tmp_path: Path) -> None:
    file = export_tensorboard(run, tmp_path / "logs")
    shown = EventAccumulator(str(file.parent)).Reload()
    content = shown.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    values = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert values["learning_rate"].number_value == 1e-3
    assert values["seed"].number_value == 4
    assert values["policy_layers"].string_value == "[64, 64]"


def test_doing_it_again_replaces_what_was_written(run: Run, tmp_path: Path) -> None:
    export_tensorboard(run, tmp_path / "logs")
    file = export_tensorboard(run, tmp_path / "logs")
    assert list(file.parent.iterdir()) == [file]
    assert len(EventAccumulator(str(file.parent)).Reload().Scalars("my_own")) == 5


def test_where_nothing_can_be_written_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=r"folder: nothing can be written"):
        export_tensorboard(run, tmp_path / "file")
