"""metrics.jsonl: points, rewinds, cursors."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.training import Metric, MetricPoint, Rewind
from jupyter_ppo.training.metric_log import (
    MetricReader,
    MetricWriter,
    apply_rewinds,
    current_points,
    item_of_line,
    point_line,
    read_columns,
)

points = st.builds(
    MetricPoint,
    step=st.integers(0, 2**53),
    seconds=st.integers(0, 10**9).map(lambda n: n / 1000),
    values=st.dictionaries(
        st.sampled_from(list(Metric)) | st.just("my/metric 1"),
        st.floats(allow_nan=False),
        min_size=1,
    ),
)


@settings(deadline=None, max_examples=100)
@given(points)
def test_a_point_survives_its_line_and_the_line_is_strict_json(point: MetricPoint) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    again = item_of_line(json.loads(point_line(point), parse_constant=refuse))
    assert isinstance(again, MetricPoint)
    assert (again.step, again.seconds) == (point.step, point.seconds)
    assert again.values.keys() == point.values.keys()
    for metric, value in point.values.items():
        if math.isfinite(value):
            assert again.values[metric] == value
        else:
            assert math.isnan(again.values[metric])


def point(step: int, value: float = 0.0) -> MetricPoint:
    return MetricPoint(step, step / 100, {Metric.RETURN: value})


def test_what_is_written_is_read_from_a_cursor_on_and_the_cursor_is_the_offset(
    tmp_path: Path,
) -> None:
    path = tmp_path / "metrics.jsonl"
    writer, reader = MetricWriter(path), MetricReader(path)
    writer.add(point(1))
    assert reader.read() == []  # not flushed yet
    writer.flush()
    assert reader.read() == [point(1)]
    assert reader.cursor == writer.offset
    writer.add(point(2))
    writer.add(point(3))
    writer.flush(durable=True)
    assert MetricReader(path, reader.cursor).read(1) == [point(2)]
    assert reader.read() == [point(2), point(3)]
    writer.add(point(4))
    writer.close()
    writer.close()
    assert reader.read() == [point(4)]


# What a run that is killed and resumed writes: steps grow, and go back to a checkpoint.
histories = st.lists(
    st.tuples(st.integers(0, 20), st.lists(st.integers(0, 5), max_size=8)), max_size=6
)


@settings(deadline=None, max_examples=100)
@given(histories)
def test_points_columns_and_readers_agree_on_what_counts(
    history: list[tuple[int, list[int]]],
) -> None:
    expected: list[MetricPoint] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.jsonl"
        for back, increments in history:
            writer = MetricWriter(path)
            checkpoint = min(back, expected[-1].step if expected else 0)
            writer.rewind(checkpoint)
            expected = [one for one in expected if one.step <= checkpoint]
            step = checkpoint
            for number, increment in enumerate(increments):
                step += 1 + increment
                values = {"return": float(number)} if number % 2 else {"loss": math.nan}
                expected.append(MetricPoint(step, step / 100, values))
                writer.add(expected[-1])
            writer.close()
            with path.open("ab") as file:
                file.write(b'{"step": 1, "ret')  # killed
        MetricWriter(path).close()
        assert repr(current_points(path)) == repr(expected)
        columns = read_columns(path)
        size = path.stat().st_size
        assert repr(read_columns(path, size)) == repr(columns)
    for metric in (Metric.RETURN, Metric.LOSS):
        wanted = [one for one in expected if metric in one.values]
        steps, values = columns.get(metric, ((), ()))
        assert list(steps) == [one.step for one in wanted]
        assert repr(list(values)) == repr([one.values[metric] for one in wanted])


def test_a_rewind_is_written_only_when_there_is_something_to_take_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    writer = MetricWriter(path)
    writer.rewind(0)
    writer.add(point(10))
    writer.rewind(10)
    assert b"rewind" not in path.read_bytes()
    writer.rewind(5)
    writer.rewind(5)
    writer.close()
    assert MetricReader(path).read() == [point(10), Rewind(5)]
    assert apply_rewinds([point(3), point(10), Rewind(5), point(7)]) == [point(3), point(7)]


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"step": -1, "return": 1}',
        '{"step": "5", "return": 1}',
        '{"step": true}',
        '{"rewind": -1}',
        '{"rewind": "x"}',
        '{"step": 1e3}',
        f'{{"step": {2**60}}}',
    ],
)
def test_lines_of_no_writer_of_ours_are_passed_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(f"{line}\n{point_line(point(1, 2.0))}\n")
    assert current_points(path) == [point(1, 2.0)]
    assert {name: list(column[1]) for name, column in read_columns(path).items()} == {
        "return": [2.0]
    }


def test_values_that_are_no_numbers_and_names_that_are_none_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    huge = "9" * 400
    path.write_text(
        f'{{"step": 1, "seconds": "x", "return": true, "length": 5, "loss": "a", "<b>": 1,'
        f' "entropy": {huge}, "my": null}}\n'
    )
    (only,) = current_points(path)
    assert (only.step, only.seconds) == (1, 0.0)
    assert repr(only.values) == repr({"length": 5.0, "entropy": math.nan, "my": math.nan})
    assert set(read_columns(path)) == {"length", "entropy", "my"}


def test_columns_of_a_long_run_are_those_of_its_points(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    writer = MetricWriter(path)
    update = dict.fromkeys(Metric, 0.123456789)
    for step in range(64, 200_001, 64):  # an episode every 64 steps, an update every 1024
        writer.add(MetricPoint(step, step / 7000, {Metric.RETURN: 64.0, Metric.LENGTH: 64.0}))
        if step % 1024 == 0:
            writer.add(MetricPoint(step, step / 7000, update))
    writer.rewind(199_000)
    writer.close()
    columns = read_columns(path)  # how long that takes is measured in benchmarks/training.py
    points = current_points(path)
    for metric in (Metric.RETURN, Metric.LOSS):
        expected = [(p.step, p.values[metric]) for p in points if metric in p.values]
        assert list(zip(*columns[metric], strict=True)) == expected
    assert max(columns[Metric.RETURN][0]) <= 199_000


def test_a_run_that_has_not_begun_has_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert (read_columns(path), read_columns(path, 10), MetricReader(path).read()) == ({}, {}, [])
    with pytest.raises(FileNotFoundError):
        current_points(path)
