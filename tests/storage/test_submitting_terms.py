"""What a student may hand in, exact also when several attempts come at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course, Role
from jupyter_ppo.domain.errors import ConflictError, ForbiddenError, NotFoundError
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import MoreTime, Terms
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import AssignmentRow, SubmissionRow
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash

DIGEST = "d" * 64
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class SetClock:
    """Shows what it is set to."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
def store(database: Database, clock: SetClock) -> Submissions:
    return Submissions(database, clock)


@pytest.fixture
def terms(database: Database) -> AssignmentTerms:
    return AssignmentTerms(database)


def all_at_once(count: int, act: Any) -> list[object]:
    came: list[object] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait(60)
        try:
            came.append(act())
        except (ForbiddenError, ConflictError) as error:
            came.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def test_of_attempts_at_the_same_moment_no_more_than_the_terms_allow_are_taken(
    store: Submissions, terms: AssignmentTerms, assignment: Assignment
) -> None:
    terms.save(assignment.id, Terms(max_attempts=2), "grace")
    came = all_at_once(6, lambda: store.submit(assignment, "ada", DIGEST, [], is_bound=True))
    assert sum(isinstance(each, ForbiddenError) for each in came) == 4
    assert len(came) == 6


def test_the_same_bytes_under_one_key_at_the_same_moment_are_one_attempt(
    store: Submissions, assignment: Assignment
) -> None:
    came: list[Any] = all_at_once(
        6, lambda: store.submit(assignment, "ada", DIGEST, [], idempotency_key="k")
    )
    assert len({each.id for each in came}) == 1
    assert sorted(each.is_repeat for each in came) == [False] + [True] * 5


def test_a_key_goes_with_its_bytes_its_person_and_its_assignment(
    store: Submissions, database: Database, assignment: Assignment
) -> None:
    made = store.submit(assignment, "ada", DIGEST, [], idempotency_key="k")
    with pytest.raises(ConflictError, match="other bytes") as caught:
        store.submit(assignment, "ada", "e" * 64, [], idempotency_key="k")
    assert caught.value.field == "idempotency_key"
    assert store.submit(assignment, "bob", "e" * 64, [], idempotency_key="k").attempt == 1
    with database.begin() as session:
        session.get_one(SubmissionRow, made.id).deleted_at = NOON
    with pytest.raises(ConflictError, match="was deleted"):
        store.submit(assignment, "ada", DIGEST, [], idempotency_key="k")


def test_who_sends_again_after_the_end_gets_the_first_receipt(
    store: Submissions, terms: AssignmentTerms, clock: SetClock, assignment: Assignment
) -> None:
    terms.save(assignment.id, Terms(closes_at=NOON, max_attempts=1), "grace")
    first = store.submit(assignment, "ada", DIGEST, [], is_bound=True, idempotency_key="k")
    clock.time = NOON + HOUR
    again = store.submit(assignment, "ada", DIGEST, [], is_bound=True, idempotency_key="k")
    assert (again.id, again.is_repeat) == (first.id, True)
    with pytest.raises(ForbiddenError, match="was open until 2026-03-01T12:00:00"):
        store.submit(assignment, "ada", DIGEST, [], is_bound=True)


def test_the_servers_clock_decides_also_when_it_is_set_back(
    store: Submissions, terms: AssignmentTerms, clock: SetClock, assignment: Assignment
) -> None:
    terms.save(assignment.id, Terms(opens_at=NOON - HOUR, due_at=NOON - HOUR), "grace")
    late = store.submit(assignment, "ada", DIGEST, [], is_bound=True)
    clock.time = NOON - HOUR
    newer = store.submit(assignment, "ada", "e" * 64, [], is_bound=True)
    assert (late.late_seconds, newer.late_seconds) == (3600, 0)
    assert (newer.attempt, newer.counts) == (2, True)
    assert not store.submission(late.id).counts
    clock.time = NOON - 2 * HOUR
    with pytest.raises(NotFoundError, match="there is no assignment 'first'"):
        store.submit(assignment, "ada", DIGEST, [], is_bound=True)


