"""``jupyter ppo marking | mark | history | publish``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.marks import GradeChange, Mark
from jupyter_ppo.services.paging import every_page

_PAGE = 500
_COMMENT_SHOWN = 60


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    marking = commands.add_parser("marking", help="list the exercises that wait for a person")
    marking.add_argument("course")
    marking.add_argument("assignment", nargs="?", help="list its waiting answers one by one")
    marking.add_argument("--named", action="store_true", help="by username, not by pseudonym")
    marking.set_defaults(run=_marking)

    mark = commands.add_parser("mark", help="give points, extra credit or a comment by hand")
    mark.add_argument("submission", help="the submission's id")
    mark.add_argument("grade_id", help="the exercise, as 'jupyter ppo marking' shows it")
    mark.add_argument("--points", type=float, help="in the place of the automatic points")
    mark.add_argument("--extra", type=float, help="points to add (negative: to take off)")
    mark.add_argument("--comment", help="what the student reads")
    mark.add_argument("--reason", default="", help="why, for the history")
    mark.add_argument("--remove", action="store_true", help="take the mark away")
    mark.set_defaults(run=_mark)

    history = commands.add_parser("history", help="print every change of a submission's grade")
    history.add_argument("submission", help="the submission's id")
    history.set_defaults(run=_history)

    publish = commands.add_parser("publish", help="let students see their grades of an assignment")
    publish.add_argument("course")
    publish.add_argument("assignment")
    publish.add_argument("--withdraw", action="store_true", help="take released grades back")
    publish.add_argument("--reason", default="", help="why, for the history")
    publish.set_defaults(run=_publish)


def _marking(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.marking
    if arguments.assignment is not None:
        return _answers(arguments, context)
    totals = list(
        every_page(
            lambda offset: service.waiting(
                context.caller, arguments.course, offset=offset, limit=_PAGE
            )
        )
    )
    if not totals:
        print("nothing waits for a person")
        return 0
    rows = [("assignment", "exercise", "points", "waiting", "marked", "of")]
    rows += [
        (
            each.assignment,
            each.grade_id,
            f"{each.max_points:g}",
            str(each.waiting),
            str(each.marked),
            str(each.total),
        )
        for each in totals
    ]
    print(_columns(rows))
    return 0


def _answers(arguments: argparse.Namespace, context: Context) -> int:
    items = every_page(
        lambda offset: context.service.use_cases.marking.items(
            context.caller,
            arguments.course,
            arguments.assignment,
            named=arguments.named,
            offset=offset,
            limit=_PAGE,
        )
    )
    rows = [("exercise", "whose", "points", "submission")]
    rows += [
        (
            item.exercise.grade_id,
            visible(item.who),
            f"{item.exercise.max_points:g}",
            str(item.submission_id),
        )
        for item in items
    ]
    print(_columns(rows) if len(rows) > 1 else "nothing waits for a person")
    return 0


def _mark(arguments: argparse.Namespace, context: Context) -> int:
    submission_id = _identifier(arguments.submission)
    given = (arguments.points, arguments.extra, arguments.comment)
    is_given = any(value is not None for value in given)
    if is_given is arguments.remove:
        msg = "points: give --points, --extra or --comment, or --remove alone."
        raise InvalidInputError(msg, field="points")
    service = context.service
    grade = service.assessment.grade(context.caller, submission_id)
    now = next((each for each in grade.exercises if each.grade_id == arguments.grade_id), None)
    seen = Mark(None) if now is None or now.mark is None else now.mark
    mark = Mark(None, revision=seen.revision)
    if not arguments.remove:  # what is not named stays
        mark = Mark(
            seen.points if arguments.points is None else arguments.points,
            seen.extra_credit if arguments.extra is None else arguments.extra,
            seen.comment if arguments.comment is None else arguments.comment,
            seen.revision,
        )
    said = service.use_cases.marking.mark(
        context.caller, submission_id, arguments.grade_id, mark, arguments.reason
    )
    print(_said(said))
    return 0


def _said(exercise: ExerciseGrade) -> str:
    extra = f" ({exercise.extra_credit:+g} extra)" if exercise.extra_credit else ""
    waits = "; it waits for a person" if exercise.waits else ""
    points = f"{exercise.score:g} of {exercise.max_points:g} points"
    return f"{exercise.grade_id}: {points}{extra}{waits}"


def _history(arguments: argparse.Namespace, context: Context) -> int:
    submission_id = _identifier(arguments.submission)
    service = context.service.use_cases.marking
    changes = every_page(
        lambda offset: service.history(context.caller, submission_id, offset=offset, limit=_PAGE)
    )
    rows: list[tuple[str, ...]] = [("time", "what", "exercise", "by", "before", "after", "why")]
    rows += [_row(change) for change in changes]
    print(_columns(rows) if len(rows) > 1 else "nothing has happened to its grade yet")
    return 0


def _row(change: GradeChange) -> tuple[str, ...]:
    return (
        change.at.isoformat(sep=" ", timespec="seconds"),
        change.kind.value,
        change.grade_id or "-",
        change.by or "-",
        _values(change.before),
        _values(change.after),
        _short(change.reason) or "-",
    )


def _values(data: Mapping[str, Any] | None) -> str:
    """Return the values that say something, without the points of each exercise."""
    if data is None:
        return "-"
    parts = []
    for name, value in data.items():
        if isinstance(value, Mapping) or not value:
            continue
        shown = f"{value:g}" if isinstance(value, int | float) else _short(str(value))
        parts.append(f"{name} {shown}")
    return ", ".join(parts) or "0"


def _short(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _COMMENT_SHOWN else f"{line[: _COMMENT_SHOWN - 1]}…"


def _publish(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.marking
    change = service.withdraw if arguments.withdraw else service.release
    changed = change(
        context.caller, arguments.course, arguments.assignment, reason=arguments.reason
    )
    done = "taken back" if arguments.withdraw else "released to their students"
    print(f"{changed} grade{'' if changed == 1 else 's'} {done}")
    return 0


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"There is no submission {text[:80]!r}."
        raise NotFoundError(msg, field="submission") from None


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
