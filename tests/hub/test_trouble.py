"""A service on PostgreSQL between a hub and a database that both fail, and people who change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from faults import Fault, FaultyProxy
from hub import INSTRUCTOR, OTHER, STUDENT, Hub, free_ports, source_notebook, wait_for
from postgresql_server import ROLE, PostgresqlServer

from jupyter_ppo.cli import main
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.jobs.local import work_off
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.jobs import Jobs

pytestmark = [pytest.mark.browser, pytest.mark.postgresql]

PATH = "courses/rl101/assignments/one"
NOTEBOOK = {"Content-Type": "application/x-ipynb+json"}
STUDENTS, EACH = ("s1", "s2", "s3", "s4"), 8
DEADLINE = 90.0
RECHECK_SECONDS, HUB_SECONDS = 2, 1.0
#: What a request may take while the hub does not answer: it is waited for once.
BOUND_SECONDS = 6 * HUB_SECONDS
SETTINGS = f"""
c.HubIdentityProvider.recheck_seconds = {RECHECK_SECONDS}
c.StatelessHubOAuth.hub_seconds = {HUB_SECONDS}
c.PPOService.grading_workers = 0
"""
BAD_HUB = [Fault.AWAY, Fault.DEAF, Fault.CUT, Fault.WRONG]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that this module may end."""
    server = PostgresqlServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def way() -> Iterator[FaultyProxy]:
    """The way from the service to the hub."""
    proxy = FaultyProxy(free_ports(1)[0])
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def hub(
    start_hub: Callable[..., Hub],
    postgresql: PostgresqlServer,
    way: FaultyProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Hub:
    """A hub whose service has its tables there, and an assignment to hand in."""
    postgresql.administer(f"CREATE DATABASE ppo OWNER {ROLE}")
    config = tmp_path_factory.mktemp("settings") / "settings.py"
    at = f"c.StatelessHubOAuth.api_url = 'http://127.0.0.1:{way.port}/hub/api'\n"
    config.write_text(SETTINGS + at)
    words = [f"--PPOService.db_url={postgresql.url('ppo')}", f"--config={config}"]
    hub = start_hub(arguments=words)
    way.target = hub.ports["hub"]
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
    with ExitStack() as opened, ThreadPoolExecutor(len(STUDENTS)) as threads:
        tokens = {user: hub.token_of(user) for user in STUDENTS}
        apis = {user: opened.enter_context(hub.api(token)) for user, token in tokens.items()}
        students = [Student(api, user) for user, api in apis.items()]
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


# -- the hub -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BAD_HUB)
def test_while_the_hub_fails_who_is_known_goes_on_and_others_are_told_when_to_come_back(
    hub: Hub, way: FaultyProxy, fault: Fault
) -> None:
    with hub.api(hub.token_of(STUDENT)) as known, hub.api(hub.token_of(OTHER)) as new:
        comes_back(known)
        with way.while_it(fault):
            assert known.get("courses/rl101").status_code == 200
            begin = time.monotonic()
            is_told_to_wait(new.get("courses/rl101"))
            assert time.monotonic() - begin < BOUND_SECONDS
        comes_back(new)
        comes_back(known)


def is_told_to_wait(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "hub_unavailable"
    assert answer.json()["message"].startswith("JupyterHub does not")
    assert 1 <= int(answer.headers["Retry-After"]) <= 5


def comes_back(api: httpx.Client) -> None:
    wait_for(lambda: api.get("courses/rl101").status_code == 200, "all is well again", 20)


def test_a_slow_hub_is_waited_for_and_one_that_is_too_slow_is_not(
    hub: Hub, way: FaultyProxy
) -> None:
    with hub.api(hub.token_of(STUDENT)) as api, way.while_it(delay=0.3):
        assert api.get("courses/rl101").status_code == 200
    with hub.api(hub.token_of(STUDENT)) as api:
        with way.while_it(delay=5 * HUB_SECONDS):
            begin = time.monotonic()
            is_told_to_wait(api.get("courses/rl101"))
            assert time.monotonic() - begin < BOUND_SECONDS
        comes_back(api)


def test_a_hub_that_does_not_answer_is_left_alone_and_asked_again_later(
    hub: Hub, way: FaultyProxy
) -> None:
    many = [hub.api(hub.token_of(STUDENT)) for _ in range(8)]
    with way.while_it(Fault.DEAF):
        with ThreadPoolExecutor(len(many)) as threads:
            for answer in threads.map(lambda api: api.get("courses/rl101"), many):
                is_told_to_wait(answer)
        asked, begin = way.connections, time.monotonic()
        for api in many:
            is_told_to_wait(api.get("courses/rl101"))
        assert time.monotonic() - begin < len(many) * HUB_SECONDS / 2
        assert way.connections == asked
    for api in many:
        comes_back(api)
        api.close()


@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.CUT, Fault.WRONG])
def test_an_api_token_of_the_service_waits_for_the_hub_too(
    hub: Hub, way: FaultyProxy, fault: Fault
) -> None:
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        body = {"course": "rl101", "name": f"script {fault}", "role": "instructor"}
        made = api.post("me/tokens", json=body)
        assert made.status_code == 201, made.text
    with hub.api(made.json()["secret"]) as script:
        with way.while_it(fault):
            wait_for(lambda: script.get("courses/rl101").status_code == 503, "asked", 10)
            is_told_to_wait(script.get("courses/rl101"))
        comes_back(script)


