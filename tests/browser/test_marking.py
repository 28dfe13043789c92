"""A grader at work: answers marked by keys, a cell of the gradebook, an entry and its outcome."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

COURSE = "ppo"
ASSIGNMENT = "essay"
ENTRY = "report"
SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

AREA = '.jp-PPO-instructor[aria-label="PPO Instructor"]'


def _notebook(answer: str, sum_of: str = "a + b") -> bytes:
    """A question answered in words, worth 4 points, and a function with a test worth 2."""
    plain = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    manual = {**plain, "grade": True, "solution": True, "points": 4, "grade_id": "why"}
    tests = {**plain, "grade": True, "locked": True, "points": 2, "grade_id": "tests"}
    solution = (
        f"def add(a, b):\n    ### BEGIN SOLUTION\n    return {sum_of}\n    ### END SOLUTION"
        if sum_of == "a + b"
        else f"def add(a, b):\n    return {sum_of}"
    )
    cells = [
        _cell("question", "markdown", "**Why** does PPO clip the ratio?", {}),
        _cell("why", "markdown", answer, {"nbgrader": manual}),
        _cell(
            "add", "code", solution, {"nbgrader": {**plain, "solution": True, "grade_id": "add"}}
        ),
        _cell("tests", "code", "assert add(1, 2) == 3", {"nbgrader": tests}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole).encode()


def _cell(name: str, kind: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    return cell if kind == "markdown" else {**cell, "outputs": [], "execution_count": None}


def _ppo(lab: Any, *words: str) -> None:
    data_dir = f"--PPOService.data_dir={lab.home / 'course'}"
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_ppo.cli", *words, data_dir],
        env=lab.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _ask(lab: Any, method: str, path: str, body: object) -> Any:
    request = urllib.request.Request(  # noqa: S310  our own server
        f"{lab.url}jupyter-ppo/api/v1{path}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  our own server
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error


def _submitted(lab: Any, user: str) -> dict[str, Any]:
    path = f"/courses/{COURSE}/submissions?assignment={ASSIGNMENT}&user={user}"
    found: dict[str, Any] = lab.api(path)["items"][0]
    return found


def _hand_in(lab: Any) -> None:
    answers = {
        "ada": "It keeps **updates** small.\n\n- near the old policy\n- without a trust region",
        "bob": "<script>document.title='x'</script>I do not know.",
        "cleo": "Because the gradient of a large ratio is noisy.",
    }
    lab.api(f"/courses/{COURSE}/assignments/{ASSIGNMENT}", _notebook("It limits the step."))
    for user, answer in answers.items():
        folder = lab.home / "submitted" / user / ASSIGNMENT
        folder.mkdir(parents=True)
        data = _notebook(answer, "a - b" if user == "bob" else "b + a")
        (folder / f"{ASSIGNMENT}.ipynb").write_bytes(data)
    _ppo(lab, "collect", COURSE, ASSIGNMENT, str(lab.home / "submitted"))
    deadline = time.monotonic() + 180
    while any(_submitted(lab, user)["state"] != "graded" for user in answers):
        assert time.monotonic() < deadline, [_submitted(lab, user) for user in answers]
        time.sleep(0.5)


def _tab(area: Locator, name: str) -> None:
    area.locator(f'[data-tab="{name}"]').click(timeout=LONG)


def _mark_by_keys(page: Page, area: Locator, lab: Any) -> None:
    _tab(area, "marking")
    area.locator('.jp-PPO-markingList [data-exercise="why"]').click(timeout=LONG)
    desk = area.locator(".jp-PPO-desk")
    expect(desk).to_be_focused(timeout=LONG)
    expect(desk.locator("h3")).to_contain_text("Student ", timeout=LONG)
    answer = desk.frame_locator('iframe[title="Answer"]').locator("body")
    expect(answer).not_to_be_empty(timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "marking.png")

    page.keyboard.press("3")
    expect(desk.locator('[name="points"]')).to_have_value("3")
    expect(desk.locator(".jp-PPO-savedState")).to_have_text("Not saved")
    page.keyboard.press("Enter")
    expect(desk.locator(".jp-PPO-figures")).to_have_text("2 of 3", timeout=LONG)
    # Keys mean nothing while a comment is typed.
    page.keyboard.press("c")
    page.keyboard.type("just fuzzy 42")
    expect(desk.locator('[name="comment"]')).to_have_value("just fuzzy 42")
    expect(desk.locator('[name="points"]')).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    expect(desk.locator(".jp-PPO-figures")).to_have_text("3 of 3", timeout=LONG)
    page.keyboard.press("?")
    expect(desk.locator(".jp-PPO-keys")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "marking-keys.png")
    page.keyboard.press("Escape")
    expect(desk).to_be_focused()
    _meet_another_grader(page, desk, lab)


def _meet_another_grader(page: Page, desk: Locator, lab: Any) -> None:
    path = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/marking?grade_id=why&state=waiting"
    (last,) = lab.api(path)["items"]
    address = f"/submissions/{last['submission_id']}/marks/why"
    _ask(lab, "PUT", address, {"points": 1, "comment": "from elsewhere", "revision": 0})
    page.keyboard.press("z")
    page.keyboard.press("Enter")
    conflict = desk.locator(".jp-PPO-conflict")
    expect(conflict).to_contain_text("from elsewhere", timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "marking-conflict.png")
    conflict.locator(".jp-PPO-mine").click()
    expect(desk.locator(".jp-PPO-savedState")).to_contain_text("Saved by", timeout=LONG)
    expect(conflict).to_be_hidden(timeout=LONG)
    grade = lab.api(f"/submissions/{last['submission_id']}/grade")
    (why,) = [each for each in grade["exercises"] if each["grade_id"] == "why"]
    assert (why["mark"]["points"], why["mark"]["revision"]) == (0, 2)


def _override_in_the_gradebook(page: Page, area: Locator, lab: Any) -> None:
    _tab(area, "gradebook")
    book = area.locator(".jp-PPO-book")
    total = book.locator("th", has=page.get_by_role("button", name="Total"))
    total.get_by_role("button").click(timeout=LONG)
    expect(total).to_have_attribute("aria-sort", "descending", timeout=LONG)
    cell = book.locator(f'[data-user="bob"] [data-column="{ASSIGNMENT}"]')
    before = _submitted(lab, "bob")["points"]
    cell.click(timeout=LONG)
    details = area.locator(".jp-PPO-cellDetails")
    details.get_by_role("button", name="Mark tests").click(timeout=LONG)
    details.locator('[name="points"]').fill("1.5")
    details.locator('[name="reason"]').fill("the idea is right")
    details.get_by_role("button", name="Save mark").click()
    expect(details.locator(".jp-PPO-history")).to_contain_text("the idea is right", timeout=LONG)
    assert _submitted(lab, "bob")["points"] == before + 1.5
    expect(cell).to_contain_text(f"{before + 1.5:g}", timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "gradebook.png")
    page.keyboard.press("Escape")
    expect(cell).to_be_focused(timeout=LONG)
    with page.expect_download() as download:
        area.get_by_role("button", name="Export CSV").click()
    assert b"bob" in Path(download.value.path()).read_bytes()


def _judge_an_entry(page: Page, area: Locator, lab: Any) -> None:
    _tab(area, "outcomes")
    area.get_by_role("button", name="New entry").click(timeout=LONG)
    form = area.locator(".jp-PPO-definition")
    form.locator('[name="name"]').fill(ENTRY)
    form.locator('[name="title"]').fill("Report on a run")
    form.locator('[name="instructions"]').fill("Describe **what** you trained.")
    form.get_by_label("Files").check()
    form.locator('[name="criterion-title"]').fill("Quality")
    form.get_by_role("button", name="Add a criterion").click()
    form.locator('[name="criterion-title"]').nth(1).fill("Method")
    form.get_by_role("button", name="Move criterion 2 up").click()
    page.screenshot(path=SCREENSHOTS / "entry-definition.png")
    form.get_by_role("button", name="Release the entry").click()
    expect(area.get_by_text("Nobody has handed in anything yet.")).to_be_visible(timeout=LONG)
    rubric = lab.api(f"/courses/{COURSE}/entries/{ENTRY}")["definition"]["rubric"]
    assert [criterion["title"] for criterion in rubric] == ["Method", "Quality"]

    file = {"name": "figures/notes.txt", "content_base64": "aGVsbG8="}
    entry = {"title": "CartPole", "text": "I trained *CartPole*.", "files": [file]}
    made = _ask(lab, "POST", f"/courses/{COURSE}/entries/{ENTRY}/submissions", entry)
    _tab(area, "queue")
    _tab(area, "outcomes")
    area.get_by_role("button", name=f"Judge {made['user']}").click(timeout=LONG)
    desk = area.locator(".jp-PPO-outcomeDesk")
    with page.expect_download() as download:
        desk.get_by_role("button", name="Download figures/notes.txt").click(timeout=LONG)
    assert Path(download.value.path()).read_bytes() == b"hello"
    method = desk.locator('[data-criterion="criterion-2"]')
    method.get_by_role("radio", name="partly").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(method.get_by_role("radio", name="sound")).to_be_checked()
    approve = desk.locator('[data-change="approve"]')
    expect(approve).to_be_disabled()  # the other criterion has no level yet
    desk.locator('[data-criterion="quality"]').get_by_role("radio", name="partly").check()
    desk.locator('[name="summary"]').fill("A careful report.")
    desk.locator('[name="private_note"]').fill("ask about the seed")
    desk.get_by_role("button", name="Save draft").click()
    expect(desk.get_by_text("Saved as revision 1.")).to_be_visible(timeout=LONG)
    approve.click()
    expect(desk.locator(".jp-PPO-outcomeState")).to_contain_text("Approved", timeout=LONG)
    desk.get_by_role("button", name="Revisions").click()
    expect(desk.locator("[data-revision]")).to_have_count(2, timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "outcome.png")
    desk.get_by_role("button", name="Back to the list").click()
    area.get_by_role("button", name="Release all approved").click(timeout=LONG)
    expect(area.get_by_text("1 outcome is released.")).to_be_visible(timeout=LONG)
    outcome = lab.api(f"/submissions/{made['id']}/outcome")
    assert (outcome["state"], outcome["points"], outcome["author_kind"]) == (
        "released",
        3,
        "person",
    )


def test_a_grader_marks_overrides_and_judges(page: Page, lab: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    _hand_in(lab)
    page.locator('.jp-LauncherCard[title*="Run a course"]').click(timeout=LONG)
    area = page.locator(AREA)
    _mark_by_keys(page, area, lab)
    _override_in_the_gradebook(page, area, lab)
    _judge_an_entry(page, area, lab)
