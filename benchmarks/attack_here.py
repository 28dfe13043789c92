"""The attacks against our own service: its database, queue, grader and containers."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from uuid import UUID

from attack_corpus import ALL, STANDARD, Attack, Points, Seen, Variant, failure, right

from jupyter_ppo.cli import main
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.jobs.local import work_off
from jupyter_ppo.wiring.settings import PPOService

COURSE = "rl"
CELL_SECONDS = 6
LIMITS = {"cell_seconds": CELL_SECONDS, "wall_seconds": 120, "memory_mb": 768}
NEIGHBOUR = "zoe"


@dataclass(frozen=True, slots=True)
class Task:
    """A submitted variant: whose it is, and its submission or why it was refused."""

    attack: Attack
    variant: Variant
    user: str
    submission: UUID | None
    refused: str = ""


class Here:
    """A whole service in a folder of its own, with one course."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.settings = PPOService(
            data_dir=str(folder / "data"), identity="provider", limits=LIMITS, **settings
        )
        self.service = self.settings.build()
        self.admin = Caller("root", admin=True)
        self.service.assessment.create_course(self.admin, COURSE, "Reinforcement Learning")
        self._released: dict[bytes, str] = {}

    def __enter__(self) -> Here:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.service.close()

    def release(self, source: bytes) -> str:
        """Release this source unless it is; return the assignment's name."""
        if source not in self._released:
            name = f"ps{len(self._released) + 1}"
            self.service.assessment.release(self.admin, COURSE, name, source)
            self._released[source] = name
        return self._released[source]

    def student(self, user: str) -> Caller:
        """Return a student of the course."""
        self.service.use_cases.roster.put_member(self.admin, COURSE, user, Role.STUDENT)
        return Caller(user)

    def submit(self, user: str, assignment: str, notebook: bytes) -> UUID:
        """Submit as a student; raise as the service does."""
        caller = self.student(user)
        return self.service.assessment.submit(caller, COURSE, assignment, notebook).id

    def take(self, attack: Attack, folder: Path) -> list[Task]:
        """Submit every variant of an attack, each by a student of its own."""
        assignment = self.release(attack.source)
        tasks = []
        for number, variant in enumerate(attack.variants(folder)):
            user = f"{attack.name}-{number}"
            try:
                submitted = self.submit(user, assignment, variant.notebook)
            except InvalidInputError as error:
                tasks.append(Task(attack, variant, user, None, error.message))
            else:
                tasks.append(Task(attack, variant, user, submitted))
        return tasks

    def grade(self, *submissions: UUID, workers: int = 3) -> None:
        """Grade these, as the workers of a server do."""
        assessment = self.service.assessment

        def ended(submission: UUID) -> bool:
            state = assessment.submission(self.admin, submission).state
            return state in {SubmissionState.GRADED, SubmissionState.FAILED}

        work_off(
            self.service.jobs,
            self.service.grading.work,
            submissions,
            workers=workers,
            progress=lambda done, total: None,
            ended=ended,
        )

    def points(self, submission: UUID) -> Points | None:
        """Return the points of each exercise; None if there is no grade."""
        found = self.service.assessment.submission(self.admin, submission)
        if found.state is not SubmissionState.GRADED:
            return None
        grade = self.service.assessment.grade(self.admin, submission)
        assert all(each.is_sealed for each in grade.exercises)
        return {each.grade_id: each.points for each in grade.exercises}

    def seen(self, task: Task) -> Seen:
        """Return what came of a task."""
        if task.submission is None:
            return Seen(None, refused=task.refused)
        points = self.points(task.submission)
        if points is None:
            return Seen(None)
        grade = self.service.assessment.grade(self.admin, task.submission)
        page = self.service.assessment.feedback(self.admin, task.submission).decode()
        return Seen(points, page, page, grade.wall_seconds, CELL_SECONDS)

    def collect(self, files: Mapping[str, Mapping[str, bytes]]) -> str:
        """Take in a class's folder of these files by user, as ``jupyter ppo collect`` does."""
        assignment, root = self.release(STANDARD), self.folder / "class"
        for user, found in files.items():
            for name, data in found.items():
                path = root / user / assignment / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return self.collect_folder(root, assignment)

    def collect_folder(self, root: Path, assignment: str) -> str:
        """Run ``jupyter ppo collect`` on a folder; return what it printed."""
        said = io.StringIO()
        data = f"--PPOService.data_dir={self.folder / 'data'}"
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(["collect", COURSE, assignment, str(root), data])
        return said.getvalue()

    def keeps(self, data: bytes) -> bool:
        """Return whether these bytes are in any file of the service's."""
        files = (path for path in (self.folder / "data").rglob("*") if path.is_file())
        return any(data in path.read_bytes() for path in files)


def tried(attacks: Sequence[Attack], folder: Path) -> dict[str, str]:
    """Try all of them here; return in what each succeeded by its name, empty if it was resisted.

    All notebooks are graded in one go, as a class is, with somebody honest among them.
    """
    said = {attack.name: "" for attack in attacks}
    with Here(folder / "class") as place:
        # A token of the server's that no notebook may see.
        os.environ["JUPYTERHUB_API_TOKEN"] = "secret-of-here"  # noqa: S105
        try:
            tasks = [
                task for attack in attacks for task in place.take(attack, _harmless(folder, attack))
            ]
            honest = place.submit(NEIGHBOUR, place.release(STANDARD), right().notebook)
            queued = [task.submission for task in tasks if task.submission is not None]
            place.grade(*queued, honest)
        finally:
            del os.environ["JUPYTERHUB_API_TOKEN"]
        time.sleep(max(attack.settle_seconds for attack in attacks))
        for task in tasks:
            name, marks = task.attack.name, _harmless(folder, task.attack)
            said[name] = said[name] or failure(task.attack, marks, task.variant, place.seen(task))
        if place.points(honest) != ALL:
            said = {name: found or "the honest suffer" for name, found in said.items()}
    for attack in attacks:
        if attack.here is not None:
            with Here(folder / attack.name) as place:
                said[attack.name] = attack.here(place)
    return said


def _harmless(folder: Path, attack: Attack) -> Path:
    """Return where an attack may leave its marks: a folder whose parent is called ``here``."""
    path = folder / "here" / attack.name
    path.mkdir(parents=True, exist_ok=True)
    return path
