"""Settings of how many requests people may send."""

from __future__ import annotations

from typing import Any

from traitlets import Dict, TraitError, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.services.rate_limits import DEFAULTS, Limit, RateLimits, unlimited

_MOST = 10_000_000


class LimitSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about requests."""

    rate_limits = Dict(
        help="""Requests in a minute that differ from the defaults, for example
        ``{"writes": 600, "anonymous": 0}``; 0 is any number. The table is in docs/limits.md. With
        ``identity = "owner"`` nothing is limited: who sends too much there harms only themselves.
        """,
    ).tag(config=True)

    @validate("rate_limits")
    def _check_rate_limits(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        for name, number in value.items():
            if name not in tuple(Limit):
                msg = f"rate_limits: {name!r} is not a limit; there are {', '.join(sorted(Limit))}."
                raise TraitError(msg)
            is_whole = isinstance(number, int) and not isinstance(number, bool)
            if not is_whole or not 0 <= number <= _MOST:
                msg = f"rate_limits: {name} is {number!r}. Use a whole number, 0 to {_MOST:,}."
                raise TraitError(msg)
        return value

    def build_rate_limits(self, *, is_shared: bool) -> RateLimits:
        """Return the limits; none where one person asks their own server."""
        if not is_shared:
            return unlimited()
        chosen = {Limit(name): number for name, number in self.rate_limits.items()}
        return RateLimits({**DEFAULTS, **chosen})
