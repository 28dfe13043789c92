"""A class of 100, from handing in to graded: receipts, queue, containers, database, all of it.

Every student of a new course hands in a notebook through the service, one after the other, while
its workers grade: a third untouched, a third half answered, a third right. Afterwards the whole
class is graded again as one batch. The server's own settings, ``--workers`` aside.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from class_of_30 import SOURCE, make_class
from harness import Cost, environment, measured
from tqdm import tqdm

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.batches import BatchItemState, BatchScope
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.wiring import PPOService, Service

ADMIN = Caller("ada", admin=True)
COURSE, ASSIGNMENT = "rl", "sitting"
#: How often the queue is looked at, in seconds.
LOOK_SECONDS = 0.5


class Class:
    """A course with its students, and a service whose workers grade."""

    def __init__(self, service: Service, source: bytes, students: int) -> None:
        self._service = service
        assessment = service.assessment
        assessment.create_course(ADMIN, COURSE)
        assessment.release(ADMIN, COURSE, ASSIGNMENT, source)
        release = assessment.released_notebook(ADMIN, COURSE, ASSIGNMENT)
        self._notebooks = make_class(source, release, students)
        for number in range(students):
            service.use_cases.roster.put_member(ADMIN, COURSE, _name(number), Role.STUDENT)
        self.receipts: list[float] = []
        self.regraded: UUID | None = None

    def submit_and_wait(self) -> None:
        """Hand in for everybody, and wait until all are graded."""
        for number, notebook in enumerate(self._notebooks):
            began = time.perf_counter()
            self._service.assessment.submit(Caller(_name(number)), COURSE, ASSIGNMENT, notebook)
            self.receipts.append(time.perf_counter() - began)
        self._wait("from submit to graded")

    def grade_again(self) -> None:
        """Grade the whole class again as one batch, and wait until it is over."""
        batch = self._service.use_cases.batches.create(
            ADMIN, COURSE, ASSIGNMENT, scope=BatchScope.ALL, newest_version=True
        )
        self.regraded = batch.id
        self._wait("the whole class again")

    def check(self) -> None:
        """Stop if anything failed or changed: then the times mean nothing."""
        if self.regraded is None:
            return
        batches = self._service.use_cases.batches
        batch = batches.batch(ADMIN, self.regraded)
        page = batches.items(ADMIN, self.regraded, changed=True, offset=0, limit=200)
        if batch.counts[BatchItemState.DONE] != len(self._notebooks) or page.total:
            sys.exit(f"Not all were graded alike twice: {dict(batch.counts)}, {page.total} changed")

    def _wait(self, title: str) -> None:
        jobs, total = self._service.jobs, len(self._notebooks)
        with tqdm(total=total, desc=title, unit="notebook") as bar:
            while (left := jobs.pending()) > 0:
                bar.update(total - left - bar.n)
                time.sleep(LOOK_SECONDS)
            bar.update(total - bar.n)


def _name(number: int) -> str:
    return f"student{number:03}"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--students", type=int, default=100)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--only-once", action="store_true", help="do not grade the class again")
    chosen = options.parse_args()
    print(environment(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = PPOService(data_dir=str(Path(folder)), grading_workers=chosen.workers)
        service = settings.build()
        status = service.sandbox.status()
        if not status.available:
            sys.exit(f"{status.problem} {status.remedy or ''}")
        students = Class(service, SOURCE.read_bytes(), chosen.students)
        service.start()
        try:
            first = measured(students.submit_and_wait, containers=True)
            _say("from submit to graded", first, chosen.students)
            if not chosen.only_once:
                again = measured(students.grade_again, containers=True)
                _say("the whole class again", again, chosen.students)
            students.check()
        finally:
            service.stop()
    print(
        f"receipts while grading: median {1e3 * statistics.median(students.receipts):.0f} ms, "
        f"99 % within {1e3 * _percentile(students.receipts, 0.99):.0f} ms"
    )


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _say(title: str, cost: Cost, students: int) -> None:
    print(
        f"{title}: {cost.wall:.1f} s on the clock for {students} students, "
        f"{cost.wall / students:.2f} s each; {cost.cpu / students:.2f} s of processor time each",
        flush=True,
    )


if __name__ == "__main__":
    main()
