"""People, groups and the trash through HTTP."""

from __future__ import annotations

import json
from typing import Any

MEMBERS = "/courses/ppo/members"
ABSENT = "0199a5d2-0000-7000-8000-000000000000"


def error(response: Any) -> tuple[int, str | None]:
    return response.code, json.loads(response.body)["field"]


async def test_a_person_is_answered_with_all_that_is_known(api: Any, source: bytes) -> None:
    await api.course(source)
    body = {"role": "grader", "first_name": " Mia ", "email": "a@b.c", "groups": ["lab", "late"]}
    made = await api.ok("ines", "PUT", f"{MEMBERS}/mia", body)
    assert made == await api.ok("gil", "GET", f"{MEMBERS}/mia")
    assert made.pop("enrolled_at").endswith("+00:00")
    assert made == {
        "user": "mia",
        "role": "grader",
        "first_name": "Mia",
        "last_name": "",
        "email": "a@b.c",
        "lms_user_id": "",
        "groups": ["lab", "late"],
        "removed_at": None,
    }
    page = await api.ok("gil", "GET", MEMBERS, params={"search": "B.C", "role": "grader"})
    assert [each["user"] for each in page["items"]] == ["mia"]
    removed = await api.ok("ines", "DELETE", f"{MEMBERS}/mia")
    assert removed["removed_at"] is not None
    page = await api.ok("gil", "GET", MEMBERS, params={"removed": "true"})
    assert page["items"] == [removed]
    assert error(await api("ines", "DELETE", f"{MEMBERS}/mia")) == (404, "user")
    assert error(await api("ines", "GET", f"{MEMBERS}/nobody")) == (404, "user")


