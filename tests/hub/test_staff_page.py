"""Those who teach, in a real browser, at the page of the service: no JupyterLab of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub import INSTRUCTOR, PASSWORD, STUDENT, Hub, source_notebook
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

LONG = 40_000  # milliseconds
ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts/screenshots"
AXE = ROOT / "labextension/node_modules/axe-core/axe.min.js"
AUDIT = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=LONG
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module", autouse=True)
def course(hub: Hub) -> None:
    """Make the course, which its first instructor does, and let the student be known in it."""
    for user in (INSTRUCTOR, STUDENT):
        with hub.api(hub.token_of(user)) as api:
            assert "role" in api.get("courses/rl101").json()


@pytest.fixture
def troubles() -> list[str]:
    """What the consoles of the pages said."""
    return []


@pytest.fixture
def opened(hub: Hub, chromium: Browser, troubles: list[str]) -> Iterator[Callable[..., Page]]:
    """Open the page as somebody who signs in by the hub's form.

    Nothing may go wrong on it, but for what the test takes out of ``troubles``.
    """

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(message.text)

    def opened(user: str, *, dark: bool = False, width: int = 1400) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        page.set_default_timeout(LONG)
        page.on("console", note)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{hub.service_url}/jupyter-ppo")
        page.locator("#username_input").fill(user)
        page.locator("#password_input").fill(PASSWORD)
        page.locator("#login_submit").click()
        page.wait_for_url("**/services/ppo/jupyter-ppo*")
        return page

    yield opened
    assert troubles == []


def _audited(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(AUDIT) == []


def _shot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"staff-{name}.png", full_page=True)


def _does_not_overflow(page: Page) -> bool:
    return bool(page.evaluate("() => document.body.scrollWidth <= window.innerWidth"))


def test_an_instructor_runs_a_course_there(opened: Callable[..., Page], hub: Hub) -> None:
    page = opened(INSTRUCTOR)
    expect(page.get_by_text("Signed in as")).to_contain_text(INSTRUCTOR)
    page.get_by_role("tab", name="People").click()
    page.get_by_role("tab", name="Groups").click()
    page.get_by_label("Name", exact=True).fill("monday")
    page.get_by_label("Usernames").fill(STUDENT)
    page.get_by_role("button", name="Save group").click()
    expect(page.get_by_role("rowheader", name="monday")).to_be_visible()
    _audited(page)
    _shot(page, "1-light")

    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        (group,) = api.get("courses/rl101/groups").json()["items"]
    assert (group["name"], group["users"]) == ("monday", [STUDENT])
    assert page.url.endswith("#course/rl101/people")
    page.reload()
    expect(page.get_by_role("tab", name="People")).to_have_attribute("aria-selected", "true")


def test_an_instructor_releases_a_notebook_from_their_computer(
    opened: Callable[..., Page], hub: Hub, tmp_path: Path
) -> None:
    source = tmp_path / "warm-up.ipynb"
    source.write_bytes(source_notebook())
    page = opened(INSTRUCTOR, dark=True)
    page.get_by_role("button", name="Release a notebook").click()
    page.get_by_label("Source notebook").set_input_files(source)
    expect(page.get_by_text("warm-up.ipynb")).to_be_visible()
    page.get_by_role("button", name="Release…").click()
    _audited(page)
    _shot(page, "6-release-dark")
    page.get_by_role("button", name="Release to rl101").click()
    expect(page.get_by_text("warm-up version 1 is released to rl101.")).to_be_visible()
    page.get_by_role("button", name="Run a course").click()
    expect(page.get_by_role("button", name="warm-up")).to_be_visible()
    with hub.api(hub.token_of(STUDENT)) as api:
        copy = api.get("courses/rl101/assignments/warm-up/notebook")
    assert copy.status_code == 200
    assert "### BEGIN SOLUTION" not in copy.text


def test_a_token_is_made_used_and_revoked_there_in_the_dark(
    opened: Callable[..., Page], hub: Hub
) -> None:
    page = opened(INSTRUCTOR, dark=True)
    page.get_by_role("button", name="API tokens").click()
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name", exact=True).fill("nightly export")
    page.get_by_label("Acts as").select_option("instructor")
    _audited(page)
    _shot(page, "2-new-token-dark")
    page.get_by_role("button", name="Make token").click()
    secret = page.get_by_label("Secret of “nightly export”").input_value()
    with hub.api(secret) as api:
        assert api.get("courses/rl101").json()["role"] == "instructor"
        assert api.get("courses/rl202").status_code in (403, 404)
    _audited(page)
    _shot(page, "3-secret-dark")
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    page.get_by_role("button", name="Revoke nightly export").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("“nightly export” is revoked.")).to_be_visible()
    with hub.api(secret) as api:
        assert api.get("courses/rl101").status_code == 401


def test_a_webhook_is_set_up_there_and_its_secret_is_shown_once(
    opened: Callable[..., Page], hub: Hub
) -> None:
    page = opened(INSTRUCTOR, dark=True)
    page.get_by_role("tab", name="Webhooks").click()
    page.get_by_label("Who is told").fill("grade sync")
    page.get_by_label("Address").fill("https://grades.example/ppo")
    _audited(page)
    _shot(page, "7-webhook-dark")
    form = page.get_by_role("form", name="New webhook")
    form.locator("input[type=checkbox]").first.check()
    form.locator("[type=submit]").click()
    secret = page.get_by_label("Secret of “grade sync”").input_value()
    assert len(secret) >= 32
    _audited(page)
    _shot(page, "8-webhook-secret-dark")
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        kept = api.get("courses/rl101/webhooks")
    assert [each["name"] for each in kept.json()["items"]] == ["grade sync"]
    assert secret not in kept.text
    page.reload()
    expect(page.get_by_role("row", name="grade sync")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)


def test_a_student_sees_their_courses_and_the_way_to_their_own_lab(
    opened: Callable[..., Page],
) -> None:
    page = opened(STUDENT, width=480)
    row = page.get_by_role("row", name="rl101")
    expect(row).to_contain_text("Student")
    expect(page.get_by_role("tab")).to_have_count(0)
    expect(page.get_by_role("link", name="home page")).to_be_visible()
    assert _does_not_overflow(page)
    _audited(page)
    _shot(page, "4-student-narrow")


def test_who_is_signed_out_meanwhile_is_told_and_loses_nothing(
    opened: Callable[..., Page], troubles: list[str]
) -> None:
    page = opened(INSTRUCTOR, width=480)
    page.get_by_role("button", name="API tokens").click()
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name", exact=True).fill("typed before")
    page.context.clear_cookies()
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("The service does not know you any more.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("typed before")
    assert _does_not_overflow(page)
    _shot(page, "5-signed-out-narrow")

    with page.context.expect_page() as other:
        page.get_by_role("link", name="sign in again in another tab").click()
    again = other.value
    again.locator("#username_input").fill(INSTRUCTOR)
    again.locator("#password_input").fill(PASSWORD)
    again.locator("#login_submit").click()
    again.wait_for_url("**/services/ppo/jupyter-ppo*")
    page.get_by_role("button", name="I have signed in").click()
    expect(page.get_by_text("The service does not know you any more.")).to_have_count(0)
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_label("Secret of “typed before”")).to_be_visible()
    assert all("403" in each for each in troubles)
    troubles.clear()
