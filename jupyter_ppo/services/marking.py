"""What people say of exercises; the history and the release of grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.answer_view import answer_view
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.entries import checked_attempt, checked_kind
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.marking import (
    AnswerView,
    MarkingItem,
    MarkingKey,
    MarkingState,
    MarkingTotal,
    pseudonyms,
)
from jupyter_ppo.domain.marks import GradeChange, GradeChangeKind, Mark, checked_text
from jupyter_ppo.domain.ports import BlobStore, CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.seeds import CourseSecrets, PersonalSeeds

MAX_REASON = 2_000


class MarkStore(Protocol):
    """What is stored of it."""

    def put(
        self, submission_id: UUID, grade_id: str, mark: Mark, *, by: str, reason: str = ""
    ) -> ExerciseGrade:
        """Write a mark in one transaction with the totals and the history; return the exercise.

        ``mark.revision`` is the one that ``by`` saw, 0 for none; ``EditConflictError`` when another
        one is stored. A mark that says nothing takes the earlier one away.
        """

    def history(self, submission_id: UUID) -> tuple[GradeChange, ...]:
        """Return every change of a submission's grade, the oldest first."""

    def totals(self, course_id: UUID, *, offset: int, limit: int) -> Page[MarkingTotal]:
        """Return what people have to look at, by assignment, in the order of its exercises."""

    def keys(
        self, assignment_id: UUID, *, grade_id: str | None, state: MarkingState
    ) -> Sequence[MarkingKey]:
        """Return which exercises of which students there are, in no order."""

    def users(self, assignment_id: UUID) -> Sequence[str]:
        """Return everybody who has an attempt that counts."""

    def exercises(self, keys: Sequence[MarkingKey]) -> Sequence[ExerciseGrade | None]:
        """Return the exercises of ``keys``, in their order; None for one that is gone."""

    def set_released(
        self,
        assignment_id: UUID,
        submission_ids: Sequence[UUID] | None,
        *,
        is_released: bool,
        by: str,
        reason: str = "",
    ) -> int:
        """Release grades to their students, or take them back; return how many that changed."""


