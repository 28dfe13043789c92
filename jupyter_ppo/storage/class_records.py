"""A whole class at once, for another program's gradebook."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import CellKind, Exercise, Role
from jupyter_ppo.domain.gradebook import (
    ClassRecord,
    RecordedAssignment,
    RecordedScore,
    RecordedSubmission,
)
from jupyter_ppo.domain.roster import Person
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    ExerciseRow,
    MarkRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
    VersionRow,
)
from jupyter_ppo.storage.term_rows import own_extensions, terms_of


def read_record(session: Session, course_id: UUID) -> ClassRecord:
    """Return the students of a course and, of each, the attempt that counts."""
    students = {
        row.user: Person(row.first_name, row.last_name, row.email, row.lms_user_id)
        for row in session.scalars(
            select(MembershipRow)
            .where(
                MembershipRow.course_id == course_id,
                MembershipRow.role == Role.STUDENT,
                MembershipRow.removed_at.is_(None),
            )
            .order_by(MembershipRow.user)
        )
    }
    assignments = session.scalars(
        select(AssignmentRow)
        .where(AssignmentRow.course_id == course_id, AssignmentRow.deleted_at.is_(None))
        .order_by(AssignmentRow.name)
    ).all()
    return ClassRecord(
        students, tuple(_read_assignment(session, row, students) for row in assignments)
    )


def _read_assignment(
    session: Session, row: AssignmentRow, students: Mapping[str, Person]
) -> RecordedAssignment:
    version = newest_version(session, row.id)
    scores = _scores(session, row.id)
    exercises = exercises_of(session, version.id)
    known = {exercise.grade_id for exercise in exercises}
    # What somebody was graded on that the newest version does not have any more.
    older = {
        item.grade_id: item.max_points for own in scores.values() for item in own
    }.keys() - known
    position = max((exercise.position for exercise in exercises), default=-1)
    maxima = {item.grade_id: item.max_points for own in scores.values() for item in own}
    exercises += tuple(
        Exercise(name, CellKind.TESTS, maxima[name], position + number)
        for number, name in enumerate(sorted(older), start=1)
    )
    seconds = {
        user: sum(extension.seconds for extension in own)
        for user, own in own_extensions(session, row.id).items()
    }
    found = session.execute(
        select(StandingRow, SubmissionRow.penalty)
        .join(SubmissionRow, SubmissionRow.id == StandingRow.submission_id)
        .where(StandingRow.assignment_id == row.id)
        .order_by(StandingRow.user)
    )
    submissions = tuple(
        RecordedSubmission(
            user=standing.user,
            submitted_at=standing.submitted_at,
            extension_seconds=seconds.get(standing.user, 0),
            penalty=penalty,
            scores=tuple(scores.get(standing.submission_id, ())),
        )
        for standing, penalty in found
        if standing.user in students
    )
    return RecordedAssignment(
        row.name,
        row.kind,
        terms_of(session, row.id).due_at,
        version.source_digest,
        version.release_digest,
        exercises,
        submissions,
    )


def newest_version(session: Session, assignment_id: UUID) -> VersionRow:
    return session.scalars(
        select(VersionRow)
        .where(VersionRow.assignment_id == assignment_id)
        .order_by(VersionRow.number.desc())
        .limit(1)
    ).one()


def exercises_of(session: Session, version_id: UUID) -> tuple[Exercise, ...]:
    found = session.scalars(
        select(ExerciseRow)
        .where(ExerciseRow.version_id == version_id)
        .order_by(ExerciseRow.position)
    )
    return tuple(Exercise(row.grade_id, row.kind, row.points, row.position) for row in found)


def _scores(session: Session, assignment_id: UUID) -> dict[UUID, list[RecordedScore]]:
    found = session.execute(
        select(
            ExerciseGradeRow.submission_id,
            ExerciseGradeRow.grade_id,
            ExerciseGradeRow.points,
            ExerciseGradeRow.max_points,
            ExerciseGradeRow.needs_review,
            ExerciseGradeRow.hint_deduction,
            MarkRow.points,
            MarkRow.extra_credit,
            MarkRow.comment,
        )
        .join(StandingRow, StandingRow.submission_id == ExerciseGradeRow.submission_id)
        .outerjoin(
            MarkRow,
            and_(
                MarkRow.submission_id == ExerciseGradeRow.submission_id,
                MarkRow.grade_id == ExerciseGradeRow.grade_id,
            ),
        )
        .where(StandingRow.assignment_id == assignment_id)
        .order_by(ExerciseGradeRow.submission_id, ExerciseGradeRow.position)
    )
    scores: dict[UUID, list[RecordedScore]] = {}
    for submission_id, grade_id, points, most, needs_review, hints, given, extra, comment in found:
        scores.setdefault(submission_id, []).append(
            RecordedScore(
                grade_id=grade_id,
                max_points=most,
                auto_points=None if needs_review and not points else points,
                given_points=given,
                extra_credit=extra or 0.0,
                comment=comment or "",
                waits=needs_review and given is None,
                hint_deduction=hints,
            )
        )
    return scores
