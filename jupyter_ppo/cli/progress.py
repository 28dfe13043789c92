"""``jupyter ppo progress``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.times import shown
from jupyter_ppo.domain.progress_records import (
    ChapterProgress,
    ClassSort,
    ExerciseProgress,
    Progress,
    WorkState,
)
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.progress import StudentRow

_PAGE = 200
_WORDS = {
    WorkState.NOT_STARTED: "not started",
    WorkState.STARTED: "started",
    WorkState.HANDED_IN: "handed in",
    WorkState.PARTLY: "partly",
    WorkState.DONE: "done",
}


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    progress = commands.add_parser("progress", help="where students stand in a course")
    verbs = progress.add_subparsers(metavar="verb", required=True)
    show = verbs.add_parser("show", help="one student's chapters, time on task and next exercise")
    show.add_argument("course")
    show.add_argument("--user", help="default: the owner of this server")
    show.add_argument("--exercises", action="store_true", help="each chapter with its exercises")
    show.set_defaults(run=_show)

    table = verbs.add_parser("class", help="the students with their chapters and points")
    table.add_argument("course")
    table.add_argument("--search", default="", help="only names that hold every one of these words")
    table.add_argument("--sort", choices=[each.value for each in ClassSort], default="name")
    table.set_defaults(run=_class)

    again = verbs.add_parser("recompute", help="make everybody's progress anew from the log")
    again.add_argument("course")
    again.set_defaults(run=_recompute)


def _show(arguments: argparse.Namespace, context: Context) -> int:
    service, caller = context.service.use_cases.progress, context.caller
    if arguments.user is None:
        found = service.mine(caller, arguments.course)
    else:
        found = service.student(caller, arguments.course, arguments.user)
    print(f"{found.user}: {found.points:g} of {found.max_points:g} points")
    print(f"time on task: {_minutes(found.minutes)}")
    weeks = found.weeks
    print(f"weeks with evidence: {weeks.total}, {weeks.current} in a row now")
    print(f"last event: {shown(found.last_event_at)}")
    if found.next is not None:
        exercise = f", {found.next.grade_id}" if found.next.grade_id else ""
        print(f"next: {found.next.assignment}{exercise}. {found.next.reason}")
    _print_table(_chapters(found, with_exercises=arguments.exercises))
    return 0


def _chapters(progress: Progress, *, with_exercises: bool) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = [("chapter", "state", "points", "time", "due")]
    for chapter in progress.chapters:
        lines.append(
            (
                _title(chapter),
                _WORDS[chapter.state],
                _points(chapter),
                _minutes(chapter.minutes),
                shown(chapter.due_at),
            )
        )
        if with_exercises:
            lines += [
                (f"  {each.grade_id}", _WORDS[each.state], _points(each), "", "")
                for each in chapter.exercises
            ]
    return lines


def _class(arguments: argparse.Namespace, context: Context) -> int:
    rows = list(
        every_page(
            lambda offset: context.service.use_cases.progress.students(
                context.caller,
                arguments.course,
                search=arguments.search,
                sort=ClassSort(arguments.sort),
                offset=offset,
                limit=_PAGE,
            )
        )
    )
    if not rows:
        print("no student of this course has such a name, or there are no students yet")
        return 0
    lines = [("student", "name", "points", "chapters done", "time", "last event")]
    _print_table(lines + [_student(row) for row in rows])
    return 0


def _student(row: StudentRow) -> tuple[str, ...]:
    found = row.progress
    done = sum(chapter.state is WorkState.DONE for chapter in found.chapters)
    return (
        found.user,
        f"{row.first_name} {row.last_name}".strip(),
        f"{found.points:g}/{found.max_points:g}",
        f"{done}/{len(found.chapters)}",
        _minutes(found.minutes),
        shown(found.last_event_at),
    )


def _recompute(arguments: argparse.Namespace, context: Context) -> int:
    made = context.service.use_cases.progress.recompute(context.caller, arguments.course)
    print(
        f"{made.events} events of {made.students} students were read; "
        f"the progress of {made.changed} was another before"
    )
    return 0


def _title(chapter: ChapterProgress) -> str:
    number = "" if chapter.number is None else f"{chapter.number} "
    return f"{number}{chapter.title}"


def _points(found: ChapterProgress | ExerciseProgress) -> str:
    points = "-" if found.points is None else f"{found.points:g}"
    return f"{points}/{found.max_points:g}"


def _minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours}h {rest:02}m" if hours else f"{rest}m"


def _print_table(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
