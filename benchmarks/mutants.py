"""Do the tests of our notebooks catch wrong answers? Mutants of each reference solution try.

    python benchmarks/mutants.py [notebook ...] [--exercise NAME] [--all]

Each mutant, each mistake that learners make, and each correct variant of the solution runs against
its exercise's test cells, in processes forked from this one. The suite asks for the same
(tests/notebooks/test_mutants.py).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from exercises import Exercise, exercises, notebooks
from mutation import Mutant, mutants, spread

LEAST_CAUGHT = 0.95
#: Seconds of an answer: of a core, and on a clock (whoever sleeps needs no core).
_CORE_SECONDS, _SECONDS = 10, 60
_LESS, _FULL, _NOTHING = 0, 1, 2


class Outcome(StrEnum):
    """How an answer came out of an exercise's tests."""

    FULL = "full"  # all points
    LESS = "less"  # some
    NOTHING = "nothing"
    TIME = "time"  # it had to be ended


_OUTCOMES = {_LESS: Outcome.LESS, _FULL: Outcome.FULL, _NOTHING: Outcome.NOTHING}


@dataclass(frozen=True, slots=True)
class Result:
    """Of one exercise: the mutants, those that got full points, those of them that may."""

    exercise: Exercise
    mutants: tuple[Mutant, ...]
    survivors: tuple[Mutant, ...]
    equivalent: tuple[Mutant, ...]

    @property
    def caught(self) -> float:
        """The part of the wrong answers that did not get full points."""
        wrong = len(self.mutants) - len(self.equivalent)
        return 1 - len(self.survivors) / wrong if wrong else 1.0


def points(exercise: Exercise, answer: str) -> float:
    """Run the tests in this process; return the points, with nbgrader's rule of partial credit."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(exercise.setup, names)  # noqa: S102 - ours, here and below
    with contextlib.suppress(Exception):
        exec(answer, names)  # noqa: S102
    total = 0.0
    for source, most in exercise.tests:
        with contextlib.suppress(Exception):
            value = _run_cell(source, names)
            total += float(value) if type(value) in {int, float} else most
    return total


def _run_cell(source: str, names: dict[str, Any]) -> Any:
    tree = ast.parse(source)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(source, names)  # noqa: S102
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "<test>", "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "<test>", "eval"), names)  # noqa: S307


def run(exercise: Exercise, answers: Sequence[str]) -> list[Outcome]:
    """Run the tests on each answer, in a forked process that is ended when one takes too long."""
    found: list[Outcome] = []
    while len(found) < len(answers):
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                os.close(reading)
                _run_forked(exercise, answers[len(found) :], writing)
            finally:
                os._exit(0)
        os.close(writing)
        with open(reading, "rb") as pipe:
            found += [_OUTCOMES[byte] for byte in pipe.read()]
        os.waitpid(process, 0)
        if len(found) < len(answers):  # the next one took too long, or ended the process
            found.append(Outcome.TIME)
    return found


def _run_forked(exercise: Exercise, answers: Sequence[str], writing: int) -> None:
    for limit in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(limit, signal.SIG_DFL)
    warnings.simplefilter("ignore")  # what goes to stderr costs nothing
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)  # a fork does not take the other threads along
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        for answer in answers:
            signal.setitimer(signal.ITIMER_PROF, _CORE_SECONDS)
            signal.alarm(_SECONDS)
            gained = points(exercise, answer)
            outcome = _FULL if gained >= exercise.points else _LESS if gained else _NOTHING
            os.write(writing, bytes([outcome]))


def examine(exercise: Exercise, most: int | None = None) -> Result:
    """Run the mutants of an exercise's solution, at most ``most``, spread evenly.

    Raises ``ValueError`` if the solution itself does not get all points.
    """
    seconds(exercise)
    made = mutants(exercise.solution, most)
    outcomes = run(exercise, [mutant.code for mutant in made])
    full = [mutant for mutant, found in zip(made, outcomes, strict=True) if found is Outcome.FULL]
    known = exercise.equivalent
    equivalent = tuple(mutant for mutant in full if mutant.change in known)
    survivors = tuple(mutant for mutant in full if mutant.change not in known)
    return Result(exercise, tuple(made), survivors, equivalent)


@cache
def seconds(exercise: Exercise) -> float:
    """Return how long the tests of the solution take, without the time of a first import.

    They run in this process, which also loads what they import, once for all forks. Raises
    ``ValueError`` if the solution does not get all points.
    """
    for _ in range(2):
        begin = time.process_time()
        gained = points(exercise, exercise.solution)
        used = time.process_time() - begin
        if gained < exercise.points:
            told = f"{gained} of {exercise.points} points"
            msg = f"the reference solution of {exercise.name} gets {told}"
            raise ValueError(msg)
        if used > 1:
            break
    return used


def missed_mistakes(exercise: Exercise, most: int | None = None) -> tuple[str, ...]:
    """Return the names of the learners' mistakes that get full points, of at most ``most``."""
    mistaken = {name: exercise.mistaken(name) for name in exercise.mistakes}
    return _with_outcome(exercise, dict(spread(list(mistaken.items()), most)), {Outcome.FULL})


