"""Hints, an explanation and a self-check in a real JupyterLab, without any language model."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
NAME = "05-gae"
PANEL = ".jp-PPO-tutor"

OPEN = """path => window.jupyterapp.commands.execute('docmanager:open', {
  path, factory: 'Notebook', kernelPreference: { shouldStart: false, canStart: false }
}).then(widget => widget.context.ready)"""

#: Puts the cursor into the cell with this grade_id, with this code and these outputs, if any.
CELL = """([name, source, outputs]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const { cells } = content.model.sharedModel;
  const index = cells.findIndex(
    cell => (cell.getMetadata().nbgrader || {}).grade_id === name
  );
  if (source !== null) { cells[index].setSource(source); }
  if (outputs !== null) { cells[index].setOutputs(outputs); }
  content.activeCellIndex = index;
}"""
RUN = "command => window.jupyterapp.commands.execute(command)"
THEME = "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"
VIOLATIONS = """async selector => (await window.axe.run(selector)).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`
)"""
FAILURE = {
    "output_type": "error",
    "ename": "AssertionError",
    "evalue": "the advantage of step 2 is 0.89, not 1.74",
    "traceback": ["AssertionError: the advantage of step 2 is 0.89, not 1.74"],
}
FIRST = "def compute_gae(rewards, *rest):\n    return rewards"
SECOND = "def compute_gae(rewards, *rest):\n    return rewards + 1"


@pytest.fixture
def notebook(lab: Any) -> str:
    lab.api(f"/courses/ppo/assignments/{NAME}", (ROOT / "notebooks" / f"{NAME}.ipynb").read_bytes())
    request = urllib.request.Request(  # noqa: S310  our own server
        f"{lab.url}jupyter-ppo/api/v1/courses/ppo/assignments/{NAME}/notebook",
        headers={"Authorization": f"token {lab.token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  our own server
        released = response.read()
    assert b'"hints"' not in released  # what the author wrote comes level by level only
    (lab.work / f"{NAME}.ipynb").write_bytes(released)
    return f"{NAME}.ipynb"


def test_a_student_gets_on_without_a_language_model(page: Page, notebook: str) -> None:
    page.evaluate(OPEN, notebook)
    panel = page.locator(PANEL)

    # The failing test belongs to the answer above it.
    page.evaluate(CELL, ["compute_gae", FIRST, None])
    page.evaluate(CELL, ["compute_gae_hand", None, [FAILURE]])
    page.evaluate(RUN, "ppo-tutor:hint")
    expect(panel).to_contain_text("Hints: compute_gae")
    expect(panel).to_contain_text("No language model is set up on this server.")
    panel.get_by_role("button", name="Hint 1: What is asked").click()
    expect(panel.locator(".jp-PPO-hint")).to_contain_text(FAILURE["evalue"])
    expect(panel.locator(".jp-PPO-hint")).to_contain_text("No language model is involved.")

    # The next level is for another attempt.
    panel.get_by_role("button", name="Hint 2: The idea").click()
    expect(panel.locator(".jp-PPO-said")).to_contain_text("Change your answer")
    page.evaluate(CELL, ["compute_gae", SECOND, None])
    page.evaluate(RUN, "ppo-tutor:hint")
    panel.get_by_role("button", name="Hint 2: The idea").click()
    idea = panel.locator(".jp-PPO-hint[data-level=concept]")
    expect(idea).to_contain_text("must not run over the border of an episode")
    expect(idea).to_contain_text("Written by the course's author.")
    _look(page, "tutor-hints")

    # What failed, by rules.
    page.evaluate(CELL, ["compute_gae_hand", None, None])
    page.evaluate(RUN, "ppo-tutor:explain")
    expect(panel.locator(".jp-PPO-explanation h3")).to_have_text("About AssertionError")
    expect(panel.locator(".jp-PPO-explanation")).to_contain_text("No language model is involved.")
    _look(page, "tutor-explanation")

    # An answer in words has its rubric, and what is chosen is still there later.
    page.evaluate(CELL, ["choose_lambda", None, None])
    page.evaluate(RUN, "ppo-tutor:hint")
    expect(panel).to_contain_text("Check your answer: choose_lambda")
    first = panel.get_by_role("radio").first
    first.focus()
    page.keyboard.press("Space")
    expect(panel.locator(".jp-PPO-said")).to_have_text("Kept.")
    page.evaluate(CELL, ["compute_gae", None, None])
    page.evaluate(RUN, "ppo-tutor:hint")
    expect(panel).to_contain_text("Hints: compute_gae")
    page.evaluate(CELL, ["choose_lambda", None, None])
    page.evaluate(RUN, "ppo-tutor:hint")
    expect(panel.get_by_role("radio").first).to_be_checked()
    _look(page, "tutor-self-check")


def test_a_cell_of_no_exercise_says_what_to_do(page: Page, notebook: str) -> None:
    page.evaluate(RUN, "ppo-tutor:open")
    panel = page.locator(PANEL)
    panel.get_by_role("button", name="Help with this cell").click()
    expect(panel.get_by_role("alert")).to_contain_text("Open a notebook of the course first.")
    page.evaluate(OPEN, notebook)
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    panel.get_by_role("button", name="Help with this cell").click()
    expect(panel.get_by_role("alert")).to_contain_text("Put the cursor into a cell of an exercise")


def _look(page: Page, name: str) -> None:
    """Take a screenshot in both themes, and find nothing that a screen reader stumbles over."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(THEME, theme)
        page.wait_for_function(
            "name => document.body.dataset.jpThemeName === name", arg=theme, timeout=60_000
        )
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme.split()[1].lower()}.png")
        page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
        assert page.evaluate(VIOLATIONS, PANEL) == [], json.dumps(theme)
