"""The precomputed files and the page about them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from jupyter_ppo.domain.ablations import AblationResult, sentence_of
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.training.ablation.experiments import EXPERIMENTS
from jupyter_ppo.training.ablation.running import compare
from jupyter_ppo.training.exports.comparison import interval_of
from jupyter_ppo.widgets.ablation_files import ABLATION_FOLDER, load_ablation

PAGE = Path(__file__).parents[3] / "docs" / "ablations.md"
KEYS = [detail.key for detail in DETAILS]
MEASURED = [key for key in KEYS if (ABLATION_FOLDER / f"{key}.json").exists()]


def read(key: str) -> AblationResult:
    result = load_ablation(key)
    assert result is not None
    return result


def ablation_table() -> str:
    """Return the table of ``docs/ablations.md``."""
    lines = ["| detail | varied (`flag`) | where | what the numbers say |"]
    lines.append("| --- | --- | --- | --- |")
    for detail in DETAILS:
        experiment = EXPERIMENTS[detail.key]
        name = f"{detail.number} {detail.title}" if detail.number else detail.title
        result = load_ablation(detail.key)
        said = "Not measured yet." if result is None else result.sentence
        if result is not None:
            unit = f" ({result.unit})" if result.unit else ""
            said = f"{result.metric}{unit}. {said}"
        varied = f"{experiment.varied} (`{experiment.flag}`)"
        place = experiment.environment
        lines.append(f"| `{detail.key}` {name} | {varied} | {place} | {said} |")
    return "\n".join(lines)


def test_no_file_belongs_to_no_detail() -> None:
    assert sorted(path.name for path in ABLATION_FOLDER.iterdir()) == sorted(
        f"{key}.json" for key in MEASURED
    )


@pytest.mark.parametrize("key", MEASURED)
def test_a_file_is_small_and_of_the_experiment_that_the_code_has(key: str) -> None:
    path, result, experiment = ABLATION_FOLDER / f"{key}.json", read(key), EXPERIMENTS[key]
    assert path.stat().st_size < 8 * 1024
    json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert result.key == key
    assert len(result.seeds) >= 5
    assert [variant.label for variant in result.variants] == [v[0] for v in experiment.variants]
    assert (result.flag, result.varied) == (experiment.flag, experiment.varied)
    assert (result.environment, result.metric) == (experiment.environment, experiment.metric)
    assert (result.unit, result.lower_is_better) == (experiment.unit, experiment.lower_is_better)
    steps = experiment.setting.steps if experiment.setting else 0
    assert result.steps == steps
    assert set(result.versions) == {"python", "torch", "numpy", "gymnasium"}
    assert result.sentence == sentence_of(result.variants, experiment.note)
    assert (result.kind == "return") == experiment.is_return == bool(result.curve_metric)


@pytest.mark.parametrize("key", MEASURED)
def test_the_stored_intervals_follow_from_the_stored_numbers(key: str) -> None:
    result = read(key)
    baseline = result.variants[0]
    for variant in result.variants:
        numbers = [value for value in variant.final if value is not None]
        stored = (variant.iqm, variant.low, variant.high)
        assert stored == pytest.approx(interval_of(numbers), rel=1e-4)
        if variant is baseline or result.lower_is_better is None:
            assert variant.better is None
        else:
            again = compare(variant.final, baseline.final, lower_is_better=result.lower_is_better)
            assert variant.better == again
        if variant.curve is not None:
            assert list(variant.curve.steps) == sorted(variant.curve.steps)
            assert variant.curve.steps[-1] <= result.steps
            rows = zip(variant.curve.low, variant.curve.iqm, variant.curve.high, strict=True)
            assert all(low <= iqm <= high for low, iqm, high in rows)
        assert result.kind == "measurement" or variant.curve is not None
    if result.log_scale:
        assert all((value or 0) > 0 for v in result.variants for value in v.final)
    assert all(math.isfinite(value) for v in result.variants for value in v.final if value)


def test_the_table_of_the_page_is_that_of_the_files() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- ablations: made from the files -->\n")[1]
    table = table.split("\n<!-- end of ablations -->")[0].strip()
    assert table == ablation_table(), f"put this into docs/ablations.md:\n{ablation_table()}"
