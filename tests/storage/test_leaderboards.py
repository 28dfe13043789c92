"""Who is on a leaderboard, and which results of theirs are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment, Course, Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.leaderboards import Leaderboards

MakeGrade = Callable[[UUID, float], Grade]


@pytest.fixture
def leaderboards(database: Database) -> Leaderboards:
    return Leaderboards(database)


@pytest.fixture
def graded(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> Callable[..., None]:
    """Hand in and grade; each exercise has the given records in it."""

    def graded(user: str, *means: object, is_sealed: bool = True, env_id: str = "A-v0") -> None:
        submission = submissions.submit(assignment, user, "d" * 64, ())
        lease = jobs.lease("worker", timedelta(minutes=1), submission.id)
        assert lease is not None
        grade = make_grade(submission.id, 1.0)
        records = tuple({"env_id": env_id, "mean": mean, "episodes": 2} for mean in means)
        first = replace(grade.exercises[0], records=records, is_sealed=is_sealed)
        jobs.succeed(lease, replace(grade, exercises=(first, *grade.exercises[1:])))

    return graded


def test_a_member_is_found_until_they_leave(leaderboards: Leaderboards, course: Course) -> None:
    assert leaderboards.member(course.id, "ada") is None
    joined = leaderboards.join(course.id, "ada", "Quick fox")
    assert leaderboards.member(course.id, "ada") == joined
    renamed = leaderboards.join(course.id, "ada", "quick Fox")
    assert (renamed.pseudonym, renamed.joined_at) == ("quick Fox", joined.joined_at)
    assert leaderboards.leave(course.id, "ada")
    assert not leaderboards.leave(course.id, "ada")
    assert leaderboards.member(course.id, "ada") is None


def test_a_pseudonym_is_taken_in_its_course_only(
    leaderboards: Leaderboards, courses: CourseStore, course: Course
) -> None:
    other = courses.create_course("cv", "Vision")
    leaderboards.join(course.id, "ada", "Quick fox")
    with pytest.raises(ConflictError, match=r"'quick FOX' is taken\. Choose another") as refused:
        leaderboards.join(course.id, "bob", "quick FOX")
    assert refused.value.field == "pseudonym"
    assert leaderboards.member(course.id, "bob") is None
    assert leaderboards.join(other.id, "bob", "quick FOX").pseudonym == "quick FOX"


def test_nobody_goes_by_a_username_not_even_by_their_own(
    leaderboards: Leaderboards, courses: CourseStore, course: Course
) -> None:
    courses.enrol(course.id, "grace", Role.STUDENT)
    for name in ("Grace", "ada"):
        with pytest.raises(ConflictError, match="is taken"):
            leaderboards.join(course.id, "ada", name)


def test_of_many_who_want_one_pseudonym_at_once_one_gets_it(
    leaderboards: Leaderboards, course: Course
) -> None:
    won: list[str] = []

    def join(user: str) -> None:
        with contextlib.suppress(ConflictError):
            won.append(leaderboards.join(course.id, user, "fox").user)

    threads = [threading.Thread(target=join, args=(f"user{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert leaderboards.member(course.id, won[0]) is not None


def test_a_course_that_is_not_there_has_none(leaderboards: Leaderboards) -> None:
    with pytest.raises(NotFoundError):
        leaderboards.join(new_id(), "ada", "fox")


def test_results_are_those_of_members_from_sealed_exercises_of_graded_submissions(
    leaderboards: Leaderboards,
    submissions: SubmissionStore,
    assignment: Assignment,
    course: Course,
    graded: Callable[..., None],
) -> None:
    graded("ada", 5.0, 7.0)
    graded("ada", 6.0)
    graded("ada", 99.0, is_sealed=False)
    graded("bob", 8.0)
    submissions.submit(assignment, "ada", "e" * 64, ())  # not graded yet
    assert leaderboards.results(course.id) == ()
    leaderboards.join(course.id, "ada", "fox")
    found = leaderboards.results(course.id)
    assert sorted(each.mean for each in found) == [5.0, 6.0, 7.0]
    assert {(each.user, each.pseudonym, each.assignment) for each in found} == {
        ("ada", "fox", "first")
    }
    leaderboards.leave(course.id, "ada")
    assert leaderboards.results(course.id) == ()


def test_results_can_be_asked_for_by_assignment_and_environment(
    leaderboards: Leaderboards, course: Course, graded: Callable[..., None]
) -> None:
    leaderboards.join(course.id, "ada", "fox")
    graded("ada", 5.0, env_id="A-v0")
    graded("ada", 6.0, env_id="B-v0")
    for wanted, means in (
        ({"env_id": "B-v0"}, [6.0]),
        ({"assignment": "first", "env_id": "A-v0"}, [5.0]),
        ({"assignment": "second"}, []),
    ):
        found = leaderboards.results(course.id, **wanted)
        assert [each.mean for each in found] == means, wanted


def test_an_environment_that_only_hidden_tests_name_is_left_out(
    leaderboards: Leaderboards, course: Course, graded: Callable[..., None]
) -> None:
    leaderboards.join(course.id, "ada", "fox")
    graded("ada", 5.0, env_id="hidden test")
    assert leaderboards.results(course.id) == ()


def test_a_record_without_a_finite_mean_is_left_out(
    leaderboards: Leaderboards, course: Course, graded: Callable[..., None]
) -> None:
    leaderboards.join(course.id, "ada", "fox")
    graded("ada", float("nan"), float("inf"), None, "500", True, 3)
    [found] = leaderboards.results(course.id)
    assert (found.mean, found.low, found.high, found.episodes) == (3.0, 3.0, 3.0, 2)
