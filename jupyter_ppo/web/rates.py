"""Which limit a request counts against."""

from __future__ import annotations

from jupyter_server.auth import User
from tornado.httputil import HTTPServerRequest

from jupyter_ppo.services.rate_limits import Limit, RateLimits

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Requests that make this machine compute, by the first or the last part of their address.
_WORK_FIRST = frozenset({"execute", "runs"})
_WORK_LAST = frozenset({"validations", "checks", "previews", "explanations", "sealing"})
_HINTS = "hints"


def check_rate(
    limits: RateLimits,
    request: HTTPServerRequest,
    user: User | None,
    path: str,
    course: str | None,
) -> None:
    """Count a request; raise ``RateLimitedError`` when there were too many.

    ``user`` is who is signed in, None for nobody; ``path`` is the address below the API's prefix,
    ``course`` the name of the course in it. Of nobody the address that they come from is counted.
    """
    if user is None:
        limits.take(Limit.ANONYMOUS, request.remote_ip)
        return
    limits.take(_limit(request, path), user.username)
    if course is not None:
        limits.take(Limit.COURSE, course)


def _limit(request: HTTPServerRequest, path: str) -> Limit:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return Limit.STREAMS
    if request.method in _SAFE:
        return Limit.READS
    parts = path.strip("/").split("/")
    is_work = parts[0] in _WORK_FIRST or parts[-1] in _WORK_LAST or _HINTS in parts
    return Limit.WORK if request.method == "POST" and is_work else Limit.WRITES
