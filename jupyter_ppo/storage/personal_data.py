"""What every column that can hold personal data means for an export and an erasure, as data.

``storage.erasure`` does what stands here. A test compares it with the tables: a new table, or a new
column with text, fails until somebody decides about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Table

from jupyter_ppo.storage.tables import Base


class Erase(StrEnum):
    """What an erasure does with a column."""

    KEEP = "keep"  # says nothing about a person
    RENAME = "rename"  # a username: the stand-in takes its place, in whosever row it is
    CLEAR = "clear"  # emptied in the person's own rows
    REWRITE = "rewrite"  # a part of it is about people: ``storage.erasure_texts``
    DELETE = "delete"  # goes with the person's own rows


class Owner(StrEnum):
    """How a row says whose it is."""

    NOBODY = "nobody"
    USER = "user"  # by its column ``user``
    SUBMISSION = "submission_id"  # it is about this submission
    RUN = "run_id"  # it is about this training run


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """The decision about one column; ``file`` is where an export has it, "" where it has not.

    ``empty`` is what a cleared column holds.
    """

    erase: Erase
    file: str = ""
    empty: Any = ""


@dataclass(frozen=True, slots=True)
class TableRule:
    """The decisions about a table; of an owned one the rows are deleted where a column says so."""

    owner: Owner = Owner.NOBODY
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)

    @property
    def is_deleted(self) -> bool:
        """Whether the person's own rows are deleted."""
        return any(rule.erase is Erase.DELETE for rule in self.columns.values())


_KEEP, _RENAME = ColumnRule(Erase.KEEP), ColumnRule(Erase.RENAME)
_ACCOUNT, _SUBMISSIONS, _STAFF = "account.json", "submissions.jsonl", "as_staff.jsonl"
_RUNS = "training_runs.jsonl"
_HINTS, _CALLS = "hints.jsonl", "model_calls.jsonl"


def _shown(file: str) -> ColumnRule:
    return ColumnRule(Erase.KEEP, file)


def _renamed(file: str) -> ColumnRule:
    return ColumnRule(Erase.RENAME, file)


def _cleared(file: str = "", empty: Any = "") -> ColumnRule:
    return ColumnRule(Erase.CLEAR, file, empty)


def _rewritten(file: str = "") -> ColumnRule:
    return ColumnRule(Erase.REWRITE, file)


def _deleted(file: str = "") -> ColumnRule:
    return ColumnRule(Erase.DELETE, file)


def _outcome_columns(file: str) -> dict[str, ColumnRule]:
    return {"content": _rewritten(file), "author": _rewritten()}


