"""What counts for each person, settled with every change."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select

from jupyter_ppo.domain.batches import BatchScope
from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS
from jupyter_ppo.domain.marks import GradeChangeKind, Mark
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import Counting, LatePolicy, LateRule, MoreTime, Terms
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    GradeChangeRow,
    GradeRow,
    GroupMemberRow,
    GroupRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
)
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash

MakeGrade = Callable[[UUID, float], Grade]
# The clock of the tests begins at 2026-03-01T12:00:01Z and goes on by a second with each look.
FIRST = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEN_PERCENT = LatePolicy(LateRule.PER_DAY, 10)


@pytest.fixture
def terms(database: Database) -> AssignmentTerms:
    return AssignmentTerms(database)


@pytest.fixture
def graded(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> Callable[..., UUID]:
    """Hand in and grade one attempt; it scores ``points`` and 0.1."""

    def graded(user: str, points: float, **given: Any) -> UUID:
        made = submissions.submit(assignment, user, "d" * 64, [], **given)
        lease = jobs.lease("worker", HOUR, made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, points))
        return made.id

    return graded


def standing(database: Database, assignment: Assignment, user: str = "ada") -> StandingRow | None:
    with database.session() as session:
        return session.get(StandingRow, (assignment.id, user))


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_the_standing_follows_each_attempt_and_its_grade(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    graded: Callable[..., UUID],
) -> None:
    first = graded("ada", 2.0)
    row = standing(database, assignment)
    assert row is not None
    assert (row.submission_id, row.attempts, row.state) == (first, 1, SubmissionState.GRADED)
    assert (row.points, row.max_points, row.needs_review) == (2.1, 6.0, True)
    assert row.unsealed_points == 0.1

    second = submissions.submit(assignment, "ada", "e" * 64, [])
    row = standing(database, assignment)
    assert row is not None
    assert (row.submission_id, row.attempts, row.points) == (second.id, 2, None)
    assert second.counts
    assert not submissions.submission(first).counts


def test_new_terms_change_the_penalty_of_what_is_graded_and_history_says_so(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    terms: AssignmentTerms,
    graded: Callable[..., UUID],
) -> None:
    made = graded("ada", 2.0)
    saved = terms.save(assignment.id, Terms(due_at=FIRST - HOUR, late=TEN_PERCENT), "grace")
    assert saved is not None
    found = submissions.submission(made)
    assert (found.late_seconds, found.penalty, found.points) == (3600, 0.21, 1.89)
    row = standing(database, assignment)
    assert row is not None
    assert (row.late_seconds, row.penalty, row.points) == (3600, 0.21, 1.89)
    assert terms.save(assignment.id, replace(saved, due_at=None), "ida") is not None
    assert submissions.submission(made).points == 2.1
    with database.session() as session:
        lines = session.scalars(
            select(GradeChangeRow)
            .where(GradeChangeRow.kind == GradeChangeKind.LATENESS)
            .order_by(GradeChangeRow.at, GradeChangeRow.id)
        ).all()
    assert [(line.by, line.after) for line in lines] == [
        ("grace", {"penalty": 0.21, "late_seconds": 3600}),
        ("ida", {"penalty": 0.0, "late_seconds": 0}),
    ]


def test_a_grade_of_a_late_attempt_comes_with_its_penalty(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    terms: AssignmentTerms,
    graded: Callable[..., UUID],
) -> None:
    terms.save(assignment.id, Terms(due_at=FIRST - HOUR, late=TEN_PERCENT), "grace")
    found = submissions.submission(graded("ada", 2.0))
    assert (found.late_seconds, found.penalty, found.points) == (3600, 0.21, 1.89)


def test_extensions_of_a_person_and_of_their_groups_add_up_and_can_be_taken_back(
    database: Database,
    submissions: SubmissionStore,
    assignment: Assignment,
    terms: AssignmentTerms,
    graded: Callable[..., UUID],
) -> None:
    with database.begin() as session:
        group = GroupRow(
            id=new_id(), course_id=assignment.course_id, name="evening", created_at=FIRST
        )
        session.add(group)
        session.flush()
        session.add(GroupMemberRow(group_id=group.id, user="ada"))
        for user in ("ada", "bob"):
            session.add(MembershipRow(course_id=assignment.course_id, user=user, role="student"))
    ada, bob = graded("ada", 2.0), graded("bob", 2.0)
    terms.save(assignment.id, Terms(due_at=FIRST - HOUR, late=TEN_PERCENT), "grace")
    terms.extend(assignment, MoreTime(None, "evening", 1800), "grace")
    own = terms.extend(assignment, MoreTime("ada", None, 1800, 2, "ill"), "grace")
    late = [submissions.submission(each).late_seconds for each in (ada, bob)]
    assert late == [0, 3601]
    terms.revoke(assignment, own.id, "grace")
    assert submissions.submission(ada).late_seconds == 1800
    assert terms.revoke(assignment, own.id, "ida").revoked_at is not None
    kept = terms.extensions(assignment.id, offset=0, limit=9)
    every = terms.extensions(assignment.id, revoked=True, offset=0, limit=9)
    assert (kept.total, every.total) == (1, 2)
    assert [each.group for each in kept.items] == ["evening"]


def test_the_best_attempt_counts_after_its_penalty_and_of_equal_ones_the_later(
    database: Database,
    assignment: Assignment,
    terms: AssignmentTerms,
    graded: Callable[..., UUID],
) -> None:
    terms.save(
        assignment.id,
        Terms(due_at=FIRST + HOUR, late=LatePolicy(LateRule.ZERO), counting=Counting.BEST),
        "grace",
    )
    graded("ada", 1.0)
    equal = graded("ada", 1.0)
    graded("ada", 0.0)
    graded("ada", 2.0, submitted_at=FIRST + 2 * HOUR)
    row = standing(database, assignment)
    assert row is not None
    assert (row.submission_id, row.attempts, row.points) == (equal, 4, 1.1)


def test_of_what_is_in_the_trash_nothing_counts(
    database: Database, assignment: Assignment, graded: Callable[..., UUID]
) -> None:
    first, second = graded("ada", 1.0), graded("ada", 2.0)
    for deleted, left in ((second, first), (first, None)):
        with database.begin() as session:
            session.get_one(SubmissionRow, deleted).deleted_at = FIRST
            settle(session, assignment.id, ["ada"])
        row = standing(database, assignment)
        assert (None if row is None else row.submission_id) == left
    with database.begin() as session:
        session.get_one(SubmissionRow, second).deleted_at = None
        settle(session, assignment.id)
    row = standing(database, assignment)
    assert row is not None
    assert (row.submission_id, row.attempts) == (second, 1)


def test_a_row_that_the_session_holds_is_right_after_settling(
    database: Database, assignment: Assignment, terms: AssignmentTerms, graded: Callable[..., UUID]
) -> None:
    made = graded("ada", 2.0)
    with database.begin() as session:
        row = session.get_one(SubmissionRow, made)
        cell = session.get_one(StandingRow, (assignment.id, "ada"))
        row.submitted_at = FIRST + HOUR
        settle(session, assignment.id, ["ada"])
        assert cell.submitted_at == FIRST + HOUR
        assert row.late_seconds == 0
    assert standing(database, assignment) is not None


def test_a_class_of_1200_is_settled_in_a_few_statements(
    database: Database, assignment: Assignment, terms: AssignmentTerms
) -> None:
    ids = [new_id() for _ in range(2400)]
    with database.begin() as session:
        session.execute(
            insert(SubmissionRow),
            [
                {
                    "id": each,
                    "assignment_id": assignment.id,
                    "version_id": assignment.version.id,
                    "user": f"student{index // 2}",
                    "attempt": 1 + index % 2,
                    "digest": "d" * 64,
                    "state": SubmissionState.GRADED,
                    "submitted_at": FIRST,
                    "warnings": [],
                }
                for index, each in enumerate(ids)
            ],
        )
        session.execute(
            insert(GradeRow),
            [
                {
                    "submission_id": each,
                    "points": 2.0,
                    "max_points": 6.0,
                    "needs_review": False,
                    "verdict": Verdict.RAN,
                    "detail": "",
                    "feedback_digest": "c" * 64,
                    "graded_at": FIRST,
                    "wall_seconds": 1.0,
                }
                for each in ids
            ],
        )
    begun = time.monotonic()
    with statements(database) as seen:
        terms.save(assignment.id, Terms(due_at=FIRST - HOUR, late=TEN_PERCENT), "grace")
    seconds = time.monotonic() - begun
    assert len(seen) < 40
    assert seconds < 10  # about a second; the bound is for a machine under load
    row = standing(database, assignment, "student1199")
    assert row is not None
    assert (row.submission_id, row.attempts, row.points) == (ids[-1], 2, 1.8)
    with statements(database) as seen, database.begin() as session:
        settle(session, assignment.id)
    assert not any(each.startswith(("UPDATE", "INSERT", "DELETE")) for each in seen)


def test_every_writer_locks_jobs_then_submissions_then_the_assignment(
    database: Database,
    courses: CourseStore,
    submissions: SubmissionStore,
    jobs: JobQueue,
    assignment: Assignment,
    make_grade: MakeGrade,
    terms: AssignmentTerms,
    graded: Callable[..., UUID],
) -> None:
    courses.enrol(assignment.course_id, "ada", Role.STUDENT)
    one, other = graded("ada", 1.0), graded("ada", 2.0)
    rosters, marks, batches = Rosters(database), Marks(database), Batches(database)
    rosters.put_group(assignment.course_id, "lab", [], by="ines")
    terms.extend(assignment, MoreTime(None, "lab", 60), "ines")

    def regraded() -> None:
        submissions.regrade(one)
        lease = jobs.lease("worker", HOUR, one)
        assert lease is not None
        jobs.succeed(lease, make_grade(one, 2.0))

    def given_up() -> None:
        submissions.regrade(one)
        for _ in range(MAX_ATTEMPTS):
            lease = jobs.lease("worker", HOUR, one)
            assert lease is not None
            jobs.fail(lease, "lost")

    def cancelled() -> None:
        submissions.regrade(one)
        batches.cancel_submission(one)

    revision = terms.terms(assignment.id).revision
    writers: list[Callable[[], object]] = [
        lambda: terms.save(assignment.id, Terms(revision=revision), "ines"),
        lambda: terms.extend(assignment, MoreTime("ada", None, 60), "ines"),
        lambda: rosters.put_group(assignment.course_id, "lab", ["ada"], by="ines"),
        lambda: submissions.submit(assignment, "ada", "e" * 64, []),
        lambda: marks.put(one, "why", Mark(1.0), by="gil"),
        lambda: marks.set_released(assignment.id, None, is_released=False, by="gil"),
        lambda: batches.create(assignment, created_by="gil", reason="", scope=BatchScope.ALL),
        regraded,
        given_up,
        cancelled,
        lambda: Trash(database).delete_submission(other, "ines"),
        lambda: Trash(database).restore(assignment.course_id, other, "ines"),
    ]
    for write in writers:
        with locks(database) as transactions:
            write()
        assert any("assignments" in each for each in transactions)
        for locked in transactions:
            of_these = [name for name in ("jobs", "submissions", "assignments") if name in locked]
            # The one job that is locked last is that of an attempt that nobody else knows yet.
            if locked[:2] != ["submissions", "assignments"]:
                assert [name for name in locked if name in of_these] == of_these


@contextmanager
def locks(database: Database) -> Iterator[list[list[str]]]:
    """Collect for each transaction the tables of which it locks rows, in the order of the first."""
    seen: list[list[str]] = [[]]

    def note(_connection: Any, _cursor: Any, sql: str, _data: Any, context: Any, *_: Any) -> None:
        if context.compiled is None:
            return
        statement = context.compiled.statement
        is_lock = getattr(statement, "_for_update_arg", None) is not None
        if not is_lock and not context.isupdate:
            return
        found = re.search(r"(?:FROM|UPDATE) (\w+)", sql)
        if found is not None and found[1] not in seen[-1]:
            seen[-1].append(found[1])

    def ended(_connection: Any) -> None:
        seen.append([])

    event.listen(database.engine, "before_cursor_execute", note)
    event.listen(database.engine, "commit", ended)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
    event.remove(database.engine, "commit", ended)
