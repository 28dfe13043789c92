"""Do the tests of our notebooks catch wrong answers? Mutants of each reference solution try.

    python benchmarks/mutants.py [--all]

Each mutant, and each correct variant of the solution, runs against its exercise's test cells, in
processes forked from this one. The suite asks for the same (tests/notebooks/test_mutants.py).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import signal
import sys
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from mutation import Mutant, mutants

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LEAST_CAUGHT = 0.95
_SECONDS = 5
_LESS, _FULL = 0, 1
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"

#: Mutants that are right answers too: the change, as the table prints it, and why.
_TEMPLATE = "every element is written afterwards; rewards, values and dones have one shape and type"
_START = "the sum starts at 0 whatever the shape and type, which the first addition gives"
_LENGTH = "rewards, values, dones and advantages have the same length"
EQUIVALENT: dict[str, dict[str, str]] = {
    "compute_gae": {
        "4: np.zeros_like -> np.ones_like": _TEMPLATE,
        "4: rewards -> -rewards": _TEMPLATE,
        "4: rewards -> dones": _TEMPLATE,
        "4: rewards -> values": _TEMPLATE,
        "5: np.zeros_like -> lambda a: np.zeros(a.shape)": _START,
        "5: last_value -> -last_value": _START,
        "5: last_value -> gae_lambda": _START,
        "5: last_value -> gamma": _START,
        "5: last_value -> last_done": _START,
        "5: last_value -> 0.0": _START,
        "5: last_value -> 1.0": _START,
        "7: rewards -> -rewards": _LENGTH,
        "7: rewards -> advantages": _LENGTH,
        "7: rewards -> dones": _LENGTH,
        "7: rewards -> values": _LENGTH,
    },
    "clipped_surrogate_loss": {
        "5: np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)"
        " -> np.clip(1.0 - clip_range, ratio, 1.0 + clip_range)": "the larger, either way",
        "6: np.minimum(ratio * advantages, clipped * advantages)"
        " -> np.minimum(clipped * advantages, ratio * advantages)": "the smaller, either way",
    },
}


class Outcome(StrEnum):
    """How an answer came out of an exercise's tests."""

    FULL = "full"  # all points
    LESS = "less"  # some or none
    TIME = "time"  # it had to be ended


@dataclass(frozen=True, slots=True)
class Exercise:
    """A function that students write: what runs before it, the answer, the tests of it."""

    name: str
    setup: str
    solution: str
    tests: tuple[tuple[str, float], ...]

    @property
    def points(self) -> float:
        """The points of all tests."""
        return sum(most for _, most in self.tests)


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
        return 1 - len(self.survivors) / wrong


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return the exercises of all our notebooks that are functions to be written."""
    found: list[Exercise] = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        setup: list[str] = []
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            meta, source = cell["metadata"].get("nbgrader", {}), "".join(cell["source"])
            if cell["cell_type"] != "code":
                continue
            if meta.get("solution"):
                solution = source.replace(_BEGIN, "").replace(_END, "")
                found.append(Exercise(meta["grade_id"], "\n".join(setup), solution, ()))
            elif meta.get("grade"):
                last = found[-1]
                tests = (*last.tests, (source, float(meta["points"])))
                found[-1] = Exercise(last.name, last.setup, last.solution, tests)
            elif meta:
                setup.append(source)
    return tuple(found)


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
            found += [Outcome.FULL if byte == _FULL else Outcome.LESS for byte in pipe.read()]
        os.waitpid(process, 0)
        if len(found) < len(answers):  # the next one took too long, or ended the process
            found.append(Outcome.TIME)
    return found


def _run_forked(exercise: Exercise, answers: Sequence[str], writing: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    warnings.simplefilter("ignore")  # what goes to stderr costs nothing
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        for answer in answers:
            signal.alarm(_SECONDS)
            is_full = points(exercise, answer) >= exercise.points
            os.write(writing, bytes([_FULL if is_full else _LESS]))


def examine(exercise: Exercise) -> Result:
    """Run every mutant of an exercise's solution; raise ``ValueError`` if that itself fails."""
    # Run here, it also loads what the tests import, once for all forks.
    if points(exercise, exercise.solution) < exercise.points:
        msg = f"the reference solution of {exercise.name} does not pass its own tests"
        raise ValueError(msg)
    made = mutants(exercise.solution)
    outcomes = run(exercise, [mutant.code for mutant in made])
    full = [mutant for mutant, found in zip(made, outcomes, strict=True) if found is Outcome.FULL]
    known = EQUIVALENT.get(exercise.name, {})
    equivalent = tuple(mutant for mutant in full if mutant.change in known)
    survivors = tuple(mutant for mutant in full if mutant.change not in known)
    return Result(exercise, tuple(made), survivors, equivalent)


