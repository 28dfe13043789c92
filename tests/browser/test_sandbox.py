"""A student tries things out: code in the sandbox panel, and a notebook on the sandbox kernel."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

KERNEL = "Python 3 (PPO sandbox)"

#: Puts code into the cell of this number of the notebook in front, made if it is not there yet.
TYPE_CELL = """([index, source]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const notebook = content.model.sharedModel;
  while (notebook.cells.length <= index) {
    notebook.insertCell(notebook.cells.length, { cell_type: 'code', source: '' });
  }
  notebook.getCell(index).setSource(source);
  content.activeCellIndex = index;
}"""

#: Runs the active cell; its end is not waited for.
RUN_CELL = "() => { void window.jupyterapp.commands.execute('notebook:run-cell'); }"

KERNEL_IS_IDLE = """() =>
  window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
"""

#: Runs nothing; how that went.
ASK_KERNEL = """async () => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  return (await kernel.requestExecute({ code: '', silent: true }).done).content.status;
}"""

OPEN = "() => window.jupyterapp.commands.execute('ppo-sandbox:open')"
INTERRUPT = "() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')"
RESTART = """() => {
  window.restarted = window.jupyterapp.commands.execute('notebook:restart-kernel');
}"""
NEW_NOTEBOOK = """() => {
  void window.jupyterapp.commands.execute('notebook:create-new', { kernelName: 'ppo-sandbox' });
}"""
#: The command would ask for another name than Untitled.
SAVE = "() => window.jupyterapp.shell.currentWidget.context.save()"

NETWORK = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), 5)
except OSError as error:
    print("refused:", error)
"""

#: The label says what the kernel knows of the slider.
SLIDER = """
from ipywidgets import IntSlider, Label, VBox
s, label = IntSlider(50), Label()
s.observe(lambda change: setattr(label, "value", f"the kernel has {change.new}"), "value")
VBox([s, label])
"""


def _screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"sandbox-{name}.png")


def _theme(page: Page, name: str, *, light: bool) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )
    value = str(light).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", value, timeout=LONG)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=LONG)


def _open_panel(page: Page) -> Locator:
    """Open the panel as a person does, and wait until programs can run."""
    page.locator('.jp-SideBar.jp-mod-left .lm-TabBar-tab[data-id="jupyter-ppo:sandbox"]').click()
    panel = page.locator(".jp-PPO-sandbox")
    expect(panel.locator(".jp-PPO-health")).to_have_attribute("data-state", "ready", timeout=LONG)
    return panel


def _type_code(page: Page, panel: Locator, code: str) -> None:
    """Put code in place of what is in the editor; what is typed would be indented further."""
    editor = panel.get_by_role("textbox", name="Code")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)


def _leave_by_keyboard(page: Page, editor: Locator, target: Locator) -> None:
    """Press Escape, then Tab: the editor lets go if no more than two seconds are in between."""
    deadline = time.monotonic() + LONG / 1000
    while True:
        editor.press("Escape")
        page.keyboard.press("Tab")
        if target.evaluate("node => node === document.activeElement"):
            return
        assert time.monotonic() < deadline, "Tab does not leave the editor"


def _saves(text: str) -> Callable[[Response], bool]:
    """Whether JupyterLab's state was saved with ``text`` in it."""
    return lambda response: (
        "/lab/api/workspaces/" in response.url and text in (response.request.post_data or "")
    )


def _outcome(panel: Locator, text: str) -> None:
    expect(panel.locator(".jp-PPO-outcome")).to_have_text(text, timeout=LONG)


def _containers_of(pid: int) -> list[str]:
    """The containers that the process has made and that are still there."""
    engine = Engine.connect()
    try:
        found = engine.api.containers(all=True, filters={"label": owner.LABEL})
    finally:
        engine.close()
    owned = [each for each in found if f":{pid}:" in each["Labels"][owner.LABEL]]
    return [name for each in owned for name in each["Names"]]


def _wait_until_gone(pid: int) -> None:
    """Wait until no container of the process is left."""
    deadline = time.monotonic() + LONG / 1000
    while left := _containers_of(pid):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


