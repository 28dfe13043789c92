"""The charts in a real browser: what is painted, mouse and keys, themes, a million points."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from jupyter_ppo.domain.charts import CHARTS

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
FRONT_END = ROOT / "labextension"
AXE = FRONT_END / "node_modules" / "axe-core" / "axe.min.js"
ENTRY = """
export * from './board';
export * from './store';
import './live.css';
"""
SCENE = """
  window.random = (seed) => () => {
    seed = (seed * 1664525 + 1013904223) % 4294967296;
    return seed / 4294967296;
  };
  window.fill = (store, seed, steps) => {
    const next = random(seed);
    for (let step = 40; step <= steps; step += 40) {
      store.push('return', step, Math.round(20 + (450 * step / steps) * next()));
    }
    for (let step = 1000; step <= steps; step += 1000) {
      store.push('mean_return', step, 20 + (230 * step) / steps);
      store.push('approx_kl', step, 0.002 + 0.02 * next());
      store.push('clip_fraction', step, 0.3 * next());
      store.push('entropy', step, 0.69 - (0.3 * step) / steps);
      store.push('explained_variance', step, (2 * step) / steps - 1);
      if (step % 5000 === 0) store.push('eval_return', step, (400 * step) / steps);
    }
  };
  window.show = (charts, runs, settings = {}, bands = []) => {
    window.board?.dispose();
    window.saved = [];
    window.stores = runs.map(() => new live.SeriesStore());
    window.tracks = runs.map((label, number) => ({
      id: `run-${number}`, label, colour: number, source: stores[number],
      marks: number === 0 ? [{ step: 20000, text: 'learning_rate 0.0001' }] : [],
    }));
    const all = { ...live.defaultSettings, ...settings };
    window.board = new live.Board(document.getElementById('view'), charts, all, (one) =>
      saved.push(one));
    board.setTracks(tracks, bands.map((band) => ({
      ...band, steps: Float64Array.from(band.steps), centre: Float64Array.from(band.centre),
      low: Float64Array.from(band.low), high: Float64Array.from(band.high),
    })));
  };
  // Pixels of a chart's drawn area that are not the background, by colour.
  window.pixels = (key) => {
    const canvas = document.querySelector(`.ppo-chart[data-key="${key}"] canvas`);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const counts = {};
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 0) {
        const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
        counts[colour] = (counts[colour] ?? 0) + 1;
      }
    }
    return counts;
  };