async def test_usernames_and_groups_of_every_script_fit_into_an_address(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("ines", "PUT", f"{MEMBERS}/zoé@uni.edu", {"role": "student"})
    group = await api.ok("ines", "PUT", "/courses/ppo/groups/Lab 1+", {"users": ["zoé@uni.edu"]})
    assert (group["name"], group["users"]) == ("Lab 1+", ["zoé@uni.edu"])
    page = await api.ok("gil", "GET", MEMBERS, params={"group": "Lab 1+"})
    assert [each["user"] for each in page["items"]] == ["zoé@uni.edu"]
    assert (await api.ok("gil", "GET", "/courses/ppo/groups"))["items"] == [group]
    assert await api.ok("ines", "DELETE", "/courses/ppo/groups/Lab 1+") == group


WRONG_PARTS = (
    ({}, "role"),
    ({"role": "boss"}, "role"),
    ({"role": "student", "first_name": "x" * 201}, "first_name"),
    ({"role": "student", "last_name": 7}, "last_name"),
    ({"role": "student", "email": "a\nb"}, "email"),
    ({"role": "student", "lms_user_id": "\x7f"}, "lms_user_id"),
    ({"role": "student", "groups": ["a;b"]}, "groups"),
    ({"role": "student", "groups": "lab"}, "groups"),
    ({"role": "student", "groups": [f"g{at}" for at in range(101)]}, "groups"),
    ({"role": "student", "unknown": 1}, "unknown"),
)


async def test_a_wrong_part_of_a_person_is_named(api: Any, source: bytes) -> None:
    await api.course(source)
    for body, field in WRONG_PARTS:
        response = await api("ines", "PUT", f"{MEMBERS}/mia", body)
        assert error(response) == (400, field), body
    assert error(await api("ines", "GET", f"{MEMBERS}/mia")) == (404, "user")


async def test_what_an_instructor_may_not_do_to_the_people_is_told(api: Any, source: bytes) -> None:
    await api.course(source)
    for verb, path, body, expected in (
        ("PUT", f"{MEMBERS}/mia", {"role": "admin"}, (403, "role")),
        ("PUT", f"{MEMBERS}/x ", {"role": "student"}, (400, "user")),
        ("PUT", f"{MEMBERS}/ines", {"role": "student"}, (409, "user")),
        ("DELETE", f"{MEMBERS}/ines", None, (409, "user")),
        ("PUT", "/courses/ppo/groups/lab", {"users": ["nobody"]}, (400, "users")),
        ("PUT", "/courses/ppo/groups/a;b", {"users": []}, (400, "group")),
        ("PUT", "/courses/ppo/groups/lab", {"users": [1]}, (400, "users[0]")),
        ("DELETE", "/courses/ppo/groups/lab", None, (404, "group")),
        ("PATCH", "/courses/ppo", {"title": " "}, (400, "title")),
        ("PATCH", "/courses/ppo", {"title": "x" * 201}, (400, "title")),
        ("PATCH", "/courses/ppo", {}, (400, "title")),
    ):
        response = await api("ines", verb, path, body)
        assert error(response) == expected, (verb, path, response.body)
    for params in ({"role": "boss"}, {"removed": "perhaps"}, {"search": "x" * 201}, {"limit": 201}):
        response = await api("ines", "GET", MEMBERS, params=params)
        assert error(response) == (400, next(iter(params)))


async def test_a_list_is_tried_then_taken(api: Any, source: bytes) -> None:
    await api.course(source)
    data = "user;first_name;groups\nzoé;Zoé;lab, late\nsam;Sam;\n".encode("utf-16")
    path = f"{MEMBERS}/import"
    tried = await api.ok("ines", "POST", path, data, params={"dry_run": "true"})
    expected = {"added": 1, "changed": 1, "unchanged": 0, "problems": [], "problem_count": 0}
    assert tried == expected | {"applied": False}
    assert (await api("ines", "GET", f"{MEMBERS}/zoé")).code == 404
    assert await api.ok("ines", "POST", path, data) == expected | {"applied": True}
    zoe = await api.ok("ines", "GET", f"{MEMBERS}/zoé")
    assert (zoe["first_name"], zoe["groups"], zoe["role"]) == ("Zoé", ["lab, late"], "student")


async def test_a_list_with_a_problem_changes_nothing_and_says_where(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    made = await api.ok("ines", "POST", f"{MEMBERS}/import", b"user,role\nmia,\nines,grader\n")
    assert made["problems"] == [
        {
            "line": 3,
            "field": "role",
            "message": "user: you cannot give up your own role of instructor.",
        }
    ]
    assert made["applied"] is False
    assert (await api("ines", "GET", f"{MEMBERS}/mia")).code == 404
    for data, code in ((b"", 400), (b"name\nada\n", 400), (b"u" * (20 * 2**20 + 1), 413)):
        assert (await api("ines", "POST", f"{MEMBERS}/import", data)).code == code


async def test_a_course_gets_another_title(api: Any, source: bytes) -> None:
    await api.course(source)
    made = await api.ok("ines", "PATCH", "/courses/ppo", {"title": " Deep RL "})
    assert (made["name"], made["title"], made["role"]) == ("ppo", "Deep RL", "instructor")
    assert await api.ok("ines", "GET", "/courses/ppo") == made


# -- the trash -----------------------------------------------------------------------------------


async def test_an_attempt_goes_into_the_trash_and_comes_back(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    first, second = [(await api.submit(answer))["id"] for _ in range(2)]
    await api.graded(second)
    deleted = await api.ok("ines", "DELETE", f"/submissions/{second}")
    assert (deleted["kind"], deleted["deleted_by"]) == ("submission", "ines")
    for verb, path in (
        ("GET", ""),
        ("GET", "/grade"),
        ("GET", "/feedback"),
        ("GET", "/notebook"),
        ("GET", "/history"),
        ("POST", "/grade"),
        ("DELETE", ""),
    ):
        for person in ("sam", "ines", "ada"):
            response = await api(person, verb, f"/submissions/{second}{path}")
            assert response.code == 404, (verb, path, person)
    grades = await api.ok("sam", "GET", "/courses/ppo/grades")
    assert [each["id"] for each in grades["items"]] == [first]
    assert (await api.ok("ines", "GET", "/courses/ppo/trash"))["items"] == [deleted]
    assert await api.ok("ines", "POST", f"/courses/ppo/trash/{second}") == deleted
    grades = await api.ok("sam", "GET", "/courses/ppo/grades")
    assert [each["id"] for each in grades["items"]] == [second]
    for item in (second, ABSENT, "no-id"):
        response = await api("ines", "POST", f"/courses/ppo/trash/{item}")
        assert error(response) == (404, "item")


async def test_a_deleted_assignment_is_gone_with_all_that_is_below_it(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    one = "/courses/ppo/assignments/one"
    await api.ok("ines", "DELETE", one)
    for person in ("sam", "ines", "ada"):
        for path in (one, f"{one}/notebook", f"/submissions/{submission}"):
            assert (await api(person, "GET", path)).code == 404, (person, path)
        for path in ("/courses/ppo/assignments", "/courses/ppo/submissions", "/courses/ppo/grades"):
            assert (await api.ok(person, "GET", path))["total"] == 0, (person, path)
    book = await api.ok("ines", "GET", "/courses/ppo/gradebook")
    assert book["columns"] == []
    assert error(await api("ines", "PUT", one, source)) == (409, "assignment")
    [item] = (await api.ok("ines", "GET", "/courses/ppo/trash"))["items"]
    await api.ok("ines", "POST", f"/courses/ppo/trash/{item['id']}")
    assert (await api.ok("sam", "GET", f"/submissions/{submission}"))["state"] == "graded"


async def test_a_deleted_course_is_there_for_its_admin_only(
    api: Any, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    submission = (await api.submit(answer))["id"]
    await api.graded(submission)
    deleted = await api.ok("ada", "DELETE", "/courses/ppo")
    for person in ("sam", "gil", "ines", "ada"):
        for path in ("/courses/ppo", MEMBERS, f"/submissions/{submission}"):
            assert (await api(person, "GET", path)).code == 404, (person, path)
        assert (await api.ok(person, "GET", "/courses"))["total"] == 0
        assert (await api.ok(person, "GET", "/me"))["courses"] == []
    assert (await api("ines", "GET", "/courses/ppo/trash")).code == 404
    assert (await api.ok("ada", "GET", "/courses/ppo/trash"))["items"] == [deleted]
    assert error(await api("ada", "POST", "/courses", {"name": "ppo"})) == (409, "name")
    assert await api.ok("ada", "POST", "/courses/ppo/restore") == deleted
    assert (await api.ok("sam", "GET", f"/submissions/{submission}"))["state"] == "graded"
    assert error(await api("ada", "POST", "/courses/ppo/restore")) == (409, "course")
