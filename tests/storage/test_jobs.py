from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select, update

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Exercise
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, LeaseLostError
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS, JobState, Lease
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import JobRow

Expire = Callable[[UUID], None]
MakeGrade = Callable[[UUID, float], Grade]
HOUR = timedelta(hours=1)


def leased(jobs: JobQueue, worker: str = "worker", submission_id: UUID | None = None) -> Lease:
    lease = jobs.lease(worker, HOUR, submission_id)
    assert lease is not None
    return lease


@pytest.fixture
def submission_id(submissions: SubmissionStore, assignment: Assignment) -> UUID:
    return submissions.submit(assignment, "ada", "d" * 64, []).id


def test_a_lease_says_what_is_leased_to_whom(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID
) -> None:
    lease = leased(jobs)
    assert (lease.submission_id, lease.worker) == (submission_id, "worker")
    assert (lease.fence, lease.attempt) == (1, 1)
    assert lease.expires_at.utcoffset() == timedelta(0)
    assert submissions.submission(submission_id).state is SubmissionState.GRADING


def test_a_leased_job_is_not_leased_again(jobs: JobQueue, submission_id: UUID) -> None:
    leased(jobs)
    assert jobs.lease("other", HOUR) is None
    assert jobs.lease("other", HOUR, submission_id) is None
    assert jobs.pending() == 1


def test_the_oldest_job_comes_first(
    database: Database, jobs: JobQueue, submissions: SubmissionStore, assignment: Assignment
) -> None:
    made = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("a", "b", "c")]
    order = [made[1], made[2], made[0]]
    with database.begin() as session:
        for day, submission_id in enumerate(order, start=1):
            session.execute(
                update(JobRow)
                .where(JobRow.submission_id == submission_id)
                .values(queued_at=datetime(2026, 1, day, tzinfo=UTC))
            )
    assert [leased(jobs).submission_id for _ in made] == order


def test_a_certain_submission_can_be_leased(
    jobs: JobQueue, submissions: SubmissionStore, assignment: Assignment
) -> None:
    made = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("a", "b", "c")]
    assert leased(jobs, submission_id=made[1]).submission_id == made[1]
    assert jobs.lease("worker", HOUR, new_id()) is None


def test_a_job_whose_lease_ran_out_goes_to_another_worker(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID, expire: Expire
) -> None:
    dead = leased(jobs, "dead")
    expire(dead.job_id)
    alive = leased(jobs, "alive")
    assert alive.job_id == dead.job_id
    assert (alive.fence, alive.attempt) == (2, 2)
    assert submissions.submission(submission_id).state is SubmissionState.GRADING


def test_every_write_under_an_old_fence_is_refused_and_changes_nothing(
    jobs: JobQueue,
    submissions: SubmissionStore,
    submission_id: UUID,
    expire: Expire,
    make_grade: MakeGrade,
) -> None:
    slow = leased(jobs, "slow")
    expire(slow.job_id)
    alive = leased(jobs, "alive")
    for write in (
        lambda: jobs.renew(slow, HOUR),
        lambda: jobs.succeed(slow, make_grade(submission_id, 0.0)),
        lambda: jobs.fail(slow, "too late"),
    ):
        with pytest.raises(LeaseLostError):
            write()
    jobs.give_back(slow)
    assert submissions.grade(submission_id) is None
    jobs.succeed(alive, make_grade(submission_id, 2.0))
    stored = submissions.grade(submission_id)
    assert stored is not None
    assert stored.exercises == make_grade(submission_id, 2.0).exercises


def test_a_renewed_lease_lasts_longer(jobs: JobQueue, submission_id: UUID, expire: Expire) -> None:
    lease = leased(jobs)
    expire(lease.job_id)
    renewed = jobs.renew(lease, HOUR)
    assert renewed.fence == lease.fence
    assert jobs.lease("other", HOUR) is None


def test_a_failed_try_is_queued_again_until_the_last_one(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID
) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        lease = leased(jobs)
        assert lease.attempt == attempt
        assert lease.is_last_attempt == (attempt == MAX_ATTEMPTS)
        jobs.fail(lease, f"try {attempt}: the engine is gone")
    assert jobs.lease("worker", HOUR) is None
    assert jobs.pending() == 0
    failed = submissions.submission(submission_id)
    assert failed.state is SubmissionState.FAILED
    assert failed.error == f"try {MAX_ATTEMPTS}: the engine is gone"


