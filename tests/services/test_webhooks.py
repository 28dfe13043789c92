"""What instructors do with the webhooks of their course, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.webhook_addresses import AllowedHosts
from jupyter_ppo.domain.webhooks import SUBSCRIBABLE, DeliveryState, WebhookEvent
from jupyter_ppo.services.webhooks import MadeWebhook, WebhookService
from jupyter_ppo.storage.audit import Audit, AuditEvent
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox
from jupyter_ppo.storage.webhooks import Webhooks

INES, GIL, SAM, OTO = Caller("ines"), Caller("gil"), Caller("sam"), Caller("oto")
URL = "https://hooks.example/a-secret-of-theirs"


class World:
    def __init__(self, folder: Path) -> None:
        self.database = open_database(sqlite_url(folder / "ppo.sqlite"))
        courses = Courses(self.database)
        course = courses.create_course("ppo", "PPO")
        courses.enrol(course.id, "ines", Role.INSTRUCTOR)
        courses.enrol(course.id, "gil", Role.GRADER)
        courses.enrol(course.id, "sam", Role.STUDENT)
        other = courses.create_course("other", "Other")
        courses.enrol(other.id, "oto", Role.INSTRUCTOR)
        courses.enrol(other.id, "ines", Role.INSTRUCTOR)
        self.key = folder / BOX_KEY_FILE
        self.wakes = 0
        self.webhooks = WebhookService(
            courses=courses,
            webhooks=Webhooks(self.database),
            box=SecretBox(self.key),
            allowed=AllowedHosts(["127.0.0.1"]),
            on_queued=self.wake,
            audit=Audit(self.database),
        )

    def wake(self) -> None:
        self.wakes += 1

    def make(self, url: str = URL) -> MadeWebhook:
        return self.webhooks.create(INES, "ppo", " LMS ", url, SUBSCRIBABLE)

    def audited(self) -> list[AuditEvent]:
        return list(reversed(Audit(self.database).events(offset=0, limit=50).items))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def test_only_instructors_of_the_course_have_its_webhooks(world: World) -> None:
    webhooks, made = world.webhooks, world.make().webhook
    ping = webhooks.test(INES, "ppo", made.id)
    for caller, refused in ((GIL, ForbiddenError), (SAM, ForbiddenError), (OTO, NotFoundError)):
        calls: list[Callable[[Caller], Any]] = [
            lambda who: webhooks.create(who, "ppo", "x", URL, SUBSCRIBABLE),
            lambda who: webhooks.of_course(who, "ppo", offset=0, limit=5),
            lambda who: webhooks.webhook(who, "ppo", made.id),
            lambda who: webhooks.change(who, "ppo", made.id, is_active=False),
            lambda who: webhooks.rotate(who, "ppo", made.id),
            lambda who: webhooks.delete(who, "ppo", made.id),
            lambda who: webhooks.test(who, "ppo", made.id),
            lambda who: webhooks.deliveries(who, "ppo", made.id, offset=0, limit=5),
            lambda who: webhooks.replay(who, "ppo", ping.id),
        ]
        for call in calls:
            with pytest.raises(refused):
                call(caller)
    assert webhooks.of_course(INES, "ppo", offset=0, limit=5).items == (made,)


def test_a_webhook_of_another_course_looks_like_one_that_is_not_there(world: World) -> None:
    webhooks, made = world.webhooks, world.make().webhook
    ping = webhooks.test(INES, "ppo", made.id)
    for webhook_id, delivery_id in ((made.id, ping.id), (new_id(), new_id())):
        calls: list[Callable[[], Any]] = [
            lambda each=webhook_id: webhooks.webhook(INES, "other", each),
            lambda each=webhook_id: webhooks.delete(INES, "other", each),
            lambda each=webhook_id: webhooks.rotate(INES, "other", each),
            lambda each=webhook_id: webhooks.test(INES, "other", each),
            lambda each=webhook_id: webhooks.deliveries(INES, "other", each, offset=0, limit=5),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match=rf"There is no webhook '{webhook_id}'\."):
                call()
        with pytest.raises(NotFoundError, match=rf"There is no delivery '{delivery_id}'\."):
            webhooks.replay(INES, "other", delivery_id)


def test_secrets_are_shown_once_and_kept_sealed(world: World) -> None:
    made = world.make()
    rotated = world.webhooks.rotate(INES, "ppo", made.webhook.id, 2)
    assert made.secret != rotated.secret
    assert made.webhook.name == "LMS"
    lasting = str(world.webhooks.webhook(INES, "ppo", made.webhook.id))
    world.database.close()
    kept = b"".join(each.read_bytes() for each in world.key.parent.glob("ppo.sqlite*"))
    for secret in (made.secret, rotated.secret):
        assert secret not in lasting
        assert secret.encode() not in kept


def test_without_a_key_nothing_is_registered(world: World) -> None:
    world.key.write_bytes(b"no key")
    world.key.chmod(0o600)
    with pytest.raises(UnavailableError, match="no key of ours"):
        world.make()
    assert world.webhooks.of_course(INES, "ppo", offset=0, limit=5).total == 0


def test_what_is_given_is_changed_and_what_is_wrong_is_named(world: World) -> None:
    webhooks, made = world.webhooks, world.make("http://127.0.0.1:9/").webhook
    events = [WebhookEvent.GRADED]
    changed = webhooks.change(INES, "ppo", made.id, events=events, is_active=False)
    assert (changed.events, changed.is_active) == ((WebhookEvent.GRADED,), False)
    assert (changed.name, changed.url) == (made.name, made.url)
    for field, wrong in (
        ("url", {"url": "https://10.0.0.1/"}),
        ("url", {"url": "http://hooks.example/"}),
        ("name", {"name": ""}),
        ("events", {"events": []}),
    ):
        with pytest.raises(InvalidInputError) as error:
            webhooks.change(INES, "ppo", made.id, **wrong)  # type: ignore[arg-type]
        assert error.value.field == field
    with pytest.raises(InvalidInputError, match="overlap_hours"):
        webhooks.rotate(INES, "ppo", made.id, 169)
    assert webhooks.webhook(INES, "ppo", made.id) == changed


def test_a_test_and_a_replay_are_queued_and_wake_who_sends(world: World) -> None:
    webhooks, made = world.webhooks, world.make().webhook
    ping = webhooks.test(INES, "ppo", made.id)
    assert (ping.event, ping.state, world.wakes) == (WebhookEvent.PING, DeliveryState.WAITING, 1)
    assert webhooks.replay(INES, "ppo", ping.id).id == ping.id
    assert world.wakes == 2
    waiting = webhooks.deliveries(
        INES, "ppo", made.id, state=DeliveryState.WAITING, offset=0, limit=5
    )
    assert [each.id for each in waiting.items] == [ping.id]


def test_every_change_is_audited_without_secrets(world: World) -> None:
    webhooks, made = world.webhooks, world.make()
    wanted = made.webhook.id
    webhooks.change(INES, "ppo", wanted, is_active=False)
    rotated = webhooks.rotate(INES, "ppo", wanted)
    ping = webhooks.test(INES, "ppo", wanted)
    webhooks.replay(INES, "ppo", ping.id)
    webhooks.delete(INES, "ppo", wanted)
    events = world.audited()
    assert [each.action.removeprefix("webhook.") for each in events] == [
        "created",
        "changed",
        "rotated",
        "tested",
        "replayed",
        "deleted",
    ]
    assert {each.user for each in events} == {"ines"}
    assert {each.subject for each in events} == {f"ppo/{wanted}"}
    assert events[0].detail["origin"] == "https://hooks.example:443"
    assert events[1].detail["is_active"] is False
    assert events[4].detail["delivery"] == str(ping.id)
    for secret in (made.secret, rotated.secret, "a-secret-of-theirs"):
        assert secret not in str(events)
