"""What the course's checks compare with a bar after training, at seeds of our choice.

The measured code is that of the notebooks' own test cells; only its seeds are replaced. Numbers
are kept in ``.artifacts/return-bars`` by the code that made them, so that an interrupted run goes
on where it was.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from exercises import NOTEBOOKS, Exercise, exercises

from jupyter_ppo import checks

#: The loop of a check over the seeds that it tries.
_TRIED = r"for seed in \(([^)]*)\):"
KEPT = NOTEBOOKS.parent / ".artifacts" / "return-bars"
#: The values of one training, by the name of the bar; None where nothing came out.
Values = dict[str, float | None]
Names = dict[str, Any]
Measure = Callable[[Names, str, dict[str, str], int], Values]


@dataclass(frozen=True, slots=True)
class Bar:
    """A value that a check compares after training: where it stands, and what is enough."""

    name: str
    cell: str
    what: str
    #: The comparison in the cell, with the least value in its group; without one, see ``ALL``.
    compared: str = ""
    #: The loop over the seeds that the check tries, of which the best counts; without one, one.
    tried: str = ""

    def limit(self, cells: dict[str, str]) -> float:
        """Return the least value that the check takes; raise ``ValueError`` if there is none."""
        return float(_only(self.compared, cells[self.cell])) if self.compared else ALL[self.name]

    def attempts(self, cells: dict[str, str]) -> int:
        """Return of how many seeds the best counts."""
        if not self.tried:
            return 1
        seeds = _only(self.tried, cells[self.cell]).split(",")
        return len([seed for seed in seeds if seed.strip()])


#: Bars that are a number of comparisons, all of which must hold.
ALL = {"small table": 3.0, "probes 1 to 3": 4.0, "probes 4 to 6": 3.0}


def _only(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    if len(found) != 1:
        msg = f"the cell has {len(found)} places like {pattern!r}"
        raise ValueError(msg)
    return str(found[0])


@dataclass(frozen=True, slots=True)
class Study:
    """Bars of an exercise that are measured together, with the same training."""

    title: str
    notebook: str
    name: str
    bars: tuple[Bar, ...]
    measure: Measure = field(repr=False)

    @property
    def exercise(self) -> Exercise:
        """The exercise, with the solution and the tests of the notebook."""
        return exercise(self.notebook, self.name)

    @property
    def cells(self) -> dict[str, str]:
        """The sources of the exercise's test cells by their names, in order."""
        return _test_cells(self.exercise)

    def run(self, answer: str, seed: int) -> Values:
        """Train ``answer`` once, with seeds made from ``seed``; return what the bars compare."""
        names: Names = {"__name__": "__main__"}
        exec(self.exercise.setup, names)  # noqa: S102 - ours, as everywhere here
        return self.measure(names, answer, self.cells, seed)

    def lost(self, answer: str) -> tuple[str, ...]:
        """Return the test cells in which ``answer`` loses points, with the cells' own seeds.

        An answer that brings along the function of another exercise is asked there, too.
        """
        others = [one for one in exercises(self.notebook) if f"def {one.name}(" in answer]
        return tuple(key for one in others for key in _lost(one, answer))


def exercise(notebook: str, name: str) -> Exercise:
    """Return an exercise of a notebook."""
    (found,) = (one for one in exercises(notebook) if one.name == name)
    return found


def _lost(exercise: Exercise, answer: str) -> list[str]:
    names: Names = {"__name__": "__main__"}
    exec(exercise.setup, names)  # noqa: S102
    _attempt(answer, names)
    found, points = [], dict(exercise.tests)
    for key, source in _test_cells(exercise).items():
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(source, names)  # noqa: S102
            is_full = not source.rstrip().endswith("checks.points")
            is_full = is_full or names["checks"].points >= points[source]
        except Exception:  # whatever it is, it costs the cell's points
            is_full = False
        found += [] if is_full else [key]
    return found


def _test_cells(exercise: Exercise) -> dict[str, str]:
    graded, wanted = _graded_cells(exercise.notebook), dict(exercise.tests)
    return {key: text for key, text in graded.items() if text in wanted}


def kept_path(study: Study, answer: str) -> Path:
    """Return the file for the values of an answer; limits and the seeds tried are not its code."""
    code = [study.exercise.setup, answer]
    for key, text in study.cells.items():
        bars = [bar for bar in study.bars if bar.cell == key and bar.compared]
        for limit in {_only(bar.compared, text) for bar in bars}:
            text = re.sub(rf">= {re.escape(limit)}\b", ">= limit", text)  # noqa: PLW2901
        code += [text] if any(bar.cell == key for bar in study.bars) else []
    text = re.sub(_TRIED, "", "\n".join(code))
    return KEPT / f"{study.title}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _reinforce(names: Names, answer: str, cells: dict[str, str], seed: int) -> Values:
    exec(answer, names)  # noqa: S102
    cell = cells["train_property"]
    tools = _between(cell, "import gymnasium as gym", "generator = np.random.default_rng(3950)")
    table = _between(cell, "generator = np.random.default_rng(3950)", "best_mean = 0.0")
    pole = _between(cell, "best_mean = 0.0", "")
    exec(tools, names)  # noqa: S102
    _attempt(_replaced(table, r"Die\(seed=\d+\)", f"Die(seed={seed})"), names)
    found = names["numbers"](names["new"]).argmax(axis=1) if "new" in names else None
    right = None if found is None else float((found == names["best"]).sum())
    names["best_mean"] = None
    _attempt(_replaced(pole, _TRIED, f"for seed in ({seed},):"), names)
    return {"small table": right, "short CartPole": names["best_mean"]}


