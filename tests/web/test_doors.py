"""What stands before every address: signing in, the server's authorizer, and nothing to learn."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from jupyter_ppo.web.urls import ROUTES, UnknownHandler

#: What has code run beside "/execute".
TRAINS = {("POST", "/runs"), ("POST", "/runs/{run_id}/commands")}

#: What answers 400 without a query.
ASKS_A_QUERY = {"/runs/aggregate"}

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def endpoints() -> list[tuple[str, str]]:
    return [
        (verb, path) for path, handler in ROUTES for verb in VERBS if verb.lower() in vars(handler)
    ]


@pytest.mark.parametrize(
    "server_settings",
    [{"allow_unauthenticated_access": False}, {"allow_unauthenticated_access": True}],
    ids=["server closed", "server open"],
)
@pytest.mark.filterwarnings("ignore::jupyter_server.serverapp.JupyterServerAuthWarning")
async def test_nobody_gets_past_any_address_but_those_for_health_and_public_keys(
    api: Any, jp_serverapp: Any
) -> None:
    patterns = [
        rule.matcher.regex.pattern
        for group in jp_serverapp.web_app.default_router.rules
        for rule in getattr(group.target, "rules", [])
        if "jupyter-ppo" in rule.matcher.regex.pattern
    ]
    assert len(patterns) == len(ROUTES) + 1
    answered = {}
    for pattern in patterns:
        path = pattern.rstrip("$").partition("/jupyter-ppo/api/v1")[2]
        path = re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "x", path).replace("(?:/.*)?", "/nothing/here")
        for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            body = None if verb in {"GET", "HEAD"} else b"{}"
            response = await api(None, verb, path, body)
            answered[verb, path] = response.code
    for health in ("/health", "/execute/health", "/achievements/keys"):
        assert answered.pop(("GET", health)) == 200
    assert set(answered.values()) == {403}


async def test_health_says_nothing_but_status_version_and_where_it_grades(api: Any) -> None:
    body = await api.ok("", "GET", "/health")
    assert set(body) == {"status", "version", "grading"}
    assert body["status"] == "ok"


async def test_the_health_of_execution_says_nothing_but_engine_image_and_pool(api: Any) -> None:
    body = await api.ok("", "GET", "/execute/health")
    pool = {"ready": 1, "size": 2}
    assert body == {"status": "ok", "engine": True, "image": True, "pool": pool}


async def test_a_foreign_thing_looks_like_one_that_is_not_there(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    absent = "0199a5d2-0000-7000-8000-000000000000"
    foreign = await api("oto", "GET", f"/submissions/{submission}")
    missing = await api("oto", "GET", f"/submissions/{absent}")
    assert foreign.code == missing.code == 404
    assert foreign.body.decode().replace(submission, absent) == missing.body.decode()
    foreign = await api("oto", "GET", "/courses/ppo/assignments")
    missing = await api("oto", "GET", "/courses/none/assignments")
    assert foreign.code == missing.code == 404
    assert foreign.body.decode().replace("'ppo'", "'none'") == missing.body.decode()


async def test_a_student_sees_only_their_own_submissions(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    for user in ("sam", "sue"):
        await api.submit(answer, user)
    for path in ("/courses/ppo/submissions", "/courses/ppo/grades"):
        own = await api.ok("sam", "GET", path)
        assert [item["user"] for item in own["items"]] == ["sam"]
        every = await api.ok("gil", "GET", path)
        assert {item["user"] for item in every["items"]} == {"sam", "sue"}
    asked = await api.ok("sam", "GET", "/courses/ppo/submissions", params={"user": "sue"})
    assert asked["items"] == []
    table = await api("sam", "GET", "/courses/ppo/grades", params={"format": "csv"})
    assert b"sue" not in table.body


def test_the_last_rule_answers_every_other_address() -> None:
    from jupyter_ppo.web.urls import url_rules

    assert url_rules()[-1][1] is UnknownHandler


class ReadersOnly(Authorizer):
    """Lets everyone read our resource and nothing else."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return (action, resource) == ("read", "jupyter_ppo")


@pytest.mark.parametrize("server_settings", [{"authorizer_class": ReadersOnly}], ids=["readers"])
async def test_the_authorizer_of_the_server_is_asked_before_every_verb(api: Any) -> None:
    for verb, path in endpoints():
        names = dict.fromkeys(re.findall(r"\{(\w+)\}", path), "x")
        filled = path.format(**names)
        response = await api("ada", verb, filled, None if verb == "GET" else b"{}")
        if verb == "GET":
            assert response.code in ({400} if path in ASKS_A_QUERY else {200, 404}), path
        else:
            assert response.code == 403, path
            runs_code = path.startswith("/execute") or (verb, path) in TRAINS
            action = "execute" if runs_code else "write"
            assert f"does not let you {action}".encode() in response.body


@pytest.mark.parametrize(
    "path",
    [
        "/courses/a%00b",
        "/courses/ppo/members/a%00b",
        "/courses/ppo/assignments/a%00b",
    ],
)
async def test_a_name_with_a_nul_is_absent(api: Any, source: bytes, path: str) -> None:
    await api.course(source)
    assert (await api("ines", "GET", path)).code == 404


async def test_a_filter_with_a_nul_is_refused_by_its_name(api: Any, source: bytes) -> None:
    await api.course(source)
    refused = await api("ines", "GET", "/courses/ppo/members", params={"search": "a\0b"})
    assert (refused.code, json.loads(refused.body)["field"]) == (400, "search")
