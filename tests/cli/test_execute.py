"""Code from a terminal: what is printed where, and the exit status."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.cli.terminal import visible

Cli = Any

#: A sandbox that answers by the first line of the code, as a module that a setting can name.
FAKE = """
from jupyter_ppo.domain.errors import EngineUnavailableError
from jupyter_ppo.domain.execution import Outcome, ProgramRun
from jupyter_ppo.domain.sandbox import LimitHit, PoolStatus


class FakePrograms:
    def status(self):
        return PoolStatus(0, 0)

    def run(self, programs, limits, seconds, stop=None):
        return tuple(self._run(program, limits, seconds) for program in programs)

    def _run(self, program, limits, seconds):
        wish = program.code.partition("\\n")[0]
        if wish == "no engine":
            raise EngineUnavailableError("No container engine answers. Start it.")
        if wish == "raised":
            words = ("ValueError", "no", "Traceback ...\\nValueError: no\\n")
            return ProgramRun(Outcome.RAISED, "before", "warned\\n", 0.1, 9.0, *words)
        if wish == "memory":
            hit = LimitHit("memory_mb", limits.memory_mb)
            return ProgramRun(Outcome.MEMORY, "", "", 0.1, 9.0, None, "Out of memory.", limit=hit)
        if wish == "evil":
            return ProgramRun(Outcome.SUCCEEDED, "\\x1b]0;owned\\x07red\\ud800\\n", "", 0.1, 9.0)
        said = program.stdin.upper() or f"{seconds} s, {limits.memory_mb} MiB\\n"
        return ProgramRun(
            Outcome.SUCCEEDED, said, "", 0.1, 9.0,
            locals={**program.globals, "n": float("inf")} if program.capture_locals else None,
            omitted={"f": "function"} if program.capture_locals else {},
            value=program.call and program.call.args[0], has_value=program.call is not None,
        )
"""


@pytest.fixture
def execute(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run ``jupyter ppo execute`` on code in a file, with the fake sandbox."""
    folder = cli.home / "fake"
    folder.mkdir()
    (folder / "fake_programs.py").write_text(FAKE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "fake_programs", raising=False)

    def run(code: str | bytes, *words: str) -> tuple[int, str, str]:
        path = cli.home / "program.py"
        path.write_bytes(code.encode() if isinstance(code, str) else code)
        fake = "--PPOService.programs_class=fake_programs.FakePrograms"
        result: tuple[int, str, str] = cli("execute", str(path), fake, *words)
        return result

    return run


def test_what_a_program_prints_is_printed_and_nothing_else(execute: Any) -> None:
    assert execute("x") == (0, "30.0 s, 512 MiB\n", "")
    assert execute("x", "--timeout", "5", "--memory", "128") == (0, "5.0 s, 128 MiB\n", "")


def test_an_error_of_the_program_goes_to_standard_error(execute: Any) -> None:
    status, out, err = execute("raised")
    assert (status, out, err) == (1, "before", "warned\nTraceback ...\nValueError: no\n")


def test_a_limit_is_named_with_its_figure(execute: Any) -> None:
    status, out, err = execute("memory", "--memory", "96")
    assert (status, out, err) == (1, "", "Out of memory.\nlimit memory: 96 MiB\n")


def test_the_names_that_a_program_defined_go_to_standard_error(execute: Any) -> None:
    status, _, err = execute("x", "--locals", "--globals", '{"a": [1, null]}')
    assert (status, err) == (0, "a = [1, null]\nn = Infinity\nf is left out: function\n")


