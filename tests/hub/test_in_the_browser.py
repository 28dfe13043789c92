"""A student with a real browser: the hub's login form, their own JupyterLab, the service's page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import API, INSTRUCTOR, PASSWORD, STUDENT, Hub
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

LONG = 120_000  # milliseconds
PANEL_TAB = '.jp-SideBar.jp-mod-left .lm-TabBar-tab[data-id="jupyter-ppo:course"]'
SCREENSHOTS = Path(__file__).parents[2] / ".artifacts/screenshots"
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)


@pytest.fixture(scope="module")
def page(hub: Hub) -> Iterator[Page]:
    """Return a page of somebody who has signed in at the hub by its form."""
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl101").json()["role"] == "instructor"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=LONG
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(LONG)
        page.goto(f"{hub.url}/hub/login")
        page.locator("#username_input").fill(STUDENT)
        page.locator("#password_input").fill(PASSWORD)
        page.locator("#login_submit").click()
        page.wait_for_url("**/user/**", wait_until="commit")
        yield page
        browser.close()


def test_the_panel_in_their_own_jupyterlab_shows_the_courses_of_the_service(
    hub: Hub, page: Page
) -> None:
    page.goto(f"{hub.url}/user/{STUDENT}/lab?reset", wait_until="domcontentloaded")
    page.locator(PANEL_TAB).click(timeout=LONG)
    panel = page.locator("#jupyter-ppo\\:course")
    expect(panel).to_contain_text("rl101", timeout=LONG)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "hub-1-own-lab.png")


def test_the_page_of_the_service_lets_them_in_without_a_question(hub: Hub, page: Page) -> None:
    page.goto(f"{hub.service_url}/jupyter-ppo")
    expect(page.locator("main")).to_contain_text("Your courses")
    expect(page.get_by_role("cell", name="Student")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "hub-2-service.png")


def test_a_page_of_their_own_server_cannot_read_the_service_with_their_cookies(
    hub: Hub, page: Page
) -> None:
    """One origin, so the cookie goes along; without the XSRF token of the service it is nothing."""
    page.goto(f"{hub.url}/user/{STUDENT}/lab?reset", wait_until="domcontentloaded")
    status = page.evaluate(
        "async address => (await fetch(address)).status", f"/services/ppo/{API}/courses"
    )
    assert status == 403
    changed = page.evaluate(
        """async address => (await fetch(address, {
            method: 'PATCH', body: '{}', headers: {'Content-Type': 'application/json'}
        })).status""",
        f"/services/ppo/{API}/me/preferences",
    )
    assert changed == 403


def test_no_page_of_the_service_opens_in_a_frame(hub: Hub, page: Page) -> None:
    page.goto(f"{hub.url}/user/{STUDENT}/lab?reset", wait_until="domcontentloaded")
    page.evaluate(
        """address => new Promise(done => {
            const frame = document.createElement('iframe');
            frame.id = 'framed';
            frame.onload = done;
            frame.src = address;
            document.body.append(frame);
        })""",
        "/services/ppo/jupyter-ppo",
    )
    framed = page.locator("#framed").content_frame
    expect(framed.locator("main")).to_have_count(0)
