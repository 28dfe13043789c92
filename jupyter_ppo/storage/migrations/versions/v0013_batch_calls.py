"""What each batch of drafts paid for.

Revision ID: v0013
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "v0013"
down_revision: str | None = "v0012"

_TABLE, _COLUMN = "model_calls", "batch_id"
_INDEX = "ix_model_calls_batch_id"


def upgrade() -> None:
    """Add the column; calls that a draft names belong to its batch, the first one that did."""
    op.add_column(_TABLE, sa.Column(_COLUMN, sa.Uuid(), nullable=True))
    op.create_index(op.f(_INDEX), _TABLE, [_COLUMN])
    drafts = sa.table(
        "feedback_drafts",
        sa.column("batch_id", sa.Uuid()),
        sa.column("call_ids", sa.JSON()),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    calls = sa.table(_TABLE, sa.column("id", sa.Uuid()), sa.column(_COLUMN, sa.Uuid()))
    connection = op.get_bind()
    query = sa.select(drafts.c.batch_id, drafts.c.call_ids).where(drafts.c.batch_id.is_not(None))
    for batch_id, call_ids in connection.execute(query.order_by(drafts.c.created_at)).all():
        named = [UUID(each) for each in call_ids if isinstance(each, str)]
        connection.execute(
            sa.update(calls)
            .where(calls.c.id.in_(named), calls.c.batch_id.is_(None))
            .values(batch_id=batch_id)
        )


def downgrade() -> None:
    """Take the column away."""
    op.drop_index(op.f(_INDEX), _TABLE)
    op.drop_column(_TABLE, _COLUMN)
