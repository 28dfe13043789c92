"""When an assignment may be handed in, what being late costs, and who has more time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.marks import checked_text

_DAY = timedelta(days=1)
#: The most that a length of time may be, in seconds: ten years.
MAX_SECONDS = 10 * 366 * 86_400
#: The most that somebody's extensions can add up to, in seconds; what goes beyond the last year
#: that a time may have ends there.
_MOST_MORE = 50 * MAX_SECONDS
#: The latest that anything is said to be, in seconds: every database keeps that as an integer.
_MOST_LATE = 6 * MAX_SECONDS
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_LAST = datetime(_LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
MAX_ATTEMPTS = 100_000
MAX_REASON = 2_000


class LateRule(StrEnum):
    """What a late attempt loses."""

    NONE = "none"  # nothing
    ZERO = "zero"  # all of its points
    PER_DAY = "per_day"  # a share for each day that has begun
    CUSTOM = "custom"  # as a table of the author's says


class Counting(StrEnum):
    """Which of a student's attempts counts."""

    LATEST = "latest"
    BEST = "best"  # most points after what lateness costs; of equal ones the latest


class GradeRelease(StrEnum):
    """When students see grades and feedback."""

    AT_ONCE = "at_once"
    BY_HAND = "by_hand"  # once somebody of the staff releases them


@dataclass(frozen=True, slots=True)
class LateStep:
    """From ``after_seconds`` late on, ``keep_percent`` (0 to 100) of the points are kept."""

    after_seconds: int
    keep_percent: float


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """What being late costs.

    ``percent_per_day`` (0 to 100, of the points scored) is for PER_DAY and ``at_least_percent`` is
    what is kept of them however late it is. ``steps`` are for CUSTOM: the last one that was reached
    decides. What is stored is read as it is; ``check`` is for what comes from outside.
    """

    rule: LateRule = LateRule.NONE
    percent_per_day: float = 10.0
    at_least_percent: float = 0.0
    steps: tuple[LateStep, ...] = ()

    def check(self) -> None:
        """Raise ``InvalidInputError`` that names the part that is out of range."""
        for name in ("percent_per_day", "at_least_percent"):
            _check(0 <= getattr(self, name) <= 100, f"late.{name}", "Use 0 to 100.")
        is_custom = self.rule is LateRule.CUSTOM
        _check(bool(self.steps) or not is_custom, "late.steps", "A custom rule needs one or more.")
        _check(len(self.steps) <= 50, "late.steps", "Use at most 50.")
        for step in self.steps:
            fits = 0 <= step.after_seconds <= MAX_SECONDS and 0 <= step.keep_percent <= 100
            _check(fits, "late.steps", "Use seconds from 0 on and 0 to 100 percent.")

    def kept(self, late_seconds: float) -> float:
        """Return the share of the points (0 to 1) that is kept when it is this late."""
        if late_seconds <= 0 or self.rule is LateRule.NONE:
            return 1.0
        if self.rule is LateRule.ZERO:
            return 0.0
        if self.rule is LateRule.PER_DAY:
            days = math.ceil(late_seconds / _DAY.total_seconds())
            percent = max(self.at_least_percent, 100 - days * self.percent_per_day)
        else:
            reached = [step for step in self.steps if step.after_seconds <= late_seconds]
            last = max(reached, key=lambda step: step.after_seconds, default=None)
            percent = 100.0 if last is None else last.keep_percent
        return max(0.0, percent) / 100


