"""Everything that is kept of one person, as they may see it: for an export.

What staff have not released is left out, and so are other people's names, hidden tests, paths and
processes of the server. Long lists are read in pages, so that an export holds little at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.entries import OutcomeState
from jupyter_ppo.domain.submissions import STAFF
from jupyter_ppo.storage import personal_tutoring
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.grades import grade_of
from jupyter_ppo.storage.personal_data import name_columns
from jupyter_ppo.storage.personal_deeds import as_staff, audit
from jupyter_ppo.storage.record_pages import Record, fields_of, pages, plain_value
from jupyter_ppo.storage.results import plain
from jupyter_ppo.storage.tables import (
    ApiTokenRow,
    AssignmentRow,
    AwardRow,
    CourseRow,
    ExecutionRow,
    ExtensionRow,
    GroupMemberRow,
    GroupRow,
    LeaderboardMemberRow,
    MembershipRow,
    OutcomeRow,
    PreferencesRow,
    ProgressEventRow,
    SubmissionRow,
    TrainingRunRow,
    TrainingUseRow,
    TrialRow,
    VersionRow,
)

#: Of the secret not even the digest: it is nothing that anybody could read.
_TOKEN_FIELDS = (
    "id",
    "name",
    "role",
    "access",
    "created_at",
    "expires_at",
    "last_used_at",
    "uses",
    "revoked_at",
)


class PersonalRecords:
    """``services.privacy.RecordStore`` on a database. Values are those of JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def knows(self, user: str) -> bool:
        """Whether anything is kept of a person."""
        with self._database.session() as session:
            return any(
                session.scalar(select(column).where(column == user).limit(1)) is not None
                for column in name_columns()
            )

    def account(self, user: str) -> Record:
        """Return courses with role and groups, pseudonyms, API tokens, and preferences."""
        with self._database.session() as session:
            groups = session.execute(
                select(GroupRow.course_id, GroupRow.name)
                .join(GroupMemberRow, GroupMemberRow.group_id == GroupRow.id)
                .where(GroupMemberRow.user == user)
                .order_by(GroupRow.name)
            ).all()
            memberships = session.execute(
                select(CourseRow.name, MembershipRow)
                .join(CourseRow, CourseRow.id == MembershipRow.course_id)
                .where(MembershipRow.user == user)
                .order_by(CourseRow.name)
            ).all()
            pseudonyms = session.execute(
                select(CourseRow.name, LeaderboardMemberRow)
                .join(CourseRow, CourseRow.id == LeaderboardMemberRow.course_id)
                .where(LeaderboardMemberRow.user == user)
                .order_by(CourseRow.name)
            ).all()
            tokens = session.execute(
                select(CourseRow.name, ApiTokenRow)
                .join(CourseRow, CourseRow.id == ApiTokenRow.course_id)
                .where(ApiTokenRow.user == user)
                .order_by(ApiTokenRow.created_at, ApiTokenRow.id)
            ).all()
            preferences = session.get(PreferencesRow, user)
            fields = (
                "role",
                "first_name",
                "last_name",
                "email",
                "lms_user_id",
                "enrolled_at",
                "removed_at",
            )
            return {
                "user": user,
                "courses": [
                    {
                        "course": course,
                        **fields_of(row, fields),
                        "groups": [
                            name for course_id, name in groups if course_id == row.course_id
                        ],
                    }
                    for course, row in memberships
                ],
                "leaderboards": [
                    {"course": course, **fields_of(row, ("pseudonym", "joined_at"))}
                    for course, row in pseudonyms
                ],
                "api_tokens": [
                    {"course": course, **fields_of(row, _TOKEN_FIELDS)} for course, row in tokens
                ],
                "preferences": None
                if preferences is None
                else fields_of(preferences, ("document", "revision", "updated_at")),
            }

    def extensions(self, user: str) -> list[Record]:
        """Return the person's own extensions; why they were given is the staff's note."""
        query = (
            select(CourseRow.name, AssignmentRow.name, ExtensionRow)
            .join(AssignmentRow, AssignmentRow.id == ExtensionRow.assignment_id)
            .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
            .where(ExtensionRow.user == user)
            .order_by(ExtensionRow.created_at, ExtensionRow.id)
        )
        fields = ("seconds", "attempts", "created_at", "revoked_at")
        with self._database.session() as session:
            return [
                {"course": course, "assignment": assignment, **fields_of(row, fields)}
                for course, assignment, row in session.execute(query)
            ]

    def achievements(self, user: str) -> list[Record]:
        """Return the person's achievements, those that were taken back too."""
        query = (
            select(CourseRow.name, AwardRow)
            .join(CourseRow, CourseRow.id == AwardRow.course_id)
            .where(AwardRow.user == user)
            .order_by(AwardRow.awarded_at, AwardRow.id)
        )
        fields = (
            "id",
            "rule_id",
            "rule",
            "evidence",
            "awarded_at",
            "revoked_at",
            "revoked_because",
        )
        with self._database.session() as session:
            return [
                {"course": course, **fields_of(row, fields)}
                for course, row in session.execute(query)
            ]

    def training_use(self, user: str) -> list[Record]:
        """Return the processor time that the person's runs used, by hour."""
        query = select(TrainingUseRow).where(TrainingUseRow.user == user)
        with self._database.session() as session:
            return [
                fields_of(row, ("hour", "cpu_seconds"))
                for row in session.scalars(query.order_by(TrainingUseRow.hour))
            ]

    def submissions(self, user: str) -> Iterator[Record]:
        """Yield every attempt with its released grade, those in the trash too.

        ``digest`` names what was handed in, and ``is_entry`` says what that is. ``grade`` is None
        until it is released.
        """
        version = aliased(VersionRow)
        query = (
            select(
                CourseRow.name,
                AssignmentRow.name,
                AssignmentRow.kind,
                version.number,
                SubmissionRow,
            )
            .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
            .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
            .join(version, version.id == SubmissionRow.version_id)
            .where(SubmissionRow.user == user)
        )
        fields = (
            "id",
            "attempt",
            "digest",
            "submitted_at",
            "received_at",
            "warnings",
            "error",
            "late_seconds",
            "released_at",
            "deleted_at",
        )

        def record(session: Session, row: Any) -> Record:
            course, assignment, kind, number, submission = row
            is_released = submission.released_at is not None
            return {
                "course": course,
                "assignment": assignment,
                "version": number,
                "is_entry": kind is AssignmentKind.ENTRY,
                **fields_of(submission, fields),
                "state": submission.state.value,
                "collected_by": None if submission.collected_by is None else STAFF,
                "penalty": submission.penalty if is_released else None,
                "grade": _grade(session, submission.id) if is_released else None,
                "outcome": _outcome(session, submission.id),
            }

        return pages(self._database, query, SubmissionRow.id, record)

    def progress_events(self, user: str) -> Iterator[Record]:
        """Yield the person's log of progress, which holds released grades only."""
        query = (
            select(CourseRow.name, ProgressEventRow)
            .join(CourseRow, CourseRow.id == ProgressEventRow.course_id)
            .where(ProgressEventRow.user == user)
        )
        fields = ("kind", "assignment", "occurred_at", "received_at", "data")
        return pages(
            self._database,
            query,
            ProgressEventRow.position,
            lambda _, row: {"course": row[0], **fields_of(row[1], fields)},
        )

    def executions(self, user: str) -> Iterator[Record]:
        """Yield the programs that the person ran, with what came of them."""
        fields = (
            "id",
            "created_at",
            "state",
            "code",
            "timeout_seconds",
            "memory_mb",
            "seconds",
            "outcome",
            "cases_passed",
            "cases_total",
        )
        return pages(
            self._database,
            select(ExecutionRow).where(ExecutionRow.user == user, ExecutionRow.code != ""),
            ExecutionRow.id,
            lambda _, row: {
                **fields_of(row[0], fields),
                "result": None if row[0].result is None else plain(row[0].result),
            },
        )

    def trials(self, user: str) -> Iterator[Record]:
        """Yield the person's validations and checks."""
        fields = ("id", "assignment", "kind", "state", "created_at", "ended_at", "result", "error")
        return pages(
            self._database,
            select(TrialRow).where(TrialRow.user == user),
            TrialRow.id,
            lambda _, row: fields_of(row[0], fields),
        )

    def training_runs(self, user: str) -> Iterator[Record]:
        """Yield the person's training runs with their settings; curves are in their folders."""
        fields = (
            "id",
            "group_id",
            "name",
            "spec",
            "state",
            "step",
            "total_steps",
            "created_at",
            "started_at",
            "ended_at",
            "cpu_seconds",
            "wall_seconds",
            "disk_bytes",
        )
        return pages(
            self._database,
            select(TrainingRunRow).where(TrainingRunRow.user == user),
            TrainingRunRow.id,
            lambda _, row: {
                **fields_of(row[0], fields),
                "tags": [each.tag for each in row[0].tags],
            },
        )

    def hints(self, user: str) -> Iterator[Record]:
        """Yield the hints that the person was given."""
        return personal_tutoring.hints(self._database, user)

    def explanations(self, user: str) -> Iterator[Record]:
        """Yield what the person had explained."""
        return personal_tutoring.explanations(self._database, user)

    def self_checks(self, user: str) -> list[Record]:
        """Return what the person thinks of their own answers."""
        return personal_tutoring.self_checks(self._database, user)

    def model_calls(self, user: str) -> Iterator[Record]:
        """Yield what language models were sent of the person's work."""
        return personal_tutoring.model_calls(self._database, user)

    def audit(self, user: str) -> Iterator[Record]:
        """Yield what the person did, and who took them in or out of a course."""
        return audit(self._database, user)

    def as_staff(self, user: str) -> Iterator[Record]:
        """Yield what the person wrote as staff; whose work it is about is not said."""
        return as_staff(self._database, user)


def _grade(session: Session, submission_id: UUID) -> Record | None:
    grade = grade_of(session, submission_id)
    if grade is None:
        return None
    shown = grade.for_student()
    return {
        "points": shown.points,
        "max_points": shown.max_points,
        "extra_credit": shown.extra_credit,
        "graded_at": plain_value(shown.graded_at),
        "verdict": shown.verdict.value,
        "detail": shown.detail,
        "exercises": [
            {
                "grade_id": each.grade_id,
                "points": each.score,
                "max_points": each.max_points,
                "waits_for_a_person": each.waits,
                "reason": each.reason,
                "comment": each.comment,
                "checks": [
                    {
                        "name": check.name,
                        "points": check.points,
                        "max_points": check.max_points,
                        "message": check.message,
                    }
                    for check in each.checks
                ],
                "records": [dict(record) for record in each.records],
            }
            for each in shown.exercises
        ],
    }


def _outcome(session: Session, submission_id: UUID) -> Record | None:
    row = session.get(OutcomeRow, submission_id)
    if row is None or row.state is not OutcomeState.RELEASED:
        return None
    content = row.content
    return {"results": content["results"], "summary": content["summary"], "at": plain_value(row.at)}
