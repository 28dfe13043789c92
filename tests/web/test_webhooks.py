"""Webhooks over HTTP, from a hand-in at the server's door to the receiver's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from webhook_receiver import Receiver, answer, receiving

WEBHOOKS = "/courses/ppo/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def jp_server_config(jp_server_config: Any) -> Any:
    jp_server_config["PPOService"]["webhook_allowed_hosts"] = ["127.0.0.1"]
    return jp_server_config


async def make(api: Any, url: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.ok(
        "ines", "POST", WEBHOOKS, {"name": "LMS", "url": url} | more
    )
    return made


async def test_what_a_student_hands_in_arrives_signed(
    api: Any, source: bytes, receiver: Receiver
) -> None:
    await api.course(source)
    made = await make(api, receiver.url, events=["submission.received", "submission.graded"])
    secret, webhook = made["secret"], made["webhook"]
    assert webhook["events"] == ["submission.received", "submission.graded"]
    submitted = await api.ok("sam", "POST", "/courses/ppo/assignments/one/submissions", source)
    await api.graded(submitted["id"])
    got = await asyncio.to_thread(receiver.wait_for, 2)
    told = {json.loads(each.body)["event"]: each for each in got}
    assert set(told) == {"submission.received", "submission.graded"}
    for each in got:
        assert json.loads(each.body)["data"]["submission"] == submitted["id"]
        time_part, sent = each.headers["X-JupyterPPO-Signature"].split(",")
        text = time_part.removeprefix("t=").encode() + b"." + each.body
        assert sent == "v1=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        assert b"sam" not in each.body


async def test_a_webhook_is_tried_looked_at_and_told_again(
    api: Any, source: bytes, receiver: Receiver
) -> None:
    await api.course(source)
    receiver.answers = [answer(410), answer(204)]
    webhook = (await make(api, receiver.url))["webhook"]
    address = f"{WEBHOOKS}/{webhook['id']}"
    sent = await api("ines", "POST", f"{address}/test", {})
    assert sent.code == 202
    ping = json.loads(sent.body)

    async def ended(state: str) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while True:
                page = await api.ok("ines", "GET", f"{address}/deliveries", params={"state": state})
                if page["items"]:
                    [found] = page["items"]
                    return dict(found)
                await asyncio.sleep(0.05)

    gone = await ended("given_up")
    assert (gone["id"], gone["status"], gone["tries"]) == (ping["id"], 410, 1)
    assert gone["reason"] == "It answered 410."
    again = await api("ines", "POST", f"{WEBHOOKS}/deliveries/{ping['id']}/replay", {})
    assert again.code == 202
    assert (await ended("delivered"))["status"] == 204
    assert [each.headers["X-JupyterPPO-Delivery"] for each in receiver.got] == [ping["id"]] * 2


async def test_a_secret_is_shown_when_it_is_made_and_never_again(api: Any, source: bytes) -> None:
    await api.course(source)
    made = await make(api, "https://hooks.invalid/")
    address = f"{WEBHOOKS}/{made['webhook']['id']}"
    rotated = await api.ok("ines", "POST", f"{address}/rotate", {"overlap_hours": 1})
    assert rotated["webhook"]["overlap_until"] is not None
    stopped = await api.ok("ines", "PATCH", address, {"is_active": False, "name": "other"})
    assert (stopped["is_active"], stopped["name"]) == (False, "other")
    for path in (WEBHOOKS, address, f"{address}/deliveries"):
        seen = await api("ines", "GET", path)
        assert seen.code == 200
        for secret in (made["secret"], rotated["secret"]):
            assert secret.startswith("ppowh_")
            assert secret.encode() not in seen.body
    assert (await api("ines", "DELETE", address)).code == 200
    assert (await api("ines", "GET", address)).code == 404


async def test_what_was_sent_wrong_is_named(api: Any, source: bytes) -> None:
    await api.course(source)
    for wrong, field in (
        ({"url": "http://hooks.invalid/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://me@hooks.invalid/"}, "url"),
        ({"name": ""}, "name"),
        ({"events": []}, "events"),
        ({"events": ["ping"]}, "events"),
        ({"events": ["everything"]}, "events[0]"),
        ({"secret": "mine"}, "secret"),
    ):
        body = {"name": "LMS", "url": "https://hooks.invalid/"} | wrong
        sent = await api("ines", "POST", WEBHOOKS, body)
        assert sent.code == 400, (wrong, sent.body)
        assert json.loads(sent.body)["field"] == field
