"""How many requests people may send: token buckets in the memory of this process.

These are against abuse, by accident or not. Quotas that must be exact (submissions, programs, runs,
hints) count rows in the database.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from jupyter_ppo.domain.errors import RateLimitedError

#: Buckets that are remembered; the one that was not used for longest is forgotten first.
_MOST_BUCKETS = 20_000
#: A bucket holds what comes in so many seconds: that much may be sent at once.
_BURST_SECONDS = 20.0


class Limit(StrEnum):
    """What is limited, and the name of its setting."""

    READS = "reads"  # of a person
    WRITES = "writes"  # of a person
    WORK = "work"  # of a person: what makes this machine compute
    STREAMS = "streams"  # of a person: WebSockets opened
    COURSE = "course"  # of everybody together, about one course
    ANONYMOUS = "anonymous"  # of an address, without a sign-in that holds
    GUESSES = "guesses"  # of an address: wrong secrets for one API token


#: Requests in a minute. A class of students is far below, a loop that went wild is not.
DEFAULTS: Mapping[Limit, int] = {
    Limit.READS: 1_200,
    Limit.WRITES: 300,
    Limit.WORK: 120,
    Limit.STREAMS: 120,
    Limit.COURSE: 60_000,
    Limit.ANONYMOUS: 600,
    Limit.GUESSES: 15,
}

_WHAT = {
    Limit.READS: "your requests that read",
    Limit.WRITES: "your requests that change something",
    Limit.WORK: "your requests that run or check something",
    Limit.STREAMS: "streams that you open",
    Limit.COURSE: "requests of everybody about this course",
    Limit.ANONYMOUS: "requests from your address without a sign-in",
    Limit.GUESSES: "wrong secrets of this API token from your address",
}


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class RateLimits:
    """Counts requests; ``per_minute`` says how many of each kind, and 0 is any number.

    ``clock`` is in seconds and never goes back.
    """

    def __init__(
        self, per_minute: Mapping[Limit, int], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = dict(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[Limit, Hashable], _Bucket] = OrderedDict()

    def take(self, limit: Limit, who: Hashable) -> None:
        """Count one request of ``who``; raise ``RateLimitedError`` when there were too many.

        What is refused is not counted: who goes on at the allowed rate is let through at once.
        """
        self._ask(limit, who, 1.0)

    def check(self, limit: Limit, who: Hashable) -> None:
        """Raise ``RateLimitedError`` where ``take`` would; count nothing."""
        self._ask(limit, who, 0.0)

    def _ask(self, limit: Limit, who: Hashable, cost: float) -> None:
        per_minute = self._per_minute.get(limit, 0)
        if per_minute <= 0:
            return
        rate = per_minute / 60.0
        with self._lock:
            bucket = self._filled((limit, who), rate)
            missing = 1.0 - bucket.level
            if missing <= 0.0:
                bucket.level -= cost
                return
        wait = missing / rate
        msg = (
            f"{limit}: {_WHAT[limit]} are more than {per_minute:,} in a minute. "
            f"Wait {max(1, round(wait))} s and send it again."
        )
        raise RateLimitedError(msg, retry_after=wait, field=f"rate_limits.{limit}")

    def _filled(self, key: tuple[Limit, Hashable], rate: float) -> _Bucket:
        most = max(1.0, rate * _BURST_SECONDS)
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = _Bucket(most, now)
        else:
            self._buckets.move_to_end(key)
            bucket.level = min(most, bucket.level + (now - bucket.at) * rate)
            bucket.at = now
        return bucket


def unlimited() -> RateLimits:
    """Return limits that let everything through."""
    return RateLimits({})
