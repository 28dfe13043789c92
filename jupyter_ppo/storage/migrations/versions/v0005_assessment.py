"""Terms, extensions, groups, standings, marks, the history of grades, soft deletes.

Revision ID: v0005
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0005"
down_revision: str | None = "v0004"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)


def _states(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)


def _required(
    name: str, kind: sa.types.TypeEngine[Any], default: str | None = None
) -> sa.Column[Any]:
    value = None if default is None else sa.text(default)
    return sa.Column(name, kind, server_default=value, nullable=False)


def _reference(
    table: str, column: str, target: str, *, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _allow(table: str, column: str, values: Sequence[str]) -> None:
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
        allowed = ", ".join(repr(value) for value in values)
        batch.create_check_constraint(name, f"{column} IN ({allowed})")


def upgrade() -> None:
    """Add tables and columns; what was submitted keeps its version, what was graded is released."""
    _courses()
    _assignments()
    _submissions()
    _grades()
    _carry_over()


def _courses() -> None:
    op.add_column("courses", sa.Column("deleted_at", _TIME, nullable=True))
    op.add_column("courses", sa.Column("deleted_by", _USER, nullable=True))
    for name in ("first_name", "last_name", "email", "lms_user_id"):
        op.add_column("memberships", _required(name, sa.Text(), "''"))
    op.add_column("memberships", sa.Column("enrolled_at", _TIME, nullable=True))
    op.add_column("memberships", sa.Column("removed_at", _TIME, nullable=True))
    op.create_table(
        "groups",
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("name", sa.String(length=100)),
        _required("created_at", _TIME),
        _reference("groups", "course_id", "courses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("course_id", "name", name=op.f("uq_groups_course_id_name")),
    )
    op.create_table(
        "group_members",
        _required("group_id", sa.Uuid()),
        _required("user", _USER),
        _reference("group_members", "group_id", "groups", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user", name=op.f("pk_group_members")),
    )
    op.create_index(op.f("ix_group_members_user"), "group_members", ["user"])


def _assignments() -> None:
    kind = _states("kind", "notebook", "entry")
    with op.batch_alter_table("assignments") as batch:
        batch.add_column(_required("kind", kind, "'notebook'"))
        batch.add_column(sa.Column("deleted_at", _TIME, nullable=True))
        batch.add_column(sa.Column("deleted_by", _USER, nullable=True))
    op.add_column(
        "assignment_versions",
        _required("note", sa.Text(), "''"),
    )
    op.add_column(
        "assignment_versions",
        _required("released_by", _USER, "''"),
    )
    kinds = ("tests", "solution", "manual", "task", "read_only", "criterion")
    _allow("exercises", "kind", kinds)
    op.create_table(
        "assignment_terms",
        _required("assignment_id", sa.Uuid()),
        sa.Column("opens_at", _TIME, nullable=True),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("closes_at", _TIME, nullable=True),
        _required("grace_seconds", sa.Integer()),
        _required("late", sa.JSON()),
        _required("max_attempts", sa.Integer()),
        _required("counting", _states("counting", "latest", "best")),
        _required("autograde", sa.Boolean()),
        _required("grades", _states("grades", "at_once", "by_hand")),
        _required("revision", sa.Integer()),
        _required("updated_at", _TIME),
        _required("updated_by", _USER),
        _reference("assignment_terms", "assignment_id", "assignments"),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_assignment_terms")),
    )
    op.create_table(
        "extensions",
        _required("id", sa.Uuid()),
        _required("assignment_id", sa.Uuid()),
        sa.Column("user", _USER, nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("group_name", sa.String(length=100), nullable=True),
        _required("seconds", sa.Integer()),
        _required("attempts", sa.Integer()),
        _required("reason", sa.Text()),
        _required("created_by", _USER),
        _required("created_at", _TIME),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.CheckConstraint(
            '("user" IS NULL) <> (group_name IS NULL)', name=op.f("ck_extensions_whose")
        ),
        _reference("extensions", "assignment_id", "assignments"),
        _reference("extensions", "group_id", "groups", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extensions")),
    )
    op.create_index(op.f("ix_extensions_assignment_id"), "extensions", ["assignment_id"])


_SUBMISSION_STATES = ("submitted", "queued", "grading", "graded", "failed")


def _submissions() -> None:
    with op.batch_alter_table("submissions") as batch:
        batch.add_column(sa.Column("submitted_version_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("idempotency_key", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("received_at", _TIME, nullable=True))
        batch.add_column(sa.Column("collected_by", _USER, nullable=True))
        batch.add_column(_required("late_seconds", sa.Integer(), "0"))
        batch.add_column(_required("penalty", sa.Double(), "0"))
        batch.add_column(sa.Column("released_at", _TIME, nullable=True))
        batch.add_column(sa.Column("deleted_at", _TIME, nullable=True))
        batch.add_column(sa.Column("deleted_by", _USER, nullable=True))
        batch.create_foreign_key(
            op.f("fk_submissions_submitted_version_id_assignment_versions"),
            "assignment_versions",
            ["submitted_version_id"],
            ["id"],
        )
        batch.create_unique_constraint(
            op.f("uq_submissions_assignment_id_user_idempotency_key"),
            ["assignment_id", "user", "idempotency_key"],
        )
    _allow("submissions", "state", _SUBMISSION_STATES)
    job_states = ("queued", "leased", "succeeded", "failed", "cancelled")
    _allow("jobs", "state", job_states)
    op.create_table(
        "standings",
        _required("assignment_id", sa.Uuid()),
        _required("user", _USER),
        _required("submission_id", sa.Uuid()),
        _required("shown_submission_id", sa.Uuid()),
        _required("attempts", sa.Integer()),
        _required("state", _states("state", *_SUBMISSION_STATES)),
        _required("submitted_at", _TIME),
        _required("late_seconds", sa.Integer()),
        sa.Column("points", sa.Double(), nullable=True),
        sa.Column("max_points", sa.Double(), nullable=True),
        _required("penalty", sa.Double()),
        _required("extra_credit", sa.Double()),
        _required("needs_review", sa.Boolean()),
        _required("unsealed_points", sa.Double()),
        _required("is_released", sa.Boolean()),
        _reference("standings", "assignment_id", "assignments"),
        _reference("standings", "submission_id", "submissions"),
        _reference("standings", "shown_submission_id", "submissions"),
        sa.PrimaryKeyConstraint("assignment_id", "user", name=op.f("pk_standings")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_standings_submission_id")),
        sa.UniqueConstraint("shown_submission_id", name=op.f("uq_standings_shown_submission_id")),
    )
    op.create_index(op.f("ix_standings_user_assignment_id"), "standings", ["user", "assignment_id"])


def _grades() -> None:
    with op.batch_alter_table("grades") as batch:
        batch.add_column(_required("extra_credit", sa.Double(), "0"))
        batch.add_column(sa.Column("version_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_grades_version_id_assignment_versions"),
            "assignment_versions",
            ["version_id"],
            ["id"],
        )
    op.create_table(
        "marks",
        _required("submission_id", sa.Uuid()),
        _required("grade_id", sa.Text()),
        sa.Column("points", sa.Double(), nullable=True),
        _required("extra_credit", sa.Double()),
        _required("comment", sa.Text()),
        _required("revision", sa.Integer()),
        _required("marked_by", _USER),
        _required("marked_at", _TIME),
        sa.Column("auto_points", sa.Double(), nullable=True),
        _reference("marks", "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("submission_id", "grade_id", name=op.f("pk_marks")),
    )
    kinds = (
        "autograded",
        "marked",
        "outcome",
        "lateness",
        "released",
        "withdrawn",
        "imported",
    )
    op.create_table(
        "grade_changes",
        _required("id", sa.Uuid()),
        _required("at", _TIME),
        _required("submission_id", sa.Uuid()),
        sa.Column("grade_id", sa.Text(), nullable=True),
        _required("kind", _states("kind", *kinds)),
        _required("by", _USER),
        _required("reason", sa.Text()),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        _reference("grade_changes", "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grade_changes")),
    )
    op.create_index(
        op.f("ix_grade_changes_submission_id_at"), "grade_changes", ["submission_id", "at"]
    )


def _carry_over() -> None:
    """Fill the new columns and the standings of what is there; nothing was late so far."""
    run = op.get_bind().exec_driver_sql
    run("UPDATE submissions SET submitted_version_id = version_id, received_at = submitted_at")
    run(
        "UPDATE submissions SET released_at = "
        "(SELECT graded_at FROM grades WHERE grades.submission_id = submissions.id)"
    )
    run(
        "UPDATE grades SET version_id = "
        "(SELECT version_id FROM submissions WHERE submissions.id = grades.submission_id)"
    )
    run(
        """
        INSERT INTO standings (assignment_id, "user", submission_id, shown_submission_id, attempts,
            state, submitted_at, late_seconds, points, max_points, penalty, extra_credit,
            needs_review, unsealed_points, is_released)
        SELECT assignment_id, "user", id, id, attempts, state, submitted_at, 0, points, max_points,
            0, 0, COALESCE(needs_review, FALSE), unsealed, points IS NOT NULL
        FROM (
            SELECT s.assignment_id, s."user", s.id, s.state, s.submitted_at,
                g.points, g.max_points, g.needs_review,
                COUNT(*) OVER (PARTITION BY s.assignment_id, s."user") AS attempts,
                ROW_NUMBER() OVER (PARTITION BY s.assignment_id, s."user"
                    ORDER BY s.submitted_at DESC, s.attempt DESC) AS place,
                COALESCE((SELECT SUM(e.points) FROM exercise_grades e
                    WHERE e.submission_id = s.id AND NOT e.is_sealed), 0) AS unsealed
            FROM submissions s LEFT JOIN grades g ON g.submission_id = s.id
        ) AS ranked WHERE place = 1
        """
    )


def downgrade() -> None:
    """Drop it all: marks, terms, extensions and the history are lost."""
    for table in (
        "grade_changes",
        "marks",
        "standings",
        "extensions",
        "assignment_terms",
        "group_members",
        "groups",
    ):
        op.drop_table(table)
    run = op.get_bind().exec_driver_sql
    run("UPDATE submissions SET state = 'failed' WHERE state = 'submitted'")
    run("UPDATE jobs SET state = 'failed' WHERE state = 'cancelled'")
    run("DELETE FROM exercises WHERE kind = 'criterion'")
    _allow("submissions", "state", _SUBMISSION_STATES[1:])
    _allow("jobs", "state", ("queued", "leased", "succeeded", "failed"))
    _allow("exercises", "kind", ("tests", "solution", "manual", "task", "read_only"))
    with op.batch_alter_table("submissions") as batch:
        batch.drop_constraint(op.f("uq_submissions_assignment_id_user_idempotency_key"))
        batch.drop_constraint(op.f("fk_submissions_submitted_version_id_assignment_versions"))
        for column in (
            "submitted_version_id",
            "idempotency_key",
            "received_at",
            "collected_by",
            "late_seconds",
            "penalty",
            "released_at",
            "deleted_at",
            "deleted_by",
        ):
            batch.drop_column(column)
    with op.batch_alter_table("grades") as batch:
        batch.drop_constraint(op.f("fk_grades_version_id_assignment_versions"))
        batch.drop_column("version_id")
        batch.drop_column("extra_credit")
    with op.batch_alter_table("assignments") as batch:
        batch.drop_constraint(op.f("ck_assignments_kind"), type_="check")
        for column in ("kind", "deleted_at", "deleted_by"):
            batch.drop_column(column)
    for table, columns in (
        ("assignment_versions", ("note", "released_by")),
        ("courses", ("deleted_at", "deleted_by")),
        (
            "memberships",
            ("first_name", "last_name", "email", "lms_user_id", "enrolled_at", "removed_at"),
        ),
    ):
        for column in columns:
            op.drop_column(table, column)
