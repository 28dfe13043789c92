"""An author marks cells, checks, previews and releases a notebook, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.nbgraderformat import MetadataValidator
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should
ANSWER = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = (
    "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(-3.5) == -7\n### END HIDDEN TESTS"
)


def write_source(folder: Path) -> None:
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[new_markdown_cell("# Double"), new_code_cell(ANSWER), new_code_cell(TESTS)],
    )
    nbformat.write(notebook, folder / "double.ipynb")


def activate(page: Page, index: int) -> None:
    page.evaluate(
        "index => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }", index
    )


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme, light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=LONG)
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"{name}-{'light' if light == 'true' else 'dark'}.png")


def test_an_author_marks_checks_previews_and_releases(page: Page, lab: Any) -> None:
    write_source(lab.work)
    page.evaluate(
        "() => window.jupyterapp.commands.execute('docmanager:open', {path: 'double.ipynb'})"
    )
    notebook = page.locator(".jp-NotebookPanel:visible")
    notebook.locator(".jp-Cell").nth(2).wait_for(timeout=LONG)

    # Mark two cells in the notebook tools, by keyboard where a person would.
    page.evaluate("() => window.jupyterapp.shell.activateById('jp-property-inspector')")
    form = page.locator(".jp-PPO-cellForm")
    activate(page, 1)
    form.get_by_label("Kind").select_option("solution", timeout=LONG)
    activate(page, 2)
    form.get_by_label("Kind").select_option("tests")
    expect(form.get_by_label("grade_id")).to_have_value("answer-1-tests", timeout=LONG)
    form.get_by_label("grade_id").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("answer-1")
    expect(form.get_by_role("alert")).to_contain_text("Cell 2 has the grade_id", timeout=LONG)
    page.keyboard.press("Control+A")
    page.keyboard.type("double-tests")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    badge = notebook.locator(".jp-Cell").nth(2)
    expect(badge).to_have_attribute("data-ppo-badge", "Autograder tests · 2 pts", timeout=LONG)
    shoot(page, "author-cell")

    # Check: it runs in containers, and a problem leads to its cell.
    notebook.get_by_role("button", name="PPO author").click()
    panel = page.locator(".jp-PPO-author")
    expect(panel.locator(".jp-PPO-total")).to_have_text("2 points", timeout=LONG)
    activate(page, 1)
    panel.get_by_role("button", name="double-tests").first.click()
    expect(badge).to_contain_class("jp-mod-active", timeout=LONG)
    panel.get_by_role("button", name="Check").click()
    result = panel.locator(".jp-PPO-checkResult")
    expect(result).to_contain_text("Ready to be released.", timeout=LONG)
    expect(result).to_contain_text("The solution gets 2 of 2 points, the students’ copy 0.")  # noqa: RUF001
    shoot(page, "author-check")

    # Release under a name and a note.
    panel.get_by_role("button", name="Release…").click()
    form = panel.get_by_role("form", name="Release")
    expect(form.get_by_label("Assignment")).to_be_focused(timeout=LONG)
    expect(form.get_by_label("Assignment")).to_have_value("double")
    page.keyboard.press("Tab")
    page.keyboard.type("First version")
    page.keyboard.press("Enter")
    expect(panel.locator(".jp-PPO-notice.jp-mod-done").first).to_have_text(
        "double version 1 is released to ppo.", timeout=LONG
    )
    expect(panel.locator(".jp-PPO-releaseReport")).to_contain_text("double-tests")
    shoot(page, "author-release")
    assert lab.api("/courses/ppo/assignments/double")["points"] == 2

    # The students' copy, beside the source.
    panel.get_by_role("button", name="Preview as student").click()
    expect(page.get_by_role("tab", name="double.preview.ipynb")).to_be_visible(timeout=LONG)
    expect(page.locator(".jp-NotebookPanel:visible")).to_contain_text(
        "YOUR CODE HERE", timeout=LONG
    )
    shoot(page, "author-preview")
    copy = json.loads((lab.work / "double.preview.ipynb").read_text())
    assert "3.5" not in json.dumps(copy)

    # What was written is what nbgrader reads.
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save-all')")
    page.wait_for_timeout(1000)
    saved = nbformat.read(lab.work / "double.ipynb", as_version=4)
    for cell in saved.cells:
        MetadataValidator().validate_cell(cell)
    assert [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in saved.cells] == [
        None,
        "answer-1",
        "double-tests",
    ]
