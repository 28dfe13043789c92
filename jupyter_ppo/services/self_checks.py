"""How students judge their own answers by the rubric, before anybody else does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.domain.errors import EditConflictError
from jupyter_ppo.domain.ports import Clock, CourseStore
from jupyter_ppo.domain.self_checks import SelfCheck, checked_levels
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.judged_answers import JudgedAnswers


class SelfCheckStore(Protocol):
    """Where they are kept."""

    def read(self, assignment_id: UUID, user: str, grade_id: str) -> SelfCheck:
        """Return what a person thinks of one answer."""

    def write(
        self,
        course_id: UUID,
        assignment_id: UUID,
        user: str,
        grade_id: str,
        levels: Mapping[str, str],
        *,
        seen: int | None,
    ) -> SelfCheck | None:
        """Store the levels; None when ``seen`` is not the stored revision."""


@dataclass(frozen=True, slots=True)
class SelfCheckView:
    """A self-check with the rubric that it is made by, without the notes of the staff."""

    rubric: tuple[Criterion, ...]
    check: SelfCheck

    def data(self) -> dict[str, Any]:
        """Return the check as plain data, as it is answered."""
        return {"levels": dict(self.check.levels), "revision": self.check.revision}


class SelfCheckService:
    """Everybody's own; nobody sees or changes those of others here."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        checks: SelfCheckStore,
        answers: JudgedAnswers,
        clock: Clock,
    ) -> None:
        self._courses = courses
        self._checks = checks
        self._answers = answers
        self._clock = clock
        self._access = Access(courses)

    def read(
        self, caller: Caller, course_name: str, assignment_name: str, grade_id: str
    ) -> SelfCheckView:
        """Return the rubric of an answer, and how the caller judges theirs.

        Raises ``NotFoundError`` when there is no such answer, ``ConflictError`` when it has no
        rubric.
        """
        assignment, rubric = self._rubric(caller, course_name, assignment_name, grade_id)
        found = self._checks.read(assignment.id, caller.user, grade_id)
        # Of an older version of the rubric what there still is.
        known = {each.name: {level.name for level in each.levels} for each in rubric}
        levels = {
            name: level for name, level in found.levels.items() if level in known.get(name, set())
        }
        return SelfCheckView(rubric, replace(found, levels=levels))

    def write(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        grade_id: str,
        levels: Mapping[str, str],
        *,
        seen: int | None = None,
    ) -> SelfCheckView:
        """Keep how the caller judges their answer; criteria may be left out.

        Raises what ``read`` raises, ``InvalidInputError`` naming a criterion or a level that there
        is not, and ``EditConflictError`` with both when another device saved in between.
        """
        assignment, rubric = self._rubric(caller, course_name, assignment_name, grade_id)
        chosen = checked_levels(rubric, levels)
        kept = self._checks.write(
            assignment.course_id, assignment.id, caller.user, grade_id, chosen, seen=seen
        )
        if kept is None:
            stored = self._checks.read(assignment.id, caller.user, grade_id)
            msg = (
                f"If-Match: this self-check is at revision {stored.revision} now, and you saw "
                f"{seen}: another device or tab saved. Look at both and save again."
            )
            yours = SelfCheckView(rubric, SelfCheck(chosen, seen or 0))
            theirs = SelfCheckView(rubric, stored)
            raise EditConflictError(msg, yours=yours.data(), theirs=theirs.data(), field="If-Match")
        return SelfCheckView(rubric, kept)

    def _rubric(
        self, caller: Caller, course_name: str, assignment_name: str, grade_id: str
    ) -> tuple[Assignment, tuple[Criterion, ...]]:
        course, role = self._access.course(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        if not role.may_grade:
            check_opened(assignment.terms, assignment.name, self._clock.now())
        question = self._answers.question(assignment.version, assignment.kind, grade_id)
        return assignment, tuple(replace(each, note="") for each in question.rubric)
