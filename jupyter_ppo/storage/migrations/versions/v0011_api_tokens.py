"""API tokens.

Revision ID: v0011
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0011"
down_revision: str | None = "v0010"

_TIME = sa.DateTime(timezone=True)
_TABLE = "api_tokens"


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _choice(name: str, *values: str) -> sa.Column[Any]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)
    return sa.Column(name, kind, nullable=False)


def _refers(column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{_TABLE}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        _TABLE,
        _required("id", sa.Uuid()),
        _required("user", sa.String(length=255)),
        _required("course_id", sa.Uuid()),
        _required("name", sa.Text()),
        _required("digest", sa.String(length=64)),
        _choice("role", "student", "grader", "instructor", "admin"),
        _choice("access", "read", "write"),
        _required("created_at", _TIME),
        _required("expires_at", _TIME),
        _optional("last_used_at", _TIME),
        _required("uses", sa.Integer()),
        _optional("revoked_at", _TIME),
        _optional("rotated_from", sa.Uuid()),
        sa.CheckConstraint("uses >= 0", name=op.f(f"ck_{_TABLE}_uses")),
        _refers("course_id", "courses"),
        _refers("rotated_from", _TABLE),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sa.UniqueConstraint("rotated_from", name=op.f(f"uq_{_TABLE}_rotated_from")),
    )
    for column in ("user", "course_id"):
        op.create_index(op.f(f"ix_{_TABLE}_{column}"), _TABLE, [column])


def downgrade() -> None:
    """Drop it with all that is in it: no token is good any more."""
    op.drop_table(_TABLE)
