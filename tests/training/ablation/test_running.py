"""From runs to a document, and statistics against other formulations."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_ppo.domain.ablations import AblationResult, sentence_of
from jupyter_ppo.domain.errors import DamagedFileError, InvalidInputError, NotFoundError
from jupyter_ppo.training.ablation import running
from jupyter_ppo.training.ablation.experiments import EXPERIMENTS
from jupyter_ppo.training.ablation.running import OneRun, number_of, result_of, run_ablation
from jupyter_ppo.training.exports.comparison import interval_of, probability_of_improvement
from jupyter_ppo.widgets.ablation_files import load_ablation

SEEDS = (1, 2, 3, 4, 5)


def test_the_interval_is_that_of_a_bootstrap_of_interquartile_means() -> None:
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5]
    centre, low, high = interval_of(values)
    assert centre == pytest.approx(np.mean(sorted(values)[2:6]))
    drawn = np.random.default_rng(1).choice(values, (20_000, 8))
    means = np.sort(drawn)[:, 2:6].mean(axis=1)
    assert (low, high) == pytest.approx(np.percentile(means, (2.5, 97.5)), abs=0.15)
    assert interval_of([2.0]) == (2.0, 2.0, 2.0)
    with pytest.raises(InvalidInputError):
        interval_of([])


def test_the_probability_of_improvement_counts_pairs() -> None:
    new, old = [3.0, 1.0, 2.0], [2.0, 0.0]
    pairs = [(a > b) + 0.5 * (a == b) for a, b in product(new, old)]
    found = probability_of_improvement(new, old)
    assert found.probability == pytest.approx(np.mean(pairs))
    assert found.low <= found.probability <= found.high
    turned = probability_of_improvement(new, old, lower_is_better=True)
    assert turned.probability == pytest.approx(1 - found.probability)
    assert probability_of_improvement([1.0], [1.0]).probability == 0.5
    sure = probability_of_improvement([5.0, 6.0], [1.0, 2.0])
    assert (sure.low, sure.high) == (1.0, 1.0)
    with pytest.raises(InvalidInputError):
        probability_of_improvement([], [1.0])


def of_runs(baseline: list[float | None], other: list[float | None]) -> AblationResult:
    runs = {
        label: [OneRun(value, ((100.0, value or 0.0),)) for value in values]
        for label, values in (("on", baseline), ("off", other))
    }
    return result_of(EXPERIMENTS["core-9"], SEEDS, runs)


def test_a_document_says_what_its_numbers_say() -> None:
    result = of_runs([10.0, 11, 12, 13, 14], [1.0, 2, 3, 4, 5])
    assert result.baseline == "on"
    assert result.variants[0].better is None
    assert result.variants[1].iqm == 3
    better = result.variants[1].better
    assert better is not None
    assert better.high == 0
    assert "(worse: better than it with probability 0.00)" in result.sentence
    same = of_runs([10.0, 11, 12, 13, 14], [10.0, 11, 12, 13, 14])
    assert "not told apart" in same.sentence
    assert "(better: " in of_runs([1.0, 2, 3, 4, 5], [10.0, 11, 12, 13, 14]).sentence
    assert AblationResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_run_that_diverged_is_named_and_counts_as_worst() -> None:
    result = of_runs([10.0, 11, 12, 13, 14], [20.0, 20, 20, None, None])
    variant = result.variants[1]
    assert variant.final == (20.0, 20.0, 20.0, None, None)
    assert variant.iqm == 20
    assert "2 of 5 runs diverged" in result.sentence
    assert variant.better is not None
    assert variant.better.probability == 0.6
    nothing = of_runs([10.0, 11, 12, 13, 14], [None] * 5)
    assert nothing.variants[1].iqm is None
    assert "no number" in nothing.sentence


def test_returns_are_compared_by_the_height_of_their_curve() -> None:
    run = OneRun(9.0, ((1.0, 1.0), (2.0, 3.0), (3.0, 8.0)))
    assert number_of(EXPERIMENTS["core-9"], run) == 4
    assert number_of(EXPERIMENTS["core-12"], run) == 9
    assert number_of(EXPERIMENTS["core-9"], replace(run, final=None)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("number", 8),
        ("kind", "plot"),
        ("seeds", [1, 2, 3, 4]),
        ("seeds", [1, 2, 3, 4, 4]),
        ("variants", []),
        ("baseline", "off"),
        ("sentence", ""),
        ("metric", None),
        ("versions", None),
    ],
)
def test_a_document_that_is_not_in_the_format_is_refused(field: str, value: Any) -> None:
    document = {**of_runs([1.0] * 5, [2.0] * 5).to_dict(), field: value}
    with pytest.raises(InvalidInputError) as caught:
        AblationResult.from_dict(document)
    assert caught.value.field == field or field == "baseline"


def test_numbers_in_a_document_are_finite_and_as_many_as_the_seeds() -> None:
    for place, value in (("final", [1.0]), ("iqm", float("nan")), ("low", "1"), ("label", 3)):
        document = of_runs([1.0] * 5, [2.0] * 5).to_dict()
        document["variants"][1][place] = value
        with pytest.raises(InvalidInputError):
            AblationResult.from_dict(document)
    document = of_runs([1.0] * 5, [2.0] * 5).to_dict()
    document["variants"][1]["curve"] = {"steps": [1], "iqm": [], "low": [1], "high": [1]}
    with pytest.raises(InvalidInputError):
        AblationResult.from_dict(document)


def test_sentences_have_numbers_as_people_write_them() -> None:
    result = of_runs([12345.0, 12346, 12347, 12348, 12349], [0.000012] * 5)
    text = sentence_of(result.variants, "A note.")
    assert "12347 [" in text
    assert "1.2e-5" in text
    assert text.endswith("A note.")


def test_a_measured_detail_is_run_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int]] = []
    kept = tmp_path / "kept"
    result = run_ablation("lstm-3", SEEDS, folder=kept, tell=lambda *told_: told.append(told_))
    assert told[0] == ("reset", 1)
    assert len(told) == 10
    assert result.variants[0].final == (0.0,) * 5
    assert len(list(kept.iterdir())) == 10
    monkeypatch.setattr(running, "run_once", None)  # everything is kept: nothing runs again
    assert run_ablation("lstm-3", SEEDS, folder=kept) == result
    (tmp_path / "lstm-3.json").write_text(json.dumps(result.to_dict()))
    assert load_ablation("lstm-3", tmp_path) == result


def test_files_that_are_absent_damaged_or_unknown(tmp_path: Path) -> None:
    assert load_ablation("core-1", tmp_path) is None
    for text in ("{", "[]", '{"format": 1}', '{"format": 1, "variants": [{}]}'):
        (tmp_path / "core-1.json").write_text(text)
        with pytest.raises(DamagedFileError):
            load_ablation("core-1", tmp_path)
    with pytest.raises(NotFoundError):
        load_ablation("../core-1", tmp_path)
    with pytest.raises(InvalidInputError):
        run_ablation("lstm-3", (1, 2))


def test_a_tiny_training_gives_a_curve_and_a_number() -> None:
    experiment = EXPERIMENTS["core-5"]
    assert experiment.setting is not None
    tiny = replace(experiment, setting=replace(experiment.setting, steps=2048))
    run = running.run_once(tiny, tiny.config(0.95), 1)
    assert [step for step, _ in run.curve] == [512, 1024, 1536, 2048]
    assert number_of(tiny, run) == pytest.approx(np.mean([y for _, y in run.curve]), rel=1e-4)
