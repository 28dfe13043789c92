"""``jupyter ppo terms | extend | versions``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.times import duration, parsed_duration, parsed_time, shown
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.terms import (
    Counting,
    Extension,
    GradeRelease,
    LatePolicy,
    LateRule,
    LateStep,
    MoreTime,
    Terms,
)
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.terms import TermsView

_PAGE = 200
_TIMES = ("opens", "due", "closes")
_TIME_HELP = "ISO 8601 time, in this machine's zone unless it names one; 'none' for no bound"
_AUTOGRADE = {"yes": True, "no": False}


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    terms = commands.add_parser("terms", help="when an assignment may be handed in, and lateness")
    verbs = terms.add_subparsers(metavar="verb", required=True)
    show = verbs.add_parser("show", help="print the terms, and yours with your extensions")
    change = verbs.add_parser("set", help="change what is named, and leave the rest as it is")
    for verb in (show, change):
        verb.add_argument("course")
        verb.add_argument("assignment")
    for name in _TIMES:
        change.add_argument(f"--{name}", help=_TIME_HELP)
    change.add_argument("--grace", help="a length of time after the due time, such as 15m or 0s")
    change.add_argument(
        "--late",
        help="none, zero, per_day:PERCENT[:AT_LEAST_PERCENT], or custom:AFTER=KEEP_PERCENT,... "
        "such as custom:1h=90,2d=50",
    )
    change.add_argument("--attempts", type=int, help="how many attempts; 0 is any number")
    change.add_argument("--counting", choices=[each.value for each in Counting])
    change.add_argument("--autograde", choices=sorted(_AUTOGRADE), help="grade as they come")
    change.add_argument("--grades", choices=[each.value for each in GradeRelease])
    show.set_defaults(run=_show)
    change.set_defaults(run=_set)

    extend = commands.add_parser("extend", help="give a student or a group more time or attempts")
    extend.add_argument("course")
    extend.add_argument("assignment")
    extend.add_argument("--user")
    extend.add_argument("--group")
    extend.add_argument("--by", help="a length of time, such as 2d or 36h")
    extend.add_argument("--attempts", type=int, default=0)
    extend.add_argument("--reason", default="")
    extend.add_argument("--revoke", metavar="ID", help="take back the extension with this id")
    extend.set_defaults(run=_extend)

    versions = commands.add_parser("versions", help="list an assignment's versions")
    versions.add_argument("course")
    versions.add_argument("assignment")
    versions.add_argument(
        "--publish", type=int, metavar="NUMBER", help="make this version the newest again"
    )
    versions.add_argument("--note", default="", help="what is said of it, with --publish")
    versions.set_defaults(run=_versions)


def _show(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.terms
    _print(service.terms(context.caller, arguments.course, arguments.assignment))
    return 0


def _set(arguments: argparse.Namespace, context: Context) -> int:
    changes: dict[str, Any] = {
        f"{name}_at": parsed_time(text, name)
        for name in _TIMES
        if (text := getattr(arguments, name)) is not None
    }
    if arguments.grace is not None:
        changes["grace_seconds"] = parsed_duration(arguments.grace, "grace")
    if arguments.late is not None:
        changes["late"] = parsed_late(arguments.late)
    if arguments.attempts is not None:
        changes["max_attempts"] = arguments.attempts
    if arguments.counting is not None:
        changes["counting"] = Counting(arguments.counting)
    if arguments.autograde is not None:
        changes["autograde"] = _AUTOGRADE[arguments.autograde]
    if arguments.grades is not None:
        changes["grades"] = GradeRelease(arguments.grades)
    if not changes:
        msg = "Nothing to change: name at least one of the terms, such as --due."
        raise InvalidInputError(msg)
    service, name = context.service.use_cases.terms, arguments.assignment
    now = service.terms(context.caller, arguments.course, name).terms
    _print(service.set_terms(context.caller, arguments.course, name, replace(now, **changes)))
    return 0


def _print(view: TermsView) -> None:
    terms, own = view.terms, view.own
    print(f"opens     {shown(terms.opens_at)}")
    print(f"due       {shown(terms.due_at)}, grace {duration(terms.grace_seconds)}")
    print(f"closes    {shown(terms.closes_at)}")
    print(f"late      {_late(terms)}")
    print(f"attempts  {terms.max_attempts or 'any number'}, the {terms.counting} counts")
    when = "as they come" if terms.autograde else "when the staff says so"
    print(f"graded    {when}; students see grades {terms.grades.replace('_', ' ')}")
    if own.terms != terms:
        print(
            f"yours     due {shown(own.terms.due_at)}, closes {shown(own.terms.closes_at)}, "
            f"{own.terms.max_attempts or 'any number of'} attempts"
        )


def _late(terms: Terms) -> str:
    late = terms.late
    if late.rule is LateRule.PER_DAY:
        return (
            f"{late.percent_per_day:g} % less for each day that has begun, "
            f"at least {late.at_least_percent:g} % is kept"
        )
    if late.rule is LateRule.CUSTOM:
        steps = sorted(late.steps, key=lambda step: step.after_seconds)
        return ", ".join(
            f"{step.keep_percent:g} % is kept from {duration(step.after_seconds)} on"
            for step in steps
        )
    return "no points" if late.rule is LateRule.ZERO else "costs nothing"


def parsed_late(text: str) -> LatePolicy:
    """Return the policy that ``--late`` names; raise ``InvalidInputError`` (field ``late``)."""
    rule, _, rest = text.partition(":")
    try:
        kind = LateRule(rule)
        if kind is LateRule.PER_DAY and rest:
            percent, _, at_least = rest.partition(":")
            return LatePolicy(kind, float(percent), float(at_least or 0))
        if kind is LateRule.CUSTOM:
            pairs = (step.split("=") for step in rest.split(","))
            steps = tuple(
                LateStep(parsed_duration(after, "late"), float(keep)) for after, keep in pairs
            )
            return LatePolicy(kind, steps=steps)
        if rest:
            raise ValueError(rest)
    except ValueError as error:
        msg = (
            f"late: {text!r} is no rule. Use none, zero, per_day:10, per_day:10:50 or "
            "custom:1h=90,2d=50."
        )
        raise InvalidInputError(msg, field="late") from error
    return LatePolicy(kind)


def _extend(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.terms
    where = (context.caller, arguments.course, arguments.assignment)
    if arguments.revoke is not None:
        try:
            extension_id = UUID(arguments.revoke)
        except ValueError as error:
            msg = f"extension: there is no extension {arguments.revoke!r}."
            raise NotFoundError(msg, field="extension") from error
        print(f"taken back: {_line(service.revoke(*where, extension_id))}")
        return 0
    if arguments.user is None and arguments.group is None:
        for each in every_page(
            lambda offset: service.extensions(*where, offset=offset, limit=_PAGE)
        ):
            print(_line(each))
        return 0
    seconds = 0 if arguments.by is None else parsed_duration(arguments.by, "by")
    more = MoreTime(arguments.user, arguments.group, seconds, arguments.attempts, arguments.reason)
    print(f"given: {_line(service.extend(*where, more))}")
    return 0


def _line(extension: Extension) -> str:
    whose = extension.user if extension.group is None else f"group {extension.group}"
    more = [f"{duration(extension.seconds)}"] if extension.seconds else []
    more += [f"{extension.attempts} attempts"] if extension.attempts else []
    reason = f" ({extension.reason})" if extension.reason else ""
    return f"{extension.id}  {whose}: {', '.join(more)} more{reason}"


def _versions(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.versions
    where = (context.caller, arguments.course, arguments.assignment)
    if arguments.publish is not None:
        made = service.publish_again(*where, arguments.publish, arguments.note)
        print(f"{made.name} version {made.version.number} is version {arguments.publish} again")
        return 0
    for use in every_page(lambda offset: service.versions(*where, offset=offset, limit=_PAGE)):
        version = use.version
        by = f" by {version.released_by}" if version.released_by else ""
        note = f"  {version.note}" if version.note else ""
        print(
            f"{version.number:>4}  {shown(version.created_at)}{by}  {version.max_points:g} points, "
            f"{use.submissions} submitted, {use.graded} graded{note}"
        )
    return 0
