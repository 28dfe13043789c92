"""Terms, lateness, extensions, and which attempt counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.terms import (
    MAX_SECONDS,
    Attempt,
    Counting,
    Extension,
    LatePolicy,
    LateRule,
    LateStep,
    MoreTime,
    OwnTerms,
    Terms,
    counting_attempt,
)

DUE = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)

PERCENT = st.floats(0, 100)
POINTS = st.floats(0, 1e6)
STEPS = st.lists(st.builds(LateStep, st.integers(0, MAX_SECONDS), PERCENT), min_size=1, max_size=6)
POLICIES = st.one_of(
    st.builds(LatePolicy, st.sampled_from([LateRule.NONE, LateRule.ZERO])),
    st.builds(LatePolicy, st.just(LateRule.PER_DAY), PERCENT, PERCENT),
    st.builds(lambda steps: LatePolicy(LateRule.CUSTOM, steps=tuple(steps)), STEPS),
)
TIMES = st.integers(-365, 1000).map(lambda days: DUE + timedelta(days=days)) | st.integers(
    -100_000, 100_000
).map(lambda seconds: DUE + timedelta(seconds=seconds))
EXTENSIONS = st.builds(
    lambda seconds, attempts: Extension(
        new_id(), new_id(), "ada", None, seconds, attempts, "", "grace", DUE
    ),
    st.integers(0, MAX_SECONDS),
    st.integers(0, 1000),
)


@given(POLICIES, POINTS, TIMES, st.integers(0, MAX_SECONDS))
def test_a_penalty_is_never_negative_and_never_above_the_points(
    late: LatePolicy, points: float, when: datetime, grace: int
) -> None:
    terms = Terms(due_at=DUE, grace_seconds=grace, late=late)
    assert 0 <= terms.penalty(points, when) <= points
    assert Terms(late=late).penalty(points, when) == 0


@given(PERCENT, PERCENT, POINTS, TIMES, TIMES)
def test_per_day_who_is_later_never_loses_less(
    percent: float, at_least: float, points: float, one: datetime, other: datetime
) -> None:
    terms = Terms(due_at=DUE, late=LatePolicy(LateRule.PER_DAY, percent, at_least))
    early, late = sorted((one, other))
    assert terms.penalty(points, early) <= terms.penalty(points, late)


@given(st.lists(EXTENSIONS, max_size=5), st.randoms(), TIMES, POLICIES)
def test_extensions_add_up_in_any_order_and_never_make_anything_worse(
    extensions: list[Extension], random: Any, when: datetime, late: LatePolicy
) -> None:
    terms = Terms(due_at=DUE, closes_at=DUE + DAY, max_attempts=3, late=late)
    mixed = random.sample(extensions, len(extensions))
    own = terms.with_extensions(extensions)
    assert terms.with_extensions(mixed) == own
    one_by_one = terms
    for extension in mixed:
        one_by_one = one_by_one.with_extensions([extension])
    assert one_by_one == own
    assert own.due_at == DUE + timedelta(seconds=sum(each.seconds for each in extensions))
    assert own.max_attempts == 3 + sum(each.attempts for each in extensions)
    assert own.late_seconds(when) <= terms.late_seconds(when)


def test_an_extension_that_was_taken_back_gives_nothing() -> None:
    gone = Extension(new_id(), new_id(), "ada", None, 60, 1, "", "grace", DUE, revoked_at=DUE)
    terms = Terms(due_at=DUE, max_attempts=1)
    assert terms.with_extensions([gone]) == terms


def test_a_thousand_extensions_of_ten_years_are_a_date_still() -> None:
    most = Extension(new_id(), new_id(), "ada", None, MAX_SECONDS, 100_000, "", "grace", DUE)
    last = datetime(9000, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    own = Terms(due_at=DUE, closes_at=last, max_attempts=100_000).with_extensions([most] * 1000)
    assert own.due_at is not None
    assert own.closes_at == last
    assert own.max_attempts == 100_000


@pytest.mark.parametrize(
    "due", [datetime(9000, 12, 31, 12, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
)
def test_an_extension_beyond_the_last_year_never_makes_the_time_earlier(due: datetime) -> None:
    more = Extension(new_id(), new_id(), "ada", None, MAX_SECONDS, 0, "", "grace", DUE)
    own = Terms(opens_at=due, due_at=due).with_extensions([more])
    assert own.due_at is not None
    assert own.due_at >= due


@pytest.mark.parametrize(
    ("late_by", "lost"),
    [(0, 0), (600, 0), (601, 1), (86_400, 1), (86_401, 2), (10 * 86_400, 7), (99 * 86_400, 7)],
)
def test_each_day_that_has_begun_costs_a_share_from_the_due_time_on_once_the_grace_is_over(
    late_by: int, lost: int
) -> None:
    late = LatePolicy(LateRule.PER_DAY, percent_per_day=10, at_least_percent=30)
    terms = Terms(due_at=DUE, grace_seconds=600, late=late)
    assert terms.penalty(10, DUE + timedelta(seconds=late_by)) == lost


def test_of_a_custom_table_the_last_step_that_was_reached_decides() -> None:
    late = LatePolicy(LateRule.CUSTOM, steps=(LateStep(7200, 50), LateStep(60, 90)))
    terms = Terms(due_at=DUE, late=late)
    seconds = (1, 59, 60, 7199, 7200, 10**6)
    lost = [terms.penalty(10, DUE + timedelta(seconds=each)) for each in seconds]
    assert lost == [0, 0, 1, 1, 5, 5]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opens_at", DUE + DAY),
        ("closes_at", DUE - DAY),
        ("due_at", DUE.replace(tzinfo=None)),
        ("due_at", DUE.replace(year=9500)),
        ("due_at", DUE.replace(year=1)),
        ("opens_at", datetime.fromisoformat("1970-01-01T00:00:00+14:00")),
        ("closes_at", datetime.fromisoformat("9000-12-31T23:59:59-12:00")),
        ("opens_at", datetime.fromisoformat("0001-01-01T00:00:00+14:00")),
        ("closes_at", datetime.fromisoformat("9999-12-31T23:59:59-12:00")),
        ("grace_seconds", -1),
        ("grace_seconds", MAX_SECONDS + 1),
        ("max_attempts", -1),
        ("max_attempts", 10**9),
    ],
)
def test_terms_that_cannot_be_used_are_refused_by_the_name_of_the_part(
    field: str, value: Any
) -> None:
    terms = Terms(opens_at=DUE - DAY, due_at=DUE, closes_at=DUE + DAY)
    with pytest.raises(InvalidInputError) as caught:
        replace(terms, **{field: value}).check()
    assert str(caught.value.field).endswith("_at") == field.endswith("_at")
    assert caught.value.field in {field, "due_at"}


@pytest.mark.parametrize(
    "late",
    [
        {"percent_per_day": 101.0},
        {"percent_per_day": float("nan")},
        {"at_least_percent": -0.1},
        {"rule": LateRule.CUSTOM},
        {"steps": (LateStep(-1, 50),)},
        {"steps": (LateStep(0, float("inf")),)},
        {"steps": (LateStep(0, 50),) * 51},
    ],
)
def test_a_late_policy_that_cannot_be_used_is_refused(late: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"late\."):
        LatePolicy(**late).check()
    with pytest.raises(InvalidInputError, match=r"late\."):
        Terms(late=LatePolicy(**late)).check()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"user": None, "group": None, "seconds": 1}, "user"),
        ({"user": "ada", "group": "b", "seconds": 1}, "user"),
        ({"user": "ada", "group": None}, "seconds"),
        ({"user": "ada", "group": None, "seconds": -1}, "seconds"),
        ({"user": "ada", "group": None, "attempts": -1}, "attempts"),
        ({"user": "ada", "group": None, "seconds": 1, "reason": "x" * 2001}, "reason"),
        ({"user": "ada", "group": None, "seconds": 1, "reason": "ill\0"}, "reason"),
    ],
)
def test_an_extension_names_one_person_or_group_and_gives_something(
    given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        MoreTime(**given)
    assert caught.value.field == field


def test_what_a_student_is_told_before_between_and_after() -> None:
    terms = Terms(opens_at=DUE, closes_at=DUE + DAY, max_attempts=2)
    with pytest.raises(NotFoundError, match="there is no assignment 'ps1' in this course"):
        OwnTerms(terms, 0).check("ps1", DUE - DAY)
    OwnTerms(terms, 1).check("ps1", DUE)
    OwnTerms(terms, 1).check("ps1", DUE + DAY)
    with pytest.raises(ForbiddenError, match="2026-11-22T12:00:00"):
        OwnTerms(terms, 1).check("ps1", DUE + DAY + timedelta(microseconds=1))
    with pytest.raises(ForbiddenError, match="takes 2 attempts"):
        OwnTerms(terms, 2).check("ps1", DUE)
    assert [OwnTerms(terms, used).attempts_left for used in (0, 2, 5)] == [2, 0, 0]
    assert OwnTerms(Terms(), 5).attempts_left is None
    opened = [OwnTerms(terms, 1).is_open(DUE + DAY * days) for days in (-1, 0, 1, 2)]
    assert opened == [False, True, True, False]
    assert not OwnTerms(terms, 2).is_open(DUE)


def test_a_clock_that_is_set_back_does_not_make_an_own_newer_attempt_not_count() -> None:
    attempts = [Attempt(1, DUE), Attempt(2, DUE - DAY)]
    assert counting_attempt(attempts, Counting.LATEST) == 2


def test_an_older_file_that_is_collected_later_does_not_count() -> None:
    attempts = [
        Attempt(1, DUE),
        Attempt(2, DUE - DAY, is_collected=True),
        Attempt(3, DUE - timedelta(hours=1), is_collected=True),
    ]
    assert counting_attempt(attempts, Counting.LATEST) == 1
    newer = Attempt(4, DUE, is_collected=True)
    assert counting_attempt([*attempts, newer], Counting.LATEST) == 4


def test_the_best_attempt_has_most_points_and_of_equal_ones_is_the_latest() -> None:
    attempts = [
        Attempt(1, DUE, points=3.0),
        Attempt(2, DUE, points=3.0),
        Attempt(3, DUE, points=1.0),
        Attempt(4, DUE),
    ]
    assert counting_attempt(attempts, Counting.BEST) == 2
    assert counting_attempt([replace(each, points=None) for each in attempts], Counting.BEST) == 4


def test_nothing_is_so_late_that_a_database_cannot_keep_it() -> None:
    assert Terms(due_at=DUE).late_seconds(DUE.replace(year=9000)) < 2**31
