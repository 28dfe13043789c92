"""The pictures of experiments in a real page: both themes, narrow, and read by a machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from jupyter_ppo.widgets.experiment import (
    Bars,
    Dots,
    Experiment,
    Frame,
    Heat,
    Line,
    Missing,
    Note,
    Plot,
    Row,
    Table,
    Timeline,
)

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
DARK = {
    "--jp-layout-color0": "#111111",
    "--jp-content-font-color1": "#ffffff",
    "--jp-content-font-color2": "rgba(255, 255, 255, 0.7)",
    "--jp-border-color0": "#616161",
    "--jp-border-color2": "#424242",
}
#: The colour that a part is painted with.
PAINT = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"


def draw(slope: int) -> list[Any]:
    x = np.linspace(0, 6, 60)
    wave = np.sin(x) * slope
    return [
        Plot(
            "Waves",
            [
                Line("yours", x, Missing("wave: not written yet")),
                Line("reference", x, wave, "dashed", band=(wave - 0.5, wave + 0.5)),
                Line("samples", x[::6], wave[::6], "dots"),
                Line("steps", x[::6], -wave[::6], "steps"),
            ],
            "time",
            "height",
            marks=[("y", 0.0, "zero"), ("x", 5.9, "near the edge")],
            shaded=[("x", 2.0, 3.0, "clipped")],
        ),
        Bars("Probabilities", ["left", "right"], {"yours": [0.2, 0.8], "theirs": [0.5, -0.1]}, "p"),
        Heat("Weights", [[-1.0, 0.2], [0.5, 1.0]], ["a", "b"], ["c", "d"]),
        Dots("Seeds", {"PPO": [180, 200, 210], "without": [90, 120, 100]}, "return",
             {"PPO": (200, 185, 208), "without": (100, 92, 118)}),
        Timeline("Episodes", [Row("env 0", [(0, 5, "episode"), (5, 9, "episode")], [(5, "reset")]),
                              Row("env 1", [(0, 7, "episode"), (7, 8, "phantom")])]),
        Frame("Frame", np.arange(84 * 84).reshape(84, 84) % 256),
        Table("Facts", ["name", "value"], [["slope", slope]]),
        Note("A readout in words.\nAnd a second line."),
    ]  # fmt: skip


@pytest.fixture
def view(empty_page: Page) -> Page:
    experiment = Experiment("Waves", draw, {"slope": (1, 5, 1, 2)})
    content = f"<main id='view'><h1>Notebook</h1>{experiment.html}</main>"
    empty_page.set_content(f"<!doctype html><html lang='en'><title>N</title>{content}</html>")
    return empty_page


def test_pictures_have_names_and_their_numbers_open_with_the_keys(view: Page) -> None:
    expect(view.get_by_role("img", name="Waves. height over time. reference: 60")).to_be_visible()
    expect(view.get_by_text("wave: not written yet")).to_be_visible()
    expect(view.get_by_role("img", name="yours")).to_have_count(1)  # the bars alone
    summary = view.locator("summary").first
    table = view.get_by_role("region", name="Numbers of Waves")
    expect(table).to_be_hidden()
    summary.focus()
    view.keyboard.press("Enter")
    expect(table).to_be_visible()
    heads = table.locator("thead th").all_inner_texts()
    assert heads == ["reference: time", "reference", "samples: time", "samples", "steps: time",
                     "steps"]  # fmt: skip


def test_nothing_is_drawn_outside_and_no_two_texts_of_an_axis_overlap(view: Page) -> None:
    found = view.evaluate(
        """() => [...document.querySelectorAll('svg[role=img]')].flatMap((svg) => {
          const name = svg.getAttribute('aria-label').split('.')[0];
          const [, , wide, tall] = svg.getAttribute('viewBox').split(' ').map(Number);
          const boxes = [...svg.querySelectorAll('text')].map((one) => [one.textContent,
            one.getBoundingClientRect()]);
          const edge = svg.getBoundingClientRect();
          const wrong = boxes.filter(([, box]) => box.left < edge.left - 1
            || box.right > edge.right + 1 || box.bottom > edge.bottom + 1
            || box.top < edge.top - 1).map(([text]) => `${name}: ${text} is outside`);
          boxes.forEach(([one, a], number) => boxes.slice(number + 1).forEach(([other, b]) => {
            const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (width > 2 && height > 4) wrong.push(`${name}: ${one} over ${other}`);
          }));
          return wrong;
        })"""
    )
    assert found == []


def test_both_themes_and_a_narrow_page_are_readable_by_everyone(view: Page) -> None:
    view.add_script_tag(path=str(AXE))
    SHOTS.mkdir(parents=True, exist_ok=True)
    view.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for theme, ink in (("light", "rgb(33, 33, 33)"), ("dark", "rgb(255, 255, 255)")):
        if theme == "dark":
            view.evaluate(
                """(colours) => {
                  document.body.style.background = '#111111';
                  document.body.style.color = '#ffffff';
                  for (const [name, value] of Object.entries(colours)) {
                    document.documentElement.style.setProperty(name, value);
                  }
                }""",
                DARK,
            )
        assert view.evaluate(PAINT, ["svg text", "fill"]) == ink
        found = view.evaluate("axe.run('#view').then((result) => result.violations)")
        bad = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert bad == [], json.dumps(bad)[:2000]
        view.screenshot(path=SHOTS / f"experiment-pictures-{theme}.png", full_page=True)
    view.set_viewport_size({"width": 380, "height": 800})
    assert view.evaluate("document.documentElement.scrollWidth") <= 380


def test_what_is_saved_needs_no_kernel_and_shows_the_same(empty_page: Page) -> None:
    experiment = Experiment("Waves", draw, {"slope": (1, 5, 1, 2)}, note="Move it.")
    experiment.set(slope=4)
    empty_page.set_content(experiment.saved)
    expect(empty_page.get_by_text("slope: 4", exact=True)).to_be_visible()
    expect(empty_page.get_by_role("img", name="highest 3.99")).to_have_count(1)
    wide = empty_page.evaluate(
        """Promise.all([...document.images].map((one) => one.decode()))
          .then(() => [...document.images].map((one) => one.naturalWidth))"""
    )
    assert wide == [460] * 6
    # Alone in the page it is seen; the live view beside it hides it.
    assert empty_page.locator("[class^=ppo-x-saved]").is_visible()
    empty_page.evaluate(
        "(style) => document.body.insertAdjacentHTML('beforeend', style)",
        experiment._display.style,
    )
    assert not empty_page.locator("[class^=ppo-x-saved]").is_visible()
