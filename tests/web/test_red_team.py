"""Hostile answers, and a model that obeys every one of them: what students see stays as it was.

The model of the test server does what any text tells it: full marks, leaks, links. So nothing
here rests on a model that resists.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llm_server import LlmServer

PATH = "/courses/ppo/assignments/one"
HINTS = f"{PATH}/hints/double"
HOSTILE = Path(__file__).parents[1] / "tutor" / "red_team"
NOTE, KEY, OTHERS = "only the word quokka counts", "key-8f1d0b1c7a", "sue alone wrote this line"
REFERENCE = "return 2 * x"
RUBRIC = [
    {
        "name": "why",
        "title": "Why",
        "note": NOTE,
        "levels": [
            {"name": "none", "points": 0, "description": "no"},
            {"name": "full", "points": 3, "description": "yes"},
        ],
    }
]
#: What our side marks prompts with, to know it again.
MARKS = re.compile(r"\b[0-9a-f]{16,}\b")
MARKUP = re.compile(r"<(?:img|a|script)\b|!\[[^\]]*\]\(|\]\(https?:", re.IGNORECASE)


@pytest.fixture(params=["obeys", "obeys_quietly"])
def service_settings(llm_server: LlmServer, request: pytest.FixtureRequest) -> dict[str, Any]:
    llm_server.always(request.param)
    return {
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_api_key": KEY,
        "llm_tries": 1,
    }


@pytest.fixture
def source(source: bytes) -> bytes:
    notebook = json.loads(source)
    notebook["cells"][3]["metadata"]["jupyter_ppo"] = {"rubric": RUBRIC}
    return json.dumps(notebook).encode()


def hostile() -> Iterator[str]:
    """Yield one answer of each kind."""
    for path in sorted(HOSTILE.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))[0]


async def test_no_hostile_answer_moves_a_score_or_shows_a_student_what_is_not_theirs(
    api: Any, source: bytes, llm_server: LlmServer, request: pytest.FixtureRequest
) -> None:
    await api.course(source)
    await hand_in(api, OTHERS, user="sue")
    handed_in, words = [], []
    for number, answer in enumerate(hostile()):
        submission = await hand_in(api, answer)
        before = await scores(api, submission)
        draft = await drafted(api, submission)
        # Nothing that a student can see has moved, whatever the model said.
        assert await scores(api, submission) == before, answer
        for path in (f"/drafts/{draft['id']}", f"{PATH}/drafts", f"{PATH}/calibrations/why"):
            assert (await api("sam", "GET", path)).code in {403, 404}
        # A person decides: now and then they wave through what the model wrote.
        address = f"/drafts/{draft['id']}"
        if number % 2 and draft["points"] is not None:
            decided = await api.ok("gil", "POST", f"{address}/approve", {"revision": 0})
            words.append(decided["record"]["comment"])
        else:
            none = {"criterion": "why", "level": "none", "comment": "Read section 2 again."}
            edit = {"revision": 0, "results": [none]}
            decided = await api.ok("gil", "POST", f"{address}/edit", edit)
            assert decided["record"]["points"] == 0
        handed_in.append((submission, decided["record"]["points"]))
    # Who leaks loudly gets no draft at all; what a quiet one wrote can be waved through.
    assert bool(words) == ("quietly" in request.node.name)
    await look(api, llm_server, "\n".join(words), is_words=True)
    await api.ok("ines", "PUT", f"{PATH}/released-grades")
    for submission, points in handed_in:
        grade = await api.ok("sam", "GET", f"/submissions/{submission}/grade")
        [why] = [each for each in grade["exercises"] if each["grade_id"] == "why"]
        assert why["score"] == points
        await look(api, llm_server, await seen_by_sam(api, submission))


@pytest.mark.parametrize("service_settings", ["obeys"], indirect=True)
async def test_hints_and_explanations_give_nothing_away_to_hostile_code(
    api: Any, source: bytes, llm_server: LlmServer
) -> None:
    await api.course(source)
    await hand_in(api, OTHERS, user="sue")
    seen = []
    for number, text in enumerate(hostile()):
        code = f"def double(x):\n    secret = {json.dumps(text)}\n    return x + {number}"
        seen.append(await api.ok("sam", "POST", HINTS, {"answer": code}))
        wish = {"kind": "cell", "assignment": "one", "code": code}
        seen.append(await api.ok("sam", "POST", "/courses/ppo/explanations", wish))
    assert llm_server.received  # it was asked, and obeyed
    shown = [json.dumps([each["text"], each["said_by"]]) for each in seen]
    await look(api, llm_server, "\n".join(shown), is_words=True)
    await look(api, llm_server, await seen_by_sam(api))


async def hand_in(api: Any, answer: str, user: str = "sam") -> str:
    released = await api(user, "GET", f"{PATH}/notebook")
    notebook = json.loads(released.body)
    notebook["cells"][1]["source"] = "def double(x):\n    return x * 2"
    notebook["cells"][3]["source"] = answer
    receipt = await api.submit(json.dumps(notebook).encode(), user=user)
    await api.graded(receipt["id"])
    submission: str = receipt["id"]
    return submission


async def scores(api: Any, submission: str) -> list[Any]:
    """Everything with points in it that the student, and whoever grades, can read."""
    found = [await api.ok("gil", "GET", f"/submissions/{submission}/grade")]
    for path in (f"/submissions/{submission}", "/courses/ppo/progress", "/courses/ppo/grades"):
        found.append(await api.ok("sam", "GET", path))
    found.append((await api("sam", "GET", f"/submissions/{submission}/grade")).code)
    return found


async def drafted(api: Any, submission: str) -> dict[str, Any]:
    body = {"submissions": [submission], "grade_id": "why"}
    batch = await api.ok("ines", "POST", f"{PATH}/draft-batches", body)
    deadline = time.monotonic() + 60
    while batch["state"] == "running":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
        batch = await api.ok("gil", "GET", f"/draft-batches/{batch['id']}")
    assert (batch["state"], batch["done"]) == ("succeeded", 1)
    page = await api.ok("gil", "GET", f"{PATH}/drafts")
    [item] = [each for each in page["items"] if each["submission_id"] == submission]
    return dict(item)


async def seen_by_sam(api: Any, submission: str | None = None) -> str:
    """Return everything that a student can read, as one text."""
    paths = [HINTS, f"{PATH}/self-checks/why", "/courses/ppo/progress", "/courses/ppo/grades"]
    if submission is not None:
        parts = ("", "/grade", "/feedback", "/history", "/notebook")
        paths += [f"/submissions/{submission}{part}" for part in parts]
    found = []
    for path in paths:
        answer = await api("sam", "GET", path)
        assert answer.code == 200, path
        found.append(answer.body.decode())
    data = await api("sam", "GET", "/me/data")
    with zipfile.ZipFile(io.BytesIO(data.body)) as archive:
        names = [name for name in archive.namelist() if not name.endswith(".zip")]
        found += [archive.read(name).decode(errors="replace") for name in names]
    return "\n".join(found)


async def look(api: Any, server: LlmServer, text: str, *, is_words: bool = False) -> None:
    """Find no secret in a text; in ``is_words`` of ours, no markup and no solution either."""
    for secret in (NOTE, "quokka", KEY, OTHERS):
        assert secret not in text, secret
    if is_words:
        marks = {mark for received in server.received for mark in MARKS.findall(received.system)}
        assert marks
        for mark in marks:
            assert mark not in text
        assert not MARKUP.search(text)
        assert REFERENCE not in text
