"""What process 1 does with the folders that student's code has used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.sandbox.inside.emptying import empty_folder


def test_a_folder_is_emptied_of_all_kinds_of_things(tmp_path: Path) -> None:
    outside, top = tmp_path / "outside", tmp_path / "top"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (top / "closed" / "inner").mkdir(parents=True)
    (top / "closed" / "inner" / "file").write_text("x")
    (top / "left-0").write_text("a name that emptying uses")
    (top / "link").symlink_to(outside)
    (top / "closed" / "link").symlink_to(outside)
    os.mkfifo(top / "pipe")
    (top / os.fsdecode(b"\xff\xfe")).mkdir()
    (top / "closed" / "inner").chmod(0)
    (top / "closed").chmod(0)
    assert empty_folder(str(top))
    assert list(top.iterdir()) == []
    assert (outside / "kept").read_text() == "kept"


def test_a_tree_deeper_than_any_path_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(3000):
        os.mkdir("deep")
        os.chdir("deep")
    assert empty_folder(str(tmp_path))


def test_what_stays_is_told() -> None:
    assert not empty_folder("/proc/self/task")


@settings(deadline=None, max_examples=25)
@given(paths=st.lists(st.lists(st.sampled_from(["a", "b", "left-0", "left-1"]), max_size=4)))
def test_any_tree_is_emptied(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]
) -> None:
    top = tmp_path_factory.mktemp("top")
    for path in paths:
        top.joinpath(*path).mkdir(parents=True, exist_ok=True)
    assert empty_folder(str(top))
    assert list(top.iterdir()) == []
