"""Outcomes in the database: every revision kept, and the grade that each one gives."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Course, Exercise
from jupyter_ppo.domain.entries import AuthorKind, CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.domain.terms import LatePolicy, LateRule, Terms
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.history import read_history
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.tables import JobRow, StandingRow, SubmissionRow, TermsRow
from jupyter_ppo.storage.term_rows import terms_values

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DRAFT, APPROVED, RELEASED = OutcomeState.DRAFT, OutcomeState.APPROVED, OutcomeState.RELEASED


@pytest.fixture
def outcomes(database: Database) -> Outcomes:
    return Outcomes(database)


@pytest.fixture
def entry(courses: CourseStore, course: Course) -> Assignment:
    return courses.release(
        course.id,
        "report",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=(Exercise("method", CellKind.CRITERION, 4.0, 0),),
        kind=AssignmentKind.ENTRY,
    )


@pytest.fixture
def submission(submissions: SubmissionStore, entry: Assignment) -> Submission:
    return submissions.submit(entry, "sam", "d" * 64, ())


def outcome(submission_id: UUID, state: OutcomeState = DRAFT, points: float = 3.0) -> Outcome:
    return Outcome(
        submission_id=submission_id,
        revision=0,
        state=state,
        results=(CriterionResult("method", "sound", points, "because"),),
        summary="in sum",
        private_note="between us",
        author_kind=AuthorKind.PERSON,
        author="gil",
        at=NOW,
        approved_by=None if state is DRAFT else "gil",
        changed_by="gil",
    )


def grade(submission_id: UUID, points: float = 3.0) -> Grade:
    exercise = ExerciseGrade("method", points, 4.0, False, "sound")
    return Grade(submission_id, (exercise,), Verdict.RAN, "", "c" * 64, NOW, 0.0)


def kinds(database: Database, submission_id: UUID) -> list[GradeChangeKind]:
    with database.session() as session:
        return [change.kind for change in read_history(session, submission_id)]


def test_an_entry_that_is_handed_in_makes_no_job(
    database: Database, submission: Submission
) -> None:
    assert submission.state is SubmissionState.SUBMITTED
    with database.session() as session:
        assert session.scalar(select(JobRow)) is None


def test_every_revision_is_kept_as_it_was_written(
    outcomes: Outcomes, submission: Submission
) -> None:
    assert outcomes.outcome(submission.id) is None
    first = outcomes.write(outcome(submission.id), seen=0)
    second = outcomes.write(outcome(submission.id, points=1.0), seen=1)
    assert first is not None
    assert second is not None
    assert outcomes.outcome(submission.id) == second
    page = outcomes.revisions(submission.id, offset=0, limit=10)
    assert page.items == (second, first)
    assert (first.revision, second.revision, page.total) == (1, 2, 2)
    assert (first.results[0].comment, first.summary) == ("because", "in sum")
    assert (first.private_note, first.author, first.changed_by) == ("between us", "gil", "gil")
    assert outcomes.revisions(submission.id, offset=1, limit=1).items == (first,)


def test_who_saw_another_revision_changes_nothing(
    outcomes: Outcomes, submission: Submission
) -> None:
    outcomes.write(outcome(submission.id), seen=0)
    for seen in (0, 2):
        assert outcomes.write(outcome(submission.id, points=1.0), seen=seen) is None
    stored = outcomes.outcome(submission.id)
    assert stored is not None
    assert (stored.revision, stored.points) == (1, 3.0)


def test_of_two_that_save_at_once_one_is_stored(outcomes: Outcomes, submission: Submission) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(
                lambda points: outcomes.write(outcome(submission.id, points=points), seen=0),
                [0.0, 1.0, 2.0, 3.0],
            )
        )
    assert len([each for each in found if each is not None]) == 1
    assert outcomes.revisions(submission.id, offset=0, limit=10).total == 1


def test_an_approved_outcome_is_a_grade_that_its_student_does_not_see(
    outcomes: Outcomes,
    submissions: SubmissionStore,
    submission: Submission,
    database: Database,
) -> None:
    outcomes.write(outcome(submission.id, APPROVED), seen=0, grade=grade(submission.id))
    found = submissions.submission(submission.id)
    assert (found.state, found.points, found.max_points) == (SubmissionState.GRADED, 3.0, 4.0)
    assert found.released_at is None
    assert found.for_student().points is None
    with database.session() as session:
        standing = session.scalar(select(StandingRow))
        assert standing is not None
        assert (standing.points, standing.is_released) == (3.0, False)
    assert kinds(database, submission.id) == [GradeChangeKind.OUTCOME]


def test_release_and_withdraw_go_into_the_history_and_the_standing(
    outcomes: Outcomes, submissions: SubmissionStore, submission: Submission, database: Database
) -> None:
    outcomes.write(outcome(submission.id, APPROVED), seen=0, grade=grade(submission.id))
    outcomes.write(outcome(submission.id, RELEASED), seen=1)
    assert submissions.submission(submission.id).for_student().points == 3.0
    with database.session() as session:
        assert session.scalars(select(StandingRow.is_released)).one()
    outcomes.write(outcome(submission.id, APPROVED), seen=2)
    assert submissions.submission(submission.id).released_at is None
    assert kinds(database, submission.id) == [
        GradeChangeKind.OUTCOME,
        GradeChangeKind.RELEASED,
        GradeChangeKind.WITHDRAWN,
    ]


def test_reopening_takes_the_grade_away_and_says_what_it_was(
    outcomes: Outcomes, submissions: SubmissionStore, submission: Submission, database: Database
) -> None:
    outcomes.write(outcome(submission.id, APPROVED), seen=0, grade=grade(submission.id))
    outcomes.write(outcome(submission.id, DRAFT), seen=1)
    found = submissions.submission(submission.id)
    assert (found.state, found.points) == (SubmissionState.SUBMITTED, None)
    assert submissions.grade(submission.id) is None
    with database.session() as session:
        last = read_history(session, submission.id)[-1]
        assert last.before is not None
        assert (last.kind, last.before["points"], last.after) == (
            GradeChangeKind.OUTCOME,
            3.0,
            None,
        )
        assert session.scalars(select(StandingRow.points)).one() is None
    again = outcomes.write(
        outcome(submission.id, APPROVED, 1.0), seen=2, grade=grade(submission.id, 1.0)
    )
    assert again is not None
    assert submissions.submission(submission.id).points == 1.0


def test_all_approved_outcomes_of_an_entry_are_released_together(
    outcomes: Outcomes, submissions: SubmissionStore, entry: Assignment, assignment: Assignment
) -> None:
    made = [submissions.submit(entry, user, "d" * 64, ()) for user in ("sam", "sue", "tom")]
    for each in made[:2]:
        outcomes.write(outcome(each.id, APPROVED), seen=0, grade=grade(each.id))
    outcomes.write(outcome(made[2].id, DRAFT), seen=0)
    assert outcomes.release_approved(assignment.id, "ines") == ()
    assert set(outcomes.release_approved(entry.id, "ines")) == {each.id for each in made[:2]}
    assert outcomes.release_approved(entry.id, "ines") == ()
    stored = outcomes.outcome(made[0].id)
    assert stored is not None
    assert (stored.state, stored.revision, stored.changed_by) == (RELEASED, 2, "ines")
    assert (stored.author, stored.approved_by) == ("gil", "gil")
    draft = outcomes.outcome(made[2].id)
    assert draft is not None
    assert draft.state is DRAFT


def test_a_deleted_submission_takes_no_outcome(
    outcomes: Outcomes, submission: Submission, database: Database
) -> None:
    with database.begin() as session:
        session.get_one(SubmissionRow, submission.id).deleted_at = NOW
    with pytest.raises(NotFoundError):
        outcomes.write(outcome(submission.id), seen=0)


def test_an_outcome_takes_the_penalty_for_lateness_like_any_grade(
    outcomes: Outcomes,
    submissions: SubmissionStore,
    submission: Submission,
    late: Callable[[UUID], None],
) -> None:
    late(submission.assignment_id)
    outcomes.write(outcome(submission.id, APPROVED), seen=0, grade=grade(submission.id))
    found = submissions.submission(submission.id)
    assert (found.points, found.penalty) == (0.0, 3.0)


@pytest.fixture
def late(database: Database) -> Callable[[UUID], None]:
    """Give an assignment a due time long ago, after which nothing counts."""

    def late(assignment_id: UUID) -> None:
        terms = Terms(
            due_at=datetime(2000, 1, 1, tzinfo=UTC), late=LatePolicy(LateRule.ZERO), revision=1
        )
        with database.begin() as session:
            row = TermsRow(assignment_id=assignment_id, updated_at=NOW, updated_by="ines")
            for name, value in terms_values(terms).items():
                setattr(row, name, value)
            session.add(row)

    return late
