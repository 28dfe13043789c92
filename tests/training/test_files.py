"""The run directory's formats."""

from __future__ import annotations

import errno
import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.training import Metric, MetricPoint, RunSpec, RunState, RunStatus
from jupyter_ppo.training.files import (
    LineReader,
    RunDirectory,
    point_from_json,
    point_to_json,
    replace_file,
    replacing,
)

points = st.builds(
    MetricPoint,
    step=st.integers(0, 2**53),
    seconds=st.integers(0, 10**9).map(lambda n: n / 1000),
    values=st.dictionaries(st.sampled_from(list(Metric)), st.floats(allow_nan=False), min_size=1),
)


@settings(deadline=None, max_examples=100)
@given(points)
def test_a_point_survives_its_line_and_the_line_is_strict_json(point: MetricPoint) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    again = point_from_json(json.loads(point_to_json(point), parse_constant=refuse))
    assert (again.step, again.seconds) == (point.step, point.seconds)
    assert again.values.keys() == point.values.keys()
    for metric, value in point.values.items():
        if math.isfinite(value):
            assert again.values[metric] == value
        else:
            assert math.isnan(again.values[metric])


def test_names_of_later_versions_are_left_out() -> None:
    point = point_from_json({"step": 1, "seconds": 2, "return": 3, "new_metric": 4})
    assert point == MetricPoint(1, 2.0, {Metric.RETURN: 3.0})


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(), max_size=20), st.data())
def test_a_reader_gets_every_line_once_however_the_writer_is_cut(
    numbers: list[int], data: st.DataObject
) -> None:
    whole = "".join(json.dumps({"n": number}) + "\n" for number in numbers).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        path.touch()
        reader, seen, written = LineReader(path), [], 0
        while written < len(whole):
            size = data.draw(st.integers(1, len(whole) - written))
            with path.open("ab") as file:
                file.write(whole[written : written + size])
            written += size
            seen += reader.read()
        assert [entry["n"] for entry in seen] == numbers
        assert reader.read() == []


def test_damaged_lines_are_skipped_and_an_unfinished_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n": 1}\n\xff\xfe\n[2]\n{"n": 3}\n{"n": 4')
    reader = LineReader(path)
    assert reader.read() == [{"n": 1}, {"n": 3}]
    with path.open("ab") as file:
        file.write(b"2}\n")
    assert reader.read() == [{"n": 42}]


def test_an_error_while_replacing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    replace_file(path, b"old")

    def write_and_fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise OSError(errno.ENOSPC, "disk full")

    with pytest.raises(OSError, match="full"):
        write_and_fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_status_survives_its_file(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    status = RunStatus(RunState.FAILED, 12, 3.5, 4.25, "It broke.")
    files.write_status(status)
    assert files.read_status() == status


def test_a_folder_without_a_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"spec\.json is missing"):
        RunDirectory(tmp_path).read_spec()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format_version": 1, "spec": 3}'])
def test_a_damaged_spec_is_refused(tmp_path: Path, content: str) -> None:
    files = RunDirectory(tmp_path)
    files.spec_file.write_text(content)
    with pytest.raises(InvalidInputError, match="damaged") as caught:
        files.read_spec()
    assert caught.value.field == "directory"


def test_a_run_of_a_later_format_is_refused(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    files.create(RunSpec())
    document = json.loads(files.spec_file.read_text())
    files.spec_file.write_text(json.dumps({**document, "format_version": 2}))
    with pytest.raises(InvalidInputError, match="format 2"):
        files.read_spec()


def test_the_lock_tells_whether_a_worker_lives(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    files.create(RunSpec())
    assert not files.worker_is_alive()
    with files.locked_for_worker():
        assert files.worker_is_alive()
    assert not files.worker_is_alive()


def test_the_last_log_line_is_the_last_one_with_text(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    assert files.last_log_line() == ""
    files.log_file.write_text("x" * 9000 + "\nValueError: no\n\n  \n")
    assert files.last_log_line() == "ValueError: no"
