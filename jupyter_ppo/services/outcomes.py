"""Outcomes of entries: written, approved, released.

A person or a program writes a draft; only a person approves and releases. Whose words a revision
holds is written down with it and never changes: who edits a program's draft makes a revision of
their own, and who only approves one is not its author.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.entry_document import read_definition, without_notes
from jupyter_ppo.autograde.outcome_page import outcome_page
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.entries import (
    AuthorKind,
    EntryDefinition,
    Outcome,
    OutcomeChange,
    OutcomeState,
    checked_attempt,
    checked_kind,
    checked_results,
)
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ports import BlobStore, Clock, CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.outcome_view import (
    OutcomeView,
    ResultInput,
    checked_input,
    checked_words,
    grade_of_outcome,
)

_MAX_AUTHOR = 255


class OutcomeStore(Protocol):
    """Outcomes with all their revisions, and the grades that they give."""

    def outcome(self, submission_id: UUID) -> Outcome | None:
        """Return the newest revision, if there is an outcome."""

    def revisions(self, submission_id: UUID, *, offset: int, limit: int) -> Page[Outcome]:
        """Return every revision of a submission's outcome, newest first."""

    def write(
        self, outcome: Outcome, *, seen: int, grade: Grade | None = None, reason: str = ""
    ) -> Outcome | None:
        """Add the revision after ``seen`` with its grade; None when another one is stored."""

    def release_approved(self, assignment_id: UUID, by: str) -> tuple[UUID, ...]:
        """Release every approved outcome of an assignment; return their submissions."""


