"""The guard: ends a process whose interpreter is held, and no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_ppo.training import guard

_WATCHED = """
import ctypes, os, pathlib, sys, threading, time
from jupyter_ppo.training.guard import Guard
said = pathlib.Path(sys.argv[1])
watched = Guard(1.5, lambda: said.write_text("held"))
print(watched.pid, flush=True)
def beat():
    while True:
        watched.beat(is_armed=True)
        time.sleep(0.1)
threading.Thread(target=beat, daemon=True).start()
sys.stdin.readline()
ctypes.PyDLL(None).sleep(60)  # with the interpreter held
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCHED, str(tmp_path / "said")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(guard.__file__).parents[2])},
    )
    with process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_process_that_was_stopped_goes_on_and_one_that_is_held_is_ended(
    watched: subprocess.Popen[str], tmp_path: Path
) -> None:
    pid = line(watched)
    os.kill(watched.pid, signal.SIGSTOP)
    time.sleep(3.5)  # more than twice the limit
    os.kill(watched.pid, signal.SIGCONT)
    time.sleep(1.0)
    assert watched.poll() is None
    assert not (tmp_path / "said").exists()
    assert watched.stdin is not None
    watched.stdin.write("\n")
    watched.stdin.flush()
    assert watched.wait(30) == -signal.SIGABRT
    assert (tmp_path / "said").read_text() == "held"
    assert watched.stderr is not None
    assert "Fatal Python error: Aborted" in watched.stderr.read()
    until_gone(pid)


def test_a_guard_ends_with_its_process(watched: subprocess.Popen[str]) -> None:
    pid = line(watched)
    watched.kill()
    watched.wait(30)
    until_gone(pid)
