"""Training runs as evidence: taken from a folder, checked when they come."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.autograde.run_evidence import checked_run, run_from_folder
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Evaluation, Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter, point_line

RUN: dict[str, Any] = {
    "spec": {"env_id": "CartPole-v1", "total_steps": 1000},
    "state": "finished",
    "step": 1024,
    "seconds": 1.5,
    "metrics": {"mean_return": {"count": 2, "first": 9, "last": 20, "min": 9, "max": 20}},
    "training_returns": [9.0, None, 31],
    "evaluations": [
        {
            "step": 512,
            "seed": 1_000_000,
            "deterministic": True,
            "episodes": 20,
            "mean": 90.5,
            "min": 9,
            "max": None,
        }
    ],
    "evaluation_returns": [500],
}


def test_a_run_keeps_what_it_says_and_gets_the_defaults_of_its_spec() -> None:
    found = checked_run(RUN)
    assert found["spec"] == RunSpec(total_steps=1000).to_dict()
    assert found["training_returns"] == [9.0, None, 31.0]
    assert found["metrics"]["mean_return"]["max"] == 20.0
    assert found["evaluations"][0]["mean"] == 90.5
    assert checked_run(json.loads(json.dumps(found))) == found


def test_a_run_that_was_never_evaluated_has_no_evaluations() -> None:
    found = checked_run({name: value for name, value in RUN.items() if name != "evaluations"})
    assert found["evaluations"] == []


def test_a_run_of_the_first_format_is_taken() -> None:
    found = checked_run({**RUN, "spec": {"learning_rate": 1e-3, "anneal_lr": True}})
    assert found["spec"]["learning_rate"] == {"kind": "linear", "start": 1e-3, "end": 0.0}


def test_a_loop_of_ones_own_may_have_names_of_its_own() -> None:
    summary = {"count": 1, "first": 1, "last": 1, "min": 1, "max": 1}
    found = checked_run({**RUN, "metrics": {"loss/critic": summary}})
    assert found["metrics"]["loss/critic"]["last"] == 1.0


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *steps, last, value = path

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for step in steps:
            place = place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_set("spec", None), "run.spec"),
        (_set("spec", "gamma", 2), "run.spec.gamma"),
        (_set("spec", "gama", 0.9), "run.spec.gama"),
        (_set("spec", "env_id", "../x"), "run.spec.env_id"),
        (_set("state", "done"), "run.state"),
        (_set("state", []), "run.state"),
        (_set("step", -1), "run.step"),
        (_set("step", 1.5), "run.step"),
        (_set("step", 10**30), "run.step"),
        (_set("seconds", float("nan")), "run.seconds"),
        (_set("seconds", 10**400), "run.seconds"),
        (_set("seconds", True), "run.seconds"),
        (_set("metrics", []), "run.metrics"),
        (_set("metrics", "speed", {}), "run.metrics.speed"),
        (_set("metrics", "<b>", {}), "run.metrics.<b>"),
        (_set("metrics", {f"m{i}": {} for i in range(201)}), "run.metrics"),
        (_set("evaluations", {}), "run.evaluations"),
        (_set("evaluations", [{}] * 1001), "run.evaluations"),
        (_set("evaluations", 0, 7), "run.evaluations[0]"),
        (_set("evaluations", 0, "seed", -1), "run.evaluations[0].seed"),
        (_set("evaluations", 0, "mean", "high"), "run.evaluations[0].mean"),
        (_set("evaluations", 0, "deterministic", 1), "run.evaluations[0].deterministic"),
        (_set("evaluations", 0, "more", 1), "run.evaluations[0]"),
        (_set("metrics", "mean_return", {"count": 1}), "run.metrics.mean_return"),
        (_set("metrics", "mean_return", "count", "2"), "run.metrics.mean_return.count"),
        (_set("metrics", "mean_return", "max", "x"), "run.metrics.mean_return.max"),
        (_set("training_returns", [0.0] * 101), "run.training_returns"),
        (_set("evaluation_returns", [0.0] * 10_001), "run.evaluation_returns"),
        (_set("evaluation_returns", "500"), "run.evaluation_returns"),
        (_set("evaluation_returns", 0, float("inf")), "run.evaluation_returns[0]"),
        (_set("weights", []), "run.weights"),
    ],
)
def test_what_is_wrong_in_a_run_is_named(
    change: Callable[[dict[str, Any]], None], field: str
) -> None:
    data = copy.deepcopy(RUN)
    change(data)
    with pytest.raises(InvalidInputError) as caught:
        checked_run(data)
    assert caught.value.field == field


def test_what_is_no_object_is_refused() -> None:
    for data in (None, [], "run", 3):
        with pytest.raises(InvalidInputError):
            checked_run(data)


def run_folder(folder: Path) -> RunDirectory:
    folder.mkdir()
    run = RunDirectory(folder)
    run.create(RunSpec(total_steps=1000, seed=7))
    run.write_status(RunStatus(RunState.FINISHED, 2048, 3.25, 630.0))
    points = [MetricPoint(i * 10, i * 0.1, {Metric.RETURN: float(i)}) for i in range(150)] + [
        MetricPoint(2048, 3.0, {Metric.EXPLAINED_VARIANCE: float("nan"), Metric.ENTROPY: 0.5})
    ]
    run.metrics_file.write_text("".join(point_line(point) + "\n" for point in points))
    return run


def test_a_folder_gives_its_spec_the_metrics_and_the_last_returns(tmp_path: Path) -> None:
    run_folder(tmp_path / "run")
    found = run_from_folder(tmp_path / "run", [500.0])
    assert found["spec"]["seed"] == 7
    assert (found["state"], found["step"], found["seconds"]) == ("finished", 2048, 3.25)
    assert found["training_returns"] == [float(i) for i in range(50, 150)]
    assert found["evaluation_returns"] == [500.0]
    whole = {"count": 150, "first": 0.0, "last": 149.0, "min": 0.0, "max": 149.0}
    assert found["metrics"]["return"] == whole
    nothing = {"count": 1, "first": None, "last": None, "min": None, "max": None}
    assert found["metrics"]["explained_variance"] == nothing


def test_a_folder_gives_its_evaluations_and_the_returns_of_the_last_one(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run")
    for step, returns in ((1024, (10.0, 30.0)), (2048, (500.0, 400.0))):
        run.append_evaluation(Evaluation(step, 1.0, 77, True, returns, (5, 5)))
    found = run_from_folder(run.path)
    assert [one["step"] for one in found["evaluations"]] == [1024, 2048]
    assert found["evaluations"][0] == {
        "step": 1024,
        "seed": 77,
        "deterministic": True,
        "episodes": 2,
        "mean": 20.0,
        "min": 10.0,
        "max": 30.0,
    }
    assert found["evaluation_returns"] == [500.0, 400.0]
    assert run_from_folder(run.path, [1.0])["evaluation_returns"] == [1.0]


def test_what_was_measured_again_counts_once(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run")
    writer = MetricWriter(run.metrics_file)
    writer.rewind(100)
    writer.add(MetricPoint(110, 2.0, {Metric.RETURN: 7.0}))
    writer.close()
    found = run_from_folder(run.path)
    assert found["metrics"]["return"]["count"] == 12
    assert found["training_returns"][-2:] == [10.0, 7.0]


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"spec\.json is missing"):
        run_from_folder(tmp_path)
    run = run_folder(tmp_path / "run")
    run.metrics_file.unlink()
    with pytest.raises(NotFoundError, match=r"metrics\.jsonl is missing"):
        run_from_folder(run.path)
    run.metrics_file.write_text('{"step": "x"}\n')  # a line of no writer of ours
    with pytest.raises(InvalidInputError, match=r"metrics\.jsonl"):
        run_from_folder(run.path)