"""
DESCRIPTIONS = [chart.to_dict() for chart in CHARTS]
#: The first colours of the palette on white.
BLUE, VERMILLION, GREEN = "0,114,178", "213,94,0", "0,146,107"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    subprocess.run(
        [
            FRONT_END / "node_modules" / ".bin" / "esbuild",
            "--bundle",
            "--format=iife",
            "--global-name=live",
            "--log-level=error",
            f"--outfile={folder / 'board.js'}",
        ],
        input=ENTRY.encode(),
        cwd=FRONT_END / "src" / "live",
        check=True,
        timeout=60,
    )
    return folder


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 1300})
        page.set_default_timeout(30_000)
        yield page
        browser.close()


@pytest.fixture
def page(browser_page: Page, bundle: Path) -> Iterator[Page]:
    problems: list[str] = []

    def note(error: Any) -> None:
        problems.append(str(error))

    browser_page.goto("about:blank")
    browser_page.on("pageerror", note)
    style = (bundle / "board.css").read_text()
    browser_page.set_content(
        "<!doctype html><html lang='en'><head><title>Charts</title>"
        f"<style>{style}</style></head><body><main id='view'></main></body></html>"
    )
    browser_page.set_viewport_size({"width": 1000, "height": 1300})
    browser_page.mouse.move(0, 0)
    browser_page.add_script_tag(path=bundle / "board.js")
    browser_page.add_script_tag(content=SCENE)
    yield browser_page
    browser_page.remove_listener("pageerror", note)
    assert problems == []


def show(page: Page, runs: int = 1, steps: int = 60_000, **options: Any) -> None:
    """Show so many runs of so many steps, and wait until they are drawn."""
    labels = [f"seed {number}" for number in range(runs)]
    settings, bands = options.get("settings", {}), options.get("bands", [])
    page.evaluate("(all) => show(...all)", [DESCRIPTIONS, labels, settings, bands])
    page.evaluate("(steps) => stores.forEach((store, i) => fill(store, i + 1, steps))", steps)
    redraw(page)


def redraw(page: Page) -> None:
    """Have everything drawn anew, and wait for it."""
    first = chart(page, "return")
    before = first.get_attribute("data-draws")
    page.evaluate("board.drawSoon()")
    page.wait_for_function(
        "([chart, before]) => chart.dataset.draws !== before", arg=[first.element_handle(), before]
    )


def chart(page: Page, key: str) -> Locator:
    return page.locator(f'.ppo-chart[data-key="{key}"]')


def plot(page: Page, key: str) -> Locator:
    return chart(page, key).locator(".ppo-chart-plot")


def area(page: Page, key: str) -> dict[str, float]:
    box = chart(page, key).locator(".u-over").bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def visible_steps(page: Page, key: str = "return") -> tuple[float, float]:
    first, last = (chart(page, key).get_attribute(f"data-{end}") for end in ("from", "to"))
    assert first is not None
    assert last is not None
    return float(first), float(last)


def drag(page: Page, key: str, start: float, end: float) -> None:
    """Drag over a chart, from a share of its width to another."""
    box = area(page, key)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()


def test_episodes_their_mean_and_evaluations_are_painted_in_their_colours(page: Page) -> None:
    show(page)
    colours = page.evaluate("pixels('return')")
    assert colours[VERMILLION] > 300, "the line"
    assert colours[GREEN] > 12 * 30, "twelve squares"
    assert sum(colours.values()) > 3000, "and dots"
    assert chart(page, "return").get_attribute("data-points") == str(1500 + 60 + 12)
    assert page.evaluate("pixels('entropy')")[BLUE] > 300


def test_a_chart_without_points_says_so(page: Page) -> None:
    show(page)
    expect(chart(page, "value_loss").get_by_text("No data yet")).to_be_visible()
    expect(chart(page, "entropy").get_by_text("No data yet")).to_be_hidden()


def test_new_points_move_the_curve_at_most_ten_times_a_second(page: Page) -> None:
    show(page)
    draws, latest = page.evaluate(
        """async () => {
          const chart = document.querySelector('.ppo-chart[data-key="entropy"]');
          const before = Number(chart.dataset.draws);
          const end = performance.now() + 1000;
          let step = 60000;
          while (performance.now() < end) {
            stores[0].push('entropy', step += 10, 0.3);
            board.drawSoon();
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          return [Number(chart.dataset.draws) - before, Number(chart.dataset.latest)];
        }"""
    )
    assert 2 <= draws <= 11
    assert latest > 60_000


def test_a_chart_out_of_sight_is_drawn_when_it_comes_into_sight(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 400})
    show(page)
    far = chart(page, "explained_variance")
    assert far.get_attribute("data-draws") is None
    far.scroll_into_view_if_needed()
    expect(far).to_have_attribute("data-draws", "1")
    assert page.evaluate("pixels('explained_variance')")[BLUE] > 300


def test_the_pointer_reads_the_values_of_all_charts_at_its_step(page: Page) -> None:
    show(page)
    box = area(page, "approx_kl")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    expected = page.evaluate("stores[0].points('entropy').values[29]")
    entropy = chart(page, "entropy").locator(".ppo-readout")
    expect(entropy).to_have_text(f"{expected:.6g}")  # it says the least, as it is small
    expect(chart(page, "return").locator(".ppo-readout")).to_contain_text("step ")
    expect(chart(page, "return").locator(".ppo-readout-row")).to_have_count(3)
    expect(chart(page, "return").locator(".ppo-readout")).to_contain_text("evaluation")
    for one in (entropy, chart(page, "approx_kl").locator(".ppo-cursor")):
        expect(one).to_be_visible()
    page.mouse.move(5, 5)
    expect(entropy).to_be_hidden()


def test_a_live_change_is_a_dotted_line_and_is_read_beside_it(page: Page) -> None:
    show(page)
    box = area(page, "return")
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 100)
    expect(chart(page, "return").locator(".ppo-readout-mark")).to_have_text("learning_rate 0.0001")
    expect(chart(page, "entropy").locator(".ppo-readout-mark")).to_have_count(0)


def test_a_drag_zooms_all_charts_and_a_double_click_shows_all(page: Page) -> None:
    show(page)
    drag(page, "entropy", 0.25, 0.5)
    expect(page.locator(".ppo-toolbar-range")).to_contain_text("steps 15,")
    first, last = visible_steps(page, "return")
    assert first == pytest.approx(15_000, abs=300)
    assert last == pytest.approx(30_000, abs=300)
    box = area(page, "return")
    page.mouse.dblclick(box["x"] + 100, box["y"] + 100)
    expect(chart(page, "entropy")).to_have_attribute("data-from", "0")
    assert visible_steps(page) == (0, 60_000)


def test_shift_and_drag_pans_and_ctrl_and_wheel_zooms_about_the_pointer(page: Page) -> None:
    show(page)
    drag(page, "return", 0.5, 0.75)
    expect(page.get_by_role("button", name="Show all")).to_be_enabled()
    first, last = visible_steps(page)
    page.keyboard.down("Shift")
    drag(page, "return", 0.2, 0.7)
    page.keyboard.up("Shift")
    page.wait_for_function(
        "(old) => document.querySelector('.ppo-chart').dataset.from < old - 1000", arg=first
    )
    moved, end = visible_steps(page)
    assert moved == pytest.approx(first - (last - first) / 2, abs=300)
    assert end - moved == pytest.approx(last - first, abs=1)
    box = area(page, "return")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    assert visible_steps(page) == (moved, end), "a plain wheel scrolls the page"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(
        "(old) => document.querySelector('.ppo-chart').dataset.from > old", arg=moved
    )
    nearer, until = visible_steps(page)
    assert (nearer + until) / 2 == pytest.approx((moved + end) / 2, abs=150)


def test_keys_read_zoom_and_open_the_table(page: Page) -> None:
    show(page)
    plot(page, "entropy").focus()
    page.keyboard.press("Home")
    expect(plot(page, "entropy")).to_have_attribute("aria-valuenow", "1000")
    page.keyboard.press("Shift+ArrowRight")
    expect(plot(page, "entropy")).to_have_attribute("aria-valuenow", "11000")
    expect(chart(page, "entropy").locator(".ppo-readout")).to_contain_text("step 11,000")
    expect(chart(page, "approx_kl").locator(".ppo-readout-row")).to_have_count(1)
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Show all")).to_be_enabled()
    page.keyboard.press("End")  # out of sight: the range follows
    expect(plot(page, "entropy")).to_have_attribute("aria-valuenow", "60000")
    expect(chart(page, "entropy")).to_have_attribute("data-to", "60000")
    page.keyboard.press("0")
    expect(chart(page, "entropy")).to_have_attribute("data-from", "0")
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Entropy: the numbers")).to_be_focused()
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.locator("tbody tr").first).to_contain_text("60,000")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.keyboard.press("Escape")
    expect(page.locator("tbody")).to_have_count(0)


def test_the_log_scale_takes_negative_values_too_and_says_how(page: Page) -> None:
    show(page)
    page.get_by_role("button", name="Log scale").click()
    expect(chart(page, "explained_variance").locator(".ppo-scale-note")).to_contain_text(
        "Symmetric logarithm"
    )
    expect(chart(page, "approx_kl").locator(".ppo-scale-note")).to_be_hidden()
    assert page.evaluate("pixels('explained_variance')")[BLUE] > 200
    assert page.evaluate("saved.at(-1).logScale") is True


def test_smoothing_leaves_the_raw_line_faint_behind(page: Page) -> None:
    show(page)
    before = page.evaluate("pixels('approx_kl')")[BLUE]
    page.get_by_label("Smoothing").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".ppo-smoothing-note")).to_have_text(
        "Each point is the mean of itself and the 19 before it; the raw line stays faint behind."
    )
    assert page.evaluate("saved.at(-1).smoothing") == 20
    after = page.evaluate("pixels('approx_kl')")
    assert after[BLUE] < before * 0.9, "the mean is a shorter line"
    assert sum(after.values()) > before * 1.2, "and the raw one is there"


def test_runs_and_bands_lie_over_each_other_and_can_be_switched_off(page: Page) -> None:
    steps = list(range(1000, 60_001, 1000))
    band = {
        "id": "g",
        "label": "learning_rate 0.001 (5 seeds)",
        "colour": 2,
        "metric": "entropy",
        "statistic": "median and interquartile range",
        "steps": steps,
        "centre": [0.5] * len(steps),
        "low": [0.45] * len(steps),
        "high": [0.55] * len(steps),
    }
    show(page, runs=2, bands=[band])
    expect(page.get_by_role("group", name="Runs").get_by_role("button")).to_have_count(3)
    with_band = page.evaluate("pixels('entropy')")
    assert with_band[GREEN] > 50, "its centre"
    button = page.get_by_role("button", name="learning_rate 0.001 (5 seeds)")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(100)
    without = page.evaluate("pixels('entropy')")
    assert GREEN not in without
    assert sum(with_band.values()) > sum(without.values()) + 3000, "its area"
    assert page.evaluate("saved.at(-1).hidden") == ["*/g"]


def test_what_is_not_finite_leaves_a_chart_drawable(page: Page) -> None:
    show(page)
    page.evaluate(
        """[NaN, Infinity, -Infinity, 0.5].forEach(
          (value, n) => stores[0].push('value_loss', 1000 * n, value))"""
    )
    redraw(page)
    assert page.evaluate("pixels('value_loss')")[BLUE] > 0
    page.get_by_role("button", name="Log scale").click()
    page.wait_for_timeout(50)
    assert page.evaluate("pixels('value_loss')")[BLUE] > 0


def test_what_is_measured_again_is_one_line(page: Page) -> None:
    show(page)
    page.evaluate("stores[0].rewind(30000)")
    redraw(page)
    assert visible_steps(page) == (0, 30_000)
    assert chart(page, "entropy").get_attribute("data-latest") == "30000"
    assert chart(page, "entropy").get_attribute("data-points") == "30"


def test_a_dark_page_has_light_lines_and_follows_a_change(page: Page) -> None:
    show(page)
    assert page.evaluate("pixels('entropy')")[BLUE] > 300
    page.evaluate("document.body.style.background = '#111'")
    expect(page.locator(".ppo-board")).to_have_attribute("data-ppo-theme", "dark")
    page.wait_for_timeout(200)
    colours = page.evaluate("pixels('entropy')")
    assert colours["86,180,233"] > 300
    assert BLUE not in colours
    ink = page.locator(".ppo-chart-title").first.evaluate("e => getComputedStyle(e).color")
    assert ink == "rgb(230, 230, 230)"


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(page: Page, dark: bool) -> None:
    if dark:
        page.evaluate("document.body.style.background = '#111'")
    show(page, runs=2, settings={"smoothing": 5, "logScale": True, "hidden": ["*/run-1"]})
    page.get_by_role("button", name="Mouse and keys").click()
    chart(page, "return").get_by_role("button", name="Table of the numbers: Return").click()
    chart(page, "entropy").get_by_role("button", name="What is Entropy?").click()
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async () => (await axe.run('.ppo-board')).violations
          .filter(({ impact }) => ['serious', 'critical'].includes(impact))
          .map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) =>
            [html, failureSummary])])"""
    )
    assert found == [], json.dumps(found, indent=1)


