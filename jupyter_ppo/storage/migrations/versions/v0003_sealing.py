"""What is known of the versions' test cells, checks of their own, and the courses' secrets.

Revision ID: v0003
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision: str | None = "v0002"

_COURSES = sa.table("courses", sa.column("id", sa.Uuid()), sa.column("secret", sa.String(64)))
_GRADES = sa.table(
    "exercise_grades",
    sa.column("is_sealed", sa.Boolean()),
    sa.column("checks", sa.JSON()),
    sa.column("records", sa.JSON()),
)


def upgrade() -> None:
    """Add the table and the columns; what was graded before ran in the students' own processes."""
    op.create_table(
        "sealings",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["assignment_versions.id"],
            name=op.f("fk_sealings_version_id_assignment_versions"),
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_sealings")),
    )

    op.add_column("courses", sa.Column("secret", sa.String(length=64), nullable=True))
    connection = op.get_bind()
    for course_id in connection.scalars(sa.select(_COURSES.c.id)).all():
        connection.execute(
            sa.update(_COURSES)
            .where(_COURSES.c.id == course_id)
            .values(secret=secrets.token_hex(32))
        )

    op.add_column("exercise_grades", sa.Column("is_sealed", sa.Boolean(), nullable=True))
    op.add_column("exercise_grades", sa.Column("checks", sa.JSON(), nullable=True))
    op.add_column("exercise_grades", sa.Column("records", sa.JSON(), nullable=True))
    connection.execute(sa.update(_GRADES).values(is_sealed=False, checks=[], records=[]))
    # Nothing refers to this table, so that SQLite may make it anew.
    with op.batch_alter_table("exercise_grades") as batch:
        batch.alter_column("is_sealed", existing_type=sa.Boolean(), nullable=False)
        batch.alter_column("checks", existing_type=sa.JSON(), nullable=False)
        batch.alter_column("records", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    """Drop them; which points were unsealed is forgotten."""
    with op.batch_alter_table("exercise_grades") as batch:
        batch.drop_column("records")
        batch.drop_column("checks")
        batch.drop_column("is_sealed")
    op.drop_column("courses", "secret")
    op.drop_table("sealings")
