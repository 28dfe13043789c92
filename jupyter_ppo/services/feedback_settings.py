"""How a course and its assignments want hints, explanations and language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import EditConflictError
from jupyter_ppo.domain.feedback_settings import (
    FeedbackSettings,
    StoredSettings,
    checked_document,
)
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.domain.tutoring import Caps
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note


class SettingsStore(Protocol):
    """Where settings are kept; ``assignment_id`` None is the course."""

    def read(self, course_id: UUID, assignment_id: UUID | None) -> StoredSettings:
        """Return what was chosen."""

    def effective(self, course_id: UUID, assignment_id: UUID | None) -> FeedbackSettings:
        """Return what holds."""

    def write(
        self,
        course_id: UUID,
        assignment_id: UUID | None,
        document: dict[str, Any],
        *,
        seen: int | None,
        by: str,
    ) -> StoredSettings | None:
        """Store a checked document; None when ``seen`` is not the stored revision."""


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What was chosen for a scope, what holds in it, and the most that anybody may choose."""

    stored: StoredSettings
    effective: FeedbackSettings
    ceilings: Caps
    currency: str

    def data(self) -> dict[str, Any]:
        """Return what was chosen as plain data, as it is answered."""
        return {"revision": self.stored.revision, "settings": dict(self.stored.document)}


class FeedbackSettingsService:
    """Members read what holds; instructors choose. Every method takes the caller first.

    ``assignment_name`` None is the course itself.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        settings: SettingsStore,
        audit: AuditLog,
        ceilings: Caps,
        currency: str,
    ) -> None:
        self._courses = courses
        self._settings = settings
        self._audit = audit
        self._ceilings = ceilings
        self._currency = currency
        self._access = Access(courses)

    def read(
        self, caller: Caller, course_name: str, assignment_name: str | None = None
    ) -> SettingsView:
        """Return the settings of a course or an assignment. Members; raises ``NotFoundError``."""
        course, _ = self._access.course(caller, course_name)
        return self._view(course.id, self._assignment(course.id, assignment_name))

    def write(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str | None,
        document: Mapping[str, Any],
        *,
        seen: int | None = None,
    ) -> SettingsView:
        """Put a document in the place of what was chosen; null or absence is to inherit.

        Instructors only. ``seen`` is the revision it was made from, None: whichever is stored.
        Raises ``InvalidInputError`` naming the field, ``EditConflictError`` with both when somebody
        saved in between.
        """
        course = self._access.author(caller, course_name)
        assignment_id = self._assignment(course.id, assignment_name)
        chosen = checked_document(document)
        stored = self._settings.write(course.id, assignment_id, chosen, seen=seen, by=caller.user)
        view = self._view(course.id, assignment_id)
        if stored is None:
            msg = (
                f"If-Match: these settings are at revision {view.stored.revision} now, and you saw "
                f"{seen}: somebody saved in between. Look at both and save again."
            )
            yours = {"revision": seen, "settings": chosen}
            raise EditConflictError(msg, yours=yours, theirs=view.data(), field="If-Match")
        subject = course_name if assignment_name is None else f"{course_name}/{assignment_name}"
        note(self._audit, caller.user, "feedback_settings.changed", subject, chosen)
        return view

    def _assignment(self, course_id: UUID, name: str | None) -> UUID | None:
        return None if name is None else self._courses.assignment(course_id, name).id

    def _view(self, course_id: UUID, assignment_id: UUID | None) -> SettingsView:
        return SettingsView(
            self._settings.read(course_id, assignment_id),
            self._settings.effective(course_id, assignment_id),
            self._ceilings,
            self._currency,
        )
