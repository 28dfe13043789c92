"""Training runs.

Revision ID: v0007
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0007"
down_revision: str | None = "v0006"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)
_STATES = (
    "queued",
    "starting",
    "running",
    "paused",
    "finished",
    "stopped",
    "interrupted",
    "failed",
)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _not_negative(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} >= 0", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    """Add the tables."""
    table = "training_runs"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("user", _USER),
        _required("group_id", sa.Uuid()),
        _required("name", sa.String(length=200)),
        _required("spec", sa.JSON()),
        _required(
            "state",
            sa.Enum(*_STATES, name="state", native_enum=False, create_constraint=True, length=30),
        ),
        _required("step", sa.BigInteger()),
        _required("total_steps", sa.BigInteger()),
        _required("message", sa.Text()),
        _required("created_at", _TIME),
        _required("updated_at", _TIME),
        _required("queued_at", _TIME),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        _required("seen_at", _TIME),
        _required("owner", _USER),
        _required("cpu_seconds", sa.Double()),
        _required("wall_seconds", sa.Double()),
        _required("disk_bytes", sa.BigInteger()),
        _required("commands_from", sa.BigInteger()),
        sa.Column("request_key", _USER, nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=True),
        _not_negative(table, "cpu_seconds"),
        _not_negative(table, "wall_seconds"),
        _not_negative(table, "disk_bytes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
    )
    for columns in (
        ["group_id"],
        ["created_at"],
        ["user", "created_at"],
        ["user", "request_key"],
        ["state", "queued_at"],
        ["owner"],
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    op.create_table(
        "training_tags",
        _required("run_id", sa.Uuid()),
        _required("tag", sa.String(length=50)),
        _required("position", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["run_id"], ["training_runs.id"], name=op.f("fk_training_tags_run_id_training_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "tag", name=op.f("pk_training_tags")),
    )
    op.create_index(op.f("ix_training_tags_tag"), "training_tags", ["tag"])
    op.create_table(
        "training_use",
        _required("user", _USER),
        _required("hour", _TIME),
        _required("cpu_seconds", sa.Double()),
        _not_negative("training_use", "cpu_seconds"),
        sa.PrimaryKeyConstraint("user", "hour", name=op.f("pk_training_use")),
    )


def downgrade() -> None:
    """Drop them with all that is in them."""
    for table in ("training_use", "training_tags", "training_runs"):
        op.drop_table(table)
