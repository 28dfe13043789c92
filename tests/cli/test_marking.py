"""``jupyter ppo marking | mark | history | publish``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

Cli = Any

CONFIG = """
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxStatus, Verdict

class EchoSandbox:
    def status(self):
        return SandboxStatus(True, "echo", "echo", None, None)

    async def run(self, notebook, limits, exam=None):
        return NotebookRun(notebook, Verdict.RAN, "", (), 0.1)

c = get_config()
c.PPOService.sandbox_class = EchoSandbox
"""
WHY = {"grade": True, "solution": True, "locked": False, "schema_version": 3}


@pytest.fixture
def submission(cli: Cli, right: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of bob's graded notebook; its answer 'why', of 3 points, waits for a person."""
    folder = cli.home / "config"
    folder.mkdir(exist_ok=True)
    (folder / "jupyter_server_config.py").write_text(CONFIG, encoding="utf-8")
    monkeypatch.delenv("JUPYTER_NO_CONFIG")
    path = Path(cli.write("course/bob/ps1/x.ipynb", right))
    notebook = nbformat.read(path, as_version=4)
    metadata = {"nbgrader": {**WHY, "grade_id": "why", "points": 3, "cell_type": "markdown"}}
    notebook.cells.append(new_markdown_cell("Because.", id="w", metadata=metadata))
    nbformat.write(notebook, path)
    cli.ok("course", "create", "rl")
    cli.ok("release", "rl", "ps1", str(path), "--no-calibrate")
    cli.ok("collect", "rl", "ps1", str(path.parents[2]))
    cli.ok("grade", "rl")
    said = cli.ok("marking", "rl", "ps1", "--named")
    (found,) = re.findall(r"^why +bob +3 +([0-9a-f-]{36})$", said, re.MULTILINE)
    return str(found)


def test_what_waits_is_listed_marked_and_told(cli: Cli, submission: str) -> None:
    assert cli.ok("marking", "rl").splitlines()[1].split() == ["ps1", "why", "3", "1", "0", "1"]
    assert re.search(r"^why +Student [0-9A-F]{4} ", cli.ok("marking", "rl", "ps1"), re.MULTILINE)
    said = cli.ok("mark", submission, "why", "--points", "2", "--extra", "0.5", "--reason", "x")
    assert said == "why: 2.5 of 3 points (+0.5 extra)\n"
    said = cli.ok("mark", submission, "why", "--comment", "Good.\x1b[31m")
    assert said == "why: 2.5 of 3 points (+0.5 extra)\n"  # what is not named stays
    assert "2.5 / 5" in cli.ok("grades", "show", "rl")
    assert cli.ok("marking", "rl", "ps1") == "nothing waits for a person\n"
    history = cli.ok("history", submission)
    assert "\x1b" not in history
    head, last, first, *_ = history.splitlines()
    assert head.split() == ["time", "what", "exercise", "by", "before", "after", "why"]
    assert "points 2, extra_credit 0.5, comment Good." in last
    assert re.search(r"marked +why +ada +- +points 2, extra_credit 0.5 +x$", first)
    assert cli.ok("mark", submission, "why", "--remove").endswith("it waits for a person\n")


def test_a_mark_that_cannot_be_is_refused(cli: Cli, submission: str) -> None:
    for words, told in (
        (("why",), "points: give --points"),
        (("why", "--points", "1", "--remove"), "or --remove alone"),
        (("why", "--points", "4"), "points: 4 is not within 0 and 3"),
        (("nothing", "--points", "1"), "has no exercise 'nothing'"),
    ):
        status, _, error = cli("mark", submission, *words)
        assert status == 1
        assert told in error
    status, _, error = cli("history", "nothing")
    assert (status, error) == (1, "error: There is no submission 'nothing'.\n")


def test_grades_are_taken_back_and_released(cli: Cli, submission: str) -> None:
    taken = cli.ok("publish", "rl", "ps1", "--withdraw", "--reason", "A wrong test.")
    assert taken == "1 grade taken back\n"
    assert cli.ok("publish", "rl", "ps1") == "1 grade released to their students\n"
    assert cli.ok("publish", "rl", "ps1") == "0 grades released to their students\n"
    assert "A wrong test." in cli.ok("history", submission)
