"""What becomes of people at the service when the hub changes its mind, is down, or is slow."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import httpx
import pytest
from hub import API, INSTRUCTOR, OTHER, STUDENT, Hub, free_ports, source_notebook, wait_for
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

COURSE = f"/services/ppo/{API}/courses/rl101"
RECHECK_SECONDS = 2
SETTINGS = f"""
c.HubIdentityProvider.recheck_seconds = {RECHECK_SECONDS}
c.StatelessHubOAuth.hub_seconds = 2.0
"""


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """Return a hub of this module's own, whose answers are believed for two seconds."""
    config = tmp_path_factory.mktemp("settings") / "settings.py"
    config.write_text(SETTINGS)
    hub = start_hub(arguments=[f"--config={config}"])
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl101").json()["role"] == "instructor"
    return hub


def _get(browser: httpx.Client, path: str) -> httpx.Response:
    return browser.get(path, headers=_xsrf(browser))


def _xsrf(browser: httpx.Client) -> dict[str, str]:
    jar = browser.cookies.jar
    found = [c.value for c in jar if c.name == "_xsrf" and c.path == "/services/ppo/"]
    return {"X-XSRFToken": str(found[0])}


def test_staff_who_lose_their_group_change_nothing_from_that_moment_on(hub: Hub) -> None:
    hub.add("ivan", ["course-rl101:instructor"])
    browser = hub.browser("ivan")
    title = json.dumps({"title": "Reinforcement learning"})
    headers = {**_xsrf(browser), "Content-Type": "application/json"}
    assert browser.patch(COURSE, content=title, headers=headers).status_code == 200
    hub.leave("ivan", "course-rl101:instructor")
    refused = browser.patch(COURSE, content=title, headers=headers)
    assert refused.status_code == 403
    assert "in no course" in refused.json()["message"]


def test_who_loses_a_group_reads_no_longer_than_stated(hub: Hub) -> None:
    hub.add("lea", ["course-rl101:student"])
    browser = hub.browser("lea")
    assert _get(browser, COURSE).status_code == 200
    hub.leave("lea", "course-rl101:student")
    begin = time.monotonic()
    wait_for(lambda: _get(browser, COURSE).status_code == 403, "refused", RECHECK_SECONDS + 5)
    assert time.monotonic() - begin < RECHECK_SECONDS + 5
    members = _members(hub)
    assert "lea" not in members
    hub.join("lea", "course-rl101:student")
    wait_for(lambda: _get(browser, COURSE).status_code == 200, "back", RECHECK_SECONDS + 5)
    assert "lea" in _members(hub)


def test_what_was_handed_in_stays_queued_for_its_person_when_their_token_is_revoked(
    hub: Hub,
) -> None:
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        path = "courses/rl101/assignments/one"
        notebook = {"Content-Type": "application/x-ipynb+json"}
        released = api.put(path, content=source_notebook(), headers=notebook)
        assert released.status_code in {200, 201}, released.text
        token = hub.token_of(STUDENT)
        identifier = hub.admin("GET", f"users/{STUDENT}/tokens")["api_tokens"][-1]["id"]
        with hub.api(token) as own:
            copy = own.get(f"{path}/notebook").content
            made = own.post(f"{path}/submissions", content=copy, headers=notebook)
            assert made.status_code == 201, made.text
            hub.admin("DELETE", f"users/{STUDENT}/tokens/{identifier}")
            wait_for(lambda: own.get("me").status_code == 403, "revoked", RECHECK_SECONDS + 5)
        kept = api.get(f"submissions/{made.json()['id']}").json()
        assert (kept["user"], kept["attempt"]) == (STUDENT, 1)
        assert kept["state"] in {"queued", "grading", "graded"}


def test_an_open_stream_is_closed_when_its_person_may_not_be_there_any_more(hub: Hub) -> None:
    hub.add("wim", ["course-rl101:student"])
    token = hub.token_of("wim")
    with hub.api(token) as api:
        made = api.post("runs", json={"spec": {"env_id": "CartPole-v1", "total_steps": 2048}})
        assert made.status_code == 202, made.text
        run = made.json()["items"][0]["id"]
    address = f"{hub.service_url}/{API}/runs/{run}/stream".replace("http", "ws", 1)

    async def follow() -> int | None:
        request = HTTPRequest(address, headers={"Authorization": f"token {token}"})
        stream = await websocket_connect(request)
        assert await stream.read_message() is not None
        hub.leave("wim", "course-rl101:student")
        async with asyncio.timeout(RECHECK_SECONDS + 20):
            while await stream.read_message() is not None:
                pass
        return stream.close_code

    assert asyncio.run(follow()) == 4403


def test_an_api_token_of_the_service_ends_with_the_group_of_its_owner(hub: Hub) -> None:
    hub.add("tom", ["course-rl101:instructor"])
    with hub.api(hub.token_of("tom")) as api:
        body = {"course": "rl101", "name": "script", "role": "instructor"}
        made = api.post("me/tokens", json=body)
        assert made.status_code == 201, made.text
    with hub.api(made.json()["secret"]) as api:
        assert api.get("courses/rl101/members").status_code == 200
        hub.leave("tom", "course-rl101:instructor")
        hub.join("tom", "course-rl101:student")
        wait_for(
            lambda: api.get("courses/rl101/members").status_code == 403,
            "a student's token",
            RECHECK_SECONDS + 5,
        )
        assert api.get("courses/rl101").json()["role"] == "student"
        hub.admin("DELETE", "users/tom")
        wait_for(
            lambda: api.get("courses/rl101").status_code == 404,
            "a token that opens nothing",
            RECHECK_SECONDS + 5,
        )


