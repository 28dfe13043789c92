"""A student at work, in a real browser: opens the course, trains, submits, reads the feedback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

ASSIGNMENT = "ppo-in-one-sitting"
SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

#: The feedback page's own background colours.
DARK_PAGE, LIGHT_PAGE = "rgb(13, 17, 23)", "rgb(255, 255, 255)"

PANEL = '.jp-PPO-panel[aria-label="PPO Course"]'
RETURN = '.jp-PPO-savedRun .ppo-chart[data-key="return"]'

#: Types the author's answers into the cells of the same grade_id in the notebook that is open, and
#: makes the training so long that it still runs whenever the test gets to pause and stop it.
TYPE_ANSWERS = """answers => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  for (const cell of notebook.model.sharedModel.cells) {
    const id = cell.getMetadata('nbgrader')?.grade_id;
    if (id in answers) {
      cell.setSource(answers[id]);
    } else {
      const source = cell.getSource();
      cell.setSource(source.replace(/total_steps=[0-9_]+/, 'total_steps=10_000_000'));
    }
  }
}"""

KERNEL_IS_IDLE = """() =>
  window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
"""

#: Runs every cell; what it returns is not waited for, since the training cell is watched meanwhile.
RUN_ALL = "() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }"

#: Closes the tab in front without asking about changes.
CLOSE_UNSAVED = "() => window.jupyterapp.shell.currentWidget.dispose()"

NEW_NOTEBOOK = """() => {
  void window.jupyterapp.commands.execute('notebook:create-new', { kernelName: 'python3' });
}"""

#: Scrolls to the cell that starts the training, which may not be drawn yet.
SHOW_TRAINING = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const cells = notebook.model.sharedModel.cells;
  const index = cells.findIndex(
    cell => cell.cell_type === 'code' && /\\btrain\\(/.test(cell.getSource())
  );
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index, 'start');
}"""


def _screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def _open_panel(page: Page) -> Locator:
    """Open the panel as a person does: by its icon in the left sidebar."""
    page.locator('.jp-SideBar.jp-mod-left .lm-TabBar-tab[data-id="jupyter-ppo:course"]').click()
    panel = page.locator(PANEL)
    expect(panel).to_be_visible(timeout=LONG)
    return panel


def _card(panel: Locator, assignment: str = ASSIGNMENT) -> Locator:
    card = panel.locator(f'.jp-PPO-assignment[data-assignment="{assignment}"]')
    expect(card).to_be_visible(timeout=LONG)
    return card


def _unfold(details: Locator) -> None:
    """Open a fold as a person does: who misses it, because what is above grew, clicks again."""
    for milliseconds in (5_000, 5_000, LONG):
        if details.get_attribute("open") is None:
            details.locator("> summary").click()
        try:
            expect(details).to_have_js_property("open", value=True, timeout=milliseconds)
        except AssertionError:
            if milliseconds == LONG:
                raise
        else:
            return


def _answers(source: Path) -> dict[str, str]:
    cells: list[dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))["cells"]
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }


def _has(page: Page, count: int) -> None:
    """Wait until the curve of the return has so many points."""
    page.wait_for_function(
        "([chart, count]) => Number(document.querySelector(chart)?.dataset.points) >= count",
        arg=[RETURN, count],
        timeout=LONG,
    )


def _grows(page: Page) -> None:
    """Wait until the curve of the return has more points than now."""
    _has(page, 1 + int(page.locator(RETURN).get_attribute("data-points") or 0))


def _is(run: Locator, state: str) -> None:
    """Wait until the training run says that it is in this state."""
    expect(run.locator(".ppo-state")).to_have_text(state, timeout=LONG)


def _saves_the_open_panel(answer: Response) -> bool:
    """Whether JupyterLab has just stored a layout in which the panel is the one in sight."""
    if answer.request.method != "PUT" or "/api/workspaces/" not in answer.url:
        return False
    layout = json.loads(answer.request.post_data or "{}")["data"].get("layout-restorer:data", {})
    return bool(layout.get("left", {}).get("current") == "ppo-course")


def _theme(page: Page, name: str, *, light: bool) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )
    value = str(light).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", value, timeout=LONG)


