"""Memberships follow the hub's groups; what a request may do follows the token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.enrolment import EnrolmentService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.trash import Trash


@dataclass
class Room:
    courses: Courses
    rosters: Rosters
    trash: Trash
    enrolment: EnrolmentService
    now: list[float]

    def roles(self, course: str) -> dict[str, Role]:
        page = self.rosters.members(self.courses.course(course).id, offset=0, limit=50)
        return {member.user: member.role for member in page.items}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    database = open_database(sqlite_url(tmp_path / "x.sqlite"))
    courses, rosters, now = Courses(database), Rosters(database), [0.0]
    enrolment = EnrolmentService(
        courses=courses, rosters=rosters, audit=Audit(database), clock=lambda: now[0]
    )
    return Room(courses, rosters, Trash(database), enrolment, now)


def test_a_course_is_made_when_its_instructor_comes_and_not_for_a_student(room: Room) -> None:
    student = {"rl": Role.STUDENT}
    assert room.enrolment.grants("stu", student, student) == {}
    instructor = {"rl": Role.INSTRUCTOR}
    assert room.enrolment.grants("ines", instructor, student) == {}  # a token of a student's worth
    granted = room.enrolment.grants("ines", instructor, instructor)
    assert granted == {room.courses.course("rl").id: Role.INSTRUCTOR}
    assert room.enrolment.grants("stu", student, student) == {
        room.courses.course("rl").id: Role.STUDENT
    }
    assert room.roles("rl") == {"ines": Role.INSTRUCTOR, "stu": Role.STUDENT}


def test_the_membership_is_the_groups_and_the_grant_the_tokens(room: Room) -> None:
    room.courses.create_course("rl", "RL")
    course = room.courses.course("rl").id
    granted = room.enrolment.grants("ines", {"rl": Role.INSTRUCTOR}, {"rl": Role.STUDENT})
    assert granted == {course: Role.STUDENT}
    assert room.roles("rl") == {"ines": Role.INSTRUCTOR}
    access = Access(room.courses)
    assert access.role_in(Caller("ines", grants=granted), course) is Role.STUDENT
    assert access.role_in(Caller("ines"), course) is Role.INSTRUCTOR
    with pytest.raises(NotFoundError):
        access.course(Caller("ines", grants={}), "rl")


def test_who_leaves_a_group_leaves_the_class_and_is_back_when_they_return(room: Room) -> None:
    room.courses.create_course("rl", "RL")
    student = {"rl": Role.STUDENT}
    room.enrolment.grants("stu", student, student)
    assert room.enrolment.grants("stu", {}, {}) == {}
    assert room.roles("rl") == {}
    room.enrolment.grants("stu", student, student)
    assert room.roles("rl") == {"stu": Role.STUDENT}


def test_a_change_of_role_is_taken_over(room: Room) -> None:
    for role in (Role.INSTRUCTOR, Role.GRADER, Role.STUDENT):
        granted = room.enrolment.grants("ines", {"rl": role}, {"rl": role})
        assert granted == {room.courses.course("rl").id: role}
        assert room.roles("rl") == {"ines": role}


def test_the_last_instructor_stays_in_the_list_and_may_do_nothing(room: Room) -> None:
    instructor = {"rl": Role.INSTRUCTOR}
    room.enrolment.grants("ines", instructor, instructor)
    assert room.enrolment.grants("ines", {}, {}) == {}
    assert room.roles("rl") == {"ines": Role.INSTRUCTOR}


def test_a_course_in_the_trash_is_neither_shown_nor_made_again(room: Room) -> None:
    instructor = {"rl": Role.INSTRUCTOR}
    room.enrolment.grants("ines", instructor, instructor)
    room.trash.delete_course(room.courses.course("rl").id, by="ada")
    room.now[0] += 100
    assert room.enrolment.grants("ines", instructor, instructor) == {}
    with pytest.raises(NotFoundError):
        room.courses.course("rl")


def test_what_the_roster_changed_by_hand_is_put_right_within_a_minute(room: Room) -> None:
    room.courses.create_course("rl", "RL")
    student = {"rl": Role.STUDENT}
    room.enrolment.grants("stu", student, student)
    room.courses.enrol(room.courses.course("rl").id, "stu", Role.GRADER)
    assert room.enrolment.grants("stu", student, student) == {
        room.courses.course("rl").id: Role.STUDENT
    }
    room.now[0] += 61
    room.enrolment.grants("stu", student, student)
    assert room.roles("rl") == {"stu": Role.STUDENT}


def test_what_is_remembered_is_what_was_granted_and_nothing_else(room: Room) -> None:
    room.courses.create_course("rl", "RL")
    student, grader = {"rl": Role.STUDENT}, {"rl": Role.GRADER}
    assert room.enrolment.remembered("stu", student, student) is None
    granted = room.enrolment.grants("stu", student, student)
    assert room.enrolment.remembered("stu", student, student) == granted
    assert room.enrolment.remembered("stu", grader, student) is None
    assert room.enrolment.remembered("sue", student, student) is None
    assert room.enrolment.remembered("stu", student, {}) == {}
    room.now[0] = 61.0
    assert room.enrolment.remembered("stu", student, student) is None
