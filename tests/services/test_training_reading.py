"""A run's folder is read whatever a student's worker wrote into it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Command,
    EventKind,
    MetricPoint,
    Rewind,
    RunCommand,
    RunEvent,
    RunState,
)
from jupyter_ppo.services import training_reading
from jupyter_ppo.services.training_commands import commands_to_answer
from jupyter_ppo.services.training_reading import RunReader
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "run"
    path.mkdir()
    files = RunDirectory(path)
    files.create(RunSpec(), state=RunState.QUEUED)
    return files


def write(files: RunDirectory, count: int, first: int = 1) -> None:
    writer = MetricWriter(files.metrics_file)
    for step in range(first, first + count):
        writer.add(MetricPoint(step, step / 10, {"return": float(step % 7)}))
    writer.close()


def test_metrics_come_in_pieces_and_a_cursor_loses_nothing(files: RunDirectory) -> None:
    write(files, 10)
    reader, steps, cursor = RunReader(files.path), [], 0
    for _ in range(4):
        batch = reader.metrics(cursor, limit=3)
        steps += [item.step for item in batch.items]
        cursor = batch.cursor
    assert steps == list(range(1, 11))
    assert reader.metrics(cursor) == training_reading.MetricBatch((), cursor)
    writer = MetricWriter(files.metrics_file)
    writer.rewind(5)
    writer.close()
    assert reader.metrics(cursor).items == (Rewind(5),)


@pytest.mark.parametrize("since", [-1, 3, 10**9])
def test_a_cursor_that_is_none_is_refused(files: RunDirectory, since: int) -> None:
    write(files, 2)
    files.note(EventKind.WARNING, 1, "careful")
    for read in (RunReader(files.path).metrics, RunReader(files.path).events):
        with pytest.raises(InvalidInputError) as caught:
            read(since)
        assert caught.value.field == "since"


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_range_is_refused(files: RunDirectory, limit: int) -> None:
    with pytest.raises(InvalidInputError, match="limit"):
        RunReader(files.path).metrics(0, limit=limit)


def test_series_are_decimated_and_a_stream_goes_on_behind_them(files: RunDirectory) -> None:
    write(files, 1000)
    with files.metrics_file.open("ab") as file:
        file.write(b'{"step": 1001, "seco')
    reader = RunReader(files.path)
    batch = reader.series(points=50)
    steps, values = batch.columns["return"]
    assert len(steps) <= 50
    assert (steps[0], steps[-1], min(values), max(values)) == (1, 1000, 0, 6)
    assert reader.metrics(batch.cursor).items == ()
    write(files, 1, 1001)
    assert [item.step for item in reader.metrics(batch.cursor).items] == [1001]
    assert reader.series(["loss"]).columns == {}
    with pytest.raises(InvalidInputError, match="points"):
        reader.series(points=3)


def test_events_come_in_pieces_too(files: RunDirectory) -> None:
    events = [
        RunEvent(datetime(2026, 3, 1, tzinfo=UTC), EventKind.WARNING, step, "x") for step in (1, 2)
    ]
    for event in events:
        files.append_event(event)
    reader = RunReader(files.path)
    first = reader.events(limit=1)
    assert first.items == (events[0],)
    assert reader.events(first.cursor).items == (events[1],)


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    reader = RunReader(tmp_path / "none")
    assert reader.status() is None
    assert (reader.metrics().items, reader.events().items) == ((), ())
    assert (reader.evaluations(), reader.checkpoints(), reader.log_tail()) == ((), (), "")
    assert reader.series().columns == {}
    for ask in (reader.model_file, lambda: reader.checkpoint_file(3)):
        with pytest.raises(NotFoundError):
            ask()


def test_links_are_not_followed(files: RunDirectory, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"step": 1, "seconds": 1, "return": 1}\n')
    (tmp_path / "checkpoints").mkdir()
    for path in (
        files.metrics_file,
        files.events_file,
        files.evaluations_file,
        files.model_file,
        files.log_file,
        files.state_file,
    ):
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
    files.checkpoints_folder.symlink_to(tmp_path / "checkpoints")
    reader = RunReader(files.path)
    assert reader.status() is None
    assert (reader.metrics().items, reader.events().items, reader.evaluations()) == ((), (), ())
    assert (reader.series().columns, reader.checkpoints(), reader.log_tail()) == ({}, (), "")
    with pytest.raises(NotFoundError):
        reader.model_file()


def test_a_file_too_large_to_be_drawn_is_refused(
    files: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(files, 10)
    monkeypatch.setattr(training_reading, "MAX_SERIES_BYTES", 10)
    with pytest.raises(InvalidInputError, match="too large to be drawn"):
        RunReader(files.path).series()


def test_the_log_is_cut_to_lines_and_their_length(files: RunDirectory) -> None:
    files.log_file.write_text("\n".join([*(str(number) for number in range(200)), "x" * 5000]))
    said = RunReader(files.path).log_tail(lines=2).split("\n")
    assert said == ["199", "x" * 2000]


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=400), seed=st.integers(0, 1000))
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, seed: int
) -> None:
    files = RunDirectory(tmp_path_factory.mktemp("run"))
    spots = [b"\n", b'{"step":1,"seconds":0,"return":1}\n', b'{"rewind":0}\n', b"[[[", b'{"kind":']
    data += b"".join(random.Random(seed).choices(spots, k=5))  # noqa: S311
    for path in (
        files.metrics_file,
        files.events_file,
        files.evaluations_file,
        files.state_file,
        files.commands_file,
        files.log_file,
    ):
        path.write_bytes(data)
    files.checkpoints_folder.mkdir()
    (files.checkpoints_folder / "000000000001.ckpt").write_bytes(data)
    reader = RunReader(files.path)
    reader.status()
    for read in (reader.metrics, reader.events):
        cursor = read().cursor
        assert 0 <= cursor <= len(data)
        assert read(cursor).cursor >= cursor
    reader.series()
    reader.evaluations()
    reader.log_tail()
    assert reader.checkpoints() == ()
    assert 0 <= commands_to_answer(files, 0) <= len(data)


def test_a_line_without_end_is_passed_over_once_it_ends(
    files: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_reading, "MAX_BYTES", 100)
    files.metrics_file.write_bytes(b"x" * 300)
    reader = RunReader(files.path)
    assert reader.metrics().cursor == 0
    with files.metrics_file.open("ab") as file:
        file.write(b'\n{"step":1,"seconds":0,"return":1}\n')
    batch = reader.metrics()
    assert batch.items == ()
    assert [item.step for item in reader.metrics(batch.cursor).items] == [1]


def test_the_next_worker_begins_behind_the_commands_that_took_effect(files: RunDirectory) -> None:
    ends = []
    for name, value in (("a", 1e-3), ("b", 1e-4), ("c", 1e-5)):
        files.append_command(RunCommand(Command.SET, {"learning_rate": value}, name))
        ends.append(files.commands_file.stat().st_size)
    assert commands_to_answer(files, 0) == 0
    files.note(EventKind.CHANGED, 1, id="b")
    assert commands_to_answer(files, 0) == ends[1]
    assert commands_to_answer(files, ends[2]) == ends[2]
    assert commands_to_answer(files, 10**6) == ends[2]
    assert json.loads(files.commands_file.read_bytes()[ends[1] :])["id"] == "c"


def test_events_that_nobody_could_show_are_passed_over(files: RunDirectory) -> None:
    """A worker that is not in a container writes its folder itself: nothing is taken in there."""
    head = (
        b'{"at":"2026-01-01T00:00:00+00:00","kind":"warning","step":1,"message":"%s","data":{%s}}'
    )
    deep = b"[" * 900 + b"]" * 900
    with files.events_file.open("ab") as file:
        file.write(head % (b"deep", b'"a":' + deep) + b"\n")
        file.write(head.replace(b"2026-01-01", b"9999-12-31") % (b"late", b"") + b"\n")
        file.write(head.replace(b"+00:00", b"-23:00") % (b"bad \\udc80", b'"k":1') + b"\n")
        file.write(
            head.replace(b"2026", b"9999")
            .replace(b"01-01", b"12-31")
            .replace(b"T00:00:00+00:00", b"T23:59:59-23:00")
            % (b"after time", b"")
            + b"\n"
        )
    batch = RunReader(files.path).events()
    assert [event.message for event in batch.items] == ["late", "bad ?"]
    assert batch.cursor == files.events_file.stat().st_size


def test_a_status_is_text_that_can_be_sent(files: RunDirectory) -> None:
    files.state_file.write_bytes(b'{"state":"failed","message":"boom \\udc80"}')
    status = RunReader(files.path).status()
    assert status is not None
    assert status.message == "boom ?"


def test_a_metric_that_is_none_is_named_with_a_near_one(files: RunDirectory) -> None:
    write(files, 3)
    reader = RunReader(files.path)
    with pytest.raises(InvalidInputError, match=r"'retrun'. Did you mean return\?") as caught:
        reader.series(["return", "retrun"])
    assert caught.value.field == "names"
    with pytest.raises(InvalidInputError, match="The run has return"):
        reader.series(["x" * 500])
    assert list(reader.series(["return", "loss"]).columns) == ["return"]
