"""Versions of assignments: listed, downloaded, published again."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, AssignmentVersion, VersionUse
from jupyter_ppo.domain.entries import checked_kind
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.marks import checked_text
from jupyter_ppo.domain.ports import BlobStore, CourseStore, Page
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note

MAX_NOTE = 2_000


class VersionStore(Protocol):
    """Every version of an assignment, not only the newest."""

    def versions(self, assignment_id: UUID, *, offset: int, limit: int) -> Page[VersionUse]:
        """Return an assignment's versions, newest first."""

    def version(self, assignment_id: UUID, number: int) -> AssignmentVersion:
        """Return one version of an assignment; raise ``NotFoundError``."""


class VersionFile(StrEnum):
    """Which file of a version."""

    SOURCE = "source"  # the author's, with solutions and hidden tests
    RELEASE = "release"  # the students' copy, before anybody's seed


class VersionService:
    """Versions of assignments: listed, downloaded, published again.

    Every method takes the caller first and checks their rights. ``on_released`` is called with the
    course after a release.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        versions: VersionStore,
        blobs: BlobStore,
        audit: AuditLog,
        on_released: Callable[[UUID], None] = lambda _: None,
    ) -> None:
        self._courses = courses
        self._versions = versions
        self._blobs = blobs
        self._audit = audit
        self._on_released = on_released
        self._access = Access(courses)

    def versions(
        self, caller: Caller, course_name: str, name: str, *, offset: int, limit: int
    ) -> Page[VersionUse]:
        """Return an assignment's versions, newest first, with their use. Graders only."""
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        return self._versions.versions(assignment.id, offset=offset, limit=limit)

    def notebook(
        self, caller: Caller, course_name: str, name: str, number: int, kind: VersionFile
    ) -> bytes:
        """Return a file of one version as it was kept. Instructors only."""
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        checked_kind(assignment, AssignmentKind.NOTEBOOK)
        version = self._versions.version(assignment.id, number)
        is_source = kind is VersionFile.SOURCE
        return self._blobs.get(version.source_digest if is_source else version.release_digest)

    def publish_again(
        self, caller: Caller, course_name: str, name: str, number: int, words: str = ""
    ) -> Assignment:
        """Make an earlier version the newest, under the next number. Instructors only.

        Submissions stay on the version that they are on until they are graded on another one.
        """
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        version = self._versions.version(assignment.id, number)
        made = self._courses.release(
            course.id,
            name,
            source_digest=version.source_digest,
            release_digest=version.release_digest,
            exercises=version.exercises,
            kind=assignment.kind,
            note=checked_note(words) or f"Version {number} again.",
            released_by=caller.user,
        )
        note(
            self._audit,
            caller.user,
            "assignment.released",
            f"{course_name}/{name}",
            {"version": made.version.number, "again": number},
        )
        self._on_released(course.id)
        return made


def checked_note(words: str) -> str:
    """Return what is said of a version, without blanks around it.

    Raises ``InvalidInputError`` (field ``note``) when it is too long or cannot be stored.
    """
    if len(words) > MAX_NOTE:
        msg = f"note: it has {len(words):,} characters; use at most {MAX_NOTE:,}."
        raise InvalidInputError(msg, field="note")
    return checked_text(words.strip(), "note")