def test_a_student_trains_submits_and_reads_the_feedback(page: Page, lab: Any) -> None:
    assignment = lab.new_assignment()
    card = _card(_open_panel(page), assignment)
    expect(card.locator(".jp-PPO-state")).to_have_text("Not submitted")
    expect(card.locator(".jp-PPO-feedback")).to_be_disabled()
    _screenshot(page, "1-panel")

    card.locator(".jp-PPO-get").click()
    expect(card.locator(".jp-PPO-notice")).to_contain_text(f"Saved as {assignment}", timeout=LONG)
    expect(page.locator(".jp-NotebookPanel")).to_be_visible(timeout=LONG)
    page.wait_for_function(KERNEL_IS_IDLE, timeout=LONG)
    _screenshot(page, "2-notebook")

    page.evaluate(TYPE_ANSWERS, _answers(lab.source))
    page.evaluate(RUN_ALL)
    page.evaluate(SHOW_TRAINING)
    run = page.locator(".jp-PPO-savedRun")
    expect(page.locator(RETURN)).to_be_visible(timeout=LONG)
    _grows(page)
    _has(page, 100)
    run.get_by_role("button", name="Pause", exact=True).click()
    _is(run, "Paused")
    _screenshot(page, "3-training-light")
    _theme(page, "JupyterLab Dark", light=False)
    _screenshot(page, "4-training-dark")
    run.get_by_role("button", name="Resume", exact=True).click()
    _grows(page)
    run.get_by_role("button", name="Stop", exact=True).click()
    _is(run, "Stopped")

    # The notebook was never saved, so what is graded shows that Submit saves first.
    card.locator(".jp-PPO-submit").click()
    receipt = card.locator(".jp-PPO-receipt")
    expect(receipt).to_contain_text("Attempt 1 received", timeout=LONG)
    _screenshot(page, "5-submitted")
    expect(card.locator(".jp-PPO-state")).to_have_attribute("data-state", "graded", timeout=LONG)
    submission = lab.api(f"/courses/ppo/submissions?assignment={assignment}")["items"][0]
    score = f"{submission['points']:g} / {submission['max_points']:g}"
    expect(card.locator(".jp-PPO-score")).to_have_text(score)
    grade = lab.api(f"/submissions/{submission['id']}/grade")
    automatic = [row for row in grade["exercises"] if not row["needs_review"]]
    assert automatic
    assert [row["points"] for row in automatic] == [row["max_points"] for row in automatic]
    _screenshot(page, "6-graded-dark")

    # A system that prefers light pages does not make this one light in a dark JupyterLab.
    page.emulate_media(color_scheme="light")
    card.locator(".jp-PPO-feedback").click()
    frame = page.locator("iframe.jp-PPO-feedbackFrame")
    expect(frame).to_be_visible()
    expect(frame).to_have_attribute("sandbox", "")
    feedback = page.frame_locator("iframe.jp-PPO-feedbackFrame").locator("body")
    expect(feedback).to_contain_text(assignment, timeout=LONG)
    expect(feedback).to_have_css("background-color", DARK_PAGE)
    expect(receipt).to_contain_text("Attempt 1 received")
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel").last
    expect(tab).to_have_text(f"Attempt 1: {assignment}")
    _screenshot(page, "7-feedback-dark")
    feedback.get_by_role("link", name="clip_properties").first.click()
    expect(feedback.locator(":target")).to_be_in_viewport(timeout=LONG)
    expect(feedback).to_contain_text(assignment)
    # The page follows the theme while it is open.
    _theme(page, "JupyterLab Light", light=True)
    expect(feedback).to_have_css("background-color", LIGHT_PAGE, timeout=LONG)
    _screenshot(page, "8-feedback-light")
    _theme(page, "JupyterLab Dark", light=False)
    expect(feedback).to_have_css("background-color", DARK_PAGE, timeout=LONG)


def test_getting_a_notebook_again_keeps_the_students_own_copy(page: Page, lab: Any) -> None:
    card = _card(_open_panel(page))
    card.locator(".jp-PPO-get").click()
    notice = card.locator(".jp-PPO-notice")
    expect(notice).to_contain_text("Saved as", timeout=LONG)
    first = notice.inner_text().removeprefix("Saved as ")
    own = json.loads((lab.work / first).read_text(encoding="utf-8"))
    own["metadata"]["mine"] = True
    (lab.work / first).write_text(json.dumps(own), encoding="utf-8")
    card.locator(".jp-PPO-get").click()
    expect(notice).to_contain_text("Saved as", timeout=LONG)
    expect(notice).not_to_have_text(f"Saved as {first}", timeout=LONG)
    second = notice.inner_text().removeprefix("Saved as ")
    assert json.loads((lab.work / first).read_text(encoding="utf-8")) == own
    assert "mine" not in json.loads((lab.work / second).read_text(encoding="utf-8"))["metadata"]


