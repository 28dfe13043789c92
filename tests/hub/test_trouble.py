"""A service on PostgreSQL: the database is restarted under load, and people get other names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import httpx
import pytest
from hub import INSTRUCTOR, Hub, source_notebook, wait_for
from postgresql_server import ROLE, PostgresqlServer

pytestmark = [pytest.mark.browser, pytest.mark.postgresql]

PATH = "courses/rl101/assignments/one"
NOTEBOOK = {"Content-Type": "application/x-ipynb+json"}
STUDENTS, EACH = ("s1", "s2", "s3", "s4"), 8
DEADLINE = 90.0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that this module may end."""
    server = PostgresqlServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], postgresql: PostgresqlServer) -> Hub:
    """A hub whose service has its tables there, and an assignment to hand in."""
    postgresql.administer(f"CREATE DATABASE ppo OWNER {ROLE}")
    hub = start_hub(arguments=[f"--PPOService.db_url={postgresql.url('ppo')}"])
    for user in STUDENTS:
        hub.add(user, ["course-rl101:student"])
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        released = api.put(PATH, content=source_notebook(), headers=NOTEBOOK)
        assert released.status_code == 201, released.text
    return hub


class Student:
    """Hands in until each notebook is acknowledged, as the panel does: with one key for each."""

    def __init__(self, api: httpx.Client, user: str) -> None:
        self.receipts: dict[str, str] = {}
        self.refusals: list[httpx.Response] = []
        self._api, self._user = api, user
        self._copy = api.get(f"{PATH}/notebook").content

    def hand_in_all(self) -> None:
        for number in range(EACH):
            self._hand_in(f"{self._user}-{number}")

    def _hand_in(self, key: str) -> None:
        deadline = time.monotonic() + DEADLINE
        headers = {**NOTEBOOK, "Idempotency-Key": key}
        while time.monotonic() < deadline:
            answer = self._api.post(f"{PATH}/submissions", content=self._copy, headers=headers)
            if answer.is_success:
                self.receipts[key] = answer.json()["id"]
                return
            self.refusals.append(answer)
            time.sleep(0.2)
        pytest.fail(f"{key} was not taken: {answer.status_code} {answer.text}")


def test_what_is_acknowledged_while_the_database_restarts_is_there_once(
    hub: Hub, postgresql: PostgresqlServer
) -> None:
    students = [Student(hub.api(hub.token_of(user)), user) for user in STUDENTS]
    with ThreadPoolExecutor(len(students)) as threads:
        working = [threads.submit(student.hand_in_all) for student in students]
        wait_for(lambda: sum(len(each.receipts) for each in students) >= 6, "some are taken")
        postgresql.kill()
        wait_for(lambda: any(each.refusals for each in students), "somebody is refused")
        postgresql.start()
        wait(working)
        for each in working:
            each.result()

    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        page = api.get("courses/rl101/submissions", params={"limit": 200}).json()
    receipts = [receipt for student in students for receipt in student.receipts.values()]
    assert len(receipts) == len(STUDENTS) * EACH
    assert sorted(item["id"] for item in page["items"]) == sorted(receipts)
    for refusal in (refusal for student in students for refusal in student.refusals):
        assert refusal.status_code == 503, refusal.text
        assert refusal.json()["code"] in {"unavailable", "busy"}
        assert int(refusal.headers["Retry-After"]) >= 1
        assert "Traceback" not in refusal.text
        assert "psycopg" not in refusal.text
    assert "Traceback" not in hub.log.read_text(errors="replace")


def test_the_wall_between_courses_stands_for_who_comes_by_groups(
    hub: Hub, postgresql: PostgresqlServer
) -> None:
    with hub.api(hub.token_of(STUDENTS[0])) as api:
        own = api.get("courses/rl101/submissions").json()["items"][0]["id"]
        assert api.get(f"submissions/{own}").status_code == 200
        assert api.get("me/data").status_code == 200
    hub.add("eve", ["course-rl202:instructor"])
    with hub.api(hub.token_of("eve")) as api:
        assert api.get("courses/rl202").json()["role"] == "instructor"
        assert api.get(f"submissions/{own}").status_code == 404
        assert api.get("courses/rl101").status_code == 404
    with closing(postgresql.connect("ppo", ROLE)) as stranger:
        assert stranger.execute("SELECT count(*) FROM submissions").fetchone() == (0,)


def test_who_gets_another_name_at_the_hub_is_another_person_and_nothing_is_lost(hub: Hub) -> None:
    hub.add("old", ["course-rl101:student"])
    with hub.api(hub.token_of("old")) as api:
        copy = api.get(f"{PATH}/notebook").content
        made = api.post(f"{PATH}/submissions", content=copy, headers=NOTEBOOK)
        assert made.status_code == 201
    hub.admin("PATCH", "users/old", {"name": "new"})
    with hub.api(hub.token_of("new")) as api:
        assert api.get("courses/rl101").json()["role"] == "student"
        assert api.get("courses/rl101/submissions").json()["items"] == []
        assert api.get(f"submissions/{made.json()['id']}").status_code == 404
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get(f"submissions/{made.json()['id']}").json()["user"] == "old"
    # The old name again, the old work again.
    hub.admin("PATCH", "users/new", {"name": "old"})
    with hub.api(hub.token_of("old")) as api:
        assert api.get(f"submissions/{made.json()['id']}").status_code == 200
