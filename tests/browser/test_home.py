"""A student's home in a real browser: map, next exercise, badge, own data; in both themes."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select, update

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    ExerciseRow,
    GradeRow,
    MembershipRow,
    SubmissionRow,
    VersionRow,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should

COURSE = "ppo"
SOLVED, BEGUN, LATER = "00-the-loop", "01-bandits", "02-values"
HOME = '.jp-PPO-home[aria-label="My course"]'
#: Serious violations, each with where it is.
AUDIT = """async () => {
  const { violations } = await axe.run('.jp-PPO-home', { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}"""
SHOW_HOME = "() => { void window.jupyterapp.commands.execute('ppo-course:home'); }"
ACTIVE_CELL = """() => window.jupyterapp.shell.currentWidget?.content?.activeCell?.model
  ?.getMetadata('nbgrader')?.grade_id"""


def _graded(folder: Path, name: str, share: float) -> None:
    """Let the lab's person have handed in a chapter, and be shown this share of each check."""
    database = open_database(sqlite_url(folder / "jupyter_ppo.sqlite"))
    now, submission = datetime.now(UTC), new_id()
    with database.begin() as session:
        person = session.scalars(select(MembershipRow)).one()
        assignment = session.scalars(select(AssignmentRow).filter_by(name=name)).one()
        version = session.scalars(select(VersionRow).filter_by(assignment_id=assignment.id)).one()
        cells = session.scalars(select(ExerciseRow).filter_by(version_id=version.id)).all()
        graded = [each for each in cells if each.points > 0]
        session.add(
            SubmissionRow(
                id=submission,
                assignment_id=assignment.id,
                version_id=version.id,
                user=person.user,
                attempt=1,
                digest="d" * 64,
                state=SubmissionState.GRADED,
                submitted_at=now - timedelta(hours=3),
                released_at=now,
                warnings=[],
            )
        )
        session.flush()
        most = sum(each.points for each in graded)
        session.add(
            GradeRow(
                submission_id=submission,
                points=share * most,
                max_points=most,
                needs_review=False,
                verdict=Verdict.RAN,
                detail="",
                feedback_digest="f" * 64,
                graded_at=now,
                wall_seconds=1.0,
            )
        )
        session.flush()
        session.add_all(
            ExerciseGradeRow(
                submission_id=submission,
                grade_id=each.grade_id,
                position=position,
                points=share * each.points,
                max_points=each.points,
                needs_review=False,
                reason="",
                is_sealed=True,
                checks=[],
                records=[],
            )
            for position, each in enumerate(graded)
        )
        settle(session, assignment.id, {person.user})
    database.close()


@pytest.fixture(scope="module")
def studied(lab: Any) -> Any:
    """The lab's person is a student with one chapter solved and half of another."""
    for name in (SOLVED, BEGUN, LATER):
        source = ROOT / "notebooks" / f"{name}.ipynb"
        lab.api(f"/courses/{COURSE}/assignments/{name}", source.read_bytes())
    folder = lab.home / "course"
    database = open_database(sqlite_url(folder / "jupyter_ppo.sqlite"))
    with database.begin() as session:
        session.execute(update(MembershipRow).values(role=Role.STUDENT))
    database.close()
    _graded(folder, SOLVED, 1)
    _graded(folder, BEGUN, 0.5)
    return lab


def _opened(page: Page) -> Locator:
    """Open it as a person does: from the panel."""
    page.locator('.jp-SideBar.jp-mod-left .lm-TabBar-tab[data-id="jupyter-ppo:course"]').click()
    page.get_by_role("button", name="My course", exact=True).click(timeout=LONG)
    home = page.locator(HOME)
    expect(home.get_by_role("heading", name="Map of the course")).to_be_visible(timeout=LONG)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    return home


def test_a_student_sees_map_next_and_achievement_and_downloads_the_badge(
    page: Page, studied: Any
) -> None:
    home = _opened(page)
    rows = {name: home.locator(f'[data-chapter="{name}"]') for name in (SOLVED, BEGUN, LATER)}
    words = {name: row.locator(".jp-PPO-homeStateWord") for name, row in rows.items()}
    expect(words[SOLVED]).to_have_text("Done")
    expect(words[BEGUN]).to_have_text("Partly solved")
    expect(words[LATER]).to_have_text("Not started")
    expect(home.locator(".jp-PPO-homeReason")).not_to_be_empty()
    # Handed in three hours before it is graded: early on a Monday these are two weeks.
    now = datetime.now(UTC)
    weeks = len({time.isocalendar()[:2] for time in (now, now - timedelta(hours=3))})
    row = "1 week" if weeks == 1 else f"{weeks} weeks"
    expect(home.get_by_text(f"{row} in a row, {weeks} in all")).to_be_visible()

    toggle = rows[SOLVED].locator(".jp-PPO-homeToggle")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    checks = rows[SOLVED].locator(".jp-PPO-homeChecks").first
    expect(checks).to_contain_text("of")

    held = home.locator('[data-achievement="first-episode"]')
    with page.expect_download() as download:
        held.get_by_role("button", name="Download badge The first episode").click()
    token = Path(download.value.path()).read_text(encoding="utf-8").strip()
    [key] = jwt.PyJWKSet.from_dict(studied.api("/achievements/keys")).keys
    badge = jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
    assert "The first episode" in str(badge)

    page.add_script_tag(path=AXE)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme, light in (("Light", "true"), ("Dark", "false")):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=LONG)
        home.evaluate("node => node.scrollTo(0, 0)")
        assert page.evaluate(AUDIT) == []
        page.screenshot(path=SCREENSHOTS / f"home-{theme.lower()}.png")


def test_next_opens_the_notebook_at_the_exercise_and_the_own_data_are_handed_out(
    page: Page, studied: Any
) -> None:
    home = _opened(page)
    with page.expect_download(timeout=LONG) as download:
        home.get_by_role("button", name="Download my data").click()
    with zipfile.ZipFile(download.value.path()) as data:
        assert "README.txt" in " ".join(data.namelist())

    following = studied.api(f"/courses/{COURSE}/progress")["next"]
    home.locator(".jp-PPO-homeOpenNext").click()
    expect(page.locator(".jp-NotebookPanel")).to_be_visible(timeout=LONG)
    assert (studied.work / f"{following['assignment']}.ipynb").is_file()
    page.wait_for_function(
        f"grade => ({ACTIVE_CELL})() === grade", arg=following["grade_id"], timeout=LONG
    )

    # Again: the notebook that is there already, and no second copy.
    page.evaluate(SHOW_HOME)
    home.locator(".jp-PPO-homeOpenNext").click()
    expect(page.locator(".jp-NotebookPanel")).to_be_visible(timeout=LONG)
    assert len(list(studied.work.glob("*.ipynb"))) == 1

    page.evaluate(SHOW_HOME)
    page.set_viewport_size({"width": 480, "height": 900})
    expect(home.locator(".jp-PPO-homeNextTitle")).to_be_visible()
    width = home.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert width[0] <= width[1]