def test_submit_sends_the_notebook_in_front_and_asks_when_it_is_empty(page: Page, lab: Any) -> None:
    before = lab.api("/courses/ppo/submissions")["total"]
    card = _card(_open_panel(page))
    names = []
    for _ in range(2):
        card.locator(".jp-PPO-get").click()
        notice = card.locator(".jp-PPO-notice")
        expect(notice).to_contain_text("Saved as", timeout=LONG)
        names.append(notice.inner_text().removeprefix("Saved as "))
        expect(card.locator(".jp-PPO-sends")).to_have_text(
            f"Submit sends {names[-1]}", timeout=LONG
        )
        expect(card).to_have_attribute("aria-busy", "false", timeout=LONG)
    first, second = names

    tabs = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab")
    tabs.filter(has_text=first).click()
    expect(card.locator(".jp-PPO-sends")).to_have_text(f"Submit sends {first}", timeout=LONG)
    card.locator(".jp-PPO-submit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"is answered yet in {first}.", timeout=LONG)
    _screenshot(page, "9-nothing-answered")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(card.locator(".jp-PPO-notice")).to_have_count(0)

    tabs.filter(has_text="Launcher").click()
    expect(card.locator(".jp-PPO-sends")).to_have_count(0, timeout=LONG)
    card.locator(".jp-PPO-submit").click()
    alert = card.get_by_role("alert")
    expect(alert).to_contain_text("so that it is in front", timeout=LONG)
    expect(alert).to_contain_text(first)
    expect(alert).to_contain_text(second)
    _screenshot(page, "10-several-notebooks")

    # Another notebook in front is not taken, and the panel says why.
    tabs.filter(has_text=second).click()
    expect(card.locator(".jp-PPO-sends")).to_have_text(f"Submit sends {second}", timeout=LONG)
    page.evaluate(CLOSE_UNSAVED)
    page.evaluate(NEW_NOTEBOOK)
    reason = "Untitled.ipynb, which is in front, is not this assignment's notebook."
    expect(card.locator(".jp-PPO-sends")).to_have_text(
        f"Submit sends {first}. {reason}", timeout=LONG
    )
    _screenshot(page, "11-another-notebook-in-front")
    assert lab.api("/courses/ppo/submissions")["total"] == before


def test_the_panel_comes_back_when_the_page_is_loaded_again(page: Page, lab: Any) -> None:
    with page.expect_response(_saves_the_open_panel, timeout=LONG):
        _card(_open_panel(page))
    page.goto(f"{lab.url}lab", wait_until="domcontentloaded")
    _card(page.locator(PANEL))


def test_without_a_notebook_submit_says_what_to_do(page: Page, lab: Any) -> None:
    before = lab.api("/courses/ppo/submissions")["total"]
    (lab.work / "empty").mkdir(exist_ok=True)
    page.evaluate(
        "() => window.jupyterapp.commands.execute('filebrowser:open-path', {path: 'empty'})"
    )
    page.evaluate("() => window.jupyterapp.commands.execute('ppo-course:open')")
    card = _card(page.locator(PANEL))
    card.locator(".jp-PPO-submit").click()
    expect(card.get_by_role("alert")).to_contain_text('Press "Get notebook"')
    assert lab.api("/courses/ppo/submissions")["total"] == before


def _post(page: Page, lab: Any, path: str, body: dict[str, Any]) -> Any:
    answer = page.request.post(
        f"{lab.url}jupyter-ppo/api/v1{path}",
        headers={"Authorization": f"token {lab.token}"},
        data=json.dumps(body),
    )
    assert answer.ok, answer.text()
    return answer.json()


def test_validate_runs_the_visible_tests_and_hands_nothing_in(page: Page, lab: Any) -> None:
    assignment = lab.new_assignment()
    terms = lab.api(f"/courses/ppo/assignments/{assignment}/terms")
    del terms["own"]
    terms |= {"due_at": "2999-01-01T12:00:00+00:00", "max_attempts": 3, "grades": "by_hand"}
    lab.api(f"/courses/ppo/assignments/{assignment}/terms", json.dumps(terms).encode())
    before = lab.api("/courses/ppo/submissions")["total"]
    card = _card(_open_panel(page), assignment)
    expect(card.locator(".jp-PPO-due")).to_contain_text("1 Jan 2999", timeout=LONG)
    expect(card.locator(".jp-PPO-terms")).to_contain_text("0 of 3 attempts used, 3 left")
    expect(card.locator(".jp-PPO-terms")).to_contain_text("once your instructor releases them")

    card.locator(".jp-PPO-get").click()
    expect(card.locator(".jp-PPO-sends")).to_be_visible(timeout=LONG)
    card.locator(".jp-PPO-validate").click()
    validation = card.locator(".jp-PPO-validation")
    expect(validation).to_be_visible(timeout=LONG)
    # The panel stays usable meanwhile.
    expect(card.locator(".jp-PPO-submit")).to_be_enabled()
    expect(validation.locator('[data-state="done"]')).to_be_visible(timeout=LONG)
    expect(validation.locator('[data-passed="false"]').first).to_be_visible()
    expect(validation).to_contain_text("Hidden tests are not run here")
    assert lab.api("/courses/ppo/submissions")["total"] == before
    validation.scroll_into_view_if_needed()
    _screenshot(page, "12-validated")


ENTRY = {
    "title": "Report on a run",
    "instructions": "Describe what you trained, and **why** in this way.",
    "parts": ["text", "run"],
    "rubric": [
        {
            "name": "method",
            "title": "Method",
            "description": "Are the choices explained?",
            "levels": [
                {"name": "missing", "points": 0},
                {"name": "sound", "points": 4, "description": "every choice has a reason"},
            ],
        }
    ],
}


def _make_run(folder: Path) -> None:
    folder.mkdir(exist_ok=True)  # it is there already when the test is repeated
    spec = {"format_version": 1, "spec": {"env_id": "CartPole-v1", "total_steps": 2048}}
    state = {"state": "finished", "step": 2048, "seconds": 1.5, "message": ""}
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "metrics.jsonl").write_text('{"step": 20, "seconds": 0.1, "return": 20.0}\n')


