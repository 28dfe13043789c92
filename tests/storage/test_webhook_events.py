"""What happens in a course is in the outbox with it, for who is subscribed, and says no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select

from jupyter_ppo.domain.batches import BatchScope
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.entries import AuthorKind, CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.terms import GradeRelease, Terms
from jupyter_ppo.domain.webhooks import SUBSCRIBABLE, NewWebhook, Webhook, WebhookEvent
from jupyter_ppo.storage.batch_items import end_items
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.tables import SubmissionRow, WebhookDeliveryRow, WebhookRow
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash
from jupyter_ppo.storage.webhook_events import announce, announce_submissions
from jupyter_ppo.storage.webhooks import Webhooks

HOUR = timedelta(hours=1)
#: How long one transaction is kept open beside another; what is right does not depend on it.
HELD_SECONDS = 0.3
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MakeGrade = Callable[[UUID, float], Grade]
Told = Callable[[], list[tuple[str, dict[str, Any]]]]
RECEIVED, GRADED, RELEASED, FINISHED = (str(each) for each in SUBSCRIBABLE)


@pytest.fixture
def subscribe(database: Database, course: Course) -> Callable[..., Webhook]:
    def subscribe(*events: WebhookEvent) -> Webhook:
        new = NewWebhook(course.id, "LMS", "https://x.example/", events or SUBSCRIBABLE, "ines")
        return Webhooks(database).add(new, "sealed")

    return subscribe


@pytest.fixture
def told(database: Database) -> Told:
    """Return what was written since the last time, in the order of the ids."""
    seen: set[UUID] = set()

    def told() -> list[tuple[str, dict[str, Any]]]:
        with database.session() as session:
            rows = session.scalars(select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.id)).all()
        new = [row for row in rows if row.id not in seen]
        seen.update(row.id for row in new)
        for row in new:
            body = json.loads(row.body)
            assert (body["id"], body["event"]) == (str(row.id), row.event)
            assert datetime.fromisoformat(body["at"]) == row.created_at == row.due_at
        found = [(str(row.event), json.loads(row.body)["data"]) for row in new]
        return sorted(found, key=lambda each: each[0])

    return told


@pytest.fixture
def work_off(jobs: JobQueue, make_grade: MakeGrade) -> Callable[[], None]:
    def work_off() -> None:
        while (lease := jobs.lease("worker", HOUR)) is not None:
            jobs.succeed(lease, make_grade(lease.submission_id, 1.0))

    return work_off


def names(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [event for event, _ in found]


def keep_back(database: Database, assignment: Assignment) -> None:
    terms = Terms(grades=GradeRelease.BY_HAND)
    AssignmentTerms(database).save(assignment.id, terms, "ines")


def test_a_submission_is_told_when_it_comes_is_graded_and_is_released(
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
    work_off: Any,
) -> None:
    subscribe()
    made = submissions.submit(assignment, "ada", "d" * 64, ["a warning"], idempotency_key="once")
    about = {"submission": str(made.id), "assignment": str(assignment.id), "attempt": 1}
    assert told() == [(RECEIVED, {**about, "state": "queued"})]
    submissions.submit(assignment, "ada", "d" * 64, [], idempotency_key="once")
    assert told() == []
    work_off()
    assert told() == [
        (RELEASED, {**about, "state": "graded"}),
        (GRADED, {**about, "state": "graded"}),
    ]


def test_a_mark_is_a_new_grade_and_a_release_is_told_of_each(
    database: Database,
    courses: CourseStore,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
    work_off: Any,
) -> None:
    keep_back(database, assignment)
    for user in ("ada", "ben"):
        courses.enrol(assignment.course_id, user, Role.STUDENT)
    ids = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("ada", "ben")]
    subscribe()
    work_off()
    assert names(told()) == [GRADED, GRADED]
    marks = Marks(database)
    marks.put(ids[0], "why", Mark(points=2.0, comment="well said"), by="gil")
    [(event, data)] = told()
    assert (event, data["submission"]) == (GRADED, str(ids[0]))
    assert marks.set_released(assignment.id, None, is_released=True, by="ines") == 2
    found = told()
    assert names(found) == [RELEASED, RELEASED]
    assert {data["submission"] for _, data in found} == {str(each) for each in ids}
    marks.set_released(assignment.id, None, is_released=True, by="ines")
    marks.set_released(assignment.id, None, is_released=False, by="ines")
    assert told() == []


def test_outcomes_of_entries_are_told_when_they_are_approved_and_released(
    database: Database,
    courses: CourseStore,
    submissions: SubmissionStore,
    course: Course,
    subscribe: Any,
    told: Told,
) -> None:
    entry = courses.release(
        course.id,
        "report",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=(Exercise("method", CellKind.CRITERION, 4.0, 0),),
        kind=AssignmentKind.ENTRY,
    )
    subscribe()
    outcomes = Outcomes(database)

    def write(submission_id: UUID, state: OutcomeState, seen: int) -> None:
        result = CriterionResult("method", "sound", 3.0, "because")
        exercise = ExerciseGrade("method", 3.0, 4.0, False, "sound")
        is_draft = state is OutcomeState.DRAFT
        outcomes.write(
            Outcome(
                submission_id=submission_id,
                revision=0,
                state=state,
                results=(result,),
                summary="in sum",
                private_note="between us",
                author_kind=AuthorKind.PERSON,
                author="gil",
                at=NOW,
                approved_by=None if is_draft else "gil",
                changed_by="gil",
            ),
            seen=seen,
            grade=None
            if is_draft
            else Grade(submission_id, (exercise,), Verdict.RAN, "", "c" * 64, NOW, 0.0),
        )

    one, two = (submissions.submit(entry, user, "d" * 64, ()).id for user in ("ada", "ben"))
    assert [data["state"] for _, data in told()] == ["submitted", "submitted"]
    write(one, OutcomeState.DRAFT, 0)
    assert told() == []
    write(one, OutcomeState.APPROVED, 1)
    write(two, OutcomeState.APPROVED, 0)
    assert names(told()) == [GRADED, GRADED]
    write(one, OutcomeState.RELEASED, 2)
    assert names(told()) == [RELEASED, GRADED]
    assert outcomes.release_approved(entry.id, "ines") == (two,)
    assert [(event, data["submission"]) for event, data in told()] == [(RELEASED, str(two))]


def test_a_batch_is_told_once_when_its_last_submission_has_ended(
    database: Database,
    submissions: SubmissionStore,
    jobs: JobQueue,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
    work_off: Any,
    make_grade: MakeGrade,
) -> None:
    ids = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("ada", "ben")]
    work_off()
    subscribe(WebhookEvent.BATCH_FINISHED)
    batches = Batches(database)

    def begin() -> UUID:
        return batches.create(assignment, created_by="gil", reason="words", scope=BatchScope.ALL).id

    first = begin()
    lease = jobs.lease("a", HOUR, ids[0])
    assert lease is not None
    jobs.succeed(lease, make_grade(ids[0], 1.0))
    assert told() == []
    for _ in range(MAX_ATTEMPTS):
        lease = jobs.lease("a", HOUR, ids[1])
        assert lease is not None
        jobs.fail(lease, "no engine")
    about = {"assignment": str(assignment.id)}
    assert told() == [(FINISHED, {"batch": str(first), **about, "state": "finished"})]
    second = begin()
    batches.cancel(second)
    assert told() == [(FINISHED, {"batch": str(second), **about, "state": "cancelled"})]
    third = begin()
    lease = jobs.lease("a", HOUR, ids[0])
    assert lease is not None
    jobs.succeed(lease, make_grade(ids[0], 1.0))
    Trash(database).delete_submission(ids[1], "ines")
    assert told() == [(FINISHED, {"batch": str(third), **about, "state": "finished"})]


def test_two_that_end_a_batch_at_the_same_moment_tell_of_it_once(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
) -> None:
    ids = [submissions.submit(assignment, user, "d" * 64, []).id for user in ("ada", "ben")]
    subscribe(WebhookEvent.BATCH_FINISHED)
    Batches(database).create(assignment, created_by="gil", reason="", scope=BatchScope.ALL)

    def end_other() -> None:
        with database.begin() as session:
            end_items(session, ids[1], error="no engine")

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as session:
            end_items(session, ids[0], error="no engine")
            other = threads.submit(end_other)
            wait([other], HELD_SECONDS)  # neither sees yet what the other has changed
        other.result(60)
    assert names(told()) == [FINISHED]


def test_only_who_is_subscribed_active_and_of_the_course_is_told(
    database: Database,
    courses: CourseStore,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
) -> None:
    webhooks = Webhooks(database)
    other = courses.create_course("other", "Other")
    new = NewWebhook(other.id, "LMS", "https://x.example/", SUBSCRIBABLE, "ines")
    foreign = webhooks.add(new, "sealed")
    stopped = subscribe()
    webhooks.change(stopped.id, {"is_active": False})
    deaf, one, two = subscribe(WebhookEvent.GRADED), subscribe(), subscribe()
    submissions.submit(assignment, "ada", "d" * 64, [])
    counts = [
        webhooks.deliveries(each.id, offset=0, limit=5).total
        for each in (foreign, stopped, deaf, one, two)
    ]
    assert counts == [0, 0, 0, 1, 1]


def test_nobody_is_told_of_what_was_rolled_back(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
) -> None:
    subscribe()
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    told()

    def fail() -> None:
        with database.begin() as session:
            row = session.get_one(SubmissionRow, made.id)
            announce_submissions(session, WebhookEvent.GRADED, [row])
            announce(session, assignment.course_id, WebhookEvent.GRADED, [{}])
            assert session.scalar(select(func.count()).select_from(WebhookDeliveryRow)) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert told() == []


def test_no_body_names_a_person_or_tells_an_answer_or_a_grade(
    database: Database,
    courses: CourseStore,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    work_off: Any,
) -> None:
    subscribe()
    courses.enrol(assignment.course_id, "ada-lovelace", Role.STUDENT)
    made = submissions.submit(assignment, "ada-lovelace", "d" * 64, ["a warning"])
    work_off()
    Marks(database).put(made.id, "why", Mark(points=2.03125, comment="well said"), by="gil-bates")
    with database.session() as session:
        bodies = " ".join(session.scalars(select(WebhookDeliveryRow.body)))
    assert bodies.count(str(made.id)) == 4
    names, words = ("ada-lovelace", "gil-bates"), ("points", "2.03125", "well said", "warning")
    for word in (*names, *words, "d" * 64):
        assert word not in bodies


def test_a_course_without_webhooks_costs_one_look(
    database: Database, submissions: SubmissionStore, assignment: Assignment
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    asked: list[str] = []
    with database.begin() as session:
        row = session.get_one(SubmissionRow, made.id)

        def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        sqlalchemy_event.listen(database.engine, "before_cursor_execute", count)
        announce_submissions(session, WebhookEvent.GRADED, [row] * 100)
        sqlalchemy_event.remove(database.engine, "before_cursor_execute", count)
    assert len(asked) == 1


def test_deleting_a_webhook_never_breaks_what_happens_at_the_same_moment(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    subscribe: Any,
    told: Told,
) -> None:
    hook = subscribe()

    def hand_in() -> None:
        submissions.submit(assignment, "ada", "d" * 64, [])

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as session:
            session.delete(session.get_one(WebhookRow, hook.id, with_for_update=True))
            session.flush()
            handed_in = threads.submit(hand_in)
            wait([handed_in], HELD_SECONDS)  # the webhook is gone, and not yet for the other
        handed_in.result(60)
    assert told() == []
