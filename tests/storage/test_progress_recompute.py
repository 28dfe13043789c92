"""States are the fold of the log, whenever it is read, and older work gets a log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Assignment, Course, Role
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import JobQueue, SubmissionStore
from jupyter_ppo.domain.progress_events import EventKind, NewEvent
from jupyter_ppo.domain.progress_records import Recomputed, StudentState
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import Recomputing, stale_people
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AwardRow,
    ProgressEventRow,
    ProgressStateRow,
    RuleEditionRow,
    SubmissionRow,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = minute_of(NOW)
HOUR = timedelta(hours=1)
Graded = Callable[[str, float], UUID]


@pytest.fixture
def recomputing(database: Database) -> Recomputing:
    return Recomputing(database)


@pytest.fixture
def graded(
    submissions: SubmissionStore,
    jobs: JobQueue,
    assignment: Assignment,
    make_grade: Callable[[UUID, float], Grade],
) -> Graded:
    def graded(user: str, points: float) -> UUID:
        made = submissions.submit(assignment, user, "d" * 64, [])
        lease = jobs.lease("worker", HOUR, made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, points))
        return made.id

    return graded


def report(database: Database, course: Course, user: str, minutes: list[int]) -> None:
    data = {"minutes": [MINUTE - each for each in minutes]}
    event = NewEvent(str(new_id()), EventKind.ACTIVE, "first", NOW, data)
    ProgressLog(database).append(course.id, user, [event], NOW)


def states(database: Database, course: Course) -> dict[str, StudentState]:
    store = ProgressStates(database)
    with database.session() as session:
        users = session.scalars(select(ProgressStateRow.user)).all()
    return {user: store.read(course.id, user) for user in users}


def count(database: Database) -> int:
    with database.session() as session:
        return len(session.scalars(select(ProgressEventRow.position)).all())


def test_recomputing_changes_nothing_that_is_right(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    graded("ada", 2.0)
    graded("bob", 1.0)
    report(database, course, "ada", [0, 1])
    before = states(database, course)
    told: list[tuple[int, int]] = []
    made = recomputing.recompute(course.id, progress=lambda *each: told.append(each))
    assert made == Recomputed(2, 5, 0)
    assert told == [(2, 2)]
    assert states(database, course) == before


def test_states_that_are_wrong_or_lost_are_made_anew_from_the_log(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    for user in ("ada", "bob", "cy"):
        graded(user, 2.0)
    right = states(database, course)
    with database.begin() as session:
        session.execute(
            update(ProgressStateRow)
            .where(ProgressStateRow.user == "ada")
            .values(state={"weeks": ["1999-W01"]})
        )
        session.execute(delete(ProgressStateRow).where(ProgressStateRow.user == "bob"))
        made_up = {"position": 9, "state": {"weeks": ["1999-W01"]}, "points": 0.0, "minutes": 0}
        session.execute(
            insert(ProgressStateRow),
            [{"course_id": course.id, "user": "nobody", "updated_at": NOW, **made_up}],
        )
    with database.session() as session:
        assert stale_people(session, course.id) == ["ada", "bob", "nobody"]
    assert recomputing.recompute(course.id) == Recomputed(4, 6, 3)
    assert states(database, course) == right | {"nobody": StudentState("nobody")}
    with database.session() as session:
        assert stale_people(session, course.id) == []


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 40), min_size=1, max_size=5)),
        max_size=10,
    )
)
def test_folding_event_by_event_is_the_same_as_recomputing(
    database: Database,
    course: Course,
    assignment: Assignment,
    reported: list[tuple[str, list[int]]],
) -> None:
    for user, minutes in reported:
        report(database, course, user, minutes)
    with database.session() as session:
        assert stale_people(session, course.id) == []


def test_more_people_than_one_transaction_takes_are_all_done(
    database: Database, course: Course, assignment: Assignment, recomputing: Recomputing
) -> None:
    for number in range(60):
        report(database, course, f"u{number}", [number])
    with database.begin() as session:
        session.execute(update(ProgressStateRow).values(state={}))
    assert recomputing.recompute(course.id) == Recomputed(60, 60, 60)


def forget_log(database: Database) -> None:
    """Make the database one that was just upgraded: no log, no states, no awards."""
    with database.begin() as session:
        for table in (ProgressEventRow, ProgressStateRow, AwardRow):
            session.execute(delete(table))


def test_work_from_before_there_was_a_log_becomes_evidence_once(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    for user in ("ada", "bob"):
        graded(user, 2.0)
    right = states(database, course)
    forget_log(database)
    assert recomputing.add_missing() == 2
    found = states(database, course)
    for user, state in right.items():
        assert found[user].works == state.works
        assert found[user].evidence_weeks == state.evidence_weeks
    assert recomputing.add_missing() == 0
    assert count(database) == 4


def test_evidence_that_the_log_lacks_comes_back_when_it_is_recomputed(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    graded("ada", 2.0)
    forget_log(database)
    report(database, course, "ada", [0])
    assert recomputing.recompute(course.id) == Recomputed(1, 3, 1)
    assert states(database, course)["ada"].works["first"].points["gae"] == 2.0


def test_an_empty_database_has_nothing_to_seed(
    database: Database, course: Course, assignment: Assignment, recomputing: Recomputing
) -> None:
    assert recomputing.add_missing() == 0


def test_adding_what_is_missing_goes_on_where_it_was_ended(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    graded("ada", 2.0)
    forget_log(database)
    graded("bob", 2.0)
    report(database, course, "ada", [0])
    assert recomputing.add_missing() == 1
    assert states(database, course)["ada"].works["first"].points["gae"] == 2.0
    assert count(database) == 5


def test_recomputing_evaluates_achievements(
    database: Database, course: Course, graded: Graded, recomputing: Recomputing
) -> None:
    Rosters(database).put_member(course.id, "ada", Role.STUDENT, PersonChange(), None, by="ida")
    graded("ada", 2.0)
    rule = {
        "id": "weeks",
        "version": 1,
        "title": "One week",
        "description": "A week with evidence.",
        "criteria": [{"kind": "weeks", "data": {"count": 1}}],
    }
    with database.begin() as session:
        session.execute(
            insert(RuleEditionRow),
            [
                {
                    "course_id": course.id,
                    "number": 1,
                    "rules": [rule],
                    "created_at": NOW,
                    "created_by": "ida",
                }
            ],
        )
        session.execute(delete(AwardRow))
    recomputing.recompute(course.id)
    with database.session() as session:
        assert session.scalars(select(AwardRow.rule_id)).all() == ["weeks"]


def test_an_attempt_that_was_changed_behind_the_back_of_the_log_is_found(
    database: Database, course: Course, assignment: Assignment, graded: Graded
) -> None:
    made = graded("ada", 2.0)
    with database.begin() as session:
        session.execute(
            update(SubmissionRow).where(SubmissionRow.id == made).values(released_at=None)
        )
    Recomputing(database).recompute(course.id)
    assert states(database, course)["ada"].works["first"].points == {}
    with database.begin() as session:
        lock_attempts(session, assignment.id)
        settle(session, assignment.id)
    assert count(database) == 3
