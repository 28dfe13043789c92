"""Browsers with a login cookie must send the XSRF token; programs with a token need not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider

SERVER_TOKEN = "server-token"


@pytest.fixture
def jp_server_config(jp_server_config: Any) -> Any:
    jp_server_config.ServerApp.identity_provider_class = IdentityProvider
    jp_server_config.IdentityProvider.token = SERVER_TOKEN
    jp_server_config.PPOService.identity = "owner"
    jp_server_config.PPOService.owner = "olga"
    return jp_server_config


async def test_the_owner_of_the_server_is_an_admin_under_the_configured_name(api: Any) -> None:
    me = await api.ok(SERVER_TOKEN, "GET", "/me")
    assert (me["user"], me["admin"]) == ("olga", True)


async def test_a_wrong_token_is_refused(api: Any) -> None:
    assert (await api("wrong", "GET", "/me")).code == 403
    assert (await api("wrong", "POST", "/courses", {"name": "ppo"})).code == 403


async def test_a_cookie_alone_may_not_write(api: Any, jp_fetch: Any) -> None:
    login = await api(SERVER_TOKEN, "GET", "/me")
    cookies = [value.partition(";")[0] for value in login.headers.get_list("Set-Cookie")]
    page = await jp_fetch("login", headers={"Authorization": ""})
    cookies += [value.partition(";")[0] for value in page.headers.get_list("Set-Cookie")]
    signed_in = {"Cookie": "; ".join(cookies)}
    [xsrf] = re.findall(r"_xsrf=([^;]+)", signed_in["Cookie"])

    refused = await api(None, "POST", "/courses", {"name": "ppo"}, headers=signed_in)
    assert refused.code == 403
    assert set(json.loads(refused.body)) == {"code", "message", "field"}
    wrong = signed_in | {"X-XSRFToken": "wrong"}
    assert (await api(None, "POST", "/courses", {"name": "ppo"}, headers=wrong)).code == 403
    elsewhere = signed_in | {"X-XSRFToken": xsrf, "Origin": "https://elsewhere.example"}
    refused = await api(None, "POST", "/courses", {"name": "ppo"}, headers=elsewhere)
    assert refused.code in {403, 404}
    front_end = signed_in | {"X-XSRFToken": xsrf}
    made = await api(None, "POST", "/courses", {"name": "ppo"}, headers=front_end)
    assert made.code == 201