def test_an_entry_is_written_handed_in_once_and_judged(page: Page, lab: Any) -> None:
    lab.api("/courses/ppo/entries/report", json.dumps(ENTRY).encode())
    _make_run(lab.work / "my-run")
    card = _card(_open_panel(page), "report")
    _unfold(card.locator(".jp-PPO-ownEntry"))
    expect(card.locator(".jp-PPO-ownEntry h4")).to_have_text("Report on a run", timeout=LONG)
    instructions = card.frame_locator("iframe").locator("body")
    expect(instructions).to_contain_text("why in this way", timeout=LONG)
    card.locator(".jp-PPO-rubricFold > summary").click()
    expect(card.locator(".jp-PPO-ownCriterion")).to_contain_text("every choice has a reason")
    submit = card.locator(".jp-PPO-submit")
    expect(submit).to_be_disabled()
    card.locator(".jp-PPO-entryText").fill("# Mine\n\nIt *worked*.")
    card.locator(".jp-PPO-chooseRun").click()
    dialog = page.locator(".jp-Dialog")
    dialog.locator(".jp-DirListing-item", has_text="my-run").click(timeout=LONG)
    dialog.get_by_role("button", name="Select").click()
    expect(card.locator(".jp-PPO-entryForm")).to_contain_text(
        "CartPole-v1, finished, 2048 steps, last return 20", timeout=LONG
    )
    _screenshot(page, "13-entry")

    # The first answer is lost after the service has taken the entry.
    address = "**/entries/report/submissions*"
    keys: list[str | None] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(address, lose_the_first)
    submit.click()
    receipt = card.locator(".jp-PPO-receipt")
    expect(receipt).to_contain_text("Attempt 1 received", timeout=LONG)
    expect(card.locator(".jp-PPO-state")).to_have_text("Submitted")
    page.unroute(address)
    assert len(keys) == 2
    assert keys[0] is not None
    assert keys[0] == keys[1]
    attempts = lab.api("/courses/ppo/submissions?assignment=report")["items"]
    assert len(attempts) == 1
    submission = attempts[0]["id"]
    handed_in = lab.api(f"/submissions/{submission}/entry")
    assert handed_in["text"] == "# Mine\n\nIt *worked*."
    assert handed_in["run"]["spec"]["env_id"] == "CartPole-v1"
    expect(card.locator(".jp-PPO-entryText")).to_have_value("")

    results = [{"criterion": "method", "level": "sound", "points": 3.5, "comment": "gamma?"}]
    outcome = {"results": results, "summary": "A *careful* report.", "revision": 0}
    path = f"/submissions/{submission}/outcome"
    revision = lab.api(path, json.dumps(outcome).encode())["revision"]
    for change in ("approve", "release"):
        revision = _post(page, lab, f"{path}/{change}", {"revision": revision})["revision"]
    page.locator(f"{PANEL} .jp-PPO-refresh").click()
    expect(card.locator(".jp-PPO-score")).to_have_text("3.5 / 4", timeout=LONG)
    card.locator(".jp-PPO-ownEntry > summary").click()
    card.locator(".jp-PPO-ownOutcome > summary").click()
    judged = card.locator(".jp-PPO-ownOutcome")
    expect(judged.locator('[aria-current="true"]')).to_contain_text("sound", timeout=LONG)
    expect(judged.locator(".jp-PPO-comment")).to_have_text("gamma?")
    expect(judged.frame_locator("iframe").locator("em")).to_have_text("careful", timeout=LONG)
    judged.scroll_into_view_if_needed()
    _screenshot(page, "14-outcome")
