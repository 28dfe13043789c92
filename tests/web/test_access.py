"""Who may do what: every address, every verb, every role."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from jupyter_ppo.web.urls import ROUTES, UnknownHandler

ANYONE = (200,) * 7
SIGNED_IN = (403, 200, 200, 200, 200, 200, 200)
MEMBER = (403, 404, 200, 200, 200, 200, 200)
GRADER = (403, 404, 403, 403, 200, 200, 200)
AUTHOR = (403, 404, 403, 403, 403, 200, 200)
OWNER_ONLY = (403, 404, 404, 200, 404, 404, 404)
OWNER_OR_GRADER = (403, 404, 404, 200, 200, 200, 200)

PEOPLE = (None, "oto", "sue", "sam", "gil", "ines", "ada")
#: Status for nobody, an outsider, another student, the student who submitted, a grader, an
#: instructor, an admin.
EXPECTED: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/health"): ANYONE,
    ("GET", "/me"): SIGNED_IN,
    ("GET", "/openapi.json"): SIGNED_IN,
    ("GET", "/courses"): SIGNED_IN,
    ("POST", "/courses"): (403, 403, 403, 403, 403, 403, 201),
    ("GET", "/courses/{course}"): MEMBER,
    ("PUT", "/courses/{course}/members/{user}"): (403, 404, 403, 403, 403, 200, 200),
    ("GET", "/courses/{course}/assignments"): MEMBER,
    ("GET", "/courses/{course}/assignments/{assignment}"): MEMBER,
    ("PUT", "/courses/{course}/assignments/{assignment}"): (403, 404, 403, 403, 403, 201, 201),
    ("GET", "/courses/{course}/assignments/{assignment}/notebook"): MEMBER,
    ("POST", "/courses/{course}/assignments/{assignment}/sealing"): AUTHOR,
    ("GET", "/courses/{course}/assignments/{assignment}/sealing"): GRADER,
    ("POST", "/courses/{course}/assignments/{assignment}/submissions"): (
        403,
        404,
        201,
        201,
        201,
        201,
        201,
    ),
    ("GET", "/courses/{course}/submissions"): MEMBER,
    ("GET", "/courses/{course}/grades"): MEMBER,
    ("GET", "/courses/{course}/leaderboard"): MEMBER,
    ("PUT", "/courses/{course}/leaderboard/me"): MEMBER,
    ("DELETE", "/courses/{course}/leaderboard/me"): MEMBER,
    ("GET", "/submissions/{submission_id}"): OWNER_OR_GRADER,
    ("GET", "/submissions/{submission_id}/notebook"): OWNER_OR_GRADER,
    ("GET", "/submissions/{submission_id}/grade"): OWNER_OR_GRADER,
    ("POST", "/submissions/{submission_id}/grade"): (403, 404, 404, 403, 202, 202, 202),
    ("GET", "/submissions/{submission_id}/feedback"): OWNER_OR_GRADER,
    ("POST", "/execute"): SIGNED_IN,
    ("POST", "/execute/tests"): SIGNED_IN,
    ("POST", "/execute/stop"): SIGNED_IN,
    ("GET", "/execute/limits"): SIGNED_IN,
    ("GET", "/execute/health"): ANYONE,
    ("GET", "/execute/history"): SIGNED_IN,
    ("GET", "/execute/history/{execution_id}"): OWNER_ONLY,
}


def endpoints() -> list[tuple[str, str]]:
    return [
        (verb, path)
        for path, handler in ROUTES
        for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if verb.lower() in vars(handler)
    ]


def test_every_endpoint_says_who_may_use_it() -> None:
    assert sorted(endpoints()) == sorted(EXPECTED)


async def test_each_role_may_do_what_the_table_says(api: Any, source: bytes, answer: bytes) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    execution = (await api.ok("sam", "POST", "/execute", {"code": "x"}))["id"]
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for verb, path in EXPECTED:
        codes = []
        for person in PEOPLE:
            body: Any = {
                "/courses": {"name": f"by-{person}"},
                "/courses/{course}/members/{user}": {"role": "student"},
                "/courses/{course}/assignments/{assignment}": source,
                "/courses/{course}/assignments/{assignment}/submissions": answer,
                "/courses/{course}/leaderboard/me": {"pseudonym": f"fox of {person}"},
                "/execute": {"code": "x"},
                "/execute/tests": {"code": "x", "cases": [{"stdin": "", "expected": "x"}]},
            }.get(path)
            if (verb, path) == ("POST", "/submissions/{submission_id}/grade"):
                await api.graded(submission)  # only what is graded can be graded again
            filled = path.format(
                course="ppo",
                assignment="one",
                user="newcomer",
                submission_id=submission,
                execution_id=execution,
            )
            response = await api(person, verb, filled, None if verb == "GET" else body)
            codes.append(response.code)
        found[verb, path] = tuple(codes)
    assert found == EXPECTED


@pytest.mark.parametrize(
    "server_settings",
    [{"allow_unauthenticated_access": False}, {"allow_unauthenticated_access": True}],
    ids=["server closed", "server open"],
)
@pytest.mark.filterwarnings("ignore::jupyter_server.serverapp.JupyterServerAuthWarning")
async def test_nobody_gets_past_any_address_but_those_for_health(
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
    for health in ("/health", "/execute/health"):
        assert answered.pop(("GET", health)) == 200
    assert set(answered.values()) == {403}


async def test_health_says_nothing_but_status_and_version(api: Any) -> None:
    body = await api.ok("", "GET", "/health")
    assert set(body) == {"status", "version"}
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
    assert foreign.body.decode().replace("ppo", "none") == missing.body.decode()


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
    for verb, path in EXPECTED:
        names = dict.fromkeys(re.findall(r"\{(\w+)\}", path), "x")
        filled = path.format(**names)
        response = await api("ada", verb, filled, None if verb == "GET" else b"{}")
        if verb == "GET":
            assert response.code in {200, 404}, path
        else:
            assert response.code == 403, path
            action = "execute" if path.startswith("/execute") else "write"
            assert f"does not let you {action}".encode() in response.body
