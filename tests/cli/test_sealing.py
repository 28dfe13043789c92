"""What an author is told of the test cells, at release and later."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from jupyter_ppo.cli.sealing import report
from jupyter_ppo.domain.sealing import CellSealing, Sealing, SealState
from jupyter_ppo.sandbox.notebook import ContainerSandbox

Cli = Any
container = [pytest.mark.docker, pytest.mark.image]
WEAK = "assert not abs(square(3) - 9) > 1e-9"
NO_ENGINE = "unix:///nowhere/docker.sock"


@pytest.fixture
def author(cli: Cli) -> Cli:
    cli.ok("course", "create", "rl")
    return cli


def test_without_a_run_the_table_says_what_is_weak_and_how_to_run_it(
    author: Cli, right: str
) -> None:
    source = author.write("source.ipynb", right, WEAK)
    said = author.ok("release", "rl", "ps1", source, "--no-calibrate")
    assert re.search(r"^test_square +to be sealed$", said, re.MULTILINE)
    assert re.search(r"^  line 1, weak test: .*\.$", said, re.MULTILINE)
    assert "jupyter ppo sealing rl ps1 --run" in said
    status, _, err = author("sealing", "rl", "ps1")
    assert status == 1
    assert "was not run yet" in err


def test_a_release_without_an_engine_succeeds_and_says_who_pays(
    author: Cli, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)
    status, out, err = author("release", "rl", "ps1", author.write("source.ipynb", right))
    assert status == 0
    assert out.startswith("ps1 version 1 released: ")
    assert "graded anyway, the first one pays" in out
    assert "warning: Nothing can be run here: " in err
    status, _, err = author("sealing", "rl", "ps1", "--run")
    assert status == 1
    assert "Nothing can be run here: " in err


def test_what_is_allowed_is_told_by_cell_without_members_of_the_students_objects() -> None:
    many = tuple(f"operand {index:02}" for index in range(12))
    cells = (
        CellSealing("t1", SealState.SEALED, contract=(".shape", "class.__init__", "Vec.__mul__")),
        CellSealing("t2", SealState.SEALED, contract=("function.__name__",)),
        CellSealing("t3", SealState.SEALED, contract=many),
    )
    lines = report(Sealing(uuid4(), cells, datetime.now(UTC), 1.0), {}).splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("allowed "))
    told = lines[begin + 1 : -1]
    assert told[:3] == ["  t1", "    Vec.__mul__", "  t3"]
    assert told[3:] == [*(f"    {use}" for use in many[:10]), "    and 2 more"]
    plain = Sealing(uuid4(), cells[1:2], datetime.now(UTC), 1.0)
    assert "allowed" not in report(plain, {})


def test_a_cell_that_cannot_be_sealed_says_what_it_costs_and_what_to_do() -> None:
    cells = (
        CellSealing("t1", SealState.CANNOT_SEAL, "needs autograd (line 2)."),
        CellSealing("t2", SealState.SEALED),
    )
    said = report(Sealing(uuid4(), cells, datetime.now(UTC), 1.0), {"t1": 2.5, "t2": 1.0})
    assert said.splitlines()[1:4] == [
        "t1         cannot be sealed: needs autograd (line 2).",
        "  2.5 points: this cell gives no points and waits for a person; repair the source and "
        "release again",
        "t2         sealed",
    ]


def test_a_course_or_assignment_that_is_not_there_is_named(author: Cli) -> None:
    for words, name in ((("sealing", "rl", "ps7"), "'ps7'"), (("sealing", "cv", "ps1"), "'cv'")):
        status, _, err = author(*words)
        assert status == 1
        assert name in err


@pytest.mark.docker
@pytest.mark.image
def test_a_release_runs_the_reference_and_marks_each_cell(author: Cli, right: str) -> None:
    assert ContainerSandbox().status().available
    said = author.ok("release", "rl", "ps1", author.write("source.ipynb", right))
    assert re.search(r"^test_square +sealed$", said, re.MULTILINE)
    assert "to be sealed" not in said
    again = author.ok("sealing", "rl", "ps1")
    assert again in said
    wrong = author.write("source.ipynb", right.replace("x * x", "x + x"))
    said = author.ok("release", "rl", "ps1", wrong)
    assert re.search(r"^test_square +the reference solution fails: .+$", said, re.MULTILINE)
