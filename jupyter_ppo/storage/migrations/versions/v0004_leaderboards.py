"""Who joined a course's leaderboard, and under which pseudonym.

Revision ID: v0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision: str | None = "v0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "leaderboard_members",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("pseudonym", sa.String(length=40), nullable=False),
        sa.Column("folded", sa.String(length=1000), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_leaderboard_members_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("course_id", "user", name=op.f("pk_leaderboard_members")),
        sa.UniqueConstraint(
            "course_id", "folded", name=op.f("uq_leaderboard_members_course_id_folded")
        ),
    )


def downgrade() -> None:
    """Drop it; nobody is on a leaderboard then."""
    op.drop_table("leaderboard_members")
