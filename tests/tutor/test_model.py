"""The adapter against a real server, on both wires: what it sends, what it makes of answers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest
from llm_asking import KEY, Open, fails, request
from llm_server import Behaviour, LlmServer

from jupyter_ppo.domain.tutoring import Failure, Finish, Price

SCHEMA = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "criterion": {"type": "string", "enum": ["reasons", "clarity"]},
                    "level": {"type": "string", "enum": ["none", "some", "full"]},
                    "reason": {"type": "string"},
                    "evidence": {"type": "string"},
                },
                "required": ["criterion", "level", "reason", "evidence"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["results"],
    "additionalProperties": False,
}


def test_a_request_arrives_as_it_was_asked(opened: Open, llm_server: LlmServer) -> None:
    answer = opened().answer(request())
    (received,) = llm_server.received
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["x-client-request-id"] == "call-1"
    assert (received.system, received.user) == ("You judge.", request().user)
    assert received.body["max_tokens"] == 400
    assert received.body["temperature"] == 0.2
    assert not received.body.keys() & {"tools", "tool_choice", "functions", "web_search_options"}
    assert 80 <= len(answer.text.split()) <= 160
    assert (answer.finish, answer.tries) == (Finish.STOP, 1)
    assert answer.model == received.body["model"]


def test_a_schema_goes_with_the_request_and_its_answer_follows_it(
    opened: Open, llm_server: LlmServer
) -> None:
    answer = opened().answer(request(schema=SCHEMA, schema_name="draft"))
    (received,) = llm_server.received
    assert received.prompt.schema is not None
    assert "JSON Schema" not in received.system
    assert [each["criterion"] for each in json.loads(answer.text)["results"]] == [
        "reasons",
        "clarity",
    ]


def test_a_model_that_refuses_schemas_is_asked_in_words_from_then_on(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.always("schema_rejected")
    model = opened()
    first = model.answer(request(schema=SCHEMA))
    again = model.answer(request(schema=SCHEMA))
    assert [each.prompt.schema is not None for each in llm_server.received] == [True, False, False]
    assert json.dumps(SCHEMA) in llm_server.received[1].system
    assert "results" in json.loads(first.text)
    assert (first.tries, again.tries) == (2, 1)


def test_one_bad_request_does_not_end_schemas_for_all(opened: Open, llm_server: LlmServer) -> None:
    model = opened()
    llm_server.will("rejected", "rejected")
    with fails(Failure.REJECTED):
        model.answer(request(schema=SCHEMA))
    model.answer(request(schema=SCHEMA))
    assert llm_server.received[-1].prompt.schema is not None


@pytest.mark.parametrize("structured", ["schema", "prompt"])
def test_the_way_to_ask_for_a_schema_can_be_fixed(
    opened: Open, llm_server: LlmServer, structured: str
) -> None:
    llm_server.always("schema_rejected")
    model = opened(structured=structured)
    if structured == "schema":
        with fails(Failure.REJECTED):
            model.answer(request(schema=SCHEMA))
    else:
        assert "results" in json.loads(model.answer(request(schema=SCHEMA)).text)
    assert len(llm_server.received) == 1


def test_tokens_are_counted_as_the_service_counts_them(opened: Open, llm_server: LlmServer) -> None:
    text = "x" * 40
    llm_server.always(Behaviour("ok", text=text))
    for answer in (opened().answer(request()), opened().stream(request(), lambda _: True)):
        usage = answer.usage
        assert usage.output == 10
        assert usage.cached_input == usage.input // 4 > 0
        assert not usage.is_estimated
    price = Price(input=2, output=10, cached_input=0.5)
    fresh = usage.input - usage.cached_input
    assert price.cost(usage) == fresh * 2_000_000 + usage.cached_input * 500_000 + 10 * 10_000_000


def test_what_nobody_counted_is_estimated(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("no_usage")
    for answer in (opened().answer(request()), opened().stream(request(), lambda _: True)):
        assert answer.usage.is_estimated
        assert answer.usage.output >= len(answer.text) / 4
        assert answer.usage.input >= len(request().user.encode()) / 4


@pytest.mark.parametrize(
    ("kind", "finish"), [("truncated", Finish.LENGTH), ("refuses", Finish.REFUSAL)]
)
def test_why_a_model_stopped_is_told(
    opened: Open, llm_server: LlmServer, kind: str, finish: Finish
) -> None:
    llm_server.always(kind)
    assert opened().answer(request()).finish is finish
    assert opened().stream(request(), lambda _: True).finish is finish


@pytest.mark.parametrize("kind", ["schema_ignored", "fenced", "out_of_range", "invented", "obeys"])
def test_a_model_that_breaks_our_rules_is_read_word_for_word(
    opened: Open, llm_server: LlmServer, kind: str
) -> None:
    llm_server.always(kind)
    answer = opened().answer(request(schema=SCHEMA))
    assert answer.finish is Finish.STOP
    assert len(llm_server.received) == 1
    assert {"obeys": "my instructions", "fenced": "```json"}.get(kind, "") in answer.text


def test_no_more_requests_are_open_than_permitted(opened: Open, llm_server: LlmServer) -> None:
    llm_server.latency = 0.05
    model = opened(concurrency=3)
    threads = [threading.Thread(target=model.answer, args=(request(),)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(llm_server.received) == 12
    assert 1 <= llm_server.busiest <= 3


MISSING = """
import sys
sys.modules["pydantic_ai"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "pydantic_ai" else find(name, *rest)
from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import ModelRequest
from jupyter_ppo.tutor.model import open_model, why_not
from jupyter_ppo.tutor.setup import ModelSetup
model = open_model(ModelSetup("openai", "m", key="k"))
try:
    model.answer(ModelRequest("1", "s", "u", 9, 0.0))
except ModelUnavailableError as error:
    print(error.failure, error.message)
"""
LAZY = """
import sys
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.setup import ModelSetup
import jupyter_ppo.extension
open_model(ModelSetup("openai", "m", key="k")).close()
print(sorted({"pydantic_ai", "openai", "anthropic", "httpx2"} & sys.modules.keys()))
"""

WARM = """
import sys, threading
from jupyter_ppo.tutor.model import LOADING, HttpModel
from jupyter_ppo.tutor.breaker import Breaker
from jupyter_ppo.tutor.setup import ModelSetup
def loading():
    return [each for each in threading.enumerate() if each.name == LOADING]
late = HttpModel(ModelSetup("openai", "m", key="k"), Breaker())
late.warm_up(600)
(thread,) = loading()
late.close()
thread.join()
assert "pydantic_ai" not in sys.modules
HttpModel(ModelSetup("openai", "m"), Breaker()).warm_up(0)
assert not loading(), "nobody can ask this model: it has no key"
model = HttpModel(ModelSetup("openai", "m", key="k"), Breaker())
model.warm_up(0.2)
model.warm_up(0.2)
(thread,) = loading()
thread.join()
print("jupyter_ppo.tutor.wire" in sys.modules)
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [(MISSING, "not_set_up The libraries"), (LAZY, "[]"), (WARM, "True")],
    ids=["missing", "lazy", "warm"],
)
def test_without_the_extra_everything_else_works_and_nobody_loads_it_unasked(
    code: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(said)
    if code == MISSING:
        assert "pip install 'jupyter_ppo[llm]'" in done.stdout
