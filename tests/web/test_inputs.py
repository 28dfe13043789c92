"""What is sent and cannot be used: the right status, one shape, a sentence, nothing leaked."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

MEBIBYTE = 2**20
NOTEBOOK_3 = b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}'
NO_GRADED_CELL = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
SUBMIT = "/courses/ppo/assignments/one/submissions"


def checked(response: Any, status: int, code: str, case: object) -> dict[str, Any]:
    """Return the error body after checking everything that all errors have in common."""
    text = response.body.decode()
    assert response.code == status, (case, response.code, text)
    assert response.headers["Content-Type"] == "application/json", case
    error: dict[str, Any] = json.loads(text)
    assert set(error) == {"code", "message", "field"}, case
    assert error["code"] == code, (case, error)
    assert len(error["message"]) > 10, case
    for leak in ("Traceback", ".py", "site-packages", "pydantic", "sqlite"):
        assert leak not in text, (case, text)
    return error


async def test_a_bad_json_body_is_a_400_that_names_the_field(api: Any) -> None:
    cases: list[tuple[bytes, str | None]] = [
        (b"", None),
        (b"not json", None),
        (b'{"name": "a"', None),
        (b'{"name": "\xff"}', None),
        (b"[]", None),
        (b"null", None),
        (b'{"title": "no name"}', "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": NaN}', "name"),
        (b'{"name": ""}', "name"),
        (b'{"name": "../etc"}', "name"),
        (b'{"name": "a b"}', "name"),
        (b'{"name": "a\\u0000"}', "name"),
        (b'{"name": "' + b"x" * 101 + b'"}', "name"),
        (b'{"name": "a", "title": "' + b"x" * 201 + b'"}', "title"),
        (b'{"name": "a", "owner": "b"}', "owner"),
    ]
    for body, field in cases:
        response = await api("ada", "POST", "/courses", body)
        assert checked(response, 400, "invalid_input", body)["field"] == field
    assert (await api.ok("ada", "GET", "/courses"))["total"] == 0


async def test_a_taken_name_is_a_409(api: Any) -> None:
    await api.ok("ada", "POST", "/courses", {"name": "ppo"})
    response = await api("ada", "POST", "/courses", {"name": "ppo"})
    assert checked(response, 409, "conflict", "ppo")["field"] == "name"


async def test_a_role_must_be_one_of_a_course(api: Any, source: bytes) -> None:
    await api.course(source)
    member = "/courses/ppo/members/newcomer"
    for body in (b'{"role": "king"}', b'{"role": 1}', b"{}"):
        error = checked(await api("ada", "PUT", member, body), 400, "invalid_input", body)
        assert error["field"] == "role"
    response = await api("ada", "PUT", member, {"role": "admin"})
    assert checked(response, 403, "forbidden", "admin")["field"] == "role"
    response = await api("ada", "PUT", "/courses/ppo/members/ b", {"role": "student"})
    assert checked(response, 400, "invalid_input", "a blank")["field"] == "user"


async def test_a_bad_notebook_is_refused_and_nothing_is_kept(api: Any, source: bytes) -> None:
    await api.course(source)
    cases: list[tuple[bytes, int, str]] = [
        (b"", 400, "invalid_notebook"),
        (b"not json", 400, "invalid_notebook"),
        (b"\xff\xfe\x00", 400, "invalid_notebook"),
        (b"[]", 400, "invalid_notebook"),
        (b"{}", 400, "invalid_notebook"),
        (NOTEBOOK_3, 400, "invalid_notebook"),
        (NO_GRADED_CELL, 400, "wrong_assignment"),
        (b"[" * 100_000, 400, "invalid_notebook"),
    ]
    for body, status, code in cases:
        checked(await api("sam", "POST", SUBMIT, body), status, code, body[:20])
        if code == "invalid_notebook":
            path = "/courses/ppo/assignments/two"
            checked(await api("ines", "PUT", path, body), status, code, body[:20])
    assert (await api.ok("ada", "GET", "/courses/ppo/submissions"))["total"] == 0
    assert (await api.ok("ada", "GET", "/courses/ppo/assignments"))["total"] == 1


async def test_too_much_is_a_413_whether_or_not_its_length_is_told(api: Any, source: bytes) -> None:
    await api.course(source)
    body = b" " * (30 * MEBIBYTE)
    error = checked(await api("sam", "POST", SUBMIT, body), 413, "too_large", "told")
    assert error["field"] == "notebook"
    assert "30.0 MiB is over the limit of 25 MiB" in error["message"]
    path = "/courses/ppo/assignments/two"
    assert checked(await api("ines", "PUT", path, body), 413, "too_large", "put") == error

    async def pieces(write: Any) -> None:
        for start in range(0, len(body), MEBIBYTE):
            await write(body[start : start + MEBIBYTE])

    response = await api("sam", "POST", SUBMIT, body_producer=pieces)
    assert checked(response, 413, "too_large", "not told") == error
    assert (await api("ada", "POST", "/courses", b" " * 2 * 2**16)).code == 413
    # The server goes on, and a body below the limit arrives whole.
    checked(await api("sam", "POST", SUBMIT, b"x" * MEBIBYTE), 400, "invalid_notebook", "after")


async def test_who_sends_too_much_before_reading_is_still_told_what_to_do(
    api: Any, source: bytes, jp_http_port: int, jp_base_url: str
) -> None:
    await api.course(source)
    size = 60 * MEBIBYTE  # more than the buffers of a connection hold
    head = (
        f"POST {jp_base_url}jupyter-ppo/api/v1{SUBMIT} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: token sam\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    )

    def send_all_then_read() -> bytes:
        with socket.create_connection(("127.0.0.1", jp_http_port), timeout=60) as connection:
            connection.sendall(head.encode())
            for _ in range(size // MEBIBYTE):
                connection.sendall(b" " * MEBIBYTE)
            with connection.makefile("rb") as answer:
                return answer.read()

    answer = await asyncio.to_thread(send_all_then_read)
    top, _, body = answer.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 413 ")
    error = json.loads(body)
    assert (error["code"], error["field"]) == ("too_large", "notebook")
    assert "Clear Outputs of All Cells, save, and submit again." in error["message"]


async def test_a_length_beyond_reason_is_refused_unread(
    api: Any, jp_http_port: int, jp_base_url: str
) -> None:
    for length in (201 * MEBIBYTE, "9" * 5000):
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
        try:
            head = (
                f"POST {jp_base_url}jupyter-ppo/api/v1{SUBMIT} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: token sam\r\nContent-Length: {length}\r\n\r\n"
            )
            writer.write(head.encode())
            answer = await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()
            await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 413 "), length
        assert b"too_large" in answer


async def test_a_bad_query_is_a_400_that_names_the_field(api: Any, source: bytes) -> None:
    await api.course(source)
    lists = ("/courses", "/courses/ppo/assignments", "/courses/ppo/submissions")
    for path in (*lists, "/courses/ppo/grades"):
        for field, value in (
            ("offset", "-1"),
            ("offset", "x"),
            ("offset", "1.5"),
            ("offset", str(10**30)),
            ("limit", "0"),
            ("limit", "201"),
            ("limit", ""),
        ):
            response = await api("ada", "GET", path, params={field: value})
            error = checked(response, 400, "invalid_input", (path, field, value))
            assert error["field"] == field
        for params in ({"offset": 2**31 - 1}, {"limit": 1}, {"limit": 200}, {"unknown": "x"}):
            assert (await api("ada", "GET", path, params=params)).code == 200
    response = await api("ada", "GET", lists[2], params={"latest": "perhaps"})
    assert checked(response, 400, "invalid_input", "latest")["field"] == "latest"
    response = await api("ada", "GET", "/courses/ppo/grades", params={"format": "xml"})
    assert checked(response, 400, "invalid_input", "format")["field"] == "format"
    response = await api("ada", "GET", lists[2], params={"assignment": b"\xff"})
    checked(response, 400, "invalid_input", "not UTF-8")


async def test_what_is_not_there_is_a_404(api: Any, source: bytes) -> None:
    await api.course(source)
    absent = "0199a5d2-0000-7000-8000-000000000000"
    for path in (
        "",
        "/",
        "/nothing",
        "/courses/",
        "/courses/none",
        "/courses/none/assignments",
        "/courses/ppo/assignments/none",
        "/courses/ppo/assignments/none/notebook",
        "/courses/ppo/submissions/",
        "/submissions/x",
        f"/submissions/{absent}",
        f"/submissions/{absent}/grade",
        f"/submissions/{absent}/feedback",
        f"/submissions/{absent}/notebook",
    ):
        checked(await api("ada", "GET", path), 404, "not_found", path)
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        checked(await api("ada", verb, "/nothing", b"{}"), 404, "not_found", verb)
    response = await api("ada", "GET", "/courses/ppo/submissions", params={"assignment": "none"})
    checked(response, 404, "not_found", "assignment")
    response = await api("sam", "POST", "/courses/ppo/assignments/none/submissions", b"{}")
    checked(response, 404, "not_found", "submit")


async def test_a_wrong_verb_is_a_405_that_says_which_are_right(api: Any) -> None:
    for verb in ("PUT", "PATCH", "DELETE"):
        response = await api("ada", verb, "/courses", b"{}")
        checked(response, 405, "method_not_allowed", verb)
        assert response.headers["Allow"] == "GET, POST, OPTIONS"


@pytest.mark.parametrize("service_settings", [{"grading_workers": 0}], ids=["nobody grades"])
async def test_what_is_under_way_cannot_be_queued_again(api: Any, source: bytes) -> None:
    await api.course(source)
    submission = (await api.submit(source))["id"]
    assert (await api("gil", "GET", f"/submissions/{submission}/grade")).code == 404
    assert (await api("gil", "GET", f"/submissions/{submission}/feedback")).code == 404
    response = await api("gil", "POST", f"/submissions/{submission}/grade", b"")
    checked(response, 409, "conflict", "queued")
