"""What the forwarding of requests and of streams share: doors, addresses, headers, refusals."""

from __future__ import annotations

import inspect
import json
import re
from http import HTTPStatus
from typing import Any, Final

from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.http1connection import HTTP1Connection

from jupyter_ppo.domain.errors import (
    ForbiddenError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TooLargeError,
)
from jupyter_ppo.web.base import MAX_READ_BYTES, PPOHandler
from jupyter_ppo.web.forwarding_upstream import DownError, Head, Upstream
from jupyter_ppo.web.operations import AUTH_RESOURCE, Action

#: The key of the ``Upstream`` in the settings of the web application.
UPSTREAM = "jupyter_ppo_upstream"

#: What of a request the service gets to see.
REQUEST_HEADERS: Final = (
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Range",
    "X-Request-ID",
)
#: What of an answer the client gets to see; ``Location`` is rewritten besides.
ANSWER_HEADERS: Final = (
    "Accept-Ranges",
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Range",
    "Content-Security-Policy",
    "Content-Type",
    "ETag",
    "Retry-After",
    "X-Accel-Buffering",
    "X-Content-Type-Options",
    "X-Request-ID",
)
READING = frozenset({"GET", "HEAD"})
#: Statuses with which a proxy says that the service is down.
_PROXY_DOWN = frozenset({502, 503, 504})
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_REFUSED = (
    "The course service does not take this server's token. Restart your server (File > Hub Control "
    "Panel). If that does not help, tell whoever runs this JupyterHub: "
    "c.Spawner.server_token_scopes needs access:services!service=ppo, and so does a role of yours."
)
_STRANGER = (
    "What answers in the place of the course service is something else. Tell whoever runs this "
    "JupyterHub: PPOService.service_url must be the service's address, such as "
    "http://<hub>/services/ppo/."
)
_STRANGER_SECONDS = 30.0


class ForwardingBase(PPOHandler):
    """What the forwarding of requests and of streams share."""

    @property
    def upstream(self) -> Upstream:
        """The way to the service."""
        upstream: Upstream = self.settings[UPSTREAM]
        return upstream

    async def prepare(self) -> None:  # type: ignore[override]
        """Close every door of this server; what lies behind them is the service's to say.

        Nobody is looked up here, unlike in ``PPOHandler.prepare``.
        """
        await APIHandler.prepare(self)
        verb = getattr(self, (self.request.method or "").lower())
        if not getattr(verb, "__allow_unauthenticated", False):
            if not self.current_user:
                raise web.HTTPError(HTTPStatus.FORBIDDEN)
            await self._ask_authorizer()
        length = self.request.headers.get("Content-Length", "0")
        # A float, because int() refuses thousands of digits.
        if length.isdecimal() and float(length) > MAX_READ_BYTES:
            msg = f"The request is larger than {MAX_READ_BYTES // 2**20} MiB. Send less."
            raise TooLargeError(msg, field="body")
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(MAX_READ_BYTES)
        self._is_prepared = True

    async def _ask_authorizer(self) -> None:
        action = Action.READ if self.request.method in READING else Action.WRITE
        allowed: Any = self.authorizer.is_authorized(self, self.current_user, action, AUTH_RESOURCE)
        if inspect.isawaitable(allowed):
            allowed = await allowed
        if not allowed:
            msg = f"This server does not let you {action} in {AUTH_RESOURCE}."
            raise ForbiddenError(msg)

    def target(self) -> str:
        """Return the address at the service that this request is for."""
        return self.upstream.target(self.request.path, self.request.query)

    def sent_headers(self) -> dict[str, str]:
        """Return what the service gets to see of this request, and the token."""
        sent = self.request.headers
        kept = {name: sent[name] for name in REQUEST_HEADERS if name in sent}
        return {
            **{name: value for name, value in kept.items() if _HEADER_VALUE.fullmatch(value)},
            "Accept-Encoding": "identity",
            "Authorization": self.upstream.authorization,
        }

    def check_refusal(self, head: Head, body: bytes) -> None:
        """Raise what an error stands for that is not one of the service's own.

        ``body`` is empty for HEAD. Raises ``ServiceRefusedError`` when the token is not taken,
        ``DownError`` for the page of a proxy, ``ServiceUnavailableError`` for any other stranger.
        """
        is_redirect = 300 <= head.status < 400
        is_ours = not is_redirect and (
            is_error_body(body)
            or (self.request.method == "HEAD" and "json" in head.headers.get("Content-Type", ""))
        )
        # The service says so when it knows nobody by this token, and the hub by its sign-in page.
        if is_redirect or "WWW-Authenticate" in head.headers:
            raise ServiceRefusedError(_REFUSED)
        if is_ours:
            return
        if head.status in _PROXY_DOWN:
            msg = f"A proxy answered {head.status}."
            raise DownError(msg)
        if head.status in {401, 403}:
            raise ServiceRefusedError(_REFUSED)
        raise stranger()

    def set_headers_of(self, head: Head) -> None:
        """Take over what the client may see of an answer's headers."""
        for name in ANSWER_HEADERS:
            value = head.headers.get(name)
            if value is not None and _HEADER_VALUE.fullmatch(value):
                self.set_header(name, value)
        location = head.headers.get("Location")
        if location is not None:
            own = self.upstream.own_location(location, self.base_url)
            if own is not None and _HEADER_VALUE.fullmatch(own):
                self.set_header("Location", own)


def stranger() -> ServiceUnavailableError:
    """Return what people are told when something else answers in the place of the service."""
    return ServiceUnavailableError(_STRANGER, retry_after=_STRANGER_SECONDS)


def is_error_body(body: bytes) -> bool:
    """Say whether this is an error of the service, in its one shape."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return (
        isinstance(found, dict)
        and isinstance(found.get("code"), str)
        and isinstance(found.get("message"), str)
    )
