"""Calls of language models: caps that hold, costs that are exact, texts that are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.errors import BudgetSpentError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.scope import in_this_scope, narrow, one_course
from jupyter_ppo.domain.tutoring import (
    CallState,
    Caps,
    Finish,
    ModelAnswer,
    NewCall,
    Purpose,
    Spent,
    Usage,
)
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.model_calls import ModelCallLog

CAPS = Caps(user_day=100, assignment=1_000, course=10_000)
ANSWER = ModelAnswer("Words.", Finish.STOP, Usage(120, 30, 20), "small-1-0613", 45, 2)


@pytest.fixture
def log(database: Database) -> ModelCallLog:
    return ModelCallLog(database)


@pytest.fixture
def new(course: Course, assignment: Assignment) -> Callable[..., NewCall]:
    def make(**changed: object) -> NewCall:
        call = NewCall(
            id=new_id(),
            course_id=course.id,
            assignment_id=assignment.id,
            submission_id=None,
            grade_id="gae",
            user="ada",
            asked_by="ada",
            purpose=Purpose.HINT,
            template="hint",
            template_version=1,
            provider="openai",
            model="small-1",
            parameters={"temperature": 0.2},
            prompt=({"role": "system", "text": "Rules"}, {"role": "user", "text": "[PERSON_1]"}),
            redactions={"[PERSON_1]": "Ada"},
            flags=("instructions",),
            cache_key="k" * 64,
            reserved=40,
        )
        return replace(call, **changed)  # type: ignore[arg-type]

    return make


def test_a_call_comes_back_with_all_that_was_sent_and_answered(
    log: ModelCallLog, new: Callable[..., NewCall]
) -> None:
    call = new()
    log.reserve(call, CAPS)
    assert log.call(call.id).state is CallState.RESERVED
    log.settle(call.id, ANSWER, 33)
    log.parsed(call.id, {"words": 1})
    found = log.call(call.id)
    assert found.new == call
    assert (found.state, found.cost, found.usage) == (CallState.SUCCEEDED, 33, ANSWER.usage)
    assert (found.raw_answer, found.parsed) == ("Words.", {"words": 1})
    assert (found.latency_ms, found.tries, found.model_said) == (45, 2, "small-1-0613")


@pytest.mark.parametrize(
    ("caps", "field"),
    [
        (replace(CAPS, user_day=79), "user_day"),
        (replace(CAPS, assignment=79), "assignment"),
        (replace(CAPS, course=79), "course"),
    ],
)
def test_what_would_go_over_a_cap_is_not_begun(
    log: ModelCallLog, new: Callable[..., NewCall], caps: Caps, field: str
) -> None:
    log.reserve(new(), caps)
    refused = new()
    with pytest.raises(BudgetSpentError, match=field) as error:
        log.reserve(refused, caps)
    assert error.value.field == field
    assert 0 < error.value.retry_after <= timedelta(days=1).total_seconds()
    with pytest.raises(NotFoundError):
        log.call(refused.id)


def test_drafts_for_a_class_do_not_use_up_the_day_of_who_began_them(
    log: ModelCallLog, new: Callable[..., NewCall], course: Course, assignment: Assignment
) -> None:
    caps = replace(CAPS, user_day=50)
    for _ in range(3):
        log.reserve(new(purpose=Purpose.DRAFT), caps)
    log.reserve(new(), caps)
    assert log.spent(course.id, assignment.id, "ada") == Spent(40, 160, 160)


def test_a_reservation_becomes_what_it_cost_or_is_given_back(
    log: ModelCallLog, new: Callable[..., NewCall], course: Course, assignment: Assignment
) -> None:
    answered, failed = new(), new()
    log.reserve(answered, CAPS)
    log.reserve(failed, CAPS)
    assert log.spent(course.id, assignment.id, "ada") == Spent(80, 80, 80)
    log.settle(answered.id, ANSWER, 7)
    log.fail(failed.id, "It did not answer.")
    assert log.spent(course.id, assignment.id, "ada") == Spent(7, 7, 7)
    assert log.spent(course.id, assignment.id, "ben") == Spent(0, 7, 7)


def test_many_at_once_never_reserve_more_than_the_cap(
    log: ModelCallLog, new: Callable[..., NewCall], course: Course, assignment: Assignment
) -> None:
    refused: list[BudgetSpentError] = []

    def ask() -> None:
        for _ in range(4):
            try:
                log.reserve(new(reserved=9), CAPS)
            except BudgetSpentError as error:
                refused.append(error)

    threads = [Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.spent(course.id, assignment.id, "ada").user_day == 99
    assert len(refused) == 20 - 11


def test_a_call_whose_process_is_gone_keeps_its_reservation(
    log: ModelCallLog, new: Callable[..., NewCall], database: Database, course: Course
) -> None:
    lost = new()
    log.reserve(lost, CAPS)
    with database.session() as session:
        now = database_now(session)
    assert log.lose_reserved(now - timedelta(hours=1)) == 0
    assert log.lose_reserved(now + timedelta(seconds=5)) == 1
    assert log.call(lost.id).state is CallState.LOST
    assert log.spent(course.id, None, "ada").course == 40


def test_an_answer_is_found_again_by_its_key_unless_it_was_cut_off_or_forgotten(
    log: ModelCallLog, new: Callable[..., NewCall], database: Database
) -> None:
    cut, whole = new(cache_key="c" * 64), new(cache_key="w" * 64)
    for call in (cut, whole):
        log.reserve(call, CAPS)
    log.settle(cut.id, replace(ANSWER, finish=Finish.LENGTH), 1)
    assert log.cached("w" * 64) is None
    log.settle(whole.id, ANSWER, 1)
    found = log.cached("w" * 64)
    assert found is not None
    assert found.raw_answer == "Words."
    assert log.cached("c" * 64) is None
    with database.session() as session:
        log.purge(database_now(session) + timedelta(seconds=5))
    assert log.cached("w" * 64) is None


def test_forgotten_calls_keep_their_numbers_only(
    log: ModelCallLog, new: Callable[..., NewCall], database: Database
) -> None:
    call, running = new(), new()
    log.reserve(call, CAPS)
    log.reserve(running, CAPS)
    log.settle(call.id, ANSWER, 5)
    log.parsed(call.id, {"text": "Words."})
    with database.session() as session:
        now = database_now(session)
    assert log.purge(now - timedelta(days=1)) == 0
    assert log.purge(now + timedelta(seconds=5)) == 1
    found = log.call(call.id)
    assert (found.new.prompt, found.new.redactions, found.raw_answer) == ((), {}, "")
    assert (found.parsed, found.cost, found.usage) == (None, 5, ANSWER.usage)
    assert found.purged_at is not None


def test_the_list_is_newest_first_and_can_be_narrowed(
    log: ModelCallLog, new: Callable[..., NewCall], course: Course, assignment: Assignment
) -> None:
    calls = [new(reserved=0), new(reserved=0, purpose=Purpose.DRAFT), new(reserved=0, user="ben")]
    for call in calls:
        log.reserve(call, CAPS)
    page = log.page(course.id, offset=0, limit=2)
    assert page.total == 3
    assert [item.new.id for item in page.items] == [calls[2].id, calls[1].id]
    narrowed = log.page(course.id, purpose=Purpose.DRAFT, user="ada", offset=0, limit=9)
    assert [item.new.id for item in narrowed.items] == [calls[1].id]
    assert log.page(course.id, assignment_id=uuid4(), offset=0, limit=9).total == 0


def test_what_was_spent_is_summed_by_day_assignment_and_purpose(
    log: ModelCallLog, new: Callable[..., NewCall], database: Database, course: Course
) -> None:
    for purpose, cost in ((Purpose.HINT, 3), (Purpose.HINT, 4), (Purpose.DRAFT, 5)):
        call = new(purpose=purpose, reserved=10)
        log.reserve(call, CAPS)
        log.settle(call.id, ANSWER, cost)
    with database.session() as session:
        since = database_now(session) - timedelta(days=1)
    rows = log.spend(course.id, since)
    assert [(row.purpose, row.calls, row.cost, row.input_tokens) for row in rows] == [
        (Purpose.DRAFT, 1, 5, 120),
        (Purpose.HINT, 2, 7, 240),
    ]


def test_what_a_person_may_spend_in_a_day_is_one_sum_also_in_a_request_about_one_course(
    database: Database, log: ModelCallLog, new: Callable[..., NewCall]
) -> None:
    other = Courses(database).create_course("ml", "ML")
    log.reserve(new(), CAPS)

    def request() -> int:
        narrow(one_course("ml"))
        call = new(course_id=other.id, assignment_id=None)
        with pytest.raises(BudgetSpentError) as refused:
            log.reserve(call, replace(CAPS, user_day=79))
        assert refused.value.field == "user_day"
        log.reserve(call, CAPS)
        return log.spent(other.id, None, "ada").user_day

    assert in_this_scope(request)() == 80
