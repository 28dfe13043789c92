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
from jupyter_ppo.cli.sealing import report_release
from jupyter_ppo.cli.times import duration
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import ConflictError, NotFoundError, PPOError
from jupyter_ppo.domain.submissions import Submission, SubmissionState

#: What a student's saved model is called in a folder that is collected.
_MODEL = "model.zip"
#: Bytes of a timestamp.txt that are read; a time needs some thirty.
_TIMESTAMP_MAX = 80


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    release = commands.add_parser("release", help="release an author's notebook to the students")
    release.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    release.add_argument(
        "assignment", help="the assignment's name; a name that is there gets its next version"
    )
    release.add_argument("notebook", help="the source notebook, with solutions and hidden tests")
    release.add_argument(
        "--no-calibrate",
        action="store_true",
        help="do not run the reference solution now; the first submission pays for it",
    )
    release.add_argument("--note", default="", help="what is new in this version")
    release.set_defaults(run=_release)

    fetch = commands.add_parser("fetch", help="write the students' copy of an assignment to a file")
    fetch.add_argument("course")
    fetch.add_argument("assignment")
    fetch.add_argument("notebook", help="the file to write; it must not exist")
    fetch.add_argument(
        "--user",
        help="write the copy of this student, with the seed of theirs; for graders (default: you)",
    )
    fetch.set_defaults(run=_fetch)

    submit = commands.add_parser("submit", help="submit a notebook, or a saved model, as yourself")
    submit.add_argument("course")
    submit.add_argument(
        "assignment", nargs="?", help="without it: the one that the notebook's graded cells are of"
    )
    submit.add_argument("notebook")
    submit.set_defaults(run=_submit)

    collect = commands.add_parser(
        "collect", help="take in a folder of submissions laid out as nbgrader does"
    )
    collect.add_argument("course")
    collect.add_argument("assignment")
    collect.add_argument(
        "folder", help="holds <student>/<assignment>/<any name>.ipynb, or model.zip in its place"
    )
    collect.set_defaults(run=_collect)


def _release(arguments: argparse.Namespace, context: Context) -> int:
    released = context.service.assessment.release(
        context.caller,
        arguments.course,
        arguments.assignment,
        read_file(arguments.notebook),
        arguments.note,
    )
    version = released.assignment.version
    by_hand = sum(exercise.kind is not CellKind.TESTS for exercise in version.exercises)
    print(
        f"{released.assignment.name} version {version.number} released: "
        f"{len(version.exercises)} exercises, {version.max_points:g} points, "
        f"{released.hidden_tests} with hidden tests, {by_hand} to be marked by a person",
        flush=True,
    )
    if released.has_student_seed:
        print("student seed: each student gets data of their own", flush=True)
    report_release(context, arguments.course, released, calibrate=not arguments.no_calibrate)
    return 0


def _fetch(arguments: argparse.Namespace, context: Context) -> int:
    data = context.service.assessment.released_notebook(
        context.caller, arguments.course, arguments.assignment, arguments.user
    )
    try:
        with Path(arguments.notebook).open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        msg = f"{arguments.notebook!r} exists already; choose another name."
        raise ConflictError(msg, field="notebook") from error
    whose = f" for {arguments.user}" if arguments.user else ""
    print(f"{arguments.assignment}{whose} written to {arguments.notebook}")
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
    if submission.late_seconds:
        lines.append(f"  late    {duration(submission.late_seconds)}")
    if submission.state is SubmissionState.SUBMITTED:
        lines.append("  It is kept; the staff says when it is graded.")
    lines += [f"  warning {warning}" for warning in submission.warnings]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Found:
    """A student's notebook in a folder, and when nbgrader says that it was handed in.

    ``warning`` says what is wrong with the file that should tell.
    """

    user: str
    path: Path
    submitted_at: datetime | None
    warning: str | None


def _collect(arguments: argparse.Namespace, context: Context) -> int:
    found = list(_notebooks(Path(arguments.folder), arguments.assignment))
    if not found:
        msg = (
            f"folder: {arguments.folder!r} holds no <student>/{arguments.assignment}/*.ipynb or "
            f"{_MODEL}. Give the folder that has one folder for each student."
        )
        raise NotFoundError(msg, field="folder")
    new = same = 0
    refused: list[str] = []
    enrolled: list[str] = []
    warnings: dict[str, str] = {}
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
        if collected.submission is not None and item.warning:
            warnings[item.user] = item.warning
        enrolled += [item.user] if collected.enrolled else []
    print(f"{new} collected, {same} unchanged, {len(refused)} refused")
    if enrolled:
        print(f"newly enrolled as students: {', '.join(enrolled)}")
    for user, warning in warnings.items():
        print(f"  warning: {user}: {warning}", file=sys.stderr)
    for line in refused:
        print(f"  {line}", file=sys.stderr)
    return 1 if refused else 0


def _notebooks(folder: Path, assignment: str) -> Iterator[_Found]:
    """Yield every student's notebooks, also below ``submitted/``; follow no link.

    A saved model is taken of those who have no notebook there.
    """
    root = folder / "submitted" if (folder / "submitted").is_dir() else folder
    if not root.is_dir():
        return
    for student in sorted(root.iterdir()):
        home = student / assignment
        if student.is_symlink() or home.is_symlink() or not home.is_dir():
            continue
        files = sorted(home.glob("*.ipynb")) or sorted(home.glob(_MODEL))
        for path in files:
            if not path.is_symlink():
                yield _Found(student.name, path, *_timestamp(home / "timestamp.txt"))


def _timestamp(path: Path) -> tuple[datetime | None, str | None]:
    """Return when a notebook was handed in, and what is wrong with the file that should tell."""
    if path.is_symlink():
        return None, f"{path} is a link and not followed; the time of collection is used."
    try:
        with path.open("rb") as file:
            text = file.read(_TIMESTAMP_MAX).decode(errors="replace").strip()
    except FileNotFoundError:
        return None, None
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror}); the time of collection is used."
        return None, problem
    when = _parsed(text)
    if when is not None:
        return when, None
    problem = (
        f"{path} holds {text!r}, which is no time; the time of collection is used. Write ISO 8601 "
        "with an offset, such as 2026-11-21T13:00:00+01:00, or nbgrader's "
        "2026-11-21 12:00:00.948203 UTC."
    )
    return None, problem


def _parsed(text: str) -> datetime | None:
    """Return the time that ``text`` names, in UTC; without a zone it is UTC, as in nbgrader."""
    naive = text.removesuffix("UTC").rstrip()
    try:
        when = datetime.fromisoformat(naive)
        if when.tzinfo is None:
            return when.replace(tzinfo=UTC)
        return when.astimezone(UTC) if naive == text else None
    except (ValueError, OverflowError):
        return None
