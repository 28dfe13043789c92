"""What a person chose for themselves: shown, replaced, changed in part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import EditConflictError
from jupyter_ppo.domain.preferences import (
    Change,
    Preferences,
    StoredPreferences,
    changed_fields,
    patched,
)
from jupyter_ppo.services.audit import AuditLog, note


class PreferencesStore(Protocol):
    """Where they are kept."""

    def read(self, user: str) -> StoredPreferences:
        """Return the preferences of ``user``: the defaults, of revision 0, until they change."""

    def change(
        self, user: str, change: Callable[[Preferences], Preferences], seen: int | None
    ) -> Change:
        """Store what ``change`` makes of the preferences, if ``seen`` is None or the revision."""


class PreferencesService:
    """Everybody's own preferences; nobody sees or changes those of others here."""

    def __init__(self, *, preferences: PreferencesStore, audit: AuditLog) -> None:
        self._preferences = preferences
        self._audit = audit

    def preferences(self, caller: Caller) -> StoredPreferences:
        """Return the caller's preferences; the defaults until they change any."""
        return self._preferences.read(caller.user)

    def replace(
        self, caller: Caller, preferences: Preferences, seen: int | None = None
    ) -> StoredPreferences:
        """Put these in the place of the caller's preferences.

        ``seen`` is the revision that they were made from, None: whichever is stored. Raises
        ``EditConflictError`` with both when another device saved in between.
        """
        return self._change(caller, lambda _: preferences, seen)

    def patch(self, caller: Caller, patch: object, seen: int | None = None) -> StoredPreferences:
        """Change what a JSON merge patch names, null bringing a default back; keep the rest.

        Raises ``InvalidInputError`` naming the field that cannot be used, and what ``replace``
        raises.
        """
        return self._change(caller, lambda before: patched(before, patch), seen)

    def _change(
        self, caller: Caller, change: Callable[[Preferences], Preferences], seen: int | None
    ) -> StoredPreferences:
        made = self._preferences.change(caller.user, change, seen)
        if made.is_stale:
            msg = (
                f"If-Match: your preferences are at revision {made.after.revision} now, and you "
                f"saw {seen}: another device or tab saved. Look at them and save again."
            )
            yours = StoredPreferences(made.wanted, seen or 0)
            raise EditConflictError(
                msg, yours=_data(yours), theirs=_data(made.after), field="If-Match"
            )
        names = changed_fields(made.before.preferences, made.after.preferences)
        if names:
            # Without the values: what somebody chose for themselves is nobody's business.
            note(self._audit, caller.user, "preferences.changed", "preferences", {"fields": names})
        return made.after


def _data(stored: StoredPreferences) -> dict[str, Any]:
    """Return preferences as plain data, in the shape in which they are answered."""
    changed = stored.updated_at
    return {
        "revision": stored.revision,
        "updated_at": None if changed is None else changed.isoformat(),
        "preferences": stored.preferences.document(),
    }