class Notebook:
    """The notebook in front."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.locator(".jp-NotebookPanel:visible")).to_be_visible(timeout=LONG)
        page.wait_for_function(KERNEL_IS_IDLE, timeout=LONG)

    def run(self, source: str, *, cell: int = 0) -> Locator:
        """Run code in a cell; return where its outputs come."""
        self.page.evaluate(TYPE_CELL, [cell, source])
        self.page.evaluate(RUN_CELL)
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(cell)

    def wait_until_it_takes_cells(self) -> None:
        """Wait out the moment after an error in which a kernel refuses what is sent to it."""
        deadline = time.monotonic() + LONG / 1000
        while self.page.evaluate(ASK_KERNEL) != "ok":
            assert time.monotonic() < deadline, "The kernel takes no cells."

    def says(self, source: str, text: str, *, cell: int = 0) -> None:
        """Run code in a cell and wait until its outputs hold ``text``."""
        outputs = self.run(source, cell=cell).locator(".jp-OutputArea-output")
        expect(outputs.filter(has_text=text).first).to_be_visible(timeout=LONG)


def test_a_student_runs_code_and_test_cases_in_the_panel(page: Page, lab: Any) -> None:
    before = lab.api("/execute/history")["total"]
    panel = _open_panel(page)
    editor = panel.get_by_role("textbox", name="Code")
    _type_code(page, panel, "big = 2**70 + 1\nprint('<b>hello</b>')")
    panel.get_by_label("Show variables").check()
    editor.press("Shift+Enter")
    _outcome(panel, "✓ Finished without an error")
    expect(panel.get_by_label("Output", exact=True)).to_have_text("<b>hello</b>\n")
    expect(panel.locator(".jp-PPO-variables")).to_contain_text(str(2**70 + 1))
    expect(editor).to_contain_text("print")
    _screenshot(page, "1-run")

    # The editor keeps Tab for itself, but no one is caught in it.
    _leave_by_keyboard(page, editor, panel.get_by_text("Input (none)"))

    panel.get_by_label("Timeout (s)").fill("301")
    expect(panel.get_by_role("alert")).to_have_text("Timeout: type a number from 1 to 300 s.")
    panel.get_by_label("Timeout (s)").fill("1")
    _type_code(page, panel, "while True: pass")
    panel.get_by_role("button", name="Run", exact=True).click()
    _outcome(panel, "✗ Stopped: the time was up")
    expect(panel.locator(".jp-PPO-limit")).to_contain_text("raise Timeout (up to 300 s)")
    panel.get_by_label("Timeout (s)").fill("60")

    panel.get_by_role("button", name="Run", exact=True).click()
    panel.get_by_role("button", name="Stop", exact=True).press("Enter")
    _outcome(panel, "✗ Stopped by you")

    code = "def double(n):\n    return 2 * n"
    _type_code(page, panel, code)
    panel.get_by_text("Test cases (0)").click()
    for number, (argument, expected) in enumerate([(3, 6), (4, 9)], start=1):
        panel.get_by_role("button", name="Add call").click()
        panel.get_by_label(f"Case {number}, Function").fill("double")
        panel.get_by_label(f"Case {number}, Arguments (JSON)").fill(json.dumps([argument]))
        panel.get_by_label(f"Case {number}, Expected value (JSON)").fill(json.dumps(expected))
    panel.get_by_role("button", name="Run test cases").click()
    _outcome(panel, "✗ 1 of 2 test cases passed")
    expect(panel.locator(".jp-PPO-case .jp-PPO-verdict")).to_have_text(["✓ Passed", "✗ Failed"])
    expect(panel.get_by_label("Value", exact=True)).to_have_text("8")
    _screenshot(page, "2-tests-light")
    _theme(page, "JupyterLab Dark", light=False)
    _screenshot(page, "3-tests-dark")

    # Each program ran once, the one that was stopped too.
    after = lab.api("/execute/history")["total"]
    assert after == before + 4
    panel.get_by_text(f"History ({after})").click()
    heads = panel.locator(".jp-PPO-entryHead > span")
    expect(heads.nth(0)).to_have_text("✗ 1 of 2 test cases passed")
    expect(heads.nth(1)).to_have_text("✗ Stopped by you")
    expect(heads.nth(2)).to_have_text("✗ Stopped: the time was up")
    expect(heads.nth(3)).to_have_text("✓ Finished without an error")
    panel.locator(".jp-PPO-entry").nth(3).click()
    _outcome(panel, "✓ Finished without an error")
    expect(panel.get_by_role("region", name="Result")).to_be_focused()
    expect(panel.get_by_role("region", name="Result")).to_be_in_viewport()
    expect(panel.get_by_text("Test cases (0)")).to_be_visible()
    expect(editor).to_contain_text("hello")
    _screenshot(page, "4-history-dark")
    editor.press("ControlOrMeta+z")
    expect(editor).to_contain_text("def double")
    editor.press("ControlOrMeta+Shift+z")
    expect(editor).to_contain_text("hello")

    # A test run brings its cases along.
    panel.locator(".jp-PPO-entry").first.click()
    expect(panel.get_by_label("Case 2, Expected value (JSON)")).to_have_value("9")
    expect(panel.locator(".jp-PPO-case .jp-PPO-verdict")).to_have_text(["✓ Passed", "✗ Failed"])


def test_what_is_typed_is_still_there_after_a_reload(page: Page, lab: Any) -> None:
    panel = _open_panel(page)
    with page.expect_response(_saves("kept over a reload"), timeout=LONG):
        panel.get_by_label("Memory (MiB)").fill("128")
        _type_code(page, panel, "'kept over a reload'")
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=LONG)
    page.evaluate("() => window.jupyterapp.restored")
    page.evaluate(OPEN)
    editor = panel.get_by_role("textbox", name="Code")
    expect(editor).to_contain_text("kept over a reload", timeout=LONG)
    expect(panel.get_by_label("Memory (MiB)")).to_have_value("128")


def test_the_cell_under_the_mouse_runs_in_the_panel(page: Page, lab: Any) -> None:
    page.evaluate(NEW_NOTEBOOK)
    notebook = Notebook(page)
    notebook.says("secret = 'of the kernel'\nprint('here')", "here")
    page.evaluate(TYPE_CELL, [1, "print('secret' in globals())"])
    page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(1).click(button="right")
    page.get_by_role("menuitem", name="Run Cell in PPO Sandbox").click()
    panel = page.locator(".jp-PPO-sandbox")
    _outcome(panel, "✓ Finished without an error")
    expect(panel.get_by_label("Output", exact=True)).to_have_text("False\n")


def test_a_notebook_on_the_sandbox_kernel(page: Page, lab: Any) -> None:
    page.locator(f'.jp-LauncherCard[title="{KERNEL}"]').first.click()
    notebook = Notebook(page)
    notebook.says("x = 41\nx + 1", "42")
    notebook.says(NETWORK, "refused: [Errno 101] Network is unreachable")

    notebook.says("print('started')\nwhile True: pass", "started")
    page.evaluate(INTERRUPT)
    outputs = page.locator(".jp-NotebookPanel:visible .jp-CodeCell").first
    expect(outputs).to_contain_text("KeyboardInterrupt", timeout=LONG)
    notebook.wait_until_it_takes_cells()

    widgets = notebook.run(SLIDER)
    handle = widgets.get_by_role("slider")
    expect(handle).to_be_visible(timeout=LONG)
    for _ in range(3):
        handle.press("ArrowRight")
    expect(widgets).to_contain_text("the kernel has 53", timeout=LONG)
    notebook.says("print('value', s.value, x)", "value 53 41", cell=1)

    cell = notebook.run("from jupyter_ppo import train\nrun = train(total_steps=8192)")
    run = cell.locator(".jp-PPO-savedRun")
    chart = run.locator('.ppo-chart[data-key="return"]')
    expect(chart).to_be_visible(timeout=LONG)
    expect(run.locator(".ppo-state")).to_have_text("Finished", timeout=LONG)
    expect(chart).not_to_have_attribute("data-points", "0", timeout=LONG)
    _screenshot(page, "5-kernel")

    page.evaluate(RESTART)
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.evaluate("() => window.restarted")
    # The run was in the old container; its picture is in the notebook.
    expect(run.get_by_role("img")).to_be_visible(timeout=LONG)
    run.get_by_role("button", name="Show live").click()
    expect(run.get_by_role("alert")).to_contain_text("holds no training run", timeout=LONG)
    notebook.says("print('x' in globals())", "False")


def test_after_a_restart_of_the_server_the_notebook_goes_on_with_a_new_kernel(
    page: Page, lab: Any
) -> None:
    page.evaluate(NEW_NOTEBOOK)
    notebook = Notebook(page)
    notebook.says("x = 'kept in the notebook'\nx", "kept in the notebook")
    page.evaluate(SAVE)
    path = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    old = lab.server.pid
    assert _containers_of(old)

    lab.restart()

    _wait_until_gone(old)
    page.goto(f"{lab.url}lab/tree/{path}?token={lab.token}", wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=LONG)
    notebook = Notebook(page)
    cell = page.locator(".jp-NotebookPanel:visible .jp-CodeCell").first
    expect(cell).to_contain_text("kept in the notebook")
    notebook.says("print('x' in globals())", "False", cell=1)
    assert _containers_of(lab.server.pid)
