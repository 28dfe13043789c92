from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from jupyter_ppo.domain.batches import Batch, BatchItem, BatchItemState, BatchScope
from jupyter_ppo.domain.courses import Assignment, Course, Role
from jupyter_ppo.domain.errors import InvalidInputError, LeaseLostError, NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS, JobState, Lease
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import Counting, Terms
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.jobs import queue_submission
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    GradeChangeRow,
    JobRow,
    MarkRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
    TermsRow,
)
from jupyter_ppo.storage.term_rows import terms_values
from jupyter_ppo.storage.trash import Trash

HOUR = timedelta(hours=1)
MakeGrade = Callable[[UUID, float], Grade]
Make = Callable[..., Batch]


@pytest.fixture
def batches(database: Database) -> Batches:
    return Batches(database)


@pytest.fixture
def make(batches: Batches, assignment: Assignment) -> Make:
    def make(scope: BatchScope = BatchScope.ALL, **more: Any) -> Batch:
        return batches.create(assignment, created_by="gil", reason="a fix", scope=scope, **more)

    return make


@pytest.fixture
def submit(submissions: SubmissionStore, assignment: Assignment) -> Callable[..., list[UUID]]:
    def submit(*users: str) -> list[UUID]:
        return [submissions.submit(assignment, user, "d" * 64, []).id for user in users]

    return submit


@pytest.fixture
def work_off(jobs: JobQueue, make_grade: MakeGrade) -> Callable[[float], int]:
    """Grade everything that waits, each with these points for its first exercise."""

    def work_off(points: float = 1.0) -> int:
        done = 0
        while (lease := jobs.lease("worker", HOUR)) is not None:
            jobs.succeed(lease, make_grade(lease.submission_id, points))
            done += 1
        return done

    return work_off


def leased(jobs: JobQueue, submission_id: UUID | None = None) -> Lease:
    lease = jobs.lease("worker", HOUR, submission_id)
    assert lease is not None
    return lease


def items(batches: Batches, batch: Batch, *, changed: bool = False) -> list[BatchItem]:
    return list(batches.items(batch.id, changed=changed, offset=0, limit=200).items)


def publish(courses: CourseStore, course: Course, assignment: Assignment) -> Assignment:
    return courses.release(
        course.id,
        assignment.name,
        source_digest="e" * 64,
        release_digest="f" * 64,
        exercises=assignment.version.exercises,
    )


def test_a_batch_queues_the_class_and_tells_before_and_after(
    batches: Batches, make: Make, submit: Any, work_off: Any, submissions: SubmissionStore
) -> None:
    submit("ann", "bob", "cid")
    assert work_off(1.0) == 3
    batch = make()
    assert (batch.total, batch.is_over, batch.version_number) == (3, False, None)
    assert batch.counts[BatchItemState.WAITING] == 3
    assert (batch.created_by, batch.reason, batch.assignment_name) == ("gil", "a fix", "first")
    assert [item.position for item in items(batches, batch)].count(1) == 1
    assert {item.position for item in items(batches, batch)} == {1, 2, 3}
    assert work_off(2.0) == 3
    over = batches.batch(batch.id)
    assert (over.is_over, over.counts[BatchItemState.DONE]) == (True, 3)
    for item in items(batches, batch):
        assert item.before is not None
        assert item.after is not None
        assert (item.before.version_number, item.after.version_number) == (1, 1)
        assert item.before.exercises == {"gae": 1.0, "loss": 0.1, "why": 0.0}
        assert item.after.exercises == {"gae": 2.0, "loss": 0.1, "why": 0.0}
        assert (item.before.points, item.after.points, item.after.max_points) == (1.1, 2.1, 6.0)
        assert item.position is None
        assert submissions.submission(item.submission_id).points == 2.1


def test_the_reason_of_a_batch_is_in_the_history_of_every_grade(
    database: Database, make: Make, submit: Any, work_off: Any
) -> None:
    [submission] = submit("ann")
    work_off(1.0)
    make()
    work_off(2.0)
    with database.session() as session:
        reasons = session.scalars(
            select(GradeChangeRow.reason)
            .where(GradeChangeRow.submission_id == submission)
            .where(GradeChangeRow.kind == GradeChangeKind.AUTOGRADED)
            .order_by(GradeChangeRow.at, GradeChangeRow.id)
        ).all()
    assert (reasons[0], reasons[-1]) == ("", "a fix")