#: Right answers that look different: loops, whole arrays, another type, torch where it may be used.
VARIANTS: dict[str, dict[str, str]] = {
    "compute_gae": {
        "one number at a time": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                advantages = np.empty_like(rewards)
                for n in range(envs):
                    following = 0.0
                    for t in range(steps - 1, -1, -1):
                        done = last_done[n] if t == steps - 1 else dones[t + 1, n]
                        value = last_value[n] if t == steps - 1 else values[t + 1, n]
                        delta = rewards[t, n] + gamma * (1 - done) * value - values[t, n]
                        following = delta + gamma * gae_lambda * (1 - done) * following
                        advantages[t, n] = following
                return advantages, advantages + values
        """,
        "forwards, as a sum for each step": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                going = 1 - np.concatenate([dones[1:], last_done[None]])
                after = np.concatenate([values[1:], last_value[None]])
                delta = rewards + gamma * after * going - values
                advantages = np.zeros(rewards.shape)
                for t in range(len(rewards)):
                    weights = np.cumprod(gamma * gae_lambda * going[t:-1], axis=0)
                    weights = np.concatenate([np.ones((1, rewards.shape[1])), weights])
                    advantages[t] = (weights * delta[t:]).sum(axis=0)
                advantages = advantages.astype(rewards.dtype)
                return advantages, (advantages + values).astype(rewards.dtype)
        """,
        "without a loop": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                going = 1.0 - np.vstack([dones[1:], last_done])
                delta = rewards + gamma * np.vstack([values[1:], last_value]) * going - values
                advantages = np.empty_like(rewards)
                for n in range(envs):
                    system = np.eye(steps) - np.diag(gamma * gae_lambda * going[:-1, n], 1)
                    advantages[:, n] = np.linalg.solve(system, delta[:, n])
                return advantages, values + advantages
        """,
        "as Stable-Baselines3 writes it": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                buffer_size = rewards.shape[0]
                advantages = np.zeros_like(rewards)
                last_gae_lam = 0
                for step in reversed(range(buffer_size)):
                    if step == buffer_size - 1:
                        next_non_terminal = 1.0 - last_done.astype(np.float32)
                        next_values = last_value
                    else:
                        next_non_terminal = 1.0 - dones[step + 1]
                        next_values = values[step + 1]
                    delta = rewards[step] + gamma * next_values * next_non_terminal - values[step]
                    last_gae_lam = delta + gamma * gae_lambda * next_non_terminal * last_gae_lam
                    advantages[step] = last_gae_lam
                return advantages, advantages + values
        """,
        "computed in float64": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                r, v, d = (np.asarray(x, dtype=np.float64) for x in (rewards, values, dones))
                out, carry = [], 0.0
                v_next, d_next = np.float64(last_value), np.float64(last_done)
                for i in range(len(r))[::-1]:
                    carry = r[i] - v[i] + gamma * (1 - d_next) * (v_next + gae_lambda * carry)
                    out.insert(0, carry)
                    v_next, d_next = v[i], d[i]
                advantages = np.array(out)
                return advantages.astype(rewards.dtype), (advantages + v).astype(rewards.dtype)
        """,
        "in torch": """
            import torch
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                r, v = torch.tensor(rewards), torch.tensor(values)
                v_next = torch.cat([v[1:], torch.tensor(last_value)[None]])
                going = 1 - torch.cat([torch.tensor(dones)[1:], torch.tensor(last_done)[None]])
                delta = r + gamma * going * v_next - v
                advantages, carry = torch.zeros_like(r), torch.zeros_like(r[0])
                for t in reversed(range(len(r))):
                    carry = advantages[t] = delta[t] + gamma * gae_lambda * going[t] * carry
                return advantages.numpy(), (advantages + v).numpy()
        """,
    },
    "clipped_surrogate_loss": {
        "one sample at a time": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                total = 0.0
                for log, advantage in zip(logratio, advantages):
                    ratio = float(np.exp(log))
                    inside = min(max(ratio, 1 - clip_range), 1 + clip_range)
                    total += min(ratio * advantage, inside * advantage)
                return -total / len(logratio)
        """,
        "by the sign of the advantage": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(logratio)
                good = np.minimum(ratio, 1 + clip_range)
                bad = np.maximum(ratio, 1 - clip_range)
                return -(np.where(advantages > 0, good, bad) * advantages).mean()
        """,
        "as the maximum of two losses": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(logratio)
                first = -advantages * ratio
                second = -advantages * ratio.clip(1 - clip_range, 1 + clip_range)
                return float(np.maximum(first, second).mean())
        """,
        "an array without dimensions": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(np.asarray(logratio, dtype=np.float64))
                inside = np.clip(ratio, 1 - clip_range, 1 + clip_range)
                return np.array(-np.mean(np.minimum(ratio * advantages, inside * advantages)))
        """,
        "in torch, as a float": """
            import torch
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio, advantages = torch.tensor(logratio).exp(), torch.tensor(advantages)
                inside = torch.clamp(ratio, 1 - clip_range, 1 + clip_range)
                return -torch.min(ratio * advantages, inside * advantages).mean().item()
        """,
        "in torch, as a tensor": """
            import torch
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio, advantages = torch.tensor(logratio).exp(), torch.tensor(advantages)
                inside = ratio.clamp(1 - clip_range, 1 + clip_range)
                return -torch.minimum(ratio * advantages, inside * advantages).mean()
        """,
    },
}


def variants(exercise: Exercise) -> dict[str, str]:
    """Return the correct variants of an exercise's solution by name."""
    return {name: textwrap.dedent(code) for name, code in VARIANTS[exercise.name].items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if an exercise misses too many, or refuses a right answer."""
    parser = argparse.ArgumentParser(description="Mutants of the notebooks' reference solutions.")
    parser.add_argument("--all", action="store_true", help="print every mutant, not survivors only")
    options = parser.parse_args(arguments)
    results = [examine(exercise) for exercise in exercises()]
    import torch  # once for all variants, and after the mutants: a small process forks faster

    torch.set_num_threads(1)  # a fork does not take the other threads along
    is_good = True
    print(f"{'exercise':<26}{'mutants':>8}{'equivalent':>12}{'caught':>8}{'variants':>10}")
    for result in results:
        exercise = result.exercise
        right = variants(exercise)
        outcomes = dict(zip(right, run(exercise, list(right.values())), strict=True))
        refused = [name for name in right if outcomes[name] is not Outcome.FULL]
        is_good = is_good and result.caught >= LEAST_CAUGHT and not refused
        print(
            f"{exercise.name:<26}{len(result.mutants):>8}{len(result.equivalent):>12}"
            f"{result.caught:>8.1%}{len(right) - len(refused):>7}/{len(right)}"
        )
        for mutant in result.mutants if options.all else result.survivors:
            print(f"    {'SURVIVED ' if mutant in result.survivors else ''}{mutant.change}")
        for name in refused:
            print(f"    REFUSED {name}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
