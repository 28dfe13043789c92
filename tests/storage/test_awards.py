"""Awards in the database: they follow released grades and rules, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select

from jupyter_ppo.domain.achievement_rules import rules_from
from jupyter_ppo.domain.achievements import AchievementRule, Award
from jupyter_ppo.domain.awarding import Evaluation
from jupyter_ppo.domain.courses import Assignment, Course, Role
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.progress_records import StudentState, WorkRecord
from jupyter_ppo.storage.awards import Awards, evaluate
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.progress_states import locked, write_states
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.tables import AwardRow, MembershipRow
from jupyter_ppo.storage.trash import Trash

MakeGrade = Callable[[UUID, float], Grade]
Graded = Callable[[str, float], UUID]
GAE = {"kind": "checks", "data": {"assignment": "first", "grade_ids": ["gae"]}}
BOTH = {"kind": "checks", "data": {"assignment": "first", "grade_ids": ["gae", "loss"]}}


@pytest.fixture
def awards(database: Database) -> Awards:
    return Awards(database)


@pytest.fixture
def graded(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> Graded:
    """Hand in and grade one attempt; "gae" gets ``points`` of 2."""

    def graded(user: str, points: float) -> UUID:
        made = submissions.submit(assignment, user, "d" * 64, [])
        lease = jobs.lease("worker", timedelta(hours=1), made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, points))
        return made.id

    return graded


@pytest.fixture
def ruled(awards: Awards, course: Course) -> Callable[..., Evaluation]:
    """Put rules in force, each with one criterion."""

    def ruled(**criteria: dict[str, Any]) -> Evaluation:
        return awards.add_edition(course.id, made_of(**criteria), "ines")[1]

    return ruled


def made_of(**criteria: dict[str, Any]) -> tuple[AchievementRule, ...]:
    return rules_from(
        [
            {"id": name, "title": name, "description": "D", "criteria": [criterion]}
            for name, criterion in criteria.items()
        ]
    )


def held(awards: Awards, course: Course, user: str = "ada") -> dict[str, Award]:
    found = awards.awards(course.id, user)
    return {award.rule.id: award for award in found if award.revoked_at is None}


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_released_grade_awards_at_once(
    awards: Awards, course: Course, graded: Graded, ruled: Callable[..., Evaluation]
) -> None:
    ruled(gae=GAE)
    graded("ada", 1.5)
    assert held(awards, course) == {}
    submission = graded("ada", 2.0)
    [award] = awards.awards(course.id, "ada")
    assert (award.user, award.course_id, award.rule.id) == ("ada", course.id, "gae")
    [shown] = award.evidence
    assert (shown.assignment, shown.submission_id) == ("first", submission)
    assert shown.points == {"gae": 2.0}
    assert award.revoked_at is None
    assert awards.awards(course.id, "bob") == ()


def test_a_grade_that_is_taken_back_revokes_and_comes_back_in_the_same_place(
    awards: Awards,
    course: Course,
    assignment: Assignment,
    database: Database,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    ruled(gae=GAE)
    graded("ada", 2.0)
    before = held(awards, course)["gae"]
    marks = Marks(database)
    marks.set_released(assignment.id, None, is_released=False, by="gil", reason="A mistake.")
    [revoked] = awards.awards(course.id, "ada")
    assert revoked.revoked_at is not None
    assert revoked.revoked_because == "The grade of first was taken back."
    marks.set_released(assignment.id, None, is_released=True, by="gil", reason="")
    again = held(awards, course)["gae"]
    assert (again.id, again.revoked_because) == (before.id, "")
    assert again.awarded_at >= before.awarded_at


def test_a_submission_in_the_trash_shows_nothing(
    awards: Awards,
    course: Course,
    database: Database,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    ruled(gae=GAE)
    submission = graded("ada", 2.0)
    Trash(database).delete_submission(submission, by="ines")
    assert held(awards, course) == {}


def test_new_rules_are_held_against_everybody_at_once(
    awards: Awards, course: Course, graded: Graded, ruled: Callable[..., Evaluation]
) -> None:
    graded("ada", 2.0)
    graded("bob", 1.0)
    assert ruled(gae=GAE) == Evaluation(awarded=1)
    assert set(held(awards, course)) == {"gae"}
    assert held(awards, course, "bob") == {}
    assert ruled(gae=BOTH) == Evaluation()
    kept = held(awards, course)["gae"]
    assert kept.rule.version == 1
    assert kept.rule.criteria[0].data["grade_ids"] == ["gae"]
    assert ruled() == Evaluation()
    assert set(held(awards, course)) == {"gae"}
    half = {"kind": "chapter", "data": {"assignment": "first", "fraction": 0.1}}
    assert ruled(gae=half) == Evaluation(awarded=1)
    assert held(awards, course, "bob")["gae"].rule.version == 3
    assert held(awards, course)["gae"].rule.version == 1


def test_what_was_kept_under_an_older_rule_is_lost_with_its_grade(
    awards: Awards,
    course: Course,
    database: Database,
    assignment: Assignment,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    graded("ada", 2.0)
    ruled(gae=GAE)
    ruled(gae=BOTH)
    Marks(database).set_released(assignment.id, None, is_released=False, by="gil", reason="")
    assert held(awards, course) == {}


def test_staff_and_those_who_left_are_passed_over(
    awards: Awards,
    course: Course,
    courses: CourseStore,
    database: Database,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    courses.enrol(course.id, "ada", Role.STUDENT)
    courses.enrol(course.id, "ines", Role.INSTRUCTOR)
    courses.enrol(course.id, "gone", Role.STUDENT)
    for user in ("ada", "ines", "gone", "owner"):
        graded(user, 2.0)
    Rosters(database).remove_member(course.id, "gone")
    assert ruled(gae=GAE) == Evaluation(awarded=2)
    having = [user for user in ("ada", "ines", "gone", "owner") if held(awards, course, user)]
    assert having == ["ada", "owner"]  # an admin's own work needs no membership


def test_one_person_of_many_is_evaluated_alone(
    awards: Awards, course: Course, graded: Graded, ruled: Callable[..., Evaluation]
) -> None:
    graded("ada", 2.0)
    graded("bob", 2.0)
    ruled(gae=GAE)
    assert awards.evaluate(course.id, ["ada"]) == Evaluation()
    assert awards.evaluate(course.id, []) == Evaluation()
    assert awards.evaluate(course.id) == Evaluation()
    assert awards.evaluate(course.id, ["nobody"]) == Evaluation()


def test_awards_of_another_course_are_left_alone(
    awards: Awards,
    courses: CourseStore,
    course: Course,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    other = courses.create_course("cv", "Vision")
    graded("ada", 2.0)
    ruled(gae=GAE)
    awards.add_edition(other.id, made_of(gae=GAE), "ines")
    assert awards.awards(other.id, "ada") == ()
    assert set(held(awards, course)) == {"gae"}


def test_the_holder_of_an_award_is_found_with_course_and_address(
    awards: Awards,
    courses: CourseStore,
    course: Course,
    database: Database,
    graded: Graded,
    ruled: Callable[..., Evaluation],
) -> None:
    ruled(gae=GAE)
    graded("ada", 2.0)
    [award] = awards.awards(course.id, "ada")
    found = awards.holder(award.id)
    assert (found.award, found.course) == (award, "Proximal Policy Optimization")
    assert found.email == ""
    courses.enrol(course.id, "ada", Role.STUDENT)
    with database.begin() as session:
        session.get_one(MembershipRow, (course.id, "ada")).email = "ada@example.edu"
    assert awards.holder(award.id).email == "ada@example.edu"
    with pytest.raises(NotFoundError):
        awards.holder(new_id())


def test_a_large_class_takes_as_many_queries_as_one(
    awards: Awards, course: Course, database: Database, assignment: Assignment
) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    criteria = {f"rule-{number}": GAE for number in range(3)}
    awards.add_edition(course.id, made_of(**criteria), "ines")

    def evaluated(users: list[str], points: float) -> int:
        with database.begin() as session:
            states = locked(session, course.id, users)
            for state in states.values():
                state.works["first"] = WorkRecord(
                    submission_id=new_id(), graded_at=now, points={"gae": points}
                )
            write_states(session, course.id, states.values(), now)
            with statements(database) as seen:
                evaluate(session, course.id, users)
        return len(seen)

    one = evaluated(["ada"], 2.0)
    many = [f"user{number}" for number in range(600)]
    assert evaluated(many, 2.0) <= one
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(AwardRow)) == 1803
    assert evaluated(many, 1.0) <= one
    with database.session() as session:
        kept = select(func.count()).where(AwardRow.revoked_at.is_(None))
        assert session.scalar(kept) == 3


def test_a_state_without_anything_is_no_evidence(awards: Awards, course: Course) -> None:
    assert awards.evidence(course.id, "ada").works == {}
    assert StudentState("ada").works == {}