class MarkingService:
    """What people say of exercises; the history and the release of grades.

    Every method takes the caller first and checks their rights.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        marks: MarkStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        seeds: PersonalSeeds,
        secrets: CourseSecrets,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._marks = marks
        self._submissions = submissions
        self._blobs = blobs
        self._seeds = seeds
        self._secrets = secrets
        self._audit = audit
        self._access = Access(courses)

    def waiting(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[MarkingTotal]:
        """Return each exercise that people have to look at, and how far they are. Graders only."""
        course = self._access.grader(caller, course_name)
        return self._marks.totals(course.id, offset=offset, limit=limit)

    def items(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        *,
        grade_id: str | None = None,
        state: MarkingState = MarkingState.WAITING,
        named: bool = False,
        offset: int,
        limit: int,
    ) -> Page[MarkingItem]:
        """Return students' exercises one exercise after the other, by pseudonym. Graders only.

        ``named`` has usernames in the place of pseudonyms, and orders by them.
        """
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        keys = self._marks.keys(assignment.id, grade_id=grade_id, state=state)
        names: dict[str, str] = {}
        if not named:  # of everybody, so that they stay what they are on every page
            users = self._marks.users(assignment.id)
            names = pseudonyms(self._secrets.secret(course.id), assignment.id, users)
        ordered = sorted(
            keys, key=lambda key: (key.place, key.grade_id, names.get(key.user, key.user))
        )
        page = ordered[offset : offset + limit]
        found = zip(page, self._marks.exercises(page), strict=True)
        items = tuple(
            MarkingItem(
                key.submission_id, names.get(key.user, key.user if named else "Student"), exercise
            )
            for key, exercise in found
            if exercise is not None
        )
        return Page(items, len(ordered), offset, limit)

    def answer(self, caller: Caller, submission_id: UUID, grade_id: str) -> AnswerView:
        """Return what there is to read of one exercise of a submission. Graders only."""
        submission = self._graded_by(caller, submission_id)
        version = self._courses.version(submission.version_id)
        exercise = _exercise(version.exercises, grade_id)
        if exercise.kind is CellKind.CRITERION:
            msg = "grade_id: a criterion has no answer of its own; look at the entry."
            raise NotFoundError(msg, field="grade_id")
        seed = self._seeds.seed(submission.course_id, version, submission.user)
        source = self._blobs.get(version.source_digest)
        return answer_view(source, self._blobs.get(submission.digest), exercise, seed)

    def mark(
        self, caller: Caller, submission_id: UUID, grade_id: str, mark: Mark, reason: str = ""
    ) -> ExerciseGrade:
        """Say what one exercise gives; return the exercise as it counts now. Graders only.

        ``mark.revision`` names the mark that the caller saw, 0 for none; one that says nothing
        takes it away. Raises ``EditConflictError`` with both when somebody saved in between,
        ``ConflictError`` before there is a grade, ``InvalidInputError`` naming the part.
        """
        submission = self._graded_by(caller, submission_id)
        checked_attempt(submission, AssignmentKind.NOTEBOOK)  # an entry has its outcome
        said = self._marks.put(
            submission.id, grade_id, mark, by=caller.user, reason=_reason(reason)
        )
        detail = {**mark.data(), "reason": reason}
        note(self._audit, caller.user, "grade.marked", f"{submission.id}/{grade_id}", detail)
        return said

    def history(
        self, caller: Caller, submission_id: UUID, *, offset: int, limit: int
    ) -> Page[GradeChange]:
        """Return the changes of a submission's grade, the newest first.

        Its student sees what has happened while the grade was released, without who it was and
        why; until then it looks as if there were none (``NotFoundError``).
        """
        submission = self._seen(caller, submission_id)
        changes = self._marks.history(submission.id)
        if not self._access.may_grade(caller, submission):
            if submission.released_at is None:
                msg = f"The grade of submission {submission_id} is not released yet."
                raise NotFoundError(msg, field="submission")
            changes = _for_student(changes)
        newest = changes[::-1]
        return Page(newest[offset : offset + limit], len(newest), offset, limit)

    def release(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        submission_ids: Sequence[UUID] | None = None,
        *,
        reason: str = "",
    ) -> int:
        """Let students see their grades; return of how many submissions that changed.

        Of every graded submission, or of those that are named. Instructors only.
        """
        return self._set_released(
            caller, course_name, assignment_name, submission_ids, True, reason
        )

    def withdraw(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        submission_ids: Sequence[UUID] | None = None,
        *,
        reason: str = "",
    ) -> int:
        """Take released grades back, as ``release`` does; nothing of them is lost."""
        return self._set_released(
            caller, course_name, assignment_name, submission_ids, False, reason
        )

    def _set_released(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        submission_ids: Sequence[UUID] | None,
        is_released: bool,
        reason: str,
    ) -> int:
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        checked_kind(assignment, AssignmentKind.NOTEBOOK)  # an entry's outcomes are released
        changed = self._marks.set_released(
            assignment.id,
            submission_ids,
            is_released=is_released,
            by=caller.user,
            reason=_reason(reason),
        )
        action = "grades.released" if is_released else "grades.withdrawn"
        detail = {"changed": changed, "reason": reason}
        note(self._audit, caller.user, action, f"{course_name}/{assignment_name}", detail)
        return changed

    def _seen(self, caller: Caller, submission_id: UUID) -> Submission:
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:
            submission = None
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        return submission

    def _graded_by(self, caller: Caller, submission_id: UUID) -> Submission:
        submission = self._seen(caller, submission_id)
        if not self._access.may_grade(caller, submission):
            msg = "Only a grader of this course may do this."
            raise ForbiddenError(msg)
        return submission


def _exercise(exercises: Sequence[Exercise], grade_id: str) -> Exercise:
    for exercise in exercises:
        if exercise.grade_id == grade_id:
            return exercise
    msg = f"grade_id: this submission has no exercise {grade_id[:80]!r}."
    raise NotFoundError(msg, field="grade_id")


def _reason(reason: str) -> str:
    if len(reason) > MAX_REASON:
        msg = f"reason: it has {len(reason):,} characters; use at most {MAX_REASON:,}."
        raise InvalidInputError(msg, field="reason")
    return checked_text(reason, "reason")


def _for_student(changes: Sequence[GradeChange]) -> tuple[GradeChange, ...]:
    """Return what a student may know.

    Drafts from before a release stay with the staff, and so does who changed it and why: a reason
    may be about other people. What is said to the student is the comment of a mark.
    """
    shown: list[GradeChange] = []
    is_released = False
    released_at = {change.at for change in changes if change.kind is GradeChangeKind.RELEASED}
    for change in changes:
        # What was graded and released in one go has one time.
        is_shown = is_released or change.at in released_at
        if change.kind is GradeChangeKind.RELEASED:
            is_released = True
        elif change.kind is GradeChangeKind.WITHDRAWN:
            is_released = False
        if is_shown:
            shown.append(replace(change, by="", reason=""))
    return tuple(shown)
