"""What PostgreSQL's row-level security costs: the same reads with the policies and without.

``python benchmarks/row_security.py`` starts a PostgreSQL of its own, writes 20 courses with 10
assignments and 500 submissions each into it, and times reads of the storage layer in turns: without
policies (the owner of the tables is not held to them), with every course in the scope, as workers
have it, and with one course, as a request has it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "postgresql"))
from harness import environment, spread
from postgresql_server import ROLE, PostgresqlServer
from sqlalchemy import insert, select

from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.scope import EVERY_COURSE, in_this_scope, narrow, one_course
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import Base, SubmissionRow, VersionRow
from jupyter_ppo.wiring.settings import UtcClock

COURSES, ASSIGNMENTS, SUBMISSIONS = 20, 10, 500
DIGEST = "d" * 64
Ways = dict[str, list[float]]


def main() -> None:
    """Fill the database, measure in turns, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=40)
    repeats = options.parse_args().repeats
    print(environment())
    server = PostgresqlServer()
    try:
        server.administer(f"CREATE DATABASE walls OWNER {ROLE}")
        with closing(open_database(server.url("walls"))) as database:
            course, one = fill(database)
            with closing(server.connect("walls")) as admin:
                admin.execute("ANALYZE")
            reads = reads_of(database, course, one)
            print("\n| read | without | every course | one course | of without |")
            print("| --- | --- | --- | --- | --- |")
            for name, read in reads.items():
                print(row(name, measured(server, read, repeats)))
    finally:
        server.stop()


def fill(database: Database) -> tuple[UUID, UUID]:
    """Write the courses; return the id of "c00" and that of one of its submissions."""
    courses = Courses(database)
    made: list[tuple[UUID, UUID]] = []
    exercises = [Exercise("task", CellKind.TESTS, 2.0, 0)]
    for number in range(COURSES):
        course = courses.create_course(f"c{number:02}", f"Course {number}").id
        for place in range(ASSIGNMENTS):
            released = courses.release(
                course,
                f"ps{place:02}",
                source_digest=DIGEST,
                release_digest=DIGEST,
                exercises=exercises,
            )
            with database.begin() as session:
                version = session.scalars(
                    select(VersionRow.id).where(VersionRow.assignment_id == released.id)
                ).one()
                rows = [submission(released.id, version, n) for n in range(SUBMISSIONS)]
                session.execute(insert(SubmissionRow), rows)
            made.append((course, UUID(str(rows[0]["id"]))))
    return made[0]


def submission(assignment: UUID, version: UUID, number: int) -> dict[str, object]:
    """Return a row."""
    return {
        "id": new_id(),
        "assignment_id": assignment,
        "version_id": version,
        "submitted_version_id": version,
        "user": f"student{number:03}",
        "attempt": 1,
        "state": SubmissionState.QUEUED,
        "digest": DIGEST,
        "warnings": [],
        "submitted_at": datetime(2026, 3, 1, tzinfo=UTC),
    }


def reads_of(database: Database, course: UUID, one: UUID) -> dict[str, Callable[[], object]]:
    """Return reads that requests do often."""
    courses, submissions = Courses(database), Submissions(database, UtcClock())
    return {
        "one submission by its id": lambda: submissions.submission(one),
        "a course by its name": lambda: courses.course("c00"),
        "a page of 50 submissions of a course": lambda: submissions.submissions(
            course, offset=0, limit=50
        ),
        "its assignments": lambda: courses.assignments(course, offset=0, limit=50),
    }


def measured(server: PostgresqlServer, read: Callable[[], object], repeats: int) -> Ways:
    """Return the milliseconds of each way, taken in turns."""
    ways: Ways = {"without": [], "every": [], "one": []}

    def as_request() -> None:
        narrow(one_course("c00"))
        clocked("one")

    def as_worker() -> None:
        narrow(EVERY_COURSE)
        clocked("every")

    def clocked(way: str) -> None:
        began = time.perf_counter()
        read()
        ways[way].append(1000 * (time.perf_counter() - began))

    def force(word: str) -> None:
        with closing(server.connect("walls")) as admin:
            for table in Base.metadata.tables:
                admin.execute(f"ALTER TABLE {table} {word} ROW LEVEL SECURITY")

    turns: list[tuple[str, Callable[[], None]]] = [
        ("NO FORCE", lambda: clocked("without")),
        ("FORCE", in_this_scope(as_worker)),
        ("FORCE", in_this_scope(as_request)),
    ]
    for _ in range(repeats // 10):
        for word, ask in turns:
            force(word)
            for _warm in range(3):
                read()
            for _each in range(10):
                ask()
    return ways


def row(name: str, ways: Ways) -> str:
    """Return medians and spread as a line of a table."""
    shown = [spread(each, 1) for each in ways.values()]
    base = statistics.median(ways["without"])
    ratios = " and ".join(f"{statistics.median(ways[way]) / base:.2f}" for way in ("every", "one"))
    return f"| {name} | {' | '.join(shown)} | {ratios} |"


if __name__ == "__main__":
    main()
