"""Errors become HTTP here, once: every status, every error body."""

from __future__ import annotations

import math
from enum import StrEnum
from http import HTTPStatus

from pydantic import ValidationError
from tornado.web import HTTPError

from jupyter_ppo.domain.errors import (
    ConflictError,
    DatabaseVersionError,
    EditConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PPOError,
    ServiceRefusedError,
    ServiceTimeoutError,
    ServiceUnavailableError,
    StorageFullError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UntrustedRunError,
)
from jupyter_ppo.web.models import Conflict, Error

#: The status of each error; a class that is not listed takes that of its nearest parent.
STATUS: dict[type[PPOError], HTTPStatus] = {
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    # What was sent is right; the files of the run that it names are not ours.
    UntrustedRunError: HTTPStatus.CONFLICT,
    UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    DatabaseVersionError: HTTPStatus.SERVICE_UNAVAILABLE,
    ServiceUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    ServiceTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    ServiceRefusedError: HTTPStatus.BAD_GATEWAY,
    PPOError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class HTTPCode(StrEnum):
    """Codes of errors that only HTTP knows; all others are ``PPOError.code``."""

    METHOD_NOT_ALLOWED = "method_not_allowed"


_HTTP_ERRORS: dict[int, tuple[str, str]] = {
    HTTPStatus.UNAUTHORIZED: (ForbiddenError.code, "Sign in to this Jupyter server first."),
    HTTPStatus.FORBIDDEN: (
        ForbiddenError.code,
        "This is not allowed. Sign in to this Jupyter server, or send its token, and try again.",
    ),
    HTTPStatus.NOT_FOUND: (NotFoundError.code, "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        HTTPCode.METHOD_NOT_ALLOWED,
        "This address does not answer this method; the Allow header says which it does.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (TooLargeError.code, "The request is too large."),
}
_BAD_REQUEST = (InvalidInputError.code, "The request cannot be read.")
_INTERNAL = Error(
    code=PPOError.code,
    message="Something went wrong on the server. Its log says what.",
    field=None,
)


#: Without the cookie that goes with the page, or with one of another page.
_FOREIGN_PAGE = (
    "The sign-in of this page has ended, or the request came from another page. "
    "Load the page again; a program sends a token."
)

_WAITING = (
    TooManyRequestsError,
    UnavailableError,
    ServiceUnavailableError,
)


def status_of(error: PPOError) -> HTTPStatus:
    """Return the HTTP status of ``error``."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def retry_after(error: BaseException | None) -> int | None:
    """Return the whole seconds after which to try again, at least 1, if ``error`` says so."""
    if isinstance(error, _WAITING):
        return None if error.retry_after is None else max(1, math.ceil(error.retry_after))
    return None


def error_answer(status: int, error: BaseException | None) -> tuple[int, Error]:
    """Return the status and the body for ``error``, or for a bare ``status`` when it is None.

    Whatever is not meant for the user becomes a 500 without details.
    """
    if isinstance(error, PPOError):
        status = status_of(error)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL
        conflict = None
        if isinstance(error, EditConflictError):
            conflict = Conflict(yours=error.yours, theirs=error.theirs)
        return status, Error(
            code=error.code, message=error.message, field=error.field, conflict=conflict
        )
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL
    code, message = _HTTP_ERRORS.get(status, _BAD_REQUEST)
    said = _said(error)
    return status, Error(code=code, message=said or message, field=None)


def _said(error: BaseException | None) -> str | None:
    """Return the message that tornado or jupyter_server gave to an HTTPError."""
    if not isinstance(error, HTTPError) or not error.log_message:
        return None
    # Tornado doubles every % of a message without arguments, so that this is always right.
    said = error.log_message % error.args
    return _FOREIGN_PAGE if "xsrf" in said.casefold() else said


def invalid_input(error: ValidationError, what: str) -> InvalidInputError:
    """Return the first complaint of pydantic as our error; ``what`` names the part of the request.

    Pydantic's own text is never sent whole: it repeats the input and names its documentation.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = _path(first["loc"]) or None
    said = "give at least one" if first["type"] == "too_short" else first["msg"]
    msg = f"{field or what}: {said}."
    return InvalidInputError(msg, field=field)


def _path(location: tuple[int | str, ...]) -> str:
    """Return where something is in a body, as ``cases[2].call.args``."""
    steps = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(steps).removeprefix(".")
