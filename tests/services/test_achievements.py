"""Use cases of achievements: who may, what is written down, two who change rules at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.achievement_rules import rules_from
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    ForbiddenError,
    NotFoundError,
)
from jupyter_ppo.services.achievements import AchievementService
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.storage.awards import Awards
from jupyter_ppo.storage.outlines import Outlines

ADMIN = Caller("root", admin=True)


def rules(*ids: str) -> Any:
    criteria = [{"kind": "weeks", "data": {"count": 1}}]
    return rules_from(
        [{"id": each, "title": "T", "description": "D", "criteria": criteria} for each in ids]
    )


@pytest.fixture
def service(course: Any) -> AchievementService:
    return AchievementService(
        courses=course.courses,
        awards=Awards(course.database),
        outlines=CourseOutlines(outlines=Outlines(course.database), blobs=course.blobs),
        audit=course.audit,
    )


def test_rules_are_the_instructors(course: Any, service: AchievementService) -> None:
    for role in (Role.STUDENT, Role.GRADER):
        caller = course.member(f"a-{role}", role)
        for refused in (
            lambda caller=caller: service.rules(caller, "rl"),
            lambda caller=caller: service.set_rules(caller, "rl", rules("a")),
        ):
            with pytest.raises(ForbiddenError):
                refused()
    ines = course.member("ines", Role.INSTRUCTOR)
    assert service.set_rules(ines, "rl", rules("a")).edition.created_by == "ines"
    with pytest.raises(NotFoundError):
        service.rules(Caller("oto"), "rl")


def test_a_new_edition_is_written_down(course: Any, service: AchievementService) -> None:
    service.set_rules(ADMIN, "rl", rules("a"))
    [entry] = [
        each
        for each in course.audit.events(offset=0, limit=50).items
        if each.action == "achievements.rules_set"
    ]
    assert (entry.user, entry.subject) == ("root", "rl")
    assert entry.detail == {"edition": 1, "awarded": 0, "revoked": 0}


def test_others_are_shown_to_graders_while_they_are_in_the_course(
    course: Any, service: AchievementService
) -> None:
    sam, gil = course.member("sam", Role.STUDENT), course.member("gil", Role.GRADER)
    assert service.of_student(gil, "rl", "sam") == service.own(sam, "rl")
    with pytest.raises(ForbiddenError):
        service.of_student(sam, "rl", "sam")
    course.roster.remove_member(ADMIN, "rl", "sam")
    with pytest.raises(NotFoundError, match="'sam' is not in 'rl'"):
        service.of_student(gil, "rl", "sam")


def test_rules_that_were_made_from_an_older_edition_change_nothing(
    course: Any, service: AchievementService
) -> None:
    assert service.set_rules(ADMIN, "rl", rules("a"), 0).edition.number == 1
    with pytest.raises(
        EditConflictError, match="edition 1 of the rules is in force now, and you saw 0"
    ) as conflict:
        service.set_rules(ADMIN, "rl", rules("b"), 0)
    error = conflict.value
    assert (error.field, error.yours["number"], error.theirs["number"]) == ("number", 0, 1)
    assert [each["rules"][0]["id"] for each in (error.yours, error.theirs)] == ["b", "a"]
    assert error.theirs["created_by"] == "root"
    assert [rule.id for rule in service.rules(ADMIN, "rl").rules] == ["a"]
    assert service.set_rules(ADMIN, "rl", rules("b"), 1).edition.number == 2


def test_of_many_who_saw_the_same_edition_one_is_taken(
    course: Any, service: AchievementService
) -> None:
    made: list[int] = []
    refused: list[ConflictError] = []

    def change(name: str) -> None:
        try:
            made.append(service.set_rules(ADMIN, "rl", rules(name), 0).edition.number)
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=change, args=(f"rule-{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (made, len(refused)) == ([1], 3)


def test_of_many_who_change_rules_at_once_each_makes_an_edition(
    course: Any, service: AchievementService
) -> None:
    made: list[int] = []

    def change(name: str) -> None:
        made.append(service.set_rules(ADMIN, "rl", rules(name)).edition.number)

    threads = [threading.Thread(target=change, args=(f"rule-{i}",)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [1, 2, 3, 4, 5]
    assert service.rules(ADMIN, "rl").number == 5
