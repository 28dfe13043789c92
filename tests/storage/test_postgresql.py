"""What is PostgreSQL's own: its connections, its bounds, and what becomes of work when it dies."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.errors import (
    BusyError,
    InvalidInputError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.storage.connections import ConnectionLimits
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, database_now, open_database
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import CourseRow, JobRow, SubmissionRow

if TYPE_CHECKING:
    from postgresql_server import PostgresqlServer

pytestmark = pytest.mark.postgresql


class UtcNow:
    def now(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def opened(url: str, **limits: float) -> Iterator[Database]:
    with closing(open_database(url, limits=ConnectionLimits(**limits))) as database:  # type: ignore[arg-type]
        yield database


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    with opened(postgresql_url) as database:
        yield database


def add_course(database: Database, then: Callable[[Session], object]) -> None:
    with database.begin() as session:
        session.add(CourseRow(name="ppo", title="PPO", created_at=database_now(session)))
        session.flush()
        then(session)


def test_the_tests_role_is_bound_by_every_rule_of_the_database(database: Database) -> None:
    with database.session() as session:
        rights = text(
            "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert session.scalar(rights) is False


def test_who_finds_every_connection_in_use_waits_a_little_and_is_told_when_to_come_back(
    postgresql_url: str,
) -> None:
    with opened(postgresql_url, connections=2, wait=0.05) as database, ExitStack() as held:
        for transaction in (database.session(), database.begin()):
            held.enter_context(transaction).execute(text("SELECT 1"))
        for transaction in (database.session, database.begin):
            with pytest.raises(BusyError, match="in use") as caught, transaction() as session:
                session.execute(text("SELECT 1"))
            assert caught.value.retry_after > 0
        held.close()
        with database.session() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_no_process_has_more_connections_than_it_may(
    postgresql_url: str, postgresql_server: PostgresqlServer
) -> None:
    with opened(postgresql_url, connections=3, wait=30) as database:
        name = make_url(postgresql_url).database
        most, ended = [0], threading.Event()

        def look() -> None:
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'ppo'"
            with closing(postgresql_server.connect()) as admin:
                while not ended.is_set():
                    [[number]] = admin.execute(count, [name]).fetchall()
                    most[0] = max(most[0], number)

        def ask() -> None:
            for _ in range(5):
                with database.session() as session:
                    session.execute(text("SELECT pg_sleep(0.01)"))

        looking = threading.Thread(target=look)
        asking = [threading.Thread(target=ask) for _ in range(12)]
        for thread in (looking, *asking):
            thread.start()
        for thread in asking:
            thread.join()
        ended.set()
        looking.join()
        assert most == [3]


def test_a_server_without_a_connection_left_is_busy_and_not_gone(
    postgresql_url: str, postgresql_server: PostgresqlServer
) -> None:
    name = make_url(postgresql_url).database
    with opened(postgresql_url, connections=2) as database, ExitStack() as held:
        try:
            held.enter_context(database.session()).execute(text("SELECT 1"))
            postgresql_server.administer(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
            with pytest.raises(BusyError, match="in use"), database.session() as session:
                session.execute(text("SELECT 1"))
        finally:
            postgresql_server.administer(f"ALTER DATABASE {name} CONNECTION LIMIT -1")


def test_a_statement_that_takes_too_long_is_ended_and_changes_nothing(postgresql_url: str) -> None:
    with opened(postgresql_url, statement=0.1) as database:
        with pytest.raises(BusyError, match="took too long"):
            add_course(database, lambda session: session.execute(text("SELECT pg_sleep(60)")))
        assert Courses(database).courses(None, offset=0, limit=9).total == 0


def test_nobody_waits_for_a_lock_for_longer_than_the_bound(postgresql_url: str) -> None:
    with opened(postgresql_url, lock=0.1) as database, database.begin() as holds:
        holds.execute(text("LOCK TABLE courses IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(BusyError, match="takes long"):
            Courses(database).create_course("ppo", "PPO")


def test_a_transaction_that_asks_nothing_for_too_long_is_undone(postgresql_url: str) -> None:
    with opened(postgresql_url, idle=0.1) as database:
        with pytest.raises(UnavailableError, match="does not answer"):
            add_course(database, lambda session: threading.Event().wait(1))
        assert Courses(database).courses(None, offset=0, limit=9).total == 0


def test_two_transactions_that_wait_for_each_other_do_not_wait_for_ever(
    postgresql_url: str,
) -> None:
    with opened(postgresql_url) as database:
        for name in ("one", "two"):
            Courses(database).create_course(name, name)
        both, ends = threading.Barrier(2), list[str]()

        def change(first: str, second: str) -> None:
            lock = text("SELECT id FROM courses WHERE name = :name FOR UPDATE")
            try:
                with database.begin() as session:
                    session.execute(lock, {"name": first})
                    both.wait(30)
                    session.execute(lock, {"name": second})
                ends.append("done")
            except BusyError:
                ends.append("busy")

        threads = [
            threading.Thread(target=change, args=order)
            for order in (("one", "two"), ("two", "one"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ends) == ["busy", "done"]


def test_a_transaction_that_only_reads_cannot_write(database: Database) -> None:
    lock = text("SELECT id FROM courses FOR UPDATE")
    with pytest.raises(DBAPIError, match="read-only"), database.session() as session:
        session.execute(lock)


@pytest.mark.parametrize("value", ["a NUL: \0", "9" * 400_000])
def test_a_value_that_cannot_be_held_is_refused(database: Database, value: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot hold"), database.begin() as session:
        session.execute(text("SELECT CAST(CAST(:value AS text) AS numeric)"), {"value": value})


def test_a_full_disk_is_reported_as_such(database: Database) -> None:
    raised = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$"
    with pytest.raises(StorageFullError, match="nothing was changed"), database.begin() as session:
        session.execute(text(raised))


def test_what_the_address_asks_of_a_connection_goes_before_our_bounds(postgresql_url: str) -> None:
    url = make_url(postgresql_url).update_query_dict({"options": "-c statement_timeout=7000"})
    with opened(url.render_as_string()) as database, database.session() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "7s"


def test_nothing_that_was_acknowledged_is_lost_when_the_database_is_restarted_under_load(
    database: Database, postgresql_server: PostgresqlServer
) -> None:
    """Killed as by ``pg_ctl restart -m immediate``; every client tries again with its key."""
    courses, submissions = Courses(database), Submissions(database, UtcNow())
    course = courses.create_course("ppo", "PPO")
    assignment = courses.release(
        course.id,
        "first",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=[Exercise("gae", CellKind.TESTS, 1.0, 0)],
    )
    acknowledged: dict[str, UUID] = {}
    refusals: list[UnavailableError] = []
    others: list[BaseException] = []
    enough, is_back = threading.Event(), threading.Event()

    def hand_in(user: str) -> None:
        number = after = 0
        # So many that there is work before, during and after the restart.
        while after < 5:
            key = f"{user}-{number}"
            try:
                made = submissions.submit(assignment, user, "d" * 64, [], idempotency_key=key)
            except UnavailableError as error:
                refusals.append(error)
                threading.Event().wait(0.02)
                continue
            except BaseException as error:
                others.append(error)
                return
            acknowledged[key] = made.id
            number += 1
            after += is_back.is_set()
            if len(acknowledged) > 20:
                enough.set()
            threading.Event().wait(0.01)  # a person's attempts are settled together

    users = ("ada", "bob", "cyd", "dan")
    threads = [threading.Thread(target=hand_in, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    postgresql_server.kill()
    postgresql_server.start()
    is_back.set()
    for thread in threads:
        thread.join(60)

    assert others == []
    assert refusals, "the restart was not noticed"
    with database.session() as session:
        kept = {row.idempotency_key: row for row in session.scalars(select(SubmissionRow))}
        assert {key: row.id for key, row in kept.items()} == acknowledged
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == len(kept)
        assert session.scalar(select(func.count()).select_from(JobRow)) == len(kept)
    attempts = Counter(row.user for row in kept.values())
    for user in users:
        numbers = sorted(row.attempt for row in kept.values() if row.user == user)
        assert numbers == list(range(1, attempts[user] + 1))
