"""Many submissions graded together: progress, cancel, report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.batches import Batch, BatchItem, BatchScope
from jupyter_ppo.domain.courses import Assignment, AssignmentKind
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.ports import CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note

#: The most submissions that one request names, and the most letters of its reason.
MAX_LISTED = 5_000
MAX_REASON = 2_000


class BatchStore(Protocol):
    """What is stored of batches, and of the queue that they are graded from."""

    def create(
        self,
        assignment: Assignment,
        *,
        created_by: str,
        reason: str,
        scope: BatchScope,
        submissions: Collection[UUID] = (),
        newest_version: bool = False,
    ) -> Batch:
        """Queue these submissions in one transaction, and remember what they score now."""

    def batch(self, batch_id: UUID) -> Batch:
        """Return a batch and how far it is; raise ``NotFoundError``."""

    def batches(
        self, course_id: UUID, *, assignment_id: UUID | None = None, offset: int, limit: int
    ) -> Page[Batch]:
        """Return a course's batches, newest first."""

    def items(
        self, batch_id: UUID, *, changed: bool = False, offset: int, limit: int
    ) -> Page[BatchItem]:
        """Return the submissions of a batch; with ``changed`` those whose points differ now."""

    def cancel(self, batch_id: UUID) -> Batch:
        """Cancel what of a batch is not over; raise ``NotFoundError``."""

    def cancel_submission(self, submission_id: UUID) -> bool:
        """Cancel one submission's grading; say whether there was any."""

    def queue(self, course_id: UUID) -> Mapping[JobState, int]:
        """Return how many submissions of a course are QUEUED and LEASED."""

    def places(self, course_id: UUID, user: str) -> tuple[tuple[UUID, int], ...]:
        """Return a person's submissions that wait, with their places in the server's queue."""


@dataclass(frozen=True, slots=True)
class CourseQueue:
    """How busy grading is. ``own`` are the caller's submissions with their places, 1 for the next.

    Places are those of the one queue of this server: other courses' submissions count too.
    """

    waiting: int
    grading: int
    own: tuple[tuple[UUID, int], ...]


class BatchService:
    """Many submissions graded together: progress, cancel, report.

    Every method takes the caller first and checks their rights. ``on_queued`` is called after
    submissions were queued, so that a worker need not wait for its next look at the queue.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        batches: BatchStore,
        submissions: SubmissionStore,
        on_queued: Callable[[], None],
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._batches = batches
        self._submissions = submissions
        self._on_queued = on_queued
        self._audit = audit
        self._access = Access(courses)

    def create(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        *,
        scope: BatchScope,
        submissions: Collection[UUID] = (),
        newest_version: bool = False,
        reason: str = "",
    ) -> Batch:
        """Queue submissions of an assignment to be graded, or graded again. Graders only.

        ``submissions`` are for the scope LISTED. Grades stay until the new ones are stored, and
        marks outlive them. Raises ``InvalidInputError`` naming the part that does not fit or the
        scope in which there is nothing, ``ConflictError`` for an entry, which no program grades.
        """
        course = self._access.grader(caller, course_name)
        _check(scope, submissions, reason)
        assignment = self._courses.assignment(course.id, assignment_name)
        if assignment.kind is AssignmentKind.ENTRY:
            msg = (
                f"assignment: {assignment_name!r} is an entry: people judge it by its rubric, and "
                "no program grades it."
            )
            raise ConflictError(msg, field="assignment")
        batch = self._batches.create(
            assignment,
            created_by=caller.user,
            reason=reason.strip(),
            scope=scope,
            submissions=submissions,
            newest_version=newest_version,
        )
        detail = {
            "batch": str(batch.id),
            "scope": scope,
            "submissions": batch.total,
            "version": batch.version_number,
            "reason": batch.reason,
        }
        subject = f"{course_name}/{assignment_name}"
        note(self._audit, caller.user, "batch.created", subject, detail)
        self._on_queued()
        return batch

    def batch(self, caller: Caller, batch_id: UUID) -> Batch:
        """Return a batch and how far it is; raise ``NotFoundError`` to all but its graders."""
        try:
            batch = self._batches.batch(batch_id)
            self._access.grader(caller, batch.course_name)
        except (NotFoundError, ForbiddenError):
            msg = "There is no such batch."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="batch") from None
        return batch

    def batches(
        self,
        caller: Caller,
        course_name: str,
        *,
        assignment: str | None = None,
        offset: int,
        limit: int,
    ) -> Page[Batch]:
        """Return a course's batches, newest first. Graders only."""
        course = self._access.grader(caller, course_name)
        found = self._courses.assignment(course.id, assignment) if assignment else None
        return self._batches.batches(
            course.id, assignment_id=found.id if found else None, offset=offset, limit=limit
        )

    def items(
        self, caller: Caller, batch_id: UUID, *, changed: bool = False, offset: int, limit: int
    ) -> Page[BatchItem]:
        """Return the submissions of a batch, with what they scored before and after. Graders only.

        ``changed`` keeps those whose points differ now, in all or in one exercise.
        """
        self.batch(caller, batch_id)
        return self._batches.items(batch_id, changed=changed, offset=offset, limit=limit)

    def cancel(self, caller: Caller, batch_id: UUID) -> Batch:
        """Cancel what of a batch is not over; again changes nothing. Graders only.

        What was graded stays graded. The rest is what it was before, and its worker stops within
        seconds. A submission that another open batch waits for goes on there.
        """
        before = self.batch(caller, batch_id)
        after = self._batches.cancel(batch_id)
        if not before.is_over:
            counts = {str(state): count for state, count in after.counts.items() if count}
            note(self._audit, caller.user, "batch.cancelled", str(batch_id), counts)
        return after

    def cancel_submission(self, caller: Caller, submission_id: UUID) -> Submission:
        """Cancel one submission's grading; one that is not under way is returned as it is.

        Graders only. It is graded or submitted again, as it was before.
        """
        submission = self._seen(caller, submission_id)
        if not self._access.may_grade(caller, submission):
            msg = "Only a grader of this course may cancel the grading of a submission."
            raise ForbiddenError(msg)
        if self._batches.cancel_submission(submission_id):
            note(self._audit, caller.user, "submission.cancelled", str(submission_id), {})
        return self._submissions.submission(submission_id)

    def queue(self, caller: Caller, course_name: str) -> CourseQueue:
        """Return how many submissions of a course wait, and where the caller's own are. Members."""
        course, _ = self._access.course(caller, course_name)
        counts = self._batches.queue(course.id)
        return CourseQueue(
            waiting=counts.get(JobState.QUEUED, 0),
            grading=counts.get(JobState.LEASED, 0),
            own=self._batches.places(course.id, caller.user),
        )

    def _seen(self, caller: Caller, submission_id: UUID) -> Submission:
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:
            submission = None
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        return submission


def _check(scope: BatchScope, submissions: Collection[UUID], reason: str) -> None:
    is_listed = scope is BatchScope.LISTED
    if is_listed and not 0 < len(submissions) <= MAX_LISTED:
        msg = f"submissions: the scope {scope.value!r} needs 1 to {MAX_LISTED:,} of them."
        raise InvalidInputError(msg, field="submissions")
    if submissions and not is_listed:
        msg = (
            f"submissions: they are for the scope {BatchScope.LISTED.value!r}; leave them out with "
            f"{scope.value!r}."
        )
        raise InvalidInputError(msg, field="submissions")
    if len(reason) > MAX_REASON or "\0" in reason:
        msg = f"reason: use at most {MAX_REASON:,} characters, and no NUL."
        raise InvalidInputError(msg, field="reason")