def test_a_worker_that_dies_in_the_last_try_ends_the_job_as_failed(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID, expire: Expire
) -> None:
    for _ in range(MAX_ATTEMPTS):
        expire(leased(jobs).job_id)
    assert jobs.lease("worker", HOUR) is None
    failed = submissions.submission(submission_id)
    assert failed.state is SubmissionState.FAILED
    assert failed.error is not None
    assert "cut short 3 times" in failed.error
    assert jobs.pending() == 0


def test_every_used_up_job_ends_while_the_next_one_is_leased(
    jobs: JobQueue, submissions: SubmissionStore, assignment: Assignment, expire: Expire
) -> None:
    dead = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("a", "b")]
    for _ in range(MAX_ATTEMPTS):
        for submission_id in dead:
            expire(leased(jobs, submission_id=submission_id).job_id)
    alive = submissions.submit(assignment, "c", "d" * 64, []).id
    assert leased(jobs).submission_id == alive
    assert {submissions.submission(made).state for made in dead} == {SubmissionState.FAILED}


def test_a_job_given_back_has_not_used_a_try(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID
) -> None:
    for fence in range(1, MAX_ATTEMPTS + 3):
        lease = leased(jobs)
        assert (lease.attempt, lease.fence) == (1, fence)
        jobs.give_back(lease)
        assert submissions.submission(submission_id).state is SubmissionState.QUEUED
    jobs.give_back(lease)
    assert leased(jobs).attempt == 1


def test_a_job_given_back_waits_behind_all_others(
    database: Database, jobs: JobQueue, submissions: SubmissionStore, assignment: Assignment
) -> None:
    first, second = (submissions.submit(assignment, user, "d" * 64, []).id for user in ("a", "b"))
    with database.begin() as session:
        for day, submission_id in enumerate((first, second), start=1):
            session.execute(
                update(JobRow)
                .where(JobRow.submission_id == submission_id)
                .values(queued_at=datetime(2001, 1, day, tzinfo=UTC))
            )
    lease = leased(jobs)
    assert lease.submission_id == first
    jobs.give_back(lease)
    assert [leased(jobs).submission_id for _ in range(2)] == [second, first]


def test_a_grade_of_another_submission_is_refused(
    jobs: JobQueue, submission_id: UUID, make_grade: MakeGrade
) -> None:
    lease = leased(jobs)
    with pytest.raises(InvalidInputError, match="another submission"):
        jobs.succeed(lease, make_grade(new_id(), 1.0))
    jobs.succeed(lease, make_grade(submission_id, 1.0))


def test_a_grade_that_cannot_be_stored_leaves_the_job_leased(
    jobs: JobQueue, submissions: SubmissionStore, submission_id: UUID, make_grade: MakeGrade
) -> None:
    lease = leased(jobs)
    grade = make_grade(submission_id, 1.0)
    twice = Grade(
        submission_id,
        (grade.exercises[0], grade.exercises[0]),
        grade.verdict,
        grade.detail,
        grade.feedback_digest,
        grade.graded_at,
        grade.wall_seconds,
    )
    with pytest.raises(ConflictError):
        jobs.succeed(lease, twice)
    assert submissions.grade(submission_id) is None
    assert submissions.submission(submission_id).state is SubmissionState.GRADING
    jobs.succeed(lease, grade)


def test_pending_counts_one_course_or_all(
    jobs: JobQueue,
    submissions: SubmissionStore,
    courses: CourseStore,
    course: Course,
    assignment: Assignment,
) -> None:
    other = courses.create_course("dqn", "Another course")
    elsewhere = courses.release(
        other.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
    )
    for to in (assignment, assignment, elsewhere):
        submissions.submit(to, "ada", "d" * 64, [])
    leased(jobs)
    assert (jobs.pending(), jobs.pending(course.id), jobs.pending(other.id)) == (3, 2, 1)


