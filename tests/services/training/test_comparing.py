"""Several runs side by side: bands of equal settings, and how good each run is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_records import TrainingRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.statistics import Statistic
from jupyter_ppo.domain.training import MetricPoint
from jupyter_ppo.services import training_comparing
from jupyter_ppo.services.training_comparing import MAX_RUNS, TrainingComparing
from jupyter_ppo.training.metric_log import MetricWriter

ADA, BOB = Caller("ada"), Caller("bob")
SPEC = RunSpec(total_steps=10_000, n_steps=100, batch_size=50)


class World:
    """Runs that nobody trains; the test writes what they measured."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.service = server.service
        self.comparing = TrainingComparing(server.service)
        self._folder = folder

    def add(self, *seeds: int, **changes: Any) -> tuple[TrainingRun, ...]:
        specs = tuple(SPEC.changed(seed=seed, **changes) for seed in seeds)
        made: tuple[TrainingRun, ...] = self.service.create(ADA, specs).runs
        return made

    def measure(self, run: TrainingRun, *values: float, metric: str = "return") -> None:
        (self._folder / str(run.id)).mkdir(parents=True, exist_ok=True)
        writer = MetricWriter(self._folder / str(run.id) / "metrics.jsonl")
        for number, value in enumerate(values):
            writer.add(MetricPoint(100 * (number + 1), 0.1, {metric: value}))
        writer.close()

    def bands(self, *runs: TrainingRun, metrics: tuple[str, ...] = ("return",)) -> Any:
        ids = [run.id for run in runs]
        return self.comparing.bands(ADA, ids, metrics, Statistic.MEDIAN_IQR)


@pytest.fixture
def world(serve: Callable[..., Any], folder: Path) -> World:
    return World(serve(workers=0), folder)


def test_settings_come_in_the_order_of_their_first_runs(world: World) -> None:
    wide, other = world.add(0, 1, n_steps=200)
    [narrow] = world.add(0)
    for run, value in ((wide, 1.0), (other, 3.0), (narrow, 9.0)):
        world.measure(run, value, value)
    first, second = world.bands(narrow, wide, other)
    assert (first.run_ids, first.settings) == ((narrow.id,), {"n_steps": 100})
    assert (second.run_ids, second.settings) == ((wide.id, other.id), {"n_steps": 200})
    assert second.band.centre[-1] == 2.0


def test_a_run_without_the_metric_is_left_out_and_one_metric_does_not_hide_another(
    world: World,
) -> None:
    one, two, empty = world.add(0, 1, 2)
    world.measure(one, 1.0)
    world.measure(two, 2.0)
    world.measure(two, 5.0, metric="my own")
    found = world.bands(one, two, empty, metrics=("return", "my own", "entropy"))
    assert [(each.metric, each.run_ids) for each in found] == [
        ("return", (one.id, two.id)),
        ("my own", (two.id,)),
    ]


def test_a_name_that_no_run_has_is_refused_with_the_one_that_was_meant(world: World) -> None:
    [run] = world.add(0)
    world.measure(run, 1.0, metric="my own")
    with pytest.raises(InvalidInputError, match="Did you mean my own") as caught:
        world.bands(run, metrics=("my_own",))
    assert caught.value.field == "metric"


def test_runs_of_others_are_as_if_they_were_not_there(world: World) -> None:
    [run] = world.add(0)
    with pytest.raises(NotFoundError):
        world.comparing.bands(BOB, [run.id], ["return"], Statistic.MEDIAN_IQR)
    admin = Caller("root", admin=True)
    assert world.comparing.bands(admin, [run.id], ["return"], Statistic.MEDIAN_IQR) == ()


def test_too_much_is_refused_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = world.add(0, 1)
    world.measure(one, 1.0)
    world.measure(two, 1.0)
    monkeypatch.setattr(training_comparing, "MAX_SERIES_BYTES", 50)
    assert len(world.bands(one)) == 1
    with pytest.raises(InvalidInputError, match="Name fewer runs") as caught:
        world.bands(one, two)
    assert caught.value.field == "ids"
    many = world.add(*range(MAX_RUNS - 2))
    with pytest.raises(InvalidInputError, match="metric"):
        world.bands(one, metrics=tuple(f"m{number}" for number in range(21)))
    assert len(many) + 2 == MAX_RUNS


def test_the_newest_returns_are_those_that_count(world: World, folder: Path) -> None:
    run, empty, gone = world.add(0, 1, 2)
    world.measure(run, 1.0, 2.0, 3.0, metric="mean_return")
    writer = MetricWriter(folder / str(run.id) / "metrics.jsonl")
    writer.rewind(200)
    writer.add(MetricPoint(250, 0.1, {"eval_return": 7.0}))
    writer.close()
    world.service.delete(ADA, gone.id)
    found = world.comparing.latest(ADA, [run, empty, gone])
    assert found == ((2.0, 7.0), (None, None), (None, None))
