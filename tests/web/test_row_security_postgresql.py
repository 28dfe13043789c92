"""The wall between courses itself, with a condition taken out of the queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from jupyter_ppo.domain.scope import EVERY_COURSE
from jupyter_ppo.web.base import PPOHandler

pytestmark = pytest.mark.postgresql


@pytest.fixture
def service_settings(postgresql_url: str) -> dict[str, Any]:
    return {"db_url": postgresql_url}


@pytest.fixture
def broken_query() -> Iterator[None]:
    """Have no query ask of which course an assignment is."""

    def leave_out(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> tuple[str, Any]:
        condition = r"assignments\.course_id = %\(course_id_\d+\)s(::UUID)?"
        return re.sub(condition, "true", statement), parameters

    event.listen(Engine, "before_cursor_execute", leave_out, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", leave_out)


async def test_a_query_without_its_condition_shows_nothing_of_another_course(
    api: Any, source: bytes, broken_query: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ppo", "other"):
        await api.course(source, name)
    await api.ok("ines", "PUT", "/courses/other/assignments/secret", source)
    path = "/courses/ppo/assignments"

    async def names() -> list[str]:
        return sorted(each["name"] for each in (await api.ok("ines", "GET", path))["items"])

    assert await names() == ["one"]
    # The query is broken indeed: without the wall it shows all.
    monkeypatch.setattr(PPOHandler, "_scope", lambda _self: EVERY_COURSE)
    assert await names() == ["one", "one", "secret"]
