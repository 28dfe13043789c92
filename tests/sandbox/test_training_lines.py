"""What is believed of the lines and files of a training run: bytes of every kind."""

from __future__ import annotations

import io
import json
import math
import zipfile
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.training import (
    Evaluation,
    EventKind,
    MetricPoint,
    Minibatch,
    RunEvent,
    RunState,
    RunStatus,
)
from jupyter_ppo.sandbox.run_lines import (
    CHECKS,
    status_of,
    taken,
    why_no_checkpoint,
    why_no_zip,
)
from jupyter_ppo.training.checkpoints import CheckpointStore
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import append_line
from jupyter_ppo.training.metric_log import MetricWriter, current_points
from jupyter_ppo.training.minibatches import MinibatchLog

NAMES = sorted(CHECKS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = ["step", "seconds", "rewind", "return", "at", "kind", "state", "message", "data", "seed"]
KEYS += ["deterministic", "returns", "lengths", "update", "total_steps", "checkpoint_step"]
KEYS += ["ratios", "advantages", "clip_range", "rollout_size"]


#: One sample with ratio 1 and advantage 1.
MINIBATCH = {"step": 1, "update": 1, "clip_range": 0.2, "rollout_size": 8}
MINIBATCH |= {"ratios": "AACAPw==", "advantages": "AACAPw=="}


def honest(folder: Path) -> RunDirectory:
    """Write one of each line as a worker does."""
    files = RunDirectory(folder)
    writer = MetricWriter(files.metrics_file)
    writer.add(MetricPoint(128, 0.5, {"return": 12.0, "explained_variance": math.nan}))
    writer.add(MetricPoint(256, 0.75, {"loss": -0.125}))
    writer.rewind(128)
    writer.close()
    files.append_event(
        RunEvent(datetime.now(UTC), EventKind.CHANGED, 128, "now", {"learning_rate": 1e-3})
    )
    files.append_evaluation(Evaluation(128, 0.5, 7, True, (1.0, math.nan), (3, 4)))
    files.rewind_evaluations(0)
    log = MinibatchLog(files.minibatches_file)
    ratios, advantages = array("f", [0.5, 1.1] * 128), array("f", [-3.5, 0.1] * 128)
    log.add(Minibatch(1024, 1, 0.2, 1024, ratios, advantages))
    log.rewind(0)
    return files


@pytest.mark.parametrize("name", NAMES)
def test_what_a_worker_writes_is_kept_to_the_byte(tmp_path: Path, name: str) -> None:
    lines = (honest(tmp_path).path / name).read_bytes().splitlines(keepends=True)
    assert [taken(line, CHECKS[name]) for line in lines] == lines


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80)
@given(data=st.binary(max_size=200) | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_other_line_is_left_out_or_made_one_of_ours(name: str, data: Any) -> None:
    line = data if isinstance(data, bytes) else json.dumps(data).encode()
    found = taken(line, CHECKS[name])
    if found is not None:
        assert found.count(b"\n") == 1
        assert b"NaN" not in found
        assert b"Infinity" not in found
        assert taken(found, CHECKS[name]) == found


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("metrics.jsonl", {"step": 2**60, "seconds": 1}),
        ("metrics.jsonl", {"rewind": 2**60}),
        ("metrics.jsonl", {"step": 1} | {f"m{number}": 1 for number in range(500)}),
        ("events.jsonl", {"at": "0001-01-01T00:00:00+23:59", "kind": "state", "step": 1}),
        ("events.jsonl", {"at": "2026-01-01", "kind": "state", "data": {"x": math.nan}}),
        ("events.jsonl", {"at": "2026-01-01", "kind": "state", "data": {"x": "y" * 9000}}),
        ("events.jsonl", {"at": "2026-01-01", "kind": "became_root"}),
        ("events.jsonl", {"at": "2026-01-01", "kind": "state", "data": {"x": [[[[[[[[[1]]]]]]]]]}}),
        (
            "evaluations.jsonl",
            {
                "step": 1,
                "seconds": 1,
                "seed": 1,
                "deterministic": 1,
                "returns": [1, 2],
                "lengths": [1],
            },
        ),
        ("minibatches.jsonl", MINIBATCH | {"step": 2**60}),
        ("minibatches.jsonl", MINIBATCH | {"rollout_size": 2**60}),
        ("minibatches.jsonl", MINIBATCH | {"ratios": "AACAPw==" * 300}),
        ("minibatches.jsonl", MINIBATCH | {"advantages": "AADAfw=="}),  # NaN
        ("minibatches.jsonl", MINIBATCH | {"ratios": "AAAAAA=="}),  # 0
        ("minibatches.jsonl", {"rewind": 2**60}),
        ("minibatches.jsonl", MINIBATCH | {"rewind": 1.5}),
    ],
)
def test_a_line_that_says_too_much_is_left_out(name: str, data: dict[str, Any]) -> None:
    assert taken(json.dumps(data).encode(), CHECKS[name]) is None


def test_the_minibatch_that_is_changed_above_is_good() -> None:
    found = taken(json.dumps(MINIBATCH).encode(), CHECKS["minibatches.jsonl"])
    assert found is not None
    assert json.loads(found) == MINIBATCH


@pytest.mark.parametrize("name", NAMES)
def test_a_line_that_is_nested_too_deeply_is_left_out(name: str) -> None:
    assert taken(b'{"step":' + b"[" * 60_000, CHECKS[name]) is None


