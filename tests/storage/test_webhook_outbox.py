"""The outbox: leased by one sender at a time, and never lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from jupyter_ppo.domain.courses import Course
from jupyter_ppo.domain.errors import LeaseLostError
from jupyter_ppo.domain.webhooks import (
    MAX_TRIES,
    SUBSCRIBABLE,
    DeliveryState,
    NewWebhook,
    PostResult,
    SendLease,
    Webhook,
)
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import WebhookDeliveryRow
from jupyter_ppo.storage.trash import Trash
from jupyter_ppo.storage.webhook_outbox import WebhookOutbox
from jupyter_ppo.storage.webhooks import Webhooks

MINUTE = timedelta(minutes=1)
PAST = datetime(2000, 1, 1, tzinfo=UTC)
FAILED = PostResult(503, "It answered 503.", is_down=True)


@pytest.fixture
def store(database: Database) -> Webhooks:
    return Webhooks(database)


@pytest.fixture
def outbox(database: Database) -> WebhookOutbox:
    return WebhookOutbox(database)


@pytest.fixture
def make(store: Webhooks, course: Course) -> Callable[[], Webhook]:
    new = NewWebhook(course.id, "LMS", "https://hooks.example/", SUBSCRIBABLE, "ines")
    return lambda: store.add(new, "sealed")


@pytest.fixture
def rewrite(database: Database) -> Callable[..., None]:
    """Change every row of the outbox, such as its times, without waiting."""

    def rewrite(**values: Any) -> None:
        with database.begin() as session:
            session.execute(update(WebhookDeliveryRow).values(**values))

    return rewrite


def leased(outbox: WebhookOutbox, worker: str = "a") -> SendLease:
    lease = outbox.lease(worker, MINUTE)
    assert lease is not None
    return lease


def test_the_message_that_is_due_longest_is_taken_first(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    assert outbox.lease("a", MINUTE) is None
    hooks = [make(), make()]
    pings = [store.ping(hook.id) for hook in hooks]
    first, second = leased(outbox), leased(outbox, "b")
    assert [first.delivery.id, second.delivery.id] == [each.id for each in pings]
    assert (first.worker, first.fence, first.delivery.tries) == ("a", 1, 1)
    assert (first.url, first.secrets) == ("https://hooks.example/", ("sealed",))
    assert outbox.lease("c", MINUTE) is None


def test_a_slow_receiver_holds_up_one_sender(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    slow, other = make(), make()
    for _ in range(3):
        store.ping(slow.id)
    store.ping(other.id)
    first = leased(outbox)
    assert first.delivery.webhook_id == slow.id
    assert leased(outbox).delivery.webhook_id == other.id
    assert outbox.lease("a", MINUTE) is None
    outbox.record(first, PostResult(200), None)
    assert leased(outbox).delivery.webhook_id == slow.id


def test_what_failed_waits_and_what_succeeded_or_was_given_up_is_over(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    ping = store.ping(make().id)
    outbox.record(leased(outbox), FAILED, MINUTE)
    waiting = store.delivery(ping.id)
    assert (waiting.state, waiting.status, waiting.reason) == (
        DeliveryState.WAITING,
        503,
        "It answered 503.",
    )
    assert waiting.last_tried_at is not None
    assert waiting.due_at is not None
    assert timedelta(seconds=55) < waiting.due_at - waiting.last_tried_at < 2 * MINUTE
    assert outbox.lease("a", MINUTE) is None
    store.replay(ping.id)
    outbox.record(leased(outbox), PostResult(204), None)
    done = store.delivery(ping.id)
    assert (done.state, done.status, done.reason) == (DeliveryState.DELIVERED, 204, "")


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_changes_nothing(
    store: Webhooks,
    outbox: WebhookOutbox,
    make: Callable[[], Webhook],
    rewrite: Callable[..., None],
) -> None:
    ping = store.ping(make().id)
    old = leased(outbox)
    rewrite(lease_until=PAST)
    new = leased(outbox, "b")
    assert (new.delivery.id, new.fence, new.delivery.tries) == (ping.id, 2, 2)
    for late in (
        lambda: outbox.record(old, PostResult(200), None),
        lambda: outbox.put_off(old, MINUTE, "x"),
    ):
        with pytest.raises(LeaseLostError):
            late()
    outbox.record(new, PostResult(200), None)
    with pytest.raises(LeaseLostError):
        outbox.record(new, FAILED, MINUTE)
    assert store.delivery(ping.id).state is DeliveryState.DELIVERED


def test_a_deleted_webhook_takes_its_messages_along(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    hook = make()
    store.ping(hook.id)
    lease = leased(outbox)
    store.delete(hook.id)
    with pytest.raises(LeaseLostError):
        outbox.record(lease, PostResult(200), None)


def test_a_message_whose_last_try_was_cut_short_is_given_up(
    store: Webhooks,
    outbox: WebhookOutbox,
    make: Callable[[], Webhook],
    rewrite: Callable[..., None],
) -> None:
    hook = make()
    ping = store.ping(hook.id)
    leased(outbox)
    rewrite(lease_until=PAST, tries=MAX_TRIES)
    assert outbox.lease("b", MINUTE) is None
    ended = store.delivery(ping.id)
    assert ended.state is DeliveryState.GIVEN_UP
    assert "cut short" in ended.reason


def test_putting_off_counts_no_try_and_holds_all_of_the_webhook(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    hook, other = make(), make()
    pings = [store.ping(hook.id), store.ping(hook.id)]
    store.ping(other.id)
    outbox.put_off(leased(outbox), MINUTE, "It is left alone.")
    assert [store.delivery(each.id).tries for each in pings] == [0, 0]
    assert store.delivery(pings[0].id).reason == "It is left alone."
    assert leased(outbox).delivery.webhook_id == other.id
    assert outbox.lease("a", MINUTE) is None


def test_nothing_is_sent_for_a_course_in_the_trash_or_a_webhook_that_is_stopped(
    database: Database,
    store: Webhooks,
    outbox: WebhookOutbox,
    make: Callable[[], Webhook],
    course: Course,
) -> None:
    hook = make()
    ping = store.ping(hook.id)
    Trash(database).delete_course(course.id, "root")
    assert outbox.lease("a", MINUTE) is None
    Trash(database).restore_course(course.id)
    store.change(hook.id, {"is_active": False})
    assert outbox.lease("a", MINUTE) is None
    store.change(hook.id, {"is_active": True})
    assert leased(outbox).delivery.id == ping.id


def test_what_is_over_is_deleted_after_a_while_and_what_waits_is_not(
    store: Webhooks,
    outbox: WebhookOutbox,
    make: Callable[[], Webhook],
    rewrite: Callable[..., None],
) -> None:
    hook = make()
    store.ping(hook.id)
    outbox.record(leased(outbox), PostResult(200), None)
    assert outbox.forget(timedelta(days=1)) == 0
    rewrite(ended_at=PAST, created_at=PAST)
    waiting = store.ping(hook.id)
    assert outbox.forget(timedelta(days=1)) == 1
    assert store.deliveries(hook.id, offset=0, limit=9).items == (waiting,)


def test_lists_have_the_newest_first_and_some_by_state(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    hook = make()
    pings = [store.ping(hook.id) for _ in range(3)]
    outbox.record(leased(outbox), PostResult(200), None)
    page = store.deliveries(hook.id, offset=1, limit=1)
    assert ([each.id for each in page.items], page.total) == ([pings[1].id], 3)
    done = store.deliveries(hook.id, state=DeliveryState.DELIVERED, offset=0, limit=9)
    assert [each.id for each in done.items] == [pings[0].id]


def test_many_senders_at_once_take_each_message_once(
    store: Webhooks, outbox: WebhookOutbox, make: Callable[[], Webhook]
) -> None:
    pings = [store.ping(make().id) for _ in range(8)]

    def work(worker: str) -> list[str]:
        taken: list[str] = []
        while (lease := outbox.lease(worker, MINUTE)) is not None:
            taken.append(str(lease.delivery.id))
            outbox.record(lease, PostResult(200), None)
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [each for found in threads.map(work, "abcd") for each in found]
    assert sorted(taken) == sorted(str(each.id) for each in pings)
