"""What a request hands to other threads, and asks much later, is about its own courses only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import copy_context
from threading import current_thread
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.scope import EVERY_COURSE, Scope, courses_with, narrow, one_course, scope
from jupyter_ppo.web.base import PPOHandler

PATH = "/courses/ppo/assignments/one/hints/double"
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def service_settings(llm_server: Any, postgresql_url: str) -> dict[str, Any]:
    return {
        "db_url": postgresql_url,
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_timeout_seconds": 20.0,
        "llm_tries": 1,
    }


@pytest.fixture
def scopes() -> Iterator[list[Scope]]:
    """Return the scope of every transaction that begins in a thread that writes words."""
    seen: list[Scope] = []

    def note(_connection: Connection) -> None:
        if current_thread().name.startswith("jupyter-ppo-words"):
            seen.append(scope())

    event.listen(Engine, "begin", note)
    yield seen
    event.remove(Engine, "begin", note)


@pytest.mark.postgresql
@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["one body", "events"])
async def test_words_are_written_about_the_course_in_the_address(
    api: Any, source: bytes, llm_server: Any, scopes: list[Scope], headers: dict[str, str]
) -> None:
    await api.course(source)
    for answer in ("return x", "return x + x + 0"):
        body = {"answer": f"def double(x):\n    {answer}"}
        response = await api("sam", "POST", PATH, body, headers=headers)
        assert response.code == 201
        assert b'"source":' in response.body or b'"source": ' in response.body
    # Besides the course, only sums over all that a person did.
    assert one_course("ppo") in scopes
    assert set(scopes) <= {one_course("ppo"), EVERY_COURSE}
    assert scopes.count(one_course("ppo")) > scopes.count(EVERY_COURSE)


class _AskedAgain:
    recheck_seconds = 0

    async def get_user_again(self, _handler: object) -> object:
        return object()


def test_a_course_that_somebody_left_is_not_in_the_scope_of_a_stream_any_more() -> None:
    stayed, left = uuid4(), uuid4()
    callers = [Caller("sam", grants={stayed: Role.STUDENT})]

    async def caller_of(_user: object) -> Caller:
        return callers[0]

    handler = SimpleNamespace(
        identity_provider=_AskedAgain(),
        path_kwargs={},
        caller=callers[0],
        _asked_at=0.0,
        _caller_of=caller_of,
        _api_path=lambda: "/training/runs/7/stream",
    )
    handler._scope = lambda: PPOHandler._scope(cast(Any, handler))

    async def stream() -> Scope:
        narrow(courses_with([stayed, left]))
        await PPOHandler.recheck(cast(Any, handler))
        return scope()

    assert copy_context().run(asyncio.run, stream()) == courses_with([stayed])
