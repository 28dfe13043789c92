"""The leaderboard in a real browser: joined, read and left by keyboard, in both themes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.leaderboards import Leaderboards
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseGradeRow,
    GradeRow,
    SubmissionRow,
    VersionRow,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.image,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SCREENSHOTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"
LONG = 120_000  # milliseconds; how long a busy machine may take, never how long it should
SECTION = ".jp-PPO-leaderboard"
PEOPLE = (("grace", "quick fox", 500.0), ("henry", "slow bear", 231.4), ("iris", "owl", 231.4))


def put_on_the_leaderboard(folder: Path, user: str, pseudonym: str, mean: float) -> None:
    """Let a person have joined with an examined policy, as grading would have stored it."""
    database = open_database(sqlite_url(folder / "jupyter_ppo.sqlite"))
    now, submission = datetime.now(UTC), new_id()
    record = {"env_id": "CartPole-v1", "mean": mean, "low": mean - 9, "high": mean + 9}
    with database.begin() as session:
        course = session.scalars(select(CourseRow)).one()
        assignment = session.scalars(select(AssignmentRow)).first()
        version = session.scalars(select(VersionRow)).first()
        assert assignment is not None
        assert version is not None
        session.add(
            SubmissionRow(
                id=submission,
                assignment_id=assignment.id,
                version_id=version.id,
                user=user,
                attempt=1,
                digest="d" * 64,
                state=SubmissionState.GRADED,
                submitted_at=now,
                released_at=now,
                warnings=[],
            )
        )
        session.flush()
        session.add(
            GradeRow(
                submission_id=submission,
                points=1.0,
                max_points=1.0,
                needs_review=False,
                verdict=Verdict.RAN,
                detail="",
                feedback_digest="f" * 64,
                graded_at=now,
                wall_seconds=1.0,
            )
        )
        session.flush()
        session.add(
            ExerciseGradeRow(
                submission_id=submission,
                grade_id="policy",
                position=0,
                points=1.0,
                max_points=1.0,
                needs_review=False,
                reason="",
                is_sealed=True,
                checks=[],
                records=[{**record, "episodes": 20}],
            )
        )
    Leaderboards(database).join(course.id, user, pseudonym)
    database.close()


def test_a_student_joins_reads_and_leaves_it_by_keyboard(page: Page, lab: Any) -> None:
    for person in PEOPLE:
        put_on_the_leaderboard(lab.home / "course", *person)
    page.evaluate("() => window.jupyterapp.commands.execute('ppo-course:open')")
    section = page.locator(SECTION)
    section.locator("summary").focus(timeout=LONG)
    page.keyboard.press("Enter")
    rows = section.locator("tbody tr")
    expect(rows).to_have_text(["1quick fox500.0", "2owl231.4", "2slow bear231.4"], timeout=LONG)
    page.keyboard.press("Tab")
    page.keyboard.type("quick FOX")
    page.keyboard.press("Enter")
    expect(section.get_by_role("alert")).to_contain_text("is taken", timeout=LONG)
    page.keyboard.press("Control+A")
    page.keyboard.type("night heron")
    page.keyboard.press("Enter")
    said = section.locator(".jp-PPO-membership")
    expect(said).to_contain_text("You are on it as night heron.", timeout=LONG)
    section.scroll_into_view_if_needed()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme, light in (("JupyterLab Light", "true"), ("JupyterLab Dark", "false")):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=LONG)
        page.screenshot(
            path=SCREENSHOTS / f"leaderboard-{'light' if light == 'true' else 'dark'}.png"
        )
    section.locator(".jp-PPO-leave").focus()
    page.keyboard.press("Enter")
    expect(said).to_contain_text("You are not on it.", timeout=LONG)
