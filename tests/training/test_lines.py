"""Files of lines that are appended to by some and read by others, whatever happens to either."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.training.lines import (
    LineReader,
    append_line,
    end_torn_line,
    replace_file,
    replacing,
    sweep_temporary,
)


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
            limit = data.draw(st.none() | st.integers(1, 30))
            seen += [entry["n"] for entry in reader.read(limit)]
        while found := reader.read(1):
            seen += [entry["n"] for entry in found]
    assert seen == numbers
    assert reader.offset == len(whole)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(), min_size=1, max_size=10), st.data())
def test_a_reader_goes_on_from_another_one_s_offset(
    numbers: list[int], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        for number in numbers:
            append_line(path, {"n": number})
        first = LineReader(path)
        seen = first.read(data.draw(st.integers(1, 100)))
        seen += LineReader(path, first.offset).read()
    assert [entry["n"] for entry in seen] == numbers


def test_what_is_no_object_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n": 1}\n[1]\nnonsense\n\n{"n": 2\n"m": 3}\n\xff\xfe\n{"n": 4}\n5\n')
    assert LineReader(path).read() == [{"n": 1}, {"n": 4}]


def test_a_line_without_end_does_not_stop_a_reader_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"x" * 3_000_000 + b'\n{"n": 1}\n')
    reader = LineReader(path)
    seen = []
    for _ in range(10):
        seen += reader.read(1000)
    assert seen == [{"n": 1}]


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert LineReader(tmp_path / "none").read() == []


def test_a_writer_begins_a_new_line_after_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": ')
    append_line(path, {"n": 2})
    append_line(path, {"n": 3})
    assert [entry["n"] for entry in LineReader(path).read()] == [1, 2, 3]
    assert path.read_bytes().count(b"\n") == 4


def test_a_torn_line_is_ended_once(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n": ')
    end_torn_line(path)
    end_torn_line(path)
    assert path.read_bytes() == b'{"n": \n'
    end_torn_line(tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == b""


_APPEND = """
import sys
from pathlib import Path
from jupyter_ppo.training.lines import append_line
for number in range(300):
    append_line(Path(sys.argv[1]), {"writer": sys.argv[2], "n": number, "text": "x" * 200})
"""


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", _APPEND, str(path), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    seen = LineReader(path).read()
    for name in "abc":
        assert [line["n"] for line in seen if line["writer"] == name] == list(range(300))


def test_a_full_disk_is_told_also_when_a_part_was_written(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    append_line(path, {"n": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at
            append_line(path, {"n": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno in {errno.ENOSPC, errno.EFBIG}
    append_line(path, {"n": 3})
    assert [entry["n"] for entry in LineReader(path).read()] == [1, 3]


def test_a_replaced_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", "text"])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    replace_file(path, b"new", durable=False)
    assert path.read_bytes() == b"new"


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".state.json.4711.1.tmp").write_bytes(b"half")
    (tmp_path / "state.json").write_bytes(b"{}")
    sweep_temporary(tmp_path)
    assert os.listdir(tmp_path) == ["state.json"]
