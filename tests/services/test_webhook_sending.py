"""From an event in the database to a receiver's door: signed, tried again, given up."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from webhook_receiver import SECONDS, Receiver, answer, receiving

from jupyter_ppo.domain.webhook_addresses import AllowedHosts
from jupyter_ppo.domain.webhooks import (
    MAX_TRIES,
    SUBSCRIBABLE,
    DeliveryState,
    NewWebhook,
    Webhook,
    new_webhook_secret,
)
from jupyter_ppo.jobs.posting import Poster
from jupyter_ppo.jobs.senders import Senders
from jupyter_ppo.services.webhook_sending import WebhookSending
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox
from jupyter_ppo.storage.tables import WebhookDeliveryRow
from jupyter_ppo.storage.webhook_outbox import WebhookOutbox
from jupyter_ppo.storage.webhooks import Webhooks

HERE = AllowedHosts(["127.0.0.1"])
PAST = datetime(2000, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


class World:
    def __init__(self, folder: Path) -> None:
        self.database = open_database(sqlite_url(folder / "ppo.sqlite"))
        self.course = Courses(self.database).create_course("ppo", "PPO")
        self.store, self.outbox = Webhooks(self.database), WebhookOutbox(self.database)
        self.box = SecretBox(folder / BOX_KEY_FILE)
        self.secret = new_webhook_secret()
        self.sending = self.with_allowed(HERE)

    def with_allowed(self, allowed: AllowedHosts, box: SecretBox | None = None) -> WebhookSending:
        return WebhookSending(
            outbox=self.outbox,
            box=box or self.box,
            posts=Poster(allowed, seconds=5),
            allowed=allowed,
            clock=Now(),
        )

    def hook(self, url: str) -> Webhook:
        new = NewWebhook(self.course.id, "LMS", url, SUBSCRIBABLE, "ines")
        return self.store.add(new, self.box.seal(self.secret))

    def send(self, sending: WebhookSending | None = None) -> None:
        """Send the one message that is due."""
        lease = self.outbox.lease("test", MINUTE)
        assert lease is not None
        (sending or self.sending).send(lease)

    def make_due(self) -> None:
        with self.database.begin() as session:
            session.execute(update(WebhookDeliveryRow).values(due_at=PAST))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_a_message_is_signed_with_every_secret_of_an_overlap(
    world: World, receiver: Receiver
) -> None:
    hook = world.hook(receiver.url)
    newer = new_webhook_secret()
    world.store.rotate(hook.id, world.box.seal(newer), MINUTE)
    ping = world.store.ping(hook.id)
    world.send()
    [got] = receiver.got
    assert got.body == ping.body.encode()
    assert got.headers["X-JupyterPPO-Event"] == "ping"
    assert got.headers["X-JupyterPPO-Delivery"] == str(ping.id)
    assert got.headers["X-JupyterPPO-Webhook"] == str(hook.id)
    time_part, *signatures = got.headers["X-JupyterPPO-Signature"].split(",")
    at = time_part.removeprefix("t=")
    assert abs(time.time() - int(at)) < SECONDS
    text = at.encode() + b"." + got.body
    assert signatures == [
        "v1=" + hmac.new(each.encode(), text, hashlib.sha256).hexdigest()
        for each in (newer, world.secret)
    ]
    assert world.store.delivery(ping.id).state is DeliveryState.DELIVERED


def test_what_fails_is_tried_again_with_the_same_id_and_given_up_in_the_end(
    world: World, receiver: Receiver
) -> None:
    receiver.answers = [answer(500)]
    ping = world.store.ping(world.hook(receiver.url).id)
    waits: list[float] = []
    for tries in range(1, MAX_TRIES + 1):
        world.send()
        found = world.store.delivery(ping.id)
        assert (found.tries, found.status, found.reason) == (tries, 500, "It answered 500.")
        if tries < MAX_TRIES:
            assert found.state is DeliveryState.WAITING
            assert found.due_at is not None
            assert found.last_tried_at is not None
            waits.append((found.due_at - found.last_tried_at).total_seconds())
            world.make_due()
    assert found.state is DeliveryState.GIVEN_UP
    assert world.outbox.lease("test", MINUTE) is None
    assert waits[0] < 15 < waits[2] < waits[5] < 21_700
    assert {got.headers["X-JupyterPPO-Delivery"] for got in receiver.got} == {str(ping.id)}
    receiver.answers = [answer(200)]
    world.store.replay(ping.id)
    world.send()
    assert world.store.delivery(ping.id).state is DeliveryState.DELIVERED
    assert {got.body for got in receiver.got} == {ping.body.encode()}


def test_a_receiver_says_when_to_come_back_and_that_it_is_gone(
    world: World, receiver: Receiver
) -> None:
    receiver.answers = [answer(429, Retry_After="7200"), answer(410)]
    ping = world.store.ping(world.hook(receiver.url).id)
    world.send()
    found = world.store.delivery(ping.id)
    assert found.due_at is not None
    assert found.last_tried_at is not None
    assert timedelta(hours=2) <= found.due_at - found.last_tried_at < timedelta(hours=2.1)
    world.make_due()
    world.send()
    gone = world.store.delivery(ping.id)
    assert (gone.state, gone.status, gone.tries) == (DeliveryState.GIVEN_UP, 410, 2)


def test_an_address_that_is_down_is_left_alone_and_costs_no_tries(
    world: World, receiver: Receiver
) -> None:
    receiver.answers = [answer(503)]
    hook = world.hook(receiver.url)
    pings = [world.store.ping(hook.id) for _ in range(7)]
    for _ in range(6):
        world.send()
    assert len(receiver.got) == 5
    assert world.outbox.lease("test", MINUTE) is None
    tries = [world.store.delivery(each.id).tries for each in pings]
    assert tries == [1, 1, 1, 1, 1, 0, 0]
    assert "left alone" in world.store.delivery(pings[5].id).reason
    with receiving() as other:
        world.store.ping(world.hook(other.url).id)
        world.send()
        assert len(other.got) == 1


def test_an_address_that_is_not_allowed_any_more_is_told_and_nothing_is_sent(
    world: World, receiver: Receiver
) -> None:
    pings = [
        world.store.ping(world.hook(url).id)
        for url in (receiver.url, f"https://localhost:{receiver.port}/")
    ]
    strict = world.with_allowed(AllowedHosts())
    for ping, words in zip(pings, ("http is not allowed", "not on the public"), strict=True):
        world.send(strict)
        found = world.store.delivery(ping.id)
        assert (found.state, found.status) == (DeliveryState.WAITING, None)
        assert words in found.reason
    assert receiver.connections == 0


def test_a_server_without_the_key_leaves_the_message_to_one_that_has_it(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    ping = world.store.ping(world.hook(receiver.url).id)
    stranger = world.with_allowed(HERE, SecretBox(tmp_path / "other" / BOX_KEY_FILE))
    world.send(stranger)
    found = world.store.delivery(ping.id)
    assert (found.state, found.tries, receiver.connections) == (DeliveryState.WAITING, 0, 0)
    assert "lacks the key" in found.reason
    world.make_due()
    world.send()
    assert world.store.delivery(ping.id).state is DeliveryState.DELIVERED


def test_senders_send_what_comes_until_they_are_stopped(world: World, receiver: Receiver) -> None:
    senders = Senders(world.outbox, world.sending.send, poll_seconds=0.05)
    senders.start()
    senders.start()
    try:
        hook = world.hook(receiver.url)
        pings = [world.store.ping(hook.id) for _ in range(5)]
        senders.wake()
        receiver.wait_for(5)
    finally:
        senders.stop()
    assert [world.store.delivery(each.id).state for each in pings] == [DeliveryState.DELIVERED] * 5
    assert len(receiver.got) == 5
    assert not [each for each in threading.enumerate() if each.name.startswith("webhooks-")]


def test_senders_go_on_after_the_database_failed(world: World, receiver: Receiver) -> None:
    class Failing(WebhookOutbox):
        failures = 2

        def lease(self, worker: str, duration: timedelta):  # type: ignore[no-untyped-def]
            if self.failures:
                self.failures -= 1
                msg = "no database"
                raise OSError(msg)
            return super().lease(worker, duration)

    world.store.ping(world.hook(receiver.url).id)
    senders = Senders(Failing(world.database), world.sending.send, senders=1, poll_seconds=0.05)
    senders.start()
    try:
        receiver.wait_for(1)
    finally:
        senders.stop()


CHILD = """
import sys
from datetime import timedelta
from pathlib import Path
from test_webhook_sending import HERE, Now
from jupyter_ppo.jobs.posting import Poster
from jupyter_ppo.services.webhook_sending import WebhookSending
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox
from jupyter_ppo.storage.webhook_outbox import WebhookOutbox

