"""A whole list of people written into a course in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.roster import Person, RosterImport, RosterProblem, RosterRow
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import GroupMemberRow, GroupRow, MembershipRow
from jupyter_ppo.storage.term_rows import assignments_with_group_extensions

_DETAILS = tuple(item.name for item in fields(Person))


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody of the course as the table has them."""

    role: Role
    details: tuple[str, ...]
    is_removed: bool


def import_roster(
    session: Session, course_id: UUID, rows: Sequence[RosterRow], *, by: str, is_dry: bool
) -> RosterImport:
    """Write the list, or only say what it would do; with a problem nothing is written.

    The course's row is locked by the caller. The number of queries does not grow with the list.
    """
    known = _known(session, course_id)
    groups, members = _groups(session, course_id)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    joins: dict[str, list[str]] = {}  # the people who get into each group
    changed_users: set[str] = set()
    roles = {user: each.role for user, each in known.items() if not each.is_removed}
    had_instructor = Role.INSTRUCTOR in roles.values()
    problems: list[RosterProblem] = []
    demoted = 0
    for row in rows:
        before = known.get(row.user)
        values = _values(row, before)
        role = values["role"]
        was = roles.get(row.user)
        roles[row.user] = role
        if was is Role.INSTRUCTOR is not role:
            demoted = row.line
            if row.user == by:
                message = "user: you cannot give up your own role of instructor."
                problems.append(RosterProblem(row.line, "role", message))
        entry = {"course_id": course_id, "user": row.user, **values, "removed_at": None}
        if before is None:
            new.append(entry)
        elif before != _Known(role, tuple(values[name] for name in _DETAILS), is_removed=False):
            changed.append(entry)
            changed_users.add(row.user)
        for name in row.groups:
            if (groups.get(name), row.user) not in members:
                joins.setdefault(name, []).append(row.user)
                if before is not None:
                    changed_users.add(row.user)
    if had_instructor and Role.INSTRUCTOR not in roles.values() and not problems:
        message = "role: the course would be left without an instructor."
        problems.append(RosterProblem(demoted, "role", message))
    is_applied = not problems and not is_dry
    if is_applied:
        _write_people(session, new, changed)
        _write_groups(session, course_id, groups, joins, by=by)
    return RosterImport(
        added=len(new),
        changed=len(changed_users),
        unchanged=len(rows) - len(new) - len(changed_users),
        problems=tuple(problems),
        problem_count=len(problems),
        is_applied=is_applied,
    )


def _values(row: RosterRow, before: _Known | None) -> dict[str, Any]:
    said = (row.person.first_name, row.person.last_name, row.person.email, row.person.lms_user_id)
    kept = before.details if before is not None else ("",) * len(_DETAILS)
    # Who comes back without a role being named is a student, whatever they were.
    role = before.role if before is not None and not before.is_removed else Role.STUDENT
    details = (text or old for text, old in zip(said, kept, strict=True))
    return {"role": row.role or role, **dict(zip(_DETAILS, details, strict=True))}


def _known(session: Session, course_id: UUID) -> dict[str, _Known]:
    found = session.execute(
        select(
            MembershipRow.user,
            MembershipRow.role,
            MembershipRow.removed_at,
            *(getattr(MembershipRow, name) for name in _DETAILS),
        ).where(MembershipRow.course_id == course_id)
    )
    return {
        user: _Known(role, tuple(details), removed_at is not None)
        for user, role, removed_at, *details in found
    }


def _groups(session: Session, course_id: UUID) -> tuple[dict[str, UUID], set[tuple[UUID, str]]]:
    found = session.execute(
        select(GroupRow.name, GroupRow.id).where(GroupRow.course_id == course_id)
    )
    ids = dict(found.all())
    members = session.execute(
        select(GroupMemberRow.group_id, GroupMemberRow.user)
        .join(GroupRow, GroupRow.id == GroupMemberRow.group_id)
        .where(GroupRow.course_id == course_id)
    )
    return ids, {(group_id, user) for group_id, user in members}


def _write_people(
    session: Session, new: list[dict[str, Any]], changed: list[dict[str, Any]]
) -> None:
    if new:
        now = database_now(session)
        session.execute(insert(MembershipRow), [entry | {"enrolled_at": now} for entry in new])
    if changed:
        session.execute(update(MembershipRow), changed)


def _write_groups(
    session: Session,
    course_id: UUID,
    groups: Mapping[str, UUID],
    joins: Mapping[str, list[str]],
    *,
    by: str,
) -> None:
    if not joins:
        return
    now = database_now(session)
    made = {name: new_id() for name in joins if name not in groups}
    if made:
        session.execute(
            insert(GroupRow),
            [
                {"id": group_id, "course_id": course_id, "name": name, "created_at": now}
                for name, group_id in made.items()
            ],
        )
    ids = {**groups, **made}
    session.execute(
        insert(GroupMemberRow),
        [{"group_id": ids[name], "user": user} for name, users in joins.items() for user in users],
    )
    old = {ids[name] for name in joins if name in groups}
    concerned = {user for name in joins if name in groups for user in joins[name]}
    assignments = assignments_with_group_extensions(session, old)
    for assignment_id in assignments:
        lock_attempts(session, assignment_id, concerned)
    for assignment_id in assignments:
        settle(session, assignment_id, concerned, by=by, reason="groups changed")
