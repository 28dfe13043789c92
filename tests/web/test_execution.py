"""Running code over HTTP: statuses, bodies, quotas, history."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.execution import ExecutionState
from jupyter_ppo.domain.sandbox import SandboxStatus
from jupyter_ppo.web import context
from jupyter_ppo.web.models import Answer
from jupyter_ppo.wiring import PPOService

DEADLINE_SECONDS = 60
RESULT = {
    "id",
    "success",
    "outcome",
    "stdout",
    "stderr",
    "error_type",
    "error_message",
    "traceback",
    "execution_time",
    "memory_used_mb",
    "locals",
    "omitted",
    "limit",
}
#: Far more than a test sends, where quotas are not what is tested.
GENEROUS = {"execute_per_minute": 1000, "execute_at_once": 100}


@pytest.fixture
def programs(jp_serverapp: Any) -> Any:
    """The fake that stands for the containers; what waits in it is let go at the end."""
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_ppo"]
    yield app.service.programs
    if app.service is not None:
        app.service.programs.release.set()


async def started(programs: Any) -> None:
    assert await asyncio.to_thread(programs.started.acquire, timeout=DEADLINE_SECONDS)


def body_of(response: Any) -> Any:
    return json.loads(response.body)


async def ended(api: Any, user: str, execution: str) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        record: dict[str, Any] = await api.ok(user, "GET", f"/execute/history/{execution}")
        if record["state"] != "running":
            return record
        assert time.monotonic() < deadline, record
        await asyncio.sleep(0.02)


async def recorded(api: Any, user: str, count: int) -> None:
    """Wait until so many executions of a person are in the database."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for _ in iter(lambda: time.monotonic() < deadline, False):
        if (await api.ok(user, "GET", "/execute/history"))["total"] == count:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{count} executions of {user} were not recorded in time")


async def only_execution(api: Any, user: str) -> dict[str, Any]:
    [line] = (await api.ok(user, "GET", "/execute/history"))["items"]
    found: dict[str, Any] = line
    return found


async def test_every_outcome_has_its_status_and_the_same_body(api: Any) -> None:
    found = {}
    for outcome in (
        "succeeded",
        "raised",
        "syntax_error",
        "timeout",
        "memory",
        "output_limit",
        "died",
        "stopped",
    ):
        response = await api("sam", "POST", "/execute", {"code": outcome})
        body = body_of(response)
        assert set(body) == RESULT
        assert body["success"] is (body["outcome"] == "succeeded")
        found[body["outcome"]] = response.code
        relaxed = await api(
            "sam", "POST", "/execute", {"code": outcome}, params={"always_ok": "true"}
        )
        assert (relaxed.code, body_of(relaxed) | {"id": body["id"]}) == (200, body)
    assert found == {
        "succeeded": 200,
        "raised": 200,
        "syntax_error": 400,
        "timeout": 408,
        "memory": 507,
        "output_limit": 200,
        "died": 200,
        "stopped": 200,
    }


async def test_a_limit_that_was_hit_is_named_with_its_figure_and_unit(api: Any) -> None:
    body = body_of(await api("sam", "POST", "/execute", {"code": "timeout", "timeout": 2.5}))
    assert body["limit"] == {"name": "timeout", "value": 2.5, "unit": "s"}
    body = body_of(await api("sam", "POST", "/execute", {"code": "memory", "memory": 96}))
    assert body["limit"] == {"name": "memory", "value": 96, "unit": "MiB"}
    assert body["error_message"] == "it said so"


