"""Which courses the work at hand is about: the second wall between courses.

The first wall are the questions that every use case asks about roles. This one holds when such a
question, or a condition of a query, is missing: PostgreSQL shows and changes nothing of a course
that is not in the scope (see ``storage/row_security.py``). SQLite has no such wall.

Outside of requests, that is in workers and commands, every course is in the scope. A request of the
REST API narrows it as soon as it is known who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar, Token, copy_context
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """Courses by name or by id; ``every`` are all of them, also those that come later."""

    names: frozenset[str] = frozenset()
    ids: frozenset[UUID] = frozenset()
    every: bool = False


EVERY_COURSE = Scope(every=True)

_SCOPE: ContextVar[Scope] = ContextVar("jupyter_ppo_scope", default=EVERY_COURSE)


def scope() -> Scope:
    """Return the scope in force: of this request, or every course."""
    return _SCOPE.get()


def narrow(wanted: Scope) -> Token[Scope]:
    """Set the scope for the rest of this task, and for the work that it hands to threads.

    A request is a task of its own, so nothing is to be set back.
    """
    return _SCOPE.set(wanted)


def one_course(name: str) -> Scope:
    """Return the scope of a request whose address names a course."""
    return Scope(names=frozenset({name}))


def courses_with(ids: Iterable[UUID]) -> Scope:
    """Return the scope of somebody whose courses are known by their ids."""
    return Scope(ids=frozenset(ids))


@contextmanager
def every_course() -> Generator[None]:
    """Look at every course for a moment: for sums over all that a person did, or their own data."""
    token = _SCOPE.set(EVERY_COURSE)
    try:
        yield
    finally:
        _SCOPE.reset(token)


def in_this_scope(work: Callable[[], T]) -> Callable[[], T]:
    """Return ``work`` with the scope of now, for a thread: threads begin without any."""
    context = copy_context()
    return lambda: context.run(work)
