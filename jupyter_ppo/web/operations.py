"""What each verb needs and gives: read by the permission check and by the OpenAPI document."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel

from jupyter_ppo.domain.errors import ForbiddenError

#: The resource that a server's authorizer is asked about for every verb of ours.
AUTH_RESOURCE = "jupyter_ppo"

Verb = Callable[..., Awaitable[None]]
VerbT = TypeVar("VerbT", bound=Verb)


class Action(StrEnum):
    """What an authorizer of jupyter_server may allow or refuse."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"


class MediaType(StrEnum):
    """Types of bodies; everything but JSON is sent and received as it is."""

    JSON = "application/json"
    NOTEBOOK = "application/x-ipynb+json"
    HTML = "text/html"
    CSV = "text/csv"
    ZIP = "application/zip"
    BYTES = "application/octet-stream"
    SQLITE = "application/vnd.sqlite3"
    VC_JWT = "application/vc+jwt"
    EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """What one verb answers, with which status, and what it takes."""

    answer: type[BaseModel] | MediaType
    status: HTTPStatus
    body: type[BaseModel] | MediaType | None
    query: type[BaseModel] | None
    also: MediaType | None
    same: tuple[HTTPStatus, ...]
    body_also: MediaType | None = None
    has_key: bool = False
    has_revision: bool = False


def answers(
    answer: type[BaseModel] | MediaType,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    body: type[BaseModel] | MediaType | None = None,
    query: type[BaseModel] | None = None,
    also: MediaType | None = None,
    same: tuple[HTTPStatus, ...] = (),
    body_also: MediaType | None = None,
    has_key: bool = False,
    has_revision: bool = False,
) -> Callable[[VerbT], VerbT]:
    """Write on a verb what it answers and takes.

    ``also`` is a second form of the answer, ``body_also`` one of the body, ``same`` more statuses
    that come with the answer (or, when it is an error, with the error's body). ``has_key``: the
    verb takes an ``Idempotency-Key``, ``has_revision``: an ``If-Match``.
    """

    def mark(verb: VerbT) -> VerbT:
        operation = Operation(
            answer, status, body, query, also, same, body_also, has_key, has_revision
        )
        verb.operation = operation  # type: ignore[attr-defined]
        return verb

    return mark


def operation_of(verb: Callable[..., Any]) -> Operation:
    """Return what ``answers`` wrote; raise ``AttributeError`` on a verb without it."""
    operation: Operation = verb.operation  # type: ignore[attr-defined]
    return operation


def permitted(action: Action) -> Callable[[Verb], Verb]:
    """Ask the server's authorizer before the verb; raise ``ForbiddenError`` when it refuses.

    In place of ``jupyter_server.auth.authorized``, which remembers the resource of the first
    handler that it met and so checks a shared verb against the wrong one.
    """

    def guard(verb: Verb) -> Verb:
        @functools.wraps(verb)
        async def asked(self: Any, *args: Any, **kwargs: Any) -> None:
            # A body may have come slowly: who sent it may not be here any more.
            await self.recheck()
            self.check_token(action)
            allowed = self.authorizer.is_authorized(self, self.current_user, action, AUTH_RESOURCE)
            if inspect.isawaitable(allowed):
                allowed = await allowed
            if not allowed:
                msg = f"This server does not let you {action} in {AUTH_RESOURCE}."
                raise ForbiddenError(msg)
            await verb(self, *args, **kwargs)

        return asked

    return guard
