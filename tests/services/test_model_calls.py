"""The gate: what is sent, written down, paid for and refused; with a real server and database."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from llm_server import Behaviour, LlmServer
from sqlalchemy import text

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    BudgetSpentError,
    ConflictError,
    ForbiddenError,
    ModelUnavailableError,
    NotFoundError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.tutoring import PICO, CallState, Failure, Finish, Purpose
from jupyter_ppo.services.model_calls import Composed, ModelCalls, Question
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.tutor.model import LOADING
from jupyter_ppo.wiring import PPOService, Service

KEY = "sk-very-secret-0123456789"
ADMIN = Caller("root", admin=True)
ANSWER = "I am sam.student@uni.example and my code is in /home/sam/ppo. The ratio is clipped."
PRICE = {"input": 1.0, "cached_input": 0.25, "output": 4.0}
Build = Callable[..., Service]


@pytest.fixture
def build(
    tmp_path: Path, empty_database: Path, llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Build]:
    monkeypatch.setenv("JUPYTER_PPO_LLM_API_KEY", KEY)
    path = tmp_path / "data" / "jupyter_ppo.sqlite"
    path.parent.mkdir()
    shutil.copy(empty_database, path)
    services: list[Service] = []

    def make(**changes: Any) -> Service:
        first = {
            "data_dir": str(path.parent),
            "llm_provider": "openai",
            "llm_base_url": llm_server.openai_url,
            "llm_model": "test-model",
            "llm_prices": {"test-model": PRICE},
            "llm_tries": 1,
            "warm_heavy_kernels": 0,
        }
        services.append(PPOService(**{**first, **changes}).build())
        return services[-1]

    yield make
    for each in services:
        each.close()


@pytest.fixture
def service(build: Build) -> Service:
    return build()


@pytest.fixture
def gate(service: Service) -> ModelCalls:
    return service.gate


def course(service: Service) -> UUID:
    made = service.assessment.create_course(ADMIN, "ppo", "PPO").course
    for user, role in (("ines", Role.INSTRUCTOR), ("gil", Role.GRADER), ("sam", Role.STUDENT)):
        Courses(service.database).enrol(made.id, user, role)
    return made.id


@pytest.fixture
def question(service: Service) -> Question:
    def compose(texts: Mapping[str, str]) -> Composed:
        return Composed("You judge.", "Data:\n" + json.dumps(dict(texts)), max_tokens=300)

    return Question(
        course_id=course(service),
        user="sam",
        asked_by="sam",
        purpose=Purpose.HINT,
        template="hint",
        template_version=1,
        texts={"answer": ANSWER, "failure": "AssertionError of sam"},
        compose=compose,
    )


def log_of(service: Service) -> ModelCallLog:
    return ModelCallLog(service.database)


def test_what_identifies_people_is_not_sent_and_comes_back(
    gate: ModelCalls, service: Service, question: Question, llm_server: LlmServer
) -> None:
    asked = gate.ask(question)
    (received,) = llm_server.received
    assert "sam.student@uni.example" not in received.everything
    assert "/home/sam" not in received.everything
    assert "The ratio is clipped." in received.everything
    assert asked.restore(asked.texts["answer"]) == ANSWER
    call = log_of(service).call(asked.call_id)
    assert received.headers["x-client-request-id"] == str(asked.call_id)
    assert [each["text"] for each in call.new.prompt] == [received.system, received.user]
    assert call.raw_answer == asked.answer.text


def test_a_call_costs_what_was_counted_to_the_token(
    gate: ModelCalls, service: Service, question: Question
) -> None:
    prepared = gate.prepare(question)
    asked = gate.ask(prepared)
    call, usage = log_of(service).call(asked.call_id), asked.answer.usage
    fresh = usage.input - usage.cached_input
    assert call.cost == fresh * 10**6 + usage.cached_input * 250_000 + usage.output * 4 * 10**6
    assert 0 < call.cost <= prepared.cost_at_most == call.new.reserved
    spent = log_of(service).spent(question.course_id, None, "sam")
    assert (spent.course, spent.user_day) == (call.cost, call.cost)


def test_the_same_question_is_answered_once_and_another_sample_is_another(
    gate: ModelCalls, question: Question, llm_server: LlmServer
) -> None:
    first = gate.ask(question)
    pieces: list[str] = []
    again = gate.ask(question, lambda piece: pieces.append(piece) is None)
    assert again.is_cached
    assert (again.call_id, again.answer.text) == (first.call_id, first.answer.text)
    assert pieces == [first.answer.text]
    assert gate.prepare(question).cost_at_most == 0
    assert len(llm_server.received) == 1
    for other in (
        replace(question, sample=1),
        replace(question, template_version=2),
        replace(question, depends_on=("rubric",)),
        replace(question, texts={"answer": "another"}),
    ):
        assert not gate.ask(other).is_cached


def test_what_was_cut_off_or_refused_is_not_used_again(
    gate: ModelCalls, question: Question, llm_server: LlmServer
) -> None:
    llm_server.will("truncated", "refuses")
    assert gate.ask(question).answer.finish is Finish.LENGTH
    assert gate.ask(question).answer.finish is Finish.REFUSAL
    assert not gate.ask(question).is_cached


@pytest.mark.parametrize("kind", ["fails", "rejected", "unauthorised", "not_json"])
def test_a_call_without_an_answer_costs_nothing_and_is_kept(
    gate: ModelCalls, service: Service, question: Question, llm_server: LlmServer, kind: str
) -> None:
    llm_server.always(kind)
    with pytest.raises(ModelUnavailableError):
        gate.ask(question)
    (call,) = log_of(service).page(question.course_id, offset=0, limit=9).items
    assert (call.state, call.cost) == (CallState.FAILED, 0)
    assert call.error
    assert log_of(service).spent(question.course_id, None, "sam").course == 0


def test_nothing_is_sent_over_a_cap(
    build: Build, llm_server: LlmServer, question: Question
) -> None:
    gate = build(llm_user_day_cap=0.000001).gate
    with pytest.raises(BudgetSpentError) as caught:
        gate.ask(question)
    assert caught.value.field == "user_day"
    assert not llm_server.received


def test_threads_together_do_not_spend_more_than_a_cap(
    build: Build, llm_server: LlmServer, question: Question
) -> None:
    at_most = build().gate.prepare(question).cost_at_most
    service = build(llm_course_cap=3.5 * at_most / PICO, llm_user_day_cap=1000)
    llm_server.latency = 0.1
    ends: list[object] = []

    def ask(sample: int) -> None:
        try:
            ends.append(service.gate.ask(replace(question, sample=sample)))
        except BudgetSpentError as error:
            ends.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [each for each in ends if not isinstance(each, BudgetSpentError)]
    assert len(llm_server.received) == len(sent)
    assert 1 <= len(sent) < 8
    spent = log_of(service).spent(question.course_id, None, "sam").course
    assert spent <= 3.5 * at_most


def test_where_models_are_switched_off_nobody_asks_them(
    gate: ModelCalls, service: Service, question: Question, llm_server: LlmServer
) -> None:
    table = FeedbackSettingsTable(service.database)
    document = {"models_for_hints": False}
    table.write(question.course_id, None, document, seen=None, by="ines")
    with pytest.raises(ConflictError):
        gate.ask(question)
    assert not llm_server.received
    gate.ask(replace(question, purpose=Purpose.EXPLANATION))
    assert len(llm_server.received) == 1


def test_a_listener_that_fails_pays_for_what_it_heard(
    gate: ModelCalls, service: Service, question: Question, llm_server: LlmServer
) -> None:
    def heard(piece: str) -> bool:
        raise KeyError(piece)

    with pytest.raises(KeyError):
        gate.ask(question, heard)
    (call,) = log_of(service).page(question.course_id, offset=0, limit=9).items
    assert call.state is CallState.SUCCEEDED
    assert call.cost > 0
    assert not gate.prepare(question).is_cached


def test_a_call_that_its_process_left_stays_counted(
    service: Service, gate: ModelCalls, question: Question
) -> None:
    asked = gate.ask(question)
    with service.database.begin() as session:
        session.execute(text("UPDATE model_calls SET state = 'reserved', cost = 0"))
    gate.start()
    assert log_of(service).call(asked.call_id).state is CallState.RESERVED  # it may still run
    log_of(service).lose_reserved(datetime.now(UTC) + timedelta(minutes=1))
    call = log_of(service).call(asked.call_id)
    assert (call.state, call.cost) == (CallState.LOST, call.new.reserved)


def test_texts_are_emptied_after_their_time_and_costs_stay(
    build: Build, service: Service, question: Question
) -> None:
    asked = service.gate.ask(question)
    before = log_of(service).call(asked.call_id)
    with service.database.begin() as session:
        session.execute(text("UPDATE model_calls SET at = datetime(at, '-200 days')"))
    assert build(llm_keep_days=365).gate.clean_up() == 0
    assert service.gate.clean_up() == 1
    call = log_of(service).call(asked.call_id)
    assert (call.raw_answer, call.new.prompt, dict(call.new.redactions)) == ("", (), {})
    assert call.cost == before.cost > 0
    assert call.purged_at is not None


def test_without_a_price_nothing_costs_anything_and_no_cap_holds(
    build: Build, question: Question
) -> None:
    service = build(llm_prices={}, llm_course_cap=0, llm_user_day_cap=0)
    asked = service.gate.ask(question)
    assert log_of(service).call(asked.call_id).cost == 0
    assert not service.gate.has_price


def test_without_a_provider_there_is_no_model_and_the_reason_is_told(
    build: Build, question: Question, llm_server: LlmServer
) -> None:
    service = build(llm_provider="")
    assert service.gate.about is None
    with pytest.raises(ModelUnavailableError) as caught:
        service.gate.ask(question)
    assert caught.value.failure is Failure.NOT_SET_UP
    status = service.use_cases.tutor.status(Caller("sam"))
    assert not status.available
    assert "No language model" in status.message
    assert not llm_server.received


def test_the_libraries_are_loaded_in_the_background_if_there_is_a_model(
    build: Build, llm_server: LlmServer
) -> None:
    def loading() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == LOADING]

    without = build(llm_provider="")
    without.gate.warm_up()
    assert not loading()
    service = build()
    service.gate.warm_up()
    (thread,) = loading()
    service.gate.close()
    thread.join(30)
    assert not loading()
    assert not llm_server.received


def test_settings_that_cannot_work_leave_the_server_without_a_model(build: Build) -> None:
    service = build(llm_model="")
    assert "llm_model: no model is named" in service.use_cases.tutor.status(ADMIN).message
    assert "llm_model" not in service.use_cases.tutor.status(Caller("sam")).message


def test_staff_see_calls_and_students_do_not(service: Service, question: Question) -> None:
    asked = service.gate.ask(question)
    log = service.use_cases.model_calls
    for user in ("sam", "oto"):
        with pytest.raises(NotFoundError):
            log.call(Caller(user), asked.call_id)
        with pytest.raises((ForbiddenError, NotFoundError)):
            log.calls(Caller(user), "ppo")
        with pytest.raises((ForbiddenError, NotFoundError)):
            log.spending(Caller(user), "ppo")
    hidden = log.call(Caller("gil"), asked.call_id).call.new.redactions
    told = log.call(Caller("ines"), asked.call_id).call.new.redactions
    assert hidden.keys() == told.keys()
    assert set(hidden.values()) == {""}
    assert "sam.student@uni.example" in told.values()
    assert log.calls(Caller("gil"), "ppo", purpose=Purpose.DRAFT).total == 0
    assert log.calls(Caller("gil"), "ppo", purpose=Purpose.HINT).total == 1


def test_spending_names_every_day_and_adds_up(service: Service, question: Question) -> None:
    for sample in range(3):
        service.gate.ask(replace(question, sample=sample))
    service.gate.ask(replace(question, purpose=Purpose.EXPLANATION))
    spending = service.use_cases.model_calls.spending(Caller("gil"), "ppo", days=7)
    assert len(spending.days) == 7
    assert [each.calls for each in spending.days] == [0] * 6 + [4]
    last = spending.days[-1]
    assert last.hints + last.explanations + last.drafts == last.cost == spending.spent_today > 0
    assert spending.spent_course == last.cost
    (only,) = spending.by_assignment
    assert (only.assignment, only.calls, only.cost) == (None, 4, last.cost)


@pytest.mark.parametrize("kind", ["ok", "unauthorised", "obeys"])
def test_the_key_is_in_no_file_of_ours(
    build: Build,
    question: Question,
    llm_server: LlmServer,
    tmp_path: Path,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = build()
    llm_server.always(kind)
    try:
        service.gate.ask(question)
    except ModelUnavailableError:
        logging.getLogger("test").exception("no answer")
    service.close()
    assert KEY in llm_server.received[0].headers["authorization"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in caplog.text


def test_another_service_never_gets_the_providers_own_key(
    build: Build, question: Question, llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_PPO_LLM_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    build().gate.ask(question)
    assert KEY not in llm_server.received[0].everything


def test_checking_sends_nobodys_text_and_writes_nothing_down(
    service: Service, question: Question, llm_server: LlmServer
) -> None:
    llm_server.always(Behaviour("ok", text="ready"))
    assert service.use_cases.tutor.check(ADMIN).text == "ready"
    assert log_of(service).page(question.course_id, offset=0, limit=9).total == 0
    with pytest.raises(ForbiddenError):
        service.use_cases.tutor.check(Caller("ines"))


def test_ids_of_nothing_are_told_so(service: Service, question: Question) -> None:
    with pytest.raises(NotFoundError):
        service.use_cases.model_calls.call(ADMIN, new_id())