def test_only_what_changed_is_told_if_asked(
    batches: Batches,
    make: Make,
    submit: Any,
    jobs: JobQueue,
    make_grade: MakeGrade,
    work_off: Any,
) -> None:
    ann, _bob, cid = submit("ann", "bob", "cid")
    work_off(1.0)
    batch = make()
    for _ in range(3):
        lease = leased(jobs)
        jobs.succeed(
            lease, make_grade(lease.submission_id, 2.0 if lease.submission_id == cid else 1.0)
        )
    page = batches.items(batch.id, changed=True, offset=0, limit=1)
    assert ([item.submission_id for item in page.items], page.total) == ([cid], 1)
    assert batches.items(batch.id, changed=True, offset=1, limit=1).items == ()
    first = make(BatchScope.LISTED, submissions=[ann])
    assert items(batches, first, changed=True) == []


def test_a_first_grade_counts_as_a_change(
    batches: Batches, make: Make, submit: Any, work_off: Any
) -> None:
    submit("ann")
    batch = make(BatchScope.UNGRADED)
    work_off(1.0)
    (item,) = items(batches, batch, changed=True)
    assert item.before is None
    assert item.after is not None


def test_people_s_marks_are_in_both_numbers(
    database: Database, batches: Batches, make: Make, submit: Any, work_off: Any
) -> None:
    (ann,) = submit("ann")
    work_off(1.0)
    with database.begin() as session:
        session.add(
            MarkRow(
                submission_id=ann,
                grade_id="why",
                points=3.0,
                extra_credit=0.5,
                comment="",
                revision=1,
                marked_by="gil",
                marked_at=datetime(2026, 3, 3, tzinfo=UTC),
                auto_points=0.0,
            )
        )
    batch = make()
    work_off(1.0)
    (item,) = items(batches, batch)
    assert item.before is not None
    assert item.after is not None
    assert item.before.exercises["why"] == item.after.exercises["why"] == 3.5
    assert item.after.points == 4.6


def test_each_scope_takes_its_submissions_and_of_each_student_the_one_that_counts(
    batches: Batches, make: Make, submit: Any, jobs: JobQueue, make_grade: MakeGrade
) -> None:
    _old, new, failed, ungraded = submit("ann", "ann", "bob", "cid")
    jobs.succeed(leased(jobs, new), make_grade(new, 1.0))
    for _ in range(MAX_ATTEMPTS):
        jobs.fail(leased(jobs, failed), "no engine")
    taken = {
        scope: {item.submission_id for item in items(batches, make(scope))}
        for scope in (BatchScope.FAILED, BatchScope.UNGRADED, BatchScope.ALL)
    }
    # The first batch queues the failed one, which was never graded either.
    assert taken == {
        BatchScope.FAILED: {failed},
        BatchScope.UNGRADED: {failed, ungraded},
        BatchScope.ALL: {new, failed, ungraded},
    }


def test_every_attempt_is_taken_where_the_best_one_counts(
    database: Database, batches: Batches, make: Make, submit: Any, assignment: Assignment
) -> None:
    both = submit("ann", "ann")
    with database.begin() as session:
        session.add(
            TermsRow(
                assignment_id=assignment.id,
                updated_at=datetime(2026, 3, 3, tzinfo=UTC),
                updated_by="ines",
                **terms_values(Terms(counting=Counting.BEST)),
            )
        )
    assert {item.submission_id for item in items(batches, make())} == set(both)


@pytest.mark.parametrize("scope", [BatchScope.ALL, BatchScope.UNGRADED, BatchScope.FAILED])
def test_a_batch_of_nothing_is_refused_with_what_to_do(make: Make, scope: BatchScope) -> None:
    with pytest.raises(InvalidInputError, match=r"^scope: .*(Use the scope|Wait)") as caught:
        make(scope)
    assert caught.value.field == "scope"


def test_a_submission_of_another_assignment_is_not_found(
    make: Make,
    submit: Any,
    courses: CourseStore,
    course: Course,
    submissions: SubmissionStore,
    work_off: Any,
) -> None:
    other = courses.release(
        course.id, "second", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
    )
    foreign = submissions.submit(other, "ann", "d" * 64, []).id
    (own,) = submit("ann")
    work_off()
    for wrong in (foreign, new_id()):
        with pytest.raises(NotFoundError, match=str(wrong)):
            make(BatchScope.LISTED, submissions=[own, wrong])
    assert submissions.submission(own).state is SubmissionState.GRADED


