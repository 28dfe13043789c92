"""Which submissions of an assignment a batch takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, exists, not_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.batches import BatchScope
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import Counting
from jupyter_ppo.storage.batch_items import chunks
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    GradeRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
    TermsRow,
    VersionRow,
)

_UNGRADED = (SubmissionState.SUBMITTED, SubmissionState.QUEUED, SubmissionState.GRADING)


def chosen(
    session: Session, assignment_id: UUID, scope: BatchScope, listed: Collection[UUID]
) -> set[UUID]:
    """Return the submissions in ``scope``, without those in the trash or of removed members.

    Nor of people who were erased: there is nothing left to grade.

    Of each student the attempt that counts; every attempt where the best one counts. Raises
    ``NotFoundError`` when one of ``listed`` is not of this assignment.
    """
    removed = exists(
        select(MembershipRow.user)
        .join(AssignmentRow, AssignmentRow.course_id == MembershipRow.course_id)
        .where(
            AssignmentRow.id == SubmissionRow.assignment_id,
            MembershipRow.user == SubmissionRow.user,
            MembershipRow.removed_at.is_not(None),
        )
        .correlate(SubmissionRow)
    )
    query = select(SubmissionRow.id).where(
        SubmissionRow.assignment_id == assignment_id,
        SubmissionRow.deleted_at.is_(None),
        SubmissionRow.digest != "",
        not_(removed),
    )
    if scope is BatchScope.LISTED:
        wanted = set(listed)
        found = {
            submission_id
            for ids in chunks(wanted)
            for submission_id in session.scalars(query.where(SubmissionRow.id.in_(ids)))
        }
        if found != wanted:
            missing = min(wanted - found)
            msg = f"submissions: there is no submission {missing} of this assignment."
            raise NotFoundError(msg, field="submissions")
        return found
    counting = session.scalar(
        select(TermsRow.counting).where(TermsRow.assignment_id == assignment_id)
    )
    if counting is not Counting.BEST:
        query = query.join(StandingRow, StandingRow.submission_id == SubmissionRow.id)
    return set(session.scalars(query.where(*_in_scope(scope))))


def _in_scope(scope: BatchScope) -> Iterable[ColumnElement[bool]]:
    if scope is BatchScope.FAILED:
        return (SubmissionRow.state == SubmissionState.FAILED,)
    if scope is BatchScope.UNGRADED:
        has_grade = exists(
            select(GradeRow.submission_id)
            .where(GradeRow.submission_id == SubmissionRow.id)
            .correlate(SubmissionRow)
        )
        return (SubmissionRow.state.in_(_UNGRADED), not_(has_grade))
    return ()


def nothing_to_grade(scope: BatchScope, assignment: str) -> InvalidInputError:
    """Return the error that says why a batch would be empty, and what to do."""
    reasons = {
        BatchScope.ALL: f"nobody has handed in {assignment!r} yet. Wait for submissions.",
        BatchScope.UNGRADED: (
            f"every submission of {assignment!r} is graded or failed. Use the scope "
            f"{BatchScope.ALL.value!r} to grade again, or {BatchScope.FAILED.value!r}."
        ),
        BatchScope.FAILED: (
            f"no submission of {assignment!r} failed. Use the scope {BatchScope.ALL.value!r} to "
            "grade again."
        ),
        BatchScope.LISTED: "no submission is named. Name at least one in submissions.",
    }
    return InvalidInputError(f"scope: {reasons[scope]}", field="scope")


def newest_version_of(session: Session, assignment_id: UUID) -> UUID:
    """Return the assignment's newest version; raise ``NotFoundError``."""
    newest = session.scalar(
        select(VersionRow.id)
        .where(VersionRow.assignment_id == assignment_id)
        .order_by(VersionRow.number.desc())
        .limit(1)
    )
    if newest is None:
        msg = "assignment: it has no version any more."
        raise NotFoundError(msg, field="assignment")
    return newest