def test_a_narrow_place_has_one_column_and_nothing_sticks_out(page: Page) -> None:
    show(page, runs=2)
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_timeout(300)
    left = {chart(page, key).bounding_box()["x"] for key in ("return", "approx_kl", "entropy")}  # type: ignore[index]
    assert len(left) == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    width = chart(page, "return").locator("canvas").bounding_box()
    assert width is not None
    assert width["width"] <= 400


def test_a_million_points_keep_their_peak_and_are_drawn_fast(page: Page) -> None:
    show(page)
    redraws = page.evaluate(
        """() => {
          const count = 1000000;
          const steps = Float64Array.from({ length: count }, (_, n) => n);
          const values = Float64Array.from(steps, (n) => (n === 777777 ? 9000 : n % 7));
          stores[0].append('value_loss', steps, values);
          const chart = document.querySelector('.ppo-chart[data-key="value_loss"]');
          const next = async () => {
            const before = chart.dataset.draws;
            stores[0].push('value_loss', ++window.last, 3);
            board.drawSoon();
            while (chart.dataset.draws === before) await new Promise(requestAnimationFrame);
            return Number(chart.dataset.ms);
          };
          window.last = count;
          return (async () => {
            const times = [];
            for (let n = 0; n < 12; n += 1) times.push(await next());
            return times;
          })();
        }"""
    )
    assert min(redraws) <= 16, redraws  # the machine is shared: the fastest says what it costs
    readout = chart(page, "value_loss")
    assert readout.get_attribute("data-points") == "1000012"
    top = page.evaluate(
        """() => {
          const canvas = document.querySelector('.ppo-chart[data-key="value_loss"] canvas');
          const rows = canvas.getContext('2d').getImageData(0, 0, canvas.width, 60);
          let found = 0;
          for (let i = 0; i < rows.data.length; i += 4) {
            if (rows.data[i] < 40 && rows.data[i + 2] > 160 && rows.data[i + 3] > 200) found += 1;
          }
          return found;
        }"""
    )
    assert top > 20, "the one high value is a line up to the top"


def test_a_board_that_is_closed_leaves_nothing(page: Page) -> None:
    show(page)
    page.evaluate("board.drawSoon(); board.dispose(); window.board = undefined")
    page.wait_for_timeout(200)
    assert page.locator("#view > *").count() == 0
