"""Inside PPO in a real page: what a learner sees, points at, and steps through."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"

#: Ratios and advantages of one update: of each sign one held, one outside but free, one in between.
RATIOS = [1.3, 0.7, 1.1, 0.7, 1.3, 0.9]
ADVANTAGES = [1.0, 1.0, 2.0, -1.0, -1.0, -2.0]


def update(number: int, ratios: list[float], advantages: list[float]) -> tuple[Any, bytes]:
    operation = {"step": 1024 * number, "update": number, "clipRange": 0.2, "rolloutSize": 1024}
    data = array("f", ratios).tobytes() + array("f", advantages).tobytes()
    return {**operation, "count": len(ratios)}, data


def tell(widget: Any, start: int, *updates: tuple[Any, bytes]) -> None:
    operations = [operation for operation, _ in updates]
    data = b"".join(data for _, data in updates)
    widget.message({"type": "minibatches", "start": start, "ops": operations}, data)


def show(widget: Any, **traits: Any) -> None:
    values = {"title": "PPO on CartPole-v1", "note": "", "normalised": True, "about": ""}
    widget.show("inside", **{**values, "settings": SETTINGS, **traits})


SETTINGS = {"compares": False, "keepsAxes": True}


@pytest.fixture
def view(widget: Any, page: Page) -> Any:
    """A view of three updates, of which the last has the samples above."""
    show(widget)
    calm = [1.0 + 0.01 * number for number in range(6)]
    tell(widget, 0, update(1, calm, ADVANTAGES), update(2, calm, ADVANTAGES))
    tell(widget, 2, update(3, RATIOS, ADVANTAGES))
    # It is painted.
    expect(page.locator(".ppo-inside-table").first).to_contain_text("66.7 % (4 of 6)")
    return widget


def figure(page: Page, name: str) -> Any:
    return page.locator(f'svg[role="application"][aria-label^="{name}"]')


def marks(page: Page, name: str, kind: str) -> int:
    """Return how many samples of a kind a figure shows."""
    path = figure(page, name).locator(f"path.ppo-inside-{kind}").get_attribute("d") or ""
    return path.count("h0") if kind == "free" else path.count("l6 6")


def number(page: Page, name: str) -> str:
    row = page.locator(".ppo-inside-table tr").filter(has_text=name).first
    return row.locator("td").first.inner_text()


def test_the_samples_that_the_clip_holds_are_marked_and_counted(view: Any, page: Page) -> None:
    above, below = "Advantage above 0", "Advantage of 0 or below"
    expect(figure(page, above)).to_have_count(1)
    assert (marks(page, above, "free"), marks(page, above, "held")) == (2, 1)
    assert (marks(page, below, "free"), marks(page, below, "held")) == (2, 1)
    assert "1 of them (33.3 %) are above 1.2" in figure(page, above).get_attribute("aria-label")
    assert "1 of them (33.3 %) are below 0.8" in figure(page, below).get_attribute("aria-label")
    assert number(page, "Clip fraction") == "66.7 % (4 of 6)"
    assert number(page, "Clipped, no gradient") == "33.3 % (2 of 6)"
    assert number(page, "Mean KL").startswith("0.03")
    assert number(page, "Ratio r, lowest") == "0.7 to 1.3"
    # (0.2 - 0.3 + 0.2 + 0.2 - 0.3 + 0.2) / 6, and with 0.3 for the two that are held
    assert number(page, "Gain: the objective") == "0.03333"
    assert number(page, "Gain without the clip") == "0.06667"


def test_the_line_is_flat_in_the_shaded_part_and_passes_the_origin(view: Any, page: Page) -> None:
    lines = page.evaluate(
        """[...document.querySelectorAll('svg[role=application]')].slice(0, 2).map((svg) => {
          const box = svg.querySelector('.ppo-inside-shade').getBBox();
          const path = svg.querySelector('.ppo-inside-line').getAttribute('d');
          const one = svg.querySelector('.ppo-inside-one').getAttribute('d');
          const zero = svg.querySelector('.ppo-inside-grid').getAttribute('d');
          const numbers = (text) => text.match(/-?[\\d.]+/g).map(Number);
          return {shade: [box.x, box.x + box.width], line: numbers(path),
                  one: numbers(one)[0], zero: numbers(zero)[1]};
        })"""
    )
    for sign, found in zip((1, -1), lines, strict=True):
        x0, y0, x1, y1, x2, y2, x3, y3 = found["line"]
        slope, flat = ((x0, y0, x1, y1), (x2, y2, x3, y3))[:: 1 if sign > 0 else -1]
        assert flat[1] == flat[3]
        assert [flat[0], flat[2]] == pytest.approx(found["shade"], abs=0.3)
        share = (found["one"] - slope[0]) / (slope[2] - slope[0])
        assert slope[1] + share * (slope[3] - slope[1]) == pytest.approx(found["zero"], abs=0.5)


def test_a_figure_is_stepped_through_with_the_keys(view: Any, page: Page) -> None:
    readout = page.locator(".ppo-inside-readout")
    expect(readout).to_contain_text("step through a figure with the arrow keys")
    figure(page, "Advantage above 0").focus()
    page.keyboard.press("End")
    expect(readout).to_have_text(
        "Ratio 1.3, advantage 1: objective 1.2, gain 0.2 (without the clip 0.3); "
        "clipped, no gradient; KL 0.03764 nats."
    )
    page.keyboard.press("Home")
    expect(readout).to_contain_text("Ratio 0.7, advantage 1: objective 0.7, gain -0.3; outside of")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("Ratio 1.1, advantage 2: objective 2.2, gain 0.2; not clipped")
    expect(page.locator(".ppo-inside-marker").first).to_have_attribute("visibility", "visible")
    page.keyboard.press("Escape")
    expect(readout).to_contain_text("step through")
    figure(page, "Histogram of the ratios").focus()
    page.keyboard.press("End")
    expect(readout).to_have_text("Ratio 1.45 to 1.475: 0 samples (0 %).")
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    expect(readout).to_have_text("Ratio 1.275 to 1.3: 2 samples (33.3 %).")  # float32 is below 1.3


def test_the_pointer_finds_the_sample_below_it(view: Any, page: Page) -> None:
    page.wait_for_function("document.querySelector('.ppo-inside-held').getAttribute('d')")
    place = page.evaluate(
        """() => {
          const svg = document.querySelectorAll('svg[role=application]')[1];
          const box = svg.getBoundingClientRect();
          const path = svg.querySelector('.ppo-inside-held').getAttribute('d');
          const [x, y] = path.match(/-?[\\d.]+/g).map(Number);
          return [box.left + x + 3, box.top + y + 3];
        }"""
    )
    page.mouse.move(*place)
    expect(page.locator(".ppo-inside-readout")).to_contain_text(
        "Ratio 0.7, advantage -1: objective -0.8, gain 0.2 (without the clip 0.3); clipped"
    )


def test_scrubbing_leaves_the_newest_and_following_returns_to_it(view: Any, page: Page) -> None:
    slider = page.get_by_role("slider", name="Update")
    follow = page.get_by_label("Follow the newest")
    expect(slider).to_have_attribute("aria-valuetext", "update 3 of 3, step 3,072")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "update 2 of 3, step 2,048")
    expect(follow).not_to_be_checked()
    expect(page.locator(".ppo-inside-about")).to_contain_text(
        "Update 2 at step 2,048: 6 of the 1,024 samples, evenly spaced."
    )
    tell(view, 3, update(4, RATIOS, ADVANTAGES))
    expect(slider).to_have_attribute("aria-valuetext", "update 2 of 4, step 2,048")
    follow.check()
    expect(slider).to_have_attribute("aria-valuetext", "update 4 of 4, step 4,096")
    tell(view, 4, update(5, RATIOS, ADVANTAGES))
    expect(slider).to_have_attribute("aria-valuetext", "update 5 of 5, step 5,120")
    tell(view, 5, ({"rewind": 3072}, b""))
    expect(slider).to_have_attribute("aria-valuetext", "update 3 of 3, step 3,072")
    page.get_by_role("button", name="First").click()
    expect(slider).to_have_attribute("aria-valuetext", "update 1 of 3, step 1,024")
    page.get_by_role("button", name="Play").click()
    expect(slider).to_have_attribute("aria-valuetext", "update 3 of 3, step 3,072")
    expect(follow).to_be_checked()
    expect(page.get_by_role("button", name="Play")).to_have_count(1)


def test_another_update_is_compared_with_the_first_one(view: Any, page: Page) -> None:
    expect(page.locator("path.ppo-inside-outline")).to_have_count(0)
    page.get_by_label("Compare with the first update").check()
    expect(page.locator("path.ppo-inside-outline")).to_have_count(3)
    assert view.saved == {"settings": {"compares": True, "keepsAxes": True}}
    heads = page.locator(".ppo-inside-table").first.locator("thead th")
    expect(heads).to_have_text(["", "Update 3 at step 3,072", "Update 1 at step 1,024"])
    expect(page.get_by_text("first update", exact=True)).to_be_visible()
    view.change(settings=SETTINGS)  # in another tab
    expect(page.locator("path.ppo-inside-outline")).to_have_count(0)
    tell(view, 3, update(4, [1.9, *RATIOS[1:]], ADVANTAGES))
    axis = figure(page, "Advantage above 0").locator("path.ppo-inside-edge").first
    page.get_by_role("button", name="First").click()
    expect(page.locator(".ppo-inside-about")).to_contain_text("Update 1 at step 1,024")
    same = axis.get_attribute("d")
    page.get_by_label("Same axes for all updates").uncheck()
    expect(axis).not_to_have_attribute("d", same or "")


def test_every_sample_is_in_the_table(view: Any, page: Page) -> None:
    opener = page.get_by_role("button", name="All samples as a table")
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.click()
    table = page.get_by_role("region", name="All samples of this update").locator("table")
    expect(table.locator("tbody tr")).to_have_count(6)
    last = table.locator("tbody tr").last.locator("th, td").all_inner_texts()
    assert last == ["1.3", "-1", "-1.3", "-0.3", "-0.3", "yes", "0.03763572"]
    gradients = table.locator("tbody td:nth-child(6)").all_inner_texts()
    assert sorted(gradients) == ["none: clipped"] * 2 + ["yes"] * 4
    opener.click()
    expect(table).to_be_hidden()


def test_a_view_that_misses_something_asks_for_it(view: Any, page: Page) -> None:
    assert view.sent == [{"type": "history", "from": 0}]
    tell(view, 9, update(10, RATIOS, ADVANTAGES))
    tell(view, 10, update(11, RATIOS, ADVANTAGES))  # the kernel is busy and sends on
    assert view.sent[1:] == [{"type": "history", "from": 3}], "once, not for each message"
    expect(page.get_by_role("slider", name="Update")).to_have_attribute("max", "2")


def test_without_samples_it_says_why(widget: Any, page: Page) -> None:
    show(widget, note="The first update has not been made yet.")
    expect(page.get_by_text("The first update has not been made yet.")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)
    widget.change(note="This run ended before its first update.")
    expect(page.get_by_text("ended before its first update")).to_be_visible()
    tell(widget, 0, update(1, RATIOS, ADVANTAGES))
    expect(page.get_by_text("ended before its first update")).to_be_hidden()
    expect(page.get_by_role("slider", name="Update")).to_be_disabled()


def test_a_closed_view_leaves_nothing_behind(view: Any, page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    view.dispose()
    assert view.listeners == 0
    assert page.locator("#view > *").count() == 0
    tell(view, 3, update(4, RATIOS, ADVANTAGES))
    page.wait_for_timeout(400)  # the fixture fails on any error in the page


def test_both_themes_and_a_narrow_page_are_readable_by_everyone(view: Any, page: Page) -> None:
    page.add_script_tag(path=str(AXE))
    page.get_by_label("Compare with the first update").check()
    page.get_by_role("button", name="All samples as a table").click()
    SHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        if theme == "dark":
            view.dark()
            expect(page.locator(".ppo-inside[data-ppo-theme=dark]")).to_have_count(1)
        found = page.evaluate("axe.run('#view').then((result) => result.violations)")
        bad = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert bad == [], json.dumps(bad)[:2000]
        page.screenshot(path=SHOTS / f"inside-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 380, "height": 800})
    page.wait_for_function("document.querySelector('svg[role=application]').clientWidth < 380")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 380


def test_a_long_run_is_drawn_at_once(widget: Any, page: Page) -> None:
    show(widget)
    page.get_by_text("Waiting for samples").wait_for()
    ratios = [0.5 + number / 256 for number in range(256)]
    advantages = [(-1.0) ** number * (1 + number % 7) for number in range(256)]
    tell(widget, 0, *[update(number, ratios, advantages) for number in range(1, 513)])
    slider = page.get_by_role("slider", name="Update")
    expect(slider).to_have_attribute("aria-valuetext", "update 512 of 512, step 524,288")
    slowest = page.evaluate(
        """async () => {
          const slider = document.querySelector('input[type=range]');
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          await frame(); await frame();
          const times = [];
          for (const value of [400, 300, 200, 100, 0]) {
            const began = performance.now();
            slider.value = value;
            slider.dispatchEvent(new Event('input'));
            await frame();
            times.push(performance.now() - began);
          }
          return times.sort((a, b) => a - b)[2];
        }"""
    )
    assert slowest < 500  # some 20 ms on a machine that is not busy
