"""The live view and the form in a real kernel, as a page talks to them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import jupyter_ppo

ROOT = str(Path(jupyter_ppo.__file__).parents[1])
DEADLINE = 120.0
WIDGET = "application/vnd.jupyter.widget-view+json"
RUN = "application/vnd.jupyter-ppo.run+json"


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

    def click(self, label: str, subshell: str | None = None) -> None:
        """Press the button of that name, the one that was made last, perhaps in a subshell."""
        opened = [message["content"] for message in self.messages]
        buttons = [
            content["comm_id"]
            for content in opened
            if content.get("data", {}).get("state", {}).get("description") == label
        ]
        data = {"method": "custom", "content": {"event": "click"}}
        model = buttons[-1]
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def ask(self, kind: str, **content: str) -> dict[str, Any]:
        """Send a request on the control channel; return what is replied."""
        self.client.control_channel.send(self.client.session.msg(kind, content))
        reply: dict[str, Any] = self.client.get_control_msg(timeout=DEADLINE)["content"]
        return reply


def has_state(word: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a message shows a state in the head of the view."""

    def wanted(message: dict[str, Any]) -> bool:
        value = message["content"].get("data", {}).get("state", {}).get("value", "")
        return message["msg_type"] == "comm_msg" and f">{word}</span>" in str(value)

    return wanted


def has_points(message: dict[str, Any]) -> bool:
    content = message["content"].get("data", {}).get("content", {})
    return message["msg_type"] == "comm_msg" and content.get("type") == "points"


def test_a_real_kernel_shows_a_run_stays_free_and_obeys_the_buttons(
    kernel: BlockingKernelClient,
) -> None:
    notebook = Notebook(kernel)
    cell = notebook.run("from jupyter_ppo import train\nrun = train(total_steps=10**9)\nrun")
    shown = [message for message in cell if message["msg_type"] == "display_data"]
    assert len(shown) == 1, "shown once, although it is the cell's last line"
    assert not [message for message in cell if message["msg_type"] == "execute_result"]
    data = shown[0]["content"]["data"]
    assert data.keys() == {"text/plain", "image/svg+xml", WIDGET, RUN}
    assert data[RUN]["model_id"] == data[WIDGET]["model_id"]
    free = notebook.run("import sys; print({'torch', 'sqlalchemy', 'docker'} & set(sys.modules))")
    streams = [message["content"]["text"] for message in free if message["msg_type"] == "stream"]
    assert streams == ["set()\n"]
    notebook.read(has_points)
    notebook.click("Pause")
    notebook.read(has_state("Paused"))
    notebook.click("Resume")
    notebook.read(has_state("Running"))
    notebook.click("Stop")
    notebook.read(has_state("Stopped"))
    final = notebook.read(
        lambda message: (
            message["msg_type"] == "update_display_data"
            and "stopped" in message["content"]["data"]["image/svg+xml"]
        )
    )
    assert final["content"]["transient"] == shown[0]["content"]["transient"]
    end = notebook.run("print(run.wait(60), (run.directory / 'model.zip').exists())")
    assert "stopped True\n" in [m["content"].get("text") for m in end]
    kinds = {message["msg_type"] for message in notebook.messages}
    assert "error" not in kinds
    errors = [m for m in notebook.messages if m["content"].get("name") == "stderr"]
    assert not errors


def test_a_form_in_a_real_kernel_starts_a_run_and_its_cell_gets_the_picture(
    kernel: BlockingKernelClient,
) -> None:
    notebook = Notebook(kernel)
    cell = notebook.run(
        "from jupyter_ppo import RunForm\n"
        "form = RunForm()\nform.set(total_steps=1000, eval_every=0)\nform"
    )
    (shown,) = [message for message in cell if message["msg_type"] == "display_data"]
    assert shown["content"]["data"].keys() == {"text/plain", WIDGET}
    notebook.click("Start")
    final = notebook.read(
        lambda message: (
            message["msg_type"] == "update_display_data"
            and "finished" in message["content"]["data"].get("image/svg+xml", "")
        )
    )
    assert final["content"]["transient"] == shown["content"]["transient"]
    data = final["content"]["data"]
    assert data[RUN]["model_id"] == data[WIDGET]["model_id"], "the form stays"
    assert not [m for m in notebook.messages if m["msg_type"] in {"error", "stream"}]


def test_buttons_work_while_a_cell_runs_and_after_the_page_was_loaded_again(
    kernel: BlockingKernelClient,
) -> None:
    notebook = Notebook(kernel)
    notebook.run("from jupyter_ppo import train\nrun = train(total_steps=10**9)\nrun")
    notebook.read(has_points)
    page = notebook.ask("create_subshell_request")["subshell_id"]
    cell = kernel.execute("run.wait()")
    notebook.read(lambda message: message["parent_header"].get("msg_id") == cell)
    notebook.read(has_points)
    notebook.click("Pause", page)
    notebook.read(has_state("Paused"))

    notebook.ask("delete_subshell_request", subshell_id=page)
    again = notebook.ask("create_subshell_request")["subshell_id"]
    notebook.click("Resume", again)
    notebook.read(has_state("Running"))
    notebook.click("Stop", again)
    notebook.read(has_state("Stopped"))