folder = Path(sys.argv[1])
outbox = WebhookOutbox(open_database(sqlite_url(folder / "ppo.sqlite")))
box = SecretBox(folder / BOX_KEY_FILE)
sending = WebhookSending(
    outbox=outbox, box=box, posts=Poster(HERE, seconds=60), allowed=HERE, clock=Now()
)
sending.send(outbox.lease("child", timedelta(minutes=5)))
"""


def test_a_sender_that_is_killed_before_it_wrote_down_what_it_sent_sends_it_again(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    ended = threading.Event()
    receiver.answers = [lambda _: ended.wait(SECONDS) and None, answer(200)]
    ping = world.store.ping(world.hook(receiver.url).id)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], env={**os.environ, "PYTHONPATH": paths}
    )
    try:
        receiver.wait_for(1)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        ended.set()
    cut_short = world.store.delivery(ping.id)
    assert (cut_short.state, cut_short.tries) == (DeliveryState.SENDING, 1)
    assert world.outbox.lease("test", MINUTE) is None  # until the lease of the dead has run out
    with world.database.begin() as session:
        session.execute(update(WebhookDeliveryRow).values(lease_until=PAST))
    world.send()
    first, second = receiver.got
    assert first.body == second.body
    assert first.headers["X-JupyterPPO-Delivery"] == second.headers["X-JupyterPPO-Delivery"]
    done = world.store.delivery(ping.id)
    assert (done.state, done.tries) == (DeliveryState.DELIVERED, 2)


def test_the_receiver_of_the_docs_believes_us_and_nobody_else(
    world: World, receiver: Receiver
) -> None:
    docs = Path(__file__).parents[2] / "docs" / "webhooks.md"
    code = docs.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    found: dict[str, Callable[..., bool]] = {}
    exec(code, found)  # noqa: S102 - our own text
    is_from_course = found["is_from_course"]
    hook = world.hook(receiver.url)
    world.store.ping(hook.id)
    world.send()
    [got] = receiver.got
    header = got.headers["X-JupyterPPO-Signature"]
    assert is_from_course(world.secret, header, got.body)
    assert not is_from_course(world.secret, header, got.body + b" ")
    assert not is_from_course(new_webhook_secret(), header, got.body)
    at = int(header.split(",")[0][2:])
    later = header.replace(f"t={at}", f"t={at + 1}")
    assert not is_from_course(world.secret, later, got.body)
    old = f"t={at - 3600},v1={'0' * 64}"
    for wrong in ("", "nonsense", "t=,v1=", "t=1", f"t={at}", old, header.replace("v1=", "v2=")):
        assert not is_from_course(world.secret, wrong, got.body)
    newer = new_webhook_secret()
    world.store.rotate(hook.id, world.box.seal(newer), MINUTE)
    world.store.ping(hook.id)
    world.send()
    header, body = receiver.got[1].headers["X-JupyterPPO-Signature"], receiver.got[1].body
    assert is_from_course(world.secret, header, body)
    assert is_from_course(newer, header, body)
    assert json.loads(body)["event"] == "ping"
