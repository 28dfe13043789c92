"""``jupyter ppo validate | check``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import SandboxError, UnavailableError
from jupyter_ppo.domain.trials import Trial, TrialState

#: More than the runs of a trial may take with any limits that can be set, in seconds.
_LONGEST_SECONDS = 6 * 3600.0
_MARKS = {True: "passed", False: "FAILED", None: "not run"}


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    validate = commands.add_parser(
        "validate", help="try a notebook by the tests that students can read, without submitting it"
    )
    validate.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    validate.add_argument("notebook", help="the student's notebook")
    validate.add_argument(
        "--assignment", help="the assignment that it is of (default: found by its graded cells)"
    )
    validate.set_defaults(run=_validate)

    check = commands.add_parser(
        "check", help="try an author's notebook before its release: solution, students' copy, tests"
    )
    check.add_argument("course")
    check.add_argument("notebook", help="the source notebook, with solutions and hidden tests")
    check.set_defaults(run=_check)


def _validate(arguments: argparse.Namespace, context: Context) -> int:
    data = read_file(arguments.notebook)
    _can_run(context)
    trials = context.service.use_cases.trials
    begun = trials.validate(context.caller, arguments.course, arguments.assignment, data)
    result = _result(context, begun)
    for exercise in result["exercises"]:
        print(
            f"{exercise['grade_id']}  {_MARKS[exercise['passed']]}: {visible(exercise['reason'])}"
        )
    for warning in result["warnings"]:
        print(f"warning: {visible(warning)}", file=sys.stderr)
    print(f"{result['passed']} of {result['total']} passed. {result['note']}")
    return 0 if result["passed"] == result["total"] else 1


def _check(arguments: argparse.Namespace, context: Context) -> int:
    data = read_file(arguments.notebook)
    _can_run(context)
    begun = context.service.use_cases.trials.check(context.caller, arguments.course, data)
    result = _result(context, begun)
    for problem in result["problems"]:
        where = problem["grade_id"] or (
            "notebook" if problem["cell"] is None else f"cell {problem['cell'] + 1}"
        )
        print(f"{problem['severity']}: {visible(where)}: {visible(problem['message'])}")
    for name, words in (("solution", "reference solution"), ("skeleton", "students' copy")):
        scored = result[name]
        if scored is not None:
            print(f"{words}: {scored['points']:g} of {scored['max_points']:g} points")
    print("ready to be released" if result["is_ready"] else "not ready: see the errors above")
    return 0 if result["is_ready"] else 1


def _can_run(context: Context) -> None:
    status = context.service.sandbox.status()
    if not status.available:
        msg = f"Nothing can be run here: {status.problem} {status.remedy or ''}".rstrip()
        raise UnavailableError(msg)
    print("running it in the sandbox ...", file=sys.stderr, flush=True)


def _result(context: Context, begun: Trial) -> Mapping[str, Any]:
    """Return what came of it once it has ended; raise ``SandboxError`` if nothing did."""
    trials = context.service.use_cases.trials
    ended = trials.wait(context.caller, begun.id, _LONGEST_SECONDS)
    if ended.state is not TrialState.DONE or ended.result is None:
        msg = ended.error or "It has not ended in time. Try again."
        raise SandboxError(msg)
    return ended.result
