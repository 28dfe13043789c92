"""Terms, extensions, versions and attempts over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import nbformat
import pytest

ONE = "/courses/ppo/assignments/one"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)

TERMS: dict[str, Any] = {
    "opens_at": None,
    "due_at": None,
    "closes_at": None,
    "grace_seconds": 0,
    "late": {"rule": "none"},
    "max_attempts": 0,
    "counting": "latest",
    "autograde": True,
    "grades": "at_once",
    "revision": 0,
}


def at(when: datetime) -> str:
    return when.isoformat()


async def put(api: Any, **changes: Any) -> Any:
    seen = await api.ok("ines", "GET", f"{ONE}/terms")
    terms = TERMS | {"revision": seen["revision"]} | changes
    return await api.ok("ines", "PUT", f"{ONE}/terms", terms)


async def test_terms_are_stored_shown_and_counted_per_person(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    before = await api.ok("sam", "GET", f"{ONE}/terms")
    assert before["revision"] == 0
    assert before["own"] == {
        "due_at": None,
        "closes_at": None,
        "max_attempts": 0,
        "attempts_used": 0,
        "attempts_left": None,
        "is_open": True,
    }
    due, closes = NOW + HOUR, NOW + 2 * HOUR
    late = {"rule": "custom", "steps": [{"after_seconds": 0, "keep_percent": 50}]}
    await put(api, due_at=at(due), closes_at=at(closes), max_attempts=2, late=late)
    await api.submit(answer)
    mine = await api.ok("sam", "GET", f"{ONE}/terms")
    assert mine["late"]["steps"] == [{"after_seconds": 0, "keep_percent": 50.0}]
    assert (mine["revision"], mine["own"]["attempts_left"]) == (1, 1)
    body = {"user": "sam", "seconds": 3600, "attempts": 1, "reason": "ill"}
    made = await api.ok("ines", "POST", f"{ONE}/extensions", body)
    listed = await api.ok("sam", "GET", "/courses/ppo/assignments")
    item = listed["items"][0]
    assert (item["kind"], item["max_attempts"], item["attempts_left"]) == ("notebook", 3, 2)
    assert datetime.fromisoformat(item["due_at"]) == due + HOUR
    assert datetime.fromisoformat(item["closes_at"]) == closes + HOUR
    gone = await api.ok("ines", "DELETE", f"{ONE}/extensions/{made['id']}")
    assert gone["revoked_at"] is not None
    assert (await api.ok("gil", "GET", f"{ONE}/extensions"))["total"] == 0
    every = await api.ok("gil", "GET", f"{ONE}/extensions", params={"revoked": "true"})
    assert [each["reason"] for each in every["items"]] == ["ill"]
    assert (await api.ok("sam", "GET", ONE))["attempts_left"] == 1


async def test_an_assignment_is_nowhere_for_students_before_it_opens(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await put(api, opens_at=at(NOW + HOUR))
    assert (await api.ok("sam", "GET", "/courses/ppo/assignments"))["total"] == 0
    calls = [
        ("GET", "{}"),
        ("GET", "{}/notebook"),
        ("GET", "{}/terms"),
        ("POST", "{}/submissions"),
    ]
    for method, path in calls:
        body = answer if method == "POST" else None
        hidden = await api("sam", method, path.format(ONE), body)
        absent = await api("sam", method, path.format(ONE.replace("one", "two")), body)
        assert (hidden.code, absent.code) == (404, 404)
        assert hidden.body == absent.body.replace(b"'two'", b"'one'"), path
    found = await api("sam", "POST", "/courses/ppo/submissions", answer)
    assert found.code == 400
    listed = await api("sam", "GET", "/courses/ppo/submissions", params={"assignment": "one"})
    assert listed.code == 404
    assert (await api.ok("gil", "GET", "/courses/ppo/assignments"))["total"] == 1
    assert (await api.submit(answer, "gil"))["attempt"] == 1


async def test_closed_or_used_up_is_said_with_the_time_or_the_number_and_staff_is_not_bound(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await put(api, closes_at=at(NOW - HOUR))
    closed = await api("sam", "POST", f"{ONE}/submissions", answer)
    assert closed.code == 403
    assert str((NOW - HOUR).year) in json.loads(closed.body)["message"]
    await api.submit(answer, "gil")
    await api.ok("ines", "POST", f"{ONE}/extensions", {"user": "sam", "seconds": 7200})
    await api.submit(answer, "sam")
    await put(api, max_attempts=1)
    used = await api("sam", "POST", f"{ONE}/submissions", answer)
    assert used.code == 403
    assert "takes 1 attempts" in json.loads(used.body)["message"]


async def test_what_is_late_says_so_and_costs_points(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    late = {"rule": "per_day", "percent_per_day": 50}
    await put(api, due_at=at(NOW - HOUR), late=late)
    made = await api.submit(answer)
    assert made["late_seconds"] >= 3600
    graded = await api.graded(made["id"])
    assert (graded["points"], graded["penalty"]) == (1.0, 1.0)
    assert (graded["attempt_state"], graded["counts"]) == ("released", True)


async def test_a_student_gets_no_points_and_no_feedback_before_they_are_released(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await put(api, grades="by_hand")
    made = await api.submit(answer)
    assert (await api.graded(made["id"]))["points"] == 2
    mine = await api.ok("sam", "GET", f"/submissions/{made['id']}")
    assert (mine["points"], mine["max_points"], mine["attempt_state"]) == (None, None, "graded")
    for path in ("/courses/ppo/submissions", "/courses/ppo/grades"):
        assert [each["points"] for each in (await api.ok("sam", "GET", path))["items"]] == [None]
    for path in ("grade", "feedback"):
        answered = await api("sam", "GET", f"/submissions/{made['id']}/{path}")
        assert answered.code == 404
        assert "not released yet" in json.loads(answered.body)["message"]
        assert (await api("gil", "GET", f"/submissions/{made['id']}/{path}")).code == 200


async def test_without_autograde_an_attempt_is_kept_until_somebody_asks(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await put(api, autograde=False)
    made = await api.submit(answer)
    assert (made["state"], made["attempt_state"]) == ("submitted", "submitted")
    await api.ok("gil", "POST", f"/submissions/{made['id']}/grade")
    assert (await api.graded(made["id"]))["points"] == 2


async def test_two_who_save_at_once_both_see_both_values(api: Any, source: bytes) -> None:
    await api.course(source)
    await put(api, max_attempts=3)
    mine = TERMS | {"max_attempts": 5, "revision": 0}
    answered = await api("ines", "PUT", f"{ONE}/terms", mine)
    assert answered.code == 409
    error = json.loads(answered.body)
    assert error["code"] == "edit_conflict"
    both = error["conflict"]
    assert (both["yours"]["max_attempts"], both["theirs"]["max_attempts"]) == (5, 3)
    assert both["theirs"]["revision"] == 1
    shown = await api.ok("ines", "GET", f"{ONE}/terms")
    assert set(both["theirs"]) == set(shown) - {"own"}


WRONG_TERMS: list[tuple[dict[str, Any], str | None]] = [
    ({"due_at": "2026-11-21T12:00:00"}, "due_at"),
    ({"due_at": "soon"}, "due_at"),
    ({"due_at": "9999-12-31T23:59:59Z"}, "due_at"),
    ({"due_at": at(NOW), "closes_at": at(NOW - HOUR)}, "closes_at"),
    ({"opens_at": at(NOW), "due_at": at(NOW - HOUR)}, "due_at"),
    ({"grace_seconds": -1}, "grace_seconds"),
    ({"grace_seconds": 10**30}, "grace_seconds"),
    ({"late": {"rule": "sometimes"}}, "late.rule"),
    ({"late": {"rule": "per_day", "percent_per_day": 101}}, "late.percent_per_day"),
    ({"late": {"rule": "per_day", "percent_per_day": float("nan")}}, "late.percent_per_day"),
    ({"late": {"rule": "per_day", "at_least_percent": -1}}, "late.at_least_percent"),
    ({"late": {"rule": "custom"}}, "late.steps"),
    ({"late": {"rule": "none", "steps": [{"after_seconds": -1, "keep_percent": 1}]}}, None),
    ({"max_attempts": -1}, "max_attempts"),
    ({"max_attempts": 10**30}, "max_attempts"),
    ({"counting": "first"}, "counting"),
    ({"autograde": "maybe"}, "autograde"),
    ({"grades": "never"}, "grades"),
    ({"revision": -1}, "revision"),
    ({"own": {}}, "own"),
]


async def test_each_part_of_the_terms_that_cannot_be_used_is_named(api: Any, source: bytes) -> None:
    await api.course(source)
    for change, field in WRONG_TERMS:
        answered = await api("ines", "PUT", f"{ONE}/terms", TERMS | change)
        assert answered.code == 400, change
        assert json.loads(answered.body)["field"] == (field or "late.steps"), change
    assert (await api.ok("ines", "GET", f"{ONE}/terms"))["revision"] == 0


WRONG_EXTENSIONS: list[tuple[dict[str, Any], int]] = [
    ({"seconds": 60}, 400),
    ({"user": "sam", "group": "lab", "seconds": 60}, 400),
    ({"user": "sam"}, 400),
    ({"user": "sam", "seconds": -1}, 400),
    ({"user": "sam", "seconds": 10**30}, 400),
    ({"user": "sam", "attempts": 10**6}, 400),
    ({"user": "sam", "seconds": 1, "reason": "x" * 2001}, 400),
    ({"user": "nobody", "seconds": 60}, 404),
    ({"user": "a/b", "seconds": 60}, 400),
    ({"group": "nobody", "seconds": 60}, 404),
]


async def test_an_extension_that_cannot_be_given_is_refused(api: Any, source: bytes) -> None:
    await api.course(source)
    for body, status in WRONG_EXTENSIONS:
        assert (await api("ines", "POST", f"{ONE}/extensions", body)).code == status, body
    assert (await api.ok("ines", "GET", f"{ONE}/extensions"))["total"] == 0


async def test_a_fix_is_published_after_the_first_submission_and_an_old_version_again(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    made = await api.submit(answer)
    await api.graded(made["id"])
    fixed = source.replace(b"double(3) == 6", b"double(4) == 8")
    await api.ok("ines", "PUT", ONE, fixed, params={"note": "A clearer test"})
    later = await api.submit(answer, "sue")
    assert (later["version"], later["submitted_version"]) == (2, 2)
    again = await api.ok("ines", "POST", f"{ONE}/versions", {"number": 1})
    assert (again["number"], again["note"]) == (3, "Version 1 again.")
    listed = (await api.ok("gil", "GET", f"{ONE}/versions"))["items"]
    assert [(each["number"], each["submissions"]) for each in listed] == [(3, 0), (2, 1), (1, 1)]
    assert [each["released_by"] for each in listed] == ["ines"] * 3
    assert (listed[1]["note"], listed[2]["graded"], listed[2]["points"]) == ("A clearer test", 1, 5)
    for number, bytes_ in ((1, source), (2, fixed), (3, source)):
        file = await api("ines", "GET", f"{ONE}/versions/{number}/notebook")
        assert file.body == bytes_
    released = await api("ines", "GET", f"{ONE}/versions/2/notebook", params={"kind": "release"})
    assert b"HIDDEN" not in released.body
    for number in ("0", "4", "-1", "x", "9" * 40, "٣"):
        assert (await api("ines", "GET", f"{ONE}/versions/{number}/notebook")).code == 404
        assert (await api("sam", "GET", f"{ONE}/versions/{number}/notebook")).code == 403
    for body in ({"number": 0}, {"number": 10**30}, {"number": 1, "note": "x" * 2001}, {}):
        assert (await api("ines", "POST", f"{ONE}/versions", body)).code == 400
    assert (await api("ines", "POST", f"{ONE}/versions", {"number": 9})).code == 404


async def test_the_same_bytes_under_the_same_key_are_one_attempt(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    path, key = f"{ONE}/submissions", {"Idempotency-Key": "try 1"}
    first = await api("sam", "POST", path, answer, headers=key)
    second = await api("sam", "POST", path, answer, headers=key)
    assert (first.code, second.code) == (201, 200)
    assert json.loads(first.body)["id"] == json.loads(second.body)["id"]
    assert first.headers["Location"] == second.headers["Location"]
    other = answer.replace(b"Because.", b"Therefore.")
    assert (await api("sam", "POST", path, other, headers=key)).code == 409
    assert (await api("sue", "POST", path, other, headers=key)).code == 201
    assert (await api("sam", "POST", path, other)).code == 201
    for bad in ("", "x" * 201, "ä", "a\tb"):
        answered = await api("sam", "POST", path, answer, headers={"Idempotency-Key": bad})
        assert answered.code == 400, bad
        assert json.loads(answered.body)["field"] == "Idempotency-Key"


async def test_a_notebook_finds_its_assignment_by_its_cells(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await api.ok("ines", "PUT", "/courses/ppo/assignments/two", source.replace(b"why", b"how"))
    made = await api.ok("sam", "POST", "/courses/ppo/submissions", answer)
    assert made["assignment"] == "one"
    await api.ok("ines", "PUT", "/courses/ppo/assignments/three", source)
    twice = await api("sam", "POST", "/courses/ppo/submissions", answer)
    assert twice.code == 400
    assert "one, three" in json.loads(twice.body)["message"]
    empty = nbformat.writes(nbformat.v4.new_notebook()).encode()
    none = await api("sam", "POST", "/courses/ppo/submissions", empty)
    assert none.code == 400
    assert "one, three, two" in json.loads(none.body)["message"]
    assert (await api("sam", "POST", "/courses/ppo/submissions", b"PK\x03\x04")).code == 400


@pytest.mark.parametrize(
    ("field", "when"),
    [
        ("opens_at", "1970-01-01T00:00:00+14:00"),
        ("due_at", "9000-12-31T23:59:59-12:00"),
        ("due_at", "9999-12-31T23:59:59-12:00"),
    ],
)
async def test_a_time_that_is_out_of_range_in_utc_is_refused_and_nothing_is_stored(
    api: Any, source: bytes, field: str, when: str
) -> None:
    await api.course(source)
    refused = await api("ines", "PUT", f"{ONE}/terms", TERMS | {field: when})
    assert (refused.code, json.loads(refused.body)["field"]) == (400, field)
    for user in ("ines", "sam"):
        assert (await api.ok(user, "GET", f"{ONE}/terms"))["revision"] == 0
        assert (await api.ok(user, "GET", "/courses/ppo/assignments"))["total"] == 1
    assert (await put(api))["revision"] == 1


async def test_which_attempt_counts_says_nothing_of_points_that_are_not_released(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await put(api, grades="by_hand", counting="best")
    first = await api.submit(answer)
    await api.graded(first["id"])
    await api.ok(
        "gil", "PUT", f"/submissions/{first['id']}/marks/why", {"points": 3, "revision": 0}
    )
    second = await api.submit(answer.replace(b"# One", b"# Two"))
    await api.graded(second["id"])

    async def counting(user: str) -> list[int]:
        found = await api.ok(user, "GET", "/courses/ppo/submissions")
        latest = await api.ok(user, "GET", "/courses/ppo/submissions", params={"latest": "true"})
        counts = [each["attempt"] for each in found["items"] if each["counts"]]
        assert counts == [each["attempt"] for each in latest["items"]]
        return counts

    assert (await counting("gil"), await counting("sam")) == ([1], [2])
    released = f"{ONE}/released-grades"
    await api.ok("ines", "PUT", released, {"submissions": [second["id"]]})
    assert await counting("sam") == [2]
    await api.ok("ines", "PUT", released, {"submissions": [first["id"]]})
    assert (await counting("gil"), await counting("sam")) == ([1], [1])
    await api.ok("ines", "DELETE", released)
    assert (await counting("gil"), await counting("sam")) == ([1], [2])


async def test_extensions_of_a_group_that_was_deleted_are_listed_with_its_name(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("ines", "PUT", "/courses/ppo/groups/lab", {"users": ["sam"]})
    made = await api.ok("ines", "POST", f"{ONE}/extensions", {"group": "lab", "seconds": 60})
    await api.ok("ines", "DELETE", f"{ONE}/extensions/{made['id']}")
    await api.ok("ines", "DELETE", "/courses/ppo/groups/lab")
    every = await api.ok("gil", "GET", f"{ONE}/extensions", params={"revoked": "true"})
    assert [(each["id"], each["group"]) for each in every["items"]] == [(made["id"], "lab")]


async def test_text_that_no_database_keeps_is_refused_by_its_field(api: Any, source: bytes) -> None:
    await api.course(source)
    for field, body in (
        ("reason", {"user": "sam", "seconds": 60, "reason": "a\0b"}),
        ("group", {"group": "a\0b", "seconds": 60}),
    ):
        refused = await api("ines", "POST", f"{ONE}/extensions", body)
        assert (refused.code, json.loads(refused.body)["field"]) == (400, field)
    refused = await api("ines", "POST", f"{ONE}/versions", {"number": 1, "note": "a\0b"})
    assert (refused.code, json.loads(refused.body)["field"]) == (400, "note")


async def test_own_work_stays_visible_when_the_assignment_opens_later(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    made = await api.submit(answer)
    await api.graded(made["id"])
    await put(api, opens_at=at(NOW + HOUR))
    assert (await api("sam", "GET", ONE)).code == 404
    assert (await api.ok("sam", "GET", "/courses/ppo/submissions"))["total"] == 1
    for part in ("", "/grade", "/history"):
        await api.ok("sam", "GET", f"/submissions/{made['id']}{part}")
