"""The demo around its server; the whole of it runs as a step of its own (make demo CHECK=1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.cli.course_files import FIRST_ASSIGNMENT, course_notebook
from jupyter_ppo.cli.demo import _alone, _quiet_lab
from jupyter_ppo.cli.demo_check import check_nothing_left, wait_for_server
from jupyter_ppo.domain.errors import CheckFailedError, ConflictError, NotFoundError

Cli = Any


def test_two_demos_in_one_folder_are_refused_until_the_first_ended(tmp_path: Path) -> None:
    with _alone(tmp_path), pytest.raises(ConflictError, match="already"), _alone(tmp_path):
        pass
    with _alone(tmp_path):
        pass


def test_the_lab_of_the_demo_is_quiet_unless_the_person_changed_it(tmp_path: Path) -> None:
    _quiet_lab(tmp_path)
    (page,) = tmp_path.rglob("page_config.json")
    assert json.loads(page.read_text())["disabledExtensions"] == {"@jupyter/nbgrader": True}
    page.write_text("{}")
    _quiet_lab(tmp_path)
    assert page.read_text() == "{}"


class Ended:
    """A server process that ended before it listened."""

    pid = 0

    def poll(self) -> int:
        return 1


def test_a_server_that_does_not_start_is_told_with_the_place_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"jupyter\.log"):
        wait_for_server(Ended(), tmp_path)  # type: ignore[arg-type]


@pytest.mark.docker
def test_a_process_that_is_left_over_is_found_by_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    check_nothing_left(0, tmp_path)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter" / "config"))
    left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with pytest.raises(CheckFailedError, match=f"process {left.pid}"):
            check_nothing_left(0, tmp_path)
    finally:
        left.communicate(b"\n")


def test_the_course_comes_with_its_first_assignment_and_no_other_name() -> None:
    assert course_notebook(FIRST_ASSIGNMENT).is_file()
    with pytest.raises(NotFoundError, match="install it again"):
        course_notebook("no-such-notebook")
