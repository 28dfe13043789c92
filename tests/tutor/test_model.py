"""The adapter against a real server, on both wires: what it sends, what it makes of answers."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from llm_server import Behaviour, LlmServer

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure, Finish, LanguageModel, ModelRequest, Price
from jupyter_ppo.tutor.breaker import Breaker
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.retrying import Backoff
from jupyter_ppo.tutor.setup import ModelSetup

KEY = "sk-very-secret-0123456789"
WIRES = ("openai", "anthropic")
QUICK = Backoff(tries=3, first=0.001, longest=0.002)
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
ANSWER = "The ratio is clipped so that one update cannot move the policy far. Größe 学生 🙂"
Open = Callable[..., LanguageModel]


def request(**changes: Any) -> ModelRequest:
    user = "What a student wrote:\n" + json.dumps({"answer": ANSWER}, ensure_ascii=False)
    first = {"request_id": "call-1", "system": "You judge.", "user": user}
    return ModelRequest(**{**first, "max_tokens": 400, "temperature": 0.2, **changes})


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(wire: str, llm_server: LlmServer) -> Iterator[Open]:
    models: list[LanguageModel] = []

    def make(breaker: Breaker | None = None, **changes: Any) -> LanguageModel:
        url = llm_server.openai_url if wire == "openai" else llm_server.anthropic_url
        name = "test-model" if wire == "openai" else "claude-haiku-4-5"
        first = {"provider": wire, "model": name, "key": KEY, "base_url": url, "backoff": QUICK}
        models.append(open_model(ModelSetup(**{**first, "timeout": 20.0, **changes}), breaker))
        return models[-1]

    yield make
    for each in models:
        each.close()


@contextmanager
def fails(failure: Failure) -> Iterator[None]:
    with pytest.raises(ModelUnavailableError) as caught:
        yield
    assert caught.value.failure is failure
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


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


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("unauthorised", Failure.UNAUTHORISED),
        ("forbidden", Failure.UNAUTHORISED),
        ("rejected", Failure.REJECTED),
        ("not_found", Failure.REJECTED),
        ("empty", Failure.UNREADABLE),
        ("not_json", Failure.UNREADABLE),
        ("html", Failure.UNREADABLE),
    ],
)
def test_what_cannot_pass_by_itself_is_not_asked_again(
    opened: Open, llm_server: LlmServer, kind: str, failure: Failure
) -> None:
    llm_server.always(kind)
    with fails(failure):
        opened().answer(request())
    assert len(llm_server.received) == 1


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("rate_limited", Failure.RATE_LIMITED),
        ("fails", Failure.UNAVAILABLE),
        ("overloaded", Failure.UNAVAILABLE),
        ("drops", Failure.UNAVAILABLE),
        ("drops_midway", Failure.UNAVAILABLE),
    ],
)
def test_what_passes_is_asked_again_and_no_more_than_permitted(
    opened: Open, llm_server: LlmServer, kind: str, failure: Failure
) -> None:
    llm_server.will(kind)
    assert opened().answer(request()).tries == 2
    llm_server.always(kind)
    with fails(failure):
        opened().answer(request())
    assert len(llm_server.received) == 2 + QUICK.tries


@pytest.mark.parametrize("kind", ["slow", "stalls"])
def test_a_service_that_hangs_is_left_in_time(
    opened: Open, llm_server: LlmServer, kind: str
) -> None:
    llm_server.always(kind)
    model = opened(timeout=0.3, backoff=Backoff(tries=1))
    with fails(Failure.TIMEOUT):
        model.answer(request())
    with fails(Failure.TIMEOUT):
        model.stream(request(), lambda _: True)


def test_a_wait_that_was_asked_for_is_kept(opened: Open, llm_server: LlmServer) -> None:
    llm_server.will(Behaviour("rate_limited", retry_after="1"))
    assert opened().answer(request()).tries == 2
    first, second = llm_server.received
    assert second.at - first.at >= 1


def test_a_wait_longer_than_our_patience_is_told(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("rate_limited", retry_after="3600"))
    with pytest.raises(ModelUnavailableError) as caught:
        opened().answer(request())
    assert caught.value.retry_after == 3600
    assert len(llm_server.received) == 1


@pytest.mark.parametrize("kind", ["ok", "cut_bytes"])
def test_a_stream_is_handed_over_whole_and_in_order(
    opened: Open, llm_server: LlmServer, kind: str
) -> None:
    text = "Schau auf die Größe 学生 🙂 des Verhältnisses. " * 5
    llm_server.always(Behaviour(kind, text=text))
    pieces: list[str] = []
    threads: set[int] = set()

    def heard(piece: str) -> bool:
        pieces.append(piece)
        threads.add(threading.get_ident())
        return True

    answer = opened().stream(request(), heard)
    assert "".join(pieces) == answer.text == text
    assert len(pieces) > 5
    assert threads == {threading.get_ident()}
    assert llm_server.received[0].is_stream


def test_cut_bytes_do_no_harm_to_a_whole_answer(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("cut_bytes", text=ANSWER))
    assert opened().answer(request()).text == ANSWER


def test_a_stream_without_its_last_event_is_complete(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("no_done")
    assert opened().stream(request(), lambda _: True).finish is Finish.STOP


def test_a_stream_that_breaks_off_is_no_answer_and_is_not_repeated(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.always("drops_midway")
    pieces: list[str] = []
    with fails(Failure.UNAVAILABLE):
        opened().stream(request(), lambda piece: pieces.append(piece) is None)
    assert pieces
    assert len(llm_server.received) == 1


def test_a_stream_that_fails_before_its_first_word_is_asked_again(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.will("fails", "drops")
    assert opened().stream(request(), lambda _: True).tries == 3


def test_a_stream_ends_when_nobody_wants_more(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always(Behaviour("stalls", text="one two three four five six seven " * 9))
    pieces: list[str] = []

    def heard(piece: str) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    begun = time.monotonic()
    answer = opened().stream(request(), heard)
    assert time.monotonic() - begun < 15
    assert (answer.finish, answer.text) == (Finish.STOPPED, "".join(pieces))
    assert answer.usage.is_estimated
    assert answer.usage.output > 0


def test_what_a_listener_raises_ends_the_stream(opened: Open, llm_server: LlmServer) -> None:
    def heard(piece: str) -> bool:
        raise KeyError(piece)

    with pytest.raises(KeyError):
        opened().stream(request(), heard)
    assert opened().answer(request()).finish is Finish.STOP


def test_a_service_that_is_down_is_left_alone(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("fails")
    model = opened(Breaker(failures=3, seconds=60), backoff=Backoff(tries=1))
    for _ in range(3):
        with fails(Failure.UNAVAILABLE):
            model.answer(request())
    with fails(Failure.CIRCUIT_OPEN):
        model.answer(request())
    assert len(llm_server.received) == 3


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


def test_a_closed_model_answers_nobody_and_frees_who_waits(
    opened: Open, llm_server: LlmServer
) -> None:
    llm_server.always("slow")
    model = opened()
    ends: list[BaseException] = []

    def ask() -> None:
        try:
            model.answer(request())
        except BaseException as error:
            ends.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not llm_server.received:
        time.sleep(0.01)
    model.close()
    thread.join(10)
    assert [getattr(each, "failure", each) for each in ends] == [Failure.UNAVAILABLE]
    with fails(Failure.UNAVAILABLE):
        model.answer(request())


def test_redirects_are_not_followed(opened: Open, llm_server: LlmServer) -> None:
    llm_server.always("redirects")
    with fails(Failure.UNREADABLE):
        opened().answer(request())
    assert len(llm_server.received) == 1


@pytest.mark.parametrize("kind", ["ok", "unauthorised", "fails", "not_json", "rejected", "drops"])
def test_the_key_is_in_no_log(
    opened: Open, llm_server: LlmServer, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    llm_server.always(kind)
    model = opened(backoff=Backoff(tries=1))
    with caplog.at_level(logging.DEBUG):
        try:
            model.answer(request())
        except ModelUnavailableError:
            logging.getLogger("test").exception("it failed")
    assert KEY not in caplog.text
    assert KEY not in repr(model)


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


@pytest.mark.parametrize(
    ("code", "said"), [(MISSING, "not_set_up The libraries"), (LAZY, "[]")], ids=["missing", "lazy"]
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
