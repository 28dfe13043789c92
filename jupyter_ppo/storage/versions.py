"""All versions of an assignment in the database, and what was handed in and graded on each."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from jupyter_ppo.domain.courses import AssignmentVersion, VersionUse
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.storage.courses import read_version
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import GradeRow, SubmissionRow, VersionRow


class Versions:
    """``services.versions.VersionStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def versions(self, assignment_id: UUID, *, offset: int, limit: int) -> Page[VersionUse]:
        """Return an assignment's versions, newest first; submissions in the trash do not count."""
        of_assignment = VersionRow.assignment_id == assignment_id
        is_kept = SubmissionRow.deleted_at.is_(None)
        with self._database.session() as session:
            total = session.scalar(
                select(func.count()).select_from(VersionRow).where(of_assignment)
            )
            rows = session.scalars(
                select(VersionRow)
                .where(of_assignment)
                .order_by(VersionRow.number.desc())
                .offset(offset)
                .limit(limit)
                .options(selectinload(VersionRow.exercises))
            ).all()
            submitted = dict(
                session.execute(
                    select(SubmissionRow.submitted_version_id, func.count())
                    .where(SubmissionRow.assignment_id == assignment_id, is_kept)
                    .group_by(SubmissionRow.submitted_version_id)
                ).all()
            )
            graded = dict(
                session.execute(
                    select(GradeRow.version_id, func.count())
                    .join(SubmissionRow, SubmissionRow.id == GradeRow.submission_id)
                    .where(SubmissionRow.assignment_id == assignment_id, is_kept)
                    .group_by(GradeRow.version_id)
                ).all()
            )
            items = tuple(
                VersionUse(read_version(row), submitted.get(row.id, 0), graded.get(row.id, 0))
                for row in rows
            )
            return Page(items, total or 0, offset, limit)

    def version(self, assignment_id: UUID, number: int) -> AssignmentVersion:
        """Return one version of an assignment; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.scalar(
                select(VersionRow)
                .where(VersionRow.assignment_id == assignment_id, VersionRow.number == number)
                .options(selectinload(VersionRow.exercises))
            )
            if row is None:
                msg = f"number: this assignment has no version {number}."
                raise NotFoundError(msg, field="number")
            return read_version(row)
