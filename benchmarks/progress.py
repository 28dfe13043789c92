"""How long progress takes: 10,000 students with 2,000,000 events, in an SQLite file.

``python benchmarks/progress.py [--students 10000] [--events 2000000] [--folder FOLDER]`` writes the
log, computes it, and measures through the service: one student, a page of the class, an event, and
everything recomputed from the log. Ends with 1 when a bar is missed. A folder that holds the file
of an earlier run is measured again.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from harness import environment, table
from sqlalchemy import func, insert, select, update

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Exercise, Role
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.outline import OutlineChapter, OutlineExercise
from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Receipt
from jupyter_ppo.domain.progress_records import ClassSort
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.services.progress import ProgressService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.outlines import Outlines
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.tables import (
    ExerciseGradeRow,
    GradeRow,
    MembershipRow,
    ProgressEventRow,
    ProgressStateRow,
    SubmissionRow,
)

CHAPTERS, HANDED_IN, EXERCISES, CHECKS = 13, 5, 6, 3
STUDENT_BAR_MS, RECOMPUTE_BAR = 30.0, 20_000.0
COURSE = "rl"
NOW = datetime.now(UTC)
ROWS_AT_ONCE = 20_000
ADMIN = Caller("admin", admin=True)


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _user(number: int) -> str:
    return f"student{number:05}"


def fill(database: Database, students: int, events: int) -> None:
    """Write the class, what each handed in, and the log, in the order in which it happened."""
    courses, outlines = Courses(database), Outlines(database)
    course = courses.create_course(COURSE, "Reinforcement Learning")
    with database.begin() as session:
        people = [
            {
                "course_id": course.id,
                "user": _user(number),
                "role": Role.STUDENT,
                "first_name": f"Zoë {number % 40}",
                "last_name": f"Müller {number % 97}",
            }
            for number in range(students)
        ]
        session.execute(insert(MembershipRow), people)
    made = [_release(courses, outlines, course.id, number) for number in range(CHAPTERS)]
    graded = {
        (number, chapter): new_id() for number in range(students) for chapter in range(HANDED_IN)
    }
    for chapter, assignment in enumerate(made[:HANDED_IN]):
        rows = [_attempt(graded, assignment, number, chapter) for number in range(students)]
        for kind in (SubmissionRow, GradeRow, ExerciseGradeRow):
            _write(database, kind, (row for attempt in rows for row in attempt[kind]))
    log = _log(course.id, made, graded, students)
    _write(database, ProgressEventRow, itertools.islice(log, events))


def _release(courses: Courses, outlines: Outlines, course_id: UUID, chapter: int) -> Assignment:
    cells = [
        Exercise(_cell(exercise, check), CellKind.TESTS, 1.0, CHECKS * exercise + check)
        for exercise in range(EXERCISES)
        for check in range(CHECKS)
    ]
    made = courses.release(
        course_id,
        f"chapter{chapter:02}",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=cells,
    )
    exercises = tuple(
        OutlineExercise(
            f"ex{exercise}",
            f"Exercise {exercise}",
            {_cell(exercise, check): 1.0 for check in range(CHECKS)},
            (f"goal{exercise % 4}",),
            (DETAILS[(chapter + exercise) % len(DETAILS)].key,),
        )
        for exercise in range(EXERCISES)
    )
    goals = {f"goal{n}": f"You can do {n}." for n in range(4)}
    outlines.put(
        made.version.id,
        OutlineChapter(
            made.name,
            f"Chapter {chapter}",
            chapter + 1,
            AssignmentKind.NOTEBOOK,
            90,
            goals,
            exercises,
        ),
    )
    return made


def _cell(exercise: int, check: int) -> str:
    return f"ex{exercise}-{check}"


def _points(number: int, chapter: int) -> dict[str, float]:
    return {
        _cell(exercise, check): float((number + chapter + exercise * check) % 5 > 0)
        for exercise in range(EXERCISES)
        for check in range(CHECKS)
    }


def _handed_in_at(number: int, chapter: int) -> datetime:
    return NOW - timedelta(days=7 * (HANDED_IN - chapter), seconds=number)


def _attempt(
    graded: dict[tuple[int, int], UUID], assignment: Assignment, number: int, chapter: int
) -> dict[type[Any], list[dict[str, Any]]]:
    submission, points = graded[number, chapter], _points(number, chapter)
    at = _handed_in_at(number, chapter)
    return {
        SubmissionRow: [
            {
                "id": submission,
                "assignment_id": assignment.id,
                "version_id": assignment.version.id,
                "submitted_version_id": assignment.version.id,
                "user": _user(number),
                "attempt": 1,
                "digest": "d" * 64,
                "state": SubmissionState.GRADED,
                "submitted_at": at,
                "released_at": at,
                "warnings": [],
            }
        ],
        GradeRow: [
            {
                "submission_id": submission,
                "points": sum(points.values()),
                "max_points": float(len(points)),
                "needs_review": False,
                "version_id": assignment.version.id,
                "verdict": Verdict.RAN,
                "detail": "",
                "feedback_digest": "c" * 64,
                "graded_at": at,
                "wall_seconds": 1.0,
            }
        ],
        ExerciseGradeRow: [
            {
                "submission_id": submission,
                "grade_id": grade_id,
                "position": place,
                "points": value,
                "max_points": 1.0,
                "needs_review": False,
                "reason": "Tests.",
                "is_sealed": True,
                "checks": [],
                "records": [],
            }
            for place, (grade_id, value) in enumerate(points.items())
        ],
    }


def _log(
    course_id: UUID,
    made: list[Assignment],
    graded: dict[tuple[int, int], UUID],
    students: int,
) -> Iterator[dict[str, Any]]:
    """Yield events for ever: everybody's hand-ins, then their work, a few minutes each."""

    def event(
        number: int, kind: EventKind, chapter: int, at: datetime, data: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "id": new_id(),
            "course_id": course_id,
            "user": _user(number),
            "kind": kind,
            "assignment": made[chapter].name,
            "occurred_at": at,
            "received_at": at,
            "data": data,
            "key": str(new_id()) if kind.is_from_clients else None,
            "digest": "e" * 64 if kind.is_from_clients else None,
        }

    for chapter, number in itertools.product(range(HANDED_IN), range(students)):
        data: dict[str, Any] = {"submission_id": str(graded[number, chapter]), "attempt": 1}
        at = _handed_in_at(number, chapter)
        yield event(number, EventKind.SUBMITTED, chapter, at, data)
        yield event(
            number, EventKind.GRADED, chapter, at, data | {"points": _points(number, chapter)}
        )
    chance = random.Random(7)  # noqa: S311 - not for secrets
    first = NOW - timedelta(days=90)
    for step, number in ((step, each) for step in itertools.count() for each in range(students)):
        at = first + timedelta(minutes=480 * (step // 12) + 6 * (step % 12) + number % 60)
        chapter = (step // 20) % CHAPTERS
        if step % 20 == 0:
            yield event(number, EventKind.OPENED, chapter, at, {})
        elif step % 10 == 9:
            yield event(number, EventKind.CHECKED, chapter, at, {"passed": 3, "failed": 1})
        else:
            minutes = sorted(minute_of(at) - n for n in range(5) if chance.random() < 0.8)
            yield event(
                number, EventKind.ACTIVE, chapter, at, {"minutes": minutes or [minute_of(at)]}
            )


def _write(database: Database, kind: type[Any], rows: Iterator[dict[str, Any]]) -> None:
    while chunk := list(itertools.islice(rows, ROWS_AT_ONCE)):
        with database.begin() as session:
            session.execute(insert(kind.__table__), chunk)


def service_of(database: Database, folder: Path) -> ProgressService:
    """Return the use cases as the server has them."""
    return ProgressService(
        courses=Courses(database),
        log=ProgressLog(database),
        states=ProgressStates(database),
        recomputing=Recomputing(database),
        outlines=CourseOutlines(outlines=Outlines(database), blobs=FileBlobs(folder / "blobs")),
        clock=_Clock(),
        audit=Audit(database),
    )


def timed(work: Callable[[int], object], repeats: int) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the most of some calls, in milliseconds."""
    work(0)
    times = []
    for number in range(repeats):
        began = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    return statistics.median(times), times[min(repeats - 1, int(0.99 * repeats))], times[-1]


def measure(database: Database, service: ProgressService, repeats: int) -> bool:
    """Print what each request takes; return whether every bar is met."""
    with database.session() as session:
        students = session.scalar(select(func.count()).select_from(MembershipRow)) or 0
        events = session.scalar(select(func.count()).select_from(ProgressEventRow)) or 0
    chance = random.Random(11)  # noqa: S311 - not for secrets
    users = [_user(chance.randrange(students)) for _ in range(repeats)]

    def report(number: int) -> None:
        now = datetime.now(UTC)
        data = {"minutes": [minute_of(now)]}
        key = str(new_id())
        chapter = f"chapter{number % CHAPTERS:02}"
        made = service.report(
            Caller(users[number], admin=False),
            COURSE,
            [NewEvent(key, EventKind.ACTIVE, chapter, now, data)],
        )
        assert made[0].receipt is Receipt.ACCEPTED, made

    def page(sort: ClassSort) -> Callable[[int], object]:
        return lambda number: service.students(
            ADMIN, COURSE, sort=sort, offset=100 * (number % 50), limit=100
        )

    requests: dict[str, tuple[Callable[[int], object], int]] = {
        "progress of one student": (
            lambda number: service.mine(Caller(users[number], admin=False), COURSE),
            repeats,
        ),
        "page of 100 of the class, by name": (page(ClassSort.NAME), max(5, repeats // 10)),
        "page of 100 of the class, by points": (page(ClassSort.POINTS), max(5, repeats // 10)),
        "one event reported": (report, repeats),
    }
    found = {name: timed(*request) for name, request in requests.items()}
    rows = [[name, *(f"{value:.1f}" for value in times)] for name, times in found.items()]
    print(f"{students:,} students, {events:,} events, {repeats} requests each, ms:\n")
    print(table(["request", "median", "99 % within", "most"], rows))
    with database.begin() as session:
        session.execute(update(ProgressStateRow).values(state={}))
    began = time.perf_counter()
    made = service.recompute(ADMIN, COURSE)
    seconds = time.perf_counter() - began
    rate = made.events / seconds
    assert made.changed == students, made
    print(f"\nrecomputed {made.events:,} events in {seconds:.1f} s: {rate:,.0f} events per second")
    return found["progress of one student"][1] < STUDENT_BAR_MS and rate >= RECOMPUTE_BAR


def main() -> int:
    """Fill, measure, and say whether the bars are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print(environment(), file=sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        is_new = not (folder / "progress.sqlite").exists()
        database = open_database(sqlite_url(folder / "progress.sqlite"))
        try:
            service = service_of(database, folder)
            if is_new:
                began = time.perf_counter()
                fill(database, options.students, options.events)
                service.recompute(ADMIN, COURSE)
                print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
            is_met = measure(database, service, options.repeats)
        finally:
            database.close()
    if not is_met:
        print(
            f"A bar is missed: {STUDENT_BAR_MS:g} ms for a student, {RECOMPUTE_BAR:,.0f} events "
            "per second."
        )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
