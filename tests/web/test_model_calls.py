"""What a language model was asked, over HTTP: who reads it, and what never leaves the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

HINTS = "/courses/ppo/assignments/one/hints/double"
CALLS = "/courses/ppo/model-calls"
NAMES = {"first_name": "Samantha", "last_name": "Quillfeather", "email": "sq@example.org"}
ATTEMPTS = (
    "def double(x):\n    return x",
    "def double(x):\n    # by Samantha Quillfeather (sq@example.org), with sue\n    return x + 1",
)


@pytest.fixture
def service_settings(llm_server: Any) -> dict[str, Any]:
    return {
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_api_key": "a-key-that-nobody-sees",
        "llm_prices": {"test-model": {"input": 1.0, "output": 2.0}},
        "llm_tries": 1,
    }


async def asked(api: Any, source: bytes) -> str:
    """Have a student with a name get a hint of the model; return the id of the call."""
    await api.course(source)
    await api.ok("ines", "PUT", "/courses/ppo/members/sam", {"role": "student", **NAMES})
    for attempt in ATTEMPTS:
        hint = await api.ok("sam", "POST", HINTS, {"answer": attempt})
    assert hint["source"] == "model"
    page = await api.ok("gil", "GET", CALLS)
    assert page["total"] == 1
    assert "prompt" not in page["items"][0]
    call: str = page["items"][0]["id"]
    return call


async def test_names_and_addresses_of_the_class_never_leave_the_server(
    api: Any, source: bytes, llm_server: Any
) -> None:
    await asked(api, source)
    sent = json.dumps([each.body for each in llm_server.received])
    assert "return x + 1" in sent
    for secret in (*NAMES.values(), "Samantha Quillfeather"):
        assert secret not in sent


async def test_graders_read_the_exact_prompt_and_only_instructors_who_stands_behind_it(
    api: Any, source: bytes
) -> None:
    call = f"/model-calls/{await asked(api, source)}"
    seen = await api.ok("gil", "GET", call)
    prompt = " ".join(part["text"] for part in seen["prompt"])
    assert "return x + 1" in prompt
    assert "Samantha" not in prompt
    assert set(seen["redactions"].values()) == {None}
    named = (await api.ok("ines", "GET", call))["redactions"]
    assert "Samantha Quillfeather" in named.values()
    assert seen["cost"] > 0
    for user in ("sam", "sue", "oto"):
        assert (await api(user, "GET", call)).code in {403, 404}
    assert (await api("sam", "GET", CALLS)).code == 403


async def test_what_was_spent_is_shown_with_the_caps_and_the_key_nowhere(
    api: Any, source: bytes
) -> None:
    call_id = await asked(api, source)
    spend = await api.ok("gil", "GET", "/courses/ppo/model-spend")
    assert spend["days"][-1]["calls"] == 1
    assert spend["days"][-1]["hints"] == spend["days"][-1]["cost"] > 0
    tutor = await api.ok("sam", "GET", "/tutor")
    assert (tutor["available"], tutor["model"]) == (True, "test-model")
    call = await api.ok("ines", "GET", f"/model-calls/{call_id}")
    assert "a-key-that-nobody-sees" not in json.dumps([spend, tutor, call])
