"""Batches of drafts: each answer has one worker, and a batch ends with its last answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.draft_records import DraftBatch, DraftLease
from jupyter_ppo.domain.errors import ConflictError, LeaseLostError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.domain.tutoring import (
    BatchState,
    Caps,
    DraftState,
    Finish,
    ItemState,
    ModelAnswer,
    NewCall,
    NewDraft,
    Purpose,
    Usage,
)
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.draft_batches import MAX_TRIES, DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.tables import DraftBatchItemRow

RUNNING, PAUSED, STOPPED = BatchState.RUNNING, BatchState.PAUSED, BatchState.STOPPED
CANCELLED, SUCCEEDED = BatchState.CANCELLED, BatchState.SUCCEEDED
WAITING, LEASED, DONE = ItemState.WAITING, ItemState.LEASED, ItemState.DONE
FAILED, SKIPPED = ItemState.FAILED, ItemState.SKIPPED


@pytest.fixture
def batches(database: Database) -> DraftBatches:
    return DraftBatches(database)


@pytest.fixture
def make(
    batches: DraftBatches,
    courses: CourseStore,
    submissions: SubmissionStore,
    assignment: Assignment,
) -> Callable[..., DraftBatch]:
    def make(count: int = 1, **changed: Any) -> DraftBatch:
        items = []
        for number in range(count):
            courses.enrol(assignment.course_id, f"s{number}", Role.STUDENT)
            made = submissions.submit(assignment, f"s{number}", "d" * 64, [])
            items.append((made.id, "why"))
        values: dict[str, Any] = {
            "course_id": assignment.course_id,
            "assignment_id": assignment.id,
            "grade_id": "why",
            "created_by": "ines",
            "samples": 3,
            "estimate": {"answers": count, "cost": 0.25},
            "for_calibration": False,
            "items": items,
        }
        return batches.create(**values | changed)

    return make


@pytest.fixture
def run_out(database: Database) -> Callable[[DraftLease], None]:
    """Let the lease of an answer run out now, as when its worker died."""

    def run_out(lease: DraftLease) -> None:
        with database.begin() as session:
            session.execute(
                update(DraftBatchItemRow)
                .where(
                    DraftBatchItemRow.batch_id == lease.batch_id,
                    DraftBatchItemRow.submission_id == lease.submission_id,
                )
                .values(leased_until=datetime(2000, 1, 1, tzinfo=UTC))
            )

    return run_out


def taken(batches: DraftBatches, batch_id: UUID | None = None) -> DraftLease:
    lease = batches.lease(60, batch_id)
    assert lease is not None
    return lease


def draft_of(lease: DraftLease, *calls: UUID) -> NewDraft:
    return NewDraft(
        submission_id=lease.submission_id,
        grade_id=lease.grade_id,
        state=DraftState.READY,
        results=(),
        agreement=1.0,
        flags=(),
        program="small-1",
        rubric_digest="r" * 64,
        call_ids=calls,
        batch_id=lease.batch_id,
    )


# -- round trips ---------------------------------------------------------------------------------


def test_a_batch_comes_back_as_it_was_made(
    batches: DraftBatches, make: Any, assignment: Assignment
) -> None:
    batch = make(2, grade_id=None, for_calibration=True)
    assert batches.batch(batch.id) == batch
    assert (batch.course_id, batch.assignment_id) == (assignment.course_id, assignment.id)
    assert (batch.grade_id, batch.created_by, batch.samples) == (None, "ines", 3)
    assert (batch.estimate, batch.for_calibration) == ({"answers": 2, "cost": 0.25}, True)
    assert (batch.state, batch.message, batch.revision) == (RUNNING, "", 1)
    assert (batch.counts, batch.total) == ({WAITING: 2}, 2)


def test_the_list_of_batches_is_newest_first(
    batches: DraftBatches, make: Any, assignment: Assignment
) -> None:
    made = [make(number).id for number in (1, 2, 3)]
    page = batches.batches(assignment.id, offset=0, limit=2)
    assert page.total == 3
    assert [each.id for each in page.items] == [made[2], made[1]]
    assert [each.total for each in page.items] == [3, 2]
    rest = batches.batches(assignment.id, offset=2, limit=2)
    assert [each.id for each in rest.items] == [made[0]]
    assert batches.batches(uuid4(), offset=0, limit=2).total == 0


def test_a_batch_that_is_not_there_is_not_found(batches: DraftBatches) -> None:
    looks: tuple[Callable[[], object], ...] = (
        lambda: batches.batch(uuid4()),
        lambda: batches.set_state(uuid4(), PAUSED),
    )
    for look in looks:
        with pytest.raises(NotFoundError, match="no such batch") as error:
            look()
        assert error.value.field == "batch"
    batches.stop(uuid4(), "A cap is reached.")  # whoever stops it does not care


# -- leases --------------------------------------------------------------------------------------


def test_answers_are_taken_in_order_the_oldest_batch_first(
    batches: DraftBatches, make: Any
) -> None:
    first, second = make(2), make(1)
    leases = [taken(batches) for _ in range(3)]
    assert [lease.batch_id for lease in leases] == [first.id, first.id, second.id]
    assert leases[0].submission_id != leases[1].submission_id
    assert batches.lease(60) is None
    lease = leases[2]
    assert (lease.created_by, lease.samples, lease.for_calibration) == ("ines", 3, False)
    assert (lease.grade_id, lease.tries, lease.fence) == ("why", 1, 1)
    assert batches.batch(first.id).counts == {LEASED: 2}


def test_a_worker_can_keep_to_one_batch(batches: DraftBatches, make: Any) -> None:
    make()
    second = make()
    assert taken(batches, second.id).batch_id == second.id
    assert batches.lease(60, second.id) is None


def test_many_workers_never_hold_the_same_answer(batches: DraftBatches, make: Any) -> None:
    make(6)
    gate = threading.Barrier(4)

    def work() -> list[UUID]:
        gate.wait(30)
        found = []
        while (lease := batches.lease(60)) is not None:
            found.append(lease.submission_id)
        return found

    with ThreadPoolExecutor(4) as pool:
        held = [each.result(60) for each in [pool.submit(work) for _ in range(4)]]
    every = [each for found in held for each in found]
    assert len(every) == len(set(every)) == 6


def test_the_answer_of_a_worker_that_died_is_taken_again(
    batches: DraftBatches, make: Any, run_out: Any
) -> None:
    batch = make()
    dead = taken(batches)
    assert batches.lease(60) is None
    run_out(dead)
    again = taken(batches)
    assert (again.submission_id, again.tries, again.fence) == (dead.submission_id, 2, 2)
    too_late: tuple[Callable[[], object], ...] = (
        lambda: batches.renew(dead, 60),
        lambda: batches.skip(dead, "It is empty."),
        lambda: batches.fail(dead, "No answer."),
    )
    for late in too_late:
        with pytest.raises(LeaseLostError, match="Another worker"):
            late()
    batches.give_back(dead)  # too late, and no error
    assert batches.batch(batch.id).counts == {LEASED: 1}
    batches.renew(again, 60)
    batches.skip(again, "It is empty.")
    assert batches.batch(batch.id).counts == {SKIPPED: 1}


def test_a_lease_that_is_renewed_is_not_taken_away(
    batches: DraftBatches, make: Any, run_out: Any
) -> None:
    make()
    lease = taken(batches)
    run_out(lease)
    batches.renew(lease, 60)
    assert batches.lease(60) is None


def test_an_answer_that_is_given_back_was_not_tried(batches: DraftBatches, make: Any) -> None:
    make()
    for _ in range(MAX_TRIES + 1):
        lease = taken(batches)
        assert lease.tries == 1
        batches.give_back(lease)
    assert taken(batches).fence == MAX_TRIES + 2


def test_an_answer_that_is_cut_short_too_often_fails_and_the_next_one_is_taken(
    batches: DraftBatches, make: Any, run_out: Any
) -> None:
    batch = make(2)
    first = taken(batches)
    run_out(first)
    for _ in range(MAX_TRIES - 1):
        lease = taken(batches)
        assert lease.submission_id == first.submission_id
        run_out(lease)
    other = taken(batches)
    assert other.submission_id != first.submission_id
    assert batches.batch(batch.id).counts == {FAILED: 1, LEASED: 1}
    batches.fail(other, "No answer.")
    assert batches.lease(60) is None
    assert batches.batch(batch.id).state is SUCCEEDED


# -- states --------------------------------------------------------------------------------------


def test_a_batch_ends_with_its_last_answer(batches: DraftBatches, make: Any) -> None:
    batch = make(2)
    batches.skip(taken(batches), "It is empty.")
    assert batches.batch(batch.id).state is RUNNING
    batches.fail(taken(batches), "No answer.")
    done = batches.batch(batch.id)
    assert (done.state, done.counts, done.revision) == (SUCCEEDED, {SKIPPED: 1, FAILED: 1}, 2)


def test_nothing_is_taken_of_a_batch_that_is_paused_stopped_or_cancelled(
    batches: DraftBatches, make: Any
) -> None:
    paused, stopped, cancelled = make(), make(), make()
    assert batches.set_state(paused.id, PAUSED).state is PAUSED
    batches.stop(stopped.id, "A cap is reached. Raise it and resume.")
    assert batches.set_state(cancelled.id, CANCELLED).state is CANCELLED
    assert batches.lease(60) is None
    found = batches.batch(stopped.id)
    assert (found.state, found.message) == (STOPPED, "A cap is reached. Raise it and resume.")
    for each in (paused, stopped):
        resumed = batches.set_state(each.id, RUNNING)
        assert (resumed.state, resumed.message, resumed.revision) == (RUNNING, "", 3)
        assert taken(batches, each.id).batch_id == each.id


def test_the_same_state_again_changes_nothing(batches: DraftBatches, make: Any) -> None:
    batch = make()
    for state in (RUNNING, PAUSED, PAUSED, CANCELLED, CANCELLED):
        batches.set_state(batch.id, state)
    assert batches.batch(batch.id).revision == 3


def test_what_is_over_does_not_begin_again(batches: DraftBatches, make: Any) -> None:
    cancelled, succeeded = make(), make()
    batches.set_state(cancelled.id, CANCELLED)
    batches.skip(taken(batches, succeeded.id), "It is empty.")
    for batch_id, states in (
        (cancelled.id, (RUNNING, PAUSED)),
        (succeeded.id, (RUNNING, PAUSED, CANCELLED)),
    ):
        before = batches.batch(batch_id)
        for state in states:
            if state is before.state:
                continue
            with pytest.raises(ConflictError, match="cannot become") as error:
                batches.set_state(batch_id, state)
            assert error.value.field == "state"
        batches.stop(batch_id, "A cap is reached.")
        assert batches.batch(batch_id) == before


def test_to_resume_tries_what_failed_once_more(batches: DraftBatches, make: Any) -> None:
    batch = make(2)
    batches.fail(taken(batches), "No answer.")
    batches.set_state(batch.id, PAUSED)
    assert batches.set_state(batch.id, RUNNING).counts == {WAITING: 2}
    assert [taken(batches).tries for _ in range(2)] == [1, 1]


def test_a_batch_whose_last_answer_ended_while_it_was_paused_is_over_then(
    batches: DraftBatches, make: Any
) -> None:
    batch = make()
    lease = taken(batches)
    batches.set_state(batch.id, PAUSED)
    batches.skip(lease, "It is empty.")
    assert batches.batch(batch.id).state is SUCCEEDED


def test_a_cancelled_batch_stays_so_when_what_was_under_way_ends(
    batches: DraftBatches, make: Any, database: Database
) -> None:
    batch = make()
    lease = taken(batches)
    batches.set_state(batch.id, CANCELLED)
    assert Drafts(database).finish(lease, draft_of(lease)) is not None
    found = batches.batch(batch.id)
    assert (found.state, found.counts) == (CANCELLED, {DONE: 1})


# -- money and privacy ---------------------------------------------------------------------------


def test_a_batch_cost_what_it_paid_for_whether_a_draft_came_of_it_or_not(
    batches: DraftBatches, make: Any, database: Database
) -> None:
    log, drafts = ModelCallLog(database), Drafts(database)

    def call(lease: DraftLease, cost: int) -> UUID:
        made = NewCall(
            id=new_id(),
            course_id=lease.course_id,
            assignment_id=lease.assignment_id,
            submission_id=lease.submission_id,
            grade_id="why",
            user="s0",
            asked_by="ines",
            purpose=Purpose.DRAFT,
            template="draft",
            template_version=1,
            provider="openai",
            model="small-1",
            parameters={},
            prompt=(),
            redactions={},
            flags=(),
            cache_key="k" * 64,
            reserved=cost,
            batch_id=lease.batch_id,
        )
        log.reserve(made, Caps(10**6, 10**6, 10**6))
        log.settle(made.id, ModelAnswer("{}", Finish.STOP, Usage(9, 9), "small-1", 5), cost)
        return made.id

    first, second, empty = make(2), make(), make()
    leases = [taken(batches, each) for each in (first.id, first.id, second.id)]
    shared = call(leases[0], 5)
    drafts.finish(leases[0], draft_of(leases[0], shared, call(leases[0], 7)))
    drafts.finish(leases[1], draft_of(leases[1], call(leases[1], 11)))
    drafts.finish(leases[2], draft_of(leases[2], shared))  # from the cache, paid by the first
    call(leases[2], 2)  # its process was ended before there was a draft
    assert batches.spent([first.id, second.id, empty.id]) == {
        first.id: 23,
        second.id: 2,
        empty.id: 0,
    }


def test_an_erasure_renames_who_began_a_batch_and_keeps_its_numbers(
    batches: DraftBatches, make: Any, database: Database, tmp_path: Path
) -> None:
    batch = make(2)
    erasure = Erasures(database, FileBlobs(tmp_path / "blobs")).erase("ines", "root")
    found = batches.batch(batch.id)
    assert found.created_by == erasure.stand_in
    assert (found.counts, found.estimate) == (batch.counts, batch.estimate)
    Erasures(database, FileBlobs(tmp_path / "blobs")).erase("s0", "root")
    assert batches.batch(batch.id).total == 2
