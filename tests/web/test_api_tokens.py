"""API tokens over HTTP: made, shown once, used, rotated, ended, and what they do not open."""

from __future__ import annotations

import json
from typing import Any

ME = "/me/tokens"


async def make(api: Any, user: str = "ines", **more: Any) -> tuple[str, str]:
    """Return the id and the secret of a new token."""
    body = {"course": "ppo", "name": "of a script"} | more
    made = await api.ok(user, "POST", ME, body)
    return made["token"]["id"], made["secret"]


def shown(secret: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {secret}"}


async def test_a_token_is_shown_once_and_signs_its_owner_in(api: Any, source: bytes) -> None:
    await api.course(source)
    token_id, secret = await make(api, role="grader")
    for scheme in ("Bearer", "bearer", "token"):
        me = await api(None, "GET", "/me", headers=shown(secret, scheme))
        assert json.loads(me.body)["courses"] == [
            {"name": "ppo", "title": "Learn PPO", "role": "grader"}
        ]
    listed = await api("ines", "GET", ME)
    assert secret.encode() not in listed.body
    [token] = json.loads(listed.body)["items"]
    assert (token["id"], token["uses"], token["role"]) == (token_id, 3, "grader")
    assert token["last_used_at"] is not None


async def test_a_token_writes_without_an_xsrf_cookie_and_from_any_origin(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    _, secret = await make(api, role="instructor", access="write")
    headers = shown(secret) | {"Origin": "https://elsewhere.example"}
    sent = await api(None, "PATCH", "/courses/ppo", {"title": "New"}, headers=headers)
    assert sent.code == 200, sent.body


async def test_a_token_for_reading_changes_nothing(api: Any, source: bytes) -> None:
    await api.course(source)
    _, secret = await make(api, role="instructor")
    assert (await api(None, "GET", "/courses/ppo/members", headers=shown(secret))).code == 200
    sent = await api(None, "PATCH", "/courses/ppo", {"title": "New"}, headers=shown(secret))
    assert (sent.code, json.loads(sent.body)["code"]) == (403, "forbidden")
    assert (await api.ok("ines", "GET", "/courses/ppo"))["title"] == "Learn PPO"


async def test_a_token_opens_its_course_and_nothing_that_is_a_persons_own(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("ada", "POST", "/courses", {"name": "other"})
    await api.ok("ada", "PUT", "/courses/other/members/ines", {"role": "instructor"})
    token_id, secret = await make(api, role="instructor", access="write")
    code = {"code": "x"}
    for verb, path, body, expected in (
        ("GET", "/courses/other", None, 404),
        ("GET", "/me/data", None, 403),
        ("GET", "/me/preferences", None, 403),
        ("GET", ME, None, 403),
        ("POST", ME, {"course": "ppo", "name": "another"}, 403),
        ("POST", f"{ME}/{token_id}/rotate", {}, 403),
        ("DELETE", f"{ME}/{token_id}", None, 403),
        ("GET", "/courses/ppo/tokens", None, 403),
        ("DELETE", f"/courses/ppo/tokens/{token_id}", None, 403),
        ("GET", "/runs", None, 403),
        ("POST", "/execute", code, 403),
        ("POST", "/people/sam/erase", {"confirm": "sam"}, 403),
        ("DELETE", "/courses/ppo", None, 403),
        ("GET", "/courses/ppo", None, 200),
    ):
        sent = await api(None, verb, path, body, headers=shown(secret))
        assert sent.code == expected, (verb, path, sent.body)


async def test_a_token_that_is_not_good_is_401_also_where_anybody_may_ask(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    token_id, secret = await make(api, "sam")
    await api.ok("sam", "DELETE", f"{ME}/{token_id}")
    for path in ("/me", "/health", "/nothing"):
        for text in (secret, "ppo_nonsense"):
            sent = await api(None, "GET", path, headers=shown(text))
            assert (sent.code, json.loads(sent.body)["code"]) == (401, "unauthorized")
            assert sent.headers["WWW-Authenticate"].startswith("Bearer")
            assert "Set-Cookie" not in sent.headers


async def test_both_are_good_after_a_rotation_and_an_instructor_ends_them(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    token_id, secret = await make(api, "sam")
    rotated = await api.ok("sam", "POST", f"{ME}/{token_id}/rotate", {"overlap_hours": 1})
    assert rotated["token"]["rotated_from"] == token_id
    for text in (secret, rotated["secret"]):
        assert (await api(None, "GET", "/courses/ppo", headers=shown(text))).code == 200
    page = await api.ok("ines", "GET", "/courses/ppo/tokens")
    assert [each["id"] for each in page["items"]] == [rotated["token"]["id"], token_id]
    for each in page["items"]:
        await api.ok("ines", "DELETE", f"/courses/ppo/tokens/{each['id']}")
    for text in (secret, rotated["secret"]):
        assert (await api(None, "GET", "/courses/ppo", headers=shown(text))).code == 401


async def test_what_was_sent_wrong_is_named(api: Any, source: bytes) -> None:
    await api.course(source)
    for wrong, field in (
        ({"days": 366}, "days"),
        ({"role": "admin"}, "role"),
        ({"role": "king"}, "role"),
        ({"name": " "}, "name"),
        ({"access": "all"}, "access"),
    ):
        body = {"course": "ppo", "name": "x"} | wrong
        sent = await api("ines", "POST", ME, body)
        assert (sent.code, json.loads(sent.body)["field"]) == (400, field), sent.body
