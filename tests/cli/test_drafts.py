"""``jupyter ppo drafts``."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from typing import Any

import pytest
from llm_server import LlmServer

Cli = Any
RUBRIC = [
    {
        "name": "idea",
        "title": "The idea",
        "levels": [
            {"name": "none", "points": 0, "description": "not there"},
            {"name": "full", "points": 2, "description": "all of it"},
        ],
    }
]
NAMES = ("rl", "essay")


def settings(server: LlmServer) -> list[str]:
    """Return the words that set up the test server's model."""
    named = {"provider": "openai", "model": "m", "base_url": server.openai_url, "tries": 1}
    return [f"--PPOService.llm_{name}={value}" for name, value in named.items()]


@pytest.fixture
def handed_in(cli: Cli) -> Cli:
    """A course with an entry that one person handed in."""
    cli.ok("course", "create", "rl")
    definition = cli.home / "essay.json"
    asked = {"title": "Essay", "instructions": "Why clip?", "rubric": RUBRIC}
    definition.write_text(json.dumps(asked), encoding="utf-8")
    cli.ok("entry", "define", *NAMES, str(definition))
    text = cli.home / "essay.md"
    text.write_text("The ratio is clipped so that an update stays small.", encoding="utf-8")
    cli.ok("entry", "submit", *NAMES, "--text", str(text))
    return cli


def test_without_a_model_nothing_is_drafted_and_it_says_so(handed_in: Cli) -> None:
    for verb in ("estimate", "start"):
        status, _, err = handed_in("drafts", verb, *NAMES)
        assert status == 1
        assert "No language model is set up" in err
    assert "nothing of essay was drafted yet" in handed_in.ok("drafts", "status", *NAMES)


def test_an_estimate_says_what_it_would_cost_and_sends_nothing(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    out = handed_in.ok("drafts", "estimate", *NAMES, *settings(llm_server))
    assert "answers: 1, of which 0 are left out" in out
    assert "calls: 3, and 0 that" in out
    assert re.search(r"tokens: about [1-9]\d+ read, 360 written", out)
    assert "the caps leave 5.000000 for the assignment" in out
    assert "no price: llm_prices has none" in out
    assert "calibrated: no" in out
    assert not llm_server.received


def test_money_is_in_the_currency_of_the_price_table(handed_in: Cli, llm_server: LlmServer) -> None:
    words = [*settings(llm_server), "--PPOService.llm_currency=CHF"]
    for verb in ("estimate", "start", "status"):
        assert "0.000000 CHF" in handed_in.ok("drafts", verb, *NAMES, *words)


def test_without_marks_nothing_is_estimated_or_drafted_to_calibrate(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = [*NAMES, "--for-calibration", *settings(llm_server)]
    out = handed_in.ok("drafts", "estimate", *words)
    assert "answers: 0" in out
    assert "not to be started: for_calibration: none of these answers is marked" in out
    status, _, err = handed_in("drafts", "start", *words)
    assert status == 1
    assert "Mark some in the calibration first" in err


def test_who_is_killed_while_drafting_loses_nothing(handed_in: Cli, llm_server: LlmServer) -> None:
    words = settings(llm_server)
    llm_server.will("ok", "stalls")
    process = handed_in.process("drafts", "start", *NAMES, *words)
    deadline = time.monotonic() + 120
    while len(llm_server.received) < 2 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert "running  every question  1 leased" in handed_in.ok("drafts", "status", *NAMES, *words)
    with sqlite3.connect(handed_in.home / "data" / "jupyter_ppo.sqlite") as database:
        database.execute("UPDATE draft_batch_items SET leased_until = '2000-01-01 00:00:00.000000'")
    database.close()

    assert "succeeded  every question  1 done" in handed_in.ok("drafts", "resume", *NAMES, *words)
    asked = [each.headers["x-client-request-id"] for each in llm_server.received]
    assert len(set(asked)) == len(asked) == 4  # the one that was under way, and no other, again
    assert handed_in.ok("llm", "calls", "rl").count("draft ") == 4


def test_answers_are_drafted_once_and_the_batch_is_listed(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = settings(llm_server)
    assert "succeeded  every question  1 done" in handed_in.ok("drafts", "start", *NAMES, *words)
    assert len(llm_server.received) == 3
    listed = handed_in.ok("drafts", "status", *NAMES, *words)
    assert listed.count("batch ") == 1
    assert "3 that were answered before" in handed_in.ok("drafts", "estimate", *NAMES, *words)
    assert "draft " in handed_in.ok("llm", "calls", "rl")


def test_only_the_answers_of_who_is_named_are_drafted(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = settings(llm_server)
    status, _, err = handed_in("drafts", "start", *NAMES, "--user", "nobody", *words)
    assert status == 1
    assert "'nobody' has handed in nothing" in err
    assert not llm_server.received
    assert "1 done" in handed_in.ok("drafts", "start", *NAMES, "--user", "ada", *words)


def test_a_batch_that_stopped_says_why_and_goes_on_when_it_is_resumed(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = settings(llm_server)
    llm_server.always("unauthorised")
    status, out, _ = handed_in("drafts", "start", *NAMES, *words)
    assert status == 1
    assert "stopped  every question  1 waiting" in out
    assert "resume this batch" in out
    llm_server.always("ok")
    assert "succeeded  every question  1 done" in handed_in.ok("drafts", "resume", *NAMES, *words)


def test_who_interrupts_drafting_finds_the_batch_paused(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = settings(llm_server)
    llm_server.always("stalls")
    process = handed_in.process("drafts", "start", *NAMES, *words)
    deadline = time.monotonic() + 60
    while not llm_server.received and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "is paused" in err
    assert "paused  every question" in handed_in.ok("drafts", "status", *NAMES, *words)


def test_a_batch_is_paused_and_cancelled_only_where_there_is_one_that_is_open(
    handed_in: Cli, llm_server: LlmServer
) -> None:
    words = settings(llm_server)
    llm_server.always("unauthorised")
    status, out, _ = handed_in("drafts", "start", *NAMES, *words)
    assert status == 1
    found = re.search(r"batch (\S+)", out)
    assert found
    status, _, err = handed_in("drafts", "pause", *NAMES, *words)
    assert status == 1
    assert "no batch of drafts that is running" in err
    assert "cancelled" in handed_in.ok("drafts", "cancel", *NAMES, "--batch", found[1], *words)
    for verb in ("resume", "cancel"):
        status, _, err = handed_in("drafts", verb, *NAMES, *words)
        assert status == 1
        assert "'jupyter ppo drafts status' lists them" in err


def test_a_batch_of_another_assignment_is_not_found(handed_in: Cli, llm_server: LlmServer) -> None:
    words = settings(llm_server)
    llm_server.always("unauthorised")
    _, out, _ = handed_in("drafts", "start", *NAMES, *words)
    found = re.search(r"batch (\S+)", out)
    assert found
    handed_in.ok("entry", "define", "rl", "other", str(handed_in.home / "essay.json"))
    status, _, err = handed_in("drafts", "cancel", "rl", "other", "--batch", found[1], *words)
    assert status == 1
    assert "'other' has no batch" in err
