"""The live view's kernel side, on runs written by hand and in a real kernel."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import jupyter_ppo
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.training import Metric, MetricPoint, RunSpec, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory, point_to_json
from jupyter_ppo.widgets.live import LiveRun, train

ROOT = str(Path(jupyter_ppo.__file__).parents[1])
DEADLINE = 120.0
WIDGET = "application/vnd.jupyter.widget-view+json"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE} s"
        time.sleep(0.02)


class Recorded(LiveRun):
    """Keeps the custom messages that a front end would get."""

    def __init__(self, run: Any) -> None:
        self.sent: list[tuple[dict[str, Any], array[float]]] = []
        super().__init__(run)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent.append((content, array("d", bytes(buffers[0]))))


def points(count: int) -> list[MetricPoint]:
    return [
        MetricPoint(100 * n, n / 10, {Metric.RETURN: float(n), Metric.LENGTH: 7.0})
        if n % 2
        else MetricPoint(100 * n, n / 10, {Metric.APPROX_KL: n / 1000, Metric.ENTROPY: math.nan})
        for n in range(1, count + 1)
    ]


def append(files: RunDirectory, new: list[MetricPoint]) -> None:
    with files.metrics_file.open("a") as file:
        file.writelines(point_to_json(point) + "\n" for point in new)


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    files = RunDirectory(tmp_path)
    files.create(RunSpec.from_preset("cartpole-fast", total_steps=10_000))
    return files


@pytest.fixture
def ended(files: RunDirectory) -> RunDirectory:
    append(files, points(50))
    files.write_status(RunStatus(RunState.FINISHED, 10_240, 5.0, 2048.0))
    return files


@pytest.fixture
def live(ended: RunDirectory) -> Iterator[Recorded]:
    live = Recorded(ended.path)
    yield live
    live.close()


def test_an_ended_run_is_sent_whole_in_one_message_and_its_thread_ends(live: Recorded) -> None:
    assert live.wait(DEADLINE) is RunState.FINISHED
    until(lambda: not live._follower.is_alive(), "the end of the thread")
    ((content, rows),) = live.sent
    assert content == {"type": "rows", "start": 0}
    names = live.series_names
    seen = [(names[int(rows[i])], rows[i + 1], rows[i + 2]) for i in range(0, len(rows), 3)]
    assert len(seen) == 25 + 2 * 25  # a return per episode, KL and entropy per update
    assert seen[0] == ("return", 100.0, 1.0)
    assert seen[1] == ("approx_kl", 200.0, 0.002)
    assert seen[2][:2] == ("entropy", 200.0)
    assert math.isnan(seen[2][2])


def test_a_view_that_asks_gets_the_whole_history(live: Recorded) -> None:
    live.wait(DEADLINE)
    live._on_message(live, {"type": "history"}, [])
    first, again = live.sent
    assert again[0] == {"type": "rows", "start": 0}
    assert again[1].tobytes() == first[1].tobytes()


@pytest.mark.parametrize(
    "content", [None, "x", {}, {"type": "command"}, {"type": "command", "command": "rm"}]
)
def test_messages_that_make_no_sense_are_ignored(live: Recorded, content: Any) -> None:
    live.wait(DEADLINE)
    sent = len(live.sent)
    live._on_message(live, content, [])
    assert len(live.sent) == sent


def test_a_button_pressed_as_the_run_ends_is_no_error(live: Recorded, ended: RunDirectory) -> None:
    live._on_message(live, {"type": "command", "command": "pause"}, [])
    assert ended.commands_file.read_text() == ""
    with pytest.raises(ConflictError):
        live.pause()


def test_the_snapshot_has_what_the_view_shows(live: Recorded) -> None:
    live.wait(DEADLINE)
    assert live.snapshot == {
        "state": "finished",
        "step": 10_240,
        "planned_steps": 10_240,
        "seconds": 5.0,
        "steps_per_second": 2048.0,
        "seconds_left": None,
        "message": "",
    }
    assert repr(live) == "<LiveRun CartPole-v1: finished, 10,240 of 10,240 steps>"
    assert live.series("return")[:2] == [(100, 1.0), (300, 3.0)]
    assert live.spec.n_envs == 16


def test_new_points_are_followed_and_buttons_become_commands(files: RunDirectory) -> None:
    append(files, points(4))
    with files.locked_for_worker():  # as if a worker lived
        files.write_status(RunStatus(RunState.RUNNING, 400, 1.0, 400.0))
        live = Recorded(files.path)
        try:
            until(lambda: sum(len(rows) for _, rows in live.sent) == 18, "the first points")
            append(files, points(6)[4:])
            until(lambda: sum(len(rows) for _, rows in live.sent) == 27, "the next points")
            assert live.sent[-1][0]["start"] * 3 == 27 - len(live.sent[-1][1])
            for command in ("pause", "resume", "stop"):
                live._on_message(live, {"type": "command", "command": command}, [])
            lines = files.commands_file.read_text().splitlines()
            assert [json.loads(line)["command"] for line in lines] == ["pause", "resume", "stop"]
            assert live.snapshot["seconds_left"] == pytest.approx((10_240 - 400) / 400)
        finally:
            live.close()
        assert not live._follower.is_alive()  # the view is closed, the run goes on
        assert live.state is RunState.RUNNING


def test_a_worker_that_vanished_is_shown_as_failed(files: RunDirectory) -> None:
    live = Recorded(files.path)
    try:
        assert live.wait(DEADLINE) is RunState.FAILED
        assert live.snapshot["state"] == "failed"
        assert live.snapshot["message"] == live.message != ""
    finally:
        live.close()


def test_a_folder_that_was_removed_is_shown_as_failed(ended: RunDirectory) -> None:
    ended.write_status(RunStatus(RunState.RUNNING))
    with ended.locked_for_worker():
        live = Recorded(ended.path)
        try:
            ended.state_file.unlink()
            until(lambda: live.snapshot["state"] == "failed", "the failure")
            assert str(ended.path) in live.snapshot["message"]
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
    threads = threading.active_count()
    with pytest.warns(UserWarning, match="batch_size: 100 does not divide"):
        live = train(total_steps=2000, batch_size=100, seed=3)
    try:
        assert live.directory.parent == tmp_path / "runs"
        assert live.spec.seed == 3
        assert live.wait(DEADLINE) is RunState.FINISHED, live.message
        assert live.status.step == 2048
        assert len(live.series(Metric.APPROX_KL)) == 2
        assert (live.directory / "model.zip").exists()
        until(lambda: threading.active_count() <= threads, "the end of the thread")
        assert capsys.readouterr() == ("", "")
    finally:
        live.stop()
        live.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env={**os.environ, "PYTHONPATH": ROOT})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


class Notebook:
    """What a front end does: run cells, talk to the widget, keep all messages."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.messages: list[dict[str, Any]] = []

    def read(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is wanted."""
        deadline = time.monotonic() + DEADLINE
        while True:
            message = self.client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.1))
            self.messages.append(message)
            if wanted(message):
                return message

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell; return its messages."""
        request = self.client.execute(code)
        begin = len(self.messages)
        self.read(
            lambda message: (
                message["parent_header"].get("msg_id") == request
                and message["content"].get("execution_state") == "idle"
            )
        )
        return [
            message
            for message in self.messages[begin:]
            if message["parent_header"].get("msg_id") == request
        ]

    def send(self, model: str, content: dict[str, Any]) -> None:
        """Send a custom message to the widget."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        self.client.shell_channel.send(message)


def has_state(state: str) -> Callable[[dict[str, Any]], bool]:
    def wanted(message: dict[str, Any]) -> bool:
        snapshot = message["content"].get("data", {}).get("state", {}).get("snapshot", {})
        return message["msg_type"] == "comm_msg" and snapshot.get("state") == state

    return wanted


def has_rows(message: dict[str, Any]) -> bool:
    content = message["content"].get("data", {}).get("content", {})
    return message["msg_type"] == "comm_msg" and content.get("type") == "rows"


def test_a_real_kernel_shows_a_run_stays_free_and_obeys_the_buttons(
    kernel: BlockingKernelClient,
) -> None:
    notebook = Notebook(kernel)
    cell = notebook.run("from jupyter_ppo import train\nrun = train(total_steps=10**9)\nrun")
    shown = [message for message in cell if message["msg_type"] == "display_data"]
    assert len(shown) == 1, "shown once, although it is the cell's last line"
    assert not [message for message in cell if message["msg_type"] == "execute_result"]
    data = shown[0]["content"]["data"]
    assert {"text/plain", "image/svg+xml", WIDGET} <= data.keys()
    model = data[WIDGET]["model_id"]
    free = notebook.run("import sys; print({'torch', 'sqlalchemy', 'docker'} & set(sys.modules))")
    streams = [message["content"]["text"] for message in free if message["msg_type"] == "stream"]
    assert streams == ["set()\n"]
    notebook.read(has_rows)
    notebook.send(model, {"type": "history"})
    history = notebook.read(
        lambda message: has_rows(message) and message["content"]["data"]["content"]["start"] == 0
    )
    assert len(history["buffers"][0]) % 24 == 0
    assert len(history["buffers"][0]) > 0
    notebook.send(model, {"type": "command", "command": "pause"})
    notebook.read(has_state("paused"))
    notebook.send(model, {"type": "command", "command": "resume"})
    notebook.read(has_state("running"))
    notebook.send(model, {"type": "command", "command": "stop"})
    final = notebook.read(lambda message: message["msg_type"] == "update_display_data")
    assert final["content"]["transient"] == shown[0]["content"]["transient"]
    assert "stopped" in final["content"]["data"]["image/svg+xml"]
    end = notebook.run("print(run.wait(60), (run.directory / 'model.zip').exists())")
    assert "stopped True\n" in [m["content"].get("text") for m in end]
    kinds = {message["msg_type"] for message in notebook.messages}
    assert "error" not in kinds
    errors = [m for m in notebook.messages if m["content"].get("name") == "stderr"]
    assert not errors


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


def test_leaving_python_while_a_run_is_on_is_quiet_and_ends_the_run(tmp_path: Path) -> None:
    code = (
        "import time; from jupyter_ppo import train\n"
        f"run = train(total_steps=10**9, directory={str(tmp_path / 'run')!r})\n"
        "while run.status.step == 0 and not run.state.is_final: time.sleep(0.05)\n"
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
    assert RunDirectory(tmp_path / "run").read_status().state is RunState.STOPPED
