"""``jupyter ppo grade`` and ``jupyter ppo grades show | export | feedback``."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from uuid import UUID

from tqdm import tqdm

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.working import check_sandbox, grade_here
from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.services.gradebook import grades_csv, grades_table


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    grade = commands.add_parser("grade", help="grade what is submitted, each in its own container")
    grade.add_argument("course")
    grade.add_argument("assignment", nargs="?")
    grade.add_argument(
        "--again", action="store_true", help="also grade anew what is graded or failed"
    )
    grade.set_defaults(run=_grade)

    grades = commands.add_parser("grades", help="show and export grades")
    verbs = grades.add_subparsers(metavar="verb", required=True)
    show = verbs.add_parser("show", help="print the grade table")
    export = verbs.add_parser("export", help="write the grade table as CSV")
    feedback = verbs.add_parser("feedback", help="write every feedback page to a folder")
    for verb in (show, export, feedback):
        verb.add_argument("course")
        verb.add_argument("assignment", nargs="?")
    export.add_argument("--to", help="the file to write; without it the CSV is printed")
    feedback.add_argument("--to", required=True, help="the folder to write to")
    show.set_defaults(run=_show)
    export.set_defaults(run=_export)
    feedback.set_defaults(run=_feedback)


def _grade(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service
    check_sandbox(context)
    wanted = {SubmissionState.SUBMITTED}  # where submissions do not queue by themselves
    if arguments.again:
        wanted |= {SubmissionState.GRADED, SubmissionState.FAILED}
    for row in _rows(arguments, context):
        if row.state in wanted and row.kind is AssignmentKind.NOTEBOOK:
            service.assessment.request_grading(context.caller, row.id)
    waiting = [
        row.id
        for row in service.assessment.waiting(
            context.caller, arguments.course, arguments.assignment
        )
    ]
    if not grade_here(context, waiting, "grade"):
        return 130
    now = sum(_state(context, each) is SubmissionState.GRADED for each in waiting)
    rows = _rows(arguments, context)
    failed = [row for row in rows if row.state is SubmissionState.FAILED]
    graded = sum(row.state is SubmissionState.GRADED for row in rows)
    print(
        f"{now} graded now; {graded} of {len(rows)} in the table are graded, {len(failed)} failed"
    )
    for row in failed:
        print(f"  {row.user} {row.assignment_name}: {row.error}", file=sys.stderr)
    return 1 if failed else 0


def _state(context: Context, submission_id: UUID) -> SubmissionState:
    return context.service.assessment.submission(context.caller, submission_id).state


def _rows(arguments: argparse.Namespace, context: Context) -> list[Submission]:
    service = context.service.assessment
    rows = service.every_latest(context.caller, arguments.course, arguments.assignment)
    return sorted(rows, key=lambda row: (row.user, row.assignment_name))


def _show(arguments: argparse.Namespace, context: Context) -> int:
    print(grades_table(_rows(arguments, context)))
    return 0


def _export(arguments: argparse.Namespace, context: Context) -> int:
    text = "".join(grades_csv(_rows(arguments, context)))
    if arguments.to is None:
        sys.stdout.write(text)
        return 0
    Path(arguments.to).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.to).write_text(text, encoding="utf-8", newline="")
    print(f"grades written to {arguments.to}")
    return 0


def _feedback(arguments: argparse.Namespace, context: Context) -> int:
    folder = Path(arguments.to)
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for row in tqdm(_rows(arguments, context), desc="feedback", unit="page", disable=None):
        try:
            page = context.service.assessment.feedback(context.caller, row.id)
        except PPOError as error:
            print(f"  {row.user} {row.assignment_name}: {error.message}", file=sys.stderr)
            continue
        name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{row.user}_{row.assignment_name}")
        (folder / f"{name}.html").write_bytes(page)
        written += 1
    print(f"{written} feedback pages written to {folder}")
    return 0
