"""live.js in a real browser, with a model that answers as the kernel does."""

from __future__ import annotations

import base64
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from jupyter_ppo.widgets import live

pytestmark = pytest.mark.browser

SOURCE = Path(live.__file__).parent
NAMES = ["return", "mean_return", "approx_kl", "clip_fraction", "entropy", "explained_variance"]
SNAPSHOT = {
    "state": "running",
    "step": 2500,
    "planned_steps": 10_000,
    "seconds": 2.5,
    "steps_per_second": 1000.0,
    "seconds_left": 7.5,
    "message": "",
}
MODEL = """async ([source, charts, names, snapshot]) => {
  const traits = { charts, series_names: names, title: 'PPO on CartPole-v1', snapshot };
  const handlers = {};
  window.sent = [];
  window.model = {
    get: (name) => traits[name],
    on: (event, f) => (handlers[event] ??= []).push(f),
    off: (event, f) => { handlers[event] = handlers[event].filter((g) => g !== f); },
    send: (content) => window.sent.push(content),
  };
  window.rows = (start, text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const message = { type: 'rows', start };
    for (const f of handlers['msg:custom']) f(message, [new DataView(bytes.buffer)]);
  };
  window.change = (values) => {
    traits.snapshot = { ...traits.snapshot, ...values };
    for (const f of handlers['change:snapshot']) f();
  };
  window.handlers = handlers;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  window.live = await import(url);
  window.cleanup = window.live.default.render({ model: window.model, el: document.body });
}"""


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture
def page(browser_page: Page) -> Iterator[Page]:
    problems: list[str] = []

    def note(error: Any) -> None:
        problems.append(str(error))

    browser_page.goto("about:blank")
    browser_page.on("pageerror", note)
    browser_page.set_content(f"<style>{(SOURCE / 'live.css').read_text()}</style>")
    charts = [
        {"title": c.title, "unit": c.unit, "metrics": [str(m) for m in c.metrics]}
        for c in live.CHARTS
    ]
    source = (SOURCE / "live.js").read_text()
    browser_page.evaluate(MODEL, [source, charts, NAMES, SNAPSHOT])
    yield browser_page
    browser_page.remove_listener("pageerror", note)
    assert problems == []


def send(page: Page, start: int, *rows: tuple[str, float, float]) -> None:
    values = array("d")
    for name, step, value in rows:
        values.extend((NAMES.index(name), step, value))
    text = base64.b64encode(values.tobytes()).decode()
    page.evaluate("([start, text]) => window.rows(start, text)", [start, text])


def chart(page: Page, metric: str) -> Any:
    return page.locator(f'.ppo-live-chart[data-metric="{metric}"]')


def test_a_new_view_asks_for_the_history_and_counts_its_points(page: Page) -> None:
    assert page.evaluate("window.sent") == [{"type": "history"}]
    expect(page.locator(".ppo-live-chart")).to_have_count(5)
    send(page, 0, ("return", 20, 20.0), ("return", 45, 25.0), ("approx_kl", 64, 0.01))
    expect(chart(page, "return")).to_have_attribute("data-points", "2")
    expect(chart(page, "approx_kl")).to_have_attribute("data-points", "1")
    expect(chart(page, "entropy")).to_have_attribute("data-points", "0")
    dots = chart(page, "return").locator(".ppo-live-dots")
    expect(dots).to_have_attribute("d", re.compile(r"^M[\d ]+h0\.01M[\d ]+h0\.01$"))


def test_rows_that_came_twice_are_counted_once_and_a_gap_asks_again(page: Page) -> None:
    first = [("return", 20, 20.0), ("return", 45, 25.0)]
    send(page, 0, *first)
    send(page, 0, *first, ("return", 70, 9.0))
    expect(chart(page, "return")).to_have_attribute("data-points", "3")
    send(page, 5, ("return", 99, 1.0))
    expect(chart(page, "return")).to_have_attribute("data-points", "3")
    assert page.evaluate("window.sent.length") == 2
    assert page.evaluate("window.sent[1]") == {"type": "history"}


def test_state_progress_and_time_left_are_shown(page: Page) -> None:
    expect(page.locator(".ppo-live-state")).to_have_text("Running")
    expect(page.locator(".ppo-live-state")).to_have_attribute("aria-live", "polite")
    assert page.locator(".ppo-live-progress").evaluate("bar => bar.value") == 25
    expect(page.locator(".ppo-live-numbers")).to_have_text(
        "25 % · 2,500 of 10,000 steps · 1,000 steps/s · about 8 s left"
    )
    page.evaluate("window.change({state: 'paused'})")
    expect(page.locator(".ppo-live-numbers")).to_have_text("25 % · 2,500 of 10,000 steps · paused")
    page.evaluate("window.change({state: 'failed', seconds_left: null, message: 'It broke.'})")
    expect(page.locator(".ppo-live-state")).to_have_text("Failed")
    expect(page.get_by_role("alert")).to_have_text("It broke.")


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        ("starting", {"pause", "stop"}),
        ("running", {"pause", "stop"}),
        ("paused", {"resume", "stop"}),
        ("finished", set()),
        ("stopped", set()),
        ("failed", set()),
    ],
)
def test_only_buttons_that_make_sense_can_be_pressed(
    page: Page, state: str, enabled: set[str]
) -> None:
    page.evaluate("state => window.change({state})", state)
    for command in ("pause", "resume", "stop"):
        button = page.locator(f".ppo-live-{command}")
        assert button.is_enabled() == (command in enabled)


