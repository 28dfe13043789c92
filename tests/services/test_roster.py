"""Who may change who is in a course, and what is written down of it."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.roster import PersonChange

World = Any
RIGHT = b'{"answer": 42}'


def test_an_instructor_does_not_give_up_the_role_by_accident(course: World, admin: Caller) -> None:
    iris = course.member("iris", Role.INSTRUCTOR)
    for person in (iris, admin):
        with pytest.raises(ConflictError, match="another instructor"):
            course.roster.put_member(person, "rl", person.user, Role.STUDENT)
        with pytest.raises(ConflictError, match="another instructor"):
            course.roster.remove_member(person, "rl", person.user)
    assert course.roster.put_member(admin, "rl", "iris", Role.GRADER).role is Role.GRADER
    assert course.roster.remove_member(admin, "rl", "iris").removed_at is not None
    with pytest.raises(ConflictError):
        course.roster.remove_member(Caller("other", admin=True), "rl", "root")


def test_work_is_kept_when_somebody_leaves_and_comes_back(course: World, admin: Caller) -> None:
    ada = course.member("ada", Role.STUDENT)
    course.roster.put_group(admin, "rl", "lab", ["ada"])
    made = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    course.roster.remove_member(admin, "rl", "ada")
    for look in (
        lambda: course.assessment.course(ada, "rl"),
        lambda: course.assessment.submission(ada, made.id),
        lambda: course.assessment.submit(ada, "rl", "ps1", RIGHT),
    ):
        with pytest.raises(NotFoundError):
            look()
    assert course.assessment.courses(ada, offset=0, limit=9).total == 0
    course.member("ada", Role.STUDENT)
    assert course.assessment.submission(ada, made.id).attempt == 1
    assert course.roster.member(admin, "rl", "ada").groups == ("lab",)


def test_only_instructors_change_the_people_and_only_graders_see_them(course: World) -> None:
    ada, gus = course.member("ada", Role.STUDENT), course.member("gus", Role.GRADER)
    roster = course.roster
    changes = (
        lambda who: roster.put_member(who, "rl", "bob", Role.STUDENT),
        lambda who: roster.remove_member(who, "rl", "gus"),
        lambda who: roster.import_members(who, "rl", b"user\nbob\n"),
        lambda who: roster.put_group(who, "rl", "lab", []),
        lambda who: roster.delete_group(who, "rl", "lab"),
        lambda who: roster.rename_course(who, "rl", "Mine"),
    )
    looks = (
        lambda who: roster.members(who, "rl", offset=0, limit=9),
        lambda who: roster.member(who, "rl", "ada"),
        lambda who: roster.groups(who, "rl", offset=0, limit=9),
    )
    for call in (*changes, *looks):
        with pytest.raises(ForbiddenError):
            call(ada)
        with pytest.raises(NotFoundError, match="no course 'rl'"):
            call(Caller("eve"))
    for call in changes:
        with pytest.raises(ForbiddenError, match="instructor"):
            call(gus)
    for call in looks:
        call(gus)


def test_every_change_is_written_down(course: World, admin: Caller) -> None:
    roster = course.roster
    roster.put_member(admin, "rl", "ada", Role.GRADER, PersonChange("Ada"), ["lab"])
    roster.put_group(admin, "rl", "lab", [])
    roster.delete_group(admin, "rl", "lab")
    roster.import_members(admin, "rl", b"user\nbob\n")
    roster.import_members(admin, "rl", b"user\ncy\n", is_dry=True)
    roster.remove_member(admin, "rl", "ada")
    roster.rename_course(admin, "rl", " RL ")
    events = course.audit.events(offset=0, limit=7).items
    assert [(each.action, each.subject, each.detail) for each in events][::-1] == [
        ("assignment.released", "rl/ps1", events[-1].detail),
        ("member.enrolled", "rl/ada", {"role": "grader", "groups": ["lab"]}),
        ("group.changed", "rl/lab", {"users": []}),
        ("group.deleted", "rl/lab", {"users": []}),
        ("members.imported", "rl", {"added": 1, "changed": 0}),
        ("member.removed", "rl/ada", {}),
        ("course.renamed", "rl", {"title": "RL"}),
    ]


def test_with_one_wrong_line_nobody_of_a_list_is_enrolled(course: World, admin: Caller) -> None:
    made = course.roster.import_members(admin, "rl", b"user,role\nada,student\nbob,boss\n")
    assert (made.added, made.is_applied, made.problem_count) == (1, False, 1)
    page = course.roster.members(admin, "rl", offset=0, limit=9)
    assert [member.user for member in page.items] == ["root"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (PersonChange(first_name="x" * 201), "first_name"),
        (PersonChange(last_name="a\nb"), "last_name"),
        (PersonChange(email="\x00"), "email"),
        (PersonChange(lms_user_id="a\u2028b"), "lms_user_id"),
    ],
)
def test_a_detail_that_cannot_be_shown_is_refused_by_its_name(
    course: World, admin: Caller, change: PersonChange, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        course.roster.put_member(admin, "rl", "ada", Role.STUDENT, change)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["", " lab", "a;b", "a/b", "..", "x" * 101, "a\tb"])
def test_a_name_that_no_list_or_address_can_hold_is_no_group(
    course: World, admin: Caller, name: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        course.roster.put_group(admin, "rl", name, [])
    assert caught.value.field == "group"
    with pytest.raises(InvalidInputError) as caught:
        course.roster.put_member(admin, "rl", "ada", Role.STUDENT, None, [name])
    assert caught.value.field == "groups"


COMPOSED, DECOMPOSED = "\u00e9ric", "e\u0301ric"


def test_two_spellings_of_a_name_are_one_person_and_one_group(course: World, admin: Caller) -> None:
    for name in (COMPOSED, DECOMPOSED):
        course.roster.put_member(admin, "rl", name, Role.STUDENT)
        course.roster.put_group(admin, "rl", name, [COMPOSED, DECOMPOSED])
    members = course.roster.members(admin, "rl", search=DECOMPOSED, offset=0, limit=9).items
    assert [(each.user, each.groups) for each in members] == [(COMPOSED, (COMPOSED,))]
    assert course.roster.member(admin, "rl", DECOMPOSED).user == COMPOSED
    made = course.assessment.submit(Caller(DECOMPOSED), "rl", "ps1", RIGHT)
    assert made.user == COMPOSED
    found = course.assessment.submissions(admin, "rl", user=DECOMPOSED, offset=0, limit=9)
    assert [each.id for each in found.items] == [made.id]
    data = f"user\n{COMPOSED}\n{DECOMPOSED}\n".encode()
    listed = course.roster.import_members(admin, "rl", data)
    assert (listed.problem_count, listed.is_applied) == (1, False)
    course.roster.delete_group(admin, "rl", DECOMPOSED)
    assert course.roster.remove_member(admin, "rl", DECOMPOSED).user == COMPOSED