def test_removed_members_and_the_trash_are_left_out(
    database: Database,
    batches: Batches,
    make: Make,
    submit: Any,
    courses: CourseStore,
    course: Course,
    jobs: JobQueue,
) -> None:
    courses.enrol(course.id, "bob", Role.STUDENT)
    ann, bob, cid = submit("ann", "bob", "cid")
    with database.begin() as session:
        session.execute(update(MembershipRow).values(removed_at=datetime(2026, 3, 3, tzinfo=UTC)))
        session.get_one(SubmissionRow, cid).deleted_at = datetime(2026, 3, 3, tzinfo=UTC)
    batch = make()
    assert [item.submission_id for item in items(batches, batch)] == [ann]
    with pytest.raises(NotFoundError):
        make(BatchScope.LISTED, submissions=[bob])
    assert jobs.lease("worker", HOUR, cid) is None
    assert jobs.pending() == 2


def test_what_is_in_the_trash_waits_until_it_is_restored(
    database: Database, jobs: JobQueue, submit: Any, assignment: Assignment
) -> None:
    submit("ann")
    for when in (datetime(2026, 3, 3, tzinfo=UTC), None):
        with database.begin() as session:
            session.get_one(AssignmentRow, assignment.id).deleted_at = when
        assert (jobs.lease("worker", HOUR) is None) == (when is not None)


def test_what_is_put_into_the_trash_stays_in_the_report_and_is_not_waited_for(
    database: Database, batches: Batches, make: Make, submit: Any, work_off: Any
) -> None:
    ann, bob = submit("ann", "bob")
    batch = make()
    trash = Trash(database)
    trash.delete_submission(bob, "ines")
    assert work_off(1.0) == 1
    now = batches.batch(batch.id)
    assert (now.total, now.is_over) == (2, True)
    trash.delete_submission(ann, "ines")
    states = {item.submission_id: item.state for item in items(batches, batch)}
    assert states == {ann: BatchItemState.DONE, bob: BatchItemState.CANCELLED}
    with database.session() as session:
        course_id = session.scalars(select(AssignmentRow.course_id)).first()
    assert course_id is not None
    trash.restore(course_id, bob, "ines")
    assert not batches.batch(batch.id).is_over
    assert work_off(1.0) == 1
    assert batches.batch(batch.id).is_over


# -- the newest version --------------------------------------------------------------------------


def test_on_the_newest_version_the_old_grade_stays_until_the_new_one(
    batches: Batches,
    make: Make,
    submit: Any,
    work_off: Any,
    submissions: SubmissionStore,
    courses: CourseStore,
    course: Course,
    assignment: Assignment,
    jobs: JobQueue,
    make_grade: MakeGrade,
) -> None:
    (ann,) = submit("ann")
    work_off(1.0)
    second = publish(courses, course, assignment)
    batch = make(newest_version=True)
    assert batch.version_number == 2
    now = submissions.submission(ann)
    assert (now.version_number, now.state, now.points) == (2, SubmissionState.QUEUED, 1.1)
    grade = submissions.grade(ann)
    assert grade is not None
    assert grade.version_id == assignment.version.id
    lease = leased(jobs)
    new = dataclasses.replace(make_grade(ann, 2.0), version_id=second.version.id)
    jobs.succeed(lease, new)
    (item,) = items(batches, batch)
    assert item.before is not None
    assert item.after is not None
    assert (item.before.version_number, item.after.version_number) == (1, 2)
    assert submissions.submission(ann).points == 2.1


def test_a_grade_of_the_version_before_is_never_stored(
    batches: Batches,
    make: Make,
    submit: Any,
    submissions: SubmissionStore,
    courses: CourseStore,
    course: Course,
    assignment: Assignment,
    jobs: JobQueue,
    make_grade: MakeGrade,
    database: Database,
) -> None:
    (ann,) = submit("ann")
    stale = dataclasses.replace(make_grade(ann, 2.0), version_id=assignment.version.id)
    slow = leased(jobs)
    second = publish(courses, course, assignment)
    batch = make(newest_version=True)
    with pytest.raises(LeaseLostError):
        jobs.succeed(slow, stale)
    assert submissions.submission(ann).state is SubmissionState.QUEUED
    # Also one who holds a lease and read the submission before its version changed.
    lease = leased(jobs)
    jobs.succeed(lease, stale)
    assert submissions.grade(ann) is None
    assert submissions.submission(ann).state is SubmissionState.QUEUED
    assert not batches.batch(batch.id).is_over
    again = leased(jobs)
    assert again.attempt == 1
    jobs.succeed(again, dataclasses.replace(stale, version_id=second.version.id))
    assert submissions.submission(ann).state is SubmissionState.GRADED
    assert batches.batch(batch.id).is_over


