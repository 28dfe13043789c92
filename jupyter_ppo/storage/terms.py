"""Terms and extensions of assignments in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.terms import Extension, MoreTime, OwnTerms, Terms
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExtensionRow,
    GroupMemberRow,
    GroupRow,
    MembershipRow,
    TermsRow,
)
from jupyter_ppo.storage.term_rows import own_terms, read_extension, terms_of, terms_values


class AssignmentTerms:
    """``services.terms.TermsStore`` on a database; times are the database's clock.

    Every change settles what counts for those whom it concerns, in the same transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def terms(self, assignment_id: UUID) -> Terms:
        """Return the terms, without anybody's extensions."""
        with self._database.session() as session:
            return terms_of(session, assignment_id)

    def own(self, assignment_ids: Collection[UUID], user: str) -> Mapping[UUID, OwnTerms]:
        """Return the terms of each assignment as they are for ``user``."""
        with self._database.session() as session:
            return own_terms(session, assignment_ids, user)

    def save(self, assignment_id: UUID, terms: Terms, by: str) -> Terms | None:
        """Store ``terms`` and return them with their new revision.

        Returns None, and changes nothing, when ``terms.revision`` is not the one stored. Raises
        ``NotFoundError`` when the assignment is gone.
        """
        with self._database.begin() as session:
            _locked(session, assignment_id)
            now = database_now(session)
            row = session.get(TermsRow, assignment_id)
            stored = 0 if row is None else row.revision
            if terms.revision != stored:
                return None
            saved = replace(terms, revision=stored + 1)
            if row is None:
                row = TermsRow(assignment_id=assignment_id)
                session.add(row)
            for name, value in terms_values(saved).items():
                setattr(row, name, value)
            row.updated_at, row.updated_by = now, by
            settle(session, assignment_id, by=by, reason="The terms of the assignment changed.")
            return saved

    def extensions(
        self, assignment_id: UUID, *, revoked: bool = False, offset: int, limit: int
    ) -> Page[Extension]:
        """Return the extensions, newest first; those that were revoked only with ``revoked``."""
        query = select(ExtensionRow).where(ExtensionRow.assignment_id == assignment_id)
        if not revoked:
            query = query.where(ExtensionRow.revoked_at.is_(None))
        with self._database.session() as session:
            total = session.scalar(
                select(func.count()).select_from(
                    query.with_only_columns(ExtensionRow.id).subquery()
                )
            )
            found = session.scalars(
                query.order_by(ExtensionRow.created_at.desc(), ExtensionRow.id.desc())
                .offset(offset)
                .limit(limit)
            )
            items = tuple(read_extension(row) for row in found)
            return Page(items, total or 0, offset, limit)

    def extend(self, assignment: Assignment, more: MoreTime, by: str) -> Extension:
        """Add an extension; raise ``NotFoundError`` when the course has no such person or group."""
        with self._database.begin() as session:
            _locked(session, assignment.id)
            group_id, users = _whose(session, assignment.course_id, more)
            row = ExtensionRow(
                id=new_id(),
                assignment_id=assignment.id,
                user=more.user,
                group_id=group_id,
                group_name=more.group,
                seconds=more.seconds,
                attempts=more.attempts,
                reason=more.reason,
                created_by=by,
                created_at=database_now(session),
            )
            session.add(row)
            reason = f"An extension was given. {more.reason}".rstrip()
            settle(session, assignment.id, users, by=by, reason=reason)
            return read_extension(row)

    def revoke(self, assignment: Assignment, extension_id: UUID, by: str) -> Extension:
        """Take an extension back, and keep it as revoked; raise ``NotFoundError``.

        One that is revoked already is returned as it is.
        """
        with self._database.begin() as session:
            _locked(session, assignment.id)
            row = session.get(ExtensionRow, extension_id)
            if row is None or row.assignment_id != assignment.id:
                msg = f"extension: there is no such extension for {assignment.name!r}."
                raise NotFoundError(msg, field="extension")
            if row.revoked_at is None:
                row.revoked_at = database_now(session)
                users = [row.user] if row.user is not None else _members(session, row.group_id)
                reason = "An extension was taken back."
                settle(session, assignment.id, users, by=by, reason=reason)
            return read_extension(row)


def _locked(session: Session, assignment_id: UUID) -> None:
    lock_attempts(session, assignment_id)
    row = session.get(AssignmentRow, assignment_id)
    if row is None or row.deleted_at is not None:
        msg = "assignment: there is no such assignment."
        raise NotFoundError(msg, field="assignment")


def _whose(session: Session, course_id: UUID, more: MoreTime) -> tuple[UUID | None, list[str]]:
    """Return the group's id, None for a person, and the people that the extension is for."""
    if more.user is not None:
        member = session.get(MembershipRow, (course_id, more.user))
        if member is None or member.removed_at is not None:
            msg = f"user: {more.user[:120]!r} is not in this course. Enrol them first."
            raise NotFoundError(msg, field="user")
        return None, [more.user]
    group_id = session.scalar(
        select(GroupRow.id).where(GroupRow.course_id == course_id, GroupRow.name == more.group)
    )
    if group_id is None:
        msg = f"group: there is no group {(more.group or '')[:120]!r} in this course."
        raise NotFoundError(msg, field="group")
    return group_id, _members(session, group_id)


def _members(session: Session, group_id: UUID | None) -> list[str]:
    return list(
        session.scalars(select(GroupMemberRow.user).where(GroupMemberRow.group_id == group_id))
    )