def test_a_sign_in_that_the_hub_does_not_finish_says_so_and_can_be_begun_again(
    hub: Hub, way: FaultyProxy
) -> None:
    browser = hub.sign_in(STUDENT)
    page = "/services/ppo/jupyter-ppo"
    begun = browser.get(page, follow_redirects=False)
    consent = browser.get(begun.headers["Location"], follow_redirects=False)
    with way.while_it(Fault.AWAY):
        ended = browser.get(consent.headers["Location"], follow_redirects=False)
        assert ended.status_code == 503, ended.text
        assert int(ended.headers["Retry-After"]) >= 1
        assert "JupyterHub does not answer" in ended.text
        assert "frame-ancestors 'none'" in ended.headers["Content-Security-Policy"]
    shown = hub.browser(STUDENT)
    time.sleep(RECHECK_SECONDS)
    with way.while_it(Fault.AWAY):
        refused = shown.get(page)
        assert (refused.status_code, "JupyterHub does not answer" in refused.text) == (503, True)
        assert int(refused.headers["Retry-After"]) >= 1
    assert "<strong>stu</strong>" in browser.get(page).text


def test_what_is_handed_in_while_the_hub_is_away_is_there_once(hub: Hub, way: FaultyProxy) -> None:
    hub.add("ida", ["course-rl101:student"])
    with hub.api(hub.token_of("ida")) as api:
        copy = api.get(f"{PATH}/notebook").content

        def hand_in(key: str) -> httpx.Response:
            headers = {**NOTEBOOK, "Idempotency-Key": key}
            return api.post(f"{PATH}/submissions", content=copy, headers=headers)

        with way.while_it(Fault.AWAY):
            first = hand_in("first")
            assert first.status_code == 201, first.text
            wait_for(lambda: api.get("courses/rl101").status_code == 503, "forgotten", 20)
            is_told_to_wait(hand_in("second"))
        comes_back(api)
        assert hand_in("first").json()["id"] == first.json()["id"]
        second = hand_in("second")
        assert second.status_code == 201
        kept = api.get("courses/rl101/submissions").json()["items"]
        assert {item["id"] for item in kept} == {first.json()["id"], second.json()["id"]}


