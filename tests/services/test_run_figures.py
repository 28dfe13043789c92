"""A run's folder becomes rows, one for each update."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import EventKind, MetricPoint, RunEvent, RunState
from jupyter_ppo.services.run_figures import run_figures
from jupyter_ppo.services.training_reading import RunReader
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.tutor.run_rules import explain_run


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "run"
    path.mkdir()
    files = RunDirectory(path)
    files.create(RunSpec(target_kl=0.02), state=RunState.QUEUED)
    return files


def test_figures_are_one_row_per_update_whatever_else_was_measured(files: RunDirectory) -> None:
    writer = MetricWriter(files.metrics_file)
    for update in range(1, 21):
        writer.add(MetricPoint(update * 100 - 50, update, {"return": 3.0}))
        point = {"approx_kl": 0.2 if update == 15 else 0.01 + 0.001 * (update % 3)}
        if update % 2:
            point["mean_return"] = float(update)
        writer.add(MetricPoint(update * 100, update, point))
    writer.close()
    found = run_figures(RunReader(files.path), RunSpec(target_kl=0.02))
    assert list(found.steps) == [100 * update for update in range(1, 21)]
    assert found.values["mean_return"][:1] == [1.0]
    assert math.isnan(found.values["mean_return"][1])
    assert found.settings["target_kl"] == 0.02
    assert explain_run(found).update == 15


def test_what_a_rewind_took_away_is_no_row(files: RunDirectory) -> None:
    writer = MetricWriter(files.metrics_file)
    for step in (100, 200, 300):
        writer.add(MetricPoint(step, step, {"approx_kl": 0.5}))
    writer.rewind(100)
    writer.add(MetricPoint(200, 200, {"approx_kl": 0.01}))
    writer.close()
    found = run_figures(RunReader(files.path), RunSpec())
    assert list(found.steps) == [100, 200]
    assert list(found.values["approx_kl"]) == pytest.approx([0.5, 0.01])


def test_live_changes_are_told_as_numbers_only(files: RunDirectory) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    data = {"learning_rate": 0.003, "clip_range": "<script>", "evil": 3.0, "id": "x"}
    files.append_event(RunEvent(at, EventKind.CHANGED, 150, "", data))
    files.append_event(RunEvent(at, EventKind.WARNING, 160, "oh", {"learning_rate": 1.0}))
    found = run_figures(RunReader(files.path), RunSpec())
    assert found.changes == ((150, "learning_rate to 0.003"),)
    assert list(found.steps) == []
