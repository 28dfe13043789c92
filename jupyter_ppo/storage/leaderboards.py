"""Who joined the courses' leaderboards, and what their policies reached, in the database."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.leaderboard import LeaderboardMember, PolicyResult, folded
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseGradeRow,
    LeaderboardMemberRow,
    MembershipRow,
    SubmissionRow,
)


class Leaderboards:
    """``services.leaderboard.LeaderboardStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def member(self, course_id: UUID, user: str) -> LeaderboardMember | None:
        """Return who ``user`` is on the course's leaderboard, if they joined it."""
        with self._database.session() as session:
            row = session.get(LeaderboardMemberRow, (course_id, user))
            return None if row is None else _member(row)

    def join(self, course_id: UUID, user: str, pseudonym: str) -> LeaderboardMember:
        """Add a person, or give them another pseudonym.

        Raises ``ConflictError`` when somebody else has it or it is the username of a person of the
        course, upper and lower case alike, and ``NotFoundError`` when there is no such course.
        """
        with self._database.begin() as session:
            # One at a time: nobody takes the pseudonym between the look and the write.
            if session.get(CourseRow, course_id, with_for_update=True) is None:
                msg = "course: there is no such course."
                raise NotFoundError(msg, field="course")
            key = folded(pseudonym)
            if key in _taken(session, course_id, user):
                msg = f"pseudonym: {pseudonym!r} is taken. Choose another one."
                raise ConflictError(msg, field="pseudonym")
            row = session.get(LeaderboardMemberRow, (course_id, user))
            if row is None:
                now = database_now(session)
                row = LeaderboardMemberRow(course_id=course_id, user=user, joined_at=now)
                session.add(row)
            row.pseudonym, row.folded = pseudonym, key
            return _member(row)

    def leave(self, course_id: UUID, user: str) -> bool:
        """Forget a person's pseudonym; return whether there was one."""
        with self._database.begin() as session:
            row = session.get(LeaderboardMemberRow, (course_id, user))
            if row is not None:
                session.delete(row)
            return row is not None

    def results(
        self, course_id: UUID, *, assignment: str | None = None, env_id: str | None = None
    ) -> tuple[PolicyResult, ...]:
        """Return every result of a member's policy, of released grades and sealed exercises."""
        query = (
            select(
                LeaderboardMemberRow.user,
                LeaderboardMemberRow.pseudonym,
                AssignmentRow.name,
                ExerciseGradeRow.records,
            )
            .join(AssignmentRow, AssignmentRow.course_id == LeaderboardMemberRow.course_id)
            .join(
                SubmissionRow,
                (SubmissionRow.assignment_id == AssignmentRow.id)
                & (SubmissionRow.user == LeaderboardMemberRow.user),
            )
            .join(ExerciseGradeRow, ExerciseGradeRow.submission_id == SubmissionRow.id)
            .where(
                LeaderboardMemberRow.course_id == course_id,
                SubmissionRow.state == SubmissionState.GRADED,
                ExerciseGradeRow.is_sealed,
                AssignmentRow.deleted_at.is_(None),
                SubmissionRow.deleted_at.is_(None),
                SubmissionRow.released_at.is_not(None),
                LeaderboardMemberRow.user.not_in(_removed(course_id)),
            )
        )
        if assignment is not None:
            query = query.where(AssignmentRow.name == assignment)
        with self._database.session() as session:
            return tuple(
                result
                for user, pseudonym, name, records in session.execute(query)
                for result in _results(user, pseudonym, name, records)
                if env_id in {None, result.env_id}
            )


def _removed(course_id: UUID) -> Select[str]:
    return select(MembershipRow.user).where(
        MembershipRow.course_id == course_id, MembershipRow.removed_at.is_not(None)
    )


def _taken(session: Session, course_id: UUID, user: str) -> set[str]:
    """Return what a pseudonym of ``user`` must not be taken for."""
    others = session.scalars(
        select(LeaderboardMemberRow.folded).where(
            LeaderboardMemberRow.course_id == course_id, LeaderboardMemberRow.user != user
        )
    )
    people = session.scalars(select(MembershipRow.user).where(MembershipRow.course_id == course_id))
    return {*others, *map(folded, people), folded(user)}


def _results(
    user: str, pseudonym: str, assignment: str, records: list[dict[str, Any]]
) -> Iterator[PolicyResult]:
    for record in records:
        env_id, episodes = record.get("env_id"), record.get("episodes")
        mean, low, high = (_number(record, key) for key in ("mean", "low", "high"))
        # No id holds a blank: of an environment that only a hidden test names, students get words
        # in its place, and several of them must not be ranked together.
        if not isinstance(env_id, str) or " " in env_id or mean is None:
            continue
        yield PolicyResult(
            user=user,
            pseudonym=pseudonym,
            assignment=assignment,
            env_id=env_id,
            mean=mean,
            low=mean if low is None else low,
            high=mean if high is None else high,
            episodes=episodes if isinstance(episodes, int) else 0,
        )


def _number(record: Mapping[str, Any], key: str) -> float | None:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _member(row: LeaderboardMemberRow) -> LeaderboardMember:
    return LeaderboardMember(row.course_id, row.user, row.pseudonym, row.joined_at)