def test_a_deleted_attempt_is_none_of_those_that_are_allowed(
    store: Submissions, terms: AssignmentTerms, database: Database, assignment: Assignment
) -> None:
    terms.save(assignment.id, Terms(max_attempts=1), "grace")
    made = store.submit(assignment, "ada", DIGEST, [], is_bound=True)
    assert terms.own([assignment.id], "ada")[assignment.id].attempts_left == 0
    with database.begin() as session:
        session.get_one(SubmissionRow, made.id).deleted_at = NOON
    assert terms.own([assignment.id], "ada")[assignment.id].attempts_left == 1
    again = store.submit(assignment, "ada", DIGEST, [], is_bound=True)
    assert again.attempt == 2  # numbers are never given twice
    with pytest.raises(NotFoundError):
        store.submission(made.id)
    page = store.submissions(assignment.course_id, offset=0, limit=9)
    assert [each.id for each in page.items] == [again.id]


def test_without_autograde_nothing_is_queued_until_somebody_asks(
    store: Submissions, terms: AssignmentTerms, jobs: JobQueue, assignment: Assignment
) -> None:
    terms.save(assignment.id, Terms(autograde=False), "grace")
    made = store.submit(assignment, "ada", DIGEST, [])
    assert (made.state, jobs.pending()) == (SubmissionState.SUBMITTED, 0)
    queued = store.regrade(made.id)
    assert (queued.state, queued.queue_position) == (SubmissionState.QUEUED, 1)
    assert jobs.pending() == 1


def test_an_entry_is_never_queued(
    store: Submissions,
    courses: CourseStore,
    course: Course,
    jobs: JobQueue,
) -> None:
    entry = courses.release(
        course.id,
        "essay",
        source_digest=DIGEST,
        release_digest=DIGEST,
        exercises=(),
        kind=AssignmentKind.ENTRY,
    )
    made = store.submit(entry, "ada", DIGEST, [])
    assert (made.state, made.kind) == (SubmissionState.SUBMITTED, AssignmentKind.ENTRY)
    with pytest.raises(ConflictError, match="by its rubric"):
        store.regrade(made.id)
    assert jobs.pending() == 0


def test_a_place_in_the_queue_is_that_of_those_that_wait(
    store: Submissions, jobs: JobQueue, assignment: Assignment, database: Database
) -> None:
    made: list[UUID] = [store.submit(assignment, user, DIGEST, []).id for user in "abc"]
    assert [store.submission(each).queue_position for each in made] == [1, 2, 3]
    assert jobs.lease("worker", HOUR) is not None
    assert [store.submission(each).queue_position for each in made] == [None, 1, 2]
    Trash(database).delete_submission(made[1], "ines")  # as in the queue, which leaves it out
    assert store.submission(made[2]).queue_position == 1


def test_an_assignment_in_the_trash_takes_nothing(
    submissions: SubmissionStore, database: Database, assignment: Assignment
) -> None:
    with database.begin() as session:
        session.get_one(AssignmentRow, assignment.id).deleted_at = NOON
    with pytest.raises(NotFoundError):
        submissions.submit(assignment, "ada", DIGEST, [])


def test_an_extension_gives_more_attempts(
    store: Submissions, terms: AssignmentTerms, courses: CourseStore, assignment: Assignment
) -> None:
    courses.enrol(assignment.course_id, "ada", Role.STUDENT)
    terms.save(assignment.id, Terms(max_attempts=1), "grace")
    terms.extend(assignment, MoreTime("ada", None, attempts=1), "grace")
    for attempt in (1, 2):
        made = store.submit(assignment, "ada", DIGEST, [], is_bound=True)
        assert made.attempt == attempt
    with pytest.raises(ForbiddenError, match="takes 2 attempts"):
        store.submit(assignment, "ada", DIGEST, [], is_bound=True)
