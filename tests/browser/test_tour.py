"""The tour and the preferences in a real JupyterLab: by keyboard, in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
AUDIT = """async part => {
  const { violations } = await axe.run(part, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""
CARD, PREFERENCES = ".jp-PPO-tourCard", ".jp-PPO-preferences"
SHOW_PREFERENCES = "() => { void window.jupyterapp.commands.execute('ppo-course:preferences'); }"


@pytest.fixture(autouse=True)
def newcomer(lab: Any) -> None:
    """Whoever signs in has never been here."""
    lab.preferences("tour=default", "mode=default", "theme=default")


def _saves_preferences(response: Response) -> bool:
    return response.request.method == "PATCH" and "/me/preferences" in response.url


def _audited(page: Page, part: str) -> None:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(AUDIT, part) == []


def _shot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def _beside(page: Page, card: Locator) -> None:
    """Check that the card is in the window and does not cover what it is about."""
    ring = page.locator(".jp-PPO-tourRing")
    expect(ring).to_be_visible()
    page.wait_for_timeout(400)  # it follows what moves
    one, other = card.bounding_box(), ring.bounding_box()
    assert one is not None
    assert other is not None
    assert one["x"] >= 0
    assert one["y"] >= 0
    assert one["x"] + one["width"] <= 1400
    assert one["y"] + one["height"] <= 900
    assert (
        one["x"] >= other["x"] + other["width"]
        or one["x"] + one["width"] <= other["x"]
        or one["y"] >= other["y"] + other["height"]
        or one["y"] + one["height"] <= other["y"]
    )


def test_a_newcomer_is_offered_the_tour_once_and_finishes_it_by_keyboard(
    page: Page, lab: Any
) -> None:
    offer = page.locator(".jp-toastContainer, .Toastify").get_by_role("button", name="Start")
    offer.click()
    card = page.locator(CARD)
    title = card.get_by_role("heading")
    expect(title).to_have_text("The course is here")
    expect(title).to_be_focused()
    _beside(page, card)
    _audited(page, CARD)
    _shot(page, "tour-panel")
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("Get a notebook")
    _beside(page, card)
    page.locator(".jp-PPO-get").first.click()  # it can be done while the card is there
    expect(page.locator(".jp-NotebookPanel .jp-Cell").first).to_be_visible(timeout=120_000)
    page.evaluate("() => { void window.jupyterapp.commands.execute('ppo-course:tour'); }")
    expect(title).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("Run a cell")
    _beside(page, card)
    _shot(page, "tour-cell")
    for step in ("Validate", "Submit", "My course"):
        page.keyboard.press("ArrowRight")
        expect(title).to_have_text(step)
        _beside(page, card)
    card.get_by_role("button", name="Finish").press("Enter")
    expect(card).to_have_count(0)
    page.wait_for_function(
        "async url => (await (await fetch(url)).json()).preferences.tour === 'done'",
        arg=f"{lab.url}jupyter-ppo/api/v1/me/preferences?token={lab.token}",
    )
    page.reload()
    page.locator(".jp-NotebookPanel").first.wait_for(timeout=120_000)
    page.wait_for_timeout(2000)
    expect(offer).to_have_count(0)


def test_preferences_are_saved_one_by_one_and_change_panel_and_theme(page: Page, lab: Any) -> None:
    page.evaluate("() => { void window.jupyterapp.commands.execute('ppo-course:open'); }")
    guide = page.get_by_role("region", name="How it works")
    expect(guide).to_be_visible()
    page.evaluate(SHOW_PREFERENCES)
    area = page.locator(PREFERENCES)
    expect(area.get_by_label("Guided")).to_be_checked()
    _audited(page, PREFERENCES)
    _shot(page, "preferences-light")
    area.get_by_label("Expert").check()
    expect(area.get_by_role("status")).to_have_text("Saved.")
    expect(guide).to_have_count(0)
    area.get_by_label("Theme").select_option("dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    _audited(page, PREFERENCES)
    _shot(page, "preferences-dark")
    page.evaluate("() => { void window.jupyterapp.commands.execute('ppo-course:tour'); }")
    expect(page.locator(CARD)).to_be_visible()
    _audited(page, CARD)
    _shot(page, "tour-dark")
    page.keyboard.press("Escape")
    expect(page.locator(CARD)).to_have_count(0)
    lab.preferences("mode=standard")  # on another device
    stored = lab.api("/me/preferences")["preferences"]
    assert (stored["mode"], stored["theme"], stored["tour"]) == ("standard", "dark", "later")
    # A click, not check(): the refusal may have taken the choice back already.
    area.get_by_label("Expert").locator("xpath=../..").get_by_label("Guided").click()
    conflict = area.get_by_role("alertdialog")
    expect(conflict).to_contain_text("Standard")
    with page.expect_response(_saves_preferences) as saved:
        conflict.get_by_role("button", name="Save mine").click()
    assert saved.value.ok
    expect(conflict).to_have_count(0)
    assert lab.api("/me/preferences")["preferences"]["mode"] == "guided"