def test_what_is_under_way_on_the_right_version_joins_the_batch_undisturbed(
    batches: Batches,
    make: Make,
    submit: Any,
    jobs: JobQueue,
    make_grade: MakeGrade,
    database: Database,
) -> None:
    ann, bob = submit("ann", "bob")
    grading = leased(jobs, ann)
    with database.session() as session:
        queued_at = session.scalar(select(JobRow.queued_at).where(JobRow.submission_id == bob))
    batch = make(newest_version=True)
    counts = batches.batch(batch.id).counts
    assert (counts[BatchItemState.GRADING], counts[BatchItemState.WAITING]) == (1, 1)
    jobs.succeed(grading, make_grade(ann, 1.0))
    with database.session() as session:
        now = session.scalar(select(JobRow.queued_at).where(JobRow.submission_id == bob))
    assert now == queued_at
    assert batches.batch(batch.id).counts[BatchItemState.DONE] == 1


def test_a_failed_submission_ends_in_its_batch_with_the_reason(
    batches: Batches, make: Make, submit: Any, jobs: JobQueue
) -> None:
    submit("ann")
    batch = make()
    for _ in range(MAX_ATTEMPTS):
        assert not batches.batch(batch.id).is_over
        jobs.fail(leased(jobs), "no engine")
    (item,) = items(batches, batch)
    assert (item.state, item.error, item.after) == (BatchItemState.FAILED, "no engine", None)
    assert batches.batch(batch.id).is_over


# -- cancel --------------------------------------------------------------------------------------


def test_cancel_makes_everything_what_it_was_and_fences_the_worker_off(
    batches: Batches,
    make: Make,
    submit: Any,
    work_off: Any,
    jobs: JobQueue,
    make_grade: MakeGrade,
    submissions: SubmissionStore,
    courses: CourseStore,
    course: Course,
    assignment: Assignment,
) -> None:
    ann, bob = submit("ann", "bob")
    work_off(1.0)
    (cid,) = submit("cid")
    publish(courses, course, assignment)
    batch = make(newest_version=True)
    leases = [leased(jobs, ann), leased(jobs, cid)]
    cancelled = batches.cancel(batch.id)
    assert cancelled.is_over
    assert cancelled.counts[BatchItemState.CANCELLED] == 3
    for user in (ann, bob):
        now = submissions.submission(user)
        assert (now.state, now.version_number, now.points) == (SubmissionState.GRADED, 1, 1.1)
    back = submissions.submission(cid)
    assert (back.state, back.version_number) == (SubmissionState.SUBMITTED, 1)
    for lease in leases:
        with pytest.raises(LeaseLostError):
            jobs.renew(lease, HOUR)
        with pytest.raises(LeaseLostError):
            jobs.succeed(lease, make_grade(lease.submission_id, 2.0))
    assert jobs.lease("worker", HOUR) is None
    assert jobs.pending() == 0
    again = batches.cancel(batch.id)
    assert (again.cancelled_at, again.counts) == (cancelled.cancelled_at, cancelled.counts)


def test_cancel_leaves_what_is_done_and_what_another_batch_waits_for(
    batches: Batches,
    make: Make,
    submit: Any,
    jobs: JobQueue,
    make_grade: MakeGrade,
    submissions: SubmissionStore,
) -> None:
    ann, bob, cid = submit("ann", "bob", "cid")
    batch = make()
    other = make(BatchScope.LISTED, submissions=[bob])
    jobs.succeed(leased(jobs, ann), make_grade(ann, 1.0))
    counts = batches.cancel(batch.id).counts
    assert (counts[BatchItemState.DONE], counts[BatchItemState.CANCELLED]) == (1, 2)
    assert submissions.submission(bob).state is SubmissionState.QUEUED
    assert submissions.submission(cid).state is SubmissionState.SUBMITTED
    assert batches.batch(other.id).counts[BatchItemState.WAITING] == 1
    jobs.succeed(leased(jobs), make_grade(bob, 1.0))
    assert batches.batch(other.id).counts[BatchItemState.DONE] == 1
    assert batches.batch(batch.id).counts == counts


def test_a_batch_that_is_over_cannot_be_cancelled_any_more(
    batches: Batches, make: Make, submit: Any, work_off: Any
) -> None:
    submit("ann")
    batch = make()
    work_off()
    ended = batches.cancel(batch.id)
    assert (ended.cancelled_at, ended.counts[BatchItemState.DONE]) == (None, 1)


def test_one_submission_is_cancelled_in_every_batch_and_can_be_graded_again(
    batches: Batches, make: Make, submit: Any, work_off: Any, submissions: SubmissionStore
) -> None:
    ann, _bob = submit("ann", "bob")
    both = [make(), make(BatchScope.LISTED, submissions=[ann])]
    assert batches.cancel_submission(ann)
    assert not batches.cancel_submission(ann)
    assert [batches.batch(each.id).counts[BatchItemState.CANCELLED] for each in both] == [1, 1]
    submissions.regrade(ann)
    assert work_off(1.0) == 2
    assert submissions.submission(ann).state is SubmissionState.GRADED
    with pytest.raises(NotFoundError):
        batches.cancel_submission(new_id())


