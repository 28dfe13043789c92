"""``jupyter ppo gradebook show | export | to-nbgrader | from-nbgrader``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.gradebook import GradebookQuery, Order, RowFilter, SortKey
from jupyter_ppo.services.gradebook_files import gradebook_table

_FORMATS = ("csv", "json")


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    gradebook = commands.add_parser(
        "gradebook", help="the class as a table, for people, spreadsheets and nbgrader"
    )
    verbs = gradebook.add_subparsers(metavar="verb", required=True)

    show = verbs.add_parser("show", help="print a page of the gradebook")
    export = verbs.add_parser("export", help="write the gradebook as CSV or JSON")
    for verb in (show, export):
        verb.add_argument("course")
        verb.add_argument("assignment", nargs="?", help="its exercises in place of assignments")
        verb.add_argument("--search", default="", help="words of the username and the names")
        verb.add_argument("--group", help="only members of this group")
        verb.add_argument("--state", choices=[each.value for each in RowFilter])
        verb.add_argument(
            "--sort",
            default=SortKey.USER.value,
            help="user, name, total, late or the name of a column",
        )
        verb.add_argument("--order", choices=[each.value for each in Order], default="asc")
    show.add_argument("--offset", type=_count, default=0)
    show.add_argument("--limit", type=_count, default=50)
    show.set_defaults(run=_show)
    export.add_argument("--format", choices=_FORMATS, default="csv")
    export.add_argument("--to", help="the file to write; without it the table is printed")
    export.set_defaults(run=_export)

    out = verbs.add_parser("to-nbgrader", help="write the class as an nbgrader gradebook.db")
    out.add_argument("course")
    out.add_argument("--to", required=True, help="the file to write; it must not be there")
    out.set_defaults(run=_to_nbgrader)
    into = verbs.add_parser(
        "from-nbgrader", help="add students, assignments and grades of an nbgrader gradebook.db"
    )
    into.add_argument("course")
    into.add_argument("file", help="nbgrader's gradebook.db")
    into.set_defaults(run=_from_nbgrader)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 2**31 - 1:
        msg = f"{text} is not within 0 and {2**31 - 1}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _query(arguments: argparse.Namespace) -> GradebookQuery:
    return GradebookQuery(
        arguments.assignment,
        arguments.search,
        arguments.group,
        None if arguments.state is None else RowFilter(arguments.state),
        arguments.sort,
        Order(arguments.order),
    )


def _show(arguments: argparse.Namespace, context: Context) -> int:
    found = context.service.use_cases.gradebook.page(
        context.caller,
        arguments.course,
        _query(arguments),
        offset=arguments.offset,
        limit=arguments.limit,
    )
    print(gradebook_table(found))
    shown = len(found.page.items)
    if shown < found.page.total:
        print(f"{shown} of {found.page.total} students; --offset and --limit show others")
    return 0


def _export(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.gradebook
    make = service.csv if arguments.format == "csv" else service.json
    pieces: Iterable[str] = make(context.caller, arguments.course, _query(arguments))
    if arguments.to is None:
        sys.stdout.writelines(pieces)
        return 0
    Path(arguments.to).parent.mkdir(parents=True, exist_ok=True)
    with Path(arguments.to).open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
    print(f"gradebook written to {arguments.to}")
    return 0


def _to_nbgrader(arguments: argparse.Namespace, context: Context) -> int:
    target = Path(arguments.to)
    if target.exists():
        msg = f"--to: {arguments.to!r} is there already. Name another file; nothing was written."
        raise ConflictError(msg, field="to")
    data = context.service.use_cases.gradebook.to_nbgrader(context.caller, arguments.course)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    print(f"nbgrader's gradebook written to {arguments.to}")
    return 0


def _from_nbgrader(arguments: argparse.Namespace, context: Context) -> int:
    report = context.service.use_cases.gradebook.from_nbgrader(
        context.caller, arguments.course, read_file(arguments.file)
    )
    print(
        f"{report.students} students, {report.assignments} assignments, {report.submissions} "
        f"submissions and {report.grades} grades added"
    )
    for warning in report.warnings:
        print(f"  {warning}", file=sys.stderr)
    return 0
