"""What a student's page may report, and minutes as ranges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.activity import (
    MAX_MINUTES,
    check_event,
    days,
    digest_of,
    explained,
    merged,
    minute_of,
    total_minutes,
    union,
)
from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Refusal

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = minute_of(NOW)
MINUTES = st.lists(st.integers(0, 60), max_size=40)


def event(**changes: Any) -> NewEvent:
    return replace(NewEvent("key", EventKind.OPENED, "first", NOW, {}), **changes)


def active(minutes: list[Any]) -> NewEvent:
    return event(kind=EventKind.ACTIVE, data={"minutes": minutes})


def checked(**data: Any) -> NewEvent:
    return event(kind=EventKind.CHECKED, data=data)


@pytest.mark.parametrize(
    "new",
    [
        event(),
        event(user="ada"),
        event(occurred_at=NOW + timedelta(minutes=5)),
        event(occurred_at=NOW - timedelta(days=30)),
        active([MINUTE + 5, MINUTE - 30 * 1440]),
        active([MINUTE] * MAX_MINUTES),
        checked(passed=0, failed=10_000),
    ],
)
def test_what_a_page_reports_of_its_student_is_taken(new: NewEvent) -> None:
    assert check_event(new, "ada", {"first"}, NOW) is None


@pytest.mark.parametrize(
    ("new", "refusal"),
    [
        (event(occurred_at=NOW + timedelta(minutes=5, seconds=1)), Refusal.FUTURE),
        (event(occurred_at=NOW - timedelta(days=30, seconds=1)), Refusal.TOO_OLD),
        (event(user="bob"), Refusal.OTHER_PERSON),
        (event(user=""), Refusal.OTHER_PERSON),
        (event(assignment="second"), Refusal.UNKNOWN_ASSIGNMENT),
        (event(kind=EventKind.GRADED), Refusal.NOT_FROM_CLIENTS),
        (event(kind=EventKind.ACTIVE_DAYS), Refusal.NOT_FROM_CLIENTS),
        (event(data={"a": 1}), Refusal.BAD_DATA),
        (event(key=""), Refusal.BAD_DATA),
        (event(key="k" * 201), Refusal.BAD_DATA),
        (event(key="a\0b"), Refusal.BAD_DATA),
        (event(occurred_at=NOW.replace(tzinfo=None)), Refusal.BAD_DATA),
        (active([]), Refusal.BAD_DATA),
        (active([MINUTE] * (MAX_MINUTES + 1)), Refusal.BAD_DATA),
        (active([MINUTE + 6]), Refusal.BAD_DATA),
        (active([MINUTE - 30 * 1440 - 1]), Refusal.BAD_DATA),
        (active([float(MINUTE)]), Refusal.BAD_DATA),
        (active([True]), Refusal.BAD_DATA),
        (active([str(MINUTE)]), Refusal.BAD_DATA),
        (event(kind=EventKind.ACTIVE, data={"minutes": MINUTE}), Refusal.BAD_DATA),
        (event(kind=EventKind.ACTIVE), Refusal.BAD_DATA),
        (checked(passed=1), Refusal.BAD_DATA),
        (checked(passed=1, failed=-1), Refusal.BAD_DATA),
        (checked(passed=1, failed=10_001), Refusal.BAD_DATA),
        (checked(passed=1, failed=True), Refusal.BAD_DATA),
        (checked(passed=1, failed=1, text="my answer"), Refusal.BAD_DATA),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(new: NewEvent, refusal: Refusal) -> None:
    assert check_event(new, "ada", {"first"}, NOW) is refusal


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_says_what_to_do(refusal: Refusal) -> None:
    field, _, rest = explained(refusal).partition(": ")
    assert field in {"occurred_at", "user", "assignment", "kind", "key", "data"}
    assert rest.endswith(".")


def test_the_digest_is_of_the_content_and_not_of_key_user_or_zone() -> None:
    new = active([MINUTE])
    in_zone = NOW.astimezone(tz=None)
    assert digest_of(new) == digest_of(replace(new, key="other", user="ada", occurred_at=in_zone))
    others = [
        replace(new, data={"minutes": [MINUTE + 1]}),
        replace(new, assignment="second"),
        replace(new, kind=EventKind.CHECKED),
        replace(new, occurred_at=NOW + timedelta(microseconds=1)),
    ]
    assert len({digest_of(one) for one in [new, *others]}) == 5


@given(MINUTES, MINUTES)
def test_ranges_hold_each_minute_once_in_order_and_apart(first: list[int], then: list[int]) -> None:
    ranges = merged(merged([], first), then)
    held = [minute for start, count in ranges for minute in range(start, start + count)]
    assert held == sorted({*first, *then})
    assert all(a + n < b for (a, n), (b, _) in pairwise(ranges))
    assert total_minutes(ranges) == len(held)


@given(st.lists(MINUTES, max_size=5))
def test_the_union_of_several_notebooks_counts_each_minute_once(several: list[list[int]]) -> None:
    together = [minute for minutes in several for minute in minutes]
    assert union(merged([], minutes) for minutes in several) == merged([], together)


@given(st.lists(st.integers(0, 5000), max_size=60))
def test_minutes_belong_to_their_day_in_utc(minutes: list[int]) -> None:
    wanted: dict[date, int] = {}
    for minute in set(minutes):
        day = datetime.fromtimestamp(minute * 60, UTC).date()
        wanted[day] = wanted.get(day, 0) + 1
    assert days(merged([], minutes)) == wanted