class OutcomeService:
    """Outcomes of entries: written, approved, released.

    Every method takes the caller first and checks their rights, but ``draft``, which is for
    programs of this server.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        outcomes: OutcomeStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        clock: Clock,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._outcomes = outcomes
        self._submissions = submissions
        self._blobs = blobs
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)

    # -- read --------------------------------------------------------------------------------

    def outcome(self, caller: Caller, submission_id: UUID) -> OutcomeView:
        """Return a submission's outcome: graders at any time, its student once it is released.

        For graders there is always one, of revision 0 while nothing is written. Raises
        ``NotFoundError`` for a student as long as it is not released.
        """
        submission = self._entry(caller, submission_id)
        outcome = self._outcomes.outcome(submission.id)
        is_staff = self._access.may_grade(caller, submission)
        if not is_staff and (outcome is None or outcome.state is not OutcomeState.RELEASED):
            msg = "The outcome of this submission is not released yet."
            raise NotFoundError(msg, field="submission")
        return self._view(submission, outcome, is_staff=is_staff)

    def revisions(
        self, caller: Caller, submission_id: UUID, *, offset: int, limit: int
    ) -> Page[OutcomeView]:
        """Return every revision, newest first: who or what wrote it, and who changed it. Graders.

        Raises ``NotFoundError`` or ``ForbiddenError``.
        """
        submission = self._judged(caller, submission_id)
        definition = self._definition(submission)
        page = self._outcomes.revisions(submission.id, offset=offset, limit=limit)
        views = (OutcomeView(submission, definition, each, True) for each in page.items)
        return Page(tuple(views), page.total, page.offset, page.limit)

    # -- write -------------------------------------------------------------------------------

    def write(
        self,
        caller: Caller,
        submission_id: UUID,
        results: Sequence[ResultInput],
        *,
        summary: str = "",
        private_note: str = "",
        revision: int,
    ) -> OutcomeView:
        """Write the next revision in the caller's name. Graders.

        ``revision`` is the one they saw, 0 for none. An approved outcome stays approved, with its
        new points. Raises ``EditConflictError`` when another revision is stored, ``ConflictError``
        when the outcome is released, ``InvalidInputError`` naming what cannot be used.
        """
        submission = self._judged(caller, submission_id)
        definition = self._definition(submission)
        now = self._outcomes.outcome(submission.id)
        is_approved = now is not None and now.state is OutcomeState.APPROVED
        made = Outcome(
            submission_id=submission.id,
            revision=revision,
            state=OutcomeState.APPROVED if is_approved else OutcomeState.DRAFT,
            results=checked_input(definition, results, is_complete=is_approved),
            summary=checked_words(summary, "summary"),
            private_note=checked_words(private_note, "private_note"),
            author_kind=AuthorKind.PERSON,
            author=caller.user,
            at=self._clock.now(),
            approved_by=caller.user if is_approved else None,
            changed_by=caller.user,
        )
        if (now.revision if now else 0) != revision:
            raise self._conflict(submission, definition, made, revision)
        if now is not None and now.state is OutcomeState.RELEASED:
            msg = "state: this outcome is released. Withdraw it first, then change it."
            raise ConflictError(msg, field="state")
        return self._write(caller, submission, definition, made, revision)

    def change(
        self, caller: Caller, submission_id: UUID, change: OutcomeChange, *, revision: int
    ) -> OutcomeView:
        """Approve, release, withdraw or reopen an outcome. Graders.

        Approving asks for a level of every criterion and makes the grade; releasing shows it to
        the student; reopening takes the grade away. Raises ``EditConflictError`` when another
        revision than the one that was seen is stored, ``ConflictError`` when its state does not
        allow this.
        """
        submission = self._judged(caller, submission_id)
        definition = self._definition(submission)
        now = self._outcomes.outcome(submission.id)
        if now is None:
            msg = "state: nothing is written about this submission yet. Write an outcome first."
            raise ConflictError(msg, field="state")
        if now.revision != revision:
            raise self._conflict(submission, definition, now, revision)
        made = replace(now, state=change.after(now.state), changed_by=caller.user)
        if change is OutcomeChange.APPROVE:
            checked_results(definition.rubric, now.results, is_complete=True)
            made = replace(made, approved_by=caller.user)
        elif change is OutcomeChange.REOPEN:
            made = replace(made, approved_by=None)
        return self._write(caller, submission, definition, made, revision, change)

    def release_approved(self, caller: Caller, course_name: str, name: str) -> int:
        """Release every approved outcome of an entry at once; return how many. Instructors."""
        course = self._access.author(caller, course_name)
        assignment = checked_kind(self._courses.assignment(course.id, name), AssignmentKind.ENTRY)
        released = self._outcomes.release_approved(assignment.id, caller.user)
        note(
            self._audit,
            caller.user,
            "outcomes.released",
            f"{course_name}/{name}",
            {"released": len(released)},
        )
        return len(released)

    def draft(
        self,
        program: str,
        submission_id: UUID,
        results: Sequence[ResultInput],
        *,
        summary: str = "",
        private_note: str = "",
    ) -> Outcome:
        """Write a draft in a program's name (with its version); it may leave criteria out.

        No endpoint reaches this. Raises ``ConflictError`` as soon as a person has written, approved
        or reopened anything: a program never writes over a person.
        """
        if not 0 < len(program) <= _MAX_AUTHOR or not program.isprintable():
            msg = f"program: use 1 to {_MAX_AUTHOR} printable characters, with its version."
            raise InvalidInputError(msg, field="program")
        submission = self._submissions.submission(submission_id)
        checked_attempt(submission, AssignmentKind.ENTRY)
        definition = self._definition(submission)
        now = self._outcomes.outcome(submission.id)
        if now is not None and (now.changed_by or now.author_kind is AuthorKind.PERSON):
            msg = "outcome: a person has worked on it already; a program does not write over that."
            raise ConflictError(msg, field="outcome")
        made = Outcome(
            submission_id=submission.id,
            revision=0,
            state=OutcomeState.DRAFT,
            results=checked_input(definition, results, is_complete=False),
            summary=checked_words(summary, "summary"),
            private_note=checked_words(private_note, "private_note"),
            author_kind=AuthorKind.PROGRAM,
            author=program,
            at=self._clock.now(),
        )
        written = self._outcomes.write(made, seen=now.revision if now else 0)
        if written is None:
            msg = "outcome: somebody saved in the meantime; this draft is not kept."
            raise ConflictError(msg, field="outcome")
        note(self._audit, program, "outcome.drafted", str(submission.id), {})
        return written

    # -- parts -------------------------------------------------------------------------------

    def _write(
        self,
        caller: Caller,
        submission: Submission,
        definition: EntryDefinition,
        made: Outcome,
        seen: int,
        change: OutcomeChange | None = None,
    ) -> OutcomeView:
        grade = None
        if made.state is OutcomeState.APPROVED and change is not OutcomeChange.WITHDRAW:
            page = outcome_page(submission, without_notes(definition), made)
            grade = grade_of_outcome(
                submission, definition, made, self._blobs.put(page), self._clock.now()
            )
        written = self._outcomes.write(made, seen=seen, grade=grade)
        if written is None:
            raise self._conflict(submission, definition, made, seen)
        action = "written" if change is None else change.value
        detail = {"revision": written.revision, "points": written.points}
        note(self._audit, caller.user, f"outcome.{action}", str(submission.id), detail)
        return self._view(submission, written, is_staff=True)

    def _conflict(
        self, submission: Submission, definition: EntryDefinition, yours: Outcome, seen: int
    ) -> EditConflictError:
        stored = self._outcomes.outcome(submission.id)
        number = stored.revision if stored else 0
        msg = (
            f"revision: you saw revision {seen}, and revision {number} is stored now. "
            "Look at both, then save again with the revision that is stored."
        )
        return EditConflictError(
            msg,
            yours=OutcomeView(submission, definition, yours, True).data(),
            theirs=OutcomeView(submission, definition, stored, True).data(),
            field="revision",
        )

    def _entry(self, caller: Caller, submission_id: UUID) -> Submission:
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:
            submission = None
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        checked_attempt(submission, AssignmentKind.ENTRY)
        return submission

    def _judged(self, caller: Caller, submission_id: UUID) -> Submission:
        submission = self._entry(caller, submission_id)
        if not self._access.may_grade(caller, submission):
            msg = "Only a grader of this course may do this with an outcome."
            raise ForbiddenError(msg)
        return submission

    def _definition(self, submission: Submission) -> EntryDefinition:
        version = self._courses.version(submission.version_id)
        return read_definition(self._blobs.get(version.source_digest))

    def _view(
        self, submission: Submission, outcome: Outcome | None, *, is_staff: bool
    ) -> OutcomeView:
        return OutcomeView(submission, self._definition(submission), outcome, is_staff)
