"""``jupyter ppo course create | list | rename`` and ``jupyter ppo status``."""

from __future__ import annotations

import argparse

from jupyter_ppo.cli import roster
from jupyter_ppo.cli.app import Commands, Context


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    course = commands.add_parser("course", help="create courses and enrol people")
    verbs = course.add_subparsers(metavar="verb", required=True)

    create = verbs.add_parser("create", help="create a course")
    create.add_argument("course")
    create.add_argument("--title", default="")
    create.set_defaults(run=_create)

    listing = verbs.add_parser("list", help="list the courses")
    listing.set_defaults(run=_list)

    rename = verbs.add_parser("rename", help="give a course another title")
    rename.add_argument("course")
    rename.add_argument("title")
    rename.set_defaults(run=_rename)

    roster.add_verbs(verbs)

    status = commands.add_parser("status", help="say where the data is and whether grading works")
    status.set_defaults(run=_status)


def _create(arguments: argparse.Namespace, context: Context) -> int:
    view = context.service.assessment.create_course(
        context.caller, arguments.course, arguments.title
    )
    print(f"course {view.course.name} created")
    return 0


def _list(_: argparse.Namespace, context: Context) -> int:
    offset = 0
    while True:
        page = context.service.assessment.courses(context.caller, offset=offset, limit=200)
        for view in page.items:
            print(f"{view.course.name}\t{view.course.title}")
        offset += len(page.items)
        if not page.items or offset >= page.total:
            return 0


def _rename(arguments: argparse.Namespace, context: Context) -> int:
    course, _ = context.service.use_cases.roster.rename_course(
        context.caller, arguments.course, arguments.title
    )
    print(f"{course.name} is called {course.title} now")
    return 0


def _status(_: argparse.Namespace, context: Context) -> int:
    print(f"data     {context.settings.data_dir}")
    print(f"queue    {context.service.jobs.pending()} submissions wait to be graded")
    sandbox = context.service.sandbox.status()
    if sandbox.available:
        print(f"sandbox  ready ({sandbox.engine}, {sandbox.image})")
        return 0
    if context.settings.grading_workers == 0:
        print("sandbox  not here, and not needed: grading_workers is 0, workers grade elsewhere")
        return 0
    print(f"sandbox  unavailable: {sandbox.problem} {sandbox.remedy or ''}".rstrip())
    return 1
