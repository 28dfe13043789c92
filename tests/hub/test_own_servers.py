"""A student's own server under a real hub: it forwards as its person, and holds nothing."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hub import API, INSTRUCTOR, OTHER, STUDENT, Hub


@pytest.fixture(scope="module")
def own(hub: Hub) -> str:
    """Return the address of the student's own server, in a course that exists."""
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl101").json()["role"] == "instructor"
    return hub.start_server(STUDENT)


def _client(hub: Hub, own: str, user: str) -> httpx.Client:
    headers = {"Authorization": f"token {hub.token_of(user)}"}
    return httpx.Client(base_url=f"{own}/{API}/", headers=headers, timeout=60)


def test_it_forwards_as_its_person(hub: Hub, own: str) -> None:
    with _client(hub, own, STUDENT) as client:
        assert client.get("me").json()["user"] == STUDENT
        assert client.get("courses/rl101").json()["role"] == "student"
        assert client.get("courses/rl101/members").status_code == 403
        wrong = client.patch("me/preferences", json={"theme": "no such"})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "theme")


def test_nobody_else_comes_in_by_it(hub: Hub, own: str) -> None:
    with _client(hub, own, OTHER) as client:
        assert client.get("me").status_code == 403
    assert httpx.get(f"{own}/{API}/me").status_code == 403


def test_it_has_no_database_and_no_folder_of_the_service(hub: Hub, own: str) -> None:
    home = hub.folder / "homes" / STUDENT
    assert home.is_dir()
    assert not [path for path in Path(home).rglob("*.sqlite") if "jupyter_ppo" in str(path)]


def test_an_instructor_in_their_own_server_is_a_student_there(hub: Hub, own: str) -> None:
    instructors = hub.start_server(INSTRUCTOR)
    with _client(hub, instructors, INSTRUCTOR) as client:
        assert client.get("courses/rl101").json()["role"] == "student"
        assert client.get("courses/rl101/members").status_code == 403
    with _client(hub, instructors, STUDENT) as client:
        assert client.get("me").status_code == 403
