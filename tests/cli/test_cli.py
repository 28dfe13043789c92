"""What works from a terminal, and what is said when it does not."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.cli import main

Cli = Any
container = [pytest.mark.docker, pytest.mark.image]


def test_a_course_is_created_once_and_listed(cli: Cli) -> None:
    assert cli.ok("course", "create", "rl", "--title", "RL") == "course rl created\n"
    assert cli.ok("course", "list") == "rl\tRL\n"
    status, _, err = cli("course", "create", "rl")
    assert status == 1
    assert err.startswith("error: ")
    assert "rl" in err


def test_people_are_enrolled_with_a_role(released: Cli) -> None:
    assert released.ok("course", "enrol", "rl", "bob", "--role", "grader") == (
        "bob is a grader of rl\n"
    )


def test_a_release_says_what_is_in_it_and_counts_versions(cli: Cli, right: str) -> None:
    cli.ok("course", "create", "rl")
    source = cli.write("source.ipynb", right)
    first = cli.ok("release", "rl", "ps1", source, "--no-calibrate")
    assert first.startswith("ps1 version 1 released: ")
    said = cli.ok("release", "rl", "ps1", source, "--no-calibrate").splitlines()
    assert said[0] == (
        "ps1 version 2 released: 1 exercises, 2 points, 1 with hidden tests, "
        "0 to be marked by a person"
    )


def test_the_students_copy_has_no_solution_and_replaces_no_file(released: Cli) -> None:
    target = released.home / "mine.ipynb"
    released.ok("fetch", "rl", "ps1", str(target))
    text = target.read_text(encoding="utf-8")
    assert "x * x" not in text
    assert "square(-2)" not in text
    target.write_text("my work", encoding="utf-8")
    status, _, err = released("fetch", "rl", "ps1", str(target))
    assert (status, target.read_text(encoding="utf-8")) == (1, "my work")
    assert "exists already" in err


def test_a_submission_is_answered_with_a_receipt(released: Cli, right: str) -> None:
    said = released.ok("submit", "rl", "ps1", released.write("mine.ipynb", right))
    assert "received ps1 attempt 1 of ada at " in said
    assert "sha256" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "notebook"),
        (json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "ps1"),
    ],
)
def test_a_file_that_is_no_submission_is_refused_with_the_reason(
    released: Cli, content: bytes | str, words: str
) -> None:
    path = released.home / "bad.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    status, out, err = released("submit", "rl", "ps1", str(path))
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    if words != "ps1":
        assert words in err
    assert "Traceback" not in err


def test_a_missing_file_course_or_assignment_is_named(released: Cli, right: str) -> None:
    notebook = released.write("mine.ipynb", right)
    for words, missing in (
        (("submit", "rl", "ps1", "nowhere.ipynb"), "nowhere.ipynb"),
        (("submit", "cv", "ps1", notebook), "cv"),
        (("submit", "rl", "ps9", notebook), "ps9"),
        (("grades", "show", "cv"), "cv"),
    ):
        status, _, err = released(*words)
        assert status == 1
        assert missing in err


def test_a_folder_in_nbgraders_layout_is_collected_and_twice_is_harmless(
    released: Cli, right: str
) -> None:
    for student in ("bob", "eve"):
        released.write(f"course/submitted/{student}/ps1/any name.ipynb", right)
    (released.home / "course/submitted/bob/ps1/timestamp.txt").write_text(
        "2015-02-02 14:58:23.948203 UTC"
    )
    (released.home / "course/submitted/mal/ps1").mkdir(parents=True)
    (released.home / "course/submitted/mal/ps1/x.ipynb").write_text("junk")
    status, out, err = released("collect", "rl", "ps1", str(released.home / "course"))
    assert status == 1
    assert out == "2 collected, 0 unchanged, 1 refused\nnewly enrolled as students: bob, eve\n"
    assert "mal: " in err
    _, out, _ = released("collect", "rl", "ps1", str(released.home / "course"))
    assert out == "0 collected, 2 unchanged, 1 refused\n"
    rows = list(csv.DictReader(io.StringIO(released.ok("grades", "export", "rl"))))
    assert {row["student"]: row["submitted_at"] for row in rows}["bob"].startswith("2015-02-02T14")


@pytest.mark.parametrize("text", ["", "last tuesday", "2026-11-21 13:00:00 CET", "\x1b[2J"])
def test_a_time_that_cannot_be_read_is_warned_of_and_the_time_of_collection_is_used(
    released: Cli, right: str, text: str
) -> None:
    released.write("course/bob/ps1/x.ipynb", right)
    (released.home / "course/bob/ps1/timestamp.txt").write_text(text)
    begun = datetime.now(UTC).replace(microsecond=0)
    status, out, err = released("collect", "rl", "ps1", str(released.home / "course"))
    assert status == 0
    assert out.startswith("1 collected")
    (warning,) = (line for line in err.splitlines() if "warning: bob: " in line)
    assert f"timestamp.txt holds {text!r}" in warning
    assert "ISO 8601 with an offset" in warning
    assert "2026-11-21 12:00:00.948203 UTC" in warning
    (row,) = csv.DictReader(io.StringIO(released.ok("grades", "export", "rl")))
    assert datetime.fromisoformat(row["submitted_at"]) >= begun
    assert "warning" not in released("collect", "rl", "ps1", str(released.home / "course"))[2]


@pytest.mark.parametrize(
    "text", ["2025-11-21T13:00:00+01:00\n", "2025-11-21 12:00:00.948203 UTC", "20251121T120000Z"]
)
def test_a_time_with_an_offset_or_as_nbgrader_writes_it_is_taken(
    released: Cli, right: str, text: str
) -> None:
    released.write("course/bob/ps1/x.ipynb", right)
    (released.home / "course/bob/ps1/timestamp.txt").write_text(text)
    _, _, err = released("collect", "rl", "ps1", str(released.home / "course"))
    assert "warning" not in err
    (row,) = csv.DictReader(io.StringIO(released.ok("grades", "export", "rl")))
    assert row["submitted_at"] == "2025-11-21T12:00:00+00:00"


def test_a_time_behind_a_link_is_not_read(released: Cli, right: str) -> None:
    released.write("course/bob/ps1/x.ipynb", right)
    (released.home / "secret").write_text("hunter2")
    (released.home / "course/bob/ps1/timestamp.txt").symlink_to(released.home / "secret")
    status, _, err = released("collect", "rl", "ps1", str(released.home / "course"))
    assert status == 0
    assert "is a link and not followed" in err
    assert "hunter2" not in err


def test_a_grader_fetches_the_copy_of_a_student_with_the_seed_of_theirs(
    cli: Cli, right: str
) -> None:
    cli.ok("course", "create", "rl")
    source = cli.write("source.ipynb", right, "SEED = 7  # STUDENT SEED\nassert square(SEED)")
    said = cli.ok("release", "rl", "ps1", source, "--no-calibrate")
    assert "student seed: each student gets data of their own\n" in said
    found = {}
    for user in ("bob", "eve", "ada"):
        path = cli.home / f"{user}.ipynb"
        assert f"for {user}" in cli.ok("fetch", "rl", "ps1", str(path), "--user", user)
        found[user] = re.search(r"SEED = (\d+)", path.read_text(encoding="utf-8"))
    seeds = {match[1] for match in found.values() if match}
    assert len(seeds - {"7"}) == 3
    cli.ok("fetch", "rl", "ps1", str(cli.home / "own.ipynb"))
    assert (cli.home / "own.ipynb").read_bytes() == (cli.home / "ada.ipynb").read_bytes()


def test_a_release_without_the_mark_says_nothing_of_seeds(cli: Cli, right: str) -> None:
    cli.ok("course", "create", "rl")
    source = cli.write("source.ipynb", right)
    assert "seed" not in cli.ok("release", "rl", "ps1", source, "--no-calibrate")


def test_a_link_in_a_collected_folder_is_not_followed(released: Cli, right: str) -> None:
    secret = Path(released.write("elsewhere.ipynb", right))
    home = released.home / "course" / "bob" / "ps1"
    home.mkdir(parents=True)
    (home / "x.ipynb").symlink_to(secret)
    status, _, err = released("collect", "rl", "ps1", str(released.home / "course"))
    assert status == 1
    assert "holds no <student>/ps1/*.ipynb" in err


def test_grades_are_exported_as_csv_to_a_file(released: Cli, right: str) -> None:
    released.ok("submit", "rl", "ps1", released.write("mine.ipynb", right))
    target = released.home / "grades.csv"
    released.ok("grades", "export", "rl", "--to", str(target))
    (row,) = csv.DictReader(io.StringIO(target.read_text(encoding="utf-8")))
    assert (row["student"], row["assignment"], row["state"]) == ("ada", "ps1", "queued")


@pytest.mark.parametrize("word", ["--no-such-flag", "--PPOService.datadir=x", "--PPOService.x"])
def test_a_flag_or_setting_that_does_not_exist_is_refused(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["course", "list", word])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert word in said
    assert "data_dir" in said


def test_an_impossible_limit_is_refused_by_name(cli: Cli) -> None:
    status, _, err = cli("course", "list", "--PPOService.limits={'memory_mb': 1}")
    assert status == 1
    assert "memory_mb" in err


def test_a_file_that_cannot_be_written_is_named_without_a_traceback(released: Cli) -> None:
    for words in (
        ("fetch", "rl", "ps1", "/no/such/folder/ps1.ipynb"),
        ("grades", "export", "rl", "--to", "/proc/grades.csv"),
    ):
        status, _, err = released(*words)
        assert (status, "Traceback" not in err and err.startswith("error: /")) == (1, True)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert re.fullmatch(r"jupyter_ppo \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_database_of_a_newer_version_is_left_alone(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    (file,) = (cli.home / "data").glob("*.sqlite")
    import sqlite3

    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999'")
    connection.close()
    status, _, err = cli("course", "list")
    assert status == 1
    assert "newer" in err


@pytest.mark.docker
@pytest.mark.image
def test_grading_gives_points_feedback_and_a_table(released: Cli, right: str) -> None:
    released.ok("submit", "rl", "ps1", released.write("mine.ipynb", right))
    half = released.write("course/bob/ps1/x.ipynb", "def square(x):\n    return 3 * x")
    assert half
    released.ok("collect", "rl", "ps1", str(released.home / "course"))
    assert released.ok("grade", "rl").startswith(
        "2 graded now; 2 of 2 in the table are graded, 0 failed"
    )
    table = released.ok("grades", "show", "rl")
    rows = {line.split()[0]: line.split()[4] for line in table.splitlines()[1:]}
    assert rows == {"ada": "2", "bob": "0"}
    released.ok("grades", "feedback", "rl", "--to", str(released.home / "pages"))
    page = (released.home / "pages" / "bob_ps1.html").read_text(encoding="utf-8")
    assert "test_square" in page
    assert "square(-2)" not in page
    assert released.ok("grade", "rl", "--again").startswith("2 graded now")


@pytest.mark.docker
@pytest.mark.image
def test_ctrl_c_while_grading_ends_cleanly_and_loses_nothing(released: Cli) -> None:
    slow = "import time\nfor _ in range(250):\n    time.sleep(0.1)\n"
    answer = f"{slow}\ndef square(x):\n    return x * x"
    released.ok("submit", "rl", "ps1", released.write("mine.ipynb", answer))
    process = released.process("grade", "rl", "--PPOService.grading_workers=1")
    deadline = time.monotonic() + 100
    while "grading" not in released.ok("grades", "show", "rl"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "goes on after the next start" in said
    assert "Traceback" not in said
    # Given back, or, where the signal came in the middle of a write, taken over with its lease.
    table = released.ok("grades", "show", "rl")
    assert "queued" in table
