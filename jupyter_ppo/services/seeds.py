"""Whose notebook has which seed, for assignments that draw their data from one."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.courses import AssignmentVersion
from jupyter_ppo.domain.ports import BlobStore, Grader
from jupyter_ppo.domain.seeds import personal_seed


class CourseSecrets(Protocol):
    """Where each course's secret is kept."""

    def secret(self, course_id: UUID) -> bytes:
        """Return the course's secret, which never changes."""

    def first_version(self, assignment_id: UUID) -> UUID:
        """Return the id of an assignment's version 1; raise ``NotFoundError``."""


class PersonalSeeds:
    """Says each person's seed: the same whenever it is asked for, also when grading again.

    It belongs to the assignment, not to one version of it: who got their data before a fix was
    published is graded on the fixed version with the same data.
    """

    def __init__(self, secrets: CourseSecrets, blobs: BlobStore, grader: Grader) -> None:
        self._secrets = secrets
        self._blobs = blobs
        self._grader = grader

    def seed(self, course_id: UUID, version: AssignmentVersion, user: str) -> int | None:
        """Return ``user``'s seed in this version of an assignment; None if it uses none."""
        if not self._grader.uses_seed(self._blobs.get(version.source_digest)):
            return None
        first = self._secrets.first_version(version.assignment_id)
        return personal_seed(self._secrets.secret(course_id), first, user)

    def copy(self, course_id: UUID, version: AssignmentVersion, user: str) -> bytes:
        """Return the students' copy of this version as ``user`` gets it."""
        released = self._blobs.get(version.release_digest)
        seed = self.seed(course_id, version, user)
        return released if seed is None else self._grader.personal(released, seed)
