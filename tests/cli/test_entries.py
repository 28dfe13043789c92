"""``jupyter ppo entry``: an entry from its definition to the released outcome."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import point_line

Cli = Any
DEFINITION = """
title = "Report on a run"
instructions = "Describe what you trained."
parts = ["text", "code", "files", "run"]

[[rubric]]
name = "method"
title = "Method"
note = "look at the seed"
levels = [
  { name = "missing", points = 0 },
  { name = "sound", points = 4, description = "every choice has a reason" },
]
"""
OUTCOME = """
summary = "A careful report."
private_note = "ask about the seed"

[[results]]
criterion = "method"
level = "sound"
points = 3.5
comment = "gamma is not explained"
"""


def write(cli: Cli, name: str, text: str | bytes) -> str:
    path = cli.home / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.fixture
def defined(cli: Cli) -> Cli:
    cli.ok("course", "create", "rl")
    said = cli.ok("entry", "define", "rl", "report", write(cli, "report.toml", DEFINITION))
    assert "report version 1 released: 1 criteria, 4 points" in said
    return cli


def submission_of(receipt: str) -> str:
    found = re.search(r"id +([0-9a-f-]{36})", receipt)
    assert found is not None
    return found[1]


def run_folder(path: Path) -> str:
    path.mkdir()
    run = RunDirectory(path)
    run.create(RunSpec(total_steps=1000, seed=7))
    run.write_status(RunStatus(RunState.FINISHED, 2048, 3.25, 630.0))
    run.metrics_file.write_text(point_line(MetricPoint(10, 0.1, {Metric.RETURN: 9.0})) + "\n")
    return str(path)


def test_an_entry_goes_from_its_definition_to_a_released_outcome(defined: Cli) -> None:
    cli = defined
    shown = cli.ok("entry", "show", "rl", "report")
    assert "hand in: text, code, files, run" in shown
    assert "  4  sound: every choice has a reason" in shown
    receipt = cli.ok(
        *("entry", "submit", "rl", "report", "--title", "Mine"),
        *("--text", write(cli, "text.md", "I trained \x1b[31mit\x1b[0m.")),
        *("--code", write(cli, "train.py", "print(1)")),
        *("--file", write(cli, "data.csv", "1,2")),
        *("--run", run_folder(cli.home / "run")),
        *("--returns", write(cli, "returns.json", "[500.0, 493.5]")),
    )
    assert "received report attempt 1" in receipt
    submission = submission_of(receipt)
    read = cli.ok("entry", "read", submission, "--save", str(cli.home / "out"))
    assert "I trained it." in read
    assert '"seed": 7' in read
    assert "493.5" in read
    assert (cli.home / "out" / "data.csv").read_bytes() == b"1,2"
    assert "nothing is written" in cli.ok("entry", "outcome", submission)
    outcome = write(cli, "outcome.toml", OUTCOME)
    written = cli.ok("entry", "outcome", submission, "--write", outcome)
    assert "draft, revision 1: 3.5 of 4 points" in written
    assert "3.5  method, sound: gamma is not explained" in written
    assert "approved, revision 2" in cli.ok("entry", "outcome", submission, "--approve")
    assert cli.ok("entry", "release", "rl", "report").strip() == "1 outcomes released"
    assert "released, revision 3" in cli.ok("entry", "outcome", submission)
    status, _, err = cli("entry", "outcome", submission, "--write", outcome)
    assert (status, "Withdraw it first" in err) == (1, True)
    assert "approved, revision 4" in cli.ok("entry", "outcome", submission, "--withdraw")
    assert "draft, revision 5" in cli.ok("entry", "outcome", submission, "--reopen")


def test_an_archive_is_handed_in_alone(defined: Cli) -> None:
    cli = defined
    path = cli.home / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("text.md", "words")
        archive.writestr("figures/a.txt", "picture")
    receipt = cli.ok("entry", "submit", "rl", "report", "--zip", str(path))
    read = cli.ok("entry", "read", submission_of(receipt))
    assert "words" in read
    assert "file figures/a.txt, 7 bytes" in read
    status, _, err = cli("entry", "submit", "rl", "report", "--zip", str(path), "--text", str(path))
    assert (status, "an archive is handed in alone" in err) == (1, True)


def test_what_cannot_be_used_is_named(defined: Cli) -> None:
    cli = defined
    good = json.dumps({"results": [{"criterion": "method", "level": "sound"}]})
    receipt = cli.ok("entry", "submit", "rl", "report", "--text", write(cli, "a.md", "x"))
    submission = submission_of(receipt)
    bad_returns = write(cli, "r.json", '{"a": 1}')
    for arguments, problem in (
        (("define", "rl", "report", write(cli, "x.toml", "title = ")), "not TOML"),
        (("define", "rl", "report", write(cli, "x.json", "{")), "not JSON"),
        (("define", "rl", "report", write(cli, "y.toml", 'title = "t"')), "rubric"),
        (("submit", "rl", "report"), "nothing in it"),
        (("submit", "rl", "report", "--text", write(cli, "b.md", b"\xff")), "not UTF-8"),
        (("submit", "rl", "report", "--run", str(cli.home)), "no training run"),
        (
            (
                "submit",
                "rl",
                "report",
                "--run",
                run_folder(cli.home / "r"),
                "--returns",
                bad_returns,
            ),
            "is not a list",
        ),
        (("show", "rl", "nothing"), "'nothing'"),
        (("read", "x"), "no submission"),
        (("outcome", submission, "--write", write(cli, "o.json", "[]")), "results"),
        (("outcome", submission, "--write", write(cli, "p.json", '{"results": [3]}')), "criterion"),
        (("outcome", submission, "--approve"), "Write an outcome first"),
    ):
        status, _, err = cli("entry", *arguments)
        assert (status, problem in err) == (1, True), (arguments, err)
    cli.ok("entry", "outcome", submission, "--write", write(cli, "q.json", good))
    cli.ok("entry", "read", submission, "--save", str(cli.home / "new"))
    status, _, err = cli("entry", "read", submission, "--save", str(cli.home / "new"))
    assert (status, "exists already" in err) == (1, True)
