"""Webhooks and their outbox.

Revision ID: v0012
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0012"
down_revision: str | None = "v0011"

_TIME = sa.DateTime(timezone=True)
_HOOKS, _DELIVERIES = "webhooks", "webhook_deliveries"
_EVENTS = (
    "submission.received",
    "submission.graded",
    "outcome.released",
    "batch.finished",
    "ping",
)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _choice(name: str, *values: str) -> sa.Column[Any]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)
    return sa.Column(name, kind, nullable=False)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        _HOOKS,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("name", sa.Text()),
        _required("url", sa.Text()),
        _required("events", sa.JSON()),
        _required("is_active", sa.Boolean()),
        _required("secret", sa.Text()),
        _optional("old_secret", sa.Text()),
        _optional("overlap_until", _TIME),
        _required("created_by", sa.String(length=255)),
        _required("created_at", _TIME),
        _refers(_HOOKS, "course_id", "courses"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_HOOKS}")),
    )
    op.create_index(op.f(f"ix_{_HOOKS}_course_id"), _HOOKS, ["course_id"])
    op.create_table(
        _DELIVERIES,
        _required("id", sa.Uuid()),
        _required("webhook_id", sa.Uuid()),
        _choice("event", *_EVENTS),
        _required("body", sa.Text()),
        _choice("state", "waiting", "sending", "delivered", "given_up"),
        _required("created_at", _TIME),
        _required("due_at", _TIME),
        _required("tries", sa.Integer()),
        _required("fence", sa.Integer()),
        _optional("worker", sa.String(length=255)),
        _optional("lease_until", _TIME),
        _optional("last_tried_at", _TIME),
        _optional("status", sa.Integer()),
        _required("reason", sa.Text()),
        _optional("ended_at", _TIME),
        sa.CheckConstraint("tries >= 0", name=op.f(f"ck_{_DELIVERIES}_tries")),
        sa.CheckConstraint("fence >= 0", name=op.f(f"ck_{_DELIVERIES}_fence")),
        _refers(_DELIVERIES, "webhook_id", "webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_DELIVERIES}")),
    )
    for columns in (["state", "due_at"], ["webhook_id", "created_at"]):
        op.create_index(op.f(f"ix_{_DELIVERIES}_{'_'.join(columns)}"), _DELIVERIES, columns)


def downgrade() -> None:
    """Drop them with all that is in them: nobody is told anything any more."""
    op.drop_table(_DELIVERIES)
    op.drop_table(_HOOKS)
