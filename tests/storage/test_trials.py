"""Trials in the database: bounded for each person, ended once, never left open by a dead server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from jupyter_ppo.domain.errors import NotFoundError, TooManyRequestsError
from jupyter_ppo.domain.scope import in_this_scope, narrow, one_course
from jupyter_ppo.domain.trials import Trial, TrialKind, TrialState
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import TrialRow
from jupyter_ppo.storage.trials import Trials

DIGEST = "d" * 64


@pytest.fixture
def opened(database: Database) -> Database:
    return database


@pytest.fixture
def course(opened: Database) -> UUID:
    courses = Courses(opened)
    course = courses.create_course("rl", "RL").id
    courses.release(course, "one", source_digest=DIGEST, release_digest=DIGEST, exercises=())
    return course


def admit(trials: Trials, course: UUID, user: str = "sam", **bounds: int) -> Trial:
    return trials.admit(course, "one", user, TrialKind.VALIDATION, DIGEST, **bounds)


def test_a_trial_is_queued_runs_and_is_done_with_its_result(opened: Database, course: UUID) -> None:
    trials = Trials(opened)
    begun = admit(trials, course)
    assert (begun.state, begun.result, begun.ended_at) == (TrialState.QUEUED, None, None)
    trials.begin(begun.id)
    assert trials.trial(begun.id).state is TrialState.RUNNING
    trials.finish(begun.id, {"passed": 1})
    done = trials.trial(begun.id)
    assert (done.state, done.result, done.error) == (TrialState.DONE, {"passed": 1}, None)
    assert done.ended_at is not None
    trials.fail(begun.id, "too late")  # what has a result keeps it
    assert trials.trial(begun.id).state is TrialState.DONE


def test_an_unknown_trial_is_not_found(opened: Database) -> None:
    with pytest.raises(NotFoundError):
        Trials(opened).trial(uuid4())


def test_a_person_is_bounded_over_all_courses_also_in_a_request_about_one(
    opened: Database, course: UUID
) -> None:
    trials, other = Trials(opened), Courses(opened).create_course("ml", "ML").id
    admit(trials, course)

    def request() -> None:
        narrow(one_course("ml"))
        trials.admit(other, "", "sam", TrialKind.VALIDATION, DIGEST, per_hour=1)

    with pytest.raises(TooManyRequestsError):
        in_this_scope(request)()


def test_of_several_at_once_exactly_one_is_admitted(opened: Database, course: UUID) -> None:
    trials = Trials(opened)

    def attempt(_: int) -> bool:
        try:
            admit(trials, course, at_once=1)
        except TooManyRequestsError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(attempt, range(8))) == 1
    admit(trials, course, "sue", at_once=1)
    trials.admit(course, "", "sam", TrialKind.CHECK, DIGEST, at_once=1)


def test_over_the_hours_bound_it_is_told_when_to_come_back(opened: Database, course: UUID) -> None:
    trials = Trials(opened)
    first = admit(trials, course, per_hour=2)
    admit(trials, course, per_hour=2)
    with pytest.raises(TooManyRequestsError) as raised:
        admit(trials, course, per_hour=2)
    assert 3500 < raised.value.retry_after <= 3600
    with opened.begin() as session:
        earlier = first.created_at - timedelta(minutes=59)
        session.execute(update(TrialRow).where(TrialRow.id == first.id).values(created_at=earlier))
    with pytest.raises(TooManyRequestsError) as raised:
        admit(trials, course, per_hour=2)
    assert 0 < raised.value.retry_after <= 61


def test_what_a_dead_server_left_is_failed_and_a_living_ones_is_not(
    opened: Database, course: UUID
) -> None:
    left = admit(Trials(opened, owner="dead"), course)
    alive = admit(Trials(opened, owner="alive"), course, "sue")
    ended = Trials(opened, owner="new", is_gone=lambda owner: owner == "dead")
    assert ended.end_what_is_left() == 1
    found = ended.trial(left.id)
    assert found.state is TrialState.FAILED
    assert found.error is not None
    assert "Try again" in found.error
    assert ended.trial(alive.id).state is TrialState.QUEUED
    assert ended.end_what_is_left() == 0


def test_nobody_waits_for_a_trial_of_their_own_that_a_dead_server_left(
    opened: Database, course: UUID
) -> None:
    admit(Trials(opened, owner="dead"), course, at_once=1)
    admit(Trials(opened, owner="new", is_gone=lambda owner: owner == "dead"), course, at_once=1)


def test_a_trial_of_an_unknown_server_is_lost_after_hours(opened: Database, course: UUID) -> None:
    trials = Trials(opened)
    begun = admit(trials, course)
    with opened.begin() as session:
        session.execute(update(TrialRow).values(created_at=begun.created_at - timedelta(hours=7)))
    assert trials.end_what_is_left() == 1