# -- a token that ends while a request runs ------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "fault", "statuses"),
    [
        (0.0, Fault.NONE, {201, 403}),  # the hub's answer of a moment ago may be believed
        (RECHECK_SECONDS + 0.5, Fault.NONE, {403}),
        (RECHECK_SECONDS + 0.5, Fault.AWAY, {503}),
    ],
)
def test_a_hand_in_whose_token_is_revoked_meanwhile_is_stored_once_or_not_at_all(
    hub: Hub, way: FaultyProxy, seconds: float, fault: Fault, statuses: set[int]
) -> None:
    user = f"rev{max(statuses)}-{len(statuses)}"
    hub.add(user, ["course-rl101:student"])
    token = hub.token_of(user)
    identifier = hub.admin("GET", f"users/{user}/tokens")["api_tokens"][-1]["id"]
    with hub.api(token) as api, way.while_it():
        copy = api.get(f"{PATH}/notebook").content
        half = len(copy) // 2

        def slowly() -> Iterator[bytes]:
            yield copy[:half]
            time.sleep(0.5)  # the service has the headers now
            hub.admin("DELETE", f"users/{user}/tokens/{identifier}")
            time.sleep(seconds)
            if fault is not Fault.NONE:
                failing.enter_context(way.while_it(fault))
            yield copy[half:]

        headers = {**NOTEBOOK, "Content-Length": str(len(copy))}
        with ExitStack() as failing:
            answer = api.post(f"{PATH}/submissions", content=slowly(), headers=headers)
    assert answer.status_code in statuses, answer.text
    with hub.api(hub.token_of(user)) as api:
        comes_back(api)
        kept = api.get("courses/rl101/submissions").json()["items"]
    assert len(kept) == (answer.status_code == 201)


# -- people --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(hub: Hub, postgresql: PostgresqlServer) -> Iterator[Database]:
    """The tables of the service, as a worker has them."""
    with closing(open_database(postgresql.url("ppo"))) as database:
        yield database


def hand_in(hub: Hub, user: str) -> UUID:
    hub.add(user, ["course-rl101:student"])
    with hub.api(hub.token_of(user)) as api:
        made = api.post(
            f"{PATH}/submissions", content=api.get(f"{PATH}/notebook").content, headers=NOTEBOOK
        )
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


def grade(
    database: Database, submission: UUID, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Grade as a worker does; the program of the student ends after ``meanwhile``."""
    exercises = (ExerciseGrade("tests", 1.0, 1.0, False, ""),)

    def ran(lease: Lease, _cancelled: object) -> Grade:
        meanwhile()
        return Grade(lease.submission_id, exercises, Verdict.RAN, "", "", datetime.now(UTC), 0.1)

    work_off(Jobs(database), ran, [submission], workers=1, progress=lambda _done, _of: None)


def test_grading_goes_to_its_end_for_who_leaves_the_group_meanwhile(
    hub: Hub, database: Database
) -> None:
    submission = hand_in(hub, "gus")
    token = hub.token_of("gus")
    with hub.api(token) as own, hub.api(hub.token_of(INSTRUCTOR)) as staff:
        assert own.get(f"submissions/{submission}").json()["state"] == "queued"

        def leaves() -> None:
            assert own.get(f"submissions/{submission}").json()["state"] == "grading"
            hub.leave("gus", "course-rl101:student")
            refused = f"submissions/{submission}"
            wait_for(lambda: own.get(refused).status_code == 403, "refused", RECHECK_SECONDS + 3)

        grade(database, submission, leaves)
        kept = staff.get(f"submissions/{submission}").json()
        assert (kept["user"], kept["state"], kept["points"]) == ("gus", "graded", 1)
        assert own.get(f"submissions/{submission}").status_code == 403


def test_who_is_renamed_at_the_hub_and_here_has_their_work_again(
    hub: Hub, database: Database, postgresql: PostgresqlServer, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = hand_in(hub, "ann.young")
    words = [f"--PPOService.db_url={postgresql.url('ppo')}"]
    words += [f"--PPOService.data_dir={hub.folder}/data", "--PPOService.owner=ada"]
    rename = ["people", "rename", "ann.young", "ann.old"]
    hub.admin("PATCH", "users/ann.young", {"name": "ann.old"})
    assert main([*rename, *words]) == 1
    assert f"grading of {submission}" in capsys.readouterr().err
    grade(database, submission)
    assert main([*rename, *words]) == 0
    with hub.api(hub.token_of("ann.old")) as api:
        assert api.get(f"submissions/{submission}").json()["user"] == "ann.old"
        (mine,) = api.get("courses/rl101/submissions").json()["items"]
        assert mine["id"] == str(submission)
    hub.add("ann.young", ["course-rl101:student"])
    with hub.api(hub.token_of("ann.young")) as api:
        assert api.get("courses/rl101/submissions").json()["items"] == []
        assert api.get(f"submissions/{submission}").status_code == 404


def test_nothing_of_all_this_was_a_mistake_of_ours(hub: Hub) -> None:
    assert "Traceback" not in hub.log.read_text(errors="replace")
