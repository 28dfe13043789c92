"""Executions are counted exactly, kept as they were, and never run for ever."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from jupyter_ppo.domain.errors import ConflictError, NotFoundError, TooManyRequestsError
from jupyter_ppo.domain.execution import (
    Call,
    Case,
    CaseResult,
    CaseVerdict,
    Execution,
    ExecutionQuota,
    ExecutionRequest,
    ExecutionState,
    ExecutionUsage,
    Outcome,
    ProgramRun,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import ExecutionStore
from jupyter_ppo.domain.sandbox import LimitHit
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.executions import Executions
from jupyter_ppo.storage.results import STREAM_BYTES, pack, unpack
from jupyter_ppo.storage.tables import ExecutionRow

GRACE = timedelta(seconds=120)
WIDE = ExecutionQuota(per_minute=1000, at_once=1000, seconds_per_day=1e6)
RUN = ProgramRun(Outcome.SUCCEEDED, "1\n", "", seconds=0.25, memory_mb=12.5)


def asking(seconds: float = 30) -> ExecutionRequest:
    return ExecutionRequest("print(1)", timeout_seconds=seconds, memory_mb=256)


@pytest.fixture
def executions(database: Database) -> ExecutionStore:
    return Executions(database, grace=GRACE)


def move_back(database: Database, execution_id: UUID, by: timedelta) -> None:
    """Let an execution have been admitted that much earlier."""
    with database.begin() as session:
        row = session.get_one(ExecutionRow, execution_id)
        row.created_at -= by
        row.expires_at -= by


def refusal(store: ExecutionStore, quota: ExecutionQuota, seconds: float = 30) -> Any:
    with pytest.raises(TooManyRequestsError) as caught:
        store.admit("ada", asking(seconds), quota)
    return caught.value


def test_an_admitted_execution_is_running_and_counts_its_time_limit(
    executions: ExecutionStore,
) -> None:
    made = executions.admit("ada", asking(45), WIDE)
    assert (made.user, made.code, made.state) == ("ada", "print(1)", ExecutionState.RUNNING)
    assert (made.timeout_seconds, made.memory_mb, made.seconds) == (45, 256, 45)
    assert made.created_at.utcoffset() == timedelta(0)
    assert executions.execution(made.id) == made


def test_what_came_of_it_is_kept(executions: ExecutionStore) -> None:
    made = executions.admit("ada", asking(), WIDE)
    done = executions.finish(made.id, run=RUN, seconds=0.5)
    assert (done.state, done.outcome, done.run) == (ExecutionState.DONE, Outcome.SUCCEEDED, RUN)
    assert (done.seconds, done.created_at) == (0.5, made.created_at)
    assert executions.execution(made.id) == done
    with pytest.raises(ConflictError):
        executions.finish(made.id, run=RUN, seconds=0.5)


def test_verdicts_of_cases_are_kept_and_counted(executions: ExecutionStore) -> None:
    cases = tuple(
        CaseResult(f"case {verdict}", verdict, "a sentence", RUN, Case(1, name=f"case {verdict}"))
        for verdict in (CaseVerdict.PASSED, CaseVerdict.FAILED, CaseVerdict.PASSED)
    )
    made = executions.admit("ada", asking(), WIDE)
    done = executions.finish(made.id, cases=cases, seconds=0.5)
    assert (done.cases, done.run, done.outcome) == (cases, None, None)
    assert (done.cases_passed, done.cases_total) == (2, 3)
    assert executions.execution(made.id) == done


def test_a_list_is_of_one_person_newest_first_and_loads_no_results(
    database: Database, executions: ExecutionStore
) -> None:
    made = [executions.admit("ada", asking(), WIDE) for _ in range(3)]
    executions.admit("bob", asking(), WIDE)
    for minutes, execution in enumerate(reversed(made)):
        executions.finish(execution.id, run=RUN, seconds=0.5)
        move_back(database, execution.id, timedelta(minutes=minutes))
    page = executions.executions("ada", offset=1, limit=2)
    assert (page.total, page.offset, page.limit) == (3, 1, 2)
    assert [item.id for item in page.items] == [made[1].id, made[0].id]
    assert {(item.run, item.outcome) for item in page.items} == {(None, Outcome.SUCCEEDED)}


def test_a_failed_one_that_did_not_run_counts_nothing(executions: ExecutionStore) -> None:
    quota = ExecutionQuota(per_minute=2, at_once=1, seconds_per_day=30)
    made = executions.admit("ada", asking(), quota)
    executions.fail(made.id, "The engine \0 went \udc80 away.")
    failed = executions.execution(made.id)
    assert (failed.state, failed.seconds) == (ExecutionState.FAILED, 0)
    assert failed.error == "The engine \\0 went \\udc80 away."
    for _ in range(2):
        executions.fail(executions.admit("ada", asking(5), quota).id, "Lost.", seconds=1)
    assert "2 programs were started in the last minute" in refusal(executions, quota).message


def test_what_a_container_ran_before_it_was_lost_counts(executions: ExecutionStore) -> None:
    quota = ExecutionQuota(per_minute=9, at_once=9, seconds_per_day=30)
    made = executions.admit("ada", asking(), quota)
    executions.fail(made.id, "Lost.", seconds=12.5)
    failed = executions.execution(made.id)
    assert (failed.state, failed.seconds) == (ExecutionState.FAILED, 12.5)
    assert "12 of 30 s" in refusal(executions, quota).message


def test_a_person_can_see_what_counts_now(database: Database, executions: ExecutionStore) -> None:
    assert executions.usage("ada") == ExecutionUsage(0, 0, 0)
    old, ended, failed, lost, running = (executions.admit("ada", asking(), WIDE) for _ in range(5))
    executions.admit("bob", asking(), WIDE)
    for execution in (old, ended):
        executions.finish(execution.id, run=RUN, seconds=2)
    executions.fail(failed.id, "Our fault.")
    move_back(database, old.id, timedelta(minutes=2))
    move_back(database, lost.id, timedelta(seconds=151))
    used = executions.usage("ada")
    assert used == ExecutionUsage(last_minute=2, running=1, seconds_today=2 + 2 + 30)
    quota = ExecutionQuota(per_minute=4, at_once=1, seconds_per_day=20)
    assert quota.left(used) == ExecutionQuota(2, 0, 0)
    assert running.state is ExecutionState.RUNNING


def test_a_finished_one_does_not_fail_any_more_and_a_lost_one_can_still_end(
    executions: ExecutionStore,
) -> None:
    made = executions.admit("ada", asking(), WIDE)
    executions.fail(made.id, "Lost.")
    executions.finish(made.id, run=RUN, seconds=1)
    executions.fail(made.id, "Too late.")
    done = executions.execution(made.id)
    assert (done.state, done.error, done.run) == (ExecutionState.DONE, None, RUN)


def test_what_is_not_there_is_not_found(executions: ExecutionStore) -> None:
    with pytest.raises(NotFoundError):
        executions.execution(new_id())
    with pytest.raises(NotFoundError):
        executions.finish(new_id(), run=RUN, seconds=1)
    executions.fail(new_id(), "Nothing to fail.")


def test_the_rate_opens_when_the_oldest_one_is_a_minute_old(
    database: Database, executions: ExecutionStore
) -> None:
    quota = ExecutionQuota(per_minute=3, at_once=9, seconds_per_day=1e6)
    made = [executions.admit("ada", asking(), quota) for _ in range(3)]
    for execution, seconds in zip(made, (20, 30, 10), strict=True):
        move_back(database, execution.id, timedelta(seconds=seconds))
    refused = refusal(executions, quota)
    assert "at most 3 in a minute" in refused.message
    assert 1 <= refused.retry_after <= 30
    executions.admit("bob", asking(), quota)
    move_back(database, made[1].id, timedelta(seconds=refused.retry_after))
    executions.admit("ada", asking(), quota)


def test_only_so_many_run_at_once_and_an_ended_or_lost_one_makes_room(
    database: Database, executions: ExecutionStore
) -> None:
    quota = ExecutionQuota(per_minute=99, at_once=2, seconds_per_day=1e6)
    first, second = (executions.admit("ada", asking(seconds), quota) for seconds in (20, 300))
    refused = refusal(executions, quota)
    assert "2 programs are running; at most 2" in refused.message
    assert 1 <= refused.retry_after <= 20
    executions.finish(first.id, run=RUN, seconds=1)
    executions.admit("ada", asking(), quota)
    refusal(executions, quota)
    move_back(database, second.id, timedelta(seconds=421))
    executions.admit("ada", asking(), quota)


def test_one_past_its_time_limit_makes_room_when_it_is_taken_for_lost(
    database: Database, executions: ExecutionStore
) -> None:
    quota = ExecutionQuota(per_minute=99, at_once=1, seconds_per_day=1e6)
    made = executions.admit("ada", asking(30), quota)
    move_back(database, made.id, timedelta(seconds=40))
    wait = refusal(executions, quota).retry_after
    assert 60 < wait <= 110
    move_back(database, made.id, timedelta(seconds=wait))
    executions.admit("ada", asking(30), quota)


def test_what_a_killed_process_left_stops_counting_at_once(database: Database) -> None:
    gone: set[str] = set()

    def store(owner: str) -> Executions:
        return Executions(database, grace=GRACE, owner=owner, is_gone=gone.__contains__)

    quota = ExecutionQuota(per_minute=99, at_once=2, seconds_per_day=100)
    killed, elsewhere = store("killed").admit("ada", asking(50), quota), store("other")
    kept = elsewhere.admit("ada", asking(50), quota)
    after = store("after")
    refusal(after, quota)
    gone |= {"killed", "after"}  # of one's own process it is not believed
    made = after.admit("ada", asking(50), quota)
    refusal(after, quota)
    left = after.execution(killed.id)
    assert (left.state, left.seconds) == (ExecutionState.FAILED, 0)
    assert "server stopped" in str(left.error)
    states = [after.execution(each.id).state for each in (kept, made)]
    assert states == [ExecutionState.RUNNING] * 2
    assert elsewhere.clean_up(timedelta(days=30)) == 0  # and of another's it is, also in passing
    states = [after.execution(each.id).state for each in (kept, made)]
    assert states == [ExecutionState.RUNNING, ExecutionState.FAILED]


def test_seconds_of_a_day_are_shared_by_what_ran_and_what_runs(
    database: Database, executions: ExecutionStore
) -> None:
    quota = ExecutionQuota(per_minute=99, at_once=9, seconds_per_day=100)
    hours = timedelta(hours=1)
    for used, ago in ((30.5, 20 * hours), (20, 10 * hours), (10, 23 * hours)):
        made = executions.admit("ada", asking(), quota)
        executions.finish(made.id, run=RUN, seconds=used)
        move_back(database, made.id, ago)
    running = executions.admit("ada", asking(30), quota)  # 90.5 of 100 s are taken now
    refused = refusal(executions, quota, 15)
    assert "90 of 100 s" in refused.message
    assert "at most 9 s" in refused.message
    assert 3500 < refused.retry_after <= 3600  # when those 10 s are a day old
    assert 4 * 3500 < refusal(executions, quota, 20).retry_after <= 4 * 3600
    assert refusal(executions, quota, 300).retry_after == 24 * 3600  # never: ask for less
    executions.admit("ada", asking(9), quota)
    executions.finish(running.id, run=RUN, seconds=1)
    executions.admit("ada", asking(29), quota)
    assert "The 100 s of a day are used" in refusal(executions, quota, 30).message


@pytest.mark.parametrize(
    "quota",
    [
        ExecutionQuota(per_minute=0),
        ExecutionQuota(at_once=0),
        ExecutionQuota(seconds_per_day=0),
    ],
)
def test_a_quota_of_nothing_admits_nothing(
    executions: ExecutionStore, quota: ExecutionQuota
) -> None:
    assert refusal(executions, quota).retry_after > 1


@pytest.mark.parametrize(
    "quota",
    [
        ExecutionQuota(per_minute=5, at_once=99, seconds_per_day=1e6),
        ExecutionQuota(per_minute=99, at_once=5, seconds_per_day=1e6),
        ExecutionQuota(per_minute=99, at_once=99, seconds_per_day=150),
    ],
)
def test_many_servers_that_ask_at_the_same_moment_get_no_more_than_the_quota(
    database: Database, database_url: str, quota: ExecutionQuota
) -> None:
    other = open_database(database_url)
    stores, barrier = (
        [Executions(each, grace=GRACE) for each in (database, other)],
        threading.Barrier(8),
    )

    def ask(number: int) -> int:
        barrier.wait(60)
        admitted = 0
        for _ in range(2):
            try:
                stores[number % 2].admit("ada", asking(30), quota)
                admitted += 1
            except TooManyRequestsError:
                pass
        return admitted

    try:
        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(ask, range(8))) == 5
    finally:
        other.close()


def test_what_a_killed_server_left_has_failed_whether_or_not_anyone_cleaned_up(
    database: Database, executions: ExecutionStore
) -> None:
    lost, running = (executions.admit("ada", asking(30), WIDE) for _ in range(2))
    move_back(database, lost.id, timedelta(seconds=151))

    def shown() -> list[Execution]:
        listed = executions.executions("ada", offset=0, limit=9).items
        return [*listed, executions.execution(running.id), executions.execution(lost.id)]

    before = shown()
    assert executions.clean_up(timedelta(days=30)) == 0
    assert shown() == before
    states = [execution.state for execution in before]
    assert states == [ExecutionState.RUNNING, ExecutionState.FAILED] * 2
    assert (before[-1].seconds, before[-1].run) == (0, None)
    assert "server stopped" in str(before[-1].error)
    with database.session() as session:
        state = session.scalar(select(ExecutionRow.state).where(ExecutionRow.id == lost.id))
        assert state is ExecutionState.FAILED


def test_cleaning_deletes_what_is_old_and_nothing_that_still_counts(
    database: Database, executions: ExecutionStore
) -> None:
    made = [executions.admit("ada", asking(), WIDE) for _ in range(3)]
    for execution, hours in zip(made, (1, 23, 25), strict=True):
        executions.finish(execution.id, run=RUN, seconds=1)
        move_back(database, execution.id, timedelta(hours=hours))
    assert executions.clean_up(timedelta(hours=26)) == 0
    assert executions.clean_up(timedelta(0)) == 1
    left = executions.executions("ada", offset=0, limit=9).items
    assert [item.id for item in left] == [made[0].id, made[1].id]


def test_only_the_newest_are_kept_but_all_of_a_day_count(database: Database) -> None:
    store = Executions(database, grace=GRACE, most=3)
    quota = ExecutionQuota(per_minute=6, at_once=9, seconds_per_day=1e6)
    hers = store.admit("bob", asking(), quota)
    running = store.admit("ada", asking(), quota)
    made = []
    for _ in range(5):
        made.append(store.admit("ada", asking(), quota))
        store.finish(made[-1].id, run=RUN, seconds=1)
    page = store.executions("ada", offset=1, limit=9)
    assert (page.total, [item.id for item in page.items]) == (3, [made[3].id, made[2].id])
    assert store.executions("ada", offset=3, limit=9).items == ()
    for forgotten in made[:2]:
        with pytest.raises(NotFoundError):
            store.execution(forgotten.id)
        with database.session() as session:
            assert session.get_one(ExecutionRow, forgotten.id).result is None
    assert store.finish(running.id, run=RUN, seconds=1).run == RUN
    assert store.execution(hers.id).code == "print(1)"
    assert "6 programs were started" in refusal(store, quota).message
    assert store.usage("ada").seconds_today == 6

    assert store.clean_up(timedelta(days=30)) == 0
    for execution in made:
        move_back(database, execution.id, timedelta(hours=25))
    assert store.clean_up(timedelta(days=30)) == 2
    with database.session() as session:
        left = set(session.scalars(select(ExecutionRow.id).where(ExecutionRow.user == "ada")))
    assert left == {running.id, *(execution.id for execution in made[2:])}


def test_a_list_reads_no_result_from_the_database(
    database: Database, executions: ExecutionStore
) -> None:
    made = executions.admit("ada", asking(), WIDE)
    executions.finish(made.id, run=ProgramRun(Outcome.SUCCEEDED, "x" * 10**6, "", 1, 1), seconds=1)
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *given: statements.append(given[2])
    )
    executions.executions("ada", offset=0, limit=9)
    assert statements
    assert not [text for text in statements if "executions.result" in text]


LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**1024, -(10**4000), float("nan"), -0.0, "\ud83d\ude00", "\0\ud800"])
    | st.floats()
    | st.text(st.characters())
)
PLAIN = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters())
RUNS = st.builds(
    ProgramRun,
    outcome=st.sampled_from(Outcome),
    stdout=TEXT,
    stderr=TEXT,
    seconds=st.floats(0, 300),
    memory_mb=st.floats(0, 4096),
    error_type=st.none() | TEXT,
    error_message=st.none() | TEXT,
    traceback=st.none() | TEXT,
    locals=st.none() | st.dictionaries(TEXT, PLAIN, max_size=3),
    omitted=st.dictionaries(TEXT, TEXT, max_size=2),
    value=PLAIN,
    has_value=st.booleans(),
    limit=st.none() | st.builds(LimitHit, st.just("memory_mb"), st.integers() | st.floats(0, 9)),
)
CALLS = st.builds(
    Call,
    TEXT,
    st.lists(PLAIN, max_size=2).map(tuple),
    st.dictionaries(TEXT, PLAIN, max_size=2),
)
ASKED_CASES = st.builds(
    Case, PLAIN, st.none() | TEXT, st.none() | CALLS, st.floats(0, 1), name=st.just("a name")
)
CASES = st.lists(
    st.builds(CaseResult, st.just("a name"), st.sampled_from(CaseVerdict), TEXT, RUNS, ASKED_CASES),
    max_size=2,
)


@settings(max_examples=60)
@given(run=st.none() | RUNS, cases=CASES)
def test_every_result_comes_back_as_it_was(run: ProgramRun | None, cases: list[CaseResult]) -> None:
    data = pack(run, cases)
    assert repr(unpack(data)) == repr((run, tuple(cases)))  # NaN equals itself only as text
    assert pack(*unpack(data)) == data


def test_a_result_that_no_text_column_holds_is_stored(executions: ExecutionStore) -> None:
    run = ProgramRun(
        Outcome.RAISED,
        "\0\ud800",
        "\ud83d\ude00",
        seconds=1,
        memory_mb=1,
        value=[float("inf"), 2**1024, {"": None}],
        has_value=True,
    )
    made = executions.admit("ada", asking(), WIDE)
    executions.finish(made.id, run=run, seconds=1)
    assert executions.execution(made.id).run == run


def test_much_output_takes_little_room(database: Database, executions: ExecutionStore) -> None:
    made = executions.admit("ada", asking(), WIDE)
    executions.finish(
        made.id, run=ProgramRun(Outcome.SUCCEEDED, "yes\n" * 2**18, "", 1, 1), seconds=1
    )
    with database.session() as session:
        assert len(session.get_one(ExecutionRow, made.id).result or b"") < 50_000


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def test_of_long_output_the_record_keeps_beginning_and_end(executions: ExecutionStore) -> None:
    made = executions.admit("ada", asking(), WIDE)
    long = "begin " + "é\ud800\U0001f600" * 10**5 + " end"
    whole = ProgramRun(Outcome.SUCCEEDED, long, "short", 1, 1)
    assert executions.finish(made.id, run=whole, seconds=1).run == whole
    run = executions.execution(made.id).run
    assert run is not None
    assert (run.stdout[:6], run.stdout[-4:], run.stderr) == ("begin ", " end", "short")
    first, _, rest = run.stdout.partition("\n[... ")
    count, _, last = rest.partition(" bytes are not kept ...]\n")
    assert _bytes(first) + int(count.replace(",", "")) + _bytes(last) == _bytes(long)
    assert long.startswith(first)
    assert long.endswith(last)
    assert STREAM_BYTES - 10 < _bytes(run.stdout) <= STREAM_BYTES


@settings(max_examples=40)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 500, 1400, 30_000, 70_000, 200_000]), max_size=50),
    letter=st.sampled_from(["x", "é", "\ud800", "\U0001f600"]),
)
def test_cases_share_what_is_kept_and_the_short_ones_lose_nothing(
    sizes: list[int], letter: str
) -> None:
    texts = [letter * (size // _bytes(letter)) for size in sizes]
    runs = [ProgramRun(Outcome.SUCCEEDED, text, text, 1, 1) for text in texts]
    cases = [CaseResult("", CaseVerdict.PASSED, "", run, Case("")) for run in runs]
    data = pack(None, cases)
    _, kept = unpack(data)
    lengths = [_bytes(case.run.stdout) for case in kept]
    assert [_bytes(case.run.stderr) for case in kept] == lengths
    assert sum(lengths) <= STREAM_BYTES
    fair = STREAM_BYTES // max(1, len(texts))
    for text, case in zip(texts, kept, strict=True):
        assert case.run.stdout == text or _bytes(case.run.stdout) >= fair - 10
        assert _bytes(text) > fair or case.run.stdout == text
    assert pack(None, kept) == data


def test_a_record_of_the_worst_output_stays_small(
    database: Database, executions: ExecutionStore
) -> None:
    made = executions.admit("ada", asking(), WIDE)
    noise = os.urandom(2**20).hex()
    run = ProgramRun(Outcome.SUCCEEDED, noise, noise, 1, 1)
    cases = [CaseResult("", CaseVerdict.PASSED, "", run, Case(""))] * 20
    executions.finish(made.id, cases=cases, seconds=1)
    with database.session() as session:
        assert len(session.get_one(ExecutionRow, made.id).result or b"") < 2 * STREAM_BYTES
