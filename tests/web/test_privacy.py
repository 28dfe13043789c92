"""A person's data over HTTP: read, downloaded, erased, and a class that goes on without them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest

ERASE = "/people/sam/erase"


def unpacked(response: Any) -> dict[str, bytes]:
    assert response.code == 200, response.body
    assert response.headers["Content-Type"] == "application/zip"
    assert "attachment" in response.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(response.body)) as file:
        return {name: file.read(name) for name in file.namelist()}


async def test_everybody_may_read_what_is_kept(api: Any) -> None:
    said = await api.ok("oto", "GET", "/privacy")
    assert (said["activity_days"], said["execute_history_days"]) == (180, 90)
    for kept in said["kept"]:
        assert all(kept[name] for name in ("what", "where", "how_long", "why", "who"))


async def test_a_student_downloads_their_own_data_without_hidden_tests(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = await api.submit(answer)
    await api.graded(submission["id"])
    files = unpacked(await api("sam", "GET", "/me/data"))
    assert b"README.txt" not in files["README.txt"]
    attempt = json.loads(files["submissions.jsonl"])
    assert attempt["id"] == submission["id"]
    assert attempt["grade"]["points"] == 2.0
    assert files[attempt["file"]] == answer
    own = files.pop(attempt["file"])
    assert b"double(3)" in own  # this student handed in the author's notebook itself
    for name, data in files.items():
        assert b"double(3)" not in data, name
        for other in (rb"\bgil\b", rb"\bines\b", b"/ppo/blobs", b"jupyter_ppo.sqlite"):
            assert not re.search(other, data), (name, other)


@pytest.mark.parametrize("user", ["sam", "sue", "gil", "ines"])
async def test_only_an_admin_gets_or_erases_the_data_of_others(
    api: Any, source: bytes, user: str
) -> None:
    await api.course(source)
    assert (await api(user, "GET", "/people/sam/data")).code == 403
    assert (await api(user, "POST", ERASE, {"confirm": "sam"})).code == 403
    assert "README.txt" in unpacked(await api("ada", "GET", "/people/sam/data"))


async def test_bad_input_is_named_and_erases_nobody(api: Any, source: bytes) -> None:
    await api.course(source)
    for body in ({"confirm": "sue"}, {"confirm": ""}, {}, {"confirm": "sam", "force": True}):
        refused = await api("ada", "POST", ERASE, body)
        assert refused.code == 400, body
    assert json.loads(refused.body)["field"]
    assert (await api("ada", "POST", "/people/none/erase", {"confirm": "none"})).code == 404
    assert (await api("ada", "GET", "/people/none/data")).code == 404
    assert (await api.ok("ines", "GET", "/courses/ppo/members/sam"))["user"] == "sam"


async def test_a_class_goes_on_with_an_erased_person_in_it(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    theirs, others = await api.submit(answer), await api.submit(answer, "sue")
    for each in (theirs, others):
        await api.graded(each["id"])
    erased = await api.ok("ada", "POST", ERASE, {"confirm": "sam"})
    stand_in = erased["stand_in"]
    assert (erased["erased_by"], erased["counts"]["submissions"]) == ("ada", 1)

    book = await api.ok("gil", "GET", "/courses/ppo/gradebook")
    points = {row["user"]: row["total"] for row in book["items"]}
    assert points == {stand_in: 2.0, "sue": 2.0}
    for path in (
        "/courses/ppo/members",
        "/courses/ppo/submissions",
        "/courses/ppo/grades",
        "/courses/ppo/marking",
        "/courses/ppo/assignments/one/marking",
        "/courses/ppo/progress/students",
        f"/courses/ppo/progress/students/{stand_in}",
        f"/courses/ppo/achievements/students/{stand_in}",
        "/courses/ppo/leaderboard",
        f"/submissions/{theirs['id']}",
        f"/submissions/{theirs['id']}/grade",
        f"/submissions/{theirs['id']}/history",
    ):
        found = await api("gil", "GET", path)
        assert found.code == 200, (path, found.body)
        assert b'"sam"' not in found.body, path
    for part in ("notebook", "feedback", "answers/why"):
        gone = await api("gil", "GET", f"/submissions/{theirs['id']}/{part}")
        assert gone.code == 404, (part, gone.body)
    table = await api("gil", "GET", "/courses/ppo/gradebook", params={"format": "csv"})
    assert stand_in.encode() in table.body
    nbgrader = await api("ines", "GET", "/courses/ppo/gradebook/nbgrader")
    assert nbgrader.code == 200
    again = await api("gil", "POST", f"/submissions/{theirs['id']}/grade")
    assert again.code == 409
    assert "erased" in json.loads(again.body)["message"]
    assert (await api("gil", "GET", f"/submissions/{others['id']}/feedback")).code == 200
    mark = {"points": 1, "revision": 0}
    await api.ok("gil", "PUT", f"/submissions/{theirs['id']}/marks/why", mark)
    assert (await api("sam", "GET", "/courses/ppo")).code == 404


async def test_who_is_erased_and_enrolled_again_begins_anew(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    await api.graded((await api.submit(answer))["id"])
    await api.ok("ada", "POST", ERASE, {"confirm": "sam"})
    await api.ok("ines", "PUT", "/courses/ppo/members/sam", {"role": "student"})
    assert (await api.ok("sam", "GET", "/courses/ppo/submissions"))["items"] == []
    files = unpacked(await api("sam", "GET", "/me/data"))
    assert files["submissions.jsonl"] == b""
    assert (await api.submit(answer))["attempt"] == 1


async def test_what_runs_keeps_its_person_from_being_erased(
    api: Any, source: bytes, placed: Any
) -> None:
    await api.course(source)
    body = {"tags": ["wait"], "spec": {"env_id": "CartPole-v1", "total_steps": 1000}}
    (run,) = (await api.ok("sam", "POST", "/runs", body))["items"]
    while run["id"] not in placed:
        run = await api.ok("sam", "GET", f"/runs/{run['id']}")
    refused = await api("ada", "POST", ERASE, {"confirm": "sam"})
    assert refused.code == 409
    assert run["id"] in json.loads(refused.body)["message"]
    placed[run["id"]].finish()
    while (await api.ok("sam", "GET", f"/runs/{run['id']}"))["state"] != "finished":
        pass
    folder = placed[run["id"]].files.path
    assert folder.exists()
    erased = await api.ok("ada", "POST", ERASE, {"confirm": "sam"})
    assert (erased["counts"]["training_runs"], folder.exists()) == (1, False)
    assert (await api("sam", "GET", f"/runs/{run['id']}")).code == 404
