"""Marking, history and release over HTTP: who sees what, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

GRADER, INSTRUCTOR, OWNER, OTHER = "gil", "ines", "sam", "sue"
MARKING = "/courses/ppo/assignments/one/marking"
RELEASED = "/courses/ppo/assignments/one/released-grades"


HandIn = Callable[[], Awaitable[str]]


@pytest.fixture
def hand_in(api: Any, source: bytes, answer: bytes) -> HandIn:
    """What sam handed in, graded: 2 of 2 for the tests, and an answer of 3 points that waits."""

    async def hand_in() -> str:
        await api.course(source)
        receipt = await api.submit(answer)
        await api.graded(receipt["id"])
        return str(receipt["id"])

    return hand_in


async def mark(api: Any, submission: str, user: str = GRADER, **body: Any) -> Any:
    sent = {"revision": 0} | body
    return await api(user, "PUT", f"/submissions/{submission}/marks/why", sent)


async def refused(response: Any, status: int, field: str | None) -> None:
    assert response.code == status, response.body
    assert json.loads(response.body)["field"] == field


async def test_a_mark_counts_and_its_student_reads_it_without_a_name(
    api: Any, hand_in: HandIn
) -> None:
    submission = await hand_in()
    (total,) = (await api.ok(GRADER, "GET", "/courses/ppo/marking"))["items"]
    assert total == {
        "assignment": "one", "grade_id": "why", "kind": "manual", "max_points": 3.0,
        "waiting": 1, "marked": 0, "total": 1,
    }  # fmt: skip
    response = await mark(api, submission, points=2, extra_credit=0.5, comment="Good <b>.")
    said = json.loads(response.body)
    assert (response.code, said["score"], said["waits"]) == (200, 2.5, False)
    assert said["mark"]["marked_by"] == GRADER
    found = await api.ok(OWNER, "GET", f"/submissions/{submission}")
    assert (found["points"], found["max_points"], found["needs_review"]) == (4.5, 5.0, False)
    own = (await api.ok(OWNER, "GET", f"/submissions/{submission}/grade"))["exercises"][1]
    assert own["mark"]["marked_by"] is None
    assert (own["score"], own["comment"], own["mark"]["revision"]) == (2.5, "Good <b>.", 1)
    page = await api(OWNER, "GET", f"/submissions/{submission}/feedback")
    assert b"Good &lt;b&gt;." in page.body
    assert GRADER.encode() not in page.body
    (total,) = (await api.ok(GRADER, "GET", "/courses/ppo/marking"))["items"]
    assert (total["waiting"], total["marked"]) == (0, 1)


async def test_answers_are_listed_by_pseudonym_unless_names_are_asked_for(
    api: Any, hand_in: HandIn, answer: bytes
) -> None:
    submission = await hand_in()
    receipt = await api.submit(answer, OTHER)
    await api.graded(receipt["id"])
    page = await api.ok(GRADER, "GET", MARKING)
    assert page["total"] == 2
    assert {each["submission_id"] for each in page["items"]} == {submission, receipt["id"]}
    assert all(each["who"].startswith("Student ") for each in page["items"])
    first = await api.ok(GRADER, "GET", MARKING, params={"limit": 1})
    assert first["items"] == page["items"][:1]
    named = await api.ok(GRADER, "GET", MARKING, params={"named": "true", "state": "all"})
    whose = [(each["who"], each["grade_id"]) for each in named["items"]]
    both = [OWNER, OTHER]
    assert whose == [(who, name) for name in ("double-tests", "why") for who in both]
    only = await api.ok(GRADER, "GET", MARKING, params={"grade_id": "double-tests"})
    assert only["items"] == []
    await mark(api, submission, points=1)
    marked = await api.ok(GRADER, "GET", MARKING, params={"state": "marked"})
    assert [each["submission_id"] for each in marked["items"]] == [submission]
    assert marked["items"][0]["score"] == 1.0


async def test_the_answer_comes_with_the_authors_own(api: Any, hand_in: HandIn) -> None:
    submission = await hand_in()
    found = await api.ok(GRADER, "GET", f"/submissions/{submission}/answers/why")
    assert (found["kind"], found["answer_text"]) == ("manual", "Because.")
    assert found["scheme"] == "Because."
    response = await api(GRADER, "GET", f"/submissions/{submission}/answers/nothing")
    await refused(response, 404, "grade_id")


async def test_two_who_save_at_once_are_shown_both(api: Any, hand_in: HandIn) -> None:
    submission = await hand_in()
    one, two = await asyncio.gather(
        mark(api, submission, GRADER, points=1), mark(api, submission, INSTRUCTOR, points=2)
    )
    assert sorted((one.code, two.code)) == [200, 409]
    error = json.loads((one if one.code == 409 else two).body)
    assert (error["code"], error["field"]) == ("edit_conflict", "revision")
    yours, theirs = error["conflict"]["yours"], error["conflict"]["theirs"]
    assert {yours["points"], theirs["points"]} == {1.0, 2.0}
    assert (theirs["revision"], yours["revision"]) == (1, 0)
    assert set(yours) == set(theirs)
    again = await mark(api, submission, INSTRUCTOR, points=3, revision=theirs["revision"])
    assert again.code == 200


OUT_OF_RANGE: list[tuple[dict[str, Any], str]] = [
    ({"points": -1}, "points"),
    ({"points": 3.5}, "points"),
    ({"points": "NaN"}, "points"),
    ({"points": 1e999}, "points"),
    ({"points": 1, "extra_credit": 1e7}, "extra_credit"),
    ({"points": 1, "extra_credit": None}, "extra_credit"),
    ({"points": 1, "comment": "x" * 20_001}, "comment"),
    ({"points": 1, "comment": "\0"}, "comment"),
    ({"points": 1, "reason": "x" * 2_001}, "reason"),
    ({"points": 1, "reason": "\0"}, "reason"),
    ({"points": 1, "revision": -1}, "revision"),
    ({"points": 1, "revision": None}, "revision"),
    ({"points": 1, "revision": 2**31}, "revision"),
    ({"points": 1, "who": "ada"}, "who"),
]


async def test_every_field_out_of_range_is_named(api: Any, hand_in: HandIn) -> None:
    submission = await hand_in()
    for body, field in OUT_OF_RANGE:
        await refused(await mark(api, submission, **body), 400, field)
    found = await api.ok(OWNER, "GET", f"/submissions/{submission}/grade")
    assert found["exercises"][1]["mark"] is None


async def test_a_long_comment_in_any_writing_is_taken(api: Any, hand_in: HandIn) -> None:
    submission = await hand_in()
    assert (await mark(api, submission, comment="\N{GRINNING FACE}" * 20_000)).code == 200


async def test_what_is_not_there_or_not_theirs_is_refused(api: Any, hand_in: HandIn) -> None:
    submission = await hand_in()
    body = {"points": 1, "revision": 0}
    for who, path, status in (
        (GRADER, f"/submissions/{submission}/marks/nothing", 404),
        (GRADER, "/submissions/nothing/marks/why", 404),
        (GRADER, "/submissions/01a20146-315f-7a19-b7a5-9d77a087cafd/marks/why", 404),
        (OWNER, f"/submissions/{submission}/marks/why", 403),
        (OTHER, f"/submissions/{submission}/marks/why", 404),
        ("oto", f"/submissions/{submission}/marks/why", 404),
    ):
        assert (await api(who, "PUT", path, body)).code == status
    assert (await api(GRADER, "GET", "/courses/ppo/assignments/none/marking")).code == 404
    bad = await api(GRADER, "GET", MARKING, params={"state": "half"})
    await refused(bad, 400, "state")


async def test_a_student_sees_nothing_before_the_release_and_drafts_never(
    api: Any, hand_in: HandIn
) -> None:
    submission = await hand_in()
    assert await api.ok(INSTRUCTOR, "DELETE", RELEASED) == {"changed": 1}
    assert await api.ok(INSTRUCTOR, "DELETE", RELEASED) == {"changed": 0}
    await mark(api, submission, points=1, comment="A draft.")
    await mark(api, submission, points=2, comment="As it is.", revision=1)
    for part in ("grade", "feedback", "history"):
        response = await api(OWNER, "GET", f"/submissions/{submission}/{part}")
        assert response.code == 404, part
        assert b"not released yet" in response.body
    found = await api.ok(OWNER, "GET", f"/submissions/{submission}")
    assert found["points"] is None
    body = {"submissions": [submission], "reason": "All read."}
    assert await api.ok(INSTRUCTOR, "PUT", RELEASED, body) == {"changed": 1}
    await mark(api, submission, points=3, comment="Better.", reason="I misread it.", revision=2)

    path = f"/submissions/{submission}/history"
    full = await api.ok(GRADER, "GET", path)
    kinds = ["autograded", "released", "withdrawn", "marked", "marked", "released", "marked"]
    assert [each["kind"] for each in full["items"]] == kinds[::-1]
    assert full["items"][0]["by"] == GRADER
    assert full["items"][0]["reason"] == "I misread it."
    assert full["items"][0]["before"]["points"] == 2.0
    assert full["items"][0]["after"]["comment"] == "Better."
    own = await api.ok(OWNER, "GET", path)
    shown = ["autograded", "released", "withdrawn", "released", "marked"]
    assert [each["kind"] for each in own["items"]] == shown[::-1]
    assert {each["by"] for each in own["items"]} == {None}
    assert "A draft." not in json.dumps(own)
    assert "Better." in json.dumps(own)
    assert {each["reason"] for each in own["items"]} == {""}  # it may be about other people
    second = await api.ok(GRADER, "GET", path, params={"offset": 1, "limit": 2})
    assert (second["total"], second["items"]) == (7, full["items"][1:3])


CANNOT_BE: list[tuple[dict[str, Any], int, str]] = [
    ({"submissions": []}, 400, "submissions"),
    ({"submissions": ["x"]}, 400, "submissions[0]"),
    ({"submissions": ["01a20146-315f-7a19-b7a5-9d77a087cafd"]}, 404, "submissions"),
    ({"reason": "x" * 2_001}, 400, "reason"),
    ({"everybody": True}, 400, "everybody"),
]


async def test_a_release_that_cannot_be_is_refused(api: Any, hand_in: HandIn) -> None:
    await hand_in()
    for body, status, field in CANNOT_BE:
        await refused(await api(INSTRUCTOR, "PUT", RELEASED, body), status, field)
    assert (await api(GRADER, "PUT", RELEASED, {})).code == 403
    assert (await api(OWNER, "PUT", RELEASED, {})).code == 403
