"""What every response says to browsers, at every address, whatever it answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.operations import MediaType, operation_of
from jupyter_ppo.web.urls import ROUTES

VERBS = ("get", "post", "put", "patch", "delete")


def verbs_of(handler: type[PPOHandler]) -> list[str]:
    """Return what an address answers, without streams that go on, and one verb that it refuses."""
    has = [verb for verb in VERBS if hasattr(getattr(handler, verb), "operation")]
    ending = [
        verb for verb in has if operation_of(getattr(handler, verb)).answer is not MediaType.EVENTS
    ]
    return [*ending, *[verb for verb in VERBS if verb not in has][:1]]


@pytest.mark.parametrize("user", ["ada", None], ids=["an admin", "nobody"])
async def test_no_response_is_cached_framed_guessed_at_or_named_to_other_sites(
    api: Any, user: str | None
) -> None:
    asked, wrong = 0, list[str]()
    for path, handler in ROUTES:
        address = re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000007", path)
        for verb in verbs_of(handler):
            body = None if verb in {"get", "delete"} else b"{"
            answer = await api(user, verb.upper(), address, body)
            headers, asked = answer.headers, asked + 1
            policy = headers.get("Content-Security-Policy", "")
            is_right = (
                headers.get("X-Content-Type-Options") == "nosniff"
                and headers.get("Referrer-Policy") == "same-origin"
                and ("frame-ancestors 'self'" in policy or "sandbox" in policy)
                and ("default-src 'none'" in policy or "sandbox" in policy)
                and headers.get("Cache-Control") == "no-store"
            )
            if not is_right:
                wrong.append(f"{verb} {path} {answer.code} {dict(headers)}")
    assert wrong == []
    assert asked > 150
