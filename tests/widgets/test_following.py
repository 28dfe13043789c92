"""Runs are followed by one thread, on folders written by hand."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.training import (
    Metric,
    MetricPoint,
    Rewind,
    RunState,
    RunStatus,
)
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets import following
from jupyter_ppo.widgets.following import Follower

DEADLINE = 60.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE} s"
        time.sleep(0.01)


def make(folder: Path, status: RunStatus, steps: Sequence[int] = ()) -> RunDirectory:
    folder.mkdir()
    files = RunDirectory(folder)
    files.create(spec_from_preset("cartpole-fast", total_steps=10_000))
    append(files, steps)
    files.write_status(status)
    return files


def append(files: RunDirectory, steps: Sequence[int]) -> None:
    writer = MetricWriter(files.metrics_file)
    for step in steps:
        writer.add(MetricPoint(step, step / 10, {Metric.RETURN: float(step)}))
    writer.close()


RUNNING = RunStatus(RunState.RUNNING, 100, 1.0, 400.0, total_steps=10_240)
FINISHED = RunStatus(RunState.FINISHED, 10_240, 5.0, 2048.0, total_steps=10_240)


class Recorded:
    """A follower, and what it handed out: points, statuses and ticks in their order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Path | None, object]] = []
        self.follower = Follower(self._points, self._status, self._tick)

    def _points(self, run: Run, items: Sequence[MetricPoint | Rewind]) -> None:
        for item in items:
            step = -item.step if isinstance(item, Rewind) else item.step
            self.log.append(("point", run.directory, step))

    def _status(self, run: Run, status: RunStatus) -> None:
        self.log.append(("status", run.directory, status))

    def _tick(self) -> None:
        self.log.append(("tick", None, None))

    def steps(self, folder: Path) -> list[object]:
        return [what for kind, of, what in list(self.log) if kind == "point" and of == folder]

    def states(self, folder: Path) -> list[RunState]:
        return [
            what.state
            for _, of, what in list(self.log)
            if isinstance(what, RunStatus) and of == folder
        ]

    def message(self, folder: Path) -> str:
        given = [what for _, of, what in list(self.log) if of == folder]
        last = given[-1]
        return last.message if isinstance(last, RunStatus) else ""

    @property
    def ticks(self) -> int:
        return sum(kind == "tick" for kind, _, _ in list(self.log))


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.follower.stop()


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "ppo-live"]


def test_several_runs_are_followed_to_their_ends_by_one_thread(
    recorded: Recorded, tmp_path: Path
) -> None:
    before = len(threads())
    ended = make(tmp_path / "ended", FINISHED, [1, 2, 3])
    going = make(tmp_path / "going", RUNNING, [10])
    with going.locked_for_worker():  # as if a worker lived
        runs = [Run(ended.path), Run(going.path)]
        for run in runs:
            recorded.follower.add(run)
            recorded.follower.add(run)  # once is enough
        until(lambda: recorded.steps(going.path) == [10], "the first point")
        assert recorded.follower.settle(runs[0], DEADLINE)
        assert recorded.follower.is_following(runs[1])
        assert len(threads()) == before + 1
        append(going, [20, 30])
        until(lambda: recorded.steps(going.path) == [10, 20, 30], "the next points")
        append(going, [40])
        going.write_status(FINISHED)
    assert recorded.follower.settle(runs[1], DEADLINE)
    assert recorded.steps(ended.path) == [1, 2, 3]
    assert recorded.steps(going.path) == [10, 20, 30, 40]
    assert recorded.states(going.path) == [RunState.RUNNING, RunState.FINISHED]
    assert recorded.log[-1][0] == "tick", "what was handed out last is sent as well"
    assert ("status", going.path, FINISHED) == recorded.log[-2], "after all points"
    assert not recorded.follower.is_following(runs[1])


def test_what_is_measured_again_comes_as_a_rewind(recorded: Recorded, tmp_path: Path) -> None:
    files = make(tmp_path / "run", FINISHED, [10, 20])
    writer = MetricWriter(files.metrics_file)
    writer.rewind(10)
    writer.close()
    append(files, [15])
    run = Run(files.path)
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    assert recorded.steps(files.path) == [10, 20, -10, 15]


def test_a_run_that_another_process_resumes_is_followed_again_without_being_told(
    recorded: Recorded, tmp_path: Path
) -> None:
    files = make(tmp_path / "run", FINISHED, [10])
    run = Run(files.path)
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    ticks = recorded.ticks
    time.sleep(0.5)
    assert recorded.ticks == ticks, "nothing happens while nothing is new"
    with files.locked_for_worker():
        files.write_status(RUNNING)
        append(files, [20])
        until(lambda: recorded.steps(files.path) == [10, 20], "the point of the resumed run")
        assert recorded.follower.is_following(run)
    until(lambda: recorded.states(files.path)[-1] is RunState.INTERRUPTED, "the worker's death")


