"""An experiment in JupyterLab: moved with the keys, drawn with the learner's code, and saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LONG = 120_000
NEW_NOTEBOOK = """async () => {
  const { commands } = window.jupyterapp;
  const panel = await commands.execute('notebook:create-new', { kernelName: 'python3' });
  await panel.context.ready;
  return panel.context.path;
}"""
KERNEL_IS_READY = """() =>
  window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
"""
#: Runs code in the cell with a number; makes the cells up to it.
RUN_CELL = """async ([number, source]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  while (content.widgets.length <= number) {
    content.activeCellIndex = content.widgets.length - 1;
    await window.jupyterapp.commands.execute('notebook:insert-cell-below');
  }
  content.model.sharedModel.getCell(number).setSource(source);
  content.activeCellIndex = number;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
SAVE = "() => window.jupyterapp.shell.currentWidget.context.save()"
RESTART = "() => { void window.jupyterapp.commands.execute('notebook:restart-kernel'); }"
SHUT_DOWN = """async () => {
  await window.jupyterapp.shell.currentWidget.sessionContext.shutdown();
}"""
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
AUDIT = """async selector => {
  const { violations } = await axe.run(selector, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, any }) =>
      `${id}: ${html.slice(0, 200)} ${any.map(({ message }) => message).join(' ')}`));
}"""
CODE = """from jupyter_ppo.widgets.experiment import Experiment, Heat, Line, Plot, attempt

def draw(slope, kind, shift):
    mine = attempt(lambda: scaled(range(10), slope))
    reference = [slope * x + shift for x in range(10)]
    return [
        Plot("Two lines", [Line("yours", None, mine), Line("reference", None, reference, "dashed")],
             "x", "y", marks=[("x", 3, "here")], shaded=[("x", 5, 7, "shaded")]),
        Heat("A table", [[slope, -1.0], [0.5, 2.0]], ["first", "second"], ["left", "right"]),
    ]

Experiment("A slope", draw, {"slope": (0, 9, 1, 2), "kind": ["one", "two"], "shift": False},
           note="Move the slope.")"""


def test_an_experiment_is_moved_redrawn_and_kept(page: Page, lab: Any) -> None:
    path: str = page.evaluate(NEW_NOTEBOOK)
    page.wait_for_function(KERNEL_IS_READY, timeout=LONG)
    page.evaluate(RUN_CELL, [0, CODE])
    view = page.locator(".ppo-x")
    plot = view.locator("svg[role=img]").first
    expect(plot).to_have_attribute("aria-label", _about("18 at 9"), timeout=LONG)
    expect(view.get_by_role("status")).to_have_text("scaled: run its cell first")
    saved = page.locator("[class^=ppo-x-saved]")
    expect(saved).to_have_count(1)
    expect(saved).to_be_hidden()

    # With the keys, and after the learner has written the function.
    slider = view.get_by_role("slider", name="slope slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-label", _about("27 at 9"), timeout=LONG)
    page.evaluate(RUN_CELL, [1, "def scaled(xs, slope):\n    return [x * slope for x in xs]"])
    view.get_by_role("button", name="Draw again").click()
    expect(view.get_by_role("status")).to_have_count(0)
    expect(plot).to_have_attribute("aria-label", re.compile("yours: 10 points"), timeout=LONG)
    view.get_by_label("shift").check()
    expect(plot).to_have_attribute("aria-label", _about("28 at 9"), timeout=LONG)
    view.get_by_role("button", name="Numbers").click()
    expect(view.get_by_role("table").first).to_contain_text("reference")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-label", _about("37 at 9"), timeout=LONG)
    expect(view.get_by_role("table").first).to_be_visible()  # it stays open

    page.evaluate(AXE.read_text("utf-8"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        page.evaluate(THEME, f"JupyterLab {theme}")
        value = str(theme == "Light").lower()
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", value, timeout=LONG)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=LONG)
        page.screenshot(path=SCREENSHOTS / f"experiment-{theme.lower()}.png")
        assert page.evaluate(AUDIT, ".ppo-x") == []

    # Loaded again it is live; the file keeps the last picture, which a restarted kernel leaves.
    page.wait_for_timeout(1500)  # what is saved is renewed once a second
    page.evaluate(SAVE)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=LONG)
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-label", _about("46 at 9"), timeout=LONG)
    _is_kept(lab.work / path, "37 at 9")

    # Without its kernel it is the picture.
    page.evaluate(SHUT_DOWN)
    page.reload(wait_until="domcontentloaded")
    expect(saved).to_be_visible(timeout=LONG)
    expect(saved.get_by_role("img").first).to_have_attribute("alt", _about("37 at 9"))
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(view).to_have_count(0)


def _about(words: str) -> Any:
    return re.compile(f"Two lines.*reference: 10 points.*{words}")


def _is_kept(path: Path, words: str) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    assert words in json.dumps(notebook["cells"][0]["outputs"])
    assert path.stat().st_size < 100_000
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    assert html.count(words) == 1
    assert "slope: 4, kind: one, shift: on" in html


def test_a_prediction_is_locked_before_the_result_and_after_a_restart(page: Page, lab: Any) -> None:
    code = "from jupyter_ppo import AblationBoard\nboard = AblationBoard()\nboard"
    page.evaluate(NEW_NOTEBOOK)
    page.wait_for_function(KERNEL_IS_READY, timeout=LONG)
    page.evaluate(RUN_CELL, [0, code])
    board = page.locator(".ppo-ablation-board")
    lock = board.get_by_role("button", name="Lock my prediction")
    lock.wait_for(timeout=LONG)
    lock.click()
    expect(board.get_by_role("alert")).to_have_text("Choose what it does, and how sure you are.")
    expect(board.locator("svg[role=img]")).to_have_count(0)
    # With the keys.
    board.get_by_label("it harms").focus()
    page.keyboard.press("Space")
    board.get_by_label("fairly sure").check()
    page.screenshot(path=SCREENSHOTS / "ablation-board-open.png")
    lock.click()
    status = board.get_by_role("status")
    expect(status).to_contain_text("You said: harms (fairly sure).", timeout=LONG)
    expect(board.locator("svg[role=img]").first).to_be_visible()
    expect(lock).to_be_hidden()
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(AUDIT, ".ppo-ablation-board") == []
    page.screenshot(path=SCREENSHOTS / "ablation-board.png")
    file = lab.work / "my-ablation-predictions.jsonl"
    before = file.read_text("utf-8")
    assert len(before.splitlines()) == 1

    page.evaluate(RESTART)
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(KERNEL_IS_READY, timeout=LONG)
    key = json.loads(before)["key"]
    page.evaluate(RUN_CELL, [0, f"{code}.key = {key!r}\nboard"])
    expect(status).to_contain_text("You said: harms (fairly sure).", timeout=LONG)
    expect(lock).to_be_hidden()
    assert file.read_text("utf-8") == before
