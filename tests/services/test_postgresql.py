"""Many requests at the same moment on PostgreSQL, where nothing but its own locks orders them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ForbiddenError
from jupyter_ppo.domain.ports import JobQueue
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.storage.terms import AssignmentTerms

pytestmark = pytest.mark.postgresql

T = TypeVar("T")
ADMIN = Caller("root", admin=True)
ANSWER = b'{"answer": 42}'
CROWD = 8


@pytest.fixture
def world_url(postgresql_url: str) -> str:
    return postgresql_url


def at_once(*works: Callable[[], T]) -> list[T]:
    """Do all of these at the same moment."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        barrier.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(begin, works))


def test_one_key_sent_many_times_at_once_is_one_attempt_and_one_job(course: Any) -> None:
    ada = course.member("ada", Role.STUDENT)

    def submit() -> Submission:
        made: Submission = course.assessment.submit(ada, "rl", "ps1", ANSWER, idempotency_key="one")
        return made

    made = at_once(*[submit] * CROWD)
    assert len({each.id for each in made}) == 1
    assert sorted(each.is_repeat for each in made) == [False] + [True] * (CROWD - 1)
    assert course.jobs.pending() == 1


def test_of_many_attempts_at_once_as_many_come_in_as_the_terms_allow(course: Any) -> None:
    ada, bob = (course.member(user, Role.STUDENT) for user in ("ada", "bob"))
    assignment = course.courses.assignment(course.courses.course("rl").id, "ps1")
    terms = replace(assignment.terms, max_attempts=3)
    AssignmentTerms(course.database).save(assignment.id, terms, "ines")

    def submit(caller: Caller) -> int | None:
        try:
            attempt: int = course.assessment.submit(caller, "rl", "ps1", ANSWER).attempt
        except ForbiddenError:
            return None
        return attempt

    works = [lambda caller=caller: submit(caller) for caller in [ada, bob] * (CROWD // 2)]
    made = at_once(*works)
    assert sorted(each for each in made if each is not None) == [1, 1, 2, 2, 3, 3]


def test_versions_that_are_published_at_once_are_numbered_without_a_gap(course: Any) -> None:
    ines = course.member("ines", Role.INSTRUCTOR)

    def publish(number: int) -> int:
        source = f"source {number}".encode()
        released = course.assessment.release(ines, "rl", "ps2", source)
        version: int = released.assignment.version.number
        return version

    made = at_once(*[lambda number=number: publish(number) for number in range(CROWD)])
    assert sorted(made) == list(range(1, CROWD + 1))


def test_workers_take_each_job_once_while_work_comes_in(course: Any) -> None:
    people = [course.member(f"student{number}", Role.STUDENT) for number in range(CROWD)]
    jobs: JobQueue = course.jobs
    all_in = threading.Event()
    taken: list[Any] = []

    def hand_in(caller: Caller) -> None:
        for _ in range(3):
            course.assessment.submit(caller, "rl", "ps1", ANSWER)

    def work(name: str) -> None:
        while True:
            last = all_in.is_set()
            lease = jobs.lease(name, timedelta(minutes=5))
            if lease is not None:
                taken.append(lease.submission_id)
            elif last:
                return

    workers = [threading.Thread(target=work, args=[f"worker-{number}"]) for number in range(4)]
    for worker in workers:
        worker.start()
    try:
        at_once(*[lambda caller=caller: hand_in(caller) for caller in people])
    finally:
        all_in.set()
        for worker in workers:
            worker.join()
    assert len(taken) == len(set(taken)) == 3 * CROWD
