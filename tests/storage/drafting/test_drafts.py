"""Drafts in the database: kept as they were made, decided once, never written over people."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.draft_records import AnswerKey, DraftLease
from jupyter_ppo.domain.entries import AuthorKind, OutcomeState
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    LeaseLostError,
    NotFoundError,
)
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.domain.tutoring import (
    DraftDecision,
    DraftState,
    Flag,
    ItemState,
)
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.trash import Trash

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def decision(state: DraftState = DraftState.APPROVED, by: str = "gil") -> DraftDecision:
    return DraftDecision(state, by, NOW, 2.0, "idea: full", "", 0.25)


# -- round trips ---------------------------------------------------------------------------------


def test_a_draft_comes_back_as_it_was_made(
    new_draft: Any,
    drafts: Drafts,
    answered: Any,
    leased: Any,
    batches: DraftBatches,
    assignment: Assignment,
) -> None:
    lease = leased(answered())
    made = new_draft(lease, state=DraftState.FLAGGED, flags=(Flag.EVIDENCE, Flag.PRESSURE))
    draft = drafts.finish(lease, made)
    assert draft is not None
    assert drafts.draft(draft.id) == draft
    assert draft.new == made
    assert (draft.user, draft.number, draft.decision) == ("ada", 1, None)
    assert (draft.course_id, draft.assignment_id) == (assignment.course_id, assignment.id)
    assert draft.is_released
    assert batches.batch(lease.batch_id).counts == {ItemState.DONE: 1}


def test_a_draft_that_no_model_could_write_holds_nothing_but_its_flags(
    drafts: Drafts, answered: Any, drafted: Any
) -> None:
    empty = drafted(
        answered(), state=DraftState.FLAGGED, results=(), agreement=0.0, flags=(Flag.UNUSABLE,)
    )
    found = drafts.draft(empty.id).new
    assert (found.results, found.flags) == ((), (Flag.UNUSABLE,))


def test_what_is_not_there_is_not_found(drafts: Drafts, assignment: Assignment) -> None:
    with pytest.raises(NotFoundError, match="no such draft"):
        drafts.draft(uuid4())
    with pytest.raises(NotFoundError, match="no such draft"):
        drafts.reject(uuid4(), decision(DraftState.REJECTED))
    assert drafts.of_answers(assignment.id, "why", [uuid4()]) == {}
    assert drafts.undecided(assignment.id, ["why"]) == 0


def test_of_one_answer_the_newest_draft_counts(
    drafts: Drafts, answered: Any, drafted: Any, assignment: Assignment
) -> None:
    ada, ben = answered(), answered("ben")
    first = drafted(ada)
    second = drafted(ada, agreement=1.0)
    other = drafted(ben)
    assert [first.number, second.number, other.number] == [1, 2, 1]
    assert drafts.of_answers(assignment.id, "why", [ada, ben]) == {ada: second, ben: other}
    assert drafts.of_answers(assignment.id, "why", [ben]) == {ben: other}
    assert drafts.of_answers(assignment.id, "loss", [ada]) == {}
    page = drafts.queue(assignment.id, grade_id=None, state="open", offset=0, limit=9)
    assert {each.id for each in page.items} == {second.id, other.id}
    with pytest.raises(ConflictError, match="newer draft") as error:
        drafts.reject(first.id, decision(DraftState.REJECTED))
    assert error.value.field == "state"


def test_the_queue_has_flagged_drafts_first_then_least_agreement_then_the_oldest(
    drafts: Drafts, answered: Any, drafted: Any, assignment: Assignment
) -> None:
    sure = drafted(answered("s1"), agreement=1.0)
    unsure = drafted(answered("s2"), agreement=1 / 3)
    flagged = drafted(answered("s3"), agreement=1.0, state=DraftState.FLAGGED)
    later = drafted(answered("s4"), agreement=1 / 3)
    page = drafts.queue(assignment.id, grade_id="why", state="open", offset=0, limit=3)
    assert page.total == 4
    assert [each.id for each in page.items] == [flagged.id, unsure.id, later.id]
    rest = drafts.queue(assignment.id, grade_id="why", state="open", offset=3, limit=3)
    assert [each.id for each in rest.items] == [sure.id]
    assert drafts.queue(assignment.id, grade_id="gae", state="open", offset=0, limit=3).total == 0


def test_the_queue_can_be_narrowed_to_what_is_open_or_decided(
    drafts: Drafts, answered: Any, drafted: Any, assignment: Assignment
) -> None:
    open_one, rejected = drafted(answered("s1")), drafted(answered("s2"))
    drafts.reject(rejected.id, decision(DraftState.REJECTED))

    def ids(state: str) -> set[UUID]:
        page = drafts.queue(assignment.id, grade_id=None, state=state, offset=0, limit=9)
        assert page.total == len(page.items)
        return {each.id for each in page.items}

    assert ids("open") == {open_one.id}
    assert ids("decided") == {rejected.id}
    assert ids("all") == {open_one.id, rejected.id}
    assert drafts.undecided(assignment.id, ["why"]) == 1
    assert drafts.undecided(assignment.id, ["gae"]) == 0


def test_the_queue_holds_attempts_that_count_only(
    drafts: Drafts, answered: Any, drafted: Any, assignment: Assignment, database: Database
) -> None:
    old = drafted(answered())
    counting = drafted(answered())
    assert old.new.submission_id != counting.new.submission_id
    page = drafts.queue(assignment.id, grade_id=None, state="all", offset=0, limit=9)
    assert [each.id for each in page.items] == [counting.id]
    Trash(database).delete_submission(counting.new.submission_id, "ines")
    page = drafts.queue(assignment.id, grade_id=None, state="all", offset=0, limit=9)
    assert [each.id for each in page.items] == [old.id]


def test_the_answers_are_those_by_hand_of_members_whose_tests_have_run(
    drafts: Drafts,
    answered: Any,
    assignment: Assignment,
    courses: CourseStore,
    submissions: SubmissionStore,
    database: Database,
) -> None:
    ada = answered()
    answered("gone")
    Rosters(database).remove_member(assignment.course_id, "gone")
    courses.enrol(assignment.course_id, "ben", Role.STUDENT)
    submissions.submit(assignment, "ben", "d" * 64, [])  # no tests have run yet
    assert list(drafts.answers(assignment.id)) == [AnswerKey(ada, "ada", "why")]


def test_an_entry_is_one_answer(
    drafts: Drafts, entry: Assignment, courses: CourseStore, submissions: SubmissionStore
) -> None:
    courses.enrol(entry.course_id, "ada", Role.STUDENT)
    made = submissions.submit(entry, "ada", "d" * 64, [])
    assert list(drafts.answers(entry.id)) == [AnswerKey(made.id, "ada", "")]


# -- people come first ---------------------------------------------------------------------------


def test_an_answer_that_a_person_marked_meanwhile_gets_no_draft(
    new_draft: Any, drafts: Drafts, answered: Any, leased: Any, marks: Marks, batches: DraftBatches
) -> None:
    ada = answered()
    lease = leased(ada)
    marks.put(ada, "why", Mark(1.5, comment="Mine."), by="ines")
    assert drafts.finish(lease, new_draft(lease)) is None
    assert batches.batch(lease.batch_id).counts == {ItemState.SKIPPED: 1}
    assert drafts.of_answers(lease.assignment_id, "why", [ada]) == {}
    assert drafts.judged(lease.assignment_id) == {(ada, "why")}


def test_a_comment_without_points_keeps_no_draft_away(
    drafts: Drafts, answered: Any, drafted: Any, marks: Marks, assignment: Assignment
) -> None:
    ada = answered()
    marks.put(ada, "why", Mark(None, comment="Look at this later."), by="ines")
    assert drafted(ada).number == 1
    assert drafts.judged(assignment.id) == frozenset()


def test_a_draft_to_calibrate_is_made_of_a_marked_answer_and_the_mark_stays(
    new_draft: Any,
    drafts: Drafts,
    answered: Any,
    leased: Any,
    marks: Marks,
    submissions: SubmissionStore,
) -> None:
    ada = answered()
    marks.put(ada, "why", Mark(1.5, comment="Mine."), by="ines")
    lease = leased(ada, for_calibration=True)
    draft = drafts.finish(lease, new_draft(lease))
    assert draft is not None
    with pytest.raises(EditConflictError) as error:
        drafts.decide_mark(draft.id, decision(), Mark(2.0, comment="drafted"))
    assert error.value.theirs["points"] == 1.5
    assert drafts.draft(draft.id).decision is None
    stored = submissions.grade(ada)
    assert stored is not None
    mark = next(each.mark for each in stored.exercises if each.grade_id == "why")
    assert mark is not None
    assert (mark.points, mark.comment, mark.marked_by) == (1.5, "Mine.", "ines")


def test_an_entry_whose_outcome_a_person_wrote_or_changed_gets_no_draft(
    outcome: Any,
    new_draft: Any,
    drafts: Drafts,
    leased: Any,
    entry: Assignment,
    submissions: SubmissionStore,
    database: Database,
) -> None:
    outcomes = Outcomes(database)
    programs = submissions.submit(entry, "ada", "d" * 64, []).id
    outcomes.write(outcome(programs, state=OutcomeState.DRAFT, approved_by=None), seen=0)
    assert drafts.judged(entry.id) == frozenset()
    lease = leased(programs, "", of=entry)
    assert drafts.finish(lease, new_draft(lease)) is not None
    for user, touched in (
        ("ben", {"author_kind": AuthorKind.PERSON, "author": "gil"}),
        ("cid", {"changed_by": "gil"}),
    ):
        made = submissions.submit(entry, user, "d" * 64, []).id
        lease = leased(made, "", of=entry)
        outcomes.write(outcome(made, state=OutcomeState.DRAFT, **touched), seen=0)
        assert drafts.finish(lease, new_draft(lease)) is None
        assert (made, "") in drafts.judged(entry.id)
        kept = outcomes.outcome(made)
        assert kept is not None
        assert kept.revision == 1


def test_of_a_mark_and_a_draft_at_the_same_moment_the_mark_stays(
    new_draft: Any,
    drafts: Drafts,
    answered: Any,
    leased: Any,
    marks: Marks,
    submissions: SubmissionStore,
) -> None:
    for number in range(6):
        one = answered(f"s{number}")
        lease = leased(one)
        gate = threading.Barrier(2)

        def mark(one: UUID = one, gate: threading.Barrier = gate) -> None:
            gate.wait(30)
            marks.put(one, "why", Mark(1.0), by="ines")

        def draft(lease: DraftLease = lease, gate: threading.Barrier = gate) -> object:
            gate.wait(30)
            return drafts.finish(lease, new_draft(lease))

        with ThreadPoolExecutor(2) as pool:
            writing, drafting = pool.submit(mark), pool.submit(draft)
            writing.result(30)
            found: Any = drafting.result(30)
        grade = submissions.grade(one)
        assert grade is not None
        kept = next(each.mark for each in grade.exercises if each.grade_id == "why")
        assert kept is not None
        assert kept.points == 1.0
        if found is not None:  # it came first; a person decided since, so it cannot be approved
            with pytest.raises(EditConflictError):
                drafts.decide_mark(found.id, decision(), Mark(2.0))


def test_who_lost_the_lease_writes_no_draft(
    new_draft: Any,
    drafts: Drafts,
    answered: Any,
    leased: Any,
    batches: DraftBatches,
    assignment: Assignment,
) -> None:
    ada = answered()
    lease = leased(ada)
    assert drafts.finish(lease, new_draft(lease)) is not None
    with pytest.raises(LeaseLostError):
        drafts.finish(lease, new_draft(lease))
    late = leased(ada)
    with pytest.raises(LeaseLostError):
        drafts.finish(replace(late, fence=late.fence - 1), new_draft(late))
    assert drafts.of_answers(assignment.id, "why", [ada])[ada].number == 1
