"""Loops of people's own: their runs are runs like any other."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, UnavailableError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric, RunState
from jupyter_ppo.training import own_loop
from jupyter_ppo.training.exports import runs_to_frame
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import create_run, list_runs, open_run
from jupyter_ppo.training.own_loop import RunLog

#: A hand-written PPO is this much of a loop.
LOOP = """
    import sys, time
    from jupyter_ppo.training.own_loop import RunLog
    run = RunLog(sys.argv[1], env_id="CartPole-v1")
    for step in range(1, 10**9):
        run.log(step, loss=1 / step, approx_kl=0.01)
        if step == 5000:
            print("measured", flush=True)
        if step >= 5000:
            time.sleep(0.01)
"""


def start(code: str, *arguments: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_three_lines_make_a_run_that_everybody_reads_while_it_goes_on(tmp_path: Path) -> None:
    run = RunLog(tmp_path / "mine", name="my PPO", tags=["course"], total_steps=100)
    run.log(64, loss=0.5, approx_kl=torch.tensor(0.25), entropy=np.float32(0.5))
    run.episode(70, 21.0, 21)
    other = open_run(tmp_path / "mine")
    until(lambda: len(other.metrics()) == 2, "points are not written by themselves")
    assert (other.state(), other.name, other.tags) == (RunState.RUNNING, "my PPO", ("course",))
    assert other.metrics()[0].step == 64
    assert other.metrics()[0].values == {"loss": 0.5, "approx_kl": 0.25, "entropy": 0.5}
    assert other.metrics()[1].values == {"return": 21.0, "length": 21.0}
    until(lambda: other.status().step == 70, "the status does not follow")
    assert (other.status().total_steps, other.worker_pid) == (100, os.getpid())
    run.close("It was enough.")
    run.close()
    status = other.status()
    assert (status.state, status.message) == (RunState.FINISHED, "It was enough.")
    assert status.steps_per_second > 0
    assert [listed.directory for listed in list_runs(tmp_path)] == [tmp_path / "mine"]
    assert len(runs_to_frame(tmp_path)) == 1


def test_a_killed_loop_is_interrupted_readable_and_not_resumable(tmp_path: Path) -> None:
    with start(LOOP, tmp_path / "run") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "measured\n"
        run = open_run(tmp_path / "run")
        until(lambda: len(run.metrics()) >= 5000, "points wait longer than they may")
        assert run.state() is RunState.RUNNING
        process.send_signal(signal.SIGKILL)
        process.wait()
    status = run.status()
    assert status.state is RunState.INTERRUPTED
    assert "a loop of your own" in status.message
    points = run.metrics()
    assert [point.step for point in points] == list(range(1, len(points) + 1))
    for ask in (run.resume, lambda: run.extend(10**6), run.pause):
        with pytest.raises(ConflictError, match="loop of your own"):
            ask()
    with pytest.raises(ConflictError, match="holds a run already"):
        RunLog(tmp_path / "run")


def test_of_a_hundred_thousand_calls_none_is_lost(tmp_path: Path) -> None:
    run = RunLog(tmp_path / "run")
    for step in range(100_000):
        run.log(step, loss=0.5)
    run.close()
    assert len(open_run(tmp_path / "run").metrics()) == 100_000


def test_several_threads_may_log(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run") as run:
        threads = [
            threading.Thread(target=lambda: [run.log(0, loss=1.0) for _ in range(3000)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(open_run(tmp_path / "run").metrics()) == 12_000


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"loss": "0.5"}, "loss: '0.5' .str. is not one number"),
        ({"loss": None}, "loss: 'None'"),
        ({"loss": np.zeros(2)}, "Log a number, such as loss.item"),
        ({"loss": torch.zeros(3)}, "is not one number"),
        ({"loss": 1j}, "is not one number"),
        ({"loss": 10**400}, "is not one number"),
        ({"": 1.0}, "cannot be the name of a metric"),
        ({"x" * 65: 1.0}, "cannot be the name of a metric"),
        ({"a\nb": 1.0}, "cannot be the name of a metric"),
        ({"step": 1.0}, "kept for the run's own use"),
        ({"rewind": 1.0}, "kept for the run's own use"),
        ({}, "nothing to log"),
    ],
)
def test_a_bad_name_or_value_is_named_and_writes_nothing(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    with RunLog(tmp_path / "run") as run:
        with pytest.raises(InvalidInputError, match=said):
            run.log(1, **values)
        run.log(1, loss=2)
    assert [point.values for point in open_run(tmp_path / "run").metrics()] == [{"loss": 2.0}]


@pytest.mark.parametrize("step", [-1, 1.5, "3", None, True, 2**60, math.nan, 9])
def test_a_step_that_is_none_or_goes_back_is_refused(tmp_path: Path, step: Any) -> None:
    with RunLog(tmp_path / "run") as run:
        run.log(np.int64(10), loss=1)
        with pytest.raises(InvalidInputError, match="step: "):
            run.log(step, loss=1)


@given(st.lists(st.floats(width=64), min_size=1, max_size=20))
def test_numbers_come_back_as_they_were_and_what_is_not_finite_as_nan(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("run") / "run"
    with RunLog(folder) as run:
        for step, value in enumerate(values):
            run.log(step, value=value)
    found = [point.values["value"] for point in open_run(folder).metrics()]
    for value, back in zip(values, found, strict=True):
        assert back == value if math.isfinite(value) else math.isnan(back)


def test_an_error_in_the_loop_is_what_the_run_failed_of(tmp_path: Path) -> None:
    error = ZeroDivisionError("division by zero")
    with pytest.raises(ZeroDivisionError), RunLog(tmp_path / "run"):
        raise error
    status = open_run(tmp_path / "run").status()
    assert status.state is RunState.FAILED
    assert status.message == "The loop failed: ZeroDivisionError: division by zero"
    with pytest.raises(KeyboardInterrupt), RunLog(tmp_path / "other"):
        raise KeyboardInterrupt
    assert open_run(tmp_path / "other").state() is RunState.STOPPED


def test_a_run_that_is_dropped_or_outlived_by_nothing_is_interrupted(tmp_path: Path) -> None:
    run = RunLog(tmp_path / "dropped")
    run.log(1, loss=1)
    del run
    until(lambda: open_run(tmp_path / "dropped").state().has_ended, "it goes on for ever")
    assert open_run(tmp_path / "dropped").state() is RunState.INTERRUPTED
    assert len(open_run(tmp_path / "dropped").metrics()) == 1
    code = """
        import sys
        from jupyter_ppo.training.own_loop import RunLog
        run = RunLog(sys.argv[1])
        run.log(3, loss=1)
    """
    with start(code, tmp_path / "left") as process:
        assert process.wait() == 0
    status = open_run(tmp_path / "left").status()
    assert (status.state, status.step) == (RunState.INTERRUPTED, 3)
    assert "before close() was called" in status.message


def test_the_log_function_alone_makes_a_run_that_ends_with_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = """
        from jupyter_ppo.training.own_loop import log
        for step in range(10):
            log(step, loss=step)
    """
    with start(code) as process:
        assert process.wait() == 0
    (run,) = list_runs(tmp_path / "runs")
    assert run.state() is RunState.FINISHED
    assert len(run.metrics()) == 10
    own_loop.log(1, loss=1.0)
    first = own_loop.default_log()
    first.close()
    own_loop.log(0, loss=1.0)
    assert own_loop.default_log() is not first
    own_loop.default_log().close()


def test_evaluations_are_kept_with_their_episodes(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run") as log:
        log.evaluation(50, np.array([10.0, 20.0]), [10, 20], seed=7)
        with pytest.raises(InvalidInputError, match="lengths: 1 lengths for 2 returns"):
            log.evaluation(60, [1, 2], [3], seed=7)
    run = open_run(tmp_path / "run")
    (found,) = run.evaluations()
    assert (found.step, found.returns, found.lengths) == (50, (10.0, 20.0), (10, 20))
    assert run.metrics()[0].values == {Metric.EVAL_RETURN: 15.0, Metric.EVAL_LENGTH: 15.0}


def _log_many(run: RunLog) -> None:
    for step in range(4001):
        run.log(step, loss=1)


def test_a_full_disk_warns_once_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunLog(tmp_path / "run")
    real = own_loop.MetricWriter.flush
    full = OSError(28, "No space left on device")

    def flush(writer: own_loop.MetricWriter, durable: bool = False) -> None:
        raise full

    with run._lock:  # the thread must not be the one that warns
        monkeypatch.setattr(own_loop.MetricWriter, "flush", flush)
        with pytest.warns(RuntimeWarning, match="No space left on device") as seen:
            _log_many(run)
        assert len(seen) == 1
        monkeypatch.setattr(own_loop.MetricWriter, "flush", real)
    run.close()
    assert len(open_run(tmp_path / "run").metrics()) == 4001


def test_where_no_run_can_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=r"directory: no run can be written"):
        RunLog(tmp_path / "file" / "run")
    with pytest.raises(InvalidInputError, match="Did you mean learning_rate"):
        RunLog(tmp_path / "run", learning_rte=1e-3)
    assert not (tmp_path / "run").exists()
    with RunLog(tmp_path / "run"), pytest.raises(ConflictError, match="holds a run already"):
        RunLog(tmp_path / "run")
    run = RunLog(tmp_path / "ended")
    run.close()
    with pytest.raises(ConflictError, match="has ended"):
        run.log(1, loss=1)


def test_a_fork_of_the_process_does_not_write(tmp_path: Path) -> None:
    code = """
        import os, sys
        from jupyter_ppo.domain.errors import ConflictError
        from jupyter_ppo.training.own_loop import RunLog
        run = RunLog(sys.argv[1])
        run.log(1, loss=1)
        child = os.fork()
        if child == 0:
            try:
                run.log(2, loss=2)
            except ConflictError:
                sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        run.close()
    """
    with start(code, tmp_path / "run") as process:
        assert process.wait() == 0
    run = open_run(tmp_path / "run")
    assert run.state() is RunState.FINISHED
    assert [point.step for point in run.metrics()] == [1]


def test_a_log_that_cannot_begin_leaves_no_mark_and_no_run(tmp_path: Path) -> None:
    (tmp_path / "run" / "metrics.jsonl").mkdir(parents=True)  # what no log can be written to
    with pytest.raises(UnavailableError, match="no run can be written"):
        RunLog(tmp_path / "run")
    (tmp_path / "run" / "metrics.jsonl").rmdir()
    run = create_run(RunSpec(), tmp_path / "run")
    assert not run.files.is_own_loop()


def test_a_folder_in_which_somebody_begins_a_run_is_not_marked(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with RunDirectory(tmp_path / "run").locked_for_worker() as _, pytest.raises(ConflictError):
        RunLog(tmp_path / "run")
    assert not RunDirectory(tmp_path / "run").is_own_loop()
    RunLog(tmp_path / "run").close()
    assert RunDirectory(tmp_path / "run").is_own_loop()
