"""``jupyter ppo gradebook``, ``backup``, ``restore`` and ``verify``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any


def _elsewhere(cli: Any, folder: Path) -> Any:
    return type(cli)(folder, cli.capture)


def test_a_backup_is_written_verified_and_restored(released: Any, tmp_path: Path) -> None:
    released.ok("course", "enrol", "rl", "sam")
    archive = str(tmp_path / "all.tar.gz")
    assert "files written to" in released.ok("backup", archive)
    assert "is whole" in released.ok("verify", archive)
    other = _elsewhere(released, tmp_path / "other")
    assert "restored" in other.ok("restore", archive)
    assert other.ok("course", "list") == released.ok("course", "list")
    assert "0 problems" in other.ok("verify")
    status, _, err = other("restore", archive)
    assert (status, "not empty" in err) == (1, True)


def test_the_key_of_badges_is_in_a_backup_and_comes_back(released: Any, tmp_path: Path) -> None:
    keys = released.ok("achievements", "key")
    archive = str(tmp_path / "all.tar.gz")
    released.ok("backup", archive)
    other = _elsewhere(released, tmp_path / "other")
    other.ok("restore", archive)
    assert other.ok("achievements", "key") == keys


def test_verify_names_a_damaged_file_and_ends_with_one(released: Any) -> None:
    assert "0 problems" in released.ok("verify")
    blobs = [path for path in (released.home / "data" / "blobs").rglob("*") if path.is_file()]
    blobs[0].write_bytes(b"rubbish")
    status, out, err = released("verify")
    assert status == 1
    assert "1 problems" in out
    assert blobs[0].name in err


def test_the_gradebook_is_shown_exported_and_exchanged(released: Any, tmp_path: Path) -> None:
    released.ok("course", "enrol", "rl", "sam")
    assert "sam" in released.ok("gradebook", "show", "rl")
    table = released.ok("gradebook", "export", "rl")
    assert [row[0] for row in csv.reader(io.StringIO(table))] == ["student", "sam"]
    target = str(tmp_path / "out" / "book.json")
    released.ok("gradebook", "export", "rl", "ps1", "--format", "json", "--to", target)
    assert json.loads(Path(target).read_text())["columns"][0]["name"] == "test_square"
    book = str(tmp_path / "gradebook.db")
    released.ok("gradebook", "to-nbgrader", "rl", "--to", book)
    status, _, err = released("gradebook", "to-nbgrader", "rl", "--to", book)
    assert (status, "is there already" in err) == (1, True)
    released.ok("course", "create", "copy")
    said = released.ok("gradebook", "from-nbgrader", "copy", book)
    assert "1 students, 1 assignments, 0 submissions" in said
