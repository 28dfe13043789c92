"""The bars on returns of the course's checks: what they compare, and how that is counted."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("return_bars", "return_measures", "return_report", "return_variants")


@pytest.fixture(scope="module")
def tools() -> Iterator[dict[str, ModuleType]]:
    before = set(sys.modules)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield {name: importlib.import_module(name) for name in MODULES}
    sys.path.remove(str(ROOT / "benchmarks"))
    for name in set(sys.modules) - before:
        if str(ROOT / "benchmarks") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="module")
def measures(tools: dict[str, ModuleType]) -> ModuleType:
    return tools["return_measures"]


@pytest.fixture(scope="module")
def report(tools: dict[str, ModuleType]) -> ModuleType:
    return tools["return_report"]


def test_a_check_fails_when_all_of_its_seeds_do(report: ModuleType) -> None:
    values = (9.0, 50.0, 35.0, 7.0)
    assert report.of_values(values, 35.0, 1).share == 0.5
    best = report.of_values(values, 35.0, 3)
    assert (best.reached, best.trained, best.share) == (2, 4, 0.875)
    low, high = report.wilson(2, 4)
    assert best.interval == pytest.approx((1 - (1 - low) ** 3, 1 - (1 - high) ** 3))


def test_a_training_that_gives_nothing_does_not_reach_a_bar(report: ModuleType) -> None:
    found = report.of_values((None, 40.0, None), 35.0, 1)
    assert found.reached == 1
    assert found.text == "1/3, none"
    assert report.percentile([3.0, None, 5.0], 0.5) == 3.0
    assert report.percentile([3.0, None, 5.0], 0.01) is None


def test_the_interval_of_a_share_is_wilsons(report: ModuleType) -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for passed, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert report.wilson(passed, of) == pytest.approx((low, high), abs=5e-5)


def test_limits_and_seeds_are_read_from_the_test_cells(measures: ModuleType) -> None:
    found = {
        (study.name, bar.name): (bar.limit(study.cells), bar.attempts(study.cells))
        for study in measures.STUDIES
        for bar in study.bars
    }
    assert found == {
        ("train_reinforce", "small table"): (3, 1),
        ("train_reinforce", "short CartPole"): (35, 3),
        ("train_ppo", "probes 1 to 3"): (4, 1),
        ("train_ppo", "probes 4 to 6"): (3, 1),
        ("train_ppo", "CartPole"): (200, 2),
        ("train_capstone", "CartPole"): (490, 1),
        ("train_capstone", "other poles"): (460, 1),
    }


def test_a_comparison_that_is_not_in_the_cell_is_told(measures: ModuleType) -> None:
    bar = measures.Bar("b", "cell", "what", r"assert best >= ([\d.]+)")
    assert bar.limit({"cell": "assert best >= 35, 'more'"}) == 35.0
    with pytest.raises(ValueError, match="0 places"):
        bar.limit({"cell": "assert best > 35"})


def test_every_broken_answer_can_be_made(tools: dict[str, ModuleType]) -> None:
    for study in tools["return_measures"].STUDIES:
        broken = tools["return_variants"].broken_answers(study.exercise)
        assert len(broken) >= 5
        assert study.exercise.solution not in broken.values()
        assert len(set(broken.values())) == len(broken)
    with pytest.raises(ValueError, match="the solution has no 'x'"):
        tools["return_variants"].changed("y = 1", (("x", "y"),))


def test_what_learns_passes_and_what_learns_the_opposite_does_not(
    tools: dict[str, ModuleType],
) -> None:
    (study, *_) = tools["return_measures"].STUDIES
    limits = {bar.name: bar.limit(study.cells) for bar in study.bars}
    right = study.run(study.exercise.solution, 5)
    assert {name for name in limits if right[name] >= limits[name]} == set(limits)
    broken = tools["return_variants"].broken_answers(study.exercise)
    wrong = study.run(broken["the sign"], 5)
    assert {name for name in limits if wrong[name] >= limits[name]} == set()


def test_limits_may_change_without_measuring_again(
    measures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (study, *_) = measures.STUDIES
    before = measures.kept_path(study, "answer")
    cells = measures._graded_cells(study.notebook)
    other = re.sub(r">= 35\b", ">= 36", cells["train_property"])
    other = re.sub(r"for seed in \([^)]*\):", "for seed in (1, 2, 3, 4):", other)
    monkeypatch.setattr(measures, "_test_cells", lambda _: cells | {"train_property": other})
    assert measures.kept_path(study, "answer") == before
    assert measures.kept_path(study, "another") != before


def test_the_tables_are_those_of_todays_bars_and_every_broken_answer_loses_points(
    tools: dict[str, ModuleType],
) -> None:
    text = (ROOT / "docs" / "course-checks.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- return-bars -->")
    tables, _, _ = rest.partition("<!-- end -->")
    remedy = "run: python benchmarks/return_bars.py, then with --report"
    for study in tools["return_measures"].STUDIES:
        for bar in study.bars:
            row = rf"\| {study.notebook[:2]} \| `{bar.cell}`: {bar.name} \| [^|]* \| (\d+)(.*?) \|"
            found = re.search(row, tables)
            assert found, remedy
            assert float(found[1]) == bar.limit(study.cells), remedy
            attempts = bar.attempts(study.cells)
            best = f", the best of {attempts} seeds" if attempts > 1 else ""
            assert found[2] == best, remedy
        for name in tools["return_variants"].broken_answers(study.exercise):
            assert re.search(rf"^\| {re.escape(name)} \| .*`\w+` \|$", tables, re.M), remedy
    shares = re.findall(r"\| (\d+\.?\d*) % \(from ", tables)
    assert len(shares) == sum(len(study.bars) for study in tools["return_measures"].STUDIES)
    assert min(map(float, shares)) >= 100 * tools["return_report"].LEAST_RIGHT
