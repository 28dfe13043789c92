"""A process that the submission started is still there after the grading."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from attack_corpus import Seen, Variant, both

TRICK = """
import subprocess
import sys

subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(60)  # {word}"],
    start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
"""


def variants(folder: Path) -> list[Variant]:
    return both(TRICK.format(word=word_of(folder)))


def word_of(folder: Path) -> str:
    return f"lives-on-{os.getpid()}-{folder.parent.name}"


def harm(folder: Path, seen: Seen) -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"# {word_of(folder)}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
    for process in found:  # by their word, these are our own
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    return "a process of the submission lives on" if found else ""