def test_the_gradebook_s_state_follows_every_step(
    database: Database,
    batches: Batches,
    make: Make,
    submit: Any,
    jobs: JobQueue,
    make_grade: MakeGrade,
) -> None:
    (ann,) = submit("ann")

    def state() -> SubmissionState:
        with database.session() as session:
            row = session.scalars(select(StandingRow)).one()
            return row.state

    seen = [state()]
    batch = make()
    lease = leased(jobs)
    seen.append(state())
    jobs.give_back(lease)
    seen.append(state())
    batches.cancel(batch.id)
    seen.append(state())
    make()
    jobs.succeed(leased(jobs), make_grade(ann, 1.0))
    seen.append(state())
    assert seen == [
        SubmissionState.QUEUED,
        SubmissionState.GRADING,
        SubmissionState.QUEUED,
        SubmissionState.SUBMITTED,
        SubmissionState.GRADED,
    ]


# -- the queue -----------------------------------------------------------------------------------


def test_places_are_those_in_which_the_jobs_are_leased(
    batches: Batches, submit: Any, jobs: JobQueue, course: Course, make_grade: MakeGrade
) -> None:
    made = submit("ann", "bob", "ann", "cid", "ann")
    told = dict(batches.places(course.id, "ann"))
    assert set(told) == {made[0], made[2], made[4]}
    order = []
    while (lease := jobs.lease("worker", HOUR)) is not None:
        order.append(lease.submission_id)
    assert {submission_id: order.index(submission_id) + 1 for submission_id in told} == told
    assert batches.places(course.id, "ann") == ()


def test_the_queue_of_a_course_counts_its_own_and_places_count_everybody(
    batches: Batches,
    submit: Any,
    jobs: JobQueue,
    courses: CourseStore,
    course: Course,
    submissions: SubmissionStore,
) -> None:
    submit("bob", "cid")
    other = courses.create_course("dqn", "")
    elsewhere = courses.release(
        other.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
    )
    ann = submissions.submit(elsewhere, "ann", "d" * 64, []).id
    leased(jobs)
    assert batches.queue(course.id) == {JobState.QUEUED: 1, JobState.LEASED: 1}
    assert batches.queue(other.id) == {JobState.QUEUED: 1, JobState.LEASED: 0}
    assert batches.places(other.id, "ann") == ((ann, 2),)
    assert batches.places(course.id, "ann") == ()


def test_queueing_a_submission_without_a_job_makes_one(
    database: Database, submit: Any, jobs: JobQueue, batches: Batches
) -> None:
    (ann,) = submit("ann")
    with database.begin() as session:
        session.delete(session.scalars(select(JobRow)).one())
        session.get_one(SubmissionRow, ann).state = SubmissionState.SUBMITTED
    with database.begin() as session:
        row = session.get_one(SubmissionRow, ann)
        queue_submission(session, row)
        settle(session, row.assignment_id, {row.user})
    assert leased(jobs).submission_id == ann


def test_a_batch_queues_what_never_had_a_job(
    database: Database, submit: Any, make: Make, work_off: Any
) -> None:
    (ann,) = submit("ann")
    with database.begin() as session:
        session.delete(session.scalars(select(JobRow)).one())
        session.get_one(SubmissionRow, ann).state = SubmissionState.SUBMITTED
    make(BatchScope.UNGRADED)
    assert work_off() == 1


def test_a_class_of_a_thousand_is_queued_and_cancelled(
    database: Database, batches: Batches, make: Make, assignment: Assignment, course: Course
) -> None:
    with database.begin() as session:
        session.add_all(
            SubmissionRow(
                id=new_id(),
                assignment_id=assignment.id,
                version_id=assignment.version.id,
                user=f"student{number}",
                attempt=1,
                digest="d" * 64,
                state=SubmissionState.SUBMITTED,
                submitted_at=datetime(2026, 3, 1, tzinfo=UTC),
                warnings=[],
            )
            for number in range(1000)
        )
        session.flush()
        settle(session, assignment.id)
    batch = make(BatchScope.UNGRADED)
    assert batch.total == 1000
    assert batches.items(batch.id, offset=0, limit=200).total == 1000
    assert batches.places(course.id, "student7")[0][1] <= 1000
    assert batches.cancel(batch.id).counts[BatchItemState.CANCELLED] == 1000
