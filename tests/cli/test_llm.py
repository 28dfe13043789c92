"""``jupyter ppo llm``."""

from __future__ import annotations

from typing import Any

import pytest
from llm_server import LlmServer

Cli = Any
KEY = "sk-very-secret-0123456789"


def settings(server: LlmServer, **more: object) -> list[str]:
    """Return the words that set up the test server's model."""
    named = {"provider": "openai", "model": "m", "base_url": server.openai_url, "tries": 1, **more}
    return [f"--PPOService.llm_{name}={value}" for name, value in named.items()]


def test_without_a_model_the_check_says_so(cli: Cli) -> None:
    status, out, _ = cli("llm", "check")
    assert status == 1
    assert "No language model is set up" in out


def test_the_check_says_who_answers_and_what_is_counted(
    cli: Cli, llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PPO_LLM_API_KEY", KEY)
    out = cli.ok("llm", "check", *settings(llm_server))
    assert f"m at {llm_server.host} answered" in out
    assert "no price" in out
    llm_server.always("no_usage")
    assert "estimated" not in out
    assert "estimated" in cli.ok("llm", "check", *settings(llm_server))
    assert all(KEY in each.headers["authorization"] for each in llm_server.received)


def test_a_wrong_key_is_told_in_a_sentence_without_it(
    cli: Cli, llm_server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PPO_LLM_API_KEY", KEY)
    llm_server.always("unauthorised")
    status, out, err = cli("llm", "check", *settings(llm_server))
    assert status == 1
    assert "status 401" in err
    assert "Check the key" in err
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", f"https://host/v1?key={KEY}"),
        ("provider", "mine"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    cli: Cli, llm_server: LlmServer, name: str, value: str
) -> None:
    status, _, err = cli("llm", "check", *settings(llm_server, **{name: value}))
    assert status == 1
    assert f"llm_{name}" in err
    assert KEY not in err


def test_calls_and_spending_of_a_course_where_nothing_was_asked(cli: Cli) -> None:
    cli.ok("course", "create", "ppo")
    assert "0 of 0 calls" in cli.ok("llm", "calls", "ppo")
    assert "0.000000 USD of 20.000000 USD" in cli.ok("llm", "spend", "ppo", "--days", "3")
    status, _, err = cli("llm", "spend", "ppo", "--days", "0")
    assert status == 1
    assert "days: 0 cannot be used" in err
