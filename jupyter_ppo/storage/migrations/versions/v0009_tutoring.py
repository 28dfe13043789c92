"""Hints, explanations, self-checks, calls of language models, and what hints take from points.

Revision ID: v0009
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0009"
down_revision: str | None = "v0008"

_TIME = sa.DateTime(timezone=True)
_USER = sa.String(length=255)
_SOURCES = ("authored", "rule", "model")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _choice(name: str, *values: str) -> sa.Column[Any]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=30)
    return _required(name, kind)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "feedback_settings",
        _required("course_id", sa.Uuid()),
        _required("scope", sa.String(length=36)),
        _required("document", sa.JSON()),
        _required("revision", sa.Integer()),
        _required("changed_by", _USER),
        _required("changed_at", _TIME),
        _refers("feedback_settings", "course_id", "courses"),
        sa.PrimaryKeyConstraint("course_id", "scope", name=op.f("pk_feedback_settings")),
    )
    _model_calls()
    table = "hints"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _required("assignment_id", sa.Uuid()),
        _required("user", _USER),
        _required("grade_id", sa.Text()),
        _choice("level", "restate", "concept", "location", "step"),
        _choice("source", *_SOURCES),
        _required("model", sa.String(length=255)),
        _required("text", sa.Text()),
        _required("attempt_digest", sa.String(length=64)),
        _optional("call_id", sa.Uuid()),
        _required("cost_fraction", sa.Double()),
        _required("at", _TIME),
        _refers(table, "course_id", "courses"),
        _refers(table, "assignment_id", "assignments"),
        _refers(table, "call_id", "model_calls"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hints")),
        sa.UniqueConstraint(
            "assignment_id",
            "user",
            "grade_id",
            "attempt_digest",
            name=op.f("uq_hints_assignment_id_user_grade_id_attempt_digest"),
        ),
    )
    op.create_index(op.f("ix_hints_user"), table, ["user"])
    table = "explanations"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _optional("assignment_id", sa.Uuid()),
        _required("user", _USER),
        _choice("kind", "error", "cell", "run"),
        _required("subject", sa.JSON()),
        _choice("source", *_SOURCES),
        _required("model", sa.String(length=255)),
        _required("text", sa.Text()),
        _optional("call_id", sa.Uuid()),
        _required("at", _TIME),
        _refers(table, "course_id", "courses"),
        _refers(table, "assignment_id", "assignments"),
        _refers(table, "call_id", "model_calls"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanations")),
    )
    op.create_index(op.f("ix_explanations_user"), table, ["user"])
    op.create_table(
        "self_checks",
        _required("assignment_id", sa.Uuid()),
        _required("user", _USER),
        _required("grade_id", sa.Text()),
        _required("course_id", sa.Uuid()),
        _required("levels", sa.JSON()),
        _required("revision", sa.Integer()),
        _required("at", _TIME),
        _refers("self_checks", "assignment_id", "assignments"),
        _refers("self_checks", "course_id", "courses"),
        sa.PrimaryKeyConstraint("assignment_id", "user", "grade_id", name=op.f("pk_self_checks")),
    )
    op.add_column(
        "exercise_grades",
        sa.Column("hint_deduction", sa.Double(), nullable=False, server_default="0"),
    )


def _model_calls() -> None:
    table = "model_calls"
    op.create_table(
        table,
        _required("id", sa.Uuid()),
        _required("course_id", sa.Uuid()),
        _optional("assignment_id", sa.Uuid()),
        _optional("submission_id", sa.Uuid()),
        _required("grade_id", sa.Text()),
        _required("user", _USER),
        _required("asked_by", _USER),
        _choice("purpose", "draft", "repair", "hint", "explanation", "check"),
        _required("template", sa.String(length=100)),
        _required("template_version", sa.Integer()),
        _required("provider", sa.String(length=100)),
        _required("model", sa.String(length=255)),
        _required("parameters", sa.JSON()),
        _required("prompt", sa.JSON()),
        _required("redactions", sa.JSON()),
        _required("flags", sa.JSON()),
        _required("cache_key", sa.String(length=64)),
        _choice("state", "reserved", "succeeded", "failed", "lost"),
        _required("at", _TIME),
        _optional("ended_at", _TIME),
        _required("raw_answer", sa.Text()),
        _optional("parsed", sa.JSON()),
        _required("finish", sa.String(length=30)),
        _required("error", sa.Text()),
        _optional("input_tokens", sa.Integer()),
        _optional("output_tokens", sa.Integer()),
        _optional("cached_tokens", sa.Integer()),
        _required("is_usage_estimated", sa.Boolean()),
        _required("reserved", sa.BigInteger()),
        _required("cost", sa.BigInteger()),
        _required("latency_ms", sa.Integer()),
        _required("tries", sa.Integer()),
        _required("model_said", sa.String(length=255)),
        _optional("purged_at", _TIME),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_model_calls_reserved")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_model_calls_cost")),
        _refers(table, "course_id", "courses"),
        _refers(table, "assignment_id", "assignments"),
        _refers(table, "submission_id", "submissions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    for columns in (
        ["cache_key"],
        ["course_id", "at"],
        ["user", "at"],
        ["state"],
        ["assignment_id"],
        ["submission_id"],
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def downgrade() -> None:
    """Drop them with all that is in them."""
    op.drop_column("exercise_grades", "hint_deduction")
    for table in ("self_checks", "explanations", "hints", "model_calls", "feedback_settings"):
        op.drop_table(table)
