"""An instructor at work: people, terms, an extension, and a class graded on a new version."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

COURSE = "ppo"
ASSIGNMENT = "warm-up"
SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

AREA = '.jp-PPO-instructor[aria-label="PPO Instructor"]'


def _notebook(points: float) -> bytes:
    """The author's notebook: one function, and a test that gives so many points."""
    plain = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    answer = "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION"
    cells = [
        _cell("answer", answer, {**plain, "solution": True, "grade_id": "answer"}),
        _cell(
            "tests",
            "assert add(1, 2) == 3",
            {**plain, "grade": True, "locked": True, "points": points, "grade_id": "tests"},
        ),
    ]
    return _bytes(cells)


def _cell(name: str, source: str, nbgrader: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"nbgrader": nbgrader},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _bytes(cells: list[dict[str, Any]]) -> bytes:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook).encode()


def _list(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def _tab(area: Locator, name: str) -> None:
    area.locator(f'[data-tab="{name}"]').click()


def _submit(page: Page, lab: Any) -> None:
    address = f"courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"
    answer = page.request.post(
        f"{lab.url}jupyter-ppo/api/v1/{address}",
        data=_notebook(points=2),  # the answer is in it
        headers={"Authorization": f"token {lab.token}", "Content-Type": "application/x-ipynb+json"},
    )
    assert answer.status == 201, answer.text()


def _wait_until_graded(lab: Any) -> None:
    """Wait until the submission has its grade on the first version."""
    deadline = time.monotonic() + LONG / 1000
    while True:
        (submission,) = lab.api(f"/courses/{COURSE}/submissions?assignment={ASSIGNMENT}")["items"]
        if submission["state"] == "graded":
            return
        assert time.monotonic() < deadline, submission
        time.sleep(0.5)


def _import_people(page: Page, area: Locator, lab: Any) -> None:
    _tab(area, "people")
    _tab(area, "import")
    chooser = area.locator('[name="people"]')
    chooser.set_input_files(_list("class.csv", "user,role\nada,king\n"))
    expect(area.locator(".jp-PPO-listProblems tbody")).to_contain_text("king", timeout=LONG)
    people = "user,role,first_name,groups\nada,student,Ada,lab A\nbob,student,Bob,lab A\n"
    chooser.set_input_files(_list("class.csv", people))
    area.locator(".jp-PPO-apply").click(timeout=LONG)
    expect(area.locator(".jp-PPO-acted")).to_contain_text("2 added", timeout=LONG)
    members = lab.api(f"/courses/{COURSE}/members?role=student")
    assert [member["user"] for member in members["items"]] == ["ada", "bob"]
    _tab(area, "members")
    area.locator('[name="search"]').fill("bob")
    expect(area.locator(".jp-PPO-members tbody tr")).to_have_count(1, timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "instructor-people.png")


def _set_due_date(page: Page, area: Locator, lab: Any) -> None:
    _tab(area, "assignments")
    area.locator(f'[data-assignment="{ASSIGNMENT}"] .jp-PPO-opens').click()
    area.locator('[name="due_at"]').fill("2030-06-01T12:00")
    area.get_by_role("button", name="Save terms").click()
    expect(area.get_by_text("Saved.")).to_be_visible(timeout=LONG)
    stored = lab.api(f"/courses/{COURSE}/assignments/{ASSIGNMENT}/terms")["due_at"]
    seen = page.evaluate(
        "time => [new Date(time), new Date('2030-06-01T12:00')].map(Number)", stored
    )
    assert seen[0] == seen[1]
    page.screenshot(path=SCREENSHOTS / "instructor-terms.png")


def _give_extension(area: Locator, lab: Any) -> None:
    _tab(area, "extensions")
    area.get_by_label("For", exact=True).select_option(label="A group")
    area.locator('[name="holder"]').fill("lab A")
    area.locator('[name="days"]').fill("2")
    area.locator('[name="reason"]').fill("the server was down")
    area.get_by_role("button", name="Give extension").click()
    expect(area.locator(".jp-PPO-extensions tbody")).to_contain_text("2 days", timeout=LONG)
    (given,) = lab.api(f"/courses/{COURSE}/assignments/{ASSIGNMENT}/extensions")["items"]
    assert (given["group"], given["seconds"]) == ("lab A", 172_800)


def _see_progress(page: Page, area: Locator) -> None:
    _tab(area, "progress")
    expect(area.locator(".jp-PPO-progressBook tbody tr")).to_have_count(2, timeout=LONG)
    area.get_by_role("button", name="ada", exact=True).click()
    student = area.get_by_label("Progress of ada")
    expect(student.locator(f'[data-chapter="{ASSIGNMENT}"]')).to_contain_text(
        "Not started", timeout=LONG
    )
    expect(student.locator(".jp-PPO-progressAchievements")).to_be_visible(timeout=LONG)
    page.screenshot(path=SCREENSHOTS / "instructor-progress.png")
    page.keyboard.press("Escape")
    expect(student).to_have_count(0)


def _grade_on_the_newest(area: Locator) -> None:
    _tab(area, "versions")
    expect(area.locator('[data-version="2"]')).to_be_visible(timeout=LONG)
    form = area.locator(".jp-PPO-batchForm")
    form.locator('[name="reason"]').fill("the test gave too few points")
    form.get_by_role("button", name="Grade", exact=True).click()
    batch = area.locator(".jp-PPO-batch").first
    expect(batch).to_have_attribute("data-over", "true", timeout=LONG)
    row = batch.locator(".jp-PPO-reportTable tbody tr")
    for text in ("2 / 2 (version 1)", "4 / 4 (version 2)", "+2", "tests 2 → 4"):
        expect(row).to_contain_text(text, timeout=LONG)


def test_an_instructor_runs_a_course(page: Page, lab: Any) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = f"/courses/{COURSE}/assignments/{ASSIGNMENT}"
    lab.api(path, _notebook(points=2))
    _submit(page, lab)

    page.locator('.jp-LauncherCard[title*="Run a course"]').click(timeout=LONG)
    area = page.locator(AREA)
    expect(area.locator(".jp-PPO-courseChoice")).to_contain_text(
        "PPO, a first course", timeout=LONG
    )
    _import_people(page, area, lab)
    _see_progress(page, area)
    _set_due_date(page, area, lab)
    _give_extension(area, lab)

    _wait_until_graded(lab)
    lab.api(path, _notebook(points=4))
    _grade_on_the_newest(area)
    page.screenshot(path=SCREENSHOTS / "instructor-queue.png")

    area.get_by_role("button", name="Feedback of").click()
    expect(page.locator(".jp-PPO-feedbackFrame")).to_be_visible(timeout=LONG)


def test_the_area_comes_back_when_the_page_is_loaded_again(page: Page, lab: Any) -> None:
    page.locator('.jp-SideBar.jp-mod-left .lm-TabBar-tab[data-id="jupyter-ppo:course"]').click()
    page.locator(".jp-PPO-openInstructor").click(timeout=LONG)
    area = page.locator(AREA)
    area.locator('[data-tab="assignments"]').focus(timeout=LONG)
    page.keyboard.press("End")
    expect(area.locator('[data-tab="people"]')).to_be_focused(timeout=LONG)
    expect(area.locator(".jp-PPO-members")).to_be_visible(timeout=LONG)
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/workspaces/" in answer.url,
        timeout=LONG,
    ):
        pass
    page.goto(f"{lab.url}lab", wait_until="domcontentloaded")
    expect(page.locator(f"{AREA} .jp-PPO-members")).to_be_visible(timeout=LONG)
