"""Everybody's own preferences: conflicts with both values, and an audit log without any."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import EditConflictError, InvalidInputError
from jupyter_ppo.domain.preferences import Mode, Preferences
from jupyter_ppo.services.preferences import PreferencesService
from jupyter_ppo.storage.preferences import PreferencesTable

World = Any
ADA, BOB = Caller("ada"), Caller("bob")


@pytest.fixture
def service(world: World) -> PreferencesService:
    return PreferencesService(preferences=PreferencesTable(world.database), audit=world.audit)


def noted(world: World) -> list[tuple[str, Any]]:
    page = world.audit.events(subject="preferences", offset=0, limit=50)
    assert {event.action for event in page.items} <= {"preferences.changed"}
    return [(event.user, event.detail) for event in reversed(page.items)]


def test_each_person_has_their_own(service: PreferencesService) -> None:
    service.patch(ADA, {"mode": "expert"})
    assert service.preferences(ADA).preferences.mode is Mode.EXPERT
    assert service.preferences(BOB).preferences == Preferences()
    service.replace(ADA, Preferences())
    assert service.preferences(ADA).preferences == Preferences()
    assert service.preferences(ADA).revision == 2


def test_the_audit_log_names_what_changed_and_never_the_values(
    service: PreferencesService, world: World
) -> None:
    service.patch(ADA, {"pseudonym": "quick fox", "chart": {"axis": "log"}})
    service.patch(ADA, {"pseudonym": "quick fox"})
    service.replace(BOB, Preferences())
    with pytest.raises(InvalidInputError):
        service.patch(ADA, {"mode": "wizard"})
    assert noted(world) == [("ada", {"fields": ["chart.axis", "pseudonym"]})]


def test_a_stale_revision_changes_nothing_and_both_values_are_told(
    service: PreferencesService, world: World
) -> None:
    seen = service.patch(ADA, {"mode": "standard"}).revision
    service.patch(ADA, {"theme": "dark"}, seen)
    with pytest.raises(EditConflictError, match="at revision 2 now, and you saw 1") as caught:
        service.patch(ADA, {"mode": "expert"}, seen)
    yours, theirs = caught.value.yours, caught.value.theirs
    assert (yours["revision"], theirs["revision"]) == (1, 2)
    assert (yours["preferences"]["mode"], theirs["preferences"]["mode"]) == ("expert", "standard")
    assert yours["preferences"]["theme"] == theirs["preferences"]["theme"] == "dark"
    with pytest.raises(EditConflictError):
        service.replace(ADA, Preferences(), seen)
    assert service.preferences(ADA).preferences.document() == theirs["preferences"]
    assert len(noted(world)) == 2