#: Every table, and of each every column with text, plain data or bytes.
DECISIONS: Mapping[str, TableRule] = {
    "courses": TableRule(
        columns={"name": _KEEP, "title": _KEEP, "secret": _KEEP, "deleted_by": _RENAME}
    ),
    "memberships": TableRule(
        Owner.USER,
        {
            "user": _renamed(_ACCOUNT),
            "first_name": _cleared(_ACCOUNT),
            "last_name": _cleared(_ACCOUNT),
            "email": _cleared(_ACCOUNT),
            "lms_user_id": _cleared(_ACCOUNT),
        },
    ),
    # Staff name groups; what was named after a person is theirs to rename.
    "groups": TableRule(columns={"name": _shown(_ACCOUNT)}),
    # Kept under the stand-in: an extension of the group decides on the lateness of what stays.
    "group_members": TableRule(Owner.USER, {"user": _renamed(_ACCOUNT)}),
    "leaderboard_members": TableRule(
        Owner.USER,
        {"user": _deleted(_ACCOUNT), "pseudonym": _deleted(_ACCOUNT), "folded": _deleted()},
    ),
    "assignments": TableRule(columns={"name": _KEEP, "deleted_by": _RENAME}),
    "assignment_terms": TableRule(columns={"late": _KEEP, "updated_by": _RENAME}),
    # The reason is what staff noted for themselves: students are not shown it.
    "extensions": TableRule(
        Owner.USER,
        {
            "user": _renamed("extensions.json"),
            "group_name": _KEEP,
            "reason": _cleared(),
            "created_by": _RENAME,
        },
    ),
    "assignment_versions": TableRule(
        columns={
            "source_digest": _KEEP,
            "release_digest": _KEEP,
            "note": _shown(_STAFF),
            "released_by": _RENAME,
        }
    ),
    "exercises": TableRule(columns={"grade_id": _KEEP}),
    "sealings": TableRule(columns={"cells": _KEEP}),
    "grades": TableRule(
        Owner.SUBMISSION, {"detail": _cleared(_SUBMISSIONS), "feedback_digest": _cleared()}
    ),
    "exercise_grades": TableRule(
        Owner.SUBMISSION,
        {
            "grade_id": _shown(_SUBMISSIONS),
            "reason": _cleared(_SUBMISSIONS),
            "checks": _cleared(_SUBMISSIONS, []),
            "records": _cleared(_SUBMISSIONS, []),
        },
    ),
    "marks": TableRule(
        Owner.SUBMISSION,
        {
            "grade_id": _shown(_SUBMISSIONS),
            "comment": _cleared(_SUBMISSIONS),
            "marked_by": _RENAME,
        },
    ),
    # Why a grade changed is the staff's own note; before and after may hold comments.
    "grade_changes": TableRule(
        Owner.SUBMISSION,
        {
            "grade_id": _shown(_STAFF),
            "by": _RENAME,
            "reason": _cleared(_STAFF),
            "before": _rewritten(),
            "after": _rewritten(),
        },
    ),
    # An author may be a program; only people are renamed.
    "outcomes": TableRule(
        Owner.SUBMISSION, _outcome_columns(_SUBMISSIONS) | {"approved_by": _RENAME}
    ),
    "outcome_revisions": TableRule(Owner.SUBMISSION, _outcome_columns(_STAFF)),
    # An error is the server's own words: work that failed without fault of the student.
    "submissions": TableRule(
        Owner.USER,
        {
            "user": _renamed(_SUBMISSIONS),
            "digest": _cleared(_SUBMISSIONS),
            "warnings": _cleared(_SUBMISSIONS, []),
            "error": _shown(_SUBMISSIONS),
            "idempotency_key": _cleared(empty=None),
            "collected_by": _RENAME,
            "deleted_by": _RENAME,
        },
    ),
    "standings": TableRule(Owner.USER, {"user": _RENAME}),
    "jobs": TableRule(Owner.SUBMISSION, {"worker": _KEEP, "error": _KEEP}),
    "batches": TableRule(columns={"created_by": _RENAME, "reason": _shown(_STAFF)}),
    # Before and after are points alone.
    "batch_items": TableRule(Owner.SUBMISSION, {"before": _KEEP, "after": _KEEP, "error": _KEEP}),
    "trials": TableRule(
        Owner.USER,
        {
            "assignment": _deleted("trials.jsonl"),
            "user": _deleted("trials.jsonl"),
            "digest": _deleted(),
            "owner": _deleted(),
            "result": _deleted("trials.jsonl"),
            "error": _deleted("trials.jsonl"),
        },
    ),
    "audit_events": TableRule(
        Owner.NOBODY,
        {
            "user": _renamed("audit.jsonl"),
            "action": _shown("audit.jsonl"),
            "subject": _rewritten("audit.jsonl"),
            "detail": _rewritten("audit.jsonl"),
        },
    ),
    "executions": TableRule(
        Owner.USER,
        {
            "user": _deleted("executions.jsonl"),
            "code": _deleted("executions.jsonl"),
            "owner": _deleted(),
            "result": _deleted("executions.jsonl"),
            "error": _deleted(),
        },
    ),
    "training_runs": TableRule(
        Owner.USER,
        {
            "user": _deleted(_RUNS),
            "name": _deleted(_RUNS),
            "spec": _deleted(_RUNS),
            # It may name folders of the server.
            "message": _deleted(),
            "owner": _deleted(),
            "request_key": _deleted(),
            "request_digest": _deleted(),
        },
    ),
    "training_tags": TableRule(Owner.RUN, {"tag": _deleted(_RUNS)}),
    "training_use": TableRule(Owner.USER, {"user": _deleted("training_use.json")}),
    # Of an erased person what was handed in and graded stays; activity is deleted.
    "progress_events": TableRule(
        Owner.USER,
        {
            "user": _renamed("progress_events.jsonl"),
            "assignment": _shown("progress_events.jsonl"),
            "data": _shown("progress_events.jsonl"),
            "key": _cleared(empty=None),
            "digest": _cleared(empty=None),
        },
    ),
    # A draft is the staff's: what came of it is in the mark or the outcome.
    "feedback_drafts": TableRule(
        Owner.SUBMISSION,
        {
            "grade_id": _KEEP,
            "results": _cleared(empty=[]),
            "flags": _KEEP,
            "program": _KEEP,
            "rubric_digest": _KEEP,
            "call_ids": _KEEP,
            "decided_by": _RENAME,
            "comment": _cleared(),
            "reason": _cleared(),
        },
    ),
    "draft_batches": TableRule(
        columns={
            "grade_id": _KEEP,
            "created_by": _RENAME,
            "estimate": _KEEP,
            "message": _KEEP,
        }
    ),
    "draft_batch_items": TableRule(Owner.SUBMISSION, {"grade_id": _KEEP, "error": _KEEP}),
    "calibration_marks": TableRule(
        Owner.SUBMISSION, {"grade_id": _KEEP, "levels": _KEEP, "marked_by": _RENAME}
    ),
    # Made anew from what is left of the log; an export has the log itself.
    "progress_states": TableRule(Owner.USER, {"user": _RENAME, "state": _rewritten()}),
    "outlines": TableRule(columns={"chapter": _KEEP}),
    "rule_editions": TableRule(columns={"rules": _KEEP, "created_by": _RENAME}),
    "awards": TableRule(
        Owner.USER,
        {
            "user": _deleted("achievements.json"),
            "rule_id": _deleted("achievements.json"),
            "rule": _deleted("achievements.json"),
            "evidence": _deleted("achievements.json"),
            "revoked_because": _deleted("achievements.json"),
        },
    ),
    # No token of an erased person is good. Roles and times are no words.
    "api_tokens": TableRule(
        Owner.USER,
        {"user": _deleted(_ACCOUNT), "name": _deleted(_ACCOUNT), "digest": _deleted()},
    ),
    # A webhook is the course's. What it is told are ids, states and times.
    "webhooks": TableRule(
        columns={
            "name": _shown(_STAFF),
            "url": _shown(_STAFF),
            "events": _KEEP,
            "secret": _KEEP,
            "old_secret": _KEEP,
            "created_by": _RENAME,
        }
    ),
    "webhook_deliveries": TableRule(columns={"body": _KEEP, "worker": _KEEP, "reason": _KEEP}),
    "preferences": TableRule(
        Owner.USER, {"user": _deleted(_ACCOUNT), "document": _deleted(_ACCOUNT)}
    ),
    "feedback_settings": TableRule(
        columns={"scope": _KEEP, "document": _KEEP, "changed_by": _RENAME}
    ),
    "hints": TableRule(
        Owner.USER,
        {
            "user": _deleted(_HINTS),
            "grade_id": _deleted(_HINTS),
            "model": _deleted(_HINTS),
            "text": _deleted(_HINTS),
            "attempt_digest": _deleted(),
        },
    ),
    "explanations": TableRule(
        Owner.USER,
        {
            "user": _deleted("explanations.jsonl"),
            "subject": _deleted("explanations.jsonl"),
            "model": _deleted("explanations.jsonl"),
            "text": _deleted("explanations.jsonl"),
        },
    ),
    "self_checks": TableRule(
        Owner.USER,
        {
            "user": _deleted("self_checks.json"),
            "grade_id": _deleted("self_checks.json"),
            "levels": _deleted("self_checks.json"),
        },
    ),
    # What a call cost stays; the texts go. What stands before the person's text is for the staff.
    "model_calls": TableRule(
        Owner.USER,
        {
            "user": _renamed(_CALLS),
            "asked_by": _RENAME,
            "grade_id": _shown(_CALLS),
            "template": _KEEP,
            "provider": _shown(_CALLS),
            "model": _shown(_CALLS),
            "parameters": _KEEP,
            "prompt": _cleared(_CALLS, []),
            "redactions": _cleared(_CALLS, {}),
            "flags": _cleared(empty=[]),
            "cache_key": _cleared(),
            "raw_answer": _cleared(),
            "parsed": _cleared(empty=None),
            "finish": _KEEP,
            "error": _KEEP,
            "model_said": _KEEP,
        },
    ),
    # What is still to be removed from the disk is among the counts until it is gone.
    "erasures": TableRule(columns={"stand_in": _KEEP, "erased_by": _RENAME, "counts": _KEEP}),
}


def tables() -> Iterator[tuple[Table, TableRule]]:
    """Yield every table with its decisions, those that refer to others before these."""
    for table in reversed(Base.metadata.sorted_tables):
        yield table, DECISIONS[table.name]


def columns(erase: Erase) -> Iterator[Column[Any]]:
    """Yield every column with this decision."""
    for table, rules in tables():
        for name, rule in rules.columns.items():
            if rule.erase is erase:
                yield table.c[name]


def name_columns() -> Iterator[Column[Any]]:
    """Yield every column that holds one person's username."""
    yield from columns(Erase.RENAME)
    for table, rules in tables():
        if rules.owner is Owner.USER and rules.is_deleted:
            yield table.c.user
