"""The base of every handler: who asks, what was sent, how it is answered."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from jupyter_ppo.autograde.read import MAX_BYTES, too_large
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    BusyError,
    InvalidInputError,
    NotFoundError,
    PPOError,
    TooLargeError,
)
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.use_cases import UseCases
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.errors import error_answer, invalid_input, retry_after, status_of
from jupyter_ppo.web.operations import MediaType

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
#: What a client of a stopping server is told to wait, in seconds: a restart takes that long.
_STOPPING_SECONDS = 10.0


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

    async def prepare(self) -> None:  # type: ignore[override]
        """Let jupyter_server sign the person in and check the origin, then close every door.

        ``allow_unauthenticated_access`` of the server opens nothing here.
        """
        await super().prepare()
        verb = getattr(self, (self.request.method or "").lower())
        if not getattr(verb, "__allow_unauthenticated", False):
            if not self.current_user:
                raise HTTPError(HTTPStatus.FORBIDDEN)
            if self.context.problem is not None:
                raise self.context.unavailable()
        self._check_address()
        length = self.request.headers.get("Content-Length", "0")
        # A float, because int() refuses thousands of digits.
        if length.isdecimal() and float(length) > MAX_READ_BYTES:
            raise _too_large(MAX_BODY_BYTES)

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
        """Keep grades and notebooks out of every cache."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

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
        return self.context.caller(self.current_user.username)

    async def ask(
        self, use_case: Callable[Concatenate[Caller, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a use case for the caller in a thread, so that the server goes on meanwhile.

        Raises ``BusyError`` when the server stops before its turn.
        """
        work = functools.partial(use_case, self.caller, *args, **kwargs)
        try:
            asked = self.context.threads.submit(work)
        except RuntimeError as error:  # the threads have ended
            raise _stopping() from error
        try:
            return await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise _stopping() from None  # it waited for a thread when they were told to end

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
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(_methods(type(self))))
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


def _stopping() -> BusyError:
    msg = "This server is stopping. Send the request again."
    return BusyError(msg, retry_after=_STOPPING_SECONDS)


def _too_large(limit: int) -> TooLargeError:
    msg = f"The request is larger than {limit // 2**10:,} KiB. Send less."
    return TooLargeError(msg, field="body")
