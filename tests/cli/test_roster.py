"""People and the trash from a terminal."""

from __future__ import annotations

import re
from typing import Any

Cli = Any


def test_a_list_of_people_is_tried_taken_and_written_again(released: Cli) -> None:
    path = released.home / "people.csv"
    path.write_text("user,first_name,groups\nbob,Bob,lab;late\n=cy,Cy,\n", encoding="utf-8")
    said = released.ok("course", "import", "rl", str(path), "--dry-run")
    assert said == "would be: 2 added, 0 changed, 0 as they were\n"
    assert released.ok("course", "import", "rl", str(path)) == (
        "2 added, 0 changed, 0 as they were\n"
    )
    assert released.ok("course", "people", "rl") == (
        "=cy\tstudent\tCy\nada\tinstructor\nbob\tstudent\tBob\t\tlab, late\n"
    )
    assert released.ok("course", "people", "rl", "--search", "BOB", "--group", "lab") == (
        "bob\tstudent\tBob\t\tlab, late\n"
    )
    path.write_text(released.ok("course", "people", "rl", "--csv"), encoding="utf-8")
    assert "'=cy,student,Cy" in path.read_text(encoding="utf-8")
    assert released.ok("course", "import", "rl", str(path)) == (
        "0 added, 0 changed, 3 as they were\n"
    )


def test_a_list_with_problems_ends_with_them_and_changes_nothing(released: Cli) -> None:
    path = released.home / "people.csv"
    path.write_text("user,role\nbob,student\ncy,boss\n" + "cy,admin\n" * 200, encoding="utf-8")
    status, out, err = released("course", "import", "rl", str(path))
    assert (status, out) == (1, "")
    assert err.startswith("line 3: role: 'boss' is none. Use student, grader, instructor.\n")
    assert "\nand 101 more\nerror: nothing was changed." in err
    assert released.ok("course", "people", "rl", "--search", "bob") == ""


def test_people_are_enrolled_in_groups_and_taken_out(released: Cli) -> None:
    words = ("--role", "grader", "--first-name", "Bob", "--groups", "lab, late")
    assert released.ok("course", "enrol", "rl", "bob", *words) == "bob is a grader of rl\n"
    assert released.ok("course", "group", "rl") == "lab\tbob\nlate\tbob\n"
    assert released.ok("course", "group", "rl", "lab", "--set", "ada") == "lab\tada\n"
    assert released.ok("course", "group", "rl", "lab") == "lab\tada\n"
    assert released.ok("course", "group", "rl", "lab", "--delete") == "group lab deleted\n"
    assert released.ok("course", "group", "rl") == "late\tbob\n"
    assert "work is kept" in released.ok("course", "unenrol", "rl", "bob")
    assert released.ok("course", "people", "rl") == "ada\tinstructor\n"
    status, _, err = released("course", "unenrol", "rl", "ada")
    assert status == 1
    assert "ask another instructor" in err
    assert released.ok("course", "rename", "rl", "Deep RL") == "rl is called Deep RL now\n"


def test_what_is_deleted_comes_back(released: Cli, right: str) -> None:
    said = released.ok("trash", "delete-assignment", "rl", "ps1")
    [item] = re.findall(r"jupyter ppo trash restore rl (\S+) brings it back", said)
    assert released.ok("trash", "list", "rl").startswith(f"{item}\tassignment\tps1\t")
    notebook = released.write("mine.ipynb", right)
    status, _, err = released("submit", "rl", "ps1", notebook)
    assert status == 1
    assert "no assignment 'ps1'" in err
    assert released.ok("trash", "restore", "rl", item) == "assignment ps1 restored\n"
    assert released.ok("trash", "list", "rl") == ""
    assert "trash restore rl brings it back" in released.ok("trash", "delete-course", "rl")
    assert released.ok("course", "list") == ""
    assert "\tcourse\trl\t" in released.ok("trash", "list")
    assert released.ok("trash", "restore", "rl") == "course rl restored\n"
    received = released.ok("submit", "rl", "ps1", notebook)
    [submission] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", received)[:1]
    said = released.ok("trash", "delete-submission", submission)
    assert said.startswith("submission ps1, attempt 1 of ada deleted")
    assert released.ok("trash", "restore", "rl", submission).endswith("of ada restored\n")
    status, _, err = released("trash", "restore", "rl", "nonsense")
    assert status == 1
    assert "'nonsense' is not an id" in err
