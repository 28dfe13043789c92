"""The live view of a training run in JupyterLab and in Notebook 7, and what it survives."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext, Locator, Page, expect

from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.run import Run

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should
MOST_BYTES = 100_000  # of a notebook with one widget

NEW_NOTEBOOK = """async () => {
  const { commands } = window.jupyterapp;
  const panel = await commands.execute('notebook:create-new', { kernelName: 'python3' });
  await panel.context.ready;
  return panel.context.path;
}"""
KERNEL_IS_READY = """() =>
  window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
"""
RUN_CELL = """source => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.model.sharedModel.getCell(0).setSource(source);
  content.activeCellIndex = 0;
  void window.jupyterapp.commands.execute('notebook:run-cell');
}"""
RESTART = "() => { void window.jupyterapp.commands.execute('notebook:restart-kernel'); }"
SHUT_DOWN = """async () => {
  await window.jupyterapp.shell.currentWidget.sessionContext.shutdown();
}"""
SAVE = "() => window.jupyterapp.shell.currentWidget.context.save()"
SAVE_WIDGETS = """() =>
  window.jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')
"""
#: Whether the first output of the notebook in front says so in words, beside its picture.
OUTPUT_SAYS = """text => {
  const { cells } = window.jupyterapp.shell.currentWidget.content.model.toJSON();
  return String(cells[0].outputs[0]?.data['text/plain'] ?? '').includes(text);
}"""
#: Serious violations, each with where it is.
AUDIT = """async selector => {
  const { violations } = await axe.run(selector, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, any }) =>
      `${id}: ${html.slice(0, 200)} ${any.map(({ message }) => message).join(' ')}`));
}"""


class View:
    """A run in the notebook in front of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.node = page.locator(".jp-PPO-savedRun")
        self.state = self.node.locator(".ppo-state")

    def chart(self, metric: Metric) -> Locator:
        """The chart of a metric."""
        return self.node.locator(f'.ppo-chart[data-key="{metric.value}"]')

    def button(self, name: str) -> Locator:
        """A button of the view, or of the picture."""
        return self.node.get_by_role("button", name=name, exact=True)

    def is_live(self) -> None:
        """Wait until the view is there with points."""
        expect(self.node).to_have_attribute("data-view", "live", timeout=LONG)
        expect(self.chart(Metric.RETURN)).to_be_visible(timeout=LONG)

    def is_a_picture(self) -> None:
        """Wait until the saved picture is there with its button, and no view."""
        expect(self.node).to_have_attribute("data-view", "gone", timeout=LONG)
        expect(self.node.get_by_role("img")).to_be_visible(timeout=LONG)
        expect(self.node.get_by_role("button", name="Show live")).to_be_visible(timeout=LONG)
        expect(self.chart(Metric.RETURN)).to_have_count(0)

    def has_state(self, state: str) -> None:
        """Wait for a state, such as "Paused"."""
        expect(self.state).to_have_text(state, timeout=LONG)

    def latest(self, metric: Metric = Metric.APPROX_KL) -> int:
        """The last step that is drawn."""
        return int(self.chart(metric).get_attribute("data-latest", timeout=LONG) or 0)

    def points(self, metric: Metric = Metric.APPROX_KL) -> int:
        """How many points a chart has."""
        return int(self.chart(metric).get_attribute("data-points", timeout=LONG) or 0)

    def show_live(self) -> None:
        """Press the button below the picture, and wait for the view."""
        self.node.get_by_role("button", name="Show live").click()
        self.is_live()

    def moves(self, metric: Metric = Metric.APPROX_KL) -> None:
        """Wait until a curve is longer than it is now."""
        self.page.wait_for_function(
            "([chart, step]) => Number(chart.dataset.latest) > step",
            arg=[self.chart(metric).element_handle(timeout=LONG), self.latest(metric)],
            timeout=LONG,
        )

    def draws(self, run: Run) -> None:
        """Wait until the whole curve of a run that stands still is drawn, once."""
        steps = _steps(run)
        chart = self.chart(Metric.APPROX_KL)
        expect(chart).to_have_attribute("data-points", str(len(steps)), timeout=LONG)
        expect(chart).to_have_attribute("data-latest", str(steps[-1]), timeout=LONG)


def _steps(run: Run) -> list[int]:
    """The steps of a run's updates."""
    return [point.step for point in run.metrics() if Metric.APPROX_KL in point.values]


def _is_one_line(run: Run) -> None:
    """No step twice, none left out."""
    steps = _steps(run)
    gaps = {after - before for before, after in itertools.pairwise(steps)}
    assert len(gaps) == 1, steps


def _screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"live-{name}.png")


def _theme(page: Page, name: str, *, light: bool) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )
    value = str(light).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", value, timeout=LONG)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=LONG)


def _no_serious_violation(page: Page) -> None:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(AUDIT, ".jp-PPO-savedRun") == []


def _start(page: Page, code: str) -> str:
    """Run code in a new notebook; return the notebook's path."""
    path: str = page.evaluate(NEW_NOTEBOOK)
    page.wait_for_function(KERNEL_IS_READY, timeout=LONG)
    page.evaluate(RUN_CELL, code)
    return path


def _reload(page: Page) -> None:
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=LONG)


def _restart_kernel(page: Page) -> None:
    page.evaluate(RESTART)
    page.get_by_role("button", name="Confirm Kernel Restart").click()


def _train(folder: str, **settings: Any) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return (
        "from jupyter_ppo import train\n"
        f"run = train(total_steps=100_000_000, directory={folder!r}, {given})"
    )


def _saved(page: Page, path: Path) -> dict[str, Any]:
    """Save the notebook in front and read its file."""
    page.evaluate(SAVE)
    saved: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return saved


