"""Webhooks in the database, and what becomes of them with their course and their people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_ppo.domain.courses import Course
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.webhooks import (
    MAX_WEBHOOKS,
    SUBSCRIBABLE,
    DeliveryState,
    NewWebhook,
    PostResult,
    WebhookEvent,
)
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.personal_deeds import as_staff
from jupyter_ppo.storage.webhook_outbox import WebhookOutbox
from jupyter_ppo.storage.webhooks import Webhooks

MINUTE = timedelta(minutes=1)
URL = "https://hooks.example/ppo"


def new(course: Course, name: str = "LMS") -> NewWebhook:
    return NewWebhook(course.id, name, URL, SUBSCRIBABLE, "ines")


def test_a_webhook_is_kept_changed_and_deleted_with_what_it_is_told(
    database: Database, course: Course
) -> None:
    store = Webhooks(database)
    made = store.add(new(course), "sealed")
    assert (made.course, made.url, made.events, made.is_active) == ("ppo", URL, SUBSCRIBABLE, True)
    assert store.webhook(made.id) == made
    events = (WebhookEvent.GRADED,)
    changed = store.change(made.id, {"events": events, "is_active": False, "name": "other"})
    assert (changed.events, changed.is_active, changed.name) == (events, False, "other")
    assert store.change(made.id, {}) == changed
    ping = store.ping(made.id)
    assert store.deliveries(made.id, offset=0, limit=10).items == (ping,)
    store.delete(made.id)
    for gone in (
        lambda: store.webhook(made.id),
        lambda: store.delete(made.id),
        lambda: store.change(made.id, {}),
        lambda: store.rotate(made.id, "x", MINUTE),
        lambda: store.ping(made.id),
        lambda: store.delivery(ping.id),
        lambda: store.replay(ping.id),
    ):
        with pytest.raises(NotFoundError):
            gone()


def test_a_course_has_so_many_and_lists_the_newest_first(
    database: Database, course: Course
) -> None:
    store = Webhooks(database)
    made = [store.add(new(course, str(number)), "x") for number in range(MAX_WEBHOOKS)]
    with pytest.raises(ConflictError, match="Delete one"):
        store.add(new(course), "x")
    page = store.of_course(course.id, offset=1, limit=2)
    assert ([each.id for each in page.items], page.total) == (
        [made[-2].id, made[-3].id],
        MAX_WEBHOOKS,
    )
    assert store.of_course(new_id(), offset=0, limit=5).total == 0


def test_two_secrets_sign_until_the_overlap_is_over(database: Database, course: Course) -> None:
    store, outbox = Webhooks(database), WebhookOutbox(database)
    made = store.add(new(course), "first")

    def signing() -> tuple[str, ...]:
        store.ping(made.id)
        lease = outbox.lease("a", MINUTE)
        assert lease is not None
        assert "first" not in repr(lease)
        outbox.record(lease, PostResult(200), None)
        return lease.secrets

    assert signing() == ("first",)
    rotated = store.rotate(made.id, "second", MINUTE)
    assert rotated.overlap_until is not None
    assert signing() == ("second", "first")
    store.rotate(made.id, "third", MINUTE)
    assert signing() == ("third", "second")
    assert store.rotate(made.id, "fourth", timedelta(0)).overlap_until is None
    assert signing() == ("fourth",)
    store.rotate(made.id, "fifth", timedelta(microseconds=1))
    assert signing() == ("fifth",)
    outbox.forget(timedelta(days=1))
    assert store.webhook(made.id).overlap_until is None


def test_what_was_sent_is_sent_again_with_the_same_id(database: Database, course: Course) -> None:
    store, outbox = Webhooks(database), WebhookOutbox(database)
    made = store.add(new(course), "x")
    ping = store.ping(made.id)
    lease = outbox.lease("a", MINUTE)
    assert lease is not None
    with pytest.raises(ConflictError, match="right now"):
        store.replay(ping.id)
    outbox.record(lease, PostResult(410, "It answered 410."), None)
    given_up = store.delivery(ping.id)
    assert (given_up.state, given_up.status) == (DeliveryState.GIVEN_UP, 410)
    assert given_up.due_at is None
    assert given_up.ended_at is not None
    again = store.replay(ping.id)
    assert (again.id, again.state, again.tries) == (ping.id, DeliveryState.WAITING, 0)
    lease = outbox.lease("a", MINUTE)
    assert lease is not None
    assert (lease.delivery.id, lease.delivery.body) == (ping.id, ping.body)


def test_an_export_names_what_a_person_registered_and_an_erasure_takes_the_name(
    database: Database, course: Course, tmp_path: Path
) -> None:
    store = Webhooks(database)
    made = store.add(new(course), "sealed")
    [deed] = as_staff(database, "ines")
    assert (deed["what"], deed["name"], deed["url"]) == ("webhook", "LMS", URL)
    assert "sealed" not in str(deed)
    erased = Erasures(database, FileBlobs(tmp_path / "blobs")).erase("ines", "root")
    assert store.webhook(made.id).created_by == erased.stand_in
