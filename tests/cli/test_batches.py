"""``jupyter ppo regrade`` and ``jupyter ppo queue``."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.batches import BatchScope

Cli = Any

#: A sandbox in which the author's solution passes, and students' once the file ``mended`` is there.
CONFIG = """
import copy
from pathlib import Path

from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.sandbox import CellRun, NotebookRun, SandboxStatus, Verdict

class SwitchedSandbox:
    def status(self):
        return SandboxStatus(True, "switched", "switched", None, None)

    async def run(self, notebook, limits, exam=None):
        ran = copy.deepcopy(notebook)
        is_solution = any("BEGIN SOLUTION" in cell["source"] for cell in ran["cells"])
        is_right = is_solution or (Path(__file__).parent / "mended").exists()
        code = [i for i, cell in enumerate(ran["cells"]) if cell["cell_type"] == "code"]
        cells = tuple(CellRun(i, finished=True, seconds=0.0) for i in code)
        state = CheckState.PASSED if is_right else CheckState.FAILED
        checks = tuple(CheckRun(i, state) for i in sorted(exam.tests if exam else ()))
        return NotebookRun(ran, Verdict.RAN, "", cells, 0.1, checks=checks)

c = get_config()
c.PPOService.sandbox_class = SwitchedSandbox
"""


@pytest.fixture
def switched(released: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line with two submissions, and tests that fail until ``mend`` is called."""
    folder = released.home / "config"
    folder.mkdir(exist_ok=True)
    (folder / "jupyter_server_config.py").write_text(CONFIG, encoding="utf-8")
    monkeypatch.delenv("JUPYTER_NO_CONFIG")
    for user in ("bob", "eve"):
        released.write(f"course/{user}/ps1/x.ipynb", "def square(x):\n    return x * x")
    released.ok("collect", "rl", "ps1", str(released.home / "course"))
    return released


def mend(cli: Cli) -> None:
    (cli.home / "config" / "mended").touch()


def test_regrade_shows_what_changed(switched: Cli, right: str) -> None:
    switched.ok("grade", "rl")
    assert "no points changed" in switched.ok("regrade", "rl", "ps1")
    mend(switched)
    switched.ok(
        "release", "rl", "ps1", switched.write("second.ipynb", right, "assert square(4) == 16"),
        "--no-calibrate",
    )  # fmt: skip
    out = switched.ok("regrade", "rl", "ps1", "--newest-version", "--reason", "a wrong test")
    lines = out.splitlines()
    assert lines[0].split() == ["student", "attempt", "before", "after", "exercises"]
    assert len(lines) == 4
    for line, user in zip(lines[1:3], ("bob", "eve"), strict=True):
        assert re.split(r"\s{2,}", line) == [
            user, "1", "0 / 2 (v1)", "2 / 2 (v2)", "test_square 0 -> 2"
        ]  # fmt: skip
    assert lines[3].endswith(": 2 done; 2 of 2 changed")


def test_one_student_is_regraded_alone(switched: Cli) -> None:
    switched.ok("grade", "rl")
    mend(switched)
    out = switched.ok("regrade", "rl", "ps1", "--user", "eve")
    assert "eve" in out
    assert "bob" not in out
    status, _, err = switched("regrade", "rl", "ps1", "--user", "zoe")
    assert (status, "zoe" in err) == (1, True)


def test_a_regrade_of_nothing_says_so(switched: Cli) -> None:
    switched.ok("grade", "rl")
    for option in ("--failed", "--ungraded"):
        status, _, err = switched("regrade", "rl", "ps1", option)
        assert status == 1
        assert err.startswith("error: scope: ")


def test_the_queue_is_shown_and_cancelled(switched: Cli) -> None:
    out = switched.ok("queue", "rl")
    assert out == "rl: 2 wait, 0 are being graded\n"
    submission = _first_submission(switched)
    out = switched.ok("queue", "rl", "--cancel", submission)
    assert f"submission {submission} of " in out
    assert "is submitted now" in out
    assert "rl: 1 wait" in out
    for wrong in ("nonsense", "01a2014c-d9af-703b-9bc2-917762de8319"):
        status, _, err = switched("queue", "rl", "--cancel", wrong)
        assert (status, bool(err)) == (1, True)
    # What was cancelled is graded when somebody asks for it.
    assert switched.ok("grade", "rl").startswith("2 graded now")


def test_a_batch_is_cancelled_by_its_id(switched: Cli) -> None:
    with Context(switched.settings) as context:
        batches = context.service.use_cases.batches
        batch = batches.create(
            context.caller, "rl", "ps1", scope=BatchScope.ALL, reason="a wrong test"
        )
    shown = switched.ok("queue", "rl")
    assert f"batch {batch.id}  ps1  2 waiting  a wrong test" in shown
    out = switched.ok("queue", "rl", "--cancel", str(batch.id))
    assert out == f"batch {batch.id}: 2 cancelled\nrl: 0 wait, 0 are being graded\n"


def _first_submission(cli: Cli) -> str:
    with Context(cli.settings) as context:
        page = context.service.assessment.submissions(context.caller, "rl", offset=0, limit=1)
        return str(page.items[0].id)
