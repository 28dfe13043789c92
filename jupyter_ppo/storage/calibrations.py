"""What people marked to compare drafts with, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from jupyter_ppo.domain.draft_records import CalibrationMark
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.standings import KEEPING_KEYS
from jupyter_ppo.storage.tables import CalibrationMarkRow, SubmissionRow


class Calibrations:
    """``services.draft_stores.CalibrationStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, submission_id: UUID, grade_id: str, levels: Mapping[str, str], *, by: str
    ) -> CalibrationMark:
        """Keep the levels of an answer, in the place of earlier ones."""
        with self._database.begin() as session:
            submission = session.get_one(SubmissionRow, submission_id, with_for_update=KEEPING_KEYS)
            now = database_now(session)
            row = session.get(CalibrationMarkRow, (submission_id, grade_id))
            if row is None:
                row = CalibrationMarkRow(
                    submission_id=submission_id,
                    grade_id=grade_id,
                    assignment_id=submission.assignment_id,
                )
                session.add(row)
            row.levels, row.marked_by = dict(levels), by
            row.marked_at = now
            session.flush()
            return _mark(row)

    def marks(self, assignment_id: UUID, grade_id: str | None = None) -> Sequence[CalibrationMark]:
        """Return the marks of an assignment, of one exercise if given, the oldest first."""
        query = (
            select(CalibrationMarkRow)
            .join(SubmissionRow, SubmissionRow.id == CalibrationMarkRow.submission_id)
            .where(
                CalibrationMarkRow.assignment_id == assignment_id,
                SubmissionRow.deleted_at.is_(None),
            )
            .order_by(CalibrationMarkRow.marked_at, CalibrationMarkRow.submission_id)
        )
        if grade_id is not None:
            query = query.where(CalibrationMarkRow.grade_id == grade_id)
        with self._database.session() as session:
            return [_mark(row) for row in session.scalars(query)]


def _mark(row: CalibrationMarkRow) -> CalibrationMark:
    return CalibrationMark(
        submission_id=row.submission_id,
        grade_id=row.grade_id,
        assignment_id=row.assignment_id,
        levels=dict(row.levels),
        marked_by=row.marked_by,
        marked_at=row.marked_at,
    )
