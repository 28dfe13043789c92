"""A request narrows its own scope and no other's; threads get the one of whoever asked them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from jupyter_ppo.domain.scope import (
    EVERY_COURSE,
    Scope,
    courses_with,
    every_course,
    in_this_scope,
    narrow,
    one_course,
    scope,
)


def test_outside_of_requests_every_course_is_in_it() -> None:
    assert scope() == EVERY_COURSE


def test_a_task_narrows_its_own_and_what_it_hands_to_threads() -> None:
    seen: dict[str, Scope] = {}

    async def request(name: str) -> None:
        narrow(one_course(name))
        await asyncio.sleep(0)
        loop, work = asyncio.get_running_loop(), in_this_scope(scope)
        seen[name] = await loop.run_in_executor(threads, work)

    async def both() -> None:
        await asyncio.gather(*(asyncio.create_task(request(name)) for name in ("rl", "ml")))

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(both())
        # The thread itself remembers nothing.
        assert threads.submit(scope).result() == EVERY_COURSE
    assert seen == {name: Scope(names=frozenset({name})) for name in ("rl", "ml")}
    assert scope() == EVERY_COURSE


def test_for_a_moment_it_can_be_every_course_again() -> None:
    mine = courses_with([uuid4()])

    def work() -> list[Scope]:
        narrow(mine)
        with every_course():
            inside = scope()
        return [inside, scope()]

    assert in_this_scope(work)() == [EVERY_COURSE, mine]
    assert scope() == EVERY_COURSE
