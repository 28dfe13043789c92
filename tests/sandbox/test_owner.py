from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.sandbox import owner


def dead_process() -> tuple[int, str]:
    """Return id and start time of a process that is gone."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True
    ) as process:
        started = owner.start_time(process.pid)
        assert started is not None
        process.communicate("\n")
    return process.pid, started


def place() -> list[str]:
    """Return host, user and PID namespace of this process's containers."""
    return owner.own_token().split(":")[:-2]


def token(*parts: object) -> str:
    return ":".join(str(part) for part in parts)


def test_a_running_process_is_no_orphan() -> None:
    assert not owner.is_orphan(owner.own_token())


def test_a_label_ends_with_process_id_and_start_time() -> None:
    pid = os.getpid()
    assert owner.own_token().split(":")[-2:] == [str(pid), owner.start_time(pid)]


def test_a_process_that_is_gone_leaves_orphans() -> None:
    assert owner.is_orphan(token(*place(), *dead_process()))


def test_a_process_with_a_reused_id_is_another_one() -> None:
    assert owner.is_orphan(token(*place(), os.getpid(), 1))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["host", "user", "namespace"])
def test_the_containers_of_another_host_user_or_namespace_are_left_alone(part: int) -> None:
    elsewhere = place()
    elsewhere[part] = f"1{elsewhere[part]}"
    assert not owner.is_orphan(token(*elsewhere, *dead_process()))


def test_a_process_that_cannot_be_looked_at_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own = owner.own_token()
    monkeypatch.setattr(owner, "start_time", lambda pid: None)  # as with hidepid=2
    assert not owner.is_orphan(own)


@pytest.mark.parametrize("pid", ["0", "-1", "9" * 12, "9" * 5000, "x", ""])
def test_a_label_without_a_process_id_is_left_alone(pid: str) -> None:
    assert not owner.is_orphan(token(*place(), pid, 1))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_label_that_cannot_be_read_is_left_alone(label: str) -> None:
    assert not owner.is_orphan(label)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    short = tmp_path / "r"
    short.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    monkeypatch.setattr(owner, "_roots", lambda: iter([short, Path("/tmp")]))
    return short


def test_a_folder_is_private_and_short_enough_for_sockets() -> None:
    folder = owner.new_folder()
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(str(folder / "k-5")) < 104
    finally:
        folder.rmdir()


def test_only_the_folders_of_dead_processes_are_removed(runtime: Path) -> None:
    pid, started = dead_process()
    here = owner.pid_namespace()
    left = runtime / f"jppo-{here}-{pid}-{started}-abcdefgh"
    mine = runtime / f"jppo-{here}-{os.getpid()}-{owner.start_time(os.getpid())}-abcdefgh"
    elsewhere = runtime / f"jppo-1{here}-{pid}-{started}-abcdefgh"
    other = runtime / "jppo-notes"
    for folder in (left, mine, elsewhere, other):
        folder.mkdir()
    (left / "k-1").touch()
    assert left in owner.remove_orphaned_folders()
    assert not left.exists()
    assert mine.exists()
    assert elsewhere.exists()
    assert other.exists()


def test_a_link_that_looks_like_a_left_folder_is_not_followed(runtime: Path) -> None:
    pid, started = dead_process()
    target = runtime / "precious"
    target.mkdir()
    (target / "file").touch()
    (runtime / f"jppo-{owner.pid_namespace()}-{pid}-{started}-abcdefgh").symlink_to(target)
    owner.remove_orphaned_folders()
    assert (target / "file").exists()
