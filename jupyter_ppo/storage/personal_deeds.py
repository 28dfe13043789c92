"""What a person did and wrote about others, as their export has it: nobody else's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.entries import AuthorKind
from jupyter_ppo.domain.privacy import OTHER_PERSON
from jupyter_ppo.domain.submissions import STAFF
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.erasure_texts import PERSON_KEYS
from jupyter_ppo.storage.record_pages import Record, fields_of, pages, plain_value
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    AuditEventRow,
    BatchRow,
    CourseRow,
    GradeChangeRow,
    OutcomeRevisionRow,
    VersionRow,
    WebhookRow,
)


def audit(database: Database, user: str) -> Iterator[Record]:
    """Yield what the person did, and who took them in or out of a course."""
    query = select(AuditEventRow).where(
        (AuditEventRow.user == user)
        | (
            AuditEventRow.action.startswith("member.")
            & AuditEventRow.subject.endswith(f"/{user}", autoescape=True)
        )
    )

    def record(_: Session, found: Any) -> Record:
        row: AuditEventRow = found[0]
        is_own = row.user == user
        return {
            "at": plain_value(row.at),
            "who": user if is_own else STAFF,
            "action": row.action,
            "subject": _masked_subject(row, user),
            "detail": _masked(row.detail, user) if is_own else {},
        }

    return pages(database, query, AuditEventRow.id, record)


def as_staff(database: Database, user: str) -> Iterator[Record]:
    """Yield what the person wrote as staff; whose work it is about is not said."""
    versions = (
        select(VersionRow, CourseRow.name, AssignmentRow.name)
        .join(AssignmentRow, AssignmentRow.id == VersionRow.assignment_id)
        .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
        .where(VersionRow.released_by == user)
    )
    yield from pages(
        database,
        versions,
        VersionRow.id,
        lambda _, row: {
            "what": "version",
            "course": row[1],
            "assignment": row[2],
            **fields_of(row[0], ("number", "note", "created_at")),
        },
    )
    yield from pages(
        database,
        select(BatchRow).where(BatchRow.created_by == user),
        BatchRow.id,
        lambda _, row: {"what": "batch", **fields_of(row[0], ("created_at", "scope", "reason"))},
    )
    yield from pages(
        database,
        select(WebhookRow).where(WebhookRow.created_by == user),
        WebhookRow.id,
        lambda _, row: {"what": "webhook", **fields_of(row[0], ("created_at", "name", "url"))},
    )
    change = ("at", "submission_id", "grade_id", "kind", "reason", "after")
    yield from pages(
        database,
        select(GradeChangeRow).where(GradeChangeRow.by == user),
        GradeChangeRow.id,
        lambda _, row: {"what": "grade", **fields_of(row[0], change)},
    )
    yield from pages(
        database,
        select(OutcomeRevisionRow).where(
            OutcomeRevisionRow.author == user,
            OutcomeRevisionRow.author_kind == AuthorKind.PERSON,
        ),
        OutcomeRevisionRow.id,
        lambda _, row: {
            "what": "outcome",
            **fields_of(row[0], ("at", "submission_id", "revision", "state")),
            **{name: row[0].content[name] for name in ("results", "summary", "private_note")},
        },
    )


def _masked_subject(row: AuditEventRow, user: str) -> str:
    """Return what an entry is about; of a person who is not ``user``, that it is somebody."""
    head, slash, last = row.subject.rpartition("/")
    if row.action.startswith("member.") and last != user:
        return f"{head}{slash}{OTHER_PERSON}"
    return row.subject


def _masked(detail: Record, user: str) -> Record:
    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(each) for each in value]
        return OTHER_PERSON if isinstance(value, str) and value != user else value

    return {key: name(value) if key in PERSON_KEYS else value for key, value in detail.items()}
