"""Taking in what is handed in: found by its cells, checked, kept, queued."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course, Role, checked_user
from jupyter_ppo.domain.entries import checked_kind
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, WrongAssignmentError
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    ReleasedNotebook,
    SubmissionStore,
)
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.domain.terms import check_opened, check_time
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.paging import every_page

_PAGE = 500
#: How far ahead another machine's clock may be.
_SKEW = timedelta(minutes=5)
_KEY = re.compile(r"[\x20-\x7e]{1,200}")


class SubmissionIntake:
    """Keeps notebooks as attempts; whoever calls it has looked at the caller's rights.

    ``on_queued`` is called after a submission was queued. ``attempts_per_hour`` bounds what a
    student may hand in for one assignment (0: no bound), since each grade tells a little of the
    tests.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        grader: Grader,
        audit: AuditLog,
        clock: Clock,
        attempts_per_hour: int,
        on_queued: Callable[[], None],
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._grader = grader
        self._audit = audit
        self._clock = clock
        self._attempts_per_hour = attempts_per_hour
        self._on_queued = on_queued

    def find(self, course: Course, role: Role, data: bytes) -> Assignment:
        """Return the assignment of this course that the notebook belongs to, by its graded cells.

        The name of a file plays no part. Raises ``WrongAssignmentError`` naming the assignments
        when it is none or more than one, ``InvalidNotebookError`` when it cannot be read.
        """
        grade_ids = self._grader.grade_ids(data)
        return matching(self._open_notebooks(course, role), grade_ids)

    def submit(
        self,
        caller: Caller,
        role: Role,
        assignment: Assignment,
        data: bytes,
        idempotency_key: str | None,
    ) -> Submission:
        """Keep the notebook as the caller's next attempt; the bytes are on disk before it returns.

        Raises as ``AssessmentService.submit``.
        """
        checked_kind(assignment, AssignmentKind.NOTEBOOK)
        if not role.may_grade:
            check_opened(assignment.terms, assignment.name, self._clock.now())
        key = None if idempotency_key is None else checked_key(idempotency_key)
        digest, warnings = self._received(assignment, data)
        submission = self._submissions.submit(
            assignment,
            caller.user,
            digest,
            warnings,
            attempts_per_hour=0 if role.may_grade else self._attempts_per_hour,
            is_bound=not role.may_grade,
            idempotency_key=key,
        )
        if not submission.is_repeat:
            self._noted(caller, submission)
        return submission

    def collect(
        self,
        caller: Caller,
        assignment: Assignment,
        user: str,
        data: bytes,
        submitted_at: datetime | None,
    ) -> tuple[Submission | None, bool]:
        """Take in a notebook for ``user``; return the attempt, and whether they were enrolled now.

        The attempt is None when any of theirs holds the very same bytes. Raises ``ConflictError``
        for a person who was removed from the course: only instructors bring them back, and
        ``InvalidInputError`` for a time that cannot be used or is yet to come.
        """
        checked_kind(assignment, AssignmentKind.NOTEBOOK)
        user = checked_user(user)
        if self._courses.was_removed(assignment.course_id, user):
            msg = f"user: {user!r} was removed from this course. Have an instructor enrol them."
            raise ConflictError(msg, field="user")
        if submitted_at is not None:
            check_time(submitted_at, "submitted_at")
            if submitted_at > self._clock.now() + _SKEW:  # it would be the latest for good
                msg = f"submitted_at: {submitted_at.isoformat()} is yet to come. Give the real one."
                raise InvalidInputError(msg, field="submitted_at")
        digest, warnings = self._received(assignment, data)
        enrolled = self._courses.membership(assignment.course_id, user) is None
        if enrolled:
            self._courses.enrol(assignment.course_id, user, Role.STUDENT)
        if any(item.digest == digest for item in self._attempts(assignment, user)):
            return None, enrolled
        submission = self._submissions.submit(
            assignment,
            user,
            digest,
            warnings,
            submitted_at=submitted_at,
            collected_by=caller.user,
        )
        self._noted(caller, submission)
        return submission, enrolled

    def _received(self, assignment: Assignment, data: bytes) -> tuple[str, tuple[str, ...]]:
        version = assignment.version
        released = ReleasedNotebook(self._blobs.get(version.release_digest), version.exercises)
        warnings = self._grader.check(data, released)
        return self._blobs.put(data), warnings

    def _noted(self, caller: Caller, submission: Submission) -> None:
        detail = {"digest": submission.digest}
        note(self._audit, caller.user, "submission.received", str(submission.id), detail)
        self._on_queued()

    def _attempts(self, assignment: Assignment, user: str) -> Iterator[Submission]:
        return every_page(
            lambda offset: self._submissions.submissions(
                assignment.course_id,
                user=user,
                assignment_id=assignment.id,
                offset=offset,
                limit=_PAGE,
            )
        )

    def _open_notebooks(self, course: Course, role: Role) -> Iterator[Assignment]:
        opened_by = None if role.may_grade else self._clock.now()
        every = every_page(
            lambda offset: self._courses.assignments(
                course.id, opened_by=opened_by, offset=offset, limit=_PAGE
            )
        )
        return (each for each in every if each.kind is AssignmentKind.NOTEBOOK)


def matching(assignments: Iterable[Assignment], grade_ids: Collection[str]) -> Assignment:
    """Return the assignment of which most exercises, and more than half, are in ``grade_ids``.

    Raises ``WrongAssignmentError`` (field ``notebook``) that names the assignments when there is
    none, or when two fit equally well.
    """
    every = list(assignments)
    found = set(grade_ids)
    fits: list[tuple[float, int, Assignment]] = []
    for each in every:
        wanted = {exercise.grade_id for exercise in each.version.exercises}
        shared = len(wanted & found)
        if shared * 2 > len(wanted):
            fits.append((shared / len(wanted), shared, each))
    if not fits:
        msg = (
            "notebook: its graded cells are of no assignment in this course "
            f"({_names(every)}). Name the assignment, or hand in the notebook that was released."
        )
        raise WrongAssignmentError(msg, field="notebook")
    best = max((share, shared) for share, shared, _ in fits)
    chosen = [each for share, shared, each in fits if (share, shared) == best]
    if len(chosen) > 1:
        msg = (
            f"notebook: its graded cells fit {len(chosen)} assignments equally well "
            f"({_names(chosen)}). Name the one that it is for."
        )
        raise WrongAssignmentError(msg, field="notebook")
    return chosen[0]


def checked_key(key: str) -> str:
    """Return ``key`` if it can be an idempotency key; else raise ``InvalidInputError``."""
    if not _KEY.fullmatch(key):
        msg = "Idempotency-Key: use 1 to 200 printable ASCII characters, such as a UUID."
        raise InvalidInputError(msg, field="Idempotency-Key")
    return key


def _names(assignments: list[Assignment]) -> str:
    names = [each.name for each in assignments]
    if not names:
        return "there are none"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
