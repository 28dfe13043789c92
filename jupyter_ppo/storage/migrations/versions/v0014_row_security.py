"""A second wall between courses: PostgreSQL shows a transaction only the courses that it names.

Revision ID: v0014
"""

from __future__ import annotations

from alembic import op

revision = "v0014"
down_revision: str | None = "v0013"

_POLICY = "jupyter_ppo_courses"
_NAMED = "current_setting('jupyter_ppo.courses', true)"
#: The column that leads to a course, and the table that it leads to.
_WAYS = {
    "api_tokens": ("course_id", "courses.id"),
    "assignments": ("course_id", "courses.id"),
    "awards": ("course_id", "courses.id"),
    "draft_batches": ("course_id", "courses.id"),
    "explanations": ("course_id", "courses.id"),
    "feedback_drafts": ("course_id", "courses.id"),
    "feedback_settings": ("course_id", "courses.id"),
    "groups": ("course_id", "courses.id"),
    "hints": ("course_id", "courses.id"),
    "leaderboard_members": ("course_id", "courses.id"),
    "memberships": ("course_id", "courses.id"),
    "model_calls": ("course_id", "courses.id"),
    "progress_events": ("course_id", "courses.id"),
    "progress_states": ("course_id", "courses.id"),
    "rule_editions": ("course_id", "courses.id"),
    "self_checks": ("course_id", "courses.id"),
    "trials": ("course_id", "courses.id"),
    "webhooks": ("course_id", "courses.id"),
    "assignment_terms": ("assignment_id", "assignments.id"),
    "assignment_versions": ("assignment_id", "assignments.id"),
    "batches": ("assignment_id", "assignments.id"),
    "extensions": ("assignment_id", "assignments.id"),
    "standings": ("assignment_id", "assignments.id"),
    "submissions": ("assignment_id", "assignments.id"),
    "group_members": ("group_id", "groups.id"),
    "webhook_deliveries": ("webhook_id", "webhooks.id"),
    "exercises": ("version_id", "assignment_versions.id"),
    "outlines": ("version_id", "assignment_versions.id"),
    "sealings": ("version_id", "assignment_versions.id"),
    "batch_items": ("batch_id", "batches.id"),
    "draft_batch_items": ("batch_id", "draft_batches.id"),
    "calibration_marks": ("assignment_id", "assignments.id"),
    "exercise_grades": ("submission_id", "submissions.id"),
    "grade_changes": ("submission_id", "submissions.id"),
    "grades": ("submission_id", "submissions.id"),
    "jobs": ("submission_id", "submissions.id"),
    "marks": ("submission_id", "submissions.id"),
    "outcome_revisions": ("submission_id", "submissions.id"),
    "outcomes": ("submission_id", "submissions.id"),
}


def upgrade() -> None:
    """Put a policy on every table that belongs to a course; its owner is held to it, too."""
    if op.get_context().dialect.name == "sqlite":
        return
    # First what is decided once for a statement, without a look at any row.
    every = f"{_NAMED} = '*'"
    named = f"ANY (string_to_array({_NAMED}, ','))"
    _protect("courses", f"{every} OR 'n:' || name = {named} OR 'i:' || id::text = {named}")
    for table, (column, target) in _WAYS.items():
        parent, key = target.split(".")
        # Correlated: the policy of the parent holds within it, up to the course.
        seen = f"EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = {table}.{column})"  # noqa: S608
        _protect(table, f"{every} OR {seen}")


def downgrade() -> None:
    """Take the policies away."""
    if op.get_context().dialect.name == "sqlite":
        return
    for table in ("courses", *_WAYS):
        op.execute(f"DROP POLICY {_POLICY} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _protect(table: str, condition: str) -> None:
    op.execute(f"CREATE POLICY {_POLICY} ON {table} USING ({condition})")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
