"""Limits over HTTP: 429 with Retry-After, each person and address for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyter_ppo.services.rate_limits import Limit
from jupyter_ppo.wiring import PPOService

#: Three at once and one more every 6.7 s; the machine would have to be very slow to notice.
FEW = 9
ME = "/me/preferences"


@pytest.fixture
def service_settings() -> dict[str, Any]:
    few = dict.fromkeys(("reads", "writes", "work", "streams", "anonymous", "guesses"), FEW)
    return {"rate_limits": few | {"course": 0}}


async def codes(api: Any, user: str | None, verb: str, path: str, body: Any = None) -> list[int]:
    return [(await api(user, verb, path, body)).code for _ in range(4)]


async def test_who_sends_too_much_is_told_how_long_to_wait_and_others_are_not(api: Any) -> None:
    assert await codes(api, "sam", "GET", ME) == [200, 200, 200, 429]
    refused = await api("sam", "GET", ME)
    said = json.loads(refused.body)
    assert (said["code"], said["field"]) == ("rate_limited", "rate_limits.reads")
    assert 1 <= int(refused.headers["Retry-After"]) <= 7
    assert (await api("sue", "GET", ME)).code == 200
    # Other kinds of requests of the same person go on.
    assert await codes(api, "sam", "PATCH", ME, {"mode": "expert"}) == [200, 200, 200, 429]
    assert await codes(api, "sam", "POST", "/execute", {"code": "x"}) == [200, 200, 200, 429]


async def test_a_stream_counts_when_it_is_opened(api: Any) -> None:
    headers = {"Upgrade": "websocket"}
    path = "/runs/0199a5d2-0000-7000-8000-000000000000/stream"
    found = [(await api("sam", "GET", path, headers=headers)).code for _ in range(4)]
    assert found == [404, 404, 404, 429]


async def test_nobody_in_particular_is_counted_by_address_also_where_anybody_may_ask(
    api: Any,
) -> None:
    assert (await api(None, "GET", "/health")).code == 200
    assert (await api("wrong", "GET", "/me")).code == 403
    assert (await api(None, "POST", "/courses", {"name": "x"})).code == 403
    assert (await api(None, "GET", "/health")).code == 429
    assert (await api("wrong", "GET", "/me")).code == 429
    # Who is signed in comes from the same address, and is let in.
    assert (await api("sam", "GET", "/me")).code == 200


async def test_secrets_of_a_token_cannot_be_tried_one_after_another(api: Any) -> None:
    await api.ok("ada", "POST", "/courses", {"name": "ppo"})
    made = await api.ok("ada", "POST", "/me/tokens", {"course": "ppo", "name": "ci"})
    good = made["secret"]
    wrong = good[:-1] + ("a" if good[-1] != "a" else "b")
    found = []
    for secret in (wrong, wrong, wrong, good):
        sent = await api(None, "GET", "/me", headers={"Authorization": f"Bearer {secret}"})
        found.append(sent.code)
    assert found == [401, 401, 401, 429]


def test_what_is_no_limit_is_refused_with_those_that_there_are() -> None:
    for wrong in ({"reeds": 1}, {"reads": -1}, {"reads": 1.5}, {"reads": True}, {"reads": "9"}):
        with pytest.raises(TraitError, match="rate_limits: "):
            PPOService(rate_limits=wrong)
    assert PPOService(config=Config({"PPOService": {"rate_limits": {"reads": 0}}})).rate_limits


def test_a_person_on_their_own_server_is_not_limited() -> None:
    settings = PPOService(rate_limits={"writes": 1})
    own = settings.build_rate_limits(is_shared=False)
    for _ in range(50):
        own.take(Limit.WRITES, "olga")
