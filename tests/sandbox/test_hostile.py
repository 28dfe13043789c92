"""Every program in ``hostile/`` ends with one of the verdicts in its first line, and alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from jupyter_ppo.domain.sandbox import NotebookRun, Verdict

pytestmark = [pytest.mark.docker, pytest.mark.image]

PROGRAMS: Final = sorted((Path(__file__).parent / "hostile").glob("*.py"))
#: These raise on purpose.
RAISES: Final = {"forged_idle"}


def verdicts(program: Path) -> set[Verdict]:
    head = program.read_text().splitlines()[0].removeprefix("# verdict: ")
    return {Verdict(word) for word in head.split(" | ")}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_hostile_program_gets_its_verdict(
    program: Path, run: Callable[..., NotebookRun], own_containers: Callable[[], list[str]]
) -> None:
    expected = verdicts(program)
    result = run(
        program.read_text(),
        "print('second cell')",
        # Only a program that never ends is waited for; the others get all the time they need.
        cell_seconds=2 if expected == {Verdict.CELL_TIMEOUT} else 100,
        wall_seconds=150,
        memory_mb=256,
        pids=64,
        output_bytes=2**20,
        outputs=500,
        disk_mb=16,
        inodes=512,
        file_mb=8,
        open_files=256,
    )
    errors = [
        shown.get("evalue", "")
        for shown in result.notebook["cells"][0]["outputs"]
        if shown["output_type"] == "error"
    ]
    assert result.verdict in expected, (result.detail, errors)
    if result.verdict is Verdict.RAN:
        assert result.finished == {0, 1}
        assert bool(errors) == (program.stem in RAISES), errors
    else:
        assert 1 not in result.finished
        assert result.notebook["cells"][1]["outputs"] == []
    assert own_containers() == []