@pytest.mark.parametrize(
    "service_settings",
    [{"execute_timeout": 7, "execute_memory_mb": 256, "execute_limits": {"pids": 17}}],
    ids=["settings"],
)
async def test_a_request_gets_the_defaults_of_the_server_or_what_it_asks_for(api: Any) -> None:
    plain = await api.ok("sam", "POST", "/execute", {"code": "x"})
    assert plain["stdout"] == "7.0 s, 256 MiB, 17 pids"
    assert (plain["locals"], plain["omitted"]) == (None, {})
    more = {"timeout": 300, "memory": 2048, "globals": {"n": 1}, "capture_locals": True}
    asked = await api.ok("sam", "POST", "/execute", {"code": "x"} | more)
    assert (asked["stdout"], asked["locals"]) == ("300.0 s, 2048 MiB, 17 pids", {"n": 1})
    limits = await api.ok("sam", "GET", "/execute/limits")
    assert limits["timeout"] == {"default": 7, "min": 1, "max": 300, "unit": "s"}
    assert limits["memory"] == {"default": 256, "min": 64, "max": 2048, "unit": "MiB"}
    assert limits["quota"] == {"per_minute": 30, "at_once": 2, "seconds_per_day": 3600}
    assert limits["left"] == {"per_minute": 28, "at_once": 2, "seconds_per_day": 3599.5}
    assert (await api.ok("sue", "GET", "/execute/limits"))["left"] == limits["quota"]
    assert {each["name"]: each["value"] for each in limits["container"]} == {
        "cpus": 1,
        "pids": 17,
        "file_mb": 32,
        "disk_mb": 64,
        "inodes": 4096,
        "open_files": 1024,
        "output_bytes": 2**20,
    }


async def test_numbers_that_json_has_no_word_for_are_strings_and_integers_are_exact(
    api: Any,
) -> None:
    code = b"""{"code": "x", "capture_locals": true, "globals": {"a": NaN, "b": [Infinity],
        "c": {"d": -Infinity}, "e": 340282366920938463463374607431768211456}}"""
    names = (await api.ok("sam", "POST", "/execute", code))["locals"]
    assert names == {"a": "NaN", "b": ["Infinity"], "c": {"d": "-Infinity"}, "e": 2**128}


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "code"),
    ({"code": " \n"}, 400, "code"),
    ({"code": "x" * 50_001}, 413, "code"),
    ({"code": 5}, 400, "code"),
    ({"code": "x", "colour": 1}, 400, "colour"),
    ({"code": "x", "timeout": 0.5}, 400, "timeout"),
    ({"code": "x", "timeout": 301}, 400, "timeout"),
    ({"code": "x", "timeout": "30"}, 400, "timeout"),
    ({"code": "x", "timeout": float("nan")}, 400, "timeout"),
    ({"code": "x", "memory": 63}, 400, "memory"),
    ({"code": "x", "memory": 2049}, 400, "memory"),
    ({"code": "x", "memory": 64.5}, 400, "memory"),
    ({"code": "x", "globals": [1]}, 400, "globals"),
    ({"code": "x", "globals": {"no name": 1}}, 400, "globals"),
    ({"code": "x", "capture_locals": 1}, 400, "capture_locals"),
    ({"code": "x", "stdin": 1}, 400, "stdin"),
    ({"code": "x", "cases": []}, 400, "cases"),
    (
        {"code": "x", "cases": [{"call": {"function": "f", "args": 1}, "expected": 1}]},
        400,
        "cases[0].call.args",
    ),
    ({"code": "x", "cases": [{"expected": 1}]}, 400, "cases"),
    (
        {"code": "x", "cases": [{"stdin": "", "call": {"function": "f"}, "expected": 1}]},
        400,
        "cases",
    ),
    ({"code": "x", "cases": [{"stdin": ""}]}, 400, "cases[0].expected"),
    (
        {"code": "x", "cases": [{"stdin": "", "expected": "", "tolerance": -1}]},
        400,
        "cases[0].tolerance",
    ),
    ({"code": "x", "cases": [{"call": {}, "expected": ""}]}, 400, "cases[0].call.function"),
]


async def test_what_cannot_be_run_is_refused_by_the_name_of_the_field(api: Any) -> None:
    for body, status, field in REFUSED:
        path = "/execute/tests" if "cases" in body else "/execute"
        response = await api("sam", "POST", path, body)
        answer = body_of(response)
        assert (response.code, answer["field"].startswith(field)) == (status, True), body
        assert answer["message"].startswith(f"{answer['field']}: "), answer
    assert (await api.ok("sam", "GET", "/execute/history"))["total"] == 0


