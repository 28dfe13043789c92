"""What the figures of a run say about one update."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.tutor.run_rules import RunFigures, explain_run, moved_at

UPDATES = 60


def wave(base: float, size: float) -> list[float]:
    """Return figures that move a little around ``base``, the same every time."""
    return [base + size * math.sin(1.7 * i) for i in range(UPDATES)]


def calm() -> dict[str, list[float]]:
    return {
        "approx_kl": wave(0.008, 0.002),
        "clip_fraction": wave(0.1, 0.02),
        "entropy": wave(0.6, 0.01),
        "explained_variance": wave(0.8, 0.02),
        "value_loss": wave(12.0, 1.0),
        "learning_rate": [3e-4] * UPDATES,
        "mean_return": wave(200.0, 5.0),
    }


def figures(values: dict[str, list[float]], changes: Sequence[tuple[int, str]] = ()) -> RunFigures:
    return RunFigures([1024 * (i + 1) for i in range(UPDATES)], values, {"epochs": 10.0}, changes)


def titles(found: Sequence[object]) -> set[str]:
    return {cause.title for cause in found}  # type: ignore[attr-defined]


def test_a_spike_of_kl_is_found_and_told_with_its_numbers() -> None:
    values = calm()
    values["approx_kl"][39], values["clip_fraction"][39] = 0.2, 0.55
    found = explain_run(figures(values))
    assert (found.update, found.step, found.was_chosen) == (40, 40 * 1024, True)
    kl = next(fact for fact in found.facts if "(approx_kl)" in fact)
    assert "): 0.2, usually 0.00" in kl
    assert "0.008" in kl
    assert "above, unusual" in kl
    assert titles(found.supported) == {"steps that are too large", "much is clipped"}
    assert "a learning rate that is too high" in titles(found.unsupported)
    assert "Update 40 (step 40,960) is the most striking one" in found.text
    assert "target_kl" in found.text


def test_the_update_that_is_asked_about_is_the_one_explained() -> None:
    values = calm()
    values["approx_kl"][39] = 0.2
    found = explain_run(figures(values), 20)
    assert (found.update, found.was_chosen) == (20, False)
    assert "Nothing there is far from what was usual" in found.text
    assert found.supported == ()


@pytest.mark.parametrize(
    ("metric", "value", "title"),
    [
        ("entropy", 0.05, "exploration that collapsed"),
        ("explained_variance", -0.4, "a critic that does not follow"),
        ("value_loss", 900.0, "returns that jumped"),
        ("learning_rate", 1e-2, "a learning rate that is too high"),
        ("mean_return", 20.0, "a policy that got worse"),
    ],
)
def test_each_figure_supports_its_cause_and_no_other(metric: str, value: float, title: str) -> None:
    values = calm()
    values[metric][30] = value
    assert titles(explain_run(figures(values), 31).supported) == {title}


def test_a_change_just_before_is_a_fact_and_a_cause() -> None:
    changed = [(30 * 1024 + 1, "learning_rate to 0.003"), (5, "clip_range to 0.1")]
    found = explain_run(figures(calm(), changed), 31)
    assert "a change while it ran" in titles(found.supported)
    assert any("learning_rate to 0.003" in fact for fact in found.facts)
    assert not any("clip_range to 0.1" in fact for fact in found.facts)


def test_metrics_that_were_not_measured_are_neither_facts_nor_causes() -> None:
    found = explain_run(RunFigures(range(1, 61), {"approx_kl": wave(0.008, 0.002)}, {}), 10)
    assert len(found.facts) == 1
    assert titles(found.unsupported) == {"steps that are too large"}


@pytest.mark.parametrize("update", [0, 61, -1, 10**9])
def test_an_update_that_there_is_not_is_refused(update: int) -> None:
    with pytest.raises(InvalidInputError) as refused:
        explain_run(figures(calm()), update)
    assert refused.value.field == "update"


def test_a_run_without_updates_is_refused() -> None:
    with pytest.raises(InvalidInputError) as refused:
        explain_run(RunFigures([], {}, {}))
    assert refused.value.field == "run_id"


def test_a_spike_does_not_hide_behind_an_earlier_one() -> None:
    values = [0.01 + 0.001 * (i % 3) for i in range(40)]
    values[10] = 5.0
    values[30] = 0.05
    found = moved_at("approx_kl", values, 30)
    assert found.deviations is not None
    assert found.deviations > 3.5


def test_deviations_are_those_of_the_definition() -> None:
    others = [1.0, 2.0, 3.0, 4.0, 5.0]  # median 3, median absolute deviation 1
    found = moved_at("value_loss", [*others, 10.0], 5)
    assert found.deviations == pytest.approx(7.0 / 1.4826)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50),
    st.data(),
)
def test_any_figures_can_be_told(values: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    found = moved_at("approx_kl", values, at)
    assert found.deviations is None or abs(found.deviations) <= 99
    steps = list(range(1, len(values) + 1))
    text = explain_run(RunFigures(steps, {"approx_kl": values}, {}), at + 1).text
    assert "nan robust" not in text


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=40),
    st.floats(0.001, 1000),
    st.floats(-1e3, 1e3),
)
def test_units_do_not_matter(values: list[float], scale: float, shift: float) -> None:
    values = [round(value, 3) for value in values]
    values[-1] += 1.0
    moved = [scale * value + shift for value in values]
    before = moved_at("loss", values, len(values) - 1).deviations
    after = moved_at("loss", moved, len(values) - 1).deviations
    assert before is not None
    assert after is not None
    assert after == pytest.approx(before, rel=1e-3, abs=1e-3)
