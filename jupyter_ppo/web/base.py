"""The base of every handler: who asks, what was sent, how it is answered."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from pydantic import BaseModel, ValidationError
from tornado.http1connection import HTTP1Connection
from tornado.web import HTTPError, RequestHandler, stream_request_body

from jupyter_ppo.autograde.read import MAX_BYTES, too_large
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PPOError,
    TooLargeError,
)
from jupyter_ppo.domain.scope import (
    EVERY_COURSE,
    Scope,
    courses_with,
    every_course,
    narrow,
    one_course,
)
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.use_cases import UseCases
from jupyter_ppo.web.api_tokens_auth import (
    TokenIdentity,
    TokenUser,
    check_action,
    check_address,
    sent_token,
)
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.errors import error_answer, invalid_input, retry_after, status_of
from jupyter_ppo.web.operations import Action, MediaType
from jupyter_ppo.web.rates import check_rate

P = ParamSpec("P")
T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

#: Where the API lives, below the base address of the server.
API_PREFIX = "/jupyter-ppo/api/v1"

#: The most that is kept of a body: the largest notebook.
MAX_BODY_BYTES = MAX_BYTES
MAX_JSON_BYTES = 64 * 2**10
#: A body that says it is longer than this is not read at all. Anything else over
#: ``MAX_BODY_BYTES`` is read and thrown away: who is answered while still sending sees a broken
#: connection in place of the answer.
MAX_READ_BYTES = 200 * 2**20


#: Knows who sends an API token.
_TOKENS = TokenIdentity()


@runtime_checkable
class AsksAgain(Protocol):
    """An identity provider that can be asked again; answers hold for ``recheck_seconds``."""

    recheck_seconds: int

    async def get_user_again(self, handler: RequestHandler) -> User | None:
        """Return who the sender of an earlier request is by now; None if nobody any more."""


@stream_request_body
class PPOHandler(APIHandler):
    """Thin verbs stand on this: every helper raises ``PPOError`` and ``write_error`` answers it.

    The body is streamed, so that no more than ``MAX_BODY_BYTES`` of it is ever held.
    ``max_json_bytes`` is the most that a body of JSON may be.
    """

    max_json_bytes: ClassVar[int] = MAX_JSON_BYTES

    def initialize(self) -> None:
        """Start with an empty body; called by tornado for each request."""
        self._body = bytearray()
        self._received = 0
        self._is_prepared = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Let jupyter_server sign the person in and check the origin, then close every door.

        ``allow_unauthenticated_access`` of the server opens nothing here.
        """
        try:
            await super().prepare()
        finally:
            # Also when nobody is signed in: whoever knocks that often is told to wait.
            self._check_rate()
        verb = getattr(self, (self.request.method or "").lower())
        if not getattr(verb, "__allow_unauthenticated", False):
            if not self.current_user:
                raise HTTPError(HTTPStatus.FORBIDDEN)
            if self.context.problem is not None:
                raise self.context.unavailable()
            self._asked_at = asyncio.get_running_loop().time()
            self._caller = await self._caller_of(self.current_user)
            narrow(self._scope())
        check_address(self.current_user, self._api_path())
        self._check_address()
        length = self.request.headers.get("Content-Length", "0")
        # A float, because int() refuses thousands of digits.
        if length.isdecimal() and float(length) > MAX_READ_BYTES:
            raise _too_large(MAX_BODY_BYTES)
        if isinstance(self.request.connection, HTTP1Connection):
            # A server may take less from whoever it does not know yet.
            self.request.connection.set_max_body_size(MAX_READ_BYTES)
        self._is_prepared = True

    def _check_rate(self) -> None:
        """Count the request; raise ``RateLimitedError`` when there are too many."""
        user = getattr(self, "_jupyter_current_user", None)
        course = self.path_kwargs.get("course")
        check_rate(self.context.limits, self.request, user, self._api_path(), course)

    def _check_address(self) -> None:
        """Refuse a NUL in the address: nothing has such a name, and not every database takes it."""
        if any("\0" in part for part in (*self.path_args, *self.path_kwargs.values())):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        for name, values in self.request.query_arguments.items():
            if any(b"\0" in value for value in values):
                msg = f"{name}: it holds a NUL. Remove it."
                raise InvalidInputError(msg, field=name)

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body; called by tornado between ``prepare`` and the verb."""
        self._received += len(chunk)
        if self._received > MAX_BODY_BYTES:
            self._body.clear()
        else:
            self._body += chunk

    def set_default_headers(self) -> None:
        """Keep grades and notebooks out of every cache, and addresses out of other sites' logs."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")

    def compute_etag(self) -> None:
        """Nothing is cached, so nothing is compared."""

    def seen_revision(self) -> int | None:
        """Return the revision in ``If-Match``, None without the header or for ``*``.

        Raises ``InvalidInputError`` for anything else.
        """
        text = self.request.headers.get("If-Match")
        if text is None or text.strip() == "*":
            return None
        found = re.fullmatch(r'\s*"([0-9]{1,9})"\s*', text)
        if found is None:
            msg = 'If-Match: use the revision that you saw, in quotation marks, such as "3".'
            raise InvalidInputError(msg, field="If-Match")
        return int(found[1])

    # -- who asks ----------------------------------------------------------------------------

    @property
    def context(self) -> WebContext:
        """What the extension built."""
        context: WebContext = self.settings[SETTING]
        return context

    @property
    def use_cases(self) -> UseCases:
        """All use cases."""
        return self.context.use_cases

    @property
    def service(self) -> AssessmentService:
        """The use cases of courses, assignments and submissions."""
        return self.use_cases.assessment

    @property
    def caller(self) -> Caller:
        """The person behind this request."""
        return self._caller

    async def recheck(self) -> None:
        """Ask once more who this is when it was last asked too long ago, in a request that lasts.

        Raises ``ForbiddenError`` when they may not be here any more.
        """
        provider = self.identity_provider
        now = asyncio.get_running_loop().time()
        if isinstance(provider, AsksAgain) and now - self._asked_at >= provider.recheck_seconds:
            self._asked_at = now
            user = await provider.get_user_again(self)
            if user is None:
                msg = "You are not signed in any more. Sign in again."
                raise ForbiddenError(msg)
            self._caller = await self._caller_of(user)
            narrow(self._scope())  # a course that they have left is in it no more

    async def _caller_of(self, user: User) -> Caller:
        if isinstance(user, TokenUser) and user.caller is not None:
            return user.caller
        with every_course():
            return await self.context.caller(user)

    def _scope(self) -> Scope:
        """Return the courses that this request is about, whatever its use case asks for.

        What is a person's own (``/me/...``) may be of courses that they have left.
        """
        course, grants = self.path_kwargs.get("course"), self.caller.grants
        if course is not None:
            return one_course(course)
        is_own = self._api_path().split("/")[1:2] == ["me"]
        if is_own or self.caller.admin or grants is None:
            return EVERY_COURSE
        return courses_with(grants)

    @property
    def identity_provider(self) -> IdentityProvider:
        """Who is asked who this is: the server's own provider, unless an API token was sent."""
        if sent_token(self.request) is not None:
            return _TOKENS
        provider: IdentityProvider = super().identity_provider
        return provider

    def check_token(self, action: Action) -> None:
        """Raise ``ForbiddenError`` when an API token was sent that may not do this."""
        check_action(self.current_user, action)

    def _api_path(self) -> str:
        """Return the address below the API's prefix."""
        return self.request.path.removeprefix(url_path_join(self.base_url, API_PREFIX))

    async def ask(
        self, use_case: Callable[Concatenate[Caller, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a use case for the caller in a thread, so that the server goes on meanwhile.

        Raises ``BusyError`` when the server stops before its turn.
        """
        return await self.context.in_thread(
            functools.partial(use_case, self.caller, *args, **kwargs)
        )

    # -- what was sent -----------------------------------------------------------------------

    def notebook_body(self) -> bytes:
        """Return the body as it came; raise ``TooLargeError`` that says how to shrink it."""
        if self._received > MAX_BODY_BYTES:
            raise too_large(self._received)
        return bytes(self._body)

    def json_body(self, model: type[ModelT]) -> ModelT:
        """Return the JSON body as ``model``; raise ``InvalidInputError`` naming the field."""
        if self._received > self.max_json_bytes:
            raise _too_large(self.max_json_bytes)
        try:
            return model.model_validate_json(bytes(self._body))
        except ValidationError as error:
            raise invalid_input(error, "body") from error

    def query(self, model: type[ModelT]) -> ModelT:
        """Return the query string as ``model``; raise ``InvalidInputError`` naming the field."""
        sent = self.request.query_arguments
        values = {
            name: self.get_query_argument(name) for name in model.model_fields if name in sent
        }
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise invalid_input(error, "query") from error

    def idempotency_key(self) -> str | None:
        """Return the header ``Idempotency-Key``, if it was sent.

        Raises ``InvalidInputError`` unless it is 1 to 200 printable ASCII characters.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
            msg = "Idempotency-Key: use 1 to 200 printable ASCII characters, such as a UUID."
            raise InvalidInputError(msg, field="Idempotency-Key")
        return key

    def identifier(self, text: str, what: str = "submission") -> UUID:
        """Return an id from the address; raise ``NotFoundError``, for no other id exists."""
        try:
            return UUID(text)
        except ValueError:
            msg = f"There is no {what} {text[:80]!r}."
            raise NotFoundError(msg, field=what) from None

    # -- how it is answered ------------------------------------------------------------------

    def reply(
        self, answer: BaseModel, status: HTTPStatus = HTTPStatus.OK, *, location: str | None = None
    ) -> None:
        """Send ``answer`` as JSON; ``location`` is the path of what was made, below the API."""
        self.set_status(status)
        if location is not None:
            self.set_header("Location", url_path_join(self.base_url, API_PREFIX, location))
        self.finish(answer.model_dump_json())

    def reply_bytes(
        self, data: bytes, media_type: MediaType, *, filename: str | None = None
    ) -> None:
        """Send ``data`` as it is; with ``filename`` a browser saves it and never shows it."""
        if filename is not None:
            self.set_attachment_header(filename)
        is_file = media_type not in {MediaType.JSON, MediaType.HTML, MediaType.CSV}
        charset = "" if is_file else "; charset=utf-8"
        self.finish(data, set_content_type=f"{media_type}{charset}")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer any error in the one shape; called by tornado, also for 404 and 405."""
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        status, answer = error_answer(status_code, error)
        if not self._is_prepared:
            # The body is not read, so tornado closes the connection: a proxy that is not told of
            # it sends the next request into the closing one, and answers 503 for us.
            self.set_header("Connection", "close")
        if status == HTTPStatus.FORBIDDEN and not getattr(self, "_jupyter_current_user", None):
            # So a server that forwards knows that it was the token, not what was asked for.
            self.set_header("WWW-Authenticate", "token")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(_methods(type(self))))
        if status == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", 'Bearer realm="jupyter-ppo", error="invalid_token"')
        seconds = retry_after(error)
        if seconds is not None:
            self.set_header("Retry-After", str(seconds))
        self.set_status(status)
        # Two values are there only when somebody saved in between.
        self.finish(answer.model_dump_json(exclude=None if answer.conflict else {"conflict"}))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a traceback for our own mistakes only: what a user did wrong is told to the user."""
        status = status_of(value) if isinstance(value, PPOError) else HTTPStatus(500)
        if isinstance(value, PPOError) and status != HTTPStatus.INTERNAL_SERVER_ERROR:
            if value is not self.context.problem:  # said once, when the server started
                level = logging.INFO if status < HTTPStatus(500) else logging.WARNING
                self.log.log(level, "%s: %s", value.code, value.message)
        else:
            super().log_exception(typ, value, tb)


def _methods(handler: type[RequestHandler]) -> list[str]:
    absent = RequestHandler._unimplemented_method
    return [
        method
        for method in RequestHandler.SUPPORTED_METHODS
        if getattr(handler, method.lower()) is not absent
    ]


def _too_large(limit: int) -> TooLargeError:
    msg = f"The request is larger than {limit // 2**10:,} KiB. Send less."
    return TooLargeError(msg, field="body")