def test_each_case_has_a_line_with_its_verdict(execute: Any, tmp_path: Path) -> None:
    cases = [
        {"name": "in capitals", "stdin": "abc", "expected": "ABC"},
        {"call": {"function": "f", "args": [3]}, "expected": 4},
    ]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases), encoding="utf-8")
    status, out, err = execute("x", "--tests", str(path))
    assert (status, err) == (1, "")
    assert out == (
        "in capitals  passed        The output is as expected.\n"
        "case 2       failed        The value differs.\n"
        "1 of 2 cases passed\n"
    )
    path.write_text(json.dumps(cases[:1]), encoding="utf-8")
    assert execute("x", "--tests", str(path))[0] == 0


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (" \n", (), "code:"),
        (b"\xff\xfe", (), "UTF-8"),
        ("x", ("--timeout", "301"), "timeout:"),
        ("x", ("--timeout", "nan"), "timeout:"),
        ("x", ("--memory", "1"), "memory:"),
        ("x", ("--globals", "[1]"), "globals:"),
        ("x", ("--globals", "{"), "globals:"),
        ("x", ("--tests", "nowhere.json"), "nowhere.json"),
    ],
)
def test_bad_input_is_named_and_nothing_is_run(
    execute: Any, code: str | bytes, words: tuple[str, ...], said: str
) -> None:
    status, out, err = execute(code, *words)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err


def test_test_cases_that_make_no_sense_are_bad_input(execute: Any, tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    for text, said in (("[]", "tests"), ("{", "tests"), ('[{"stdin": ""}]', "expected")):
        path.write_text(text, encoding="utf-8")
        status, out, err = execute("x", "--tests", str(path))
        assert (status, out) == (2, "")
        assert err.startswith(f"error: tests: {str(path)!r}: ")
        assert said in err


def test_a_program_reads_the_file_that_it_is_given(execute: Any, tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text("words\n", encoding="utf-8")
    assert execute("x", "--stdin", str(path)) == (0, "WORDS\n", "")
    path.write_bytes(b"\xff")
    status, _, err = execute("x", "--stdin", str(path))
    assert status == 2
    assert err.startswith("error: stdin: ")


def test_without_an_engine_the_reason_is_printed(execute: Any) -> None:
    status, out, err = execute("no engine")
    assert (status, out, err) == (1, "", "error: No container engine answers. Start it.\n")


def test_code_can_come_from_standard_input(
    execute: Any, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    status, out, _ = cli("execute", "-", "--PPOService.programs_class=fake_programs.FakePrograms")
    assert (status, out) == (0, "30.0 s, 512 MiB\n")


def test_what_was_run_is_listed_newest_first(execute: Any, cli: Cli) -> None:
    for code in ("x = 1\nmore", "raised", "no engine"):
        execute(code)
    lines = [line.split("\t") for line in cli.ok("executions").splitlines()]
    assert [(line[2], line[4]) for line in lines] == [
        ("failed", "no engine"),
        ("raised", "raised"),
        ("succeeded", "x = 1"),
    ]
    status, out, err = cli("executions", "--limit", "1")
    assert (status, len(out.splitlines())) == (0, 1)
    assert "2 more" in err
    assert cli("executions", "--limit", "0")[0] == 2


class Terminal(io.StringIO):
    """A screen that obeys escape sequences."""

    def isatty(self) -> bool:
        return True


def test_a_program_cannot_command_a_terminal(execute: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, out, _ = execute("evil")
    assert out.startswith("\x1b]0;owned\x07red")
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    assert execute("evil")[0] == 0
    assert screen.getvalue() == "\\x1b]0;owned\\x07red\\ud800\n"


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left_in_a_text(text: str) -> None:
    shown = visible(text)
    assert all(each in "\n\t" or ord(each) >= 32 for each in shown)
    assert not any("\x7f" <= each <= "\x9f" or "\u202a" <= each <= "\u202e" for each in shown)
    if text.isascii() and text.isprintable():
        assert shown == text


@pytest.mark.docker
@pytest.mark.image
def test_code_runs_in_a_container(cli: Cli) -> None:
    path = cli.home / "program.py"
    path.write_text("import os\nprint(os.getpid() > 1, n + 1, os.getuid())\nraise SystemExit(0)\n")
    status, out, err = cli("execute", str(path), "--globals", '{"n": 41}')
    assert (status, out, err) == (0, "True 42 10001\n", "")
