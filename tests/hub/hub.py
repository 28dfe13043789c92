"""A real JupyterHub with its proxy and our service, and the people who use it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).parent / "jupyterhub_config.py"
API = "jupyter-ppo/api/v1"
START_SECONDS = 120.0
INSTRUCTOR, GRADER, STUDENT, OTHER, OUTSIDER = "ines", "gil", "stu", "sue", "oto"
PASSWORD = "only-in-tests"


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


def wait_for(is_so: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Wait until something is so; fail with ``what`` otherwise."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"{what} within {seconds:.0f} s"
        time.sleep(0.1)


class Hub:
    """A running hub; ``stop()`` ends it with all that it started."""

    def __init__(self, folder: Path, **service: Any) -> None:
        self.folder = folder
        names = ("proxy", "hub", "proxy_api", "service")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.token = secrets.token_hex(16)
        self.log = folder / "hub.log"
        self.url = f"http://127.0.0.1:{self.ports['proxy']}"
        self.service_url = f"{self.url}/services/ppo"
        (folder / "homes").mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "PPO_TEST_FOLDER": str(folder),
            "PPO_TEST_PORTS": json.dumps(self.ports),
            "PPO_TEST_PASSWORD": PASSWORD,
            "PPO_TEST_TOKEN": self.token,
            "PPO_TEST_SERVICE": json.dumps(service),
            "PPO_SERVICE_PORT": str(self.ports["service"]),
            "PPO_SERVICE_URL": f"{self.service_url}/",
            "PPO_DATA": str(folder / "data"),
            "HOME": str(folder),
            "JUPYTER_PPO_COOKIE_SECRET": secrets.token_hex(32),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[httpx.Client] = []
        self.start()

    def start(self) -> None:
        """Start the hub, its proxy and the service; return when all answer."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(self._answers, f"the hub and its service answer ({self.log})")
        except BaseException:
            print(self.log.read_text(errors="replace")[-6000:])
            self.stop()
            raise

    def _answers(self) -> bool:
        process = self._process
        assert process is not None
        assert process.poll() is None, "the hub has ended"
        try:
            return httpx.get(f"{self.service_url}/{API}/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End everything, as Ctrl-C would, and by force what does not end."""
        for client in self._clients:
            client.close()
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The hub itself."""
        assert self._process is not None
        return self._process

    def pid_of_the_service(self) -> int:
        """Return the process of the service."""
        listing = subprocess.run(
            ["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True
        ).stdout
        marked = f"--PPOService.data_dir={self.folder}/data"
        found = [int(line.split()[0]) for line in listing.splitlines() if marked in line]
        return min(found)

    def environment_of_the_service(self) -> dict[str, str]:
        """Return what the hub told the service."""
        text = Path(f"/proc/{self.pid_of_the_service()}/environ").read_text()
        return dict(item.split("=", 1) for item in text.split("\0") if "=" in item)

    # -- what an admin of the hub does ---------------------------------------------------------

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the hub's own API."""
        answer = httpx.request(
            method,
            f"{self.url}/hub/api/{path}",
            json=body,
            headers={"Authorization": f"token {self.token}"},
            timeout=60,
        )
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def add(self, user: str, groups: Iterable[str] = ()) -> None:
        """Add a person, and put them into groups, which are made."""
        self.admin("POST", f"users/{user}")
        for group in groups:
            self.join(user, group)

    def join(self, user: str, group: str) -> None:
        """Put a person into a group, which is made."""
        httpx.post(
            f"{self.url}/hub/api/groups/{group}",
            json={},
            headers={"Authorization": f"token {self.token}"},
        )
        self.admin("POST", f"groups/{group}/users", {"users": [user]})

    def leave(self, user: str, group: str) -> None:
        """Take a person out of a group."""
        self.admin("DELETE", f"groups/{group}/users", {"users": [user]})

    def token_of(self, user: str, scopes: Iterable[str] | None = None) -> str:
        """Return a new token of a person's, with these scopes or all that are theirs."""
        body: dict[str, object] = {"note": "a test"}
        if scopes is not None:
            body["scopes"] = list(scopes)
        return str(self.admin("POST", f"users/{user}/tokens", body)["token"])

    def server_token_of(self, user: str) -> str:
        """Return a token as a person's own server holds it."""
        own = [f"users:activity!user={user}", f"access:servers!server={user}/"]
        return self.token_of(user, [*own, "access:services!service=ppo"])

    def start_server(self, user: str) -> str:
        """Start a person's own server; return its address."""
        self.admin("POST", f"users/{user}/server", {})
        wait_for(
            lambda: self.admin("GET", f"users/{user}")["servers"].get("", {}).get("ready"),
            f"the server of {user} is ready",
        )
        return f"{self.url}/user/{user}"

    # -- what people do ------------------------------------------------------------------------

    def browser(self, user: str) -> httpx.Client:
        """Return a browser that is signed in at the service, too, as a visit of its page does."""
        client = self.sign_in(user)
        page = client.get("/services/ppo/jupyter-ppo")
        assert page.status_code == 200, page.text
        return client

    def sign_in(self, user: str) -> httpx.Client:
        """Return a browser without windows in which ``user`` is signed in at the hub."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=60)
        self._clients.append(client)
        page = client.get("/hub/login")
        xsrf = client.cookies.get("_xsrf", path="/hub/")
        answer = client.post(
            "/hub/login",
            data={"username": user, "password": PASSWORD, "_xsrf": xsrf},
            headers={"Referer": str(page.url)},
            follow_redirects=False,
        )
        assert answer.status_code == 302, answer.text
        return client

    def api(self, token: str) -> httpx.Client:
        """Return a client of the service's API with a token."""
        return httpx.Client(
            base_url=f"{self.service_url}/{API}/",
            headers={"Authorization": f"token {token}"},
            timeout=60,
        )


def source_notebook() -> bytes:
    """Return an author's notebook with one answer and one test cell of one point."""

    def cell(source: str, grade_id: str, **flags: object) -> dict[str, object]:
        nbgrader = {"schema_version": 3, "grade_id": grade_id, "task": False, **flags}
        return {
            "cell_type": "code",
            "id": grade_id,
            "source": source,
            "metadata": {"nbgrader": nbgrader},
            "outputs": [],
            "execution_count": None,
        }

    answer = cell(
        "### BEGIN SOLUTION\nx = 1\n### END SOLUTION",
        "answer",
        grade=False,
        solution=True,
        locked=False,
    )
    tests = cell("assert x == 1", "tests", grade=True, points=1, solution=False, locked=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {
        "cells": [answer, tests],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole).encode()