def late_data(late: LatePolicy) -> dict[str, Any]:
    """Return a policy as plain data, as it is stored and answered."""
    return {
        "rule": late.rule.value,
        "percent_per_day": late.percent_per_day,
        "at_least_percent": late.at_least_percent,
        "steps": [
            {"after_seconds": step.after_seconds, "keep_percent": step.keep_percent}
            for step in late.steps
        ],
    }


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one assignment; ``None`` is no bound, and 0 attempts are any number.

    Students see it from ``opens_at`` on. What is handed in later than ``due_at`` and the grace
    after it is late, counted from ``due_at``; after ``closes_at`` nothing is taken. ``autograde``
    queues each attempt as it comes; without it the staff says when to grade. ``revision`` grows
    with every change: who saves names the one they saw.

    What is stored is read as it is, so that no assignment is lost by a value that was taken once;
    ``check`` is for whatever is about to be stored.
    """

    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    grace_seconds: int = 0
    late: LatePolicy = field(default_factory=LatePolicy)
    max_attempts: int = 0
    counting: Counting = Counting.LATEST
    autograde: bool = True
    grades: GradeRelease = GradeRelease.AT_ONCE
    revision: int = 0

    def check(self) -> None:
        """Raise ``InvalidInputError`` that names the part that cannot be used."""
        times = ("opens_at", "due_at", "closes_at")
        for name in times:
            value = getattr(self, name)
            if value is not None:
                check_time(value, name)
        self.late.check()
        _check(0 <= self.grace_seconds <= MAX_SECONDS, "grace_seconds", "Use 0 or more seconds.")
        fits = 0 <= self.max_attempts <= MAX_ATTEMPTS
        _check(fits, "max_attempts", f"Use 0 (any number) to {MAX_ATTEMPTS:,}.")
        known = [(name, getattr(self, name)) for name in times if getattr(self, name) is not None]
        for (first, earlier), (then, later) in itertools.pairwise(known):
            _check(earlier <= later, then, f"It is before {first}.")

    def with_extensions(self, extensions: Iterable[Extension]) -> Terms:
        """Return the terms of somebody who has these extensions; they add up."""
        own = [extension for extension in extensions if extension.revoked_at is None]
        more = timedelta(seconds=min(_MOST_MORE, sum(extension.seconds for extension in own)))
        attempts = sum(extension.attempts for extension in own)
        most = self.max_attempts
        return replace(
            self,
            due_at=_later(self.due_at, more),
            closes_at=_later(self.closes_at, more),
            max_attempts=most and min(MAX_ATTEMPTS, most + attempts),
        )

    def late_seconds(self, submitted_at: datetime) -> int:
        """Return how late this is in whole seconds, 0 within the grace; sixty years at most."""
        if self.due_at is None:
            return 0
        late = (submitted_at - self.due_at).total_seconds()
        return min(_MOST_LATE, math.ceil(late)) if late > self.grace_seconds else 0

    def penalty(self, points: float, submitted_at: datetime) -> float:
        """Return the points that lateness takes off ``points``."""
        kept = self.late.kept(self.late_seconds(submitted_at))
        return min(points, round(points * (1 - kept), 9)) if points > 0 else 0.0


@dataclass(frozen=True, slots=True)
class OwnTerms:
    """The terms of an assignment as they are for one person, and how many attempts they made.

    ``terms`` are with the person's extensions.
    """

    terms: Terms
    attempts_used: int

    @property
    def attempts_left(self) -> int | None:
        """How many more attempts are taken; None is any number."""
        most = self.terms.max_attempts
        return max(0, most - self.attempts_used) if most else None

    def is_open(self, now: datetime) -> bool:
        """Whether another attempt would be taken at ``now``."""
        opens, closes = self.terms.opens_at, self.terms.closes_at
        in_time = (opens is None or opens <= now) and (closes is None or now <= closes)
        return in_time and self.attempts_left != 0

    def check(self, name: str, now: datetime) -> None:
        """Raise what a student is told who hands in at ``now``, if it is not taken.

        ``NotFoundError`` before the assignment ``name`` opens, in the words of one that is not
        there; ``ForbiddenError`` after it closed, or when no attempt is left.
        """
        check_opened(self.terms, name, now)
        closes = self.terms.closes_at
        if closes is not None and now > closes:
            msg = (
                f"closes_at: {name} was open until {_shown(closes)}; by the server's clock it is "
                f"{_shown(now)}. Ask your instructor for an extension."
            )
            raise ForbiddenError(msg, field="closes_at")
        if self.attempts_left == 0:
            msg = (
                f"max_attempts: {name} takes {self.terms.max_attempts} attempts, and you have made "
                f"{self.attempts_used}. Ask your instructor for an extension."
            )
            raise ForbiddenError(msg, field="max_attempts")


def check_opened(terms: Terms, name: str, now: datetime) -> None:
    """Raise ``NotFoundError`` before ``opens_at``, in the words of an assignment that is absent."""
    if terms.opens_at is not None and now < terms.opens_at:
        msg = f"assignment: there is no assignment {name!r} in this course."
        raise NotFoundError(msg, field="assignment")


def check_time(time: datetime, field: str) -> None:
    """Raise ``InvalidInputError`` for a time without a zone, or that not everything can hold."""
    is_zoned = time.utcoffset() is not None
    _check(is_zoned, field, "Give a time with its zone, such as 2026-11-21T23:59:00+01:00.")
    in_range = _FIRST_YEAR <= _utc_year(time) <= _LAST_YEAR
    _check(in_range, field, f"Use a year from {_FIRST_YEAR} to {_LAST_YEAR} in UTC.")


def _utc_year(time: datetime) -> int:
    """Return the year in UTC, in which times are stored; 0 if it has none there."""
    try:
        return time.astimezone(UTC).year
    except OverflowError:
        return 0


def _later(time: datetime | None, more: timedelta) -> datetime | None:
    """Return ``time`` and ``more``, to the end of the last year at most and never earlier."""
    return None if time is None else time + max(timedelta(0), min(more, _LAST - time))


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Extension:
    """More time, and more attempts, for one person or one group; exactly one of both is named.

    A person's extensions and those of all their groups add up. One that is revoked is kept.
    """

    id: UUID
    assignment_id: UUID
    user: str | None
    group: str | None
    seconds: int
    attempts: int
    reason: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoreTime:
    """What an extension gives to one person or one group, and why; it is not stored yet."""

    user: str | None
    group: str | None
    seconds: int = 0
    attempts: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Raise ``InvalidInputError`` that names the part that cannot be used."""
        is_one = (self.user is None) is not (self.group is None)
        _check(is_one, "user", "Name either a user or a group.")
        _check(0 <= self.seconds <= MAX_SECONDS, "seconds", f"Use 0 to {MAX_SECONDS:,}.")
        _check(0 <= self.attempts <= MAX_ATTEMPTS, "attempts", f"Use 0 to {MAX_ATTEMPTS:,}.")
        _check(bool(self.seconds or self.attempts), "seconds", "Give more time or more attempts.")
        fits = len(self.reason) <= MAX_REASON
        _check(fits, "reason", f"Use at most {MAX_REASON:,} characters.")
        checked_text(self.reason, "reason")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What decides which attempt counts; ``points`` are after the penalty, None until graded."""

    number: int
    submitted_at: datetime
    is_collected: bool = False
    points: float | None = None


def counting_attempt(attempts: Sequence[Attempt], counting: Counting) -> int:
    """Return the number of the attempt that counts; there is at least one.

    LATEST is the one with the highest number: the server gave the numbers, one after another, and
    a clock that is set back changes nothing. One that was collected with a time before that of the
    one that counted until then does not count: it is an older file that was found later. BEST is
    the one with most points; as long as none is graded, it is the latest.
    """
    ordered = sorted(attempts, key=lambda attempt: attempt.number)
    latest = ordered[0]
    for attempt in ordered[1:]:
        if not attempt.is_collected or attempt.submitted_at >= latest.submitted_at:
            latest = attempt
    if counting is Counting.LATEST:
        return latest.number
    graded = [(attempt.points, attempt) for attempt in ordered if attempt.points is not None]
    if not graded:
        return latest.number
    return max(graded, key=lambda one: (one[0], one[1].number))[1].number


def _check(is_right: bool, name: str, remedy: str) -> None:
    if not is_right:
        msg = f"{name}: this value cannot be used. {remedy}"
        raise InvalidInputError(msg, field=name)