def test_a_run_resumed_while_its_end_is_read_is_followed_on(tmp_path: Path) -> None:
    files = make(tmp_path / "run", FINISHED, [10])
    run = Run(files.path)
    recorded = Recorded()
    follower: Follower

    def resume(_run: Run, status: RunStatus) -> None:
        recorded.log.append(("status", run.directory, status))
        if recorded.states(files.path) == [RunState.FINISHED]:
            files.write_status(RUNNING)
            follower.again(run)

    follower = Follower(recorded._points, resume, recorded._tick)
    with files.locked_for_worker():
        follower.add(run)
        until(lambda: recorded.states(files.path)[-1:] == [RunState.RUNNING], "the new state")
        assert follower.is_following(run)
        assert not follower.settle(run, 0.2)
        follower.stop()


def test_a_worker_that_vanished_is_seen_as_interrupted(recorded: Recorded, tmp_path: Path) -> None:
    files = make(tmp_path / "run", RUNNING)
    run = Run(files.path)
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    assert recorded.states(files.path) == [RunState.INTERRUPTED]
    assert "gone" in recorded.message(files.path)


@pytest.mark.parametrize("kind", ["removed", "damaged"])
def test_a_folder_that_is_removed_or_damaged_while_its_run_is_on_is_a_failure_with_a_reason(
    recorded: Recorded, tmp_path: Path, kind: str
) -> None:
    files = make(tmp_path / "run", RUNNING, [10])
    other = make(tmp_path / "other", RUNNING)
    with files.locked_for_worker(), other.locked_for_worker():
        for one in (files, other):
            recorded.follower.add(Run(one.path))
        until(lambda: recorded.states(files.path) == [RunState.RUNNING], "the first look")
        if kind == "removed":
            files.path.rename(tmp_path / "elsewhere")
        else:
            files.state_file.write_text("{")
        until(lambda: recorded.states(files.path)[-1] is RunState.FAILED, "the failure")
        assert str(files.path) in recorded.message(files.path)
        append(other, [7])
        until(lambda: recorded.steps(other.path) == [7], "points of the other run")


def test_a_folder_that_is_removed_after_the_end_of_its_run_stays_as_it_was_seen(
    recorded: Recorded, tmp_path: Path
) -> None:
    files = make(tmp_path / "run", FINISHED, [10])
    run = Run(files.path)
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    files.path.rename(tmp_path / "elsewhere")
    time.sleep(1.3)
    assert recorded.states(files.path) == [RunState.FINISHED]


def test_a_run_removed_and_added_again_while_its_file_is_read_comes_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(following, "_PART_BYTES", 1)  # a part for each line
    files = make(tmp_path / "run", FINISHED, [10, 20, 30])
    run = Run(files.path)
    recorded = Recorded()

    def begin_anew(_run: Run, items: Sequence[MetricPoint | Rewind]) -> None:
        recorded._points(run, items)
        if len(recorded.log) == 1:
            follower.remove(run)
            recorded.log.append(("tick", None, "added again"))
            follower.add(run)

    follower = Follower(begin_anew, recorded._status, recorded._tick)
    follower.add(run)
    until(lambda: recorded.states(files.path) == [RunState.FINISHED], "the end")
    follower.stop()
    assert recorded.steps(files.path) == [10, 10, 20, 30]


def test_another_run_in_the_same_folder_takes_the_place_of_the_first(
    recorded: Recorded, tmp_path: Path
) -> None:
    files = make(tmp_path / "run", FINISHED, [10, 20, 30])
    run = Run(files.path)
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    files.path.rename(tmp_path / "elsewhere")
    make(files.path, FINISHED, [5])
    until(lambda: recorded.steps(files.path)[-1] == 5, "the point of the other run")
    assert recorded.steps(files.path) == [10, 20, 30, 0, 5], "0: everything is taken back"


def test_the_thread_ends_when_nothing_is_left_to_follow_and_comes_back(
    recorded: Recorded, tmp_path: Path
) -> None:
    before = len(threads())
    files = make(tmp_path / "run", FINISHED, [10])
    run = Run(files.path)
    recorded.follower.add(run)
    recorded.follower.remove(run)
    assert recorded.follower.settle(run, 0)
    until(lambda: len(threads()) == before, "the end of the thread")
    recorded.follower.add(run)
    assert recorded.follower.settle(run, DEADLINE)
    assert recorded.steps(files.path)[-1] == 10
    recorded.follower.stop()
    assert len(threads()) == before
    recorded.follower.add(run)
    assert len(threads()) == before, "stopped for ever"


def test_nothing_is_handed_out_after_stop(recorded: Recorded, tmp_path: Path) -> None:
    files = make(tmp_path / "run", RUNNING, [10])
    with files.locked_for_worker():
        recorded.follower.add(Run(files.path))
        until(lambda: recorded.steps(files.path) == [10], "the first point")
        recorded.follower.stop()
        seen = len(recorded.log)
        append(files, [20])
        time.sleep(0.3)
        assert len(recorded.log) == seen


def test_leaving_python_while_a_run_is_followed_is_quiet(tmp_path: Path) -> None:
    files = make(tmp_path / "run", RUNNING, [10])
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from jupyter_ppo.training.run import Run\n"
        "from jupyter_ppo.widgets.following import Follower\n"
        "nothing = lambda *_: None\n"
        "follower = Follower(nothing, nothing, nothing)\n"
        f"follower.add(Run(Path({str(files.path)!r})))\n"
        "time.sleep(0.2)\n"
    )
    with files.locked_for_worker():
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE,
        )
    assert (done.stdout, done.stderr) == ("", "")
