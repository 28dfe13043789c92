"""Entries over REST: defined, handed in as JSON or as an archive, read again."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from typing import Any

import pytest

ENTRY = "/courses/ppo/entries/report"
LEVELS = [{"name": "weak", "points": 0}, {"name": "sound", "points": 4}]
DEFINITION = {
    "title": "Report",
    "instructions": "Describe *it*.",
    "parts": ["text", "code", "files", "run"],
    "rubric": [{"name": "method", "title": "Method", "levels": LEVELS, "note": "be strict"}],
}
RUN = {"spec": {"env_id": "CartPole-v1"}, "state": "finished", "step": 10, "seconds": 1.5}


@pytest.fixture
def entry(api: Any, source: bytes) -> Entry:
    return Entry(api, source)


@pytest.fixture
def fetch_raw(http_server_client: Any, jp_base_url: str) -> Any:
    """Get an address as it is written: the other client escapes every % again."""

    async def fetch(user: str, path: str) -> Any:
        return await http_server_client.fetch(
            f"{jp_base_url}jupyter-ppo/api/v1{path}",
            headers={"Authorization": f"token {user}"},
            raise_error=False,
            request_timeout=60,
        )

    return fetch


class Entry:
    """The server, with a course and an entry in it from the first request on."""

    def __init__(self, api: Any, source: bytes) -> None:
        self._api, self._source, self._is_made = api, source, False

    async def __call__(self, *request: Any, **options: Any) -> Any:
        await self._make()
        return await self._api(*request, **options)

    async def ok(self, *request: Any, **options: Any) -> Any:
        await self._make()
        return await self._api.ok(*request, **options)

    async def submit(self, notebook: bytes) -> Any:
        await self._make()
        return await self._api.submit(notebook)

    async def _make(self) -> None:
        if not self._is_made:
            self._is_made = True
            await self._api.course(self._source)
            await self._api.ok("ines", "PUT", ENTRY, DEFINITION)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


async def refused(api: Any, *request: Any, code: int, field: str | None, **options: Any) -> None:
    response = await api(*request, **options)
    found = json.loads(response.body)
    assert (response.code, found["field"]) == (code, field), (request[3:], found)


async def test_an_entry_is_defined_and_read_without_notes_by_students(entry: Any) -> None:
    made = await entry.ok("ines", "PUT", ENTRY, DEFINITION, params={"note": "again"})
    assert (made["name"], made["version"], made["note"]) == ("report", 2, "again")
    assert made["definition"]["rubric"][0]["note"] == "be strict"
    assert made["definition"]["rubric"][0]["max_points"] == 4.0
    seen = await entry.ok("sam", "GET", ENTRY)
    assert "be strict" not in json.dumps(seen)
    assert "<em>it</em>" in seen["definition"]["instructions_html"]
    listed = await entry.ok("sam", "GET", "/courses/ppo/assignments")
    assert [(item["name"], item["kind"]) for item in listed["items"]] == [
        ("one", "notebook"),
        ("report", "entry"),
    ]


async def test_an_entry_comes_back_as_it_was_handed_in(entry: Any, fetch_raw: Any) -> None:
    body = {
        "title": "Mine",
        "text": "**bold** <script>alert(1)</script>",
        "code": "print(1)",
        "run": RUN,
        "files": [{"name": "figures/a b.html", "content_base64": encoded(b"<script>1</script>")}],
    }
    response = await entry("sam", "POST", f"{ENTRY}/submissions", body)
    made = json.loads(response.body)
    assert (response.code, made["state"], made["attempt"]) == (201, "submitted", 1)
    assert response.headers["Location"].endswith(f"/submissions/{made['id']}")
    found = await entry.ok("sam", "GET", f"/submissions/{made['id']}/entry")
    assert (found["title"], found["text"], found["code"]) == ("Mine", body["text"], "print(1)")
    assert "<strong>bold</strong>" in found["text_html"]
    assert "<script" not in found["text_html"]
    assert found["run"]["spec"]["gamma"] == 0.99
    assert "be strict" not in json.dumps(found)
    assert not re.search(r"\bsam\b", json.dumps(found))
    path = f"/submissions/{made['id']}/files/figures%2Fa%20b.html"
    file = await fetch_raw("gil", path)
    assert (file.code, file.body) == (200, b"<script>1</script>")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_archive_is_handed_in_as_it_is(entry: Any) -> None:
    data = zipped(**{"text.md": b"words", "a/b.txt": b"file"})
    made = await entry.ok("sam", "POST", f"{ENTRY}/submissions", data)
    found = await entry.ok("gil", "GET", f"/submissions/{made['id']}/entry")
    assert found["text"] == "words"
    assert [(file["name"], file["size"]) for file in found["files"]] == [("a/b.txt", 4)]
    assert found["definition"]["rubric"][0]["note"] == "be strict"
    bad = zipped(**{"../up.txt": b"x"})
    await refused(entry, "sam", "POST", f"{ENTRY}/submissions", bad, code=400, field="archive")


async def test_sent_again_with_its_key_it_is_the_first_receipt(entry: Any) -> None:
    path, key = f"{ENTRY}/submissions", {"Idempotency-Key": "k1"}
    first = await entry("sam", "POST", path, {"text": "a"}, headers=key)
    again = await entry("sam", "POST", path, {"text": "a"}, headers=key)
    other = await entry("sam", "POST", path, {"text": "b"}, headers=key)
    assert (first.code, again.code, other.code) == (201, 200, 409)
    assert json.loads(first.body)["id"] == json.loads(again.body)["id"]
    for bad in ("", "x" * 201):
        await refused(
            entry,
            "sam",
            "POST",
            path,
            {"text": "a"},
            headers={"Idempotency-Key": bad},
            code=400,
            field="Idempotency-Key",
        )


async def test_what_cannot_be_handed_in_is_named(entry: Any) -> None:
    file = {"name": "a", "content_base64": "eA=="}
    for body, code, field in (
        ({}, 400, "entry"),
        ({"text": 3}, 400, "text"),
        ({"text": "x" * 100_001}, 413, "text"),
        ({"text": "x", "title": "t" * 201}, 413, "title"),
        ({"text": "x", "colour": "red"}, 400, "colour"),
        ({"files": [file | {"content_base64": "?"}]}, 400, "files[0].content_base64"),
        ({"files": [file | {"name": "/etc/x"}]}, 400, "files"),
        ({"files": [file, file]}, 400, "files"),
        ({"files": [file] * 101}, 413, "files"),
        ({"run": {"spec": {}}}, 400, "run.state"),
        ({"run": RUN | {"step": -1}}, 400, "run.step"),
        ({"run": []}, 400, "run"),
        (b"not json", 400, None),
        (b"PK\x03\x04 no archive", 400, "archive"),
        (b"\xff" * (25 * 2**20 + 1), 413, None),
    ):
        response = await entry("sam", "POST", f"{ENTRY}/submissions", body)
        found = json.loads(response.body)
        assert response.code == code, (str(body)[:80], found)
        assert field is None or found["field"] == field, (str(body)[:80], found)
    listed = await entry.ok("sam", "GET", "/courses/ppo/submissions")
    assert listed["total"] == 0


async def test_what_cannot_be_defined_is_named(entry: Any) -> None:
    rubric = DEFINITION["rubric"][0]
    for change, code, field in (
        ({"title": ""}, 400, "title"),
        ({"title": "t" * 201}, 413, "title"),
        ({"parts": ["video"]}, 400, "parts[0]"),
        ({"parts": []}, 400, "parts"),
        ({"rubric": []}, 400, "rubric"),
        ({"rubric": [rubric] * 2}, 400, "rubric[1]"),
        ({"rubric": [rubric | {"levels": LEVELS[:1]}]}, 400, "rubric[0].levels"),
        ({"rubric": [rubric | {"name": "a b"}]}, 400, "rubric[0].name"),
        (
            {"rubric": [rubric | {"levels": [LEVELS[0], {"name": "x", "points": -1}]}]},
            400,
            "rubric[0].levels[1].points",
        ),
        ({"points": 3}, 400, "points"),
    ):
        await refused(entry, "ines", "PUT", ENTRY, DEFINITION | change, code=code, field=field)
    await refused(
        entry,
        "ines",
        "PUT",
        ENTRY,
        DEFINITION,
        params={"note": "x" * 2001},
        code=413,
        field="note",
    )
    await refused(
        entry, "ines", "PUT", "/courses/ppo/entries/a+b", DEFINITION, code=400, field="assignment"
    )


async def test_each_kind_of_assignment_says_that_it_is_not_the_other(
    entry: Any, source: bytes
) -> None:
    made = (await entry.ok("sam", "POST", f"{ENTRY}/submissions", {"text": "a"}))["id"]
    notebook = (await entry.submit(source))["id"]
    for user, method, path, body in (
        ("sam", "GET", "/courses/ppo/entries/one", None),
        ("ines", "PUT", "/courses/ppo/entries/one", DEFINITION),
        ("sam", "POST", "/courses/ppo/entries/one/submissions", {"text": "a"}),
        ("ines", "POST", "/courses/ppo/entries/one/release", b""),
        ("sam", "GET", f"/submissions/{notebook}/entry", None),
        ("sam", "GET", f"/submissions/{made}/notebook", None),
        ("gil", "GET", "/courses/ppo/assignments/report/sealing", None),
        ("ines", "POST", "/courses/ppo/assignments/report/sealing", b""),
        ("sam", "GET", f"/submissions/{notebook}/files/a", None),
        ("gil", "GET", f"/submissions/{notebook}/outcome", None),
        ("ines", "PUT", "/courses/ppo/assignments/report", source),
        ("sam", "POST", "/courses/ppo/assignments/report/submissions", source),
        ("sam", "GET", "/courses/ppo/assignments/report/notebook", None),
        ("gil", "POST", f"/submissions/{made}/grade", b""),
    ):
        response = await entry(user, method, path, body)
        assert response.code == 409, (method, path, response.code, response.body)


async def test_what_is_not_there_is_not_found(entry: Any, fetch_raw: Any) -> None:
    made = (await entry.ok("sam", "POST", f"{ENTRY}/submissions", {"text": "a"}))["id"]
    for user, path in (
        ("sam", "/courses/ppo/entries/nothing"),
        ("sam", "/courses/other/entries/report"),
        ("oto", ENTRY),
        ("sam", "/submissions/x/entry"),
        ("sue", f"/submissions/{made}/entry"),
        ("sue", f"/submissions/{made}/files/a"),
        ("sam", f"/submissions/{made}/files/a"),
        ("sam", f"/submissions/{made}/files/..%2F..%2Fetc%2Fpasswd"),
        ("sam", f"/submissions/{made}/files/%00%0A"),
    ):
        response = await fetch_raw(user, path)
        assert response.code == 404, (user, path, response.code, response.body)
