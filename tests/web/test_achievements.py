"""Achievements over HTTP: earned by released grades, by the course's rules, signed to take away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from jupyter_ppo.services.credentials import keys_from, verify_credential
from jupyter_ppo.storage.achievement_editions import default_edition

PATH = "/courses/ppo/achievements"
DOUBLE = {
    "id": "double",
    "title": "Doubled",
    "description": "Every check of double.",
    "criteria": [{"kind": "exercise", "data": {"assignment": "one", "grade_id": "double"}}],
}
FAR = DOUBLE | {"id": "far", "criteria": [{"kind": "weeks", "data": {"count": 3}}]}


async def earn(api: Any, source: bytes) -> dict[str, Any]:
    """Make a course with two rules, one of which the student meets; return the achievement."""
    await api.course(source)
    await api.ok("ines", "PUT", f"{PATH}/rules", {"rules": [DOUBLE, FAR]})
    submission = await api.submit(source)
    await api.graded(submission["id"])
    [item] = [
        item for item in (await api.ok("sam", "GET", PATH))["items"] if item["id"] == "double"
    ]
    return item  # type: ignore[no-any-return]


async def test_a_student_sees_what_is_earned_and_what_is_open(api: Any, source: bytes) -> None:
    earned = await earn(api, source)
    assert earned["title"] == "Doubled"
    assert earned["version"] == 1
    assert datetime.fromisoformat(earned["awarded_at"]).utcoffset() is not None
    assert (earned["revoked_at"], earned["revoked_because"]) == (None, "")
    mine = await api.ok("sam", "GET", PATH)
    assert mine["edition"] == 1
    [far] = [item for item in mine["items"] if item["id"] == "far"]
    assert (far["award_id"], far["awarded_at"]) == (None, None)
    assert far["progress"] == {"met": 1, "of": 3, "unit": "weeks"}
    assert await api.ok("gil", "GET", f"{PATH}/students/sam") == mine
    others = await api.ok("sue", "GET", PATH)
    assert [item["award_id"] for item in others["items"]] == [None, None]
    assert others["items"][0]["progress"] == {"met": 0, "of": 1, "unit": "checks"}


async def test_a_course_begins_with_the_packages_rules_and_hides_what_it_cannot_give(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    rules = await api.ok("ines", "GET", f"{PATH}/rules")
    assert (rules["number"], rules["created_at"], rules["created_by"]) == (0, None, "")
    assert len(rules["rules"]) == len(default_edition().rules)
    shown = await api.ok("sam", "GET", PATH)
    assert shown["edition"] == 0
    assert [item["id"] for item in shown["items"]] == ["five-weeks"]


async def test_rules_are_read_changed_and_sent_back(api: Any, source: bytes) -> None:
    earned = await earn(api, source)
    rules = (await api.ok("ines", "GET", f"{PATH}/rules"))["rules"]
    rules[0]["criteria"].append({"kind": "weeks", "data": {"count": 9}})
    rules.append(DOUBLE | {"id": "nowhere", "criteria": [
        {"kind": "checks", "data": {"assignment": "two", "grade_ids": ["x"]}}
    ]})  # fmt: skip
    done = await api.ok("ines", "PUT", f"{PATH}/rules", {"rules": rules})
    assert (done["number"], done["awarded"], done["revoked"]) == (2, 0, 0)
    assert done["warnings"] == ["nowhere: this course has no assignment 'two'."]
    now = await api.ok("ines", "GET", f"{PATH}/rules")
    assert now["created_by"] == "ines"
    assert [rule["version"] for rule in now["rules"]] == [2, 1, 1]
    kept = (await api.ok("sam", "GET", PATH))["items"][0]
    assert kept == earned  # under the rule that it was earned under


async def test_a_rule_that_fits_is_awarded_to_those_who_are_there(api: Any, source: bytes) -> None:
    await earn(api, source)
    easy = FAR | {"id": "easy", "criteria": [{"kind": "weeks", "data": {"count": 1}}]}
    done = await api.ok("ines", "PUT", f"{PATH}/rules", {"rules": [easy]})
    assert (done["awarded"], done["revoked"]) == (1, 0)
    items = (await api.ok("sam", "GET", PATH))["items"]
    assert [item["id"] for item in items] == ["easy", "double"]
    assert all(item["awarded_at"] for item in items)


async def test_of_two_who_change_the_same_edition_the_second_is_shown_both(
    api: Any, source: bytes
) -> None:
    await earn(api, source)
    body = {"rules": [DOUBLE], "number": 1}
    assert (await api.ok("ines", "PUT", f"{PATH}/rules", body))["number"] == 2
    response = await api("ines", "PUT", f"{PATH}/rules", body | {"rules": [FAR]})
    error = json.loads(response.body)
    assert (response.code, error["code"], error["field"]) == (409, "edit_conflict", "number")
    both = error["conflict"]
    assert [both["yours"]["rules"][0]["id"], both["theirs"]["rules"][0]["id"]] == [
        FAR["id"],
        DOUBLE["id"],
    ]
    now = await api.ok("ines", "GET", f"{PATH}/rules")
    assert both["theirs"] == now


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([DOUBLE, DOUBLE], "rules[1].id"),
        ([DOUBLE | {"criteria": []}], "rules[0].criteria"),
        ([DOUBLE | {"criteria": [{"kind": "luck", "data": {}}]}], "rules[0].criteria[0].kind"),
        (
            [DOUBLE | {"criteria": [{"kind": "weeks", "data": {"count": 0}}]}],
            "rules[0].criteria[0].data.count",
        ),
        ([DOUBLE | {"points": 1}], "rules[0].points"),
        ("x", "rules"),
    ],
)
async def test_rules_that_cannot_be_used_are_named_and_change_nothing(
    api: Any, source: bytes, rules: Any, field: str
) -> None:
    await api.course(source)
    response = await api("ines", "PUT", f"{PATH}/rules", {"rules": rules})
    assert response.code == 400
    assert json.loads(response.body)["field"] == field
    assert (await api.ok("ines", "GET", f"{PATH}/rules"))["number"] == 0


async def test_the_record_is_a_file_that_anyone_can_verify(api: Any, source: bytes) -> None:
    earned = await earn(api, source)
    response = await api("sam", "GET", f"/achievements/{earned['award_id']}/credential")
    assert response.code == 200
    assert response.headers["Content-Type"] == "application/vc+jwt"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "double.jwt" in response.headers["Content-Disposition"]
    assert "no-store" in response.headers["Cache-Control"]
    answer = await api(None, "GET", "/achievements/keys")
    checked = verify_credential(
        response.body.decode(), datetime.now(UTC), keys=keys_from(answer.body), identity="sam"
    )
    assert checked.facts.title == "Doubled"
    assert checked.facts.description == "Every check of double. Course: Learn PPO."
    assert checked.facts.evidence == ("one: Released points: double-tests 2.",)


async def test_the_keys_are_public_and_hold_no_secret(api: Any) -> None:
    body = json.loads((await api(None, "GET", "/achievements/keys")).body)
    [key] = body["keys"]
    assert set(key) == {"kty", "crv", "x", "use", "alg", "kid"}
    assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "EdDSA")
    assert json.loads((await api("sam", "GET", "/achievements/keys")).body) == body


async def test_a_grade_that_is_taken_back_takes_the_record_with_it(api: Any, source: bytes) -> None:
    earned = await earn(api, source)
    released = "/courses/ppo/assignments/one/released-grades"
    await api.ok("ines", "DELETE", released, {"reason": "A mistake."})
    lost = (await api.ok("sam", "GET", PATH))["items"][0]
    assert lost["revoked_because"] == "The grade of one was taken back."
    assert lost["progress"] == {"met": 0, "of": 1, "unit": "checks"}
    path = f"/achievements/{earned['award_id']}/credential"
    response = await api("sam", "GET", path)
    assert response.code == 409
    assert "was revoked" in json.loads(response.body)["message"]
    await api.ok("ines", "PUT", released, {})
    again = (await api.ok("sam", "GET", PATH))["items"][0]
    assert (again["award_id"], again["revoked_at"]) == (earned["award_id"], None)
    assert (await api("sam", "GET", path)).code == 200


async def test_others_records_are_not_there(api: Any, source: bytes) -> None:
    earned = await earn(api, source)
    for user, status in (("sue", 404), ("oto", 404), ("gil", 200), ("ada", 200)):
        response = await api(user, "GET", f"/achievements/{earned['award_id']}/credential")
        assert response.code == status, user
    assert (await api("sam", "GET", "/achievements/x/credential")).code == 404
