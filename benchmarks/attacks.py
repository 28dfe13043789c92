"""Every attack of the corpus on ``nbgrader autograde`` and on grading here: which one resisted.

An attack is resisted if every wrong answer got no more than it deserves, every right one no less,
nobody else suffered, and nothing leaked or lived on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attack_nbgrader
from attack_corpus import Attack, corpus
from harness import environment, table
from tqdm import tqdm


def on_nbgrader(attacks: list[Attack], folder: Path, at_once: int) -> dict[str, str]:
    """Return in what each attack succeeded on nbgrader; empty if it was resisted."""

    def one(attack: Attack) -> tuple[str, str]:
        if attack.not_run:
            return attack.name, f"not run: {attack.not_run}"
        return attack.name, attack_nbgrader.tried(attack, folder / attack.name)

    with ThreadPoolExecutor(at_once) as pool:
        found = pool.map(one, attacks)
        return dict(tqdm(found, total=len(attacks), desc="nbgrader", unit="attack", disable=None))


def main() -> int:
    """Try them, print the table; return 1 if one succeeds here."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("attacks", nargs="*", help="numbers, such as A3; all without")
    options.add_argument("--only", choices=("nbgrader", "here"), help="one side")
    options.add_argument("--at-once", type=int, default=2, help="courses of nbgrader at once")
    chosen = options.parse_args()
    attacks = [each for each in corpus() if not chosen.attacks or each.number in chosen.attacks]
    print(environment(), flush=True)
    theirs: dict[str, str] = {}
    ours: dict[str, str] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if chosen.only != "here":
            theirs = on_nbgrader(attacks, Path(folder) / "nbgrader", chosen.at_once)
        if chosen.only != "nbgrader":
            import attack_here

            from jupyter_ppo.sandbox.notebook import ContainerSandbox

            status = ContainerSandbox().status()
            if not status.available:
                sys.exit(f"{status.problem} {status.remedy or ''}")
            ours = attack_here.tried(attacks, Path(folder))
    rows = [
        (each.number, each.title, verdict(theirs, each), verdict(ours, each)) for each in attacks
    ]
    print(table(("", "attack", "nbgrader autograde resisted", "resisted here"), rows))
    for name, found in (("nbgrader autograde", theirs), ("here", ours)):
        if found:
            print(f"\n{name}: {sum(not said for said in found.values())} of {len(found)} resisted")
    return 1 if any(ours.values()) else 0


def verdict(found: dict[str, str], attack: Attack) -> str:
    """Return a cell of the table."""
    if attack.name not in found:
        return ""
    said = " ".join(found[attack.name].split())[:160]
    if said.startswith("not run"):
        return said
    return f"no: {said}" if said else "yes"


if __name__ == "__main__":
    sys.exit(main())
