"""The command line in this process, with a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_ppo.cli import main

SOLUTION = {"grade": False, "solution": True, "locked": False, "schema_version": 3}
TESTS = {"grade": True, "solution": False, "locked": True, "schema_version": 3, "points": 2}

TEST_CODE = (
    "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(-2) == 4\n### END HIDDEN TESTS"
)


def _notebook(answer: str, tests: str = TEST_CODE) -> Any:
    cells = [
        new_code_cell(answer, id="a", metadata={"nbgrader": {**SOLUTION, "grade_id": "square"}}),
        new_code_cell(
            tests,
            id="t",
            metadata={"nbgrader": {**TESTS, "grade_id": "test_square"}},
        ),
    ]
    return new_notebook(cells=cells)


RIGHT = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"


@dataclass
class Cli:
    """Runs commands with their data in ``home`` and returns (status, stdout, stderr)."""

    home: Path
    capture: pytest.CaptureFixture[str]

    @property
    def settings(self) -> list[str]:
        return [f"--PPOService.data_dir={self.home / 'data'}", "--PPOService.owner=ada"]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        status = main([*words, *self.settings])
        said = self.capture.readouterr()
        return status, said.out, said.err

    def ok(self, *words: str) -> str:
        status, out, err = self(*words)
        assert status == 0, err
        return out

    def process(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyter_ppo.cli", *words, *self.settings],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def write(self, name: str, answer: str, tests: str = TEST_CODE) -> str:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(_notebook(answer, tests), path)
        return str(path)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")
    return Cli(tmp_path, capsys)


@pytest.fixture
def released(cli: Cli) -> Cli:
    """The command line with a course ``rl`` and its assignment ``ps1``."""
    cli.ok("course", "create", "rl", "--title", "Reinforcement Learning")
    cli.ok("release", "rl", "ps1", cli.write("source.ipynb", RIGHT), "--no-calibrate")
    return cli


@pytest.fixture
def right() -> str:
    return RIGHT


@pytest.fixture
def answer_of() -> Callable[[str], str]:
    return lambda body: f"def square(x):\n    {body}"