async def test_code_may_be_larger_than_other_requests_but_not_without_end(api: Any) -> None:
    text = "é" * 100 * 2**10  # 200 KiB
    answer = await api.ok("sam", "POST", "/execute", {"code": "x", "globals": {"text": text}})
    assert answer["success"] is True
    response = await api("sam", "POST", "/execute", {"code": "x", "globals": {"t": "x" * 2**21}})
    assert (response.code, body_of(response)["field"]) == (413, "body")
    response = await api("ada", "POST", "/courses", {"name": "x" * 2**17})
    assert (response.code, body_of(response)["field"]) == (413, "body")


async def test_each_case_gets_a_verdict(api: Any) -> None:
    cases = [
        {"name": "right", "stdin": "abc", "expected": "ABC\n"},
        {"stdin": "abc", "expected": "abc"},
        {"call": {"function": "f", "args": [0.1], "kwargs": {}}, "expected": 0.1000000000001},
        {"call": {"function": "f", "args": [1.0]}, "expected": 1.5, "tolerance": 0.6},
    ]
    answer = await api.ok("sam", "POST", "/execute/tests", {"code": "x", "cases": cases})
    assert [case["verdict"] for case in answer["cases"]] == ["passed", "failed", "passed", "passed"]
    assert (answer["success"], answer["passed"], answer["total"]) == (False, 3, 4)
    assert answer["execution_time"] == 1.0
    first, _, third, _ = answer["cases"]
    assert (first["name"], first["stdout"], third["value"]) == ("right", "ABC", 0.1)
    line = await only_execution(api, "sam")
    assert (line["cases_passed"], line["cases_total"], line["success"]) == (3, 4, False)
    record = await api.ok("sam", "GET", f"/execute/history/{answer['id']}")
    sent = [{"stdin": None, "call": None, "tolerance": 1e-9} | case for case in cases]
    sent[3]["call"] = sent[3]["call"] | {"kwargs": {}}
    sent = [{"name": ""} | case for case in sent]
    both = [case | said for case, said in zip(sent, answer["cases"], strict=True)]
    assert (record["cases"], record["result"]) == (both, None)


@pytest.mark.parametrize(
    ("code", "status"), [("syntax_error", 400), ("timeout", 200), ("raised", 200)]
)
async def test_cases_of_code_that_does_not_compile_are_a_bad_request(
    api: Any, code: str, status: int
) -> None:
    asked = {"code": code, "cases": [{"stdin": "", "expected": ""}] * 2}
    response = await api("sam", "POST", "/execute/tests", asked)
    body = body_of(response)
    assert response.code == status
    assert [case["verdict"] for case in body["cases"]] == [code, code]
    assert (body["success"], body["passed"], body["total"]) == (False, 0, 2)
    relaxed = await api("sam", "POST", "/execute/tests", asked, params={"always_ok": "true"})
    assert relaxed.code == 200


async def test_the_history_is_ones_own_newest_first_and_in_pages(api: Any) -> None:
    codes = ["first\n" + "x" * 300, "raised", "timeout"]
    for code in codes:
        await api("sam", "POST", "/execute", {"code": code})
    await api("sue", "POST", "/execute", {"code": "hers"})
    page = await api.ok("sam", "GET", "/execute/history", params={"limit": 2})
    assert [(line["code_preview"], line["outcome"]) for line in page["items"]] == [
        ("timeout", "timeout"),
        ("raised", "raised"),
    ]
    assert (page["total"], page["offset"], page["limit"]) == (3, 0, 2)
    [oldest] = (await api.ok("sam", "GET", "/execute/history", params={"offset": 2}))["items"]
    assert (oldest["code_preview"], oldest["success"]) == (codes[0][:200], True)
    assert (oldest["cases_passed"], oldest["cases_total"]) == (None, None)
    record = await api.ok("sam", "GET", f"/execute/history/{oldest['id']}")
    assert (record["code"], record["timeout"], record["memory"]) == (codes[0], 30, 512)
    assert (record["result"]["success"], record["cases"], record["error"]) == (True, [], None)
    for person, execution in (("sue", oldest["id"]), ("ada", oldest["id"]), ("sam", "nonsense")):
        response = await api(person, "GET", f"/execute/history/{execution}")
        assert (response.code, body_of(response)["field"]) == (404, "execution")


