"""Outcomes over REST: written, approved, released, and two graders at once."""

from __future__ import annotations

import json
from typing import Any

ENTRY = "/courses/ppo/entries/report"
LEVELS = [{"name": "weak", "points": 0}, {"name": "sound", "points": 4}]
RUBRIC = [{"name": name, "title": name, "levels": LEVELS} for name in ("method", "writing")]
RESULTS = [
    {"criterion": "method", "level": "sound", "points": 3.5, "comment": "*nearly*"},
    {"criterion": "writing", "level": "weak"},
]
BODY = {"results": RESULTS, "summary": "so", "private_note": "hush", "revision": 0}


async def handed_in(api: Any, source: bytes) -> str:
    """Make a course with an entry that sam handed in; return the submission's address."""
    await api.course(source)
    await api.ok("ines", "PUT", ENTRY, {"title": "Report", "rubric": RUBRIC})
    made = await api.ok("sam", "POST", f"{ENTRY}/submissions", {"text": "mine"})
    return f"/submissions/{made['id']}"


async def test_a_student_sees_an_outcome_once_it_is_released(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    empty = await api.ok("gil", "GET", f"{path}/outcome")
    assert (empty["revision"], empty["author_kind"]) == (0, None)
    written = await api.ok("gil", "PUT", f"{path}/outcome", BODY)
    assert (written["revision"], written["state"], written["points"]) == (1, "draft", 3.5)
    await api.ok("gil", "POST", f"{path}/outcome/approve", {"revision": 1})
    for hidden in ("outcome", "grade", "feedback"):
        assert (await api("sam", "GET", f"{path}/{hidden}")).code == 404, hidden
    assert (await api.ok("sam", "GET", path))["points"] is None
    released = await api.ok("gil", "POST", f"{path}/outcome/release", {"revision": 2})
    assert (released["state"], released["approved_by"]) == ("released", "gil")
    seen = await api.ok("sam", "GET", f"{path}/outcome")
    assert (seen["points"], seen["max_points"], seen["author_kind"]) == (3.5, 8.0, "person")
    assert "<em>nearly</em>" in seen["results"][0]["comment_html"]
    assert "hush" not in json.dumps(seen)
    assert "gil" not in json.dumps(seen)
    grade = await api.ok("sam", "GET", f"{path}/grade")
    assert [(each["grade_id"], each["points"]) for each in grade["exercises"]] == [
        ("method", 3.5),
        ("writing", 0.0),
    ]
    page = await api("sam", "GET", f"{path}/feedback")
    assert b"<em>nearly</em>" in page.body
    assert b"hush" not in page.body
    await api.ok("gil", "POST", f"{path}/outcome/withdraw", {"revision": 3})
    assert (await api("sam", "GET", f"{path}/outcome")).code == 404
    assert (await api.ok("sam", "GET", path))["points"] is None


async def test_two_graders_that_save_at_once_get_both_values(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    await api.ok("gil", "PUT", f"{path}/outcome", BODY)
    response = await api("ines", "PUT", f"{path}/outcome", BODY | {"summary": "other"})
    found = json.loads(response.body)
    assert (response.code, found["code"]) == (409, "edit_conflict")
    assert found["conflict"]["yours"]["summary"] == "other"
    assert found["conflict"]["theirs"]["summary"] == "so"
    assert found["conflict"]["theirs"]["revision"] == 1
    stale = await api("ines", "POST", f"{path}/outcome/approve", {"revision": 0})
    assert stale.code == 409


async def test_every_revision_is_listed_with_its_author(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    await api.ok("gil", "PUT", f"{path}/outcome", BODY)
    await api.ok("ines", "PUT", f"{path}/outcome", BODY | {"revision": 1})
    await api.ok("gil", "POST", f"{path}/outcome/approve", {"revision": 2})
    found = await api.ok("gil", "GET", f"{path}/outcome/revisions", params={"limit": 2})
    assert [(each["revision"], each["author"], each["changed_by"]) for each in found["items"]] == [
        (3, "ines", "gil"),
        (2, "ines", "ines"),
    ]
    assert found["total"] == 3


async def test_all_approved_outcomes_are_released_at_once(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    assert await api.ok("ines", "POST", f"{ENTRY}/release", b"") == {"released": 0}
    await api.ok("gil", "PUT", f"{path}/outcome", BODY)
    await api.ok("gil", "POST", f"{path}/outcome/approve", {"revision": 1})
    assert (await api("gil", "POST", f"{ENTRY}/release", b"")).code == 403
    assert await api.ok("ines", "POST", f"{ENTRY}/release", b"") == {"released": 1}
    assert (await api.ok("sam", "GET", f"{path}/outcome"))["state"] == "released"


async def test_what_cannot_be_written_is_named(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    first = RESULTS[0]
    for change, code, field in (
        ({"results": [first | {"criterion": "style"}]}, 400, "results"),
        ({"results": [first | {"level": "so so"}]}, 400, "results"),
        ({"results": [first | {"points": 4.5}]}, 400, "results"),
        ({"results": [first | {"points": -1}]}, 400, "results"),
        ({"results": [first | {"points": "x"}]}, 400, "results[0].points"),
        ({"results": [first, first]}, 400, "results"),
        ({"results": [first] * 101}, 400, "results"),
        ({"results": None}, 400, "results"),
        ({"results": [first | {"comment": "x" * 20_001}]}, 413, "results[0].comment"),
        ({"summary": "x" * 20_001}, 413, "summary"),
        ({"summary": "a\0b"}, 400, "summary"),
        ({"private_note": 3}, 400, "private_note"),
        ({"revision": -1}, 400, "revision"),
        ({"revision": 2**31}, 400, "revision"),
        ({"revision": None}, 400, "revision"),
        ({"state": "approved"}, 400, "state"),
    ):
        response = await api("gil", "PUT", f"{path}/outcome", BODY | change)
        found = json.loads(response.body)
        assert (response.code, found["field"]) == (code, field), (str(change)[:80], found)
    nan = json.dumps(BODY | {"results": [first | {"points": float("nan")}]}).encode()
    assert (await api("gil", "PUT", f"{path}/outcome", nan)).code == 400
    assert (await api.ok("gil", "GET", f"{path}/outcome"))["revision"] == 0


async def test_changes_that_are_not_possible_are_refused(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    for change, body, code in (
        ("approve", {"revision": 0}, 409),
        ("publish", {"revision": 0}, 404),
        ("approve", {}, 400),
        ("approve", {"revision": -1}, 400),
        ("approve", {"revision": 0, "why": "x"}, 400),
    ):
        response = await api("gil", "POST", f"{path}/outcome/{change}", body)
        assert response.code == code, (change, body, response.body)
    await api.ok("gil", "PUT", f"{path}/outcome", BODY | {"results": RESULTS[:1]})
    for change, code in (("approve", 400), ("release", 409), ("withdraw", 409), ("reopen", 409)):
        response = await api("gil", "POST", f"{path}/outcome/{change}", {"revision": 1})
        assert response.code == code, (change, response.body)


async def test_nobody_but_graders_writes(api: Any, source: bytes) -> None:
    path = await handed_in(api, source)
    for user, code in ((None, 403), ("oto", 404), ("sue", 404), ("sam", 403)):
        for method, where, body in (
            ("PUT", "outcome", BODY),
            ("POST", "outcome/approve", {"revision": 0}),
            ("GET", "outcome/revisions", None),
        ):
            response = await api(user, method, f"{path}/{where}", body)
            assert response.code == code, (user, method, where, response.body)
    assert (await api("gil", "PUT", "/submissions/x/outcome", BODY)).code == 404
