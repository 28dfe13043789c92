"""Answers that wait for a person, batches of them, and drafts as a program hands them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Exercise, Role
from jupyter_ppo.domain.draft_records import DraftLease
from jupyter_ppo.domain.entries import AuthorKind, CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.tutoring import DraftResult, DraftState, FeedbackDraft, NewDraft
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.marks import Marks

WORDS = "Says that the ratio is clipped."


@pytest.fixture
def drafts(database: Database) -> Drafts:
    return Drafts(database)


@pytest.fixture
def batches(database: Database) -> DraftBatches:
    return DraftBatches(database)


@pytest.fixture
def marks(database: Database) -> Marks:
    return Marks(database)


@pytest.fixture
def answered(
    courses: CourseStore,
    submissions: SubmissionStore,
    jobs: JobQueue,
    assignment: Assignment,
    make_grade: Callable[[UUID, float], Grade],
) -> Callable[..., UUID]:
    """Let a student hand in and grade it by tests: the answer ``why`` waits for a person."""

    def answered(user: str = "ada") -> UUID:
        courses.enrol(assignment.course_id, user, Role.STUDENT)
        made = submissions.submit(assignment, user, "d" * 64, [])
        lease = jobs.lease("worker", timedelta(minutes=1), made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, 1.0))
        return made.id

    return answered


@pytest.fixture
def entry(courses: CourseStore, assignment: Assignment) -> Assignment:
    return courses.release(
        assignment.course_id,
        "report",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=(Exercise("method", CellKind.CRITERION, 4.0, 0),),
        kind=AssignmentKind.ENTRY,
    )


@pytest.fixture
def leased(batches: DraftBatches, assignment: Assignment) -> Callable[..., DraftLease]:
    """Take the one answer of a new batch."""

    def leased(
        submission_id: UUID, grade_id: str = "why", *, for_calibration: bool = False, of: Any = None
    ) -> DraftLease:
        about: Assignment = of or assignment
        batch = batches.create(
            course_id=about.course_id,
            assignment_id=about.id,
            grade_id=grade_id or None,
            created_by="ines",
            samples=3,
            estimate={},
            for_calibration=for_calibration,
            items=[(submission_id, grade_id)],
        )
        lease = batches.lease(60, batch.id)
        assert lease is not None
        return lease

    return leased


@pytest.fixture
def new_draft() -> Callable[..., NewDraft]:
    """Return a draft of the answer of a lease, ready unless it is changed."""

    def new_draft(lease: DraftLease, **changed: Any) -> NewDraft:
        made = NewDraft(
            submission_id=lease.submission_id,
            grade_id=lease.grade_id,
            state=DraftState.READY,
            results=(
                DraftResult(
                    "idea", "full", 2.0, WORDS, "it is clipped", 2 / 3, {"full": 2, "some": 1}
                ),
                DraftResult("words", "no", 0.0, "Unclear.", "", 1.0, {"no": 3}),
            ),
            agreement=2 / 3,
            flags=(),
            program="small-1, draft version 1",
            rubric_digest="r" * 64,
            call_ids=(uuid4(), uuid4()),
            batch_id=lease.batch_id,
        )
        return replace(made, **changed)

    return new_draft


@pytest.fixture
def drafted(
    drafts: Drafts, leased: Callable[..., DraftLease], new_draft: Callable[..., NewDraft]
) -> Callable[..., FeedbackDraft]:
    """Draft one answer, in a batch of its own."""

    def drafted(submission_id: UUID, grade_id: str = "why", **changed: Any) -> FeedbackDraft:
        lease = leased(submission_id, grade_id, of=changed.pop("of", None))
        draft = drafts.finish(lease, new_draft(lease, **changed))
        assert draft is not None
        return draft

    return drafted


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    """Return an outcome that a program drafted and ``gil`` approved, unless it is changed."""

    def outcome(submission_id: UUID, **changed: Any) -> Outcome:
        made = Outcome(
            submission_id=submission_id,
            revision=0,
            state=OutcomeState.APPROVED,
            results=(CriterionResult("method", "sound", 3.0, WORDS),),
            summary="",
            private_note="",
            author_kind=AuthorKind.PROGRAM,
            author="small-1, draft version 1",
            at=datetime(2026, 3, 2, 8, tzinfo=UTC),
            approved_by="gil",
            changed_by=None,
        )
        return replace(made, **changed)

    return outcome
