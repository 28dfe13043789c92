"""Drafted feedback, batches of it, and calibration marks.

Revision ID: v0010
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0010"
down_revision: str | None = "v0009"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)
_DRAFT_STATES = ("drafted", "flagged", "ready", "approved", "edited", "rejected")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _choice(name: str, *values: str, is_optional: bool = False) -> sa.Column[Any]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)
    return sa.Column(name, kind, nullable=is_optional)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    """Add the tables."""
    table = "draft_batches"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("assignment_id", sa.Uuid()),
        _optional("grade_id", sa.Text()),
        _required("created_by", _USER),
        _required("created_at", _TIME),
        _choice("state", "running", "paused", "succeeded", "stopped", "cancelled"),
        _required("samples", sa.Integer()),
        _required("estimate", sa.JSON()),
        _required("for_calibration", sa.Boolean()),
        _required("message", sa.Text()),
        _required("revision", sa.Integer()),
        _refers(table, "course_id", "courses"),
        _refers(table, "assignment_id", "assignments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_batches")),
    )
    op.create_index(op.f("ix_draft_batches_state"), table, ["state"])
    op.create_index(op.f("ix_draft_batches_assignment_id"), table, ["assignment_id"])
    _drafts()
    _items_and_marks()


def _drafts() -> None:
    table = "feedback_drafts"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("assignment_id", sa.Uuid()),
        _required("submission_id", sa.Uuid()),
        _required("grade_id", sa.Text()),
        _required("number", sa.Integer()),
        _optional("batch_id", sa.Uuid()),
        _required("created_at", _TIME),
        _choice("state", *_DRAFT_STATES),
        _required("results", sa.JSON()),
        _required("agreement", sa.Double()),
        _required("flags", sa.JSON()),
        _required("program", sa.String(length=255)),
        _required("rubric_digest", sa.String(length=64)),
        _required("call_ids", sa.JSON()),
        _choice("decided_state", *_DRAFT_STATES, is_optional=True),
        _optional("decided_by", _USER),
        _optional("decided_at", _TIME),
        _optional("points", sa.Double()),
        _required("comment", sa.Text()),
        _required("reason", sa.Text()),
        _required("edit_distance", sa.Double()),
        sa.CheckConstraint("number >= 1", name=op.f(f"ck_{table}_number")),
        _refers(table, "course_id", "courses"),
        _refers(table, "assignment_id", "assignments"),
        _refers(table, "submission_id", "submissions"),
        _refers(table, "batch_id", "draft_batches"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "submission_id",
            "grade_id",
            "number",
            name=op.f(f"uq_{table}_submission_id_grade_id_number"),
        ),
    )
    for columns in (["batch_id"], ["assignment_id", "grade_id"]):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def _items_and_marks() -> None:
    table = "draft_batch_items"
    op.create_table(
        table,
        _required("batch_id", sa.Uuid()),
        _required("submission_id", sa.Uuid()),
        _required("grade_id", sa.Text()),
        _required("position", sa.Integer()),
        _choice("state", "waiting", "leased", "done", "skipped", "failed"),
        _required("tries", sa.Integer()),
        _required("fence", sa.Integer()),
        _optional("leased_until", _TIME),
        _required("error", sa.Text()),
        _optional("draft_id", sa.Uuid()),
        _refers(table, "batch_id", "draft_batches"),
        _refers(table, "submission_id", "submissions"),
        _refers(table, "draft_id", "feedback_drafts"),
        sa.PrimaryKeyConstraint("batch_id", "submission_id", "grade_id", name=op.f(f"pk_{table}")),
    )
    columns = ["batch_id", "state", "position"]
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    table = "calibration_marks"
    op.create_table(
        table,
        _required("submission_id", sa.Uuid()),
        _required("grade_id", sa.Text()),
        _required("assignment_id", sa.Uuid()),
        _required("levels", sa.JSON()),
        _required("marked_by", _USER),
        _required("marked_at", _TIME),
        _refers(table, "submission_id", "submissions"),
        _refers(table, "assignment_id", "assignments"),
        sa.PrimaryKeyConstraint("submission_id", "grade_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_assignment_id"), table, ["assignment_id"])


def downgrade() -> None:
    """Drop them with all that is in them."""
    for table in ("calibration_marks", "draft_batch_items", "feedback_drafts", "draft_batches"):
        op.drop_table(table)
