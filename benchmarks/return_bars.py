"""Do the bars on returns of the course's checks let right answers pass, and broken ones not?

    python benchmarks/return_bars.py [study ...] [--seeds N] [--broken N]   train and measure
    python benchmarks/return_bars.py --report                                  write the tables

Each answer trains with N seeds (the reference solution with ``--seeds``, each broken answer with
``--broken``), measured by the notebook's own test cell. Values are kept in .artifacts/return-bars;
the tables go into docs/course-checks.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from course_tables import DOCS, write
from return_measures import STUDIES, Study, Values, kept_path
from return_report import REFERENCE, Measured, broken_table, pooled, reference_table
from return_variants import broken_answers

#: Seeds start far from those of the checks.
FIRST_SEED = 1000


@dataclass(slots=True)
class Kept:
    """The values of one answer by seed, and the cells in which it loses points; in a file."""

    path: Path
    #: Of which test cells ``lost`` speaks.
    checks: str
    runs: dict[int, Values]
    lost: tuple[str, ...] | None

    def save(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = {"runs": self.runs, "lost": self.lost, "checks": self.checks}
        self.path.write_text(json.dumps(data), encoding="utf-8")


def kept(study: Study, answer: str) -> Kept:
    """Return what was measured before; what other test cells have said is no longer known."""
    path = kept_path(study, answer)
    checks = hashlib.sha256(repr(study.cells).encode()).hexdigest()
    if not path.exists():
        return Kept(path, checks, {}, None)
    data = json.loads(path.read_text(encoding="utf-8"))
    is_known = data["lost"] is not None and data.get("checks") == checks
    runs = {int(seed): values for seed, values in data["runs"].items()}
    return Kept(path, checks, runs, tuple(data["lost"]) if is_known else None)


def answers(study: Study) -> dict[str, str]:
    """Return the sources of the reference solution and of the broken answers by their names."""
    return {REFERENCE: study.exercise.solution, **broken_answers(study.exercise)}


def measure(study: Study, reference: int, broken: int) -> None:
    """Train what is missing of so many seeds, one seed of all answers after the other."""
    known = {name: kept(study, answer) for name, answer in answers(study).items()}
    for k in range(max(reference, broken)):
        for name, answer in answers(study).items():
            seed, found = FIRST_SEED + k, known[name]
            if k >= (reference if name == REFERENCE else broken) or seed in found.runs:
                continue
            begin = time.process_time()
            found.runs[seed] = study.run(answer, seed)
            used = time.process_time() - begin
            print(f"{study.title:10} {seed} {used:5.1f} s  {found.runs[seed]}  {name}", flush=True)
            found.save()
    for name, answer in answers(study).items():
        if known[name].runs and known[name].lost is None:
            known[name].lost = lost_elsewhere(study, answer) or study.lost(answer)
            known[name].save()
            print(f"{study.title:10} loses points in {known[name].lost}  {name}", flush=True)


def lost_elsewhere(study: Study, answer: str) -> tuple[str, ...]:
    """Return where ``answer`` loses points, if another study of the exercise has found it."""
    others = (other for other in STUDIES if other.name == study.name and other != study)
    return next((found for one in others if (found := kept(one, answer).lost)), ())


def report() -> None:
    """Write the tables of what was measured into the documentation."""
    known = [(study, measured(study)) for study in STUDIES]
    parts = [reference_table(known)]
    for study, answers_ in known:
        parts += [pooled(study, answers_), broken_table(study, answers_)]
    write(DOCS / "course-checks.md", {"return-bars": "\n\n".join(parts)})


def measured(study: Study) -> dict[str, Measured]:
    """Return what was measured of each answer; raise ``ValueError`` if one was not."""
    found = {}
    for name, answer in answers(study).items():
        of = kept(study, answer)
        lost = of.lost if of.lost is not None else lost_elsewhere(study, answer)
        if not of.runs or (of.lost is None and not lost and name != REFERENCE):
            msg = f"{study.title}, {name}: run python benchmarks/return_bars.py {study.title} first"
            raise ValueError(msg)
        found[name] = Measured(of.runs, lost)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write what was measured."""
    known = [study.title for study in STUDIES]
    parser = argparse.ArgumentParser(description="The bars on returns of the course's checks.")
    parser.add_argument("studies", nargs="*", help=f"default: {', '.join(known)}")
    parser.add_argument("--seeds", type=int, default=100, help="of the reference solution")
    parser.add_argument("--broken", type=int, default=10, help="seeds of each broken answer")
    parser.add_argument("--report", action="store_true", help="write the tables, train nothing")
    options = parser.parse_args(arguments)
    if options.report:
        report()
        return 0
    torch.set_num_threads(1)
    for study in STUDIES:
        if not options.studies or study.title in options.studies:
            measure(study, options.seeds, options.broken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
