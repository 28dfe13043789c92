"""A server that starts knows of the work that was handed in before there was a log of progress."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import delete

from jupyter_ppo.domain.courses import CellKind, Exercise, Role
from jupyter_ppo.domain.progress_records import Progress, WorkState
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import OutlineRow, ProgressEventRow, ProgressStateRow
from jupyter_ppo.wiring import PPOService, Service
from jupyter_ppo.wiring.settings import UtcClock

SECONDS = 60
SETTINGS = {
    "grading_workers": 0,
    "training_workers": 0,
    "warm_programs": 0,
    "warm_kernels": 0,
    "warm_heavy_kernels": 0,
}


def progress(service: Service, caller: object) -> Progress:
    return service.use_cases.progress.student(caller, "rl", "ada")


def test_the_daily_work_catches_up_and_ends_with_the_server(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path), **SETTINGS)
    service, caller = settings.build(), settings.local_caller()
    service.assessment.create_course(caller, "rl", "RL")
    courses = Courses(service.database)
    course = courses.course("rl")
    courses.enrol(course.id, "ada", Role.STUDENT)
    exercises = [Exercise("t", CellKind.TESTS, 2.0, 0)]
    assignment = courses.release(
        course.id, "ps1", source_digest="a" * 64, release_digest="b" * 64, exercises=exercises
    )
    Submissions(service.database, UtcClock()).submit(assignment, "ada", "c" * 64, ())
    with service.database.begin() as session:  # as a database from before
        for table in (OutlineRow, ProgressEventRow, ProgressStateRow):
            session.execute(delete(table))
    assert progress(service, caller).chapters[0].state is WorkState.NOT_STARTED
    service.start()
    try:
        deadline = time.monotonic() + SECONDS
        while progress(service, caller).chapters[0].state is not WorkState.HANDED_IN:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        service.stop()
    assert "jupyter-ppo-daily" not in {thread.name for thread in threading.enumerate()}
