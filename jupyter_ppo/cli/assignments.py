"""``jupyter ppo release | fetch | submit | collect``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import ConflictError, NotFoundError, PPOError
from jupyter_ppo.domain.submissions import Submission


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    release = commands.add_parser("release", help="release an author's notebook to the students")
    release.add_argument("course")
    release.add_argument("assignment")
    release.add_argument("notebook", help="the source notebook, with solutions and hidden tests")
    release.set_defaults(run=_release)

    fetch = commands.add_parser("fetch", help="write the students' copy of an assignment to a file")
    fetch.add_argument("course")
    fetch.add_argument("assignment")
    fetch.add_argument("notebook", help="the file to write; it must not exist")
    fetch.set_defaults(run=_fetch)

    submit = commands.add_parser("submit", help="submit a notebook as yourself")
    submit.add_argument("course")
    submit.add_argument("assignment")
    submit.add_argument("notebook")
    submit.set_defaults(run=_submit)

    collect = commands.add_parser(
        "collect", help="take in a folder of notebooks laid out as nbgrader does"
    )
    collect.add_argument("course")
    collect.add_argument("assignment")
    collect.add_argument("folder", help="holds <student>/<assignment>/<any name>.ipynb")
    collect.set_defaults(run=_collect)


def _release(arguments: argparse.Namespace, context: Context) -> int:
    released = context.service.assessment.release(
        context.caller, arguments.course, arguments.assignment, read_file(arguments.notebook)
    )
    version = released.assignment.version
    by_hand = sum(exercise.kind is not CellKind.TESTS for exercise in version.exercises)
    print(
        f"{released.assignment.name} version {version.number} released: "
        f"{len(version.exercises)} exercises, {version.max_points:g} points, "
        f"{released.hidden_tests} with hidden tests, {by_hand} to be marked by a person"
    )
    return 0


def _fetch(arguments: argparse.Namespace, context: Context) -> int:
    data = context.service.assessment.released_notebook(
        context.caller, arguments.course, arguments.assignment
    )
    try:
        with Path(arguments.notebook).open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        msg = f"{arguments.notebook!r} exists already; choose another name."
        raise ConflictError(msg, field="notebook") from error
    print(f"{arguments.assignment} written to {arguments.notebook}")
    return 0


def _submit(arguments: argparse.Namespace, context: Context) -> int:
    submission = context.service.assessment.submit(
        context.caller, arguments.course, arguments.assignment, read_file(arguments.notebook)
    )
    print(_receipt(submission))
    return 0


def _receipt(submission: Submission) -> str:
    lines = [
        f"received {submission.assignment_name} attempt {submission.attempt} of "
        f"{submission.user} at {submission.submitted_at.isoformat(timespec='seconds')}",
        f"  id      {submission.id}",
        f"  sha256  {submission.digest}",
    ]
    lines += [f"  warning {warning}" for warning in submission.warnings]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Found:
    """A student's notebook in a folder, and when nbgrader says that it was handed in."""

    user: str
    path: Path
    submitted_at: datetime | None


def _collect(arguments: argparse.Namespace, context: Context) -> int:
    found = list(_notebooks(Path(arguments.folder), arguments.assignment))
    if not found:
        msg = (
            f"folder: {arguments.folder!r} holds no <student>/{arguments.assignment}/*.ipynb. "
            "Give the folder that has one folder for each student."
        )
        raise NotFoundError(msg, field="folder")
    new = same = 0
    refused: list[str] = []
    enrolled: list[str] = []
    for item in tqdm(found, desc="collect", unit="notebook", disable=None):
        try:
            collected = context.service.assessment.collect(
                context.caller,
                arguments.course,
                arguments.assignment,
                item.user,
                read_file(str(item.path)),
                submitted_at=item.submitted_at,
            )
        except PPOError as error:
            refused.append(f"{item.user}: {error.message}")
            continue
        new, same = (new, same + 1) if collected.submission is None else (new + 1, same)
        enrolled += [item.user] if collected.enrolled else []
    print(f"{new} collected, {same} unchanged, {len(refused)} refused")
    if enrolled:
        print(f"newly enrolled as students: {', '.join(enrolled)}")
    for line in refused:
        print(f"  {line}", file=sys.stderr)
    return 1 if refused else 0


def _notebooks(folder: Path, assignment: str) -> Iterator[_Found]:
    """Yield every student's notebooks, also below ``submitted/``; follow no link."""
    root = folder / "submitted" if (folder / "submitted").is_dir() else folder
    if not root.is_dir():
        return
    for student in sorted(root.iterdir()):
        home = student / assignment
        if student.is_symlink() or home.is_symlink() or not home.is_dir():
            continue
        for path in sorted(home.glob("*.ipynb")):
            if not path.is_symlink():
                yield _Found(student.name, path, _timestamp(home / "timestamp.txt"))


def _timestamp(path: Path) -> datetime | None:
    """Read nbgrader's ``2015-02-02 14:58:23.948203 UTC``; None when absent or unreadable."""
    try:
        text = path.read_text(encoding="utf-8").strip().removesuffix("UTC").strip()
        when = datetime.fromisoformat(text)
    except (OSError, ValueError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
