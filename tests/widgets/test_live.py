"""The live view without a page, on runs written by hand and on real ones."""

from __future__ import annotations

import contextlib
import html
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import comm
import ipywidgets
import pytest
from ipywidgets.embed import dependency_state
from ipywidgets.widgets import widget as widget_module

import jupyter_ppo
from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.training import EventKind, Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets import live as live_module
from jupyter_ppo.widgets.live import LiveRun
from jupyter_ppo.widgets.train import train

ROOT = str(Path(jupyter_ppo.__file__).parents[1])
DEADLINE = 120.0
DRAWN = [metric for chart in CHARTS for metric in chart.metrics]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE} s"
        time.sleep(0.02)


def press(view: Any, label: str) -> None:
    """Press the button of that name, as the page does."""
    (button,) = [one for one in inside(view) if getattr(one, "description", None) == label]
    if hasattr(button, "click"):
        button.click()
    else:
        button.value = not button.value


def inside(box: Any) -> Iterator[Any]:
    """All controls in a box, however deep."""
    for child in box.children:
        yield child
        if hasattr(child, "children"):
            yield from inside(child)


def words(box: Any) -> str:
    """The words of all texts in a box."""
    texts = [child.value for child in inside(box) if isinstance(child, ipywidgets.HTML)]
    return html.unescape(re.sub(r"<[^>]*>", " ", " ".join(texts)))


def columns(live: LiveRun) -> dict[str, list[tuple[float, float]]]:
    """What the curves hold: (step, value) of each metric."""
    return {
        name: list(zip(steps, values, strict=True))
        for name, (steps, values) in live.curves.columns("run").items()
    }


def points(count: int) -> list[MetricPoint]:
    return [
        MetricPoint(100 * n, n / 10, {Metric.RETURN: float(n), Metric.LENGTH: 7.0})
        if n % 2
        else MetricPoint(100 * n, n / 10, {Metric.APPROX_KL: n / 1000, Metric.ENTROPY: math.nan})
        for n in range(1, count + 1)
    ]


def append(files: RunDirectory, new: list[MetricPoint]) -> None:
    writer = MetricWriter(files.metrics_file)
    for point in new:
        writer.add(point)
    writer.close()


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    files = RunDirectory(tmp_path)
    files.create(spec_from_preset("cartpole-fast", total_steps=10_000))
    return files


@pytest.fixture
def ended(files: RunDirectory) -> RunDirectory:
    append(files, points(50))
    files.write_status(RunStatus(RunState.FINISHED, 10_240, 5.0, 2048.0, total_steps=10_240))
    return files


@pytest.fixture
def live(ended: RunDirectory) -> Iterator[LiveRun]:
    live = LiveRun(ended.path)
    yield live
    live.close()


def test_an_ended_run_is_drawn_whole(live: LiveRun) -> None:
    assert live.wait(DEADLINE) is RunState.FINISHED
    seen = columns(live)
    assert seen.keys() == {"return", "approx_kl", "entropy"}  # no chart shows the length
    assert seen["return"] == [(100.0 * n, n) for n in range(1, 50, 2)]
    assert seen["approx_kl"][0] == (200.0, 0.002)
    assert len(seen["entropy"]) == 25
    assert math.isnan(seen["entropy"][0][1])


def test_a_closed_view_leaves_no_thread_and_no_control_behind(ended: RunDirectory) -> None:
    threads = set(threading.enumerate())
    controls = set(widget_module._instances)
    live = LiveRun(ended.path)
    live.sections.unfold("Change or extend")
    live.sections.unfold("All settings")
    live.wait(DEADLINE)
    live.close()
    until(lambda: set(threading.enumerate()) <= threads, "the end of the thread")
    assert set(widget_module._instances) <= controls


@pytest.mark.parametrize(
    ("label", "reason"),
    [("Resume", "this run has finished"), ("Pause", "it cannot pause")],
)
def test_a_command_that_comes_too_late_is_answered_beside_the_buttons(
    live: LiveRun, ended: RunDirectory, label: str, reason: str
) -> None:
    live.wait(DEADLINE)
    press(live.header, label)  # the run ended as it was pressed
    assert reason in live.header.refusal
    assert reason in words(live.header)
    assert ended.commands_file.read_text() == ""


