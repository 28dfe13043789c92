"""``jupyter ppo sealing``, and what ``jupyter ppo release`` says of the test cells."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import NotFoundError, PPOError, UnavailableError
from jupyter_ppo.domain.sealing import CellSealing, FindingKind, Sealing, SealState
from jupyter_ppo.services.assessment import Released

_STATES = {
    SealState.SEALED: "sealed",
    SealState.UNSEALED: "unsealed",
    SealState.CANNOT_SEAL: "cannot be sealed",
    SealState.REFERENCE_FAILS: "the reference solution fails",
}
_KINDS = {
    FindingKind.OBSTACLE: "obstacle",
    FindingKind.CARE: "take care",
    FindingKind.WEAK: "weak test",
}
#: Members of the students' own objects: allowed too, and nothing for an author to act on.
_PLAIN_USES = (".", "class.", "function.")
#: How many of the uses that the contract allows are printed for a cell.
_SHOWN_USES = 10


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    sealing = commands.add_parser(
        "sealing", help="say which test cells of an assignment are sealed, and what is weak in them"
    )
    sealing.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    sealing.add_argument("assignment", help="the assignment's name; its newest version is told of")
    sealing.add_argument(
        "--run",
        action="store_true",
        dest="calibrate",
        help="run the reference solution in the sandbox now",
    )
    sealing.set_defaults(run=_sealing)


def _sealing(arguments: argparse.Namespace, context: Context) -> int:
    names = (arguments.course, arguments.assignment)
    if arguments.calibrate:
        print(report(_calibrated(context, *names), _points(context, *names)))
        return 0
    found = context.service.sealings.sealing(context.caller, *names)
    if found is None:
        msg = (
            f"The reference solution of {arguments.assignment} was not run yet. Run it with "
            f"'jupyter ppo sealing {arguments.course} {arguments.assignment} --run'; the first "
            "submission that is graded does so too."
        )
        raise NotFoundError(msg, field="assignment")
    print(report(found, _points(context, *names)))
    return 0


def _points(context: Context, course: str, assignment: str) -> dict[str, float]:
    return _points_of(context.service.assessment.assignment(context.caller, course, assignment))


def _points_of(assignment: Assignment) -> dict[str, float]:
    """Return the points of each graded cell of the newest version by its grade_id."""
    return {each.grade_id: each.points for each in assignment.version.exercises}


def _calibrated(context: Context, course: str, assignment: str) -> Sealing:
    """Run the reference solution; raise ``UnavailableError`` when it cannot be run here."""
    status = context.service.sandbox.status()
    if not status.available:
        msg = f"Nothing can be run here: {status.problem} {status.remedy or ''}".rstrip()
        raise UnavailableError(msg)
    print("running the reference solution in the sandbox ...", file=sys.stderr, flush=True)
    return context.service.sealings.calibrate(context.caller, course, assignment)


def report_release(context: Context, course: str, released: Released, *, calibrate: bool) -> None:
    """Print what is known of the test cells, after a run of the reference if that can be.

    Whatever goes wrong, the version is released: this says so and raises nothing of ours.
    """
    if not released.cells:
        return
    name, points = released.assignment.name, _points_of(released.assignment)
    if calibrate:
        try:
            print(report(_calibrated(context, course, name), points))
        except PPOError as error:
            print(f"warning: {error.message}", file=sys.stderr)
        else:
            return
    print(_table(released.cells, points, is_run=False))
    print(
        "the reference solution was not run: submissions are graded anyway, the first one pays "
        f"for it; or run it with 'jupyter ppo sealing {course} {name} --run'"
    )


def report(sealing: Sealing, points: Mapping[str, float]) -> str:
    """Return what the run on the reference solution showed, for a terminal.

    ``points`` are those of each test cell by its grade_id.
    """
    lines = [_table(sealing.cells, points, is_run=True)]
    allowed = [line for cell in sealing.cells for line in _allowed(cell)]
    if allowed:
        lines += ["allowed in these tests, because the reference solution needs it:", *allowed]
    when = sealing.created_at.isoformat(timespec="seconds")
    lines.append(f"run on {when} in {sealing.wall_seconds:.1f} s")
    return "\n".join(lines)


def _allowed(cell: CellSealing) -> list[str]:
    """Return the uses that a cell's contract allows, without those of students' own objects."""
    uses = sorted(use for use in cell.contract if not use.startswith(_PLAIN_USES))
    if not uses:
        return []
    lines = [f"  {cell.grade_id}", *(f"    {use}" for use in uses[:_SHOWN_USES])]
    return (
        lines if len(uses) <= _SHOWN_USES else [*lines, f"    and {len(uses) - _SHOWN_USES} more"]
    )


def _table(cells: Iterable[CellSealing], points: Mapping[str, float], *, is_run: bool) -> str:
    cells = tuple(cells)
    if not cells:
        return "no test cells"
    width = max(len("test cell"), *(len(cell.grade_id) for cell in cells))
    lines = [f"{'test cell'.ljust(width)}  tests run"]
    for cell in cells:
        state = _STATES[cell.state]
        if cell.state is SealState.SEALED and not is_run:
            state = "to be sealed"
        reason = f": {cell.reason}" if cell.reason else ""
        lines.append(f"{cell.grade_id.ljust(width)}  {state}{reason}")
        if cell.state is SealState.CANNOT_SEAL:
            lines.append(
                f"  {points.get(cell.grade_id, 0.0):g} points: this cell gives no points and waits "
                "for a person; repair the source and release again"
            )
        lines += [
            f"  line {found.line}, {_KINDS[found.kind]}: {found.text}" for found in cell.findings
        ]
    return "\n".join(lines)
