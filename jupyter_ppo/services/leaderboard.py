"""A course's leaderboard: joined by choice, under a pseudonym, made of stored grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.leaderboard import (
    LeaderboardEntry,
    LeaderboardMember,
    PolicyResult,
    checked_pseudonym,
    ranked,
)
from jupyter_ppo.domain.ports import CourseStore, Page
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note


class LeaderboardStore(Protocol):
    """Who joined, and what the policies of those reached."""

    def member(self, course_id: UUID, user: str) -> LeaderboardMember | None:
        """Return who ``user`` is on the course's leaderboard, if they joined it."""

    def join(self, course_id: UUID, user: str, pseudonym: str) -> LeaderboardMember:
        """Add a person, or give them another pseudonym; raise ``ConflictError`` if it is taken."""

    def leave(self, course_id: UUID, user: str) -> bool:
        """Forget a person's pseudonym; return whether there was one."""

    def results(
        self, course_id: UUID, *, assignment: str | None = None, env_id: str | None = None
    ) -> tuple[PolicyResult, ...]:
        """Return every result of a member's policy, of graded submissions and sealed exercises."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A part of the leaderboard as one person sees it: the others are pseudonyms.

    ``pseudonym`` is the person's own, None if they have not joined; ``own`` are their ranks'
    entries among ``page``.
    """

    pseudonym: str | None
    page: Page[LeaderboardEntry]
    own: frozenset[LeaderboardEntry]


class LeaderboardService:
    """Use cases of the leaderboard. Every method takes the caller first and checks their rights."""

    def __init__(
        self, *, courses: CourseStore, leaderboards: LeaderboardStore, audit: AuditLog
    ) -> None:
        self._leaderboards = leaderboards
        self._audit = audit
        self._access = Access(courses)

    def leaderboard(
        self,
        caller: Caller,
        course_name: str,
        *,
        assignment: str | None = None,
        env_id: str | None = None,
        offset: int,
        limit: int,
    ) -> Leaderboard:
        """Return the entries of those who joined, by assignment, environment and rank. Members.

        Nobody, whatever their role, sees here who is behind a pseudonym.
        """
        course, _ = self._access.course(caller, course_name)
        me = self._leaderboards.member(course.id, caller.user)
        results = self._leaderboards.results(course.id, assignment=assignment, env_id=env_id)
        entries = ranked(results)
        items = entries[offset : offset + limit]
        own = frozenset(entry for entry in items if entry.result.user == caller.user)
        return Leaderboard(
            me.pseudonym if me else None, Page(items, len(entries), offset, limit), own
        )

    def join(self, caller: Caller, course_name: str, pseudonym: str) -> LeaderboardMember:
        """Show the caller's results under ``pseudonym``, or change it. Members.

        Raises ``InvalidInputError`` when it cannot be one, ``ConflictError`` when it is taken or
        the username of somebody in the course.
        """
        course, _ = self._access.course(caller, course_name)
        member = self._leaderboards.join(course.id, caller.user, checked_pseudonym(pseudonym))
        # Without the pseudonym: who reads the audit log is not told either.
        note(self._audit, caller.user, "leaderboard.joined", course_name, {})
        return member

    def leave(self, caller: Caller, course_name: str) -> None:
        """Take the caller off the leaderboard at once; no error if they are not on it. Members."""
        course, _ = self._access.course(caller, course_name)
        if self._leaderboards.leave(course.id, caller.user):
            note(self._audit, caller.user, "leaderboard.left", course_name, {})
