"""``jupyter ppo trash``: delete courses, assignments and attempts, and bring them back."""

from __future__ import annotations

import argparse
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.roster import Trashed
from jupyter_ppo.services.paging import every_page

_PAGE = 200


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    trash = commands.add_parser("trash", help="delete things and bring them back")
    verbs = trash.add_subparsers(metavar="verb", required=True)

    listing = verbs.add_parser("list", help="list what was deleted")
    listing.add_argument("course", nargs="?", help="the deleted courses if left out")
    listing.set_defaults(run=_list)

    restore = verbs.add_parser("restore", help="bring something back")
    restore.add_argument("course")
    restore.add_argument("item", nargs="?", help="its id from the list; without: the course")
    restore.set_defaults(run=_restore)

    course = verbs.add_parser("delete-course", help="delete a course with all that is in it")
    course.add_argument("course")
    course.set_defaults(run=_delete_course)

    assignment = verbs.add_parser("delete-assignment", help="delete one with its submissions")
    assignment.add_argument("course")
    assignment.add_argument("assignment")
    assignment.set_defaults(run=_delete_assignment)

    submission = verbs.add_parser("delete-submission", help="delete one attempt of a student")
    submission.add_argument("submission")
    submission.set_defaults(run=_delete_submission)


def _list(arguments: argparse.Namespace, context: Context) -> int:
    trash, caller, course = context.service.use_cases.trash, context.caller, arguments.course
    if course is None:
        items = every_page(lambda at: trash.deleted_courses(caller, offset=at, limit=_PAGE))
    else:
        items = every_page(lambda at: trash.items(caller, course, offset=at, limit=_PAGE))
    for item in items:
        when = item.deleted_at.isoformat(timespec="seconds")
        print(f"{item.id}\t{item.kind}\t{item.name}\t{when} by {item.deleted_by}")
    return 0


def _restore(arguments: argparse.Namespace, context: Context) -> int:
    trash, caller, course = context.service.use_cases.trash, context.caller, arguments.course
    if arguments.item is None:
        item = trash.restore_course(caller, course)
    else:
        item = trash.restore(caller, course, _id(arguments.item, "item"))
    print(f"{item.kind} {item.name} restored")
    return 0


def _delete_course(arguments: argparse.Namespace, context: Context) -> int:
    course = arguments.course
    _say(context.service.use_cases.trash.delete_course(context.caller, course), course)
    return 0


def _delete_assignment(arguments: argparse.Namespace, context: Context) -> int:
    trash, course = context.service.use_cases.trash, arguments.course
    _say(trash.delete_assignment(context.caller, course, arguments.assignment), f"{course} ID")
    return 0


def _delete_submission(arguments: argparse.Namespace, context: Context) -> int:
    submission = _id(arguments.submission, "submission")
    course = context.service.assessment.submission(context.caller, submission).course_name
    deleted = context.service.use_cases.trash.delete_submission(context.caller, submission)
    _say(deleted, f"{course} ID")
    return 0


def _say(deleted: Trashed, words: str) -> None:
    how = words.replace("ID", str(deleted.id))
    print(f"{deleted.kind} {deleted.name} deleted; jupyter ppo trash restore {how} brings it back")


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"{what}: {text[:80]!r} is not an id. jupyter ppo trash list shows them."
        raise InvalidInputError(msg, field=what) from None
