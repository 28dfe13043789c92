"""A student starts, steers, compares and tidies up training runs in the panel "Training runs"."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_ppo.domain.training import Metric, RunState

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

OPEN = "() => { void window.jupyterapp.commands.execute('ppo-runs:open'); }"
DARK = """() => window.jupyterapp.commands.execute(
  'apputils:change-theme', { theme: 'JupyterLab Dark' }
)"""
ALONE = "() => window.jupyterapp.shell.collapseLeft()"
#: Serious violations, each with where it is.
AUDIT = """async () => {
  const { violations } = await axe.run('.jp-PPO-runs', { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""


class Panel:
    """The panel in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.node = page.locator(".jp-PPO-runs")
        self.state = self.node.locator(".jp-PPO-runState")
        self.rows = self.node.locator(".ppo-runs-table tbody tr", has=page.get_by_role("checkbox"))

    def button(self, name: str) -> Locator:
        return self.node.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.node.get_by_role("textbox", name=name, exact=True)

    def start(self, name: str, steps: int) -> None:
        """Start a run through the form."""
        self.button("New run").click()
        self.field("Name").fill(name)
        self.field("Steps").fill(str(steps))
        self.button("Start training").click()
        expect(self.node.get_by_role("heading", name=name)).to_be_visible()

    def expect_state(self, state: RunState) -> None:
        expect(self.state).to_have_text(state.value.capitalize(), timeout=LONG)

    def latest(self, metric: Metric = Metric.APPROX_KL) -> float:
        """The last step that a chart of the open run shows."""
        return self.number(metric, "data-latest")

    def number(self, metric: Metric, attribute: str) -> float:
        chart = self.node.locator(f'.jp-PPO-runPage .ppo-chart[data-key="{metric}"]')
        return float(chart.get_attribute(attribute) or 0)

    def expect_latest_above(self, step: float) -> None:
        deadline = time.monotonic() + LONG / 1000
        while self.latest() <= step:
            assert time.monotonic() < deadline, (self.latest(), step)
            self.page.wait_for_timeout(100)

    def expect_accessible(self) -> None:
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.add_script_tag(path=AXE)
        assert self.page.evaluate(AUDIT) == []

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"runs-panel-{name}.png")


def opened(page: Page) -> Panel:
    page.evaluate(ALONE)
    page.evaluate(OPEN)
    panel = Panel(page)
    expect(panel.button("New run")).to_be_visible(timeout=LONG)
    return panel


def test_a_run_is_started_steered_reloaded_compared_renamed_and_deleted(page: Page) -> None:
    panel = opened(page)
    streams: list[str] = []
    page.on("websocket", lambda socket: streams.append(socket.url))
    panel.start("long", 400_000)
    panel.expect_latest_above(0)
    panel.expect_latest_above(panel.latest())
    panel.expect_state(RunState.RUNNING)

    # The network comes back: another connection goes on from where the last one was.
    page.context.set_offline(True)
    page.wait_for_timeout(200)
    page.context.set_offline(False)
    before = panel.latest()
    panel.expect_latest_above(before)
    followed = [url for url in streams if "/stream?" in url]
    assert len(followed) > 1
    assert "since=0&" not in followed[-1]

    # Pause: the curve stands still. A change waits until the run goes on, and marks the charts.
    panel.button("Pause").click()
    panel.expect_state(RunState.PAUSED)
    page.wait_for_timeout(700)
    paused = panel.latest()
    assert paused > 0
    page.wait_for_timeout(700)
    assert panel.latest() == paused
    panel.node.get_by_text("Change or extend").click()
    panel.field("learning_rate").fill("5e-4")
    panel.button("Apply").click()
    panel.node.get_by_role("textbox", name="New total of steps").fill("500,000")
    panel.button("Extend").click()
    panel.button("Resume").click()
    panel.expect_state(RunState.RUNNING)
    panel.expect_latest_above(paused)
    expect(panel.node.locator(".jp-PPO-runProgress")).to_contain_text("of 500,736 steps")
    events = panel.node.locator(".jp-PPO-runEvents li")
    expect(events.filter(has_text="learning_rate")).to_have_count(1)
    panel.picture("run")

    # The whole curve is there again after a reload, and goes on.
    panel.button("Stop").click()
    panel.expect_state(RunState.STOPPED)
    page.wait_for_timeout(500)
    seen = panel.number(Metric.APPROX_KL, "data-points"), panel.latest()
    page.goto(page.url.replace("&reset", ""), wait_until="domcontentloaded")
    panel.expect_state(RunState.STOPPED)
    panel.expect_latest_above(seen[1] - 1)
    assert (panel.number(Metric.APPROX_KL, "data-points"), panel.latest()) == seen
    panel.button("Resume").click()
    panel.expect_latest_above(seen[1])
    panel.button("Stop").click()
    panel.expect_state(RunState.STOPPED)
    panel.expect_accessible()

    # Its figures in words, found by rules.
    panel.button("Explain this run").click()
    tutor = page.locator(".jp-PPO-tutor .jp-PPO-explanation")
    expect(tutor.get_by_role("heading", name="About this run")).to_be_visible()
    expect(tutor).to_contain_text("of this run")
    expect(tutor.get_by_role("list", name="Found by rules")).to_contain_text("approx_kl")
    expect(tutor).to_contain_text("No language model is involved.")
    panel.picture("explained")
    tutor.get_by_role("button", name="Close").click()
    page.evaluate(ALONE)

    # Another run beside it.
    panel.button("All runs").click()
    panel.start("short", 3000)
    panel.expect_state(RunState.FINISHED)
    panel.button("All runs").click()
    expect(panel.rows).to_have_count(2)
    for row in panel.rows.all():
        row.get_by_role("checkbox").check()
    board = panel.node.locator(".ppo-runs .ppo-board")
    for name in ("long", "short"):
        expect(board.get_by_role("button", name=name).first).to_be_visible()
    expect(panel.node.get_by_text("total_steps")).to_have_count(1)
    page.wait_for_timeout(500)
    panel.picture("compare")
    panel.expect_accessible()

    # Renamed and deleted.
    panel.rows.filter(has_text="short").get_by_role("button", name="short").click()
    panel.field("Name").fill("quick")
    panel.button("Save").click()
    expect(panel.rows.filter(has_text="quick")).to_have_count(1)
    panel.button("Delete…").click()
    panel.button("Delete for ever").click()
    expect(panel.rows).to_have_count(1)
    expect(panel.rows).to_contain_text("long")

    page.evaluate(DARK)
    expect(page.locator('body[data-jp-theme-light="false"]')).to_be_attached()
    page.wait_for_timeout(500)
    panel.picture("dark")
    panel.expect_accessible()
