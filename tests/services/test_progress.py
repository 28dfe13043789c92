"""Who sees whose progress, at a cost that does not grow with the class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Receipt, Refusal
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.services.progress import ProgressService
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.outlines import Outlines
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.progress_states import ProgressStates

World = Any


@pytest.fixture
def service(course: World, clock: Any) -> ProgressService:
    return ProgressService(
        courses=course.courses,
        log=ProgressLog(course.database),
        states=ProgressStates(course.database),
        recomputing=Recomputing(course.database),
        outlines=CourseOutlines(outlines=Outlines(course.database), blobs=course.blobs),
        clock=clock,
        audit=course.audit,
    )


@pytest.fixture
def minutes(clock: Any) -> Callable[..., NewEvent]:
    def minutes(key: str, *ago: int, user: str | None = None) -> NewEvent:
        now = clock.now()
        data = {"minutes": [minute_of(now) - each for each in ago]}
        return NewEvent(key, EventKind.ACTIVE, "ps1", now - timedelta(minutes=1), data, user)

    return minutes


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Yield the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_everybody_sees_their_own_and_graders_see_everybodys(
    course: World, service: ProgressService, minutes: Any
) -> None:
    ada, bob = (course.member(name, Role.STUDENT) for name in ("ada", "bob"))
    gil = course.member("gil", Role.GRADER)
    service.report(ada, "rl", [minutes("a", 1, 2)])
    assert [service.mine(one, "rl").minutes for one in (ada, bob, gil)] == [2, 0, 0]
    assert service.student(gil, "rl", "ada") == service.mine(ada, "rl")
    rows = service.students(gil, "rl", offset=0, limit=50).items
    assert [(row.progress.user, row.progress.minutes) for row in rows] == [("ada", 2), ("bob", 0)]
    for refused in (
        lambda: service.student(ada, "rl", "bob"),
        lambda: service.students(ada, "rl", offset=0, limit=50),
        lambda: service.recompute(gil, "rl"),
    ):
        with pytest.raises(ForbiddenError):
            refused()


def test_a_course_looks_absent_to_who_is_not_in_it(
    course: World, service: ProgressService, minutes: Any
) -> None:
    oto = Caller("oto")
    for refused in (
        lambda: service.mine(oto, "rl"),
        lambda: service.report(oto, "rl", [minutes("a", 1)]),
        lambda: service.student(oto, "rl", "ada"),
        lambda: service.students(oto, "rl", offset=0, limit=50),
        lambda: service.recompute(oto, "rl"),
    ):
        with pytest.raises(NotFoundError):
            refused()


def test_somebody_who_is_not_in_the_course_or_was_removed_has_no_progress_there(
    course: World, service: ProgressService, admin: Caller
) -> None:
    course.member("ada", Role.STUDENT)
    assert service.student(admin, "rl", "ada").user == "ada"
    course.roster.remove_member(admin, "rl", "ada")
    for user in ("ada", "nobody"):
        with pytest.raises(NotFoundError) as caught:
            service.student(admin, "rl", user)
        assert caught.value.field == "user"
    assert service.students(admin, "rl", offset=0, limit=50).total == 0


def test_the_name_in_an_event_is_compared_in_one_spelling(
    course: World, service: ProgressService, minutes: Any
) -> None:
    zoe = course.member("zoë", Role.STUDENT)
    [own, other] = service.report(
        zoe, "rl", [minutes("a", 1, user="zoe\u0308"), minutes("b", 1, user="zoe")]
    )
    assert own.receipt is Receipt.ACCEPTED
    assert other.refusal is Refusal.OTHER_PERSON


def test_a_batch_is_of_1_to_200_events(
    course: World, service: ProgressService, minutes: Any
) -> None:
    ada = course.member("ada", Role.STUDENT)
    for count in (0, 201):
        with pytest.raises(InvalidInputError) as caught:
            service.report(ada, "rl", [minutes(f"k{number}", 1) for number in range(count)])
        assert caught.value.field == "events"
    assert service.mine(ada, "rl").position == 0


def test_a_recompute_is_in_the_audit_log_and_changes_nothing(
    course: World, service: ProgressService, minutes: Any
) -> None:
    ada, ines = course.member("ada", Role.STUDENT), course.member("ines", Role.INSTRUCTOR)
    service.report(ada, "rl", [minutes("a", 1, 2)])
    before = service.mine(ada, "rl")
    made = service.recompute(ines, "rl")
    assert (made.students, made.events, made.changed) == (1, 1, 0)
    assert service.mine(ada, "rl") == before
    [noted] = [
        item
        for item in course.audit.events(offset=0, limit=50).items
        if item.action == "progress.recomputed"
    ]
    assert noted.detail == {"students": 1, "events": 1, "changed": 0}


def test_neither_a_students_page_nor_the_classs_costs_more_queries_for_more_people(
    course: World, service: ProgressService, minutes: Any
) -> None:
    gil, costs = course.member("gil", Role.GRADER), []
    for number in range(12):
        student = course.member(f"s{number:02}", Role.STUDENT)
        service.report(student, "rl", [minutes("a", number + 1)])
        service.mine(student, "rl")  # everything that stays in memory is there now
        if number not in {0, 11}:
            continue
        with counted(course.database) as own:
            service.mine(student, "rl")
        with counted(course.database) as class_page:
            page = service.students(gil, "rl", offset=0, limit=200)
        assert len(page.items) == number + 1
        costs.append((len(own), len(class_page)))
    assert costs[0] == costs[1]
    assert costs[0][0] <= 5
