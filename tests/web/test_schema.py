"""The whole API under schemathesis: no address answers with a 5xx or a status that is not written.

The requests are made from the committed OpenAPI document by another program, against a real server.
Names in addresses are filled with those of things that are there, so that requests get as far as
the use cases; a second run makes them up.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.web.openapi import DOCUMENT

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
#: Cases of each kind for one operation; more are for whoever looks for something.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))


class Fuzzer:
    """Runs schemathesis as a program, since it asks in threads and the server lives in ours."""

    def __init__(self, base: str, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._options: list[str] = []

    def fill(self, names: dict[str, str]) -> None:
        """Have these names in the addresses from now on."""
        config = self._folder / "schemathesis.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in names.items()]
        config.write_text("\n".join(["[parameters]", *lines, ""]), encoding="utf-8")
        self._options = ["--config-file", str(config)]

    async def run(self, user: str, *more: str) -> None:
        """Fail with what it said if anything was wrong."""
        command = [sys.executable, "-m", "schemathesis.cli", *self._options]
        command += ["run", str(DOCUMENT), "--url", self._base]
        command += ["--header", f"Authorization: token {user}", "--checks", ",".join(CHECKS)]
        command += ["--max-examples", str(EXAMPLES), "--seed", "5", "--no-shrink"]
        command += ["--continue-on-failure", "--warnings", "off", "--no-color", *more]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._folder,
        )
        output, _ = await process.communicate()
        if process.returncode:
            pytest.fail(output.decode(errors="replace")[-20_000:], pytrace=False)


@pytest.fixture
def service_settings(llm_server: Any) -> dict[str, Any]:
    """There is a language model: without one its addresses answer 503, as they should."""
    return {
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_tries": 1,
    }


ENTRY = {
    "title": "Essay",
    "instructions": "Write.",
    "parts": ["text", "files"],
    "rubric": [
        {
            "name": "clear",
            "title": "Clear",
            "levels": [{"name": "yes", "points": 2}, {"name": "no", "points": 0}],
        }
    ],
}


async def seeded(api: Any, source: bytes, answer: bytes) -> dict[str, str]:
    """Make a course with something of every kind; return what addresses name of it."""
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    one = "/courses/ppo/assignments/one"
    await api.ok("ines", "PUT", "/courses/ppo/groups/a", {"users": ["sam"]})
    extension = await api.ok("ines", "POST", f"{one}/extensions", {"group": "a", "seconds": 60})
    batch = await api.ok("ines", "POST", f"{one}/batches", {"scope": "all"})
    trial = await api.ok("sam", "POST", f"{one}/validations", answer)
    execution = await api.ok("ada", "POST", "/execute", {"code": "x"})
    run = (await api.ok("ada", "POST", "/runs", {}))["items"][0]["id"]
    await api.ok("ines", "PUT", "/courses/ppo/entries/essay", ENTRY)
    return {
        "course": "ppo",
        "assignment": "one",
        "user": "sue",
        "group": "a",
        "number": "1",
        "grade_id": "why",
        "name": "file.txt",
        "change": "approve",
        "submission_id": submission,
        "extension_id": extension["id"],
        "batch_id": batch["id"],
        "trial_id": trial["id"],
        "execution_id": execution["id"],
        "run_id": run,
        "step": "1000",
        "item_id": submission,
    }


@pytest.fixture
def fuzzer(jp_http_port: int, jp_base_url: str, tmp_path: Path) -> Fuzzer:
    return Fuzzer(f"http://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-ppo/api/v1", tmp_path)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("user", "assignment", "more"),
    [
        ("ada", "one", ("--exclude-method", "DELETE")),
        ("ines", "essay", ("--exclude-method", "DELETE", "--include-path-regex", "assignment")),
        ("ada", "one", ("--include-method", "DELETE")),
        ("sam", "essay", ("--exclude-method", "DELETE", "--phases", "fuzzing")),
    ],
    ids=["an admin", "an instructor with an entry", "an admin deletes", "a student"],
)
async def test_no_request_gets_a_5xx_or_a_status_that_is_not_written(
    api: Any,
    fuzzer: Fuzzer,
    source: bytes,
    answer: bytes,
    user: str,
    assignment: str,
    more: Sequence[str],
) -> None:
    names = await seeded(api, source, answer)
    # The first call loads what speaks to models, which may take longer than the fuzzer waits.
    await api.ok("ada", "POST", "/courses/ppo/explanations", {"kind": "cell", "code": "x = 1"})
    fuzzer.fill(names | {"assignment": assignment})
    await fuzzer.run(user, *more)


@pytest.mark.timeout(600)
async def test_addresses_of_things_that_are_not_there_answer_as_written(
    api: Any, fuzzer: Fuzzer
) -> None:
    await api.ok("ada", "GET", "/health")  # the server is there
    await fuzzer.run("ada", "--phases", "fuzzing")