def test_from_code_the_same_raises(live: LiveRun) -> None:
    live.wait(DEADLINE)
    with pytest.raises(ConflictError, match="cannot pause"):
        live.pause()
    with pytest.raises(ConflictError, match="has finished"):
        live.resume()
    with pytest.raises(ConflictError, match="goes to 10240 steps already"):
        live.extend(5)
    with pytest.raises(InvalidInputError, match=r"learning_rate: 7 is out of range"):
        live.change(learning_rate=7)
    with pytest.raises(InvalidInputError, match="gamma: this cannot be changed"):
        live.change(gamma=0.9)


def test_the_view_says_what_the_run_is_and_how_far(live: LiveRun) -> None:
    live.wait(DEADLINE)
    text = words(live.header)
    for part in ("PPO on CartPole-v1, seed 0", "Finished", "10,240 of 10,240 steps", "100 %"):
        assert part in text
    assert repr(live) == "<LiveRun CartPole-v1, seed 0: finished, 10,240 of 10,240 steps>"
    assert live.series("return")[:2] == [(100, 1.0), (300, 3.0)]
    assert live.spec.n_envs == 16
    assert live.series("eval_return") == []
    with pytest.raises(InvalidInputError, match="this run has no 'retrun'"):
        live.series("retrun")


def test_a_change_is_marked_at_the_step_at_which_it_took_effect(ended: RunDirectory) -> None:
    text = "From step 2,048 on: clip_range 0.1."
    ended.note(EventKind.CHANGED, 2048, text, clip_range=0.1)
    live = LiveRun(ended.path)
    try:
        live.wait(DEADLINE)
        (track,) = live.curves.tracks
        assert track["marks"] == [{"step": 2048, "text": text}]
        live.sections.unfold("Change or extend")
        form = live.sections.made("Change or extend")
        assert form.inputs["clip_range"].text == "0.1"
        assert text in words(form)
    finally:
        live.close()


def test_what_is_measured_again_is_taken_back(ended: RunDirectory) -> None:
    writer = MetricWriter(ended.metrics_file)
    writer.rewind(4000)
    writer.close()
    live = LiveRun(ended.path)
    try:
        live.wait(DEADLINE)
        assert {rows[-1][0] for rows in columns(live).values()} == {3900.0, 4000.0}
        assert live.metrics[-1].step == 4000
    finally:
        live.close()


def test_new_points_are_followed_and_buttons_become_commands(files: RunDirectory) -> None:
    append(files, points(4))
    with files.locked_for_worker():  # as if a worker lived
        files.write_status(RunStatus(RunState.RUNNING, 400, 1.0, 400.0, total_steps=10_240))
        live = LiveRun(files.path)
        try:
            until(lambda: len(columns(live).get("return", ())) == 2, "the first points")
            append(files, points(6)[4:])
            until(lambda: len(columns(live)["return"]) == 3, "the next points")
            for label in ("Pause", "Resume", "Stop"):
                press(live.header, label)
            lines = files.commands_file.read_text().splitlines()
            assert [json.loads(line)["command"] for line in lines] == ["pause", "resume", "stop"]
            assert "about 25 s left" in words(live.header)
        finally:
            live.close()
        assert live.state is RunState.RUNNING  # the view is closed, the run goes on


def test_a_change_that_waits_for_the_end_of_a_pause_is_shown(files: RunDirectory) -> None:
    with files.locked_for_worker():  # as if a worker lived
        files.write_status(RunStatus(RunState.PAUSED, 400, total_steps=10_240))
        live = LiveRun(files.path)
        try:
            live.sections.unfold("Change or extend")
            form = live.sections.made("Change or extend")
            form.inputs["learning_rate"].value = 1e-4
            press(form, "Change")
            assert "When it goes on: learning_rate 0.0001." in words(live.header)
            files.write_status(RunStatus(RunState.RUNNING, 400, total_steps=10_240))
            until(lambda: "Running" in words(live.header), "the end of the pause")
            assert "When it goes on" not in words(live.header)
        finally:
            live.close()