def test_who_is_deleted_at_the_hub_is_nobody_and_what_they_did_stays(hub: Hub) -> None:
    hub.add("max", ["course-rl101:student"])
    browser = hub.browser("max")
    assert _get(browser, COURSE).status_code == 200
    hub.admin("DELETE", "users/max")
    wait_for(lambda: _get(browser, COURSE).status_code == 403, "nobody", RECHECK_SECONDS + 5)
    assert "max" in _members(hub)


def test_a_sign_in_that_begins_at_one_replica_ends_at_another(hub: Hub, replica: str) -> None:
    browser = hub.sign_in(STUDENT)
    begun = browser.get(f"{replica}/services/ppo/jupyter-ppo", follow_redirects=False)
    assert begun.status_code == 302
    consent = browser.get(begun.headers["Location"], follow_redirects=False)
    back = urlparse(consent.headers["Location"])
    assert back.path == "/services/ppo/oauth_callback"
    # The proxy knows the first replica only, and that has never heard of this sign-in.
    ended = browser.get(f"{back.path}?{back.query}", follow_redirects=False)
    assert ended.status_code == 302, ended.text
    assert ended.headers["Location"] == "/services/ppo/jupyter-ppo"
    for place in (hub.url, replica):
        page = browser.get(f"{place}/services/ppo/jupyter-ppo", follow_redirects=False)
        assert page.status_code == 200, place


def test_a_forged_or_old_state_of_a_sign_in_is_refused(hub: Hub) -> None:
    browser = hub.sign_in(STUDENT)
    forged = browser.get("/services/ppo/oauth_callback?code=x&state=forged")
    assert forged.status_code == 403
    assert "Traceback" not in forged.text


def test_while_the_hub_is_away_people_get_a_503_that_says_so_and_then_go_on(hub: Hub) -> None:
    token, other = hub.token_of(STUDENT), hub.token_of(OTHER)
    direct = f"http://127.0.0.1:{hub.ports['service']}{COURSE}"
    process = hub.process
    with _stopped(process.pid), httpx.Client(timeout=30) as client:
        answer = client.get(direct, headers={"Authorization": f"token {token}"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "hub_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
        page = client.get(
            direct.replace(f"{API}/courses/rl101", "jupyter-ppo"),
            headers={"Authorization": f"token {token}"},
        )
        assert page.status_code == 503
        assert "JupyterHub does not answer" in page.text
        for _ in range(5):  # after a few in vain the hub is left alone
            client.get(direct, headers={"Authorization": f"token {other}"})
        begin = time.monotonic()
        assert client.get(direct, headers={"Authorization": f"token {other}"}).status_code == 503
        assert time.monotonic() - begin < 1.5
    with httpx.Client(timeout=30) as client:
        wait_for(
            lambda: (
                client.get(direct, headers={"Authorization": f"token {token}"}).status_code == 200
            ),
            "the hub is asked again",
            30,
        )


def test_no_log_holds_a_token_or_a_cookie(hub: Hub) -> None:
    browser, token = hub.browser(STUDENT), hub.token_of(STUDENT)
    # The number of a session opens nothing, and JupyterHub writes it down.
    cookies = [each for each in browser.cookies.jar if each.name != "jupyterhub-session-id"]
    secrets = [token, hub.token, *(str(cookie.value).strip('"') for cookie in cookies)]
    direct = f"http://127.0.0.1:{hub.ports['service']}{COURSE}"
    headers = {"Authorization": f"token {token}", **_xsrf(browser)}
    with _stopped(hub.process.pid):
        assert httpx.get(direct, headers=headers, cookies=browser.cookies).status_code == 503
    log = hub.log.read_text(errors="replace")
    assert "hub_unavailable" in log
    assert not [secret for secret in secrets if len(secret) > 20 and secret in log]


def _members(hub: Hub) -> dict[str, str]:
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        items = api.get("courses/rl101/members", params={"limit": 200}).json()["items"]
    return {item["user"]: item["role"] for item in items}


class _stopped:  # noqa: N801 - a context manager
    """Hold a process, as an overloaded machine does."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGCONT)


@pytest.fixture
def replica(hub: Hub, tmp_path: Path) -> Iterator[str]:
    """Start a second process of the service, as an external service is started."""
    environment = hub.environment_of_the_service()
    port = free_ports(1)[0]
    environment["JUPYTERHUB_SERVICE_URL"] = f"http://127.0.0.1:{port}"
    environment["JUPYTER_RUNTIME_DIR"] = str(tmp_path)
    arguments = [f"--PPOService.data_dir={hub.folder}/data"]
    with (tmp_path / "replica.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_ppo.cli", "service", *arguments],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _is_up(f"{url}/services/ppo/{API}/health"), "the replica answers")
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
