"""What was opened is closed: counted, because a leak shows up in whatever test runs later."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.wiring import PPOService

OWNER = Caller("ada", admin=True)
TESTS = {
    "grade": True,
    "solution": False,
    "locked": True,
    "schema_version": 3,
    "points": 1,
    "grade_id": "t",
}


def _open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def _settles(measure: Callable[[], int], most: int) -> bool:
    """Whether ``measure`` comes down to ``most``; threads that were told to end need a moment."""
    deadline = time.monotonic() + 30
    while measure() > most:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _graded_by_a_service(settings: PPOService, notebook: bytes) -> None:
    service = settings.build()
    service.start()
    try:
        received = service.assessment.submit(OWNER, "rl", "ps1", notebook)
        deadline = time.monotonic() + 120
        while True:
            now = service.assessment.submission(OWNER, received.id)
            if now.state is SubmissionState.GRADED:
                break
            assert now.state is not SubmissionState.FAILED, now.error
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        service.stop()


@pytest.mark.docker
@pytest.mark.image
def test_a_service_that_started_graded_and_stopped_leaves_nothing_open(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path), owner="ada", warm_heavy_kernels=0)
    cell = new_code_cell("assert True", id="t", metadata={"nbgrader": TESTS})
    notebook = nbformat.writes(new_notebook(cells=[cell])).encode()
    service = settings.build()
    service.assessment.create_course(OWNER, "rl")
    service.assessment.release(OWNER, "rl", "ps1", notebook)
    service.close()
    _graded_by_a_service(settings, notebook)  # what stays open for good is open after this
    files, threads = _open_files(), threading.active_count()
    for _ in range(3):
        _graded_by_a_service(settings, notebook)
    assert _settles(_open_files, files)
    assert _settles(threading.active_count, threads)


def test_an_export_leaves_nothing_open_whole_or_broken_off(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path), owner="ada", warm_heavy_kernels=0)
    cell = new_code_cell("assert True", id="t", metadata={"nbgrader": TESTS})
    notebook = nbformat.writes(new_notebook(cells=[cell])).encode()
    service = settings.build()
    try:
        service.assessment.create_course(OWNER, "rl")
        service.assessment.release(OWNER, "rl", "ps1", notebook)
        service.assessment.submit(OWNER, "rl", "ps1", notebook)
        privacy = service.use_cases.privacy
        assert b"".join(privacy.my_data(OWNER))  # what stays open for good is open after this
        files, threads = _open_files(), threading.active_count()
        for _ in range(3):
            assert len(list(privacy.my_data(OWNER))) > 2
            broken_off = privacy.my_data(OWNER)
            assert next(broken_off)
            del broken_off
        assert _settles(_open_files, files)
        assert _settles(threading.active_count, threads)
    finally:
        service.close()
