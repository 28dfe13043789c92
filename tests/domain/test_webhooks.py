"""Signatures, waits and words of webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain import webhooks
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.webhooks import (
    FIRST_WAIT,
    LEAST_SHARE,
    LONGEST_RETRY_AFTER,
    LONGEST_WAIT,
    MAX_TRIES,
    PostResult,
    WebhookEvent,
    read_retry_after,
    sign,
    signature,
    wait_after,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FAILED = PostResult(500)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
TIMES = st.integers(min_value=0, max_value=2**40)


@given(SECRETS, TIMES, st.binary(max_size=200))
def test_a_signature_is_the_hmac_of_time_dot_body(secret: str, at: int, body: bytes) -> None:
    text = str(at).encode() + b"." + body
    expected = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    assert sign(secret, at, body) == expected
    assert (
        signature([secret, "old"], at, body) == f"t={at},v1={expected},v1={sign('old', at, body)}"
    )


@given(SECRETS, SECRETS, TIMES, TIMES, st.binary(max_size=50), st.binary(max_size=50))
def test_whatever_is_changed_changes_the_signature(
    secret: str, other: str, at: int, then: int, body: bytes, changed: bytes
) -> None:
    same = (secret, at, body) == (other, then, changed)
    assert (sign(secret, at, body) == sign(other, then, changed)) == same


def test_secrets_are_long_different_and_recognisable() -> None:
    made = {webhooks.new_webhook_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(each.startswith("ppowh_") and len(each) == 49 for each in made)


@given(st.integers(min_value=1, max_value=10_000), st.floats(min_value=0, max_value=1))
def test_waits_grow_threefold_to_a_bound_and_at_most_half_is_chance(
    tries: int, chance: float
) -> None:
    most = min(FIRST_WAIT * 3 ** min(tries - 1, 20), LONGEST_WAIT)
    wait = wait_after(tries, FAILED, chance)
    assert most * LEAST_SHARE <= wait <= most
    assert wait_after(tries, FAILED, 0.0) <= wait <= wait_after(tries, FAILED, 1.0)


def test_all_tries_together_take_between_half_a_day_and_two_days() -> None:
    for chance in (0.0, 1.0):
        waits = [wait_after(tries, FAILED, chance) for tries in range(1, MAX_TRIES)]
        assert timedelta(hours=12) < sum(waits, timedelta()) < timedelta(days=2)


def test_no_two_come_back_at_once() -> None:
    assert len({wait_after(3, FAILED) for _ in range(50)}) > 40


@given(st.integers(min_value=1, max_value=20), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_what_the_receiver_asks_for_is_the_least_up_to_a_day(tries: int, asked: timedelta) -> None:
    wait = wait_after(tries, PostResult(503, retry_after=asked), 0.5)
    assert wait >= min(asked, LONGEST_RETRY_AFTER)
    assert wait <= max(LONGEST_RETRY_AFTER, LONGEST_WAIT)


def test_retry_after_is_seconds_or_a_date() -> None:
    assert read_retry_after("120", NOW) == timedelta(minutes=2)
    assert read_retry_after(" 0 ", NOW) == timedelta(0)
    assert read_retry_after("9" * 50, NOW) == LONGEST_RETRY_AFTER
    assert read_retry_after("Mon, 23 Nov 2026 12:00:30 GMT", NOW) == timedelta(seconds=30)
    assert read_retry_after("Mon, 23 Nov 2026 12:00:30", NOW) == timedelta(seconds=30)
    assert read_retry_after("Sun, 22 Nov 2026 12:00:00 GMT", NOW) == timedelta(0)
    for text in (None, "", "soon", "-1", "1.5", "٣", "1" * 200):
        assert read_retry_after(text, NOW) is None


@given(st.text(max_size=70))
def test_any_retry_after_is_a_wait_or_nothing(text: str) -> None:
    found = read_retry_after(text, NOW)
    assert found is None or found >= timedelta(0)


def test_a_body_is_ids_states_and_times() -> None:
    delivery_id, course_id = new_id(), new_id()
    text = webhooks.body_of(delivery_id, WebhookEvent.GRADED, course_id, NOW, {"attempt": 2})
    assert json.loads(text) == {
        "id": str(delivery_id),
        "event": "submission.graded",
        "course": str(course_id),
        "at": "2026-11-23T12:00:00+00:00",
        "data": {"attempt": 2},
    }


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="name: "):
        webhooks.checked_name(name)


def test_events_are_in_one_order_each_once_and_at_least_one() -> None:
    wanted = [WebhookEvent.BATCH_FINISHED, WebhookEvent.RECEIVED, WebhookEvent.RECEIVED]
    assert webhooks.checked_events(wanted) == (WebhookEvent.RECEIVED, WebhookEvent.BATCH_FINISHED)
    for wrong in ([], [WebhookEvent.PING]):
        with pytest.raises(InvalidInputError, match="events: "):
            webhooks.checked_events(wrong)


@pytest.mark.parametrize("hours", [-1.0, 168.5, float("nan"), float("inf")])
def test_an_overlap_has_bounds(hours: float) -> None:
    with pytest.raises(InvalidInputError, match="overlap_hours: "):
        webhooks.checked_overlap(hours)
    assert webhooks.checked_overlap(168) == timedelta(days=7)


def test_a_result_says_whether_it_came_and_whether_the_receiver_is_gone() -> None:
    assert PostResult(204).is_delivered
    assert not PostResult(302).is_delivered
    assert not PostResult(None).is_delivered
    assert PostResult(410).is_gone
