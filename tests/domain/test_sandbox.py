from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.sandbox import (
    BOUNDS,
    CellRun,
    LimitHit,
    NotebookRun,
    SandboxLimits,
    Verdict,
)

NAMES = [item.name for item in fields(SandboxLimits)]


def test_every_limit_has_bounds_and_a_default_within_them() -> None:
    assert set(BOUNDS) == set(NAMES)
    SandboxLimits()


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_outside_its_bounds_is_refused_by_name_with_its_range(name: str) -> None:
    bound = BOUNDS[name]
    for value in (bound["low"] - 1, bound["high"] + 1, "7", None, True, float("nan")):
        with pytest.raises(InvalidInputError, match=f"^{name}: ") as caught:
            SandboxLimits(**{name: value})
        assert caught.value.field == name
        assert str(bound["high"]) in caught.value.message


@given(st.data())
def test_any_value_within_the_bounds_is_accepted(data: Any) -> None:
    name = data.draw(st.sampled_from(NAMES))
    bound = BOUNDS[name]
    value = data.draw(st.floats(bound["low"], bound["high"]))
    assert getattr(SandboxLimits(**{name: value}), name) == value


def test_only_cells_that_ran_to_their_end_count_as_finished() -> None:
    cells = (CellRun(0, finished=True, seconds=0.1), CellRun(2, finished=False, seconds=3.0))
    run = NotebookRun({}, Verdict.CELL_TIMEOUT, "", cells, 3.1)
    assert run.finished == {0}


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_that_was_hit_reads_as_name_figure_and_unit(name: str) -> None:
    assert str(LimitHit(name, 7)) == f"{name}: 7 {BOUNDS[name]['unit']}"
    assert str(LimitHit(name, 0.5)).startswith(f"{name}: 0.5 ")


def test_limits_that_a_container_does_not_know_do_not_part_containers() -> None:
    ours = SandboxLimits()
    outside = SandboxLimits(
        cell_seconds=2, wall_seconds=3, output_bytes=2000, outputs=4, cells=5
    ).of_container
    assert outside == ours.of_container
    inside = {"memory_mb", "cpus", "pids", "file_mb", "disk_mb", "inodes", "open_files"}
    for name in inside:
        other = replace(ours, **{name: BOUNDS[name]["high"]})
        assert other.of_container != ours.of_container, name
