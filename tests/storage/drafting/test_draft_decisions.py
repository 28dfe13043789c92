"""What people decide of drafts: once, together with their record, and under their own name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.entries import AuthorKind, OutcomeState
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
)
from jupyter_ppo.domain.marking import MarkingState
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import SubmissionStore
from jupyter_ppo.domain.tutoring import (
    DraftDecision,
    DraftState,
)
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.personal_records import PersonalRecords

MARKED = MarkingState.MARKED
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORDS = "Says that the ratio is clipped."


def decision(state: DraftState = DraftState.APPROVED, by: str = "gil") -> DraftDecision:
    return DraftDecision(state, by, NOW, 2.0, "idea: full", "", 0.25)


# -- decisions -----------------------------------------------------------------------------------


def test_an_approval_is_a_mark_of_the_person_in_one_step(
    drafts: Drafts, answered: Any, drafted: Any, submissions: SubmissionStore
) -> None:
    ada = answered()
    draft = drafted(ada)
    done = drafts.decide_mark(draft.id, decision(), Mark(2.0, comment="idea: full"))
    assert done == drafts.draft(draft.id)
    assert done.decision is not None
    # The time is the database's, whatever the caller's clock says.
    assert replace(done.decision, at=NOW) == decision()
    assert done.state is DraftState.APPROVED
    assert done.new == draft.new
    grade = submissions.grade(ada)
    assert grade is not None
    mark = next(each.mark for each in grade.exercises if each.grade_id == "why")
    assert mark is not None
    assert (mark.points, mark.marked_by, mark.revision) == (2.0, "gil", 1)


@pytest.mark.parametrize("state", [DraftState.APPROVED, DraftState.REJECTED])
def test_a_draft_is_decided_once(
    drafts: Drafts, answered: Any, drafted: Any, state: DraftState
) -> None:
    draft = drafted(answered())
    if state is DraftState.REJECTED:
        drafts.reject(draft.id, decision(state))
    else:
        drafts.decide_mark(draft.id, decision(state), Mark(2.0))
    attempts: tuple[Callable[[], object], ...] = (
        lambda: drafts.reject(draft.id, decision(DraftState.REJECTED, "ines")),
        lambda: drafts.decide_mark(draft.id, decision(by="ines"), Mark(1.0, revision=1)),
        lambda: drafts.decide_outcome(draft.id, decision(by="ines"), [], seen=0),
    )
    for again in attempts:
        with pytest.raises(ConflictError, match=f"gil has {state} this draft already") as error:
            again()
        assert error.value.field == "state"
    kept = drafts.draft(draft.id).decision
    assert kept is not None
    assert kept.by == "gil"


def test_of_many_who_decide_at_once_one_does(drafts: Drafts, answered: Any, drafted: Any) -> None:
    draft = drafted(answered())
    gate = threading.Barrier(4)

    def decide(by: str) -> str | None:
        gate.wait(30)
        try:
            drafts.decide_mark(draft.id, decision(by=by), Mark(2.0))
        except ConflictError:
            return None
        return by

    with ThreadPoolExecutor(4) as pool:
        came = [each for each in pool.map(decide, "abcd") if each]
    kept = drafts.draft(draft.id).decision
    assert kept is not None
    assert came == [kept.by]


def test_a_mark_that_cannot_be_written_leaves_the_draft_open(
    drafts: Drafts, answered: Any, drafted: Any
) -> None:
    draft = drafted(answered())
    with pytest.raises(InvalidInputError, match="3"):
        drafts.decide_mark(draft.id, decision(), Mark(3.5))
    assert drafts.draft(draft.id).decision is None


def test_an_outcome_is_decided_with_all_of_its_revisions_or_with_none(
    outcome: Any,
    drafts: Drafts,
    drafted: Any,
    entry: Assignment,
    submissions: SubmissionStore,
    database: Database,
) -> None:
    outcomes = Outcomes(database)
    made = submissions.submit(entry, "ada", "d" * 64, []).id
    draft = drafted(made, "", of=entry)
    unapproved = outcome(made, state=OutcomeState.DRAFT, approved_by=None)
    revisions = [(unapproved, None), (outcome(made), None)]
    assert drafts.decide_outcome(draft.id, decision(), revisions, seen=1) is None
    assert outcomes.outcome(made) is None
    assert drafts.draft(draft.id).decision is None
    done = drafts.decide_outcome(draft.id, decision(), revisions, seen=0)
    assert done is not None
    assert done.state is DraftState.APPROVED
    kept = outcomes.outcome(made)
    assert kept is not None
    assert (kept.revision, kept.author_kind, kept.approved_by) == (2, AuthorKind.PROGRAM, "gil")
    assert outcomes.revisions(made, offset=0, limit=9).total == 2


# -- privacy -------------------------------------------------------------------------------------


def test_no_export_has_a_draft_and_an_erasure_takes_its_words(
    drafts: Drafts, answered: Any, drafted: Any, database: Database, tmp_path: Path
) -> None:
    open_one, decided = drafted(answered()), drafted(answered("ben"))
    drafts.decide_mark(decided.id, decision(by="ada"), Mark(2.0, comment="idea: full"))
    records = PersonalRecords(database)
    for read in (records.submissions, records.as_staff):
        assert WORDS not in str(list(read("ada")))
    erasure = Erasures(database, FileBlobs(tmp_path / "blobs")).erase("ada", "root")
    theirs, others = drafts.draft(open_one.id), drafts.draft(decided.id)
    assert theirs.new.results == ()
    assert (theirs.user, theirs.new.agreement) == (erasure.stand_in, open_one.new.agreement)
    assert others.new == decided.new  # another student's draft stays; who decided it is renamed
    assert others.decision is not None
    assert (others.decision.by, others.decision.comment) == (erasure.stand_in, "idea: full")


# -- what students are told ----------------------------------------------------------------------


def drafted_for_student(submissions: SubmissionStore, submission_id: UUID) -> bool:
    grade = submissions.grade(submission_id)
    assert grade is not None
    (mark,) = [each.mark for each in grade.for_student().exercises if each.mark is not None]
    assert mark.marked_by == ""
    return mark.is_drafted


@pytest.mark.parametrize("state", [DraftState.APPROVED, DraftState.EDITED])
def test_a_mark_with_the_words_of_a_draft_says_so_until_a_person_writes_others(
    drafts: Drafts,
    answered: Any,
    drafted: Any,
    marks: Marks,
    submissions: SubmissionStore,
    state: DraftState,
) -> None:
    ada, ben = answered(), answered("ben")
    draft = drafted(ada)
    drafts.decide_mark(draft.id, decision(state), Mark(2.0, comment="idea: full"))
    marks.put(ben, "why", Mark(2.0, comment="idea: full"), by="gil")
    assert drafted_for_student(submissions, ada)
    assert not drafted_for_student(submissions, ben)
    (key,) = [
        each
        for each in marks.keys(draft.assignment_id, grade_id="why", state=MARKED)
        if each.user == "ada"
    ]
    (listed,) = marks.exercises([key])
    assert listed is not None
    assert listed.mark is not None
    assert listed.mark.is_drafted
    marks.put(ada, "why", Mark(1.0, comment="idea: full", revision=1), by="gil")
    assert drafted_for_student(submissions, ada)  # other points, the same words
    marks.put(ada, "why", Mark(1.0, comment="Half of it.", revision=2), by="gil")
    assert not drafted_for_student(submissions, ada)


def test_a_rejected_draft_leaves_a_persons_mark_their_own(
    drafts: Drafts, answered: Any, drafted: Any, marks: Marks, submissions: SubmissionStore
) -> None:
    ada = answered()
    drafts.reject(drafted(ada).id, decision(DraftState.REJECTED))
    marks.put(ada, "why", Mark(2.0, comment="idea: full"), by="gil")
    assert not drafted_for_student(submissions, ada)