async def test_a_program_reads_what_the_request_gives_it(api: Any) -> None:
    answer = await api.ok("sam", "POST", "/execute", {"code": "x", "stdin": "abc"})
    assert answer["stdout"] == "ABC"


async def test_a_person_stops_what_runs_and_its_request_is_answered(
    api: Any, programs: Any
) -> None:
    running = asyncio.ensure_future(api("sam", "POST", "/execute", {"code": "wait"}))
    await started(programs)
    assert await api.ok("sue", "POST", "/execute/stop") == {"stopped": 0}
    assert not running.done()
    assert await api.ok("sam", "POST", "/execute/stop") == {"stopped": 1}
    response = await running
    body = body_of(response)
    assert (response.code, body["outcome"], body["success"]) == (200, "stopped", False)
    assert body["error_message"] == "The program was stopped."
    line = await only_execution(api, "sam")
    assert (line["state"], line["outcome"], line["execution_time"]) == ("done", "stopped", 0.5)
    assert await api.ok("sam", "POST", "/execute/stop") == {"stopped": 0}


@pytest.mark.parametrize("service_settings", [{"execute_per_minute": 2}], ids=["2 a minute"])
async def test_who_is_over_the_quota_is_told_when_to_come_back(api: Any) -> None:
    for _ in range(2):
        await api.ok("sam", "POST", "/execute", {"code": "x"})
    response = await api("sam", "POST", "/execute", {"code": "x"})
    assert (response.code, body_of(response)["code"]) == (429, "too_many_requests")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    await api.ok("sue", "POST", "/execute", {"code": "x"})


@pytest.mark.parametrize(
    "service_settings", [GENEROUS | {"execute_slots": 1, "execute_waiting": 1}], ids=["1 and 1"]
)
async def test_when_all_places_are_taken_the_next_is_told_to_come_back(
    api: Any, programs: Any
) -> None:
    first = asyncio.ensure_future(api("sam", "POST", "/execute", {"code": "wait"}))
    await started(programs)
    second = asyncio.ensure_future(api("sue", "POST", "/execute", {"code": "x"}))
    await recorded(api, "sue", 1)
    response = await api("gil", "POST", "/execute", {"code": "x"})
    assert (response.code, body_of(response)["code"]) == (503, "busy")
    assert int(response.headers["Retry-After"]) >= 1
    programs.release.set()
    assert [(await each).code for each in (first, second)] == [200, 200]


@pytest.mark.parametrize("service_settings", [GENEROUS], ids=["generous"])
async def test_programs_that_run_long_stop_no_other_request(api: Any, programs: Any) -> None:
    many = 9  # more than there are threads for requests
    asked = [api("sam", "POST", "/execute", {"code": "wait"}) for _ in range(many)]
    running = [asyncio.ensure_future(each) for each in asked]
    await recorded(api, "sam", many)
    assert (await api("ada", "GET", "/courses")).code == 200
    assert not any(request.done() for request in running)
    programs.release.set()
    assert {(await request).code for request in running} == {200}


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [("fail", 500, "internal"), ("no engine", 503, "engine_unavailable")],
)
async def test_a_failure_of_the_sandbox_is_no_outcome_and_is_recorded(
    api: Any, code: str, status: int, name: str
) -> None:
    response = await api("sam", "POST", "/execute", {"code": code})
    assert (response.code, set(body_of(response))) == (status, {"code", "message", "field"})
    assert body_of(response)["code"] == name
    assert b"secret" not in response.body
    line = await only_execution(api, "sam")
    assert (line["state"], line["outcome"], line["success"]) == ("failed", None, False)
    record = await api.ok("sam", "GET", f"/execute/history/{line['id']}")
    assert record["error"]
    assert record["result"] is None


async def test_a_client_that_hangs_up_changes_nothing_for_the_record(
    api: Any, programs: Any, http_server_port: Any, jp_base_url: str, caplog: Any
) -> None:
    body = json.dumps({"code": "wait"})
    head = f"POST {jp_base_url}jupyter-ppo/api/v1/execute HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: token sam\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", http_server_port[1])) as client:
        client.sendall((head + body).encode())
        await started(programs)
    assert (await only_execution(api, "sam"))["state"] == "running"
    programs.release.set()
    line = await only_execution(api, "sam")
    record = await ended(api, "sam", line["id"])
    assert (record["state"], record["success"]) == ("done", True)
    assert not [entry for entry in caplog.records if entry.exc_info]


