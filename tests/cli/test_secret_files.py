"""Secrets that are mounted as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_ppo.cli.secret_files import SECRETS, read_secret_files
from jupyter_ppo.domain.errors import InvalidInputError


@pytest.mark.parametrize("name", SECRETS)
def test_each_may_be_in_a_file_with_a_line_end(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("pass word\n")
    environment = {f"{name}_FILE": str(path)}
    read_secret_files(environment)
    assert environment[name] == "pass word"


def test_without_files_nothing_changes() -> None:
    environment = {"PGPASSWORD": "a", "JUPYTER_PPO_DB_URL_FILE": ""}
    read_secret_files(environment)
    assert environment == {"PGPASSWORD": "a", "JUPYTER_PPO_DB_URL_FILE": ""}


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_that_holds_no_secret_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"PGPASSWORD_FILE: .*secret"):
        read_secret_files({"PGPASSWORD_FILE": str(path)})


def test_a_secret_that_is_given_both_ways_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("file")
    with pytest.raises(InvalidInputError, match="Take one of them away"):
        read_secret_files({"PGPASSWORD_FILE": str(path), "PGPASSWORD": "environment"})


def test_every_command_reads_them(
    cli: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD_FILE", str(tmp_path / "missing"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    status, _, err = cli("status")  # type: ignore[operator]
    assert (status, "PGPASSWORD_FILE" in err) == (1, True)