def test_an_event_whose_data_no_reader_could_show_is_left_out() -> None:
    deep = b"[" * 900 + b"]" * 900
    line = b'{"at":"2026-01-01","kind":"warning","step":1,"message":"m","data":{"a":' + deep + b"}}"
    assert taken(line, CHECKS["events.jsonl"]) is None


def test_the_values_of_a_live_change_are_kept() -> None:
    rate = {"kind": "linear", "start": 0.1, "end": 0.0}
    data = {"learning_rate": rate, "reasons": ["a", "b"], "id": "x"}
    line = {"at": "2026-01-01", "kind": "changed", "step": 1, "data": data}
    found = taken(json.dumps(line).encode(), CHECKS["events.jsonl"])
    assert found is not None
    assert json.loads(found)["data"] == data


def test_a_status_of_a_worker_is_taken_as_it_is(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    status = RunStatus(RunState.PAUSED, 10, 1.5, 20.0, "because", 100, 3, 8)
    files.write_status(status)
    assert status_of(files.state_file.read_bytes()) == status


@settings(max_examples=80)
@given(st.binary(max_size=100) | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_other_status_is_none_or_within_its_bounds(data: Any) -> None:
    status = status_of(data if isinstance(data, bytes) else json.dumps(data).encode())
    if status is not None:
        assert status.state is not RunState.QUEUED
        assert math.isfinite(status.seconds)
        assert 0 <= status.step <= 2**53


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "queued"},
        {"state": "graded"},
        {"step": -1},
        {"step": 2**60},
        {"seconds": math.inf},
        {"steps_per_second": -1.0},
        {"checkpoint_step": True},
    ],
)
def test_a_status_that_no_worker_has_is_left_out(changed: dict[str, Any]) -> None:
    data = {"state": "running", "step": 1, "seconds": 1.0} | changed
    assert status_of(json.dumps(data).encode()) is None


def stored(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("_json", ".json").replace("_sig", ".sig"), data)
    return buffer.getvalue()


def test_a_checkpoint_of_a_worker_is_taken(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.write(5, 1, {"weights.pt": b"w" * 1000}, weights_sha256="0" * 64, is_exact=True)
    assert why_no_checkpoint(tmp_path, 5) is None
    assert why_no_zip(store.path(5)) is None


def compressed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", bytes(2**20))
    return buffer.getvalue()


def overlapping() -> bytes:
    """Name the same stored bytes a hundred times in the directory, as a zip bomb does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("part0", bytes(100_000))
        first = archive.infolist()[0]
        for number in range(1, 100):
            entry = zipfile.ZipInfo(f"part{number}")
            entry.header_offset, entry.CRC = first.header_offset, first.CRC
            entry.file_size = entry.compress_size = first.file_size
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
    return buffer.getvalue()


META = {
    "format_version": 1,
    "step": 5,
    "update": 1,
    "created_at": "2026-01-01T00:00:00+00:00",
    "weights_sha256": "0" * 64,
    "is_exact": True,
    "reason": "",
    "extra": {},
    "parts": {},
}


def described(**changed: Any) -> bytes:
    return stored(meta_json=json.dumps(META | changed).encode(), meta_sig=b"")


def test_the_description_that_is_changed_below_is_good(tmp_path: Path) -> None:
    CheckpointStore(tmp_path).path(5).write_bytes(described())
    assert why_no_checkpoint(tmp_path, 5) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 and so on",
        compressed(),
        overlapping(),
        stored(meta_json=b"{}"),
        stored(meta_json=b"[" * 100_000, meta_sig=b""),
        described(step=6),
        described(update=math.inf),
        described(update=10**400),
        described(created_at="soon"),
        described(parts={"weights.pt": {"sha256": "0" * 64}}),
        described(parts={"meta.json": {"sha256": "0" * 64}}),
        described(parts=[1, 2]),
        described(format_version=99),
        stored(meta_json=json.dumps(META).encode()),
    ],
    ids=lambda data: str(len(data)),
)
def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    CheckpointStore(tmp_path).path(5).write_bytes(data)
    assert why_no_checkpoint(tmp_path, 5)


@settings(max_examples=60)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_checkpoint_with_a_changed_byte_is_refused_or_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    store = CheckpointStore(folder)
    store.write(5, 1, {"weights.pt": b"w" * 300}, weights_sha256="0" * 64, is_exact=True)
    data = bytearray(store.path(5).read_bytes())
    data[at % len(data)] = byte
    store.path(5).write_bytes(data)
    if why_no_checkpoint(folder, 5) is None:
        assert store.read(5).parts["weights.pt"] == b"w" * 300


def test_lines_that_were_taken_are_read_as_what_was_written(tmp_path: Path) -> None:
    files = honest(tmp_path)
    before = current_points(files.metrics_file)
    lines = files.metrics_file.read_bytes().splitlines()
    kept = [taken(line, CHECKS["metrics.jsonl"]) for line in lines]
    files.metrics_file.write_bytes(b"".join(line for line in kept if line is not None))
    append_line(files.metrics_file, {"step": 300, "seconds": 1.0, "loss": 1.0})
    assert [point.step for point in current_points(files.metrics_file)] == [
        *(point.step for point in before),
        300,
    ]