def test_a_worker_that_vanished_is_shown_as_interrupted(files: RunDirectory) -> None:
    live = LiveRun(files.path)
    try:
        assert live.wait(DEADLINE) is RunState.INTERRUPTED
        assert "Interrupted" in words(live.header)
        assert live.message
        assert live.message in words(live.header)
    finally:
        live.close()


@pytest.mark.parametrize("kind", ["removed", "damaged"])
def test_a_folder_that_was_removed_or_damaged_is_shown_as_failed(
    ended: RunDirectory, tmp_path: Path, kind: str
) -> None:
    ended.write_status(RunStatus(RunState.RUNNING))
    with ended.locked_for_worker():
        live = LiveRun(ended.path)
        try:
            if kind == "removed":
                ended.path.rename(tmp_path.with_name(f"{tmp_path.name}-elsewhere"))
            else:
                ended.state_file.write_text("{")
            until(lambda: "Failed" in words(live.header), "the failure")
            assert str(ended.path) in words(live.header)
            assert "failed" in live._repr_mimebundle_()[0]["image/svg+xml"]
        finally:
            live.close()


def test_a_folder_that_is_removed_while_its_status_is_read_is_shown_as_failed(
    ended: RunDirectory, tmp_path: Path
) -> None:
    class RemovedInBetween(Run):
        looks = 0

        def status(self) -> RunStatus:
            self.looks += 1
            if self.looks == 3:
                self.directory.rename(tmp_path.with_name(f"{tmp_path.name}-removed"))
            return super().status()

    ended.write_status(RunStatus(RunState.RUNNING))
    with ended.locked_for_worker():
        live = LiveRun(RemovedInBetween(ended.path))
        try:
            until(lambda: "Failed" in words(live.header), "the failure")
        finally:
            live.close()


def test_a_loop_of_ones_own_has_no_buttons_and_its_metrics_are_drawn(tmp_path: Path) -> None:
    with RunLog(tmp_path, env_id="CartPole-v1", learning_rate=3e-4) as run:
        for step in range(5):
            run.log(step, loss=1.0 / (step + 1), my_metric=step)
    live = LiveRun(tmp_path)
    try:
        live.wait(DEADLINE)
        assert not [one for one in inside(live.header) if isinstance(one, ipywidgets.Button)]
        assert [value for _, value in columns(live)["my_metric"]] == [0, 1, 2, 3, 4]
        live.sections.unfold("All settings")
        table = words(live.sections)
        assert "learning_rate" in table
        assert "n_epochs" not in table, "nobody said it"
        assert "my_metric" in live._repr_mimebundle_()[0]["image/svg+xml"]
    finally:
        live.close()


def test_all_settings_mark_what_differs_from_the_nearest_preset(tmp_path: Path) -> None:
    RunDirectory(tmp_path).create(spec_from_preset("rl-zoo", n_epochs=7, seed=4))
    live = LiveRun(tmp_path)
    try:
        live.sections.unfold("All settings")
        text = live.sections.made("All settings").value
        assert "1 differs from the preset rl-zoo" in text
        assert "<b>7</b></td><td>preset: 20" in text
        assert "<b>4</b>" not in text
        assert all(f">{name}<" in text for name in HYPERPARAMETERS)
    finally:
        live.close()


def test_all_settings_are_those_that_count_now_beside_those_of_the_start(
    ended: RunDirectory,
) -> None:
    live = LiveRun(ended.path)
    try:
        live.sections.unfold("All settings")
        table = live.sections.made("All settings")
        assert "Changed since the start" not in table.value
        ended.note(EventKind.CHANGED, 2048, "From step 2,048 on: ent_coef 0.5.", ent_coef=0.5)
        ended.note(EventKind.EXTENDED, 4096, "The run goes on.", total_steps=1_000_000)
        live._show(live.status)
        assert "Changed since the start: ent_coef, total_steps." in table.value
        start = live.spec.ent_coef
        assert f"<b>0.5</b></td><td>changed; at the start: {start:g}<br>preset:" in table.value
        assert "<b>1000000</b></td><td>changed; at the start: " in table.value
    finally:
        live.close()