def _probes(names: Names, answer: str, cells: dict[str, str], seed: int) -> Values:
    exec(answer, names)  # noqa: S102
    return {
        "probes 1 to 3": _probes_passed(names, cells["train_by_hand"], seed),
        "probes 4 to 6": _probes_passed(names, cells["train_random"], seed),
    }


def _pole(names: Names, answer: str, cells: dict[str, str], seed: int) -> Values:
    exec(answer, names)  # noqa: S102
    pole = _between(cells["train_properties"], "def greedy(", "")
    names |= {"examine_policy": checks.examine_policy, "best_mean": None}
    _attempt(_replaced(pole, _TRIED, f"for seed in ({seed},):"), names)
    return {"CartPole": names["best_mean"]}


def _probes_passed(names: Names, cell: str, seed: int) -> float:
    """Return how many of the asserts on trained probes hold before the first that does not."""
    answer, passed, is_probe = names["train_ppo"], 0, False

    def shifted(env_id: str, config: dict[str, Any], own: int, log: Any = None) -> Any:
        return answer(env_id, config, own + 100 * seed, log)

    names["train_ppo"] = shifted
    for statement in ast.parse(cell).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "learned":
            _exec(statement, names)
        elif isinstance(statement, ast.Assign):
            is_probe = ast.unparse(statement.value).startswith("learned(")
        if is_probe:
            try:
                _exec(statement, names)
            except Exception:  # the cell ends here
                break
            passed += isinstance(statement, ast.Assert)
        is_probe = is_probe and isinstance(statement, ast.Assign | ast.Assert)
    names["train_ppo"] = answer
    return float(passed)


def _capstone(names: Names, answer: str, cells: dict[str, str], seed: int) -> Values:
    """Train with eight training seeds that no other ``seed`` has, and sit the examination."""
    first = len(names["TRAINING_SEEDS"]) * seed + names["TRAINING_SEEDS"].start
    names["TRAINING_SEEDS"] = range(first, first + len(names["TRAINING_SEEDS"]))
    _attempt(answer, names)
    with _reports() as reports:
        _attempt(cells["capstone_random"], names)
        mean = reports[0].mean if reports else None
        reports.clear()
        _attempt(cells["capstone_properties"], names)
        low = min(report.low for report in reports) if len(reports) == 3 else None
    return {"CartPole": mean, "other poles": low}


@contextlib.contextmanager
def _reports() -> Iterator[list[checks.PolicyReport]]:
    """Keep what ``examine_policy`` finds while a test cell runs."""
    found: list[checks.PolicyReport] = []
    examine = checks.examine_policy

    def kept(*arguments: Any, **options: Any) -> checks.PolicyReport:
        found.append(examine(*arguments, **options))
        return found[-1]

    checks.examine_policy = kept
    try:
        yield found
    finally:
        checks.examine_policy = examine


def _attempt(source: str, names: Names) -> None:
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        exec(source, names)  # noqa: S102


def _exec(statement: ast.stmt, names: Names) -> None:
    exec(compile(ast.Module([statement], []), "<cell>", "exec"), names)  # noqa: S102


def _between(text: str, first: str, last: str) -> str:
    """Return the text from ``first`` to before ``last``; raise ``ValueError`` without them."""
    begin = text.index(first)
    return text[begin : text.index(last, begin + 1) if last else len(text)]


def _replaced(text: str, pattern: str, new: str) -> str:
    made, count = re.subn(pattern, new, text)
    if count != 1:
        msg = f"the cell has {count} places like {pattern!r}"
        raise ValueError(msg)
    return made


@cache
def _graded_cells(notebook: str) -> dict[str, str]:
    text = (NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8")
    graded = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    metas = [(cell["metadata"].get("nbgrader", {}), "".join(cell["source"])) for cell in graded]
    return {meta["grade_id"]: source for meta, source in metas if meta.get("grade")}


_PROBES = "comparisons that hold, of {}, of values and probabilities after training on probes"
STUDIES = (
    Study(
        "reinforce",
        "03-reinforce",
        "train_reinforce",
        (
            Bar("small table", "train_property", "observations with the right action, of 3"),
            Bar(
                "short CartPole",
                "train_property",
                "mean steps, at most 200, of 20 episodes; trained on 32 episodes of at most 30",
                r"assert best_mean >= ([\d.]+)",
                _TRIED,
            ),
        ),
        _reinforce,
    ),
    Study(
        "probes",
        "08-ppo",
        "train_ppo",
        (
            Bar("probes 1 to 3", "train_by_hand", _PROBES.format(4)),
            Bar("probes 4 to 6", "train_random", _PROBES.format(3)),
        ),
        _probes,
    ),
    Study(
        "pole",
        "08-ppo",
        "train_ppo",
        (
            Bar(
                "CartPole",
                "train_properties",
                "mean return of 20 episodes, greedy; trained for 12 updates of 1,024 steps",
                r"assert best_mean >= ([\d.]+)",
                _TRIED,
            ),
        ),
        _pole,
    ),
    Study(
        "capstone",
        "12-capstone",
        "train_capstone",
        (
            Bar(
                "CartPole",
                "capstone_random",
                "mean return of 20 episodes on held-out seeds",
                r"assert report\.mean >= ([\d.]+)",
            ),
            Bar(
                "other poles",
                "capstone_properties",
                "the least of three lower ends of the 95 % interval of the mean return",
                r"assert report\.low >= ([\d.]+)",
            ),
        ),
        _capstone,
    ),
)
