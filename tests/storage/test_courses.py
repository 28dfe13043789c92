from __future__ import annotations

import threading

import pytest

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database


def release(courses: CourseStore, course: Course, name: str, digit: str = "a") -> Assignment:
    return courses.release(
        course.id,
        name,
        source_digest=digit * 64,
        release_digest="b" * 64,
        exercises=[Exercise("last", CellKind.TASK, 2, 7), Exercise("first", CellKind.TESTS, 1, 2)],
    )


def test_a_course_is_found_by_its_name(courses: CourseStore) -> None:
    made = courses.create_course("ppo", "Proximal Policy Optimization")
    assert courses.course("ppo") == made
    assert made.created_at.utcoffset() is not None
    with pytest.raises(NotFoundError, match="no course 'dqn'"):
        courses.course("dqn")


def test_a_name_is_taken_once(courses: CourseStore) -> None:
    courses.create_course("ppo", "The first")
    with pytest.raises(ConflictError, match="'ppo' already") as caught:
        courses.create_course("ppo", "The second")
    assert caught.value.field == "name"
    assert courses.course("ppo").title == "The first"


def test_courses_are_listed_by_name_in_pages(courses: CourseStore) -> None:
    for name in ("c", "a", "b"):
        courses.create_course(name, name)
    page = courses.courses(None, offset=1, limit=1)
    assert [course.name for course in page.items] == ["b"]
    assert (page.total, page.offset, page.limit) == (3, 1, 1)


def test_a_person_sees_only_the_courses_that_they_are_in(courses: CourseStore) -> None:
    mine, other = courses.create_course("mine", "Mine"), courses.create_course("other", "Other")
    courses.enrol(mine.id, "ada", Role.STUDENT)
    courses.enrol(other.id, "bob", Role.STUDENT)
    page = courses.courses("ada", offset=0, limit=10)
    assert page.items == (mine,)
    assert page.total == 1


def test_enrolling_again_replaces_the_role(courses: CourseStore, course: Course) -> None:
    assert courses.membership(course.id, "ada") is None
    courses.enrol(course.id, "ada", Role.STUDENT)
    enrolled = courses.enrol(course.id, "ada", Role.INSTRUCTOR)
    assert enrolled.role is Role.INSTRUCTOR
    assert courses.membership(course.id, "ada") == enrolled


def test_nobody_can_be_enrolled_in_a_course_that_is_not_there(courses: CourseStore) -> None:
    with pytest.raises(NotFoundError, match="no such course"):
        courses.enrol(new_id(), "ada", Role.STUDENT)


def test_releasing_again_makes_the_next_version_of_the_same_assignment(
    courses: CourseStore, course: Course
) -> None:
    first = release(courses, course, "one", "a")
    second = release(courses, course, "one", "d")
    assert second.id == first.id
    assert (first.version.number, second.version.number) == (1, 2)
    assert courses.assignment(course.id, "one") == second
    assert courses.version(first.version.id) == first.version


def test_exercises_come_in_the_notebooks_order(courses: CourseStore, course: Course) -> None:
    made = release(courses, course, "one")
    assert [exercise.grade_id for exercise in made.version.exercises] == ["first", "last"]
    assert made.version.max_points == 3
    assert courses.assignment(course.id, "one") == made


def test_assignments_are_listed_by_name_with_their_newest_versions(
    courses: CourseStore, course: Course
) -> None:
    release(courses, course, "b")
    newest = [release(courses, course, "a"), release(courses, course, "b")]
    elsewhere = courses.create_course("dqn", "Another course")
    release(courses, elsewhere, "c")
    page = courses.assignments(course.id, offset=0, limit=10)
    assert page.items == tuple(newest)
    assert page.total == 2


def test_what_is_not_there_is_not_found(courses: CourseStore, course: Course) -> None:
    with pytest.raises(NotFoundError, match="no assignment 'one'"):
        courses.assignment(course.id, "one")
    with pytest.raises(NotFoundError):
        courses.version(new_id())
    with pytest.raises(NotFoundError):
        courses.release(
            new_id(), "one", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
        )


def test_releases_at_the_same_moment_get_different_numbers(
    courses: CourseStore, course: Course
) -> None:
    gate = threading.Barrier(6)
    numbers: list[int] = []

    def run() -> None:
        gate.wait()
        numbers.append(release(courses, course, "one").version.number)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_every_course_has_a_secret_of_its_own_that_stays(database: Database) -> None:
    courses = Courses(database)
    one, two = (courses.create_course(name, name).id for name in ("one", "two"))
    assert courses.secret(one) == courses.secret(one) != courses.secret(two)
    assert len(courses.secret(one)) == 32
    with pytest.raises(NotFoundError):
        courses.secret(new_id())
