"""``jupyter ppo validate`` and ``check``, in real containers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Any
NO_ENGINE = "unix:///nowhere/docker.sock"


def test_without_an_engine_it_says_what_to_do(
    released: Cli, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)
    for command in ("validate", "check"):
        status, _, err = released(command, "rl", released.write("one.ipynb", right))
        assert status == 1
        assert "Nothing can be run here: " in err


def test_a_file_that_is_not_there_is_named(released: Cli) -> None:
    for command in ("validate", "check"):
        status, _, err = released(command, "rl", "nowhere.ipynb")
        assert status == 1
        assert "nowhere.ipynb" in err


@pytest.mark.docker
@pytest.mark.image
def test_an_author_checks_and_a_student_validates_in_containers(
    released: Cli, right: str, answer_of: Callable[[str], str], tmp_path: Path
) -> None:
    said = released.ok("check", "rl", str(tmp_path / "source.ipynb"))
    assert "reference solution: 2 of 2 points" in said
    assert "students' copy: 0 of 2 points" in said
    assert said.endswith("ready to be released\n")
    # Only a hidden test finds this one wrong, and validating runs none.
    half = released.write("half.ipynb", answer_of("return 9 if x == 3 else 0"))
    said = released.ok("validate", "rl", half)
    assert "test_square  passed" in said
    assert "1 of 1 passed" in said
    assert "Hidden tests are not run" in said
    wrong = released.write("wrong.ipynb", answer_of("return 1"))
    status, said, _ = released("validate", "rl", wrong, "--assignment", "ps1")
    assert status == 1
    assert "FAILED: A test failed" in said
    assert "-2" not in said
