"""Outlines of courses, read from the authors' files once a version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.chapter_outline import chapter_outline
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.outline import FoundOutline, OutlineChapter
from jupyter_ppo.domain.ports import BlobStore
from jupyter_ppo.domain.terms import Terms

_log = logging.getLogger(__name__)


class OutlineStore(Protocol):
    """What is known of every version."""

    def outline(self, course_id: UUID) -> FoundOutline:
        """Return the outline of the newest versions, with the terms for everybody."""

    def own(self, course_id: UUID, user: str) -> tuple[FoundOutline, Mapping[str, Terms]]:
        """Return the outline, and the terms as they are for ``user`` where these differ."""

    def put(self, version_id: UUID, chapter: OutlineChapter) -> None:
        """Keep what was read of a version; what is kept already stays."""

    def courses(self) -> tuple[UUID, ...]:
        """Return the courses that are not in the trash."""


class CourseOutlines:
    """Outlines of courses. Nobody's rights are checked here: this serves other services."""

    def __init__(self, *, outlines: OutlineStore, blobs: BlobStore) -> None:
        self._outlines = outlines
        self._blobs = blobs

    def outline(self, course_id: UUID) -> FoundOutline:
        """Return a course's outline, after reading the versions that are new."""
        found = self._outlines.outline(course_id)
        return self._outlines.outline(course_id) if self._read(found) else found

    def own(self, course_id: UUID, user: str) -> tuple[FoundOutline, Mapping[str, Terms]]:
        """Return the outline, and the terms as they are for ``user`` where these differ."""
        found, terms = self._outlines.own(course_id, user)
        return self._outlines.own(course_id, user) if self._read(found) else (found, terms)

    def fill(self, course_id: UUID) -> None:
        """Read the versions of a course that are new; what cannot be read is only logged."""
        try:
            self._read(self._outlines.outline(course_id))
        except PPOError as error:
            _log.warning("The outline of a course is not written: %s", error.message)

    def fill_all(self) -> None:
        """Read every version that is new: those that came before this server kept outlines."""
        for course_id in self.courses():
            self.fill(course_id)

    def courses(self) -> tuple[UUID, ...]:
        """Return the courses that are not in the trash."""
        return self._outlines.courses()

    def _read(self, found: FoundOutline) -> bool:
        """Read what is unread; return whether anything was."""
        is_any = False
        for version in found.unread:
            try:
                source = self._blobs.get(version.source_digest)
            except PPOError as error:  # shown by its graded cells, and tried again another time
                _log.warning("No outline of %r: %s", version.assignment, error.message)
                continue
            chapter = chapter_outline(version.assignment, version.kind, source, version.graded)
            self._outlines.put(version.version_id, chapter)
            is_any = True
        return is_any
