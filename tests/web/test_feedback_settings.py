"""How a course wants feedback, over HTTP: who reads, who chooses, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

COURSE = "/courses/ppo/feedback-settings"
ONE = "/courses/ppo/assignments/one/feedback-settings"


async def test_instructors_choose_and_an_assignment_inherits_what_it_does_not_choose(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    first = await api.ok("sam", "GET", COURSE)
    assert (first["revision"], first["effective"]["hint_levels"]) == (0, 4)
    assert first["settings"]["hints"] is None
    chosen = {"hints": False, "hint_costs": [0, 0, 0.1, 0.2], "caps": {"course": 3.5}}
    course = await api.ok("ines", "PUT", COURSE, chosen)
    assert (course["revision"], course["settings"]["caps"]["course"]) == (1, 3.5)
    await api.ok("ines", "PUT", ONE, {"hints": True})
    one = await api.ok("sam", "GET", ONE)
    assert (one["effective"]["hints"], one["settings"]["hint_costs"]) == (True, None)
    assert one["effective"]["hint_costs"] == [0, 0, 0.1, 0.2]
    assert one["effective"]["caps"]["course"] == 3.5
    assert (await api.ok("sam", "GET", COURSE))["effective"]["hints"] is False


async def test_nobody_goes_above_the_servers_own_limits(api: Any, source: bytes) -> None:
    await api.course(source)
    saved = await api.ok("ines", "PUT", COURSE, {"caps": {"course": 999_999.0}})
    assert saved["effective"]["caps"]["course"] == saved["ceilings"]["course"] == 20.0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"hint_costs": [0.5, 0.1, 0.1, 0.1]}, "hint_costs"),
        ({"hint_costs": [0, 0]}, "hint_costs"),
        ({"hint_levels": 5}, "hint_levels"),
        ({"caps": {"course": -1}}, "caps.course"),
        ({"calibration_answers": 3}, "calibration_answers"),
        ({"hins": True}, "hins"),
    ],
)
async def test_what_cannot_be_chosen_is_named(
    api: Any, source: bytes, body: dict[str, Any], field: str
) -> None:
    await api.course(source)
    answer = await api("ines", "PUT", COURSE, body)
    assert (answer.code, json.loads(answer.body)["field"]) == (400, field)


async def test_students_and_graders_choose_nothing(api: Any, source: bytes) -> None:
    await api.course(source)
    for user in ("sam", "gil"):
        assert (await api(user, "PUT", COURSE, {"hints": False})).code == 403
    assert (await api("oto", "GET", COURSE)).code == 404


async def test_a_stale_change_is_a_conflict_with_both(api: Any, source: bytes) -> None:
    await api.course(source)
    seen = {"If-Match": '"0"'}
    await api.ok("ines", "PUT", COURSE, {"hints": False}, headers=seen)
    stale = await api("ines", "PUT", COURSE, {"samples": 5}, headers=seen)
    assert stale.code == 409
    conflict = json.loads(stale.body)["conflict"]
    assert conflict["yours"] == {"revision": 0, "settings": {"samples": 5}}
    assert conflict["theirs"] == {"revision": 1, "settings": {"hints": False}}
    assert (await api.ok("ines", "GET", COURSE))["settings"]["samples"] is None
