"""What a person was told by the tutor, and what was sent to language models about their work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.record_pages import Record, fields_of, pages
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExplanationRow,
    HintRow,
    ModelCallRow,
    SelfCheckRow,
)


def hints(database: Database, user: str) -> Iterator[Record]:
    """Yield the hints that the person was given."""
    query = (
        select(CourseRow.name, AssignmentRow.name, HintRow)
        .join(CourseRow, CourseRow.id == HintRow.course_id)
        .join(AssignmentRow, AssignmentRow.id == HintRow.assignment_id)
        .where(HintRow.user == user)
    )
    fields = ("grade_id", "level", "source", "model", "text", "cost_fraction", "at")
    return pages(database, query, HintRow.id, lambda _, row: _placed(row, fields))


def explanations(database: Database, user: str) -> Iterator[Record]:
    """Yield what the person had explained."""
    query = (
        select(CourseRow.name, AssignmentRow.name, ExplanationRow)
        .join(CourseRow, CourseRow.id == ExplanationRow.course_id)
        .outerjoin(AssignmentRow, AssignmentRow.id == ExplanationRow.assignment_id)
        .where(ExplanationRow.user == user)
    )
    fields = ("kind", "subject", "source", "model", "text", "at")
    return pages(database, query, ExplanationRow.id, lambda _, row: _placed(row, fields))


def self_checks(database: Database, user: str) -> list[Record]:
    """Return what the person thinks of their own answers."""
    query = (
        select(CourseRow.name, AssignmentRow.name, SelfCheckRow)
        .join(CourseRow, CourseRow.id == SelfCheckRow.course_id)
        .join(AssignmentRow, AssignmentRow.id == SelfCheckRow.assignment_id)
        .where(SelfCheckRow.user == user)
        .order_by(SelfCheckRow.at, SelfCheckRow.assignment_id, SelfCheckRow.grade_id)
    )
    fields = ("grade_id", "levels", "at")
    with database.session() as session:
        return [_placed(row, fields) for row in session.execute(query)]


def model_calls(database: Database, user: str) -> Iterator[Record]:
    """Yield which language model was asked about the person's work, and what it was sent of it.

    The rules that stood before it hold what only staff may read, and drafts of an outcome are
    nobody's word until a person has approved them: both are left out.
    """
    query = (
        select(CourseRow.name, AssignmentRow.name, ModelCallRow)
        .join(CourseRow, CourseRow.id == ModelCallRow.course_id)
        .outerjoin(AssignmentRow, AssignmentRow.id == ModelCallRow.assignment_id)
        .where(ModelCallRow.user == user)
    )
    fields = ("purpose", "grade_id", "provider", "model", "at", "state", "input_tokens")

    def record(_: object, row: Any) -> Record:
        call: ModelCallRow = row[2]
        sent = [each["text"] for each in call.prompt if each.get("role") == "user"]
        # Placeholders stand in for these; the model was not told what they stand for.
        hidden = dict(call.redactions)
        return {**_placed(row, fields), "sent": sent, "hidden": hidden}

    return pages(database, query, ModelCallRow.id, record)


def _placed(row: Any, fields: tuple[str, ...]) -> Record:
    course, assignment, found = row
    return {"course": course, "assignment": assignment, **fields_of(found, fields)}