@pytest.fixture
def folder(lab: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a run's folder; whatever still trains in it is ended."""
    name = f"runs/{request.node.name}"
    yield name
    run = open_run(lab.work / name)
    if not run.state().has_ended:
        run.stop()
        run.wait(60)


def test_a_curve_moves_pauses_goes_on_as_one_line_and_survives_a_reload(
    page: Page, context: BrowserContext, lab: Any, folder: str
) -> None:
    path = _start(page, _train(folder))
    view = View(page)
    view.is_live()
    view.has_state("Running")
    view.moves()
    view.moves()

    view.button("Pause").click()
    view.has_state("Paused")
    run = open_run(lab.work / folder)
    view.draws(run)
    _screenshot(page, "1-paused")
    before = view.latest()

    # Another tab, in Notebook 7, has the same, and its buttons work for both.
    page.evaluate(SAVE)
    other_page = context.new_page()
    other_page.goto(f"{lab.url}notebooks/{path}?token={lab.token}", wait_until="domcontentloaded")
    other = View(other_page)
    other.is_live()
    other.has_state("Paused")
    other.draws(run)
    _screenshot(other_page, "2-notebook-7")
    other.button("Resume").click()
    view.has_state("Running")
    view.moves()
    assert view.latest() > before
    other.moves()

    # Loaded again while it trains, the whole curve is there and goes on.
    _reload(page)
    view.is_live()
    view.has_state("Running")
    view.moves()
    view.button("Pause").click()
    other.has_state("Paused")
    view.draws(run)
    other.draws(run)
    _is_one_line(run)
    other_page.close()

    # Saved with the state of all widgets it is still small, and a file of HTML has the picture.
    page.wait_for_function(OUTPUT_SAYS, arg=f"paused, {run.status().step:,} of", timeout=LONG)
    page.evaluate(SAVE_WIDGETS)
    file = lab.work / path
    saved = _saved(page, file)
    (output,) = saved["cells"][0]["outputs"]
    assert "image/svg+xml" in output["data"]
    assert saved["metadata"]["widgets"]
    assert file.stat().st_size < MOST_BYTES
    page.evaluate(SAVE_WIDGETS)
    _has_a_picture_without_a_kernel(context, file)


def _has_a_picture_without_a_kernel(context: BrowserContext, file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.pop("widgets")
    html, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    target = file.with_suffix(".html")
    target.write_text(html, "utf-8")
    page = context.new_page()
    page.route("http*://**", lambda route: route.abort())  # nothing from the network
    page.goto(target.as_uri())
    picture = page.locator(".jp-OutputArea svg, .jp-OutputArea img").first
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 300
    _screenshot(page, "3-nbconvert")
    page.close()


def test_a_detached_run_is_live_again_after_a_restart_of_the_kernel(
    page: Page, lab: Any, folder: str
) -> None:
    _start(page, _train(folder, detached=True))
    view = View(page)
    view.is_live()
    view.moves()

    _restart_kernel(page)
    view.is_a_picture()
    _no_serious_violation(page)
    _screenshot(page, "4-saved-picture")
    before = _steps(open_run(lab.work / folder))[-1]
    view.show_live()
    view.has_state("Running")
    view.moves()
    assert view.latest() >= before

    # The notebook knows the new view: it needs no click after the page was loaded again.
    page.evaluate(SAVE)
    _reload(page)
    view.is_live()
    view.moves()
    view.button("Pause").click()
    view.has_state("Paused")
    view.draws(open_run(lab.work / folder))


def test_a_run_that_ended_with_its_kernel_goes_on_from_a_notebook_opened_later(
    page: Page, lab: Any, folder: str
) -> None:
    path = _start(page, _train(folder))
    view = View(page)
    view.is_live()
    view.moves()
    run = open_run(lab.work / folder)
    page.evaluate(SAVE)
    page.evaluate(SHUT_DOWN)
    view.is_a_picture()
    _theme(page, "JupyterLab Dark", light=False)
    _screenshot(page, "5-saved-picture-dark")
    _theme(page, "JupyterLab Light", light=True)

    page.goto(f"{lab.url}notebooks/{path}?token={lab.token}", wait_until="domcontentloaded")
    view.is_a_picture()
    view.show_live()
    view.has_state("Interrupted")
    view.draws(run)
    view.button("Resume").click()
    view.has_state("Running")
    view.moves()
    view.button("Pause").click()
    view.has_state("Paused")
    view.draws(run)
    _is_one_line(run)
    _screenshot(page, "6-resumed-notebook-7")


def test_all_parts_of_the_view_are_accessible_in_both_themes(
    page: Page, lab: Any, folder: str
) -> None:
    _start(page, _train(folder, eval_every=4096))
    view = View(page)
    view.is_live()
    expect(view.chart(Metric.RETURN)).not_to_have_attribute("data-points", "0", timeout=LONG)
    view.moves()
    view.button("Pause").click()
    view.has_state("Paused")
    parts = {
        "Change or extend": ".ppo-setting",
        "Inside PPO": ".ppo-inside canvas, .ppo-inside svg",
        "Episodes": ".ppo-episode button",
        "All settings": ".ppo-settings",
    }
    for number, (part, inside) in enumerate(parts.items(), start=7):
        button = view.button(part)
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true", timeout=LONG)
        shown = view.node.locator(inside).first
        expect(shown).to_be_visible(timeout=LONG)
        shown.scroll_into_view_if_needed()
        _no_serious_violation(page)
        _screenshot(page, f"{number}-{part.lower().replace(' ', '-')}")
    _theme(page, "JupyterLab Dark", light=False)
    _no_serious_violation(page)
    view.chart(Metric.RETURN).scroll_into_view_if_needed()
    _screenshot(page, "11-dark")
