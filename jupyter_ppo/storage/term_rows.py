"""Terms and extensions as they are kept, and whose they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.terms import (
    Extension,
    LatePolicy,
    LateRule,
    LateStep,
    OwnTerms,
    Terms,
    late_data,
)
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExtensionRow,
    GroupMemberRow,
    SubmissionRow,
    TermsRow,
)

#: More people than this are not named in a query: it takes everybody, and they are picked here.
MOST_NAMED = 500


def read_terms(row: TermsRow | None) -> Terms:
    """Return the domain's object; an assignment without a row has the terms of ``Terms()``."""
    if row is None:
        return Terms()
    return Terms(
        opens_at=row.opens_at,
        due_at=row.due_at,
        closes_at=row.closes_at,
        grace_seconds=row.grace_seconds,
        late=_read_late(row.late),
        max_attempts=row.max_attempts,
        counting=row.counting,
        autograde=row.autograde,
        grades=row.grades,
        revision=row.revision,
    )


def terms_values(terms: Terms) -> dict[str, Any]:
    """Return the columns of a ``TermsRow`` that hold ``terms``."""
    return {
        "opens_at": terms.opens_at,
        "due_at": terms.due_at,
        "closes_at": terms.closes_at,
        "grace_seconds": terms.grace_seconds,
        "late": late_data(terms.late),
        "max_attempts": terms.max_attempts,
        "counting": terms.counting,
        "autograde": terms.autograde,
        "grades": terms.grades,
        "revision": terms.revision,
    }


def terms_of(session: Session, assignment_id: UUID) -> Terms:
    """Return the terms of an assignment, without anybody's extensions."""
    return read_terms(session.get(TermsRow, assignment_id))


def own_extensions(
    session: Session, assignment_id: UUID, users: Collection[str] | None = None
) -> Mapping[str, list[Extension]]:
    """Return the extensions in force of each person who has some, their groups' among them.

    ``users`` are those to look at, everybody if None. Two queries however many they are.
    """
    found = session.scalars(
        select(ExtensionRow).where(
            ExtensionRow.assignment_id == assignment_id, ExtensionRow.revoked_at.is_(None)
        )
    )
    wanted = None if users is None else set(users)
    own: dict[str, list[Extension]] = defaultdict(list)
    of_groups: dict[UUID, list[Extension]] = defaultdict(list)
    for row in found:
        extension = read_extension(row)
        if row.group_id is not None:
            of_groups[row.group_id].append(extension)
        elif row.user is not None and (wanted is None or row.user in wanted):
            own[row.user].append(extension)
    if of_groups:
        members = select(GroupMemberRow.group_id, GroupMemberRow.user).where(
            GroupMemberRow.group_id.in_(of_groups)
        )
        if wanted is not None and len(wanted) <= MOST_NAMED:
            members = members.where(GroupMemberRow.user.in_(wanted))
        for group_id, user in session.execute(members):
            if wanted is None or user in wanted:
                own[user] += of_groups[group_id]
    return own


def own_terms(
    session: Session, assignment_ids: Collection[UUID], user: str
) -> Mapping[UUID, OwnTerms]:
    """Return the terms of each assignment as they are for ``user``, in four queries at most."""
    ids = list(assignment_ids)
    rows = session.scalars(select(TermsRow).where(TermsRow.assignment_id.in_(ids)))
    stored = {row.assignment_id: row for row in rows}
    groups = select(GroupMemberRow.group_id).where(GroupMemberRow.user == user)
    extensions: dict[UUID, list[Extension]] = defaultdict(list)
    for row in session.scalars(
        select(ExtensionRow).where(
            ExtensionRow.assignment_id.in_(ids),
            ExtensionRow.revoked_at.is_(None),
            or_(ExtensionRow.user == user, ExtensionRow.group_id.in_(groups)),
        )
    ):
        extensions[row.assignment_id].append(read_extension(row))
    used = _attempts_used(session, ids, user)
    return {
        each: OwnTerms(
            read_terms(stored.get(each)).with_extensions(extensions.get(each, ())),
            used.get(each, 0),
        )
        for each in ids
    }


def _attempts_used(
    session: Session, assignment_ids: Collection[UUID], user: str
) -> Mapping[UUID, int]:
    """Return how many attempts ``user`` has made at each; what is in the trash is none."""
    found = session.execute(
        select(SubmissionRow.assignment_id, func.count())
        .where(
            SubmissionRow.assignment_id.in_(assignment_ids),
            SubmissionRow.user == user,
            SubmissionRow.deleted_at.is_(None),
        )
        .group_by(SubmissionRow.assignment_id)
    )
    return dict(found.all())


def read_extension(row: ExtensionRow) -> Extension:
    """Return the domain's object."""
    return Extension(
        id=row.id,
        assignment_id=row.assignment_id,
        user=row.user,
        group=row.group_name,
        seconds=row.seconds,
        attempts=row.attempts,
        reason=row.reason,
        created_by=row.created_by,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def assignments_with_group_extensions(session: Session, group_ids: Iterable[UUID]) -> list[UUID]:
    """Return the assignments for which one of these groups has an extension in force.

    Whoever changes who is in the groups settles these for the people concerned, in this order.
    """
    return list(
        session.scalars(
            select(AssignmentRow.id)
            .join(ExtensionRow, ExtensionRow.assignment_id == AssignmentRow.id)
            .where(ExtensionRow.group_id.in_(list(group_ids)), ExtensionRow.revoked_at.is_(None))
            .distinct()
            .order_by(AssignmentRow.id)
        )
    )


def _read_late(data: Mapping[str, Any]) -> LatePolicy:
    return LatePolicy(
        LateRule(data["rule"]),
        data["percent_per_day"],
        data["at_least_percent"],
        tuple(LateStep(**step) for step in data["steps"]),
    )
