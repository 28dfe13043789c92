"""Drafting in processes that are ended or frozen midway: nothing is lost, nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from llm_server import Behaviour
from sqlalchemy import select, update

from jupyter_ppo.domain.tutoring import PICO, BatchState, CallState, ItemState
from jupyter_ppo.storage.tables import DraftBatchItemRow, DraftRow, ModelCallRow

CHILD = Path(__file__).with_name("drafting_child.py")
HANGS = Behaviour("slow", seconds=600)
DEADLINE = 120
DONE, LEASED, WAITING = ItemState.DONE, ItemState.LEASED, ItemState.WAITING


@pytest.fixture
def begin(studio: Any) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a process that drafts."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(workers: int = 2) -> subprocess.Popen[bytes]:
        world = studio.world
        url = world.database.engine.url.render_as_string(hide_password=False)
        words = [url, world.folder, studio.server.openai_url, workers, 90]
        begun.append(subprocess.Popen([sys.executable, CHILD, *map(str, words)]))
        return begun[-1]

    yield begin
    for each in begun:
        each.kill()
        each.wait()


def until(reached: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait, as long as the process lives."""
    deadline = time.monotonic() + DEADLINE
    while not reached():
        assert process.poll() is None, "It ended too early."
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run_out(studio: Any) -> None:
    """Let every lease run out now, as after a minute and a half without a sign of life."""
    with studio.world.database.begin() as session:
        session.execute(
            update(DraftBatchItemRow)
            .where(DraftBatchItemRow.state == LEASED)
            .values(leased_until=datetime(2000, 1, 1, tzinfo=UTC))
        )


def calls(studio: Any) -> list[ModelCallRow]:
    with studio.world.database.session() as session:
        return list(session.scalars(select(ModelCallRow)))


def drafted(studio: Any) -> Counter[Any]:
    """Return how many drafts each answer has."""
    with studio.world.database.session() as session:
        return Counter(session.scalars(select(DraftRow.submission_id)))


def asked(studio: Any) -> list[str]:
    return [each.headers["x-client-request-id"] for each in studio.server.received]


def spent(studio: Any) -> int:
    course = studio.assignment.course_id
    total = studio.calls.spent(course, None, "ines").course
    assert total == sum(
        row.cost for row in studio.calls.spend(course, datetime(2000, 1, 1, tzinfo=UTC))
    )
    return int(total)


def test_a_batch_whose_process_is_killed_is_finished_by_another_one(
    studio: Any, begin: Callable[..., subprocess.Popen[bytes]]
) -> None:
    handed_in = studio.hand_in_some(5)
    batch = studio.parts.drafting.start(studio.ines, "rl", "ps1").batch.id
    studio.server.will(*["ok"] * 7, HANGS, HANGS)
    first = begin()
    until(lambda: len(studio.server.received) == 9, first)
    first.send_signal(signal.SIGKILL)
    first.wait()

    # A new process, as after a restart, says how far it is.
    halfway = studio.parts.drafting.batch(studio.gil, batch).batch
    done = len(drafted(studio))
    assert 0 < done < 5
    assert halfway.state is BatchState.RUNNING
    assert halfway.counts == {DONE: done, LEASED: 2} | ({WAITING: 3 - done} if done < 3 else {})
    in_flight = [row for row in calls(studio) if row.state is CallState.RESERVED]
    assert len(in_flight) == 2

    run_out(studio)
    assert begin().wait(DEADLINE) == 0

    view = studio.parts.drafting.batch(studio.gil, batch)
    assert view.batch.state is BatchState.SUCCEEDED
    assert view.batch.counts == {DONE: 5}
    assert drafted(studio) == Counter(handed_in)
    assert len(studio.queue()) == 5
    # Every request is written down; what came back was not asked for again.
    rows = calls(studio)
    assert sorted(asked(studio)) == sorted(str(row.id) for row in rows)
    paid = [row for row in rows if row.state is CallState.SUCCEEDED]
    assert (len(paid), len(rows)) == (15, 17)
    assert len({row.cache_key for row in paid}) == 15
    cost = sum(row.input_tokens * 1_000_000 + row.output_tokens * 2_000_000 for row in paid)
    assert view.spent == cost / PICO
    # Nobody knows what the two in flight cost: all that was reserved for them stays counted.
    reserved = sum(row.reserved for row in in_flight)
    assert spent(studio) == cost + reserved
    assert studio.calls.lose_reserved(datetime.now(UTC) + timedelta(seconds=1)) == 2
    assert spent(studio) == cost + reserved


def test_a_frozen_process_comes_too_late_with_its_draft(
    studio: Any, begin: Callable[..., subprocess.Popen[bytes]]
) -> None:
    (one,) = studio.hand_in_some(1)
    studio.server.will("ok", Behaviour("slow", seconds=1.0))
    batch = studio.parts.drafting.start(studio.ines, "rl", "ps1").batch.id
    frozen = begin(workers=1)
    until(lambda: len(studio.server.received) == 2, frozen)
    frozen.send_signal(signal.SIGSTOP)

    run_out(studio)
    assert begin(workers=1).wait(DEADLINE) == 0
    draft = studio.queue()[0].draft
    frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(DEADLINE) == 0

    view = studio.parts.drafting.batch(studio.gil, batch)
    assert (view.batch.state, view.batch.counts) == (BatchState.SUCCEEDED, {DONE: 1})
    assert drafted(studio) == {one: 1}
    assert [item.draft for item in studio.queue()] == [draft]
    # Its answer came and is paid for; it is no part of the draft.
    rows = calls(studio)
    assert sorted(asked(studio)) == sorted(str(row.id) for row in rows)
    assert {row.state for row in rows} == {CallState.SUCCEEDED}
    late = {str(row.id) for row in rows} - set(map(str, draft.new.call_ids))
    assert late == {asked(studio)[1]}
    assert spent(studio) == sum(row.cost for row in rows)
    assert view.spent * PICO == pytest.approx(sum(row.cost for row in rows))
