"""A name that a spreadsheet runs as a formula, and one that adds columns."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right

from jupyter_ppo.services.gradebook import grades_csv

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

FORMULA, COMMAS = '=HYPERLINK("x")', "Eve,100,100"


def on_nbgrader(course: Course) -> str:
    course("db", "student", "add", "eve", f"--last-name={FORMULA}", f"--first-name={COMMAS}")
    course.submit("eve", right().notebook)
    course.autograde()
    course("export")
    path = course.folder / "grades.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")))) if path.exists() else []
    if len(rows) < 2:
        return "not tried: export did not work"
    if any(len(row) != len(rows[0]) for row in rows):
        return "a name adds columns"
    return "a formula is exported" if any(cell[:1] == "=" for row in rows for cell in row) else ""


def here(place: Here) -> str:
    assignment = place.release(STANDARD)
    for user in (FORMULA, COMMAS):
        place.submit(user, assignment, right().notebook)
    text = "".join(grades_csv(place.service.assessment.every_latest(place.admin, "rl")))
    rows = list(csv.reader(io.StringIO(text)))
    if not any(COMMAS in row for row in rows) or any(len(row) != len(rows[0]) for row in rows):
        return "a name adds columns"
    return "a formula is exported" if any(cell[:1] == "=" for row in rows for cell in row) else ""
