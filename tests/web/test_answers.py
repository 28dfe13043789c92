"""What is answered when all is well: bodies, headers, bytes, pages of lists, the CSV table."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.sandbox import SandboxStatus
from jupyter_ppo.web.models import Sandbox


async def test_a_notebook_goes_from_the_author_to_a_grade(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    assignment = await api.ok("sam", "GET", "/courses/ppo/assignments/one")
    assert (assignment["name"], assignment["version"], assignment["points"]) == ("one", 1, 5)
    points = [(each["grade_id"], each["points"]) for each in assignment["exercises"]]
    assert ("double-tests", 2) in points
    assert ("why", 3) in points

    released = await api("sam", "GET", "/courses/ppo/assignments/one/notebook")
    assert released.headers["Content-Type"] == "application/x-ipynb+json"
    assert released.headers["Content-Disposition"] == "attachment; filename*=utf-8''one.ipynb"
    text = json.dumps(json.loads(released.body))
    assert "return 2 * x" not in text
    assert "HIDDEN" not in text

    receipt = await api.submit(answer)
    assert (receipt["course"], receipt["assignment"], receipt["user"]) == ("ppo", "one", "sam")
    assert (receipt["attempt"], receipt["state"], receipt["points"]) == (1, "queued", None)
    graded = await api.graded(receipt["id"])
    assert (graded["max_points"], graded["needs_review"]) == (5, True)

    grade = await api.ok("sam", "GET", f"/submissions/{receipt['id']}/grade")
    assert grade["submission_id"] == receipt["id"]
    assert (grade["verdict"], grade["points"], grade["max_points"]) == ("ran", 2, 5)
    assert {each["grade_id"]: each["points"] for each in grade["exercises"]}["double-tests"] == 2
    for time in (graded["submitted_at"], grade["graded_at"], assignment["released_at"]):
        assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


async def test_the_submitted_bytes_come_back_as_they_were(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    odd = b"\n  " + answer + b"  \r\n"
    submission = (await api.submit(odd))["id"]
    response = await api("gil", "GET", f"/submissions/{submission}/notebook")
    assert response.body == odd
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment")


async def test_the_feedback_page_can_do_nothing_in_a_browser(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    page = await api("sam", "GET", f"/submissions/{submission}/feedback")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers.get_list("Content-Security-Policy") == [
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    ]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "double-tests" in page.body.decode()


async def test_what_is_made_can_be_found_at_its_location(
    api: Any, source: bytes, answer: bytes, jp_base_url: str
) -> None:
    made = await api("ada", "POST", "/courses", {"name": "ppo", "title": "Learn PPO"})
    assert made.code == 201
    assert made.headers["Location"] == f"{jp_base_url}jupyter-ppo/api/v1/courses/ppo"
    released = await api("ada", "PUT", "/courses/ppo/assignments/one", source)
    handed_in = await api("ada", "POST", "/courses/ppo/assignments/one/submissions", answer)
    for response in (made, released, handed_in):
        assert response.code == 201
        path = response.headers["Location"].partition("/api/v1")[2]
        found = await api.ok("ada", "GET", path)
        for key in ("name", "id"):
            assert found.get(key) == json.loads(response.body).get(key)


async def test_me_says_who_and_where_and_whether_code_can_run(api: Any, source: bytes) -> None:
    await api.course(source)
    me = await api.ok("sam", "GET", "/me")
    assert (me["user"], me["admin"]) == ("sam", False)
    assert me["courses"] == [{"name": "ppo", "title": "Learn PPO", "role": "student"}]
    assert me["sandbox"]["available"] is True
    assert (await api.ok("oto", "GET", "/me"))["courses"] == []
    assert (await api.ok("ada", "GET", "/me"))["courses"][0]["role"] == "admin"


def test_commands_that_mend_the_sandbox_are_shown_to_whom_the_server_belongs() -> None:
    status = SandboxStatus(
        available=False,
        engine="docker",
        image=None,
        problem="No image.",
        remedy="Run: jupyter ppo image build",
    )
    assert Sandbox.of(status, is_mine=True).remedy == status.remedy
    others = Sandbox.of(status, is_mine=False)
    assert others.problem == status.problem
    assert others.remedy is not None
    assert "image build" not in others.remedy


def test_where_workers_grade_elsewhere_a_missing_sandbox_is_no_fault_of_grading() -> None:
    status = SandboxStatus(
        available=False, engine=None, image=None, problem="No engine.", remedy="Install Docker."
    )
    for is_mine in (True, False):
        said = Sandbox.of(status, is_mine=is_mine, grades_here=False)
        assert (said.available, said.grading) == (False, "elsewhere")
        assert "workers grade and train elsewhere" in str(said.problem)
        assert "Docker" not in f"{said.problem} {said.remedy}"
    assert Sandbox.of(status, is_mine=True).grading == "here"


async def test_lists_come_in_pages_that_cover_them_once(api: Any, source: bytes) -> None:
    await api.course(source)
    for number in range(5):
        await api.submit(source, "sam" if number % 2 else "sue")
    for path in ("/courses/ppo/submissions", "/courses/ppo/grades"):
        whole = await api.ok("ada", "GET", path)
        assert (whole["offset"], whole["limit"]) == (0, 50)
        assert whole["total"] == len(whole["items"]) == (5 if path.endswith("ions") else 2)
        seen = []
        for offset in range(0, whole["total"] + 2, 2):
            part = await api.ok("ada", "GET", path, params={"offset": offset, "limit": 2})
            assert (part["total"], part["offset"], part["limit"]) == (whole["total"], offset, 2)
            seen += [item["id"] for item in part["items"]]
        assert seen == [item["id"] for item in whole["items"]]
    newest = await api.ok("ada", "GET", "/courses/ppo/submissions", params={"user": "sue"})
    assert [item["attempt"] for item in newest["items"]] == [3, 2, 1]
    latest = {"user": "sue", "latest": "true", "assignment": "one"}
    newest = await api.ok("ada", "GET", "/courses/ppo/submissions", params=latest)
    assert [item["attempt"] for item in newest["items"]] == [3]


async def test_the_grade_table_is_csv_with_the_last_attempt_of_everyone(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.submit(source, "sue")
    for user in ("sam", "sue"):
        await api.graded((await api.submit(source, user))["id"])
    response = await api("gil", "GET", "/courses/ppo/grades", params={"format": "csv"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].endswith("ppo-grades.csv")
    rows = list(csv.DictReader(io.StringIO(response.body.decode())))
    assert ",".join(rows[0]) == (
        "student,assignment,attempt,state,points,max_points,needs_review,submitted_at,"
        "unsealed_points,raw_points,penalty,extra_credit,late_seconds,hint_deduction"
    )
    found = {row["student"]: (row["attempt"], row["points"], row["max_points"]) for row in rows}
    assert found == {"sam": ("1", "2", "5"), "sue": ("2", "2", "5")}


async def test_a_new_version_does_not_touch_what_was_handed_in(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    assert (await api.ok("ines", "PUT", "/courses/ppo/assignments/one", source))["version"] == 2
    assert (await api.ok("sam", "GET", f"/submissions/{submission}"))["version"] == 1


async def test_the_name_of_a_course_is_found_among_more_courses_than_a_page_holds(
    api: Any, source: bytes, answer: bytes, jp_serverapp: Any
) -> None:
    await api.course(source, "zzz")
    service = jp_serverapp.web_app.settings["jupyter_ppo"].use_cases.assessment
    caller = Caller("ada", admin=True)
    for number in range(201):
        service.create_course(caller, f"course-{number:03}")
    made = await api.ok("sam", "POST", "/courses/zzz/assignments/one/submissions", answer)
    found = await api.ok("ada", "GET", f"/submissions/{made['id']}")
    assert found["course"] == "zzz"
