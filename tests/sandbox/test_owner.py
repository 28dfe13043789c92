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


def test_a_running_process_is_no_orphan() -> None:
    assert not owner.is_orphan(owner.own_token())


def test_a_process_that_is_gone_leaves_orphans() -> None:
    host = owner.own_token().rsplit(":", 2)[0]
    pid, started = dead_process()
    assert owner.is_orphan(f"{host}:{pid}:{started}")


def test_a_process_with_a_reused_id_is_another_one() -> None:
    host, pid, _ = owner.own_token().rsplit(":", 2)
    assert owner.is_orphan(f"{host}:{pid}:1")


def test_the_containers_of_another_host_are_left_alone() -> None:
    assert not owner.is_orphan("another-host:1:1")


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
    left = runtime / f"jppo-{pid}-{started}-abcdefgh"
    mine = runtime / f"jppo-{os.getpid()}-{owner.start_time(os.getpid())}-abcdefgh"
    other = runtime / "jppo-notes"
    for folder in (left, mine, other):
        folder.mkdir()
    (left / "k-1").touch()
    assert left in owner.remove_orphaned_folders()
    assert not left.exists()
    assert mine.exists()
    assert other.exists()


def test_a_link_that_looks_like_a_left_folder_is_not_followed(runtime: Path) -> None:
    pid, started = dead_process()
    target = runtime / "precious"
    target.mkdir()
    (target / "file").touch()
    (runtime / f"jppo-{pid}-{started}-abcdefgh").symlink_to(target)
    owner.remove_orphaned_folders()
    assert (target / "file").exists()
