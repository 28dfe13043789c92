"""docs/training.md says what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Hyperparameter, Kind
from jupyter_ppo.domain.presets import Preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import ScheduleKind
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.files import RunDirectory

PAGE = (Path(__file__).parent.parent / "docs" / "training.md").read_text(encoding="utf-8")


def _number(value: float) -> str:
    if float(value).is_integer() and (abs(value) < 10**7 or value % 10**6):
        return str(int(value))
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def _range(one: Hyperparameter) -> str:
    match one.kind:
        case Kind.FLAG:
            return "True, False"
        case Kind.CHOICE:
            return ", ".join(f"`{choice}`" for choice in one.choices)
        case Kind.LAYERS:
            return f"up to 8, each {_number(one.low)} to {_number(one.high)}"
        case _:
            off = " or None" if one.can_be_none else ""
            return f"{_number(one.low)} to {_number(one.high)}{off}"


def _default(one: Hyperparameter) -> str:
    value = RunSpec().to_dict()[one.name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _number(value) if is_number else str(value)


def table() -> str:
    lines = ["| name | default | range | unit | meaning | source |", "| --- " * 6 + "|"]
    group = None
    for one in HYPERPARAMETERS.values():
        if one.group is not group:
            group = one.group
            lines.append(f"| **{group}** | | | | | |")
        meaning = f"{one.meaning}; live" if one.is_live else one.meaning
        source = re.sub(r"\[([SGHR])\]", r"\1", one.source)
        meaning = meaning.replace("|", "\\|")
        cells = (f"`{one.name}`", _default(one), _range(one), one.unit, meaning, source)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_the_table_of_hyperparameters_is_the_one_in_the_code() -> None:
    page = PAGE.split("out of date -->\n")[1].split("<!-- end of hyperparameters -->")[0].strip()
    assert page == table(), f"put this into docs/training.md:\n{table()}"


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_is_explained(state: RunState) -> None:
    assert f"\n| {state} |" in PAGE


@pytest.mark.parametrize("name", [*Preset, *ScheduleKind])
def test_every_preset_and_kind_of_schedule_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_file_of_a_run_is_named(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    files.create(RunSpec())
    public = [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]
    missing = [name for name in [*public, "model.zip", "env.pkl"] if f"`{name}`" not in PAGE]
    assert not missing


def test_the_names_that_the_page_imports_are_there() -> None:
    import jupyter_ppo

    found = re.findall(r"^\s*from jupyter_ppo import (.+?)(?:;.*)?$", PAGE, re.MULTILINE)
    names = {name.strip() for line in found for name in line.split(",")}
    assert len(names) >= 6
    assert names <= set(jupyter_ppo.__all__)
    for name in jupyter_ppo.__all__:
        assert getattr(jupyter_ppo, name) is not None