def test_many_workers_share_the_jobs_without_doing_one_twice(
    jobs: JobQueue, submissions: SubmissionStore, assignment: Assignment, make_grade: MakeGrade
) -> None:
    made = {submissions.submit(assignment, f"s{n}", "d" * 64, []).id for n in range(24)}
    gate = threading.Barrier(4)
    done: list[UUID] = []

    def run(name: str) -> None:
        gate.wait()
        while (lease := jobs.lease(name, HOUR)) is not None:
            jobs.succeed(lease, make_grade(lease.submission_id, 1.0))
            done.append(lease.submission_id)

    threads = [threading.Thread(target=run, args=(f"worker {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 24
    assert set(done) == made


@dataclass
class ModelJob:
    """What a job must look like after the steps so far."""

    state: JobState = JobState.QUEUED
    attempt: int = 0
    fence: int = 0
    expired: bool = False
    grade: float | None = None
    leases: list[Lease] = field(default_factory=list)

    @property
    def claimable(self) -> bool:
        return self.state is JobState.QUEUED or (self.state is JobState.LEASED and self.expired)

    def holds(self, lease: Lease) -> bool:
        return self.state is JobState.LEASED and self.fence == lease.fence


_SUBMISSION_STATE = {
    JobState.QUEUED: SubmissionState.QUEUED,
    JobState.LEASED: SubmissionState.GRADING,
    JobState.SUCCEEDED: SubmissionState.GRADED,
    JobState.FAILED: SubmissionState.FAILED,
}


class QueueMachine(RuleBasedStateMachine):
    """Any order of steps, also by workers that lost their lease long ago."""

    one_database: ClassVar[Callable[[], AbstractContextManager[str]]]

    def __init__(self) -> None:
        super().__init__()
        self.kept = ExitStack()
        url = self.kept.enter_context(type(self).one_database())
        self.database = self.kept.enter_context(closing(open_database(url)))
        self.jobs: JobQueue = Jobs(self.database)
        self.submissions: SubmissionStore = Submissions(self.database, _Now())
        courses = Courses(self.database)
        self.assignment = courses.release(
            courses.create_course("ppo", "PPO").id,
            "first",
            source_digest="a" * 64,
            release_digest="b" * 64,
            exercises=[Exercise("gae", CellKind.TESTS, 1000.0, 0)],
        )
        self.model: dict[UUID, ModelJob] = {}
        self.marks = itertools.count(1)

    def teardown(self) -> None:
        self.kept.close()

    def any_lease(self, data: st.DataObject) -> tuple[ModelJob, Lease]:
        leases = [(job, lease) for job in self.model.values() for lease in job.leases]
        return leases[data.draw(st.integers(0, len(leases) - 1), label="lease")]

    def has_leases(self) -> bool:
        return any(job.leases for job in self.model.values())

    @rule()
    @precondition(lambda self: len(self.model) < 4)
    def submit(self) -> None:
        made = self.submissions.submit(self.assignment, "ada", "d" * 64, [])
        self.model[made.id] = ModelJob()

    @rule(data=st.data(), certain=st.booleans())
    def lease(self, data: st.DataObject, certain: bool) -> None:
        wanted = set(self.model)
        only: UUID | None = None
        if certain and self.model:
            only = data.draw(st.sampled_from(sorted(self.model)), label="submission")
            wanted = {only}
        lease = self.jobs.lease("worker", HOUR, only)
        candidates = set()
        for submission_id in wanted:
            job = self.model[submission_id]
            if job.claimable and job.attempt >= MAX_ATTEMPTS:
                job.state = JobState.FAILED
            elif job.claimable:
                candidates.add(submission_id)
        if lease is None:
            assert not candidates
            return
        assert lease.submission_id in candidates
        job = self.model[lease.submission_id]
        assert lease.fence > job.fence
        assert lease.attempt == job.attempt + 1 <= MAX_ATTEMPTS
        job.state, job.fence, job.attempt = JobState.LEASED, lease.fence, lease.attempt
        job.expired = False
        job.leases.append(lease)

    @rule(data=st.data())
    @precondition(lambda self: self.has_leases())
    def let_run_out(self, data: st.DataObject) -> None:
        job, lease = self.any_lease(data)
        if job.state is JobState.LEASED:
            job.expired = True
            with self.database.begin() as session:
                session.get_one(JobRow, lease.job_id).lease_until = datetime(2000, 1, 1, tzinfo=UTC)

    @rule(data=st.data())
    @precondition(lambda self: self.has_leases())
    def renew(self, data: st.DataObject) -> None:
        job, lease = self.any_lease(data)
        if job.holds(lease):
            self.jobs.renew(lease, HOUR)
            job.expired = False
        else:
            with pytest.raises(LeaseLostError):
                self.jobs.renew(lease, HOUR)

    @rule(data=st.data())
    @precondition(lambda self: self.has_leases())
    def succeed(self, data: st.DataObject) -> None:
        job, lease = self.any_lease(data)
        mark = float(next(self.marks))
        grade = Grade(
            lease.submission_id,
            (ExerciseGrade("gae", mark, 1000.0, False, ""),),
            Verdict.RAN,
            "",
            "c" * 64,
            datetime(2026, 1, 1, tzinfo=UTC),
            1.0,
        )
        if job.holds(lease):
            self.jobs.succeed(lease, grade)
            job.state, job.grade = JobState.SUCCEEDED, mark
        else:
            with pytest.raises(LeaseLostError):
                self.jobs.succeed(lease, grade)

    @rule(data=st.data())
    @precondition(lambda self: self.has_leases())
    def fail(self, data: st.DataObject) -> None:
        job, lease = self.any_lease(data)
        if job.holds(lease):
            self.jobs.fail(lease, "no engine")
            last = job.attempt >= MAX_ATTEMPTS
            job.state = JobState.FAILED if last else JobState.QUEUED
        else:
            with pytest.raises(LeaseLostError):
                self.jobs.fail(lease, "no engine")

    @rule(data=st.data())
    @precondition(lambda self: self.has_leases())
    def give_back(self, data: st.DataObject) -> None:
        job, lease = self.any_lease(data)
        self.jobs.give_back(lease)
        if job.holds(lease):
            job.state = JobState.QUEUED
            job.attempt -= 1

    @rule(data=st.data())
    @precondition(lambda self: bool(self.model))
    def regrade(self, data: st.DataObject) -> None:
        submission_id = data.draw(st.sampled_from(sorted(self.model)), label="submission")
        job = self.model[submission_id]
        if job.state in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}:
            self.submissions.regrade(submission_id)
            job.state, job.attempt = JobState.QUEUED, 0
        else:
            with pytest.raises(ConflictError):
                self.submissions.regrade(submission_id)

    @rule(data=st.data())
    @precondition(lambda self: bool(self.model))
    def cancel(self, data: st.DataObject) -> None:
        submission_id = data.draw(st.sampled_from(sorted(self.model)), label="submission")
        job = self.model[submission_id]
        under_way = job.state in {JobState.QUEUED, JobState.LEASED}
        assert Batches(self.database).cancel_submission(submission_id) == under_way
        if under_way:
            job.state = JobState.CANCELLED
            job.fence += 1

    @invariant()
    def nothing_is_lost_and_nothing_is_made_up(self) -> None:
        under_way = [
            job for job in self.model.values() if job.state in {JobState.QUEUED, JobState.LEASED}
        ]
        assert self.jobs.pending() == len(under_way)
        with self.database.session() as session:
            rows = {row.submission_id: row for row in session.scalars(select(JobRow))}
        assert set(rows) == set(self.model)
        page = self.submissions.submissions(self.assignment.course_id, offset=0, limit=10)
        assert page.total == len(self.model)
        for item in page.items:
            job, row = self.model[item.id], rows[item.id]
            assert (row.state, row.attempt, row.fence) == (job.state, job.attempt, job.fence)
            if job.state is JobState.CANCELLED:
                graded = job.grade is not None
                expected = SubmissionState.GRADED if graded else SubmissionState.SUBMITTED
                assert item.state is expected
            else:
                assert item.state is _SUBMISSION_STATE[job.state]
            assert item.points == job.grade


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def test_the_queue_keeps_its_promises_in_any_order_of_steps(
    backend: str, one_database: Callable[[], AbstractContextManager[str]]
) -> None:
    class Machine(QueueMachine):
        pass

    Machine.one_database = staticmethod(one_database)

    from hypothesis.stateful import run_state_machine_as_test

    # The same code: on PostgreSQL fewer orders are enough to see that its statements work.
    examples = 20 if backend == "sqlite" else 3
    run_state_machine_as_test(
        Machine, settings=settings(deadline=None, max_examples=examples, stateful_step_count=25)
    )
