"""A notebook whose only exercise is answered in words, handed in and graded up to the person.

Everything is done by the service's own parts except running code: there is none in it, so these
tests need no container.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.wiring import PPOService

EXERCISE = "why"
#: The criteria; each has the same three levels, which answers and the played model know by name.
CRITERIA = {"what": "Says what is clipped", "why": "Says why"}
LEVELS = ["missing", "partly", "sound"]
SAYS = {
    "what": ["", "Something is clipped.", "The ratio of new to old probability is clipped."],
    "why": ["", "It is safer.", "So one batch cannot move the policy too far."],
}


def answer_of(what: int, why: int, number: int) -> str:
    """Return an answer that reaches these levels, unlike every other one."""
    said = f"{SAYS['what'][what]} {SAYS['why'][why]}".strip() or "I am not sure about this."
    return f"{said}\n\nThis is attempt {number} of mine to put it into words."


def levels_in(answer: str) -> dict[str, str]:
    """Return the level that an answer of ``answer_of`` reaches in each criterion."""
    return {
        name: LEVELS[max(at for at in range(3) if SAYS[name][at] in answer)] for name in CRITERIA
    }


def notebook(answer: str) -> bytes:
    """Return the notebook with this answer; its author's and a student's look alike."""
    descriptions = ("Nothing of it.", "Part of it.", "All of it, in own words.")
    levels = [
        {"name": name, "points": points, "description": description}
        for points, (name, description) in enumerate(zip(LEVELS, descriptions, strict=True))
    ]
    rubric = [{"name": name, "title": title, "levels": levels} for name, title in CRITERIA.items()]
    manual = {
        "schema_version": 3,
        "grade_id": EXERCISE,
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 4,
    }
    cells = [
        {"id": "question", "metadata": {}, "source": "**Why** does PPO clip the ratio?"},
        {
            "id": EXERCISE,
            "metadata": {"nbgrader": manual, "jupyter_ppo": {"rubric": rubric}},
            "source": answer,
        },
    ]
    document = {
        "cells": [{"cell_type": "markdown", **cell} for cell in cells],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document).encode()


def hand_in(
    folder: Path, course: str, assignment: str, answers: dict[str, str], *, staff: str
) -> None:
    """Release the notebook and hand in an answer of each person; no server may be running.

    Everybody becomes a student, but for ``staff``, who is in the course already.
    """
    service = PPOService(data_dir=str(folder)).build()
    try:
        root, cases = Caller("root", admin=True), service.use_cases
        source = notebook("It limits how far one batch moves the policy.")
        cases.assessment.release(root, course, assignment, source)
        database, blobs = service.database, FileBlobs(folder / "blobs")
        courses, jobs, grader = Courses(database), Jobs(database), NotebookGrader()
        exercises = courses.assignment(courses.course(course).id, assignment).version.exercises
        for user, answer in answers.items():
            if user != staff:
                cases.roster.put_member(root, course, user, Role.STUDENT)
            handed: dict[str, Any] = grader.restore(source, notebook(answer))
            made = cases.assessment.submit(Caller(user), course, assignment, notebook(answer))
            lease = jobs.lease("test", timedelta(minutes=1), made.id)
            run = NotebookRun(handed, Verdict.RAN, "", (), 0.1)
            points = grader.score(handed, run, exercises)
            page = blobs.put(grader.feedback(made, run, points))
            now = datetime.now(UTC)
            version = made.version_id
            jobs.succeed(lease, Grade(made.id, points, Verdict.RAN, "", page, now, 0.1, version))
    finally:
        service.database.close()
