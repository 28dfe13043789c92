"""A run's folder that somebody edited: a clear sentence that names the file and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, PPOError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import damaged_runs, list_runs, open_run
from jupyter_ppo.training.metric_log import MetricWriter, read_columns


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "run"
    path.mkdir()
    files = RunDirectory(path)
    files.create(RunSpec())
    writer = MetricWriter(files.metrics_file)
    writer.add(MetricPoint(10, 1.0, {Metric.RETURN: 5.0}))
    writer.close()
    files.announce(RunStatus(RunState.STOPPED, 10, 1.0, message="Stopped on request."))
    return files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "spec.json in .* is damaged"),
        ("{", "spec.json in .* is damaged"),
        ("[]", "spec.json in .* is damaged"),
        ('{"format_version": 2, "spec": []}', "spec.json in .* is damaged"),
        ('{"format_version": 3, "spec": {}}', "has format 3, .* reads formats 1 and 2"),
        ('{"format_version": 2, "spec": {"gamma": 7}}', "spec.json in .*gamma: 7 is out of range"),
        ('{"format_version": 2, "spec": {"gama": 0.9}}', "Did you mean gamma"),
        ("[" * 100_000, "spec.json in .* is damaged"),
    ],
)
def test_an_edited_spec_is_named_with_what_is_wrong(
    files: RunDirectory, content: str, words: str
) -> None:
    files.spec_file.write_text(content)
    with pytest.raises(InvalidInputError, match=words) as caught:
        open_run(files.path)
    assert str(files.path) in caught.value.message
    assert list_runs(files.path.parent) == []
    assert list(damaged_runs(files.path.parent)) == [files.path]


def test_a_damaged_state_says_that_deleting_it_helps_and_it_does(files: RunDirectory) -> None:
    run = open_run(files.path)
    files.state_file.write_text('{"state": "happy"}')
    with pytest.raises(InvalidInputError, match=r"state\.json in .* Delete that file"):
        run.status()
    assert list(damaged_runs(files.path.parent)) == [files.path]
    files.state_file.unlink()
    assert run.status().state is RunState.INTERRUPTED
    assert damaged_runs(files.path.parent) == {}


def test_a_run_without_its_spec_is_listed_as_damaged(files: RunDirectory) -> None:
    files.spec_file.unlink()
    with pytest.raises(NotFoundError):
        open_run(files.path)
    assert "spec.json is missing" in damaged_runs(files.path.parent)[files.path]


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    assert list_runs(tmp_path) == []
    assert damaged_runs(tmp_path) == {}
    assert list_runs(tmp_path / "none") == []
    with pytest.raises(InvalidInputError, match="is a file"):
        list_runs(tmp_path / "file")


_FILES = (
    *("spec.json", "state.json", "metrics.jsonl", "events.jsonl"),
    *("evaluations.jsonl", "minibatches.jsonl"),
)


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_is_in_the_files_reading_gives_a_result_or_one_of_our_errors(
    files: RunDirectory, data: st.DataObject
) -> None:
    copy = files.path.with_name("copy")
    shutil.copytree(files.path, copy, dirs_exist_ok=True)
    path = copy / data.draw(st.sampled_from(_FILES))
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
        max_leaves=8,
    )
    content = data.draw(st.binary(max_size=50) | values.map(lambda one: json.dumps(one).encode()))
    path.write_bytes(data.draw(st.sampled_from([b"", path.read_bytes()])) + content + b"\n")
    assert path.name in (complaint(copy) or path.name)


def complaint(folder: Path) -> str:
    """Read everything; return what is said about it, "" for nothing."""
    try:
        run = open_run(folder)
        run.status()
        run.metrics()
        run.events()
        run.evaluations()
        run.minibatches()
        run.checkpoints()
        read_columns(run.files.metrics_file)
    except PPOError as error:
        return error.message
    return ""


_KEYS = st.sampled_from(
    [
        *("format_version", "spec", "name", "tags", "state", "step", "seconds", "message"),
        *("kind", "at", "data", "rewind", "returns", "lengths", "seed", "deterministic"),
        *("learning_rate", "gamma", "total_steps", "checkpoint_step", "update"),
        *("ratios", "advantages", "clip_range", "rollout_size"),
    ]
)