def refused_variants(exercise: Exercise, most: int | None = None) -> tuple[str, ...]:
    """Return the names of right answers that do not get full points, of at most ``most``."""
    right = dict(spread(list(exercise.variants.items()), most))
    return _with_outcome(exercise, right, set(Outcome) - {Outcome.FULL})


def _with_outcome(
    exercise: Exercise, answers: dict[str, str], wanted: set[Outcome]
) -> tuple[str, ...]:
    outcomes = zip(answers, run(exercise, list(answers.values())), strict=True)
    return tuple(name for name, outcome in outcomes if outcome in wanted)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if an exercise misses too many, or refuses a right answer."""
    parser = argparse.ArgumentParser(description="Mutants of the notebooks' reference solutions.")
    parser.add_argument("notebooks", nargs="*", help="names without .ipynb; default: all")
    parser.add_argument("--exercise", help="this one only")
    parser.add_argument("--all", action="store_true", help="print every mutant, not survivors only")
    options = parser.parse_args(arguments)
    is_good = True
    print(
        f"{'exercise':<28}{'points':>7}{'mutants':>8}{'equivalent':>12}{'caught':>8}"
        f"{'mistakes':>10}{'variants':>10}  skeleton"
    )
    for notebook in options.notebooks or notebooks():
        for exercise in exercises(notebook):
            if options.exercise in {None, exercise.name}:
                is_good = _print(exercise, is_all=options.all) and is_good
    return 0 if is_good else 1


def _print(exercise: Exercise, *, is_all: bool) -> bool:
    try:
        result = examine(exercise)
        missed, refused = missed_mistakes(exercise), refused_variants(exercise)
    except ValueError as error:
        print(f"{exercise.name:<28} {error}")
        return False
    (skeleton,) = run(exercise, [exercise.skeleton])
    mistakes, variants = len(exercise.mistakes), len(exercise.variants)
    print(
        f"{exercise.name:<28}{exercise.points:>7g}{len(result.mutants):>8}"
        f"{len(result.equivalent):>12}{result.caught:>8.1%}"
        f"{f'{mistakes - len(missed)}/{mistakes}':>10}"
        f"{f'{variants - len(refused)}/{variants}':>10}  {skeleton}",
        flush=True,
    )
    for mutant in result.mutants if is_all else result.survivors:
        print(f"    {'SURVIVED ' if mutant in result.survivors else ''}{mutant.change}")
    for name in missed:
        print(f"    NOT CAUGHT {name}")
    for name in refused:
        print(f"    REFUSED {name}")
    stale = set(exercise.equivalent) - {mutant.change for mutant in result.equivalent}
    for change in sorted(stale):
        print(f"    NOT EQUIVALENT {change}")
    is_strong = result.caught >= LEAST_CAUGHT and not missed and not refused and not stale
    return is_strong and skeleton is Outcome.NOTHING


if __name__ == "__main__":
    sys.exit(main())
