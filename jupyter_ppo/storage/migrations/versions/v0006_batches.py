"""Batches of submissions, outcomes of entries, runs without a grade.

Revision ID: v0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0006"
down_revision: str | None = "v0005"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)


def _states(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)


def upgrade() -> None:
    """Add the tables."""
    _batches()
    _outcomes()
    _trials()


def _batches() -> None:
    op.create_table(
        "batches",
        _required("id", sa.Uuid()),
        _required("assignment_id", sa.Uuid()),
        _required("created_by", _USER),
        _required("created_at", _TIME),
        _required("reason", sa.Text()),
        _required("scope", _states("scope", "all", "ungraded", "failed", "listed")),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", _TIME, nullable=True),
        _reference("batches", "assignment_id", "assignments"),
        _reference("batches", "version_id", "assignment_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(
        op.f("ix_batches_assignment_id_created_at"), "batches", ["assignment_id", "created_at"]
    )
    op.create_table(
        "batch_items",
        _required("batch_id", sa.Uuid()),
        _required("submission_id", sa.Uuid()),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _required("cancelled", sa.Boolean()),
        sa.Column("ended_at", _TIME, nullable=True),
        _reference("batch_items", "batch_id", "batches"),
        _reference("batch_items", "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("batch_id", "submission_id", name=op.f("pk_batch_items")),
    )
    op.create_index(op.f("ix_batch_items_submission_id"), "batch_items", ["submission_id"])


def _outcomes() -> None:
    def columns() -> list[sa.Column[Any]]:
        return [
            _required("submission_id", sa.Uuid()),
            _required("revision", sa.Integer()),
            _required("state", _states("state", "draft", "approved", "released")),
            _required("content", sa.JSON()),
            _required("author_kind", _states("author_kind", "person", "program")),
            _required("author", _USER),
            _required("at", _TIME),
        ]

    op.create_table(
        "outcomes",
        *columns(),
        sa.Column("approved_by", _USER, nullable=True),
        _reference("outcomes", "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_outcomes")),
    )
    op.create_table(
        "outcome_revisions",
        _required("id", sa.Uuid()),
        *columns(),
        _reference("outcome_revisions", "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_revisions")),
        sa.UniqueConstraint(
            "submission_id", "revision", name=op.f("uq_outcome_revisions_submission_id_revision")
        ),
    )


def _trials() -> None:
    op.create_table(
        "trials",
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("assignment", sa.String(length=100)),
        _required("user", _USER),
        _required("kind", _states("kind", "validation", "check")),
        _required("state", _states("state", "queued", "running", "done", "failed")),
        _required("digest", sa.String(length=64)),
        _required("owner", _USER),
        _required("created_at", _TIME),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _reference("trials", "course_id", "courses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
    )
    op.create_index(op.f("ix_trials_user_created_at"), "trials", ["user", "created_at"])
    op.create_index(op.f("ix_trials_state"), "trials", ["state"])


def downgrade() -> None:
    """Drop them with all that is in them."""
    for table in ("trials", "outcome_revisions", "outcomes", "batch_items", "batches"):
        op.drop_table(table)
