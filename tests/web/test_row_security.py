"""Every request says which courses it is about, and PostgreSQL holds it to that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import current_thread
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.scope import EVERY_COURSE, Scope, courses_with, one_course, scope
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.operations import MediaType, operation_of
from jupyter_ppo.web.urls import ROUTES

RL, ML = uuid4(), uuid4()
GRANTS = {RL: Role.STUDENT, ML: Role.INSTRUCTOR}

#: What a person may spend in a day is one sum over all courses.
SUMS = {"/courses/{course}/model-spend"}


@pytest.mark.parametrize(
    ("address", "course", "caller", "expected"),
    [
        ("/courses/rl/grades", "rl", Caller("sam", grants=GRANTS), one_course("rl")),
        ("/courses/rl/grades", "rl", Caller("ada", admin=True), one_course("rl")),
        ("/submissions/7", None, Caller("sam", grants=GRANTS), courses_with([RL, ML])),
        ("/submissions/7", None, Caller("oto", grants={}), Scope()),
        ("/mean/7", None, Caller("sam", grants={RL: Role.STUDENT}), courses_with([RL])),
        # Their own, also of courses that they have left; and those whose courses a query knows.
        ("/me/data", None, Caller("sam", grants=GRANTS), EVERY_COURSE),
        ("/submissions/7", None, Caller("sam"), EVERY_COURSE),
        ("/submissions/7", None, Caller("ada", admin=True, grants={}), EVERY_COURSE),
    ],
)
def test_a_request_is_about_the_course_in_its_address_or_those_of_who_asks(
    address: str, course: str | None, caller: Caller, expected: Scope
) -> None:
    path_kwargs = {} if course is None else {"course": course}
    request = SimpleNamespace(path_kwargs=path_kwargs, caller=caller, _api_path=lambda: address)
    assert PPOHandler._scope(cast(Any, request)) == expected


@pytest.fixture
def scopes() -> Iterator[list[Scope]]:
    """Return the scope of every transaction that begins in a thread of requests."""
    seen: list[Scope] = []

    def note(_connection: Any) -> None:
        if current_thread().name.startswith("jupyter-ppo-web"):
            seen.append(scope())

    event.listen(Engine, "begin", note)
    yield seen
    event.remove(Engine, "begin", note)


async def test_at_every_address_of_a_course_what_is_asked_last_is_about_that_course(
    api: Any, source: bytes, scopes: list[Scope]
) -> None:
    await api.course(source)
    asked = 0
    for path, handler in ROUTES:
        if not path.startswith("/courses/{course}") or not hasattr(handler.get, "operation"):
            continue
        if operation_of(handler.get).answer is MediaType.EVENTS:
            continue
        address = path.replace("{course}", "ppo").replace("{assignment}", "one")
        scopes.clear()
        await api("ines", "GET", re.sub(r"\{\w+\}", str(UUID(int=7)), address))
        about = [each for each in scopes if each != EVERY_COURSE]
        assert about, f"GET {address} asked nothing, or about every course"
        assert set(about) == {one_course("ppo")}
        # Who asks is looked up before; from then on nothing is about more than this course.
        wider = EVERY_COURSE in scopes[scopes.index(about[0]) :]
        assert wider == (path in SUMS), address
        asked += 1
    assert asked >= 20
