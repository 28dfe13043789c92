"""Progress, achievements, preferences and privacy.

Revision ID: v0008
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0008"
down_revision: str | None = "v0007"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)
_KINDS = ("opened", "active", "checked", "submitted", "graded", "withdrawn", "active_days")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _course(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["course_id"], ["courses.id"], name=op.f(f"fk_{table}_course_id_courses")
    )


def upgrade() -> None:
    """Add the tables."""
    table = "progress_events"
    position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        table,
        sa.Column("position", position, autoincrement=True, nullable=False),
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("user", _USER),
        _required(
            "kind",
            sa.Enum(*_KINDS, name="kind", native_enum=False, create_constraint=True, length=30),
        ),
        _required("assignment", sa.String(length=100)),
        _required("occurred_at", _TIME),
        _required("received_at", _TIME),
        _required("data", sa.JSON()),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        _course(table),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_progress_events")),
        sa.UniqueConstraint("id", name=op.f("uq_progress_events_id")),
        sa.UniqueConstraint(
            "course_id", "user", "key", name=op.f("uq_progress_events_course_id_user_key")
        ),
        sqlite_autoincrement=True,
    )
    for columns in (["course_id", "user", "position"], ["kind", "received_at"]):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    op.create_table(
        "progress_states",
        _required("course_id", sa.Uuid()),
        _required("user", _USER),
        _required("position", sa.BigInteger()),
        _required("state", sa.JSON()),
        _required("points", sa.Double()),
        _required("minutes", sa.Integer()),
        sa.Column("last_event_at", _TIME, nullable=True),
        _required("updated_at", _TIME),
        _course("progress_states"),
        sa.PrimaryKeyConstraint("course_id", "user", name=op.f("pk_progress_states")),
    )
    op.create_table(
        "outlines",
        _required("version_id", sa.Uuid()),
        _required("chapter", sa.JSON()),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["assignment_versions.id"],
            name=op.f("fk_outlines_version_id_assignment_versions"),
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_outlines")),
    )
    op.create_table(
        "rule_editions",
        _required("course_id", sa.Uuid()),
        _required("number", sa.Integer()),
        _required("rules", sa.JSON()),
        _required("created_at", _TIME),
        _required("created_by", _USER),
        _course("rule_editions"),
        sa.PrimaryKeyConstraint("course_id", "number", name=op.f("pk_rule_editions")),
    )
    op.create_table(
        "awards",
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("user", _USER),
        _required("rule_id", sa.String(length=100)),
        _required("rule", sa.JSON()),
        _required("evidence", sa.JSON()),
        _required("awarded_at", _TIME),
        sa.Column("revoked_at", _TIME, nullable=True),
        _required("revoked_because", sa.Text()),
        _course("awards"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
        sa.UniqueConstraint(
            "course_id", "user", "rule_id", name=op.f("uq_awards_course_id_user_rule_id")
        ),
    )
    op.create_index(op.f("ix_awards_user"), "awards", ["user"])
    op.create_table(
        "preferences",
        _required("user", _USER),
        _required("document", sa.JSON()),
        _required("revision", sa.Integer()),
        _required("updated_at", _TIME),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_preferences")),
    )
    op.create_table(
        "erasures",
        _required("id", sa.Uuid()),
        _required("stand_in", _USER),
        _required("erased_at", _TIME),
        _required("erased_by", _USER),
        _required("counts", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("stand_in", name=op.f("uq_erasures_stand_in")),
    )


def downgrade() -> None:
    """Drop them with all that is in them."""
    for table in (
        "erasures",
        "preferences",
        "awards",
        "rule_editions",
        "outlines",
        "progress_states",
        "progress_events",
    ):
        op.drop_table(table)
