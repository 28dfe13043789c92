"""The caller's preferences over HTTP: defaults, PUT, PATCH, conflicts, what is refused."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.preferences import Preferences, flat
from jupyter_ppo.web.preferences import NewPreferences, PreferencesPatch
from jupyter_ppo.wiring import PPOService

ME = "/me/preferences"
DEFAULTS = Preferences().document()


async def test_everybody_begins_with_the_defaults_and_changes_only_their_own(api: Any) -> None:
    for user in ("sam", "oto"):  # in a course or in none
        assert await api.ok(user, "GET", ME) == {
            "revision": 0,
            "updated_at": None,
            "preferences": DEFAULTS,
        }
    put = await api.ok("sam", "PUT", ME, {"mode": "expert", "chart": {"smoothing": 5}})
    assert (put["revision"], datetime.fromisoformat(put["updated_at"]).utcoffset() is None) == (
        1,
        False,
    )
    assert put["preferences"]["chart"] == {"smoothing": 5, "axis": "linear", "band": "none"}
    patched = await api.ok("sam", "PATCH", ME, {"chart": {"axis": "log"}, "tour": "done"})
    assert (patched["revision"], patched["preferences"]["mode"]) == (2, "expert")
    assert patched["preferences"]["chart"] == {"smoothing": 5, "axis": "log", "band": "none"}
    assert await api.ok("sam", "GET", ME) == patched
    back = await api.ok("sam", "PATCH", ME, {"chart": None})
    assert back["preferences"] == DEFAULTS | {"mode": "expert", "tour": "done"}
    again = await api.ok("sam", "PUT", ME, {})
    assert (again["revision"], again["preferences"]) == (4, DEFAULTS)
    assert (await api.ok("oto", "GET", ME))["revision"] == 0


async def test_they_are_there_for_the_next_server_on_the_same_data(
    api: Any, jp_server_config: Any
) -> None:
    saved = await api.ok("sam", "PATCH", ME, {"mode": "expert", "pseudonym": "quick fox"})
    service = PPOService(config=jp_server_config).build()
    try:
        stored = service.use_cases.preferences.preferences(Caller("sam"))
    finally:
        service.close()
    assert (stored.preferences.document(), stored.revision) == (saved["preferences"], 1)
    assert stored.updated_at == datetime.fromisoformat(saved["updated_at"])


async def test_two_devices_at_once_see_both_values_and_without_a_revision_the_last_one_wins(
    api: Any,
) -> None:
    first = await api("sam", "GET", ME)
    seen = {"If-Match": first.headers["ETag"]}
    assert seen == {"If-Match": '"0"'}
    answered = await asyncio.gather(
        api("sam", "PATCH", ME, {"mode": "expert"}, headers=seen),
        api("sam", "PATCH", ME, {"mode": "standard"}, headers=seen),
    )
    assert sorted(each.code for each in answered) == [200, 409]
    [won], [lost] = (
        [json.loads(each.body) for each in answered if each.code == code] for code in (200, 409)
    )
    assert (lost["code"], lost["field"]) == ("edit_conflict", "If-Match")
    assert lost["conflict"]["theirs"] == won
    modes = {lost["conflict"]["yours"]["preferences"]["mode"], won["preferences"]["mode"]}
    assert modes == {"expert", "standard"}
    put = await api("sam", "PUT", ME, DEFAULTS, headers={"If-Match": '"7"'})
    assert put.code == 409
    assert await api.ok("sam", "GET", ME) == won
    both = [{"theme": "dark"}, {"hint_level": 0}]
    for each in await asyncio.gather(*(api("sam", "PATCH", ME, patch) for patch in both)):
        assert each.code == 200
    now = await api.ok("sam", "GET", ME)
    assert (now["preferences"]["theme"], now["preferences"]["hint_level"]) == ("dark", 0)
    for any_revision in ("*", f'"{now["revision"]}"'):
        headers = {"If-Match": any_revision}
        assert (await api("sam", "PATCH", ME, {"hint_level": 0}, headers=headers)).code == 200
    for wrong in ("3", 'W/"3"', '"-1"', '"1", "2"', '"' + "9" * 400 + '"', ""):
        refused = await api("sam", "PATCH", ME, {"hint_level": 1}, headers={"If-Match": wrong})
        assert (refused.code, json.loads(refused.body)["field"]) == (400, "If-Match"), wrong


WRONG: list[tuple[Any, str | None]] = [
    (b"", None),
    (b"mode", None),
    (b"[]", None),
    (b"null", None),
    (b"[" * 8000, None),
    (b'{"chart": {"smoothing": NaN}}', "chart.smoothing"),
    (b'{"chart": {"smoothing": 1e999}}', "chart.smoothing"),
    (b'{"hint_level": ' + b"9" * 5000 + b"}", None),
    (b'{"hint_level": ' + b"9" * 30 + b"}", "hint_level"),
    ({"mode": "wizard"}, "mode"),
    ({"mode": True}, "mode"),
    ({"colour": "red"}, "colour"),
    ({"colour": None}, "colour"),
    ({"revision": 1}, "revision"),
    ({"chart": {"colour": 1}}, "chart.colour"),
    ({"chart": []}, "chart"),
    ({"chart": {"smoothing": "5"}}, "chart.smoothing"),
    ({"chart": {"smoothing": 0}}, "chart.smoothing"),
    ({"hint_level": 5}, "hint_level"),
    ({"hint_level": "2"}, "hint_level"),
    ({"hint_level": 1.5}, "hint_level"),
    ({"notifications": {"due": 1}}, "notifications.due"),
    ({"notifications": {"due": "yes"}}, "notifications.due"),
    ({"pseudonym": "x"}, "pseudonym"),
    ({"pseudonym": "a\0bc"}, "pseudonym"),
    ({"pseudonym": "\ud800abc"}, None),
    ({"pseudonym": 12345}, "pseudonym"),
    ({"privacy": {"activity": 0}}, "privacy.activity"),
]


async def test_each_part_that_cannot_be_used_is_named_and_nothing_is_stored(api: Any) -> None:
    for method in ("PUT", "PATCH"):
        for body, field in WRONG:
            answered = await api("sam", method, ME, body)
            said = json.loads(answered.body)
            assert (answered.code, said["code"]) == (400, "invalid_input"), (method, body, said)
            assert said["field"] == field, (method, body, said)
    assert (await api.ok("sam", "GET", ME))["revision"] == 0


async def test_a_document_that_is_too_large_is_refused_with_the_limit(api: Any) -> None:
    for method in ("PUT", "PATCH"):
        for size in (16 * 2**10 + 1, 2**20):
            text = json.dumps({"pseudonym": "x" * (size - 17)}).encode()
            assert len(text) == size
            answered = await api("sam", method, ME, text)
            said = json.loads(answered.body)
            assert (answered.code, said["code"], said["field"]) == (413, "too_large", "body")
            assert "16 KiB" in said["message"]
    within = await api("sam", "PATCH", ME, b" " * (16 * 2**10 - 2) + b"{}")
    assert within.code == 200
    assert (await api.ok("sam", "GET", ME))["revision"] == 0


def test_the_bodies_have_the_fields_and_defaults_of_the_preferences() -> None:
    assert NewPreferences().model_dump(mode="json") == DEFAULTS
    assert set(PreferencesPatch.model_fields) == set(DEFAULTS)
    whole = json.dumps(DEFAULTS)
    assert PreferencesPatch.model_validate_json(whole).model_dump(mode="json") == DEFAULTS
    assert len(flat(Preferences())) == 12
