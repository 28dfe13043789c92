"""Training runs are queued within a quota, held by one process, and never lost."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.run_records import RunProgress, RunStore, TrainingQuota, TrainingRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.database import Database, database_now, open_database
from jupyter_ppo.storage.tables import TrainingRunRow, TrainingUseRow
from jupyter_ppo.storage.training_runs import TrainingRuns

WIDE = TrainingQuota()
SPEC = RunSpec(total_steps=4096)


@pytest.fixture
def runs(database: Database) -> RunStore:
    return TrainingRuns(database, is_gone=lambda owner: owner == "dead")


def add(runs: RunStore, user: str = "ada", count: int = 1, **more: Any) -> TrainingRun:
    specs = tuple(SPEC.changed(seed=seed) for seed in range(count))
    return runs.create(user, "", (), specs, more.pop("quota", WIDE), **more).runs[0]


def progress(state: RunState = RunState.RUNNING, **values: Any) -> RunProgress:
    known: dict[str, Any] = {
        "step": 2048,
        "total_steps": 4096,
        "message": "",
        "cpu_seconds": 1.5,
        "wall_seconds": 3.0,
        "disk_bytes": 1000,
    }
    return RunProgress(state=state, **(known | values))


def take(runs: RunStore, worker: str = "me", quota: TrainingQuota = WIDE) -> TrainingRun:
    taken = runs.take_next(worker, quota)
    assert taken is not None
    return taken


def ended(runs: RunStore, state: RunState = RunState.STOPPED, **values: Any) -> TrainingRun:
    add(runs)
    taken = take(runs)
    runs.record(taken.id, "me", progress(state, **values))
    return runs.run(taken.id)


def test_a_run_comes_back_as_it_was_asked_for(runs: RunStore) -> None:
    spec = SPEC.changed(learning_rate={"kind": "linear", "start": 1e-3, "end": 0.0}, seed=3)
    created = runs.create("ada", "first", ("fast", "Fast"), (spec,), WIDE)
    (made,) = created.runs
    assert runs.run(made.id) == made
    assert (made.spec, made.name, made.tags) == (spec, "first", ("fast", "Fast"))
    assert (made.state, made.position, made.is_held) == (RunState.QUEUED, 1, False)
    assert (made.total_steps, made.step, created.is_repeat) == (spec.planned_steps, 0, False)


def test_the_queue_is_in_the_order_of_requests_and_of_the_runs_of_a_request(
    runs: RunStore,
) -> None:
    first = runs.create("ada", "", (), tuple(SPEC.changed(seed=s) for s in range(3)), WIDE).runs
    second = add(runs, "bob")
    assert [run.position for run in first] == [1, 2, 3]
    assert len({run.group_id for run in first}) == 1
    assert second.position == 4
    assert [take(runs).id for _ in range(3)] == [first[0].id, first[1].id, second.id]
    assert runs.take_next("me", WIDE) is None  # ada has two at work
    assert runs.run(first[2].id).position == 1


def test_a_list_is_filtered_and_newest_first(runs: RunStore) -> None:
    old = runs.create("ada", "", ("Ablation", "a%"), (SPEC,), WIDE).runs[0]
    new = runs.create("ada", "", ("ablation",), (SPEC,), WIDE).runs[0]
    other = add(runs, "bob")
    take(runs)

    def found(user: str | None = None, **wanted: Any) -> list[Any]:
        none = {"state": None, "tag": None, "group_id": None, "offset": 0, "limit": 10}
        page = runs.runs(user, **(none | wanted))
        assert page.total == len(page.items)
        return [run.id for run in page.items]

    assert found() == [other.id, new.id, old.id]
    assert found("ada") == [new.id, old.id]
    assert found(tag="Ablation") == [old.id]
    assert found(tag="a_") == []
    assert found(state=RunState.STARTING) == [old.id]
    assert found(group_id=other.group_id) == [other.id]
    page = runs.runs(None, state=None, tag=None, group_id=None, offset=1, limit=1)
    assert (page.total, [run.id for run in page.items]) == (3, [new.id])
    assert page.items[0].position == 1


def test_a_request_that_is_sent_twice_makes_its_runs_once(runs: RunStore) -> None:
    asked: dict[str, Any] = {"request_key": "k", "request_digest": "1" * 64}
    first = runs.create("ada", "", (), (SPEC, SPEC), WIDE, **asked)
    again = runs.create("ada", "", (), (SPEC, SPEC), WIDE, **asked)
    assert again.is_repeat
    assert [run.id for run in again.runs] == [run.id for run in first.runs]
    with pytest.raises(ConflictError, match="another request"):
        runs.create("ada", "", (), (SPEC,), WIDE, request_key="k", request_digest="2" * 64)
    assert not runs.create("bob", "", (), (SPEC,), WIDE, **asked).is_repeat


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (TrainingQuota(queued=2), "queued: 1 of your runs wait"),
        (TrainingQuota(runs=2), "runs: 1 of your runs are kept"),
        (TrainingQuota(disk_mb=1), "disk_mb: your runs take"),
        (TrainingQuota(cpu_seconds_per_day=1.0), "cpu_seconds_per_day: the 1 s"),
    ],
)
def test_too_much_is_refused_as_a_whole_and_names_the_quota(
    runs: RunStore, quota: TrainingQuota, words: str
) -> None:
    one = ended(runs, disk_bytes=2**20)
    runs.requeue(one.id, quota=WIDE, total_steps=None, commands_from=0)
    with pytest.raises(TooManyRequestsError, match=words) as caught:
        add(runs, count=2, quota=quota)
    assert caught.value.field == words.partition(":")[0]
    assert 1 <= caught.value.retry_after <= 25 * 3600
    assert runs.usage("ada").runs == 1
    assert add(runs, "bob", quota=replace(quota, disk_mb=9)).position == 2


def test_two_processes_never_let_in_more_than_the_quota(
    database: Database, database_url: str
) -> None:
    quota = TrainingQuota(queued=5, running=2)
    taken: list[TrainingRun | None] = []

    def crowd() -> None:
        other = open_database(database_url)
        try:
            store = TrainingRuns(other)
            for _ in range(4):
                with contextlib.suppress(TooManyRequestsError):
                    add(store, quota=quota)
            barrier.wait(30)
            taken.extend(store.take_next(threading.current_thread().name, quota) for _ in range(2))
        finally:
            other.close()

    barrier = threading.Barrier(3)
    threads = [threading.Thread(target=crowd) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = [run.id for run in taken if run is not None]
    assert len(got) == len(set(got)) == 2
    used = TrainingRuns(database).usage("ada")
    assert (used.running, used.queued, used.runs) == (2, 3, 5)


def test_whoever_has_all_places_or_no_time_left_is_passed_over(runs: RunStore) -> None:
    for user in ("ada", "ada", "bob"):
        add(runs, user)
    assert take(runs, quota=TrainingQuota(running=1)).user == "ada"
    bob = take(runs, quota=TrainingQuota(running=1))
    assert bob.user == "bob"
    runs.record(bob.id, "me", progress(RunState.FINISHED, cpu_seconds=100.0))
    again = add(runs, "bob")
    assert runs.take_next("me", TrainingQuota(running=1, cpu_seconds_per_day=100.0)) is None
    assert take(runs, quota=TrainingQuota(running=1)).id == again.id


def test_progress_is_recorded_and_an_end_lets_go_of_the_run(runs: RunStore) -> None:
    add(runs)
    taken = take(runs)
    assert (taken.state, taken.is_held) == (RunState.STARTING, True)
    assert taken.started_at is not None
    runs.record(taken.id, "me", progress())
    now = runs.run(taken.id)
    assert (now.state, now.step, now.cpu_seconds, now.is_held) == (
        RunState.RUNNING,
        2048,
        1.5,
        True,
    )
    runs.record(taken.id, "me", progress(RunState.FAILED, message="NaN \0 \udc80"))
    end = runs.run(taken.id)
    assert (end.state, end.is_held, end.message) == (RunState.FAILED, False, "NaN \\0 \\udc80")
    assert end.ended_at is not None
    with pytest.raises(LeaseLostError):
        runs.record(taken.id, "me", progress())
    assert runs.usage("ada").cpu_seconds_today == pytest.approx(1.5)


def test_processor_time_counts_once_also_after_the_run_is_deleted(
    runs: RunStore, database: Database
) -> None:
    add(runs)
    taken = take(runs)
    for seconds in (1.0, 2.5, 2.5, 2.0):
        runs.record(taken.id, "me", progress(cpu_seconds=seconds))
    runs.record(taken.id, "me", progress(RunState.FINISHED, cpu_seconds=4.0))
    runs.delete(taken.id)
    assert runs.usage("ada").cpu_seconds_today == pytest.approx(4.0)
    with database.begin() as session:
        hour = database_now(session) - timedelta(hours=26)
        session.execute(update(TrainingUseRow).values(hour=hour))
    assert runs.usage("ada").cpu_seconds_today == 0


def test_only_an_ended_or_waiting_run_can_be_deleted(runs: RunStore) -> None:
    waiting = runs.create("ada", "", ("tag",), (SPEC,), WIDE).runs[0]
    runs.delete(waiting.id)
    add(runs)
    taken = take(runs)
    with pytest.raises(ConflictError, match="Stop it, then delete it"):
        runs.delete(taken.id)
    for missing in (waiting.id, new_id()):
        with pytest.raises(NotFoundError):
            runs.run(missing)


def test_a_run_that_is_given_back_keeps_its_place(runs: RunStore) -> None:
    first, second = add(runs), add(runs)
    assert take(runs).id == first.id
    runs.give_back(first.id, "somebody else")
    assert runs.run(first.id).is_held
    runs.give_back(first.id, "me", "No engine answers.")
    back = runs.run(first.id)
    assert (back.state, back.position, back.message) == (RunState.QUEUED, 1, "No engine answers.")
    assert runs.run(second.id).position == 2


def test_a_paused_run_that_is_given_back_waits_for_its_person(runs: RunStore) -> None:
    add(runs)
    taken = take(runs)
    runs.record(taken.id, "me", progress(RunState.PAUSED))
    runs.give_back(taken.id, "me")
    parked = runs.run(taken.id)
    assert (parked.state, parked.is_held, parked.position) == (RunState.PAUSED, False, None)
    assert runs.take_next("me", WIDE) is None
    again = runs.requeue(taken.id, quota=WIDE, total_steps=None, commands_from=77)
    assert (again.state, again.commands_from) == (RunState.QUEUED, 77)


def test_runs_of_a_process_that_is_gone_are_queued_in_their_old_place(
    runs: RunStore, database: Database
) -> None:
    lost, kept, silent = add(runs), add(runs, "bob"), add(runs, "eve")
    assert take(runs, "dead").id == lost.id
    assert take(runs, "alive").id == kept.id
    assert take(runs, "silent").id == silent.id
    with database.begin() as session:
        long_ago = database_now(session) - timedelta(minutes=6)
        session.execute(
            update(TrainingRunRow).where(TrainingRunRow.owner == "silent").values(seen_at=long_ago)
        )
    last = add(runs, "bob")
    assert runs.reclaim("me") == 2
    assert runs.reclaim("me") == 0
    assert runs.run(kept.id).is_held
    assert [runs.run(run.id).position for run in (lost, silent, last)] == [1, 2, 3]
    with pytest.raises(LeaseLostError):
        runs.record(lost.id, "dead", progress())


def test_an_ended_run_is_queued_again_at_the_end(runs: RunStore) -> None:
    one = ended(runs)
    waiting = add(runs)
    again = runs.requeue(one.id, quota=WIDE, total_steps=None, commands_from=5)
    assert (again.state, again.position, again.ended_at) == (RunState.QUEUED, 2, None)
    assert (again.step, again.cpu_seconds) == (2048, 1.5)
    with pytest.raises(ConflictError, match="is queued"):
        runs.requeue(waiting.id, quota=WIDE, total_steps=None, commands_from=0)


def test_a_finished_run_goes_on_only_with_more_steps(runs: RunStore) -> None:
    one = ended(runs, RunState.FINISHED, step=4096)
    with pytest.raises(ConflictError, match="Extend it"):
        runs.requeue(one.id, quota=WIDE, total_steps=None, commands_from=0)
    with pytest.raises(InvalidInputError, match="not more than the 4096"):
        runs.requeue(one.id, quota=WIDE, total_steps=4096, commands_from=0)
    more = runs.requeue(one.id, quota=WIDE, total_steps=5000, commands_from=0)
    assert (more.spec.total_steps, more.total_steps) == (5000, 3 * 2048)


@pytest.mark.parametrize(
    ("quota", "error"),
    [
        (TrainingQuota(wall_seconds=3.0), ConflictError),
        (TrainingQuota(queued=0), TooManyRequestsError),
        (TrainingQuota(cpu_seconds_per_day=1.0), TooManyRequestsError),
    ],
)
def test_quotas_hold_for_going_on_too(
    runs: RunStore, quota: TrainingQuota, error: type[Exception]
) -> None:
    one = ended(runs)
    with pytest.raises(error):
        runs.requeue(one.id, quota=quota, total_steps=None, commands_from=0)
    assert runs.run(one.id).state is RunState.STOPPED


def test_what_waits_can_be_stopped_and_extended(runs: RunStore) -> None:
    one = add(runs)
    assert runs.extend(one.id, 10_000).spec.total_steps == 10_000
    assert runs.stop_waiting(one.id, "No more.")
    assert (runs.run(one.id).state, runs.run(one.id).message) == (RunState.STOPPED, "No more.")
    assert not runs.stop_waiting(one.id, "Again.")
    with pytest.raises(ConflictError):
        runs.extend(one.id, 20_000)
    two = add(runs)
    take(runs)
    assert not runs.stop_waiting(two.id, "Late.")


def test_names_and_tags_change(runs: RunStore, database: Database) -> None:
    one = runs.create("ada", "old", ("a", "b"), (SPEC,), WIDE).runs[0]
    changed = runs.rename(one.id, "new", ("b", "c"))
    assert (changed.name, changed.tags) == ("new", ("b", "c"))
    assert runs.run(one.id) == changed
    runs.rename(one.id, "new", ())
    with database.session() as session:
        assert session.scalars(select(TrainingRunRow)).one().tags == []
