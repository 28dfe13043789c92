"""The language model of a server over HTTP: whether there is one, what was asked, what it cost."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from llm_server import LlmServer

from jupyter_ppo.domain.tutoring import Purpose
from jupyter_ppo.services.model_calls import Composed, ModelCalls, Question
from jupyter_ppo.wiring import PPOService

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def model() -> Iterator[LlmServer]:
    with LlmServer() as server:
        yield server


@pytest.fixture
def service_settings(model: LlmServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("JUPYTER_PPO_LLM_API_KEY", KEY)
    return {
        "llm_provider": "openai",
        "llm_base_url": model.openai_url,
        "llm_model": "test-model",
        "llm_prices": {"test-model": {"input": 1, "output": 2}},
        "llm_currency": "EUR",
    }


def ask(config: Any, course: str) -> str:
    """Ask the model about a text of sam's, as a use case would; return the id of the call."""

    def compose(texts: Mapping[str, str]) -> Composed:
        return Composed("You judge.", "Data:\n" + json.dumps(dict(texts)), max_tokens=300)

    settings = PPOService(config=config)
    settings.llm_api_key = KEY
    service = settings.build()
    try:
        from jupyter_ppo.storage.courses import Courses

        question = Question(
            course_id=Courses(service.database).course(course).id,
            user="sam",
            asked_by="sam",
            purpose=Purpose.HINT,
            template="hint",
            template_version=1,
            texts={"answer": "Write to sam.student@uni.example about the ratio."},
            compose=compose,
        )
        return str(service.gate.ask(question).call_id)
    finally:
        service.close()


async def test_everybody_is_told_which_model_there_is_and_nothing_is_sent(
    api: Any, model: LlmServer
) -> None:
    told = await api.ok("oto", "GET", "/tutor")
    assert told == {
        "available": True,
        "provider": "openai",
        "model": "test-model",
        "host": model.host,
        "message": f"The language model test-model at {model.host} may be asked; it may be wrong.",
    }
    assert not model.received
    assert KEY not in json.dumps(told)


@pytest.fixture
def warmed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set when the gate is told to make the model ready."""
    told, warm_up = threading.Event(), ModelCalls.warm_up

    def noted(gate: ModelCalls) -> None:
        warm_up(gate)
        told.set()

    monkeypatch.setattr(ModelCalls, "warm_up", noted)
    return told


async def test_a_server_that_starts_makes_its_model_ready_and_sends_nothing(
    warmed: threading.Event, api: Any, model: LlmServer
) -> None:
    await api.ok("oto", "GET", "/tutor")
    assert await asyncio.to_thread(warmed.wait, 60)
    assert not model.received


async def test_kernels_of_the_server_do_not_inherit_the_key(api: Any) -> None:
    await api.ok("oto", "GET", "/tutor")
    assert "JUPYTER_PPO_LLM_API_KEY" not in os.environ


async def test_staff_read_every_call_and_what_it_cost(
    api: Any, source: bytes, jp_server_config: Any, model: LlmServer
) -> None:
    await api.course(source)
    call = ask(jp_server_config, "ppo")
    page = await api.ok("gil", "GET", "/courses/ppo/model-calls")
    (item,) = page["items"]
    assert (item["id"], item["purpose"], item["state"]) == (call, "hint", "succeeded")
    assert (item["user"], item["currency"], item["assignment"]) == ("sam", "EUR", None)
    assert item["cost"] == pytest.approx((item["input_tokens"] + 2 * item["output_tokens"]) / 1e6)
    assert "prompt" not in item
    told = await api.ok("ines", "GET", f"/model-calls/{call}")
    sent = model.received[0]
    assert [each["text"] for each in told["prompt"]] == [sent.system, sent.user]
    assert "sam.student@uni.example" in told["redactions"].values()
    hidden = await api.ok("gil", "GET", f"/model-calls/{call}")
    assert set(hidden["redactions"].values()) == {None}
    assert hidden["raw_answer"] == told["raw_answer"] != ""
    assert KEY not in json.dumps([page, told, hidden])
    spend = await api.ok("gil", "GET", "/courses/ppo/model-spend", params={"days": 3})
    assert [each["calls"] for each in spend["days"]] == [0, 0, 1]
    assert spend["days"][-1]["hints"] == spend["spent"]["today"] == item["cost"]
    assert spend["caps"] == {"user_day": 0.5, "assignment": 5.0, "course": 20.0}
    assert spend["by_assignment"] == [{"assignment": None, "calls": 1, "cost": item["cost"]}]


async def test_students_read_none_of_it(api: Any, source: bytes, jp_server_config: Any) -> None:
    await api.course(source)
    call = ask(jp_server_config, "ppo")
    for path in ("/courses/ppo/model-calls", "/courses/ppo/model-spend"):
        assert (await api("sam", "GET", path)).code == 403
    for path in (f"/model-calls/{call}", "/model-calls/none"):
        assert (await api("sam", "GET", path)).code == 404
