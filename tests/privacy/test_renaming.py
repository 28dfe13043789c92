"""Another username for a person: everything of theirs follows, and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from row_filler import Filler
from sqlalchemy import func, select, text, update

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.services.renaming import RenamingService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.personal_data import Erase, columns, name_columns
from jupyter_ppo.storage.progress_recompute import folded
from jupyter_ppo.storage.progress_states import encoded
from jupyter_ppo.storage.renaming import NAMELESS, REWRITTEN, Renamings
from jupyter_ppo.storage.tables import JobRow, ProgressStateRow, SubmissionRow, TrainingRunRow

ADMIN, NEW = Caller("ada", admin=True), "sam.new@uni.example"


@pytest.fixture
def people(known: Any) -> RenamingService:
    """Nothing of the person runs any more."""
    end_work(known.database)
    return RenamingService(Renamings(known.database))


def end_work(database: Database) -> None:
    with database.begin() as session:
        session.execute(update(TrainingRunRow).values(owner=""))
        session.execute(update(JobRow).values(state=JobState.SUCCEEDED))
        session.execute(text("UPDATE trials SET state = 'done', created_at = '2020-01-01'"))
        session.execute(text("UPDATE executions SET expires_at = '2020-01-01'"))


def holders(database: Database, user: str) -> dict[str, int]:
    """Return in how many rows each column that names people has this name."""
    with database.session() as session:
        found = {
            f"{column.table.name}.{column.name}": session.scalar(
                select(func.count()).select_from(column.table).where(column == user)
            )
            for column in name_columns()
        }
    return {name: count for name, count in found.items() if count}


def test_whatever_had_the_old_name_has_the_new_one_and_others_keep_theirs(
    known: Any, people: RenamingService
) -> None:
    before, others = holders(known.database, known.user), holders(known.database, known.other)
    assert len(before) > 12
    people.rename(ADMIN, known.user, NEW)
    after = holders(known.database, NEW)
    assert after.pop("audit_events.user", 0) == before.pop("audit_events.user", 0)
    assert after == before
    assert holders(known.database, known.other) == others
    (event,) = Audit(known.database).events(subject=NEW, offset=0, limit=1).items
    assert (event.user, event.action, event.detail["was"]) == ("ada", "person.renamed", known.user)
    words = known.everything().replace(f"'was': '{known.user}'", "")
    assert known.user not in words


def test_every_column_that_names_people_is_renamed(tmp_path: Path) -> None:
    """A new table is in ``personal_data``, or another test fails; so it is renamed here, too."""
    database = open_database(sqlite_url(tmp_path / "filled.sqlite"))
    with database.begin() as session:
        Filler().fill(session.connection())
        # What the filler writes is no log of progress; the test above has a real one.
        session.execute(text("DELETE FROM progress_states"))
    end_work(database)
    with database.begin() as session:
        for column in name_columns():
            session.execute(update(column.table).values({column: "old"}))
    there = set(holders(database, "old"))
    named = {f"{column.table.name}.{column.name}" for column in name_columns()}
    assert there == named - {"progress_states.user"}
    Renamings(database).rename("old", "new", "ada", dry_run=False)
    assert set(holders(database, "new")) == there
    assert holders(database, "old") == {}
    database.close()


def test_whatever_is_rewritten_for_an_erasure_has_a_decision_for_a_renaming() -> None:
    assert {column.table.name for column in columns(Erase.REWRITE)} == REWRITTEN | NAMELESS


def test_a_dry_run_counts_the_same_and_changes_nothing(known: Any, people: RenamingService) -> None:
    before = known.everything()
    would = people.rename(ADMIN, known.user, NEW, dry_run=True)
    assert known.everything() == before
    assert people.rename(ADMIN, known.user, NEW) == would
    with known.database.session() as session:
        handed_in = session.scalar(
            select(func.count()).select_from(SubmissionRow).where(SubmissionRow.user == NEW)
        )
    assert would["submissions"] == handed_in
    assert would["memberships"] == 1


def test_progress_is_what_the_log_says_under_the_new_name(
    known: Any, people: RenamingService
) -> None:
    people.rename(ADMIN, known.user, NEW)
    with known.database.session() as session:
        row = session.get_one(ProgressStateRow, (known.course.id, NEW))
        ((state, events),) = folded(session, known.course.id, [NEW])
    assert events > 0
    assert (row.position, row.state) == (state.position, encoded(state))


def test_there_and_back_is_as_it_was(known: Any, people: RenamingService) -> None:
    before = holders(known.database, known.user)
    people.rename(ADMIN, known.user, NEW)
    people.rename(ADMIN, NEW, known.user)
    assert holders(known.database, known.user) == before


def test_two_people_do_not_become_one(known: Any, people: RenamingService) -> None:
    before = known.everything()
    with pytest.raises(ConflictError, match=rf"privacy erase {known.other} --confirm") as refused:
        people.rename(ADMIN, known.user, known.other)
    assert refused.value.field == "new"
    assert known.everything() == before


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.LEASED])
def test_what_waits_for_its_grade_is_named(
    known: Any, people: RenamingService, state: JobState
) -> None:
    with known.database.begin() as session:
        done = session.execute(
            update(JobRow).where(JobRow.submission_id == known.released).values(state=state)
        )
        assert done.rowcount == 1
    before = known.everything()
    with pytest.raises(ConflictError, match=f"grading of {known.released}"):
        people.rename(ADMIN, known.user, NEW)
    assert known.everything() == before


def test_a_run_that_a_worker_has_is_named(known: Any, people: RenamingService) -> None:
    with known.database.begin() as session:
        session.execute(
            update(TrainingRunRow).where(TrainingRunRow.id == known.run).values(owner="w")
        )
    with pytest.raises(ConflictError, match=f"training run {known.run}"):
        people.rename(ADMIN, known.user, NEW)


@pytest.mark.parametrize("name", ["", "a/b", " sam", "erased-01234567"])
def test_what_cannot_be_a_username_is_refused(
    known: Any, people: RenamingService, name: str
) -> None:
    with pytest.raises(InvalidInputError):
        people.rename(ADMIN, known.user, name)


def test_nobody_else_may_and_nobody_can_be_renamed_who_is_not_there(
    known: Any, people: RenamingService
) -> None:
    with pytest.raises(ForbiddenError):
        people.rename(Caller(known.user), known.user, NEW)
    with pytest.raises(NotFoundError, match="spelling"):
        people.rename(ADMIN, "nobody-of-that-name", NEW)
    with pytest.raises(InvalidInputError, match="the name that they have"):
        people.rename(ADMIN, known.user, known.user)


def test_an_erasure_afterwards_takes_the_name_of_before_out_too(
    known: Any, people: RenamingService
) -> None:
    people.rename(ADMIN, known.user, NEW)
    Erasures(known.database, known.blobs).erase(NEW, "ada")
    left = known.everything()
    assert known.user not in left
    assert NEW not in left
