"""Releasing from several threads at once, as grading workers do."""

from __future__ import annotations

import json
import threading
from typing import Any

from jupyter_ppo.autograde.release import MadeRelease, make_release

THREADS = 6


def test_workers_that_come_at_once_with_one_source_share_one_release(make: Any) -> None:
    cells = [
        cell
        for number in range(60)
        for cell in (
            make.solution(f"answer-{number}", "### BEGIN SOLUTION\n1\n### END SOLUTION"),
            make.tests(f"test-{number}", "assert True"),
        )
    ]
    source = json.dumps(make.notebook(*cells)).encode()
    gate = threading.Barrier(THREADS)
    made: list[MadeRelease] = []

    def run() -> None:
        gate.wait()
        made.append(make_release(source))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == THREADS
    assert len({id(each) for each in made}) == 1