def test_a_button_sends_its_command_once(page: Page) -> None:
    page.get_by_role("button", name="Pause the training").press("Enter")
    assert page.evaluate("window.sent[1]") == {"type": "command", "command": "pause"}
    expect(page.locator(".ppo-live-pause")).to_be_disabled()
    page.evaluate("window.change({state: 'paused'})")
    page.locator(".ppo-live-resume").click()
    assert page.evaluate("window.sent[2]") == {"type": "command", "command": "resume"}


def test_exact_values_are_read_with_the_pointer_and_with_the_keyboard(page: Page) -> None:
    send(page, 0, *[("entropy", 1000 * n, n / 8) for n in range(1, 9)])
    figure = page.locator("figure", has=chart(page, "entropy"))
    readout = figure.locator(".ppo-live-readout")
    expect(readout).to_have_text("step 8,000: 1")
    chart(page, "entropy").focus()
    page.keyboard.press("ArrowLeft")
    expect(readout).to_have_text("step 7,000: 0.875")
    page.keyboard.press("Home")
    expect(readout).to_have_text("step 1,000: 0.125")
    expect(chart(page, "entropy")).to_have_attribute(
        "aria-label",
        "Entropy (nats) over environment steps: step 1,000: 0.125. Arrow keys read single values.",
    )
    page.keyboard.press("Escape")
    box = chart(page, "entropy").bounding_box()
    page.mouse.move(box["x"] + 49, box["y"] + 50)
    expect(readout).to_have_text("step 1,000: 0.125")


def test_the_numbers_are_there_as_a_table_that_is_closed_at_first(page: Page) -> None:
    send(page, 0, ("approx_kl", 64, 0.01), ("entropy", 64, 0.69), ("approx_kl", 128, 0.02))
    expect(page.locator("table")).to_have_count(0)
    page.locator("summary").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("128")
    expect(rows.nth(1)).to_contain_text("0.69")
    expect(page.locator("thead")).to_contain_text("approx kl")


def test_values_that_are_not_finite_leave_a_chart_drawable(page: Page) -> None:
    nan, inf = float("nan"), float("inf")
    send(page, 0, ("entropy", 1, nan), ("entropy", 2, 0.5), ("entropy", 3, inf))
    path = chart(page, "entropy").locator(".ppo-live-line")
    expect(path).to_have_count(1)
    assert "NaN" not in (path.get_attribute("d") or "")
    assert "Infinity" not in (path.get_attribute("d") or "")


def test_a_long_run_is_drawn_with_few_points_and_its_peak(page: Page) -> None:
    length = page.evaluate(
        """() => {
          const points = Array.from({ length: 200000 }, (_, n) => [n, n === 77777 ? 99 : n % 7]);
          const d = window.live.linePath(points, (step) => step / 400, (value) => value);
          return [d.split('L').length, d.includes(' 99')];
        }"""
    )
    assert length[0] <= 4 * 501
    assert length[1] is True


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("formatValue(0)", "0"),
        ("formatValue(1234.5678)", "1,235"),
        ("formatValue(0.00001234)", "1.23e-5"),
        ("formatValue(NaN)", "undefined"),
        ("formatStep(20000)", "20k"),
        ("formatStep(1500000)", "1.5M"),
        ("formatDuration(59.2)", "1 min 0 s"),
        ("formatDuration(3900)", "1 h 5 min"),
        ("niceTicks(0, 100, 5)", [0, 20, 40, 60, 80, 100]),
        ("niceTicks(-0.31, 0.99, 3)", [-0.5, 0, 0.5, 1]),
        ("nearest([[10, 0], [20, 0], [40, 0]], 31)", 2),
        ("nearest([], 31)", -1),
    ],
)
def test_numbers_are_written_for_readers(page: Page, call: str, expected: Any) -> None:
    assert page.evaluate(f"window.live.{call}") == expected


def test_a_closed_view_lets_go_of_its_model(page: Page) -> None:
    page.evaluate("window.cleanup()")
    assert page.evaluate("Object.values(window.handlers).flat().length") == 0
