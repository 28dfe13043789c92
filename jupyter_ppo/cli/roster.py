"""``jupyter ppo course people | import | enrol | unenrol | group``: who is in a course."""

from __future__ import annotations

import argparse
import sys

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.roster import Group, Member, PersonChange
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.roster_csv import roster_csv

_PAGE = 200


def add_verbs(verbs: Commands) -> None:
    """Add this module's verbs to those of ``jupyter ppo course``."""
    people = verbs.add_parser("people", help="list who is in a course")
    people.add_argument("course")
    people.add_argument("--search", default="", help="a part of a name, username or address")
    people.add_argument("--group")
    people.add_argument("--csv", action="store_true", help="as a list that import reads")
    people.set_defaults(run=_people)

    load = verbs.add_parser("import", help="enrol everybody in a CSV file")
    load.add_argument("course")
    load.add_argument("csv")
    load.add_argument("--dry-run", action="store_true", help="only say what would change")
    load.set_defaults(run=_import)

    enrol = verbs.add_parser("enrol", help="give a person a role in a course")
    enrol.add_argument("course")
    enrol.add_argument("user")
    roles = [role.value for role in Role if role is not Role.ADMIN]
    enrol.add_argument("--role", choices=roles, default=Role.STUDENT.value)
    enrol.add_argument("--first-name")
    enrol.add_argument("--last-name")
    enrol.add_argument("--email")
    enrol.add_argument("--lms-user-id")
    enrol.add_argument("--groups", help="all groups of theirs: a,b")
    enrol.set_defaults(run=_enrol)

    unenrol = verbs.add_parser("unenrol", help="take a person out of a course; work is kept")
    unenrol.add_argument("course")
    unenrol.add_argument("user")
    unenrol.set_defaults(run=_unenrol)

    group = verbs.add_parser("group", help="show, set or delete a group of a course")
    group.add_argument("course")
    group.add_argument("group", nargs="?", help="all groups if left out")
    change = group.add_mutually_exclusive_group()
    change.add_argument("--set", metavar="USERS", help="everybody who is in it: a,b")
    change.add_argument("--delete", action="store_true")
    group.set_defaults(run=_group)


def _people(arguments: argparse.Namespace, context: Context) -> int:
    people = context.service.use_cases.roster.every_member(
        context.caller, arguments.course, search=arguments.search, group=arguments.group
    )
    lines = roster_csv(people) if arguments.csv else map(_shown, people)
    for line in lines:
        sys.stdout.write(line)
    return 0


def _shown(member: Member) -> str:
    person = member.person
    name = f"{person.first_name} {person.last_name}".strip()
    cells = (member.user, member.role.value, name, person.email, ", ".join(member.groups))
    return "\t".join(cells).rstrip() + "\n"


def _import(arguments: argparse.Namespace, context: Context) -> int:
    made = context.service.use_cases.roster.import_members(
        context.caller, arguments.course, read_file(arguments.csv), is_dry=arguments.dry_run
    )
    for problem in made.problems:
        print(f"line {problem.line}: {problem.message}", file=sys.stderr)
    untold = made.problem_count - len(made.problems)
    if untold:
        print(f"and {untold} more", file=sys.stderr)
    if made.problem_count:
        print("error: nothing was changed. Correct these lines and try again.", file=sys.stderr)
        return 1
    said = f"{made.added} added, {made.changed} changed, {made.unchanged} as they were"
    print(said if made.is_applied else f"would be: {said}")
    return 0


def _enrol(arguments: argparse.Namespace, context: Context) -> int:
    change = PersonChange(
        arguments.first_name, arguments.last_name, arguments.email, arguments.lms_user_id
    )
    groups = None if arguments.groups is None else _names(arguments.groups)
    member = context.service.use_cases.roster.put_member(
        context.caller, arguments.course, arguments.user, Role(arguments.role), change, groups
    )
    print(f"{member.user} is a {member.role} of {arguments.course}")
    return 0


def _unenrol(arguments: argparse.Namespace, context: Context) -> int:
    member = context.service.use_cases.roster.remove_member(
        context.caller, arguments.course, arguments.user
    )
    print(f"{member.user} is not in {arguments.course} any more; their work is kept")
    return 0


def _group(arguments: argparse.Namespace, context: Context) -> int:
    roster, caller = context.service.use_cases.roster, context.caller
    course, name = arguments.course, arguments.group
    if name is None or (arguments.set is None and not arguments.delete):
        found = every_page(lambda at: roster.groups(caller, course, offset=at, limit=_PAGE))
        for group in found:
            if name in {None, group.name}:
                print(_shown_group(group))
    elif arguments.delete:
        print(f"group {roster.delete_group(caller, course, name).name} deleted")
    else:
        print(_shown_group(roster.put_group(caller, course, name, _names(arguments.set))))
    return 0


def _shown_group(group: Group) -> str:
    return f"{group.name}\t{', '.join(group.users)}".rstrip()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
