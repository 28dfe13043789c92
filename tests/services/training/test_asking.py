"""People's training runs: asked for, steered, read and deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Command,
    RunCommand,
    RunState,
)

ADA, BOB, IRIS = Caller("ada"), Caller("bob"), Caller("iris", admin=True)
SPEC = RunSpec(total_steps=10_000, n_steps=100, batch_size=50)
PAUSE, RESUME, STOP = (RunCommand(each) for each in (Command.PAUSE, Command.RESUME, Command.STOP))


def test_a_run_is_trained_and_recorded(serve: Callable[..., Any]) -> None:
    server = serve(cpu_rate=1.0)
    end = server.until(server.add(), RunState.FINISHED)
    assert (end.step, end.total_steps, end.is_held) == (10_000, 10_000, False)
    assert 0 < end.cpu_seconds <= end.wall_seconds
    assert end.disk_bytes > 1000
    assert end.started_at is not None
    assert end.ended_at is not None
    run, status = server.service.status(ADA, end.id)
    assert run == end
    assert status is not None
    assert (status.state, status.step) == (RunState.FINISHED, 10_000)
    assert server.place.closed == 1
    quota, used = server.service.usage(ADA)
    assert used.cpu_seconds_today == pytest.approx(end.cpu_seconds)
    assert (used.running, used.queued, used.runs) == (0, 0, 1)
    assert quota == server.service.quota


def test_workers_are_as_many_as_there_are_places_and_the_rest_waits_in_order(
    serve: Callable[..., Any],
) -> None:
    server = serve(workers=2, lingers=True)
    created = server.service.create(ADA, [SPEC.changed(seed=seed) for seed in range(4)]).runs
    server.wait(lambda: len(server.place.started) == 2)
    states = [server.service.run(ADA, run.id) for run in created]
    assert [run.position for run in states] == [None, None, 1, 2]
    server.service.command(ADA, created[0].id, STOP)
    server.wait(lambda: len(server.place.started) == 3)
    assert server.service.run(ADA, created[3].id).position == 1


@pytest.mark.parametrize("name", ["", "Ablation: clip 0.1", "e\u0301"])
def test_names_have_one_spelling(serve: Callable[..., Any], name: str) -> None:
    server = serve(workers=0)
    made = server.service.create(ADA, [SPEC], name=f" {name} ", tags=["b", " a", "b"]).runs[0]
    assert made.name == name.replace("e\u0301", "\u00e9")
    assert made.tags == ("b", "a")
    assert server.service.runs(ADA, tag="a").total == 1


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"name": "a\nb"}, "name"),
        ({"name": "\u202eevil"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": "fast"}, "tags"),
        ({"tags": [str(number) for number in range(21)]}, "tags"),
        ({"request_key": "a\0"}, "request_key"),
        ({"specs": []}, "seeds"),
        ({"specs": [SPEC] * 51}, "seeds"),
        ({"specs": [SPEC.changed(env_sha256="0" * 64)]}, "env_sha256"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    serve: Callable[..., Any], asked: dict[str, object], name: str
) -> None:
    server = serve(workers=0)
    with pytest.raises(InvalidInputError) as caught:
        server.service.create(ADA, **({"specs": [SPEC]} | asked))
    assert caught.value.field == name
    assert server.service.runs(ADA).total == 0


def test_people_see_their_own_runs_and_admins_all(serve: Callable[..., Any]) -> None:
    server = serve(workers=0)
    own, other = server.add(), server.add(caller=BOB)
    service = server.service
    assert [run.id for run in service.runs(ADA).items] == [own.id]
    assert service.runs(ADA, user="bob").total == 0
    assert [run.id for run in service.runs(IRIS).items] == [other.id, own.id]
    assert [run.id for run in service.runs(IRIS, user="ada").items] == [own.id]
    asks: list[Callable[[UUID], object]] = [
        lambda run_id: service.run(ADA, run_id),
        lambda run_id: service.rename(ADA, run_id, name="mine"),
        lambda run_id: service.delete(ADA, run_id),
        lambda run_id: service.command(ADA, run_id, STOP),
        lambda run_id: service.status(ADA, run_id),
        lambda run_id: service.metrics(ADA, run_id),
        lambda run_id: service.series(ADA, run_id),
        lambda run_id: service.events(ADA, run_id),
        lambda run_id: service.evaluations(ADA, run_id),
        lambda run_id: service.checkpoints(ADA, run_id),
        lambda run_id: service.checkpoint_file(ADA, run_id, 0),
        lambda run_id: service.model_file(ADA, run_id),
        lambda run_id: service.log_tail(ADA, run_id),
        lambda run_id: service.follow(ADA, run_id),
    ]
    for ask in asks:
        said = []
        for run_id in (other.id, new_id()):
            with pytest.raises(NotFoundError) as caught:
                ask(run_id)
            said.append(caught.value.message.replace(str(run_id), "ID"))
        assert said[0] == said[1]
    assert service.run(BOB, other.id).state is RunState.QUEUED
    assert service.rename(IRIS, other.id, tags=["seen"]).tags == ("seen",)


def test_a_run_is_paused_resumed_extended_and_stopped(serve: Callable[..., Any]) -> None:
    server = serve(lingers=True)
    service, run = server.service, server.add()
    server.until(run, RunState.RUNNING)
    service.command(ADA, run.id, PAUSE)
    server.until(run, RunState.PAUSED)
    service.command(ADA, run.id, RESUME)
    server.until(run, RunState.RUNNING)
    with pytest.raises(InvalidInputError, match="not more than the 10000"):
        service.command(ADA, run.id, RunCommand(Command.EXTEND, {"total_steps": 9000}))
    command_id = service.command(ADA, run.id, RunCommand(Command.EXTEND, {"total_steps": 12_000}))
    server.wait(lambda: bool(service.events(ADA, run.id).items))
    assert service.events(ADA, run.id).items[0].data["id"] == command_id
    server.wait(lambda: service.run(ADA, run.id).step == 12_000)
    with pytest.raises(ConflictError, match="Stop it, then delete it"):
        service.delete(ADA, run.id)
    service.command(ADA, run.id, STOP)
    end = server.until(run, RunState.STOPPED)
    assert (end.message, end.is_held) == ("You did.", False)
    with pytest.raises(ConflictError, match="is stopped, so it cannot pause"):
        service.command(ADA, run.id, PAUSE)


def test_an_ended_run_goes_on_where_it_was_and_old_commands_are_not_followed_again(
    serve: Callable[..., Any],
) -> None:
    server = serve(lingers=True)
    service, run = server.service, server.add()
    server.wait(lambda: service.run(ADA, run.id).step > 500)
    service.command(ADA, run.id, STOP)
    stopped = server.until(run, RunState.STOPPED)
    service.command(ADA, run.id, RunCommand(Command.EXTEND, {"total_steps": 20_000}))
    server.wait(lambda: service.run(ADA, run.id).step == 20_000)
    assert server.place.started[1]._first_step == stopped.step
    assert service.run(ADA, run.id).spec.total_steps == 20_000


def test_a_run_that_waits_can_be_stopped_extended_and_deleted(
    serve: Callable[..., Any], folder: Path
) -> None:
    server = serve(workers=0)
    service, run = server.service, server.add()
    assert service.status(ADA, run.id) == (run, None)
    assert service.metrics(ADA, run.id).items == ()
    assert service.series(ADA, run.id).columns == {}
    assert (service.events(ADA, run.id).items, service.log_tail(ADA, run.id)) == ((), "")
    service.command(ADA, run.id, RunCommand(Command.EXTEND, {"total_steps": 30_000}))
    assert service.run(ADA, run.id).spec.total_steps == 30_000
    with pytest.raises(ConflictError, match="can be stopped and extended"):
        service.command(ADA, run.id, PAUSE)
    service.command(ADA, run.id, STOP)
    assert service.run(ADA, run.id).state is RunState.STOPPED
    service.command(ADA, run.id, RESUME)
    assert service.run(ADA, run.id).position == 1
    service.delete(ADA, run.id)
    assert service.runs(ADA).total == 0
    assert list(folder.iterdir()) == []


def test_deleting_a_run_takes_its_folder_and_nothing_that_it_links_to(
    serve: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    server = serve()
    gone, linked = server.add(), server.add()
    for run in (gone, linked):
        server.until(run, RunState.FINISHED)
    kept = tmp_path / "kept"
    (folder / str(linked.id)).rename(kept)
    (folder / str(linked.id)).symlink_to(kept)
    (folder / str(gone.id) / "checkpoints").symlink_to(kept)
    for run in (gone, linked):
        server.service.delete(ADA, run.id)
    assert list(folder.iterdir()) == []
    assert (kept / "metrics.jsonl").stat().st_size > 0


def test_a_finished_run_that_cannot_pause_can_be_extended(serve: Callable[..., Any]) -> None:
    server = serve()
    run = server.until(server.add(), RunState.FINISHED)
    with pytest.raises(ConflictError, match="Extend it to more steps"):
        server.service.command(ADA, run.id, PAUSE)
