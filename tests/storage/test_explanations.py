"""Explanations that were given: kept for whom they were made, exported, deleted with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.hint_records import NewExplanation
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.tutoring import Caps, ExplanationKind, HintSource, NewCall, Purpose
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.explanations import Explanations
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.personal_records import PersonalRecords
from jupyter_ppo.storage.tables import ExplanationRow

MINUTE = timedelta(minutes=1)


@pytest.fixture
def explanations(database: Database) -> Explanations:
    return Explanations(database)


@pytest.fixture
def new(course: Course, assignment: Assignment) -> NewExplanation:
    return NewExplanation(
        course_id=course.id,
        assignment_id=assignment.id,
        user="ada",
        kind=ExplanationKind.ERROR,
        subject={"error_type": "ValueError", "facts": ["The shapes differ."]},
        source=HintSource.RULE,
        model="",
        text="Two arrays do not fit each other.",
        call_id=None,
    )


def count(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(ExplanationRow)) or 0


def test_an_explanation_is_kept_as_it_was_given(
    explanations: Explanations, new: NewExplanation, database: Database, course: Course
) -> None:
    given = explanations.add(new)
    assert given.new == new
    call = NewCall(
        id=new_id(),
        course_id=course.id,
        assignment_id=None,
        submission_id=None,
        grade_id="",
        user="ada",
        asked_by="ada",
        purpose=Purpose.EXPLANATION,
        template="explanation",
        template_version=1,
        provider="openai",
        model="small-1",
        parameters={},
        prompt=(),
        redactions={},
        flags=(),
        cache_key="k" * 64,
        reserved=1,
    )
    ModelCallLog(database).reserve(call, Caps(9, 9, 9))
    of_model = replace(
        new,
        assignment_id=None,
        kind=ExplanationKind.RUN,
        source=HintSource.MODEL,
        model="small-1",
        call_id=call.id,
    )
    assert explanations.add(of_model).new == of_model
    with database.session() as session:
        row = session.get_one(ExplanationRow, given.id)
        assert (row.subject, row.text, row.at) == (new.subject, new.text, given.at)


def test_the_same_again_is_another_explanation(
    explanations: Explanations, new: NewExplanation, database: Database
) -> None:
    assert explanations.add(new).id != explanations.add(new).id
    assert count(database) == 2


def test_what_a_person_asked_since_a_time_is_counted(
    explanations: Explanations, new: NewExplanation, database: Database
) -> None:
    explanations.add(new)
    explanations.add(replace(new, kind=ExplanationKind.CELL, assignment_id=None))
    explanations.add(replace(new, user="ben"))
    with database.session() as session:
        now = database_now(session)
    assert explanations.asked_since("ada", now - MINUTE) == 2
    assert explanations.asked_since("ben", now - MINUTE) == 1
    assert explanations.asked_since("eve", now - MINUTE) == 0
    assert explanations.asked_since("ada", now + MINUTE) == 0


def test_an_export_has_a_persons_own_explanations_with_their_course(
    explanations: Explanations, new: NewExplanation, database: Database
) -> None:
    given = explanations.add(new)
    explanations.add(replace(new, assignment_id=None, kind=ExplanationKind.CELL, subject={}))
    explanations.add(replace(new, user="ben", text="Somebody else's."))
    first, second = PersonalRecords(database).explanations("ada")
    assert first == {
        "course": "ppo",
        "assignment": "first",
        "kind": "error",
        "subject": {"error_type": "ValueError", "facts": ["The shapes differ."]},
        "source": "rule",
        "model": "",
        "text": new.text,
        "at": first["at"],
    }
    assert str(given.at.year) in str(first["at"])
    assert (second["assignment"], second["kind"]) == (None, "cell")


def test_an_erasure_deletes_a_persons_explanations_and_nobody_elses(
    explanations: Explanations, new: NewExplanation, database: Database, tmp_path: Path
) -> None:
    explanations.add(new)
    explanations.add(new)
    others = explanations.add(replace(new, user="ben"))
    erasure = Erasures(database, FileBlobs(tmp_path / "blobs")).erase("ada", "root")
    assert erasure.counts["explanations"] == 2
    records = PersonalRecords(database)
    for user in ("ada", erasure.stand_in):
        assert list(records.explanations(user)) == []
    with database.session() as session:
        assert session.scalars(select(ExplanationRow.id)).all() == [others.id]
