"""Every verb of every address begins narrowed, also those that change something."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ForbiddenError
from jupyter_ppo.domain.scope import EVERY_COURSE, Scope, courses_with, one_course, scope
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.urls import ROUTES

RL = uuid4()
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Scope]:
    """Return the scope with which each verb begins; none of them is let do anything.

    Who asks is a student of one course at a hub.
    """
    seen: list[Scope] = []

    async def student(_handler: PPOHandler, user: Any) -> Caller:
        return Caller(user.username, grants={RL: Role.STUDENT})

    def stop(_handler: PPOHandler, _action: object) -> None:
        seen.append(scope())
        msg = "Seen."
        raise ForbiddenError(msg)

    monkeypatch.setattr(PPOHandler, "_caller_of", student)
    monkeypatch.setattr(PPOHandler, "check_token", stop)
    return seen


async def test_every_verb_begins_with_the_course_of_its_address_or_those_of_who_asks(
    api: Any, begun: list[Scope]
) -> None:
    asked = 0
    for path, handler in ROUTES:
        for verb in VERBS:
            method = getattr(handler, verb.lower())
            if not hasattr(method, "operation") or getattr(
                method, "__allow_unauthenticated", False
            ):
                continue
            begun.clear()
            address = re.sub(r"\{\w+\}", str(UUID(int=7)), path.replace("{course}", "ppo"))
            answer = await api("sam", verb, address)
            assert answer.code == 403, f"{verb} {path}"
            if "{course}" in path:
                expected = one_course("ppo")
            elif path.split("/")[1] == "me":
                expected = EVERY_COURSE
            else:
                expected = courses_with([RL])
            assert begun == [expected], f"{verb} {path}"
            asked += 1
    assert asked >= 100
