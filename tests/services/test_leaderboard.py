"""Joining the leaderboard is a choice, and nobody sees who is behind a pseudonym."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.services.leaderboard import LeaderboardService
from jupyter_ppo.storage.leaderboards import Leaderboards

World = Any


@pytest.fixture
def service(course: World) -> LeaderboardService:
    return LeaderboardService(
        courses=course.courses, leaderboards=Leaderboards(course.database), audit=course.audit
    )


def graded(world: World, caller: Caller, mean: float) -> None:
    submission = world.assessment.submit(caller, "rl", "ps1", b'{"answer": 42}')
    lease = world.jobs.lease("worker", timedelta(minutes=1), submission.id)
    record = {"env_id": "A-v0", "mean": mean, "low": mean - 1, "high": mean + 1, "episodes": 2}
    exercise = ExerciseGrade("answer", 3.0, 3.0, False, "", records=(record,))
    world.jobs.succeed(
        lease,
        Grade(submission.id, (exercise,), Verdict.RAN, "", "c" * 64, submission.submitted_at, 0.5),
    )


def shown(service: LeaderboardService, caller: Caller, **part: Any) -> list[tuple[Any, ...]]:
    view = service.leaderboard(caller, "rl", **{"offset": 0, "limit": 50, **part})
    return [
        (entry.rank, entry.result.pseudonym, entry.result.mean, entry in view.own)
        for entry in view.page.items
    ]


def test_only_those_who_joined_are_on_it_and_each_sees_which_entry_is_theirs(
    course: World, service: LeaderboardService
) -> None:
    ada, bob, eve = (course.member(name, Role.STUDENT) for name in ("ada", "bob", "eve"))
    for caller, mean in ((ada, 5.0), (ada, 9.0), (bob, 7.0), (eve, 99.0)):
        graded(course, caller, mean)
    assert shown(service, ada) == []
    service.join(ada, "rl", "quick fox")
    service.join(bob, "rl", "slow bear")
    assert shown(service, ada) == [(1, "quick fox", 9.0, True), (2, "slow bear", 7.0, False)]
    assert shown(service, eve) == [(1, "quick fox", 9.0, False), (2, "slow bear", 7.0, False)]
    assert shown(service, ada, offset=1, limit=1) == [(2, "slow bear", 7.0, False)]
    service.leave(ada, "rl")
    assert shown(service, bob) == [(1, "slow bear", 7.0, True)]


def test_instructors_see_the_same_pseudonyms(
    course: World, service: LeaderboardService, admin: Caller
) -> None:
    ada, ines = course.member("ada", Role.STUDENT), course.member("ines", Role.INSTRUCTOR)
    graded(course, ada, 5.0)
    service.join(ada, "rl", "quick fox")
    for caller in (ines, admin):
        assert shown(service, caller) == [(1, "quick fox", 5.0, False)]


def test_a_person_is_told_their_own_pseudonym(course: World, service: LeaderboardService) -> None:
    ada = course.member("ada", Role.STUDENT)
    assert service.leaderboard(ada, "rl", offset=0, limit=1).pseudonym is None
    service.join(ada, "rl", "quick fox")
    assert service.leaderboard(ada, "rl", offset=0, limit=1).pseudonym == "quick fox"


def test_a_pseudonym_must_be_free_and_printable(course: World, service: LeaderboardService) -> None:
    ada, bob = course.member("ada", Role.STUDENT), course.member("bob", Role.STUDENT)
    service.join(ada, "rl", "quick fox")
    for name, kind in (
        ("QUICK FOX", ConflictError),
        ("ada", ConflictError),
        ("x", InvalidInputError),
    ):
        with pytest.raises(kind):
            service.join(bob, "rl", name)


def test_an_outsider_may_not_know_of_it(course: World, service: LeaderboardService) -> None:
    oto = Caller("oto")
    for use in (
        lambda: shown(service, oto),
        lambda: service.join(oto, "rl", "quick fox"),
        lambda: service.leave(oto, "rl"),
    ):
        with pytest.raises(NotFoundError):
            use()


def test_the_audit_log_does_not_name_the_pseudonym(
    course: World, service: LeaderboardService
) -> None:
    ada = course.member("ada", Role.STUDENT)
    service.join(ada, "rl", "quick fox")
    service.leave(ada, "rl")
    service.leave(ada, "rl")
    said = [
        item
        for item in course.audit.events(offset=0, limit=50).items
        if item.action.startswith("leaderboard.")
    ]
    assert sorted(item.action for item in said) == ["leaderboard.joined", "leaderboard.left"]
    assert "quick fox" not in repr(said)
