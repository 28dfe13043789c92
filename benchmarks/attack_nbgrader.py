"""The attacks against ``nbgrader autograde``, each in a temporary course of its own.

nbgrader runs the attack on this machine, as whoever runs this: no payload of the corpus writes
outside of that course, reaches the network or outlives it for long.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attack_corpus import ALL, STANDARD, Attack, Points, Seen, failure, right

ASSIGNMENT = "ps1"
#: Graded after all others, because nbgrader goes by name.
NEIGHBOUR = "zoe"
CELL_SECONDS = 4
COMMAND_SECONDS = 180
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "rl"
c.ExecutePreprocessor.timeout = {seconds}
c.Execute.timeout = {seconds}
c.Exchange.root = {exchange!r}
c.Exchange.cache = {cache!r}
"""


class Course:
    """A course folder of nbgrader's with one released assignment."""

    def __init__(self, folder: Path, source: bytes = STANDARD) -> None:
        self.folder = folder
        self.exchange = folder / "exchange"
        self.exchange.mkdir(parents=True)
        self.exchange.chmod(0o777)
        settings = CONFIG.format(
            seconds=CELL_SECONDS, exchange=str(self.exchange), cache=str(folder / "cache")
        )
        (folder / "nbgrader_config.py").write_text(settings, encoding="utf-8")
        home = folder / "source" / ASSIGNMENT
        home.mkdir(parents=True)
        (home / "p.ipynb").write_bytes(source)
        self("generate_assignment", ASSIGNMENT)

    def __call__(self, *words: str, cwd: Path | None = None, **variables: Any) -> int:
        """Run a command of nbgrader's in the course; return its exit status."""
        programs = str(Path(sys.executable).parent)  # nbgrader calls alembic by name
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        environment |= {"JUPYTER_CONFIG_DIR": str(self.folder / "config"), **variables}
        with (self.folder / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "nbgrader", *words],
                cwd=cwd or self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            try:
                return process.wait(COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return process.wait()

    def submit(self, user: str, notebook: bytes, files: Mapping[str, bytes] | None = None) -> Path:
        """Put a submission where ``nbgrader collect`` would have put it."""
        home = self.folder / "submitted" / user / ASSIGNMENT
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for name, data in {"p.ipynb": notebook, **(files or {})}.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return home

    def send(self, notebook: bytes) -> None:
        """Hand in a notebook as a student does, with ``nbgrader submit``."""
        home = self.folder / "home" / ASSIGNMENT
        home.mkdir(parents=True)
        (home / "p.ipynb").write_bytes(notebook)
        exchange = f"--Exchange.root={self.exchange}"
        self("submit", exchange, "--course", "rl", ASSIGNMENT, cwd=home.parent)

    def autograde(self, **variables: Any) -> float:
        """Grade everybody; return the seconds it took."""
        began = time.monotonic()
        self("autograde", ASSIGNMENT, "--create", "--force", **variables)
        return time.monotonic() - began

    def points(self) -> dict[str, Points]:
        """Return what the gradebook says: user -> grade_id -> points."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as book:
            return {
                each.student.id: {
                    grade.name: grade.score for note in each.notebooks for grade in note.grades
                }
                for each in book.assignment_submissions(ASSIGNMENT)
            }

    def text(self, step: str, user: str, name: str) -> str:
        """Return a file that a step made of a submission; empty if it made none."""
        path = self.folder / step / user / ASSIGNMENT / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def tried(attack: Attack, folder: Path) -> str:
    """Try an attack on nbgrader; return in what it succeeded, empty if nbgrader resisted."""
    course = Course(folder / "course", attack.source)
    if attack.on_nbgrader is not None:
        return attack.on_nbgrader(course)
    harmless = folder / "harm"
    harmless.mkdir()
    variants = {f"a{n}": each for n, each in enumerate(attack.variants(harmless))}
    for user, variant in variants.items():
        course.submit(user, variant.notebook, variant.files)
    neighbour = attack.source == STANDARD
    if neighbour:
        course.submit(NEIGHBOUR, right().notebook)
    seconds = course.autograde(JUPYTERHUB_API_TOKEN=token(harmless))
    time.sleep(attack.settle_seconds)
    if attack.needs_page:
        course("generate_feedback", ASSIGNMENT, "--force")
    points = course.points()
    for user, variant in variants.items():
        graded = (course.folder / "autograded" / user / ASSIGNMENT / "p.ipynb").is_file()
        seen = Seen(
            points.get(user) if graded else None,
            course.text("autograded", user, "p.ipynb"),
            course.text("feedback", user, "p.html"),
            seconds,
            CELL_SECONDS,
        )
        if said := failure(attack, harmless, variant, seen):
            return said
    if neighbour and points.get(NEIGHBOUR) != ALL:
        return "the honest student after it is not graded"
    return ""


def token(folder: Path) -> str:
    """Return the secret of the grader's environment that no notebook may show."""
    return f"secret-of-{folder.parent.name}"