def test_one_section_is_open_at_a_time_and_made_when_it_is(live: LiveRun) -> None:
    assert live.sections.opened is None
    assert live.sections.made("All settings") is None
    press(live.sections, "All settings")
    press(live.sections, "Change or extend")
    assert live.sections.opened == "Change or extend"
    press(live.sections, "Change or extend")
    assert live.sections.opened is None
    assert "learning_rate" not in words(live.sections)


class RecordingComm(comm.DummyComm):
    """Notes what would go to the page."""

    sent: ClassVar[list[tuple[float, str, int]]] = []

    def publish_msg(self, msg_type: str, *rest: Any, buffers: Any = None, **more: Any) -> None:
        size = sum(len(bytes(one)) for one in buffers or ())
        self.sent.append((time.monotonic(), msg_type, size))


def test_ten_live_runs_at_once_stay_far_below_what_jupyter_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jupyter drops messages beyond 1000 per second of all widgets of a kernel."""
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    with contextlib.ExitStack() as stack:
        folders = []
        for number in range(10):
            folder = RunDirectory(tmp_path / str(number))
            folder.path.mkdir()
            folder.create(spec_from_preset("cartpole-fast"))
            stack.enter_context(folder.locked_for_worker())
            folder.write_status(RunStatus(RunState.RUNNING, total_steps=60_416))
            folders.append(folder)
            stack.callback(LiveRun(folder.path).close)
        RecordingComm.sent.clear()
        begin = time.monotonic()
        step = 0
        while (seconds := time.monotonic() - begin) < 2:
            step += 1
            for folder in folders:  # every one writes again and again
                append(folder, [MetricPoint(step, seconds, {Metric.RETURN: 1.0})])
                status = RunStatus(RunState.RUNNING, step, seconds, 1000.0 + step, "", 60_416)
                folder.write_status(status)
        count = len(RecordingComm.sent)
    assert 10 < count / 2 < 150, "points 10 times a second, numbers twice, for each of ten"


def test_what_a_notebook_saves_of_a_long_run_stays_small(files: RunDirectory) -> None:
    append(
        files,
        [
            MetricPoint(100 * n, n / 10, {metric: math.sin(n / 50) for metric in DRAWN})
            for n in range(3000)
        ],
    )
    files.write_status(RunStatus(RunState.FINISHED, 300_000, 5.0, 2048.0, total_steps=300_000))
    live = LiveRun(files.path)
    try:
        live.wait(DEADLINE)
        live.sections.unfold("All settings")
        live.sections.unfold("Change or extend")
        bundle = live._repr_mimebundle_()[0]
        assert len(bundle["image/svg+xml"].encode()) < 40_000
        state = dependency_state(live, drop_defaults=True)
        assert len(json.dumps(state, indent=1)) + len(json.dumps(bundle)) < 100_000
        assert bundle["application/vnd.jupyter-ppo.run+json"] == {
            "format": 1,
            "directory": str(files.path),
            "title": "PPO on CartPole-v1, seed 0",
            "model_id": live.model_id,
        }
    finally:
        live.close()


def test_the_picture_is_renewed_at_a_pause_at_the_end_and_now_and_then(
    files: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[str] = []
    monkeypatch.setattr(live_module, "_FIRST_PICTURE_SECONDS", 60.0)
    running, paused = RunState.RUNNING, RunState.PAUSED
    with files.locked_for_worker():  # as if a worker lived
        files.write_status(RunStatus(RunState.RUNNING, 400, total_steps=10_240))
        live = LiveRun(files.path)
        live.on_picture(lambda: renewed.append(live.draw_picture()))
        try:
            for number, state in enumerate((running, paused, running, paused, RunState.STOPPED)):
                files.write_status(RunStatus(state, 800 + number, total_steps=10_240))
                until(lambda now=state: live.header.shown.state is now, "the state")  # type: ignore[misc]
            until(lambda: len(renewed) == 3, "the pictures")
            assert "paused, 801 of" in renewed[0]
            assert "paused, 803 of" in renewed[1]
            assert "stopped, 804 of" in renewed[2]
            history = {"type": "history", "from": "page", "asked": 1}
            live.curves._handle_custom_msg(history, [])  # a page at once: it has this picture
            assert len(renewed) == 3
            live._pictured_at -= 100
            live.curves._handle_custom_msg(history, [])  # a page that was closed until now
            live.curves._handle_custom_msg(history, [])
            assert len(renewed) == 4
            monkeypatch.setattr(live_module, "PICTURE_SECONDS", 0.1)
            for step in (900, 1000):
                files.write_status(RunStatus(RunState.RUNNING, step, total_steps=10_240))
                live._follower.again(live.run)
                until(lambda now=step: f"running, {now:,} of" in renewed[-1], "it")  # type: ignore[misc]
        finally:
            live.close()


def test_a_kernel_that_ends_soon_leaves_more_than_empty_charts(
    files: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[str] = []
    monkeypatch.setattr(live_module, "_FIRST_PICTURE_SECONDS", 0.1)
    with files.locked_for_worker():  # as if a worker lived
        files.write_status(RunStatus(RunState.RUNNING, 400, total_steps=10_240))
        live = LiveRun(files.path)
        live.on_picture(lambda: renewed.append(live.draw_picture()))
        try:
            until(lambda: bool(renewed), "the first picture")
            assert "running, 400 of" in renewed[0]
            assert live._picture_every > 0.1
        finally:
            live.close()


def test_bad_arguments_are_refused_before_anything_is_started(tmp_path: Path) -> None:
    for arguments, field in (
        ({"clip_ranges": 0.2}, "clip_ranges"),
        ({"preset": "fast"}, "preset"),
        ({"total_steps": 0}, "total_steps"),
        ({"env_id": "no id"}, "env_id"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            train(directory=tmp_path / "run", **arguments)  # type: ignore[arg-type]
        assert caught.value.field == field
    assert not (tmp_path / "run").exists()


def test_train_works_without_a_front_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match="batch_size: 100 does not divide"):
        live = train(total_steps=2000, batch_size=100, seed=3, name="mine", tags=["t"])
    try:
        assert live.directory.parent == tmp_path / "runs"
        assert live.spec.seed == 3
        assert (live.run.name, live.run.tags) == ("mine", ("t",))
        assert live.wait(DEADLINE) is RunState.FINISHED, live.message
        assert live.status.step == 2048
        assert len(live.series(Metric.APPROX_KL)) == 2
        assert (live.directory / "model.zip").exists()
        assert capsys.readouterr() == ("", "")
    finally:
        live.stop()
        live.close()


def test_importing_train_loads_neither_torch_nor_the_server() -> None:
    heavy = ["torch", "stable_baselines3", "sqlalchemy", "jupyter_server", "docker", "nbgrader"]
    code = (
        "import sys, jupyter_ppo; print(sorted(m for m in sys.modules if m.startswith('ipyw')))\n"
        f"from jupyter_ppo import train; print(sorted(set({heavy}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        timeout=DEADLINE,
    )
    assert done.stdout.split() == ["[]", "[]"]


def test_leaving_python_while_a_run_is_on_is_quiet_and_leaves_a_run_that_goes_on(
    tmp_path: Path,
) -> None:
    code = (
        "import time; from jupyter_ppo import train\n"
        f"run = train(total_steps=10**9, directory={str(tmp_path / 'run')!r})\n"
        "while run.status.step == 0 and not run.state.has_ended: time.sleep(0.05)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT, "PYTHONWARNINGS": ""},
        timeout=DEADLINE,
    )
    assert (done.stdout, done.stderr) == ("", "")
    live = LiveRun(tmp_path / "run")
    try:
        assert live.wait(DEADLINE) is RunState.INTERRUPTED
        step = live.status.step
        live.resume()
        until(lambda: "Running" in words(live.header), "the view of the resumed run")
        until(lambda: live.status.step > step, "its next steps")
        assert live.events[-1].kind is EventKind.STATE
        live.stop()
        assert live.wait(DEADLINE) is RunState.STOPPED
        assert "Stopped" in words(live.header)
        steps = [step for step, _ in live.series("approx_kl")]
        assert steps == sorted(set(steps)), "one line"
    finally:
        live.stop()
        live.close()
