"""The memory meter on files such as control groups have, of both versions and of none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_ppo.sandbox.inside import memory
from jupyter_ppo.sandbox.inside.memory import MemoryMeter

V1 = "cache {file_and_shmem}\nrss {anon}\nshmem {shmem}\nmapped_file 7\ntotal_rss 9\n"
V2 = "anon {anon}\nfile {file_and_shmem}\nkernel 7\nshmem {shmem}\ninactive_anon 9\n"


class Group:
    """The files of a control group."""

    def __init__(self, folder: Path, text: str) -> None:
        self._text = text
        self.statistics, self.highest = folder / "stat", folder / "highest"

    def hold(self, anon: int, shmem: int = 0, cached: int = 0, highest: int = 0) -> None:
        figures = {"anon": anon, "shmem": shmem, "file_and_shmem": cached + shmem}
        self.statistics.write_text(self._text.format(**figures))
        self.highest.write_text(f"{highest}\n")


@pytest.fixture(params=[V1, V2], ids=["v1", "v2"])
def group(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Group:
    made = Group(tmp_path, request.param)
    monkeypatch.setattr(memory, "_STATISTICS", ("/nowhere", str(made.statistics)))
    monkeypatch.setattr(memory, "_HIGHEST", ("/nowhere", str(made.highest)))
    made.hold(100, highest=1000)
    return made


def test_the_most_that_was_seen_is_told_without_the_cache_of_files(group: Group) -> None:
    meter = MemoryMeter()
    group.hold(300, shmem=50, cached=5000, highest=1000)
    meter.look()
    group.hold(200, highest=1000)
    assert meter.finish() == 350


def test_a_peak_between_two_looks_is_told_by_the_system(group: Group) -> None:
    meter = MemoryMeter()
    group.hold(150, shmem=20, cached=400, highest=3000)
    assert meter.finish() == 2600


def test_a_peak_of_before_is_not_counted_again(group: Group) -> None:
    assert MemoryMeter().finish() == 100


def test_the_files_are_closed(group: Group) -> None:
    before = os.listdir("/proc/self/fd")
    MemoryMeter().finish()
    assert os.listdir("/proc/self/fd") == before


def test_without_a_control_group_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATISTICS", ("/nowhere",))
    monkeypatch.setattr(memory, "_HIGHEST", ("/nowhere",))
    meter = MemoryMeter()
    meter.look()
    assert meter.finish() == 0