@pytest.mark.parametrize("service_settings", [GENEROUS | {"execute_slots": 1}], ids=["1 slot"])
async def test_a_server_that_stops_ends_what_runs_and_what_waits_and_records_it(
    api: Any, programs: Any, jp_serverapp: Any, jp_server_config: Any
) -> None:
    running = asyncio.ensure_future(api("sam", "POST", "/execute", {"code": "wait"}))
    await started(programs)
    waiting = asyncio.ensure_future(api("sue", "POST", "/execute", {"code": "x"}))
    await recorded(api, "sue", 1)
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_ppo"]
    await app.stop_extension()
    late = asyncio.ensure_future(api("gil", "POST", "/execute", {"code": "x"}))
    for request in (running, waiting, late):
        response = await request
        assert (response.code, body_of(response)["code"]) == (503, "busy")
        assert "stopping" in body_of(response)["message"]
        assert int(response.headers["Retry-After"]) >= 1
    service = PPOService(config=jp_server_config).build()
    try:
        for user in ("sam", "sue"):
            [left] = service.executions.history(Caller(user), offset=0, limit=5).items
            assert (left.state, left.seconds) == (ExecutionState.FAILED, 0)
        assert service.executions.history(Caller("gil"), offset=0, limit=5).total == 0
    finally:
        service.close()


class CountingSandbox:
    """An engine with an image; counts how often it was asked."""

    asked = 0

    def status(self) -> SandboxStatus:
        type(self).asked += 1
        return SandboxStatus(False, "test engine", "test image", "not built", "build it")

    async def run(self, notebook: Any, limits: Any, exam: Any = None) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("sandbox_class", [CountingSandbox])
async def test_the_engine_is_not_asked_for_every_look_at_the_health(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "_RECENT_SECONDS", 3600)
    CountingSandbox.asked = 0
    bodies = [await api.ok("", "GET", "/execute/health") for _ in range(3)]
    assert CountingSandbox.asked == 1
    assert {body["status"] for body in bodies} == {"degraded"}
    assert {(body["engine"], body["image"]) for body in bodies} == {(True, False)}


async def test_large_answers_are_written_beside_the_loop(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, write = [], Answer.model_dump_json

    def noted(answer: Answer) -> str:
        threads.append((type(answer).__name__, threading.current_thread()))
        return write(answer)

    monkeypatch.setattr(Answer, "model_dump_json", noted)
    done = await api.ok("sam", "POST", "/execute", {"code": "x"})
    cases = [{"stdin": "", "expected": ""}]
    await api.ok("sam", "POST", "/execute/tests", {"code": "x", "cases": cases})
    await api.ok("sam", "GET", f"/execute/history/{done['id']}")
    assert [name for name, _ in threads] == ["ExecutionResult", "TestsResult", "ExecutionRecord"]
    assert threading.current_thread() not in {thread for _, thread in threads}


@pytest.mark.parametrize("service_settings", [GENEROUS], ids=["generous"])
async def test_what_waits_for_a_thread_of_a_stopping_server_is_told_so(
    api: Any, jp_serverapp: Any, tmp_path: Path
) -> None:
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_ppo"]
    threads = app.settings[context.SETTING].threads
    await asyncio.to_thread(app._starter.join)  # it writes to the database too
    lock = sqlite3.connect(tmp_path / "ppo" / "jupyter_ppo.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        asked = [api("sam", "POST", "/execute", {"code": "x"}) for _ in range(9)]
        requests = [asyncio.ensure_future(each) for each in asked]
        deadline = time.monotonic() + DEADLINE_SECONDS
        while threads._work_queue.qsize() != 1:
            assert time.monotonic() < deadline, "the requests did not arrive"
            await asyncio.sleep(0.02)
        stop = asyncio.ensure_future(app.stop_extension())
        first, others = await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        assert (len(first), len(others)) == (1, 8)
    finally:
        lock.close()
    for request in requests:
        assert ((await request).code, body_of(await request)["code"]) == (503, "busy")
    await stop
