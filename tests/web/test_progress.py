"""Progress over HTTP: events exactly once, whatever a client sends, and where students stand."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_ppo.domain.activity import minute_of

PROGRESS = "/courses/ppo/progress"
EVENTS = f"{PROGRESS}/events"


def event(key: str, kind: str = "opened", **changes: Any) -> dict[str, Any]:
    """Return an event of now; ``ago`` (seconds) moves it."""
    when = datetime.now(UTC) - timedelta(seconds=changes.pop("ago", 0))
    made = {"key": key, "kind": kind, "assignment": "one", "occurred_at": when.isoformat()}
    return made | changes


def active(key: str, *minutes_ago: int, **changes: Any) -> dict[str, Any]:
    """Return minutes of work."""
    now = minute_of(datetime.now(UTC))
    return event(key, "active", data={"minutes": [now - ago for ago in minutes_ago]}, **changes)


async def sent(api: Any, *events: dict[str, Any], user: str = "sam") -> list[tuple[str, str]]:
    """Report events; return receipt and refusal of each."""
    said = await api.ok(user, "POST", EVENTS, {"events": list(events)})
    assert [each["key"] for each in said["receipts"]] == [each["key"] for each in events]
    return [(each["receipt"], each["refusal"] or "") for each in said["receipts"]]


async def test_what_a_page_reports_is_seen_at_once(api: Any, source: bytes) -> None:
    await api.course(source)
    before = await api.ok("sam", "GET", PROGRESS)
    assert (before["chapters"][0]["state"], before["position"]) == ("not_started", 0)
    receipts = await sent(
        api,
        event("a"),
        active("b", 1, 2, 3),
        event("c", "checked", data={"passed": 1, "failed": 0}, user="sam"),
    )
    assert receipts == [("accepted", "")] * 3
    found = await api.ok("sam", "GET", PROGRESS)
    [chapter] = found["chapters"]
    assert (found["user"], found["minutes"], sum(found["minutes_by_day"].values())) == ("sam", 3, 3)
    assert (chapter["assignment"], chapter["title"], chapter["state"], chapter["minutes"]) == (
        "one",
        "One",
        "started",
        3,
    )
    assert [(each["grade_id"], each["max_points"]) for each in chapter["exercises"]] == [
        ("double", 2.0),
        ("why", 3.0),
    ]
    assert (found["points"], found["max_points"]) == (0, 5)
    assert found["next"]["assignment"] == "one"
    assert found["next"]["reason"]
    other = await api.ok("sue", "GET", PROGRESS)
    assert (other["user"], other["minutes"]) == ("sue", 0)


async def test_a_released_grade_is_evidence(api: Any, source: bytes, answer: bytes) -> None:
    await api.course(source)
    made = await api.submit(answer)
    await api.graded(made["id"])
    found = await api.ok("sam", "GET", PROGRESS)
    [chapter] = found["chapters"]
    double, why = chapter["exercises"]
    assert (chapter["submission_id"], chapter["attempts"]) == (made["id"], 1)
    assert (double["state"], double["points"], double["checks_passed"]) == ("done", 2.0, 1)
    assert why["state"] != "done"
    assert found["weeks"] == {"current": 1, "longest": 1, "total": 1}
    [row] = (await api.ok("gil", "GET", f"{PROGRESS}/students", params={"search": "sam"}))["items"]
    assert (row["user"], row["points"], row["chapters"][0]["state"]) == ("sam", 2.0, "partly")


async def test_a_grade_that_is_not_released_is_not_in_it(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    terms = await api.ok("ines", "GET", "/courses/ppo/assignments/one/terms")
    terms = {name: value for name, value in terms.items() if name != "own"} | {"grades": "by_hand"}
    await api.ok("ines", "PUT", "/courses/ppo/assignments/one/terms", terms)
    await api.graded((await api.submit(answer))["id"])
    for user, path in (("sam", PROGRESS), ("gil", f"{PROGRESS}/students/sam")):
        [chapter] = (await api.ok(user, "GET", path))["chapters"]
        assert (chapter["state"], chapter["points"]) == ("handed_in", None)


# -- bad input -----------------------------------------------------------------------------------


async def test_an_event_that_comes_again_counts_once(api: Any, source: bytes) -> None:
    await api.course(source)
    first, twin = active("a", 1, 2), active("b", 3)
    assert await sent(api, first, twin, twin) == [
        ("accepted", ""),
        ("accepted", ""),
        ("duplicate", ""),
    ]
    assert await sent(api, first) == [("duplicate", "")]
    assert await sent(api, first | {"data": {"minutes": [first["data"]["minutes"][0]]}}) == [
        ("rejected", "different_content")
    ]
    assert (await api.ok("sam", "GET", PROGRESS))["minutes"] == 3
    # A key is one person's own.
    assert await sent(api, active("a", 1), user="sue") == [("accepted", "")]


async def test_events_out_of_order_come_to_the_same(api: Any, source: bytes) -> None:
    await api.course(source)
    story = [event("o", ago=9000), active("m1", 100, 101, ago=6000), active("m2", 101, 102, 5)]
    for user, order in (("sam", story), ("sue", story[::-1])):
        for each in order:
            assert await sent(api, each, user=user) == [("accepted", "")]
    one, other = [await api.ok(user, "GET", PROGRESS) for user in ("sam", "sue")]
    for name in ("minutes", "minutes_by_day", "chapters", "last_event_at", "weeks", "next"):
        assert one[name] == other[name]
    assert one["minutes"] == 4


async def test_each_event_that_cannot_be_taken_is_rejected_alone(api: Any, source: bytes) -> None:
    bad = [
        ("future", event("x", ago=-3600)),
        ("bad_data", active("x", -30)),
        ("too_old", event("x", ago=31 * 86_400)),
        ("too_old", event("x", occurred_at="0001-01-01T00:00:00+14:00")),
        ("future", event("x", occurred_at="9999-12-31T23:59:59-14:00")),
        ("other_person", event("x", user="sue")),
        ("unknown_assignment", event("x", assignment="no-such-chapter")),
        ("unknown_assignment", event("x", assignment="a\0b")),
        ("not_from_clients", event("x", "graded", data={"points": {"double": 99}})),
        ("not_from_clients", event("x", "submitted")),
        ("bad_data", event("x", data={"more": 1})),
        ("bad_data", event("x", "active", data={"minutes": []})),
        ("bad_data", event("x", "active", data={"minutes": list(range(121))})),
        ("bad_data", event("x", "checked", data={"passed": -1, "failed": 0})),
        ("bad_data", event("x", "checked", data={"passed": 1e300, "failed": 0})),
        ("bad_data", event("")),
        ("bad_data", event("x" * 201)),
        ("bad_data", event("x\0")),
    ]
    await api.course(source)
    for number, (refusal, each) in enumerate(bad):
        around = [event(f"a{number}"), each, event(f"b{number}")]
        said = (await api.ok("sam", "POST", EVENTS, {"events": around}))["receipts"]
        found = [one["receipt"] for one in said]
        assert found == ["accepted", "rejected", "accepted"], each
        assert (said[1]["refusal"], bool(said[1]["message"])) == (refusal, True), each
    assert (await api.ok("sue", "GET", PROGRESS))["position"] == 0
    # The key of what was rejected is still free.
    assert await sent(api, event("x")) == [("accepted", "")]


async def test_a_chapter_that_is_not_open_is_neither_shown_nor_known(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("ines", "PUT", "/courses/ppo/assignments/exam", source)
    path = "/courses/ppo/assignments/exam/terms"
    terms = await api.ok("ines", "GET", path)
    opens = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    terms = {name: value for name, value in terms.items() if name != "own"} | {"opens_at": opens}
    await api.ok("ines", "PUT", path, terms)
    refused = await api.ok("sam", "POST", EVENTS, {"events": [event("a", assignment="exam")]})
    absent = await api.ok("sam", "POST", EVENTS, {"events": [event("a", assignment="none")]})
    assert refused == absent
    found = await api.ok("sam", "GET", PROGRESS)
    assert [each["assignment"] for each in found["chapters"]] == ["one"]


async def test_two_devices_at_once_lose_nothing_and_count_nothing_twice(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    shared = [active(f"both-{number}", number) for number in range(5)]
    first = [active(f"first-{number}", number) for number in range(10)]
    second = [active(f"second-{number}", 5 + number) for number in range(10)]
    batches = [[*shared, *first], [*shared, *second]] * 2
    receipts = await asyncio.gather(*(sent(api, *batch) for batch in batches))
    flat = [receipt for batch in receipts for receipt, _ in batch]
    assert flat.count("accepted") == 25
    assert flat.count("duplicate") == len(flat) - 25
    found = await api.ok("sam", "GET", PROGRESS)
    assert (found["minutes"], found["chapters"][0]["minutes"]) == (15, 15)
    again = await api.ok("ines", "POST", f"{PROGRESS}/recompute")
    assert (again["changed"], again["events"]) == (0, 25)


async def test_a_batch_that_is_too_long_or_too_large_changes_nothing(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    long = [event(f"k{number}") for number in range(201)]
    for events, code, field in ((long, 400, "events"), ([], 400, "events")):
        response = await api("sam", "POST", EVENTS, {"events": events})
        assert (response.code, json.loads(response.body)["field"]) == (code, field)
    large = await api("sam", "POST", EVENTS, {"events": [event("x" * 2**20)]})
    assert (large.code, json.loads(large.body)["code"]) == (413, "too_large")
    assert (await api.ok("sam", "GET", PROGRESS))["position"] == 0
    assert await sent(api, *long[:200]) == [("accepted", "")] * 200


async def test_what_is_no_event_is_refused_by_its_place(api: Any, source: bytes) -> None:
    await api.course(source)
    for change, field in (
        ({"kind": "cheered"}, "kind"),
        ({"occurred_at": "2026-11-22T10:00:00"}, "occurred_at"),
        ({"occurred_at": "soon"}, "occurred_at"),
        ({"occurred_at": 1e300}, "occurred_at"),
        ({"data": [1]}, "data"),
        ({"points": 5}, "points"),
        ({"key": None}, "key"),
    ):
        response = await api("sam", "POST", EVENTS, {"events": [event("a"), event("b") | change]})
        assert response.code == 400, change
        assert json.loads(response.body)["field"] == f"events[1].{field}"
    assert (await api.ok("sam", "GET", PROGRESS))["position"] == 0


# -- the class -----------------------------------------------------------------------------------


async def test_the_class_is_paged_searched_and_sorted(api: Any, source: bytes) -> None:
    await api.course(source)
    for number in range(5):
        body = {"role": "student", "first_name": f"Ada {number}", "last_name": f"Zorn {9 - number}"}
        await api.ok("ines", "PUT", f"/courses/ppo/members/z{number}", body)
    await sent(api, active("a", 1, 2, 3), user="sue")
    await sent(api, active("a", 1), user="sam")
    path = f"{PROGRESS}/students"

    async def users(**params: Any) -> list[str]:
        return [each["user"] for each in (await api.ok("gil", "GET", path, params=params))["items"]]

    assert await users(search="zorn ada") == ["z4", "z3", "z2", "z1", "z0"]
    assert await users(search="zorn ada", offset=1, limit=2) == ["z3", "z2"]
    assert await users(search="ADA 3") == ["z3"]
    assert await users(search="nobody") == []
    assert (await users(sort="minutes"))[-2:] == ["sam", "sue"]
    assert await users(sort="user") == ["sam", "sue", "z0", "z1", "z2", "z3", "z4"]
    page = await api.ok("gil", "GET", path, params={"limit": 2, "sort": "user"})
    assert (page["total"], page["offset"], page["limit"]) == (7, 0, 2)
    assert page["items"][1] == {
        "user": "sue",
        "first_name": "",
        "last_name": "",
        "points": 0.0,
        "max_points": 5.0,
        "chapters_done": 0,
        "minutes": 3,
        "last_event_at": page["items"][1]["last_event_at"],
        "chapters": [{"assignment": "one", "state": "started", "points": None, "max_points": 5.0}],
    }
    assert (await api("gil", "GET", path, params={"sort": "height"})).code == 400


async def test_a_grader_sees_one_student_with_the_students_own_due_date(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    path = "/courses/ppo/assignments/one"
    terms = await api.ok("ines", "GET", f"{path}/terms")
    due = datetime(2030, 1, 1, tzinfo=UTC)
    terms = {name: value for name, value in terms.items() if name != "own"}
    await api.ok("ines", "PUT", f"{path}/terms", terms | {"due_at": due.isoformat()})
    await api.ok("ines", "POST", f"{path}/extensions", {"user": "sam", "seconds": 3600})
    for user, hours in (("sam", 1), ("sue", 0)):
        seen = await api.ok("gil", "GET", f"{PROGRESS}/students/{user}")
        assert seen == await api.ok(user, "GET", PROGRESS)
        assert datetime.fromisoformat(seen["chapters"][0]["due_at"]) == due + timedelta(hours=hours)
    absent = await api("gil", "GET", f"{PROGRESS}/students/nobody")
    assert (absent.code, json.loads(absent.body)["field"]) == (404, "user")


async def test_an_entry_is_a_chapter_with_its_criteria(api: Any, source: bytes) -> None:
    await api.course(source)
    levels = [{"name": "no", "points": 0}, {"name": "yes", "points": 4}]
    rubric = [{"name": "depth", "title": "Depth", "levels": levels}]
    body = {"title": "An essay", "rubric": rubric}
    await api.ok("ines", "PUT", "/courses/ppo/entries/essay", body)
    found = await api.ok("sam", "GET", PROGRESS)
    [essay] = [each for each in found["chapters"] if each["assignment"] == "essay"]
    assert (essay["title"], essay["max_points"]) == ("An essay", 4.0)
    assert [each["title"] for each in essay["exercises"]] == ["Depth"]
