"""What each implementation detail of PPO does: every ablation of the course, computed again.

    python benchmarks/ablations.py                      # all 41, with seeds 1 to 5
    python benchmarks/ablations.py core-5 atari-7       # only these
    python benchmarks/ablations.py --seeds 10           # more seeds, the first ones as before
    python benchmarks/ablations.py --check              # compute nothing; print the table

Writes a file of less than 8 kB for each detail into ``jupyter_ppo/widgets/ablation_data``, which is
what ``show_ablation`` and ``docs/ablations.md`` read. Every finished run is kept in
``.artifacts/ablations`` by what it depends on: a script that was interrupted goes on where it
stopped, and runs that several details have in common are done once. Delete that folder after a
change of the code. All of it takes about 20 minutes of one core; ``--processes`` uses more of
them. Numbers depend a little on the processor and on the version of PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from harness import table

from jupyter_ppo.domain.ablations import AblationResult, interval_text
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.training.ablation.running import run_ablation
from jupyter_ppo.widgets.ablation_files import ABLATION_FOLDER, load_ablation

KEPT = Path(__file__).parent.parent / ".artifacts" / "ablations"
LARGEST_FILE = 8 * 1024


def compute(key: str, seeds: list[int], folder: Path, kept: Path) -> str:
    """Run one ablation, write its file, and say how long it took."""
    torch.set_num_threads(1)
    began = time.monotonic()
    result = run_ablation(key, seeds, folder=kept)
    text = json.dumps(result.to_dict(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if len(text.encode()) >= LARGEST_FILE:
        msg = f"{key}: {len(text.encode())} bytes are too many."
        raise ValueError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{key}.partial"
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(folder / f"{key}.json")
    return f"{key}: {time.monotonic() - began:.0f} s. {result.sentence}"


def rows(folder: Path) -> list[list[str]]:
    """Return a row for each variant of what is there."""
    found: list[list[str]] = []
    for detail in DETAILS:
        result = load_ablation(detail.key, folder)
        if result is None:
            found.append([detail.key, detail.title, "not measured yet", "", ""])
        else:
            found += _rows_of(result)
    return found


def _rows_of(result: AblationResult) -> list[list[str]]:
    found = []
    for place, variant in enumerate(result.variants):
        names = [result.key, result.title] if place == 0 else ["", ""]
        better = variant.better
        chance = ""
        if better is not None:
            chance = f"{better.probability:.2f} [{better.low:.2f}, {better.high:.2f}]"
        found.append([*names, variant.label, interval_text(variant), chance])
    return found


def main() -> int:
    """Run what is asked for."""
    known = [detail.key for detail in DETAILS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("keys", nargs="*", help="details; all of them when none is named")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 1; at least 5")
    parser.add_argument("--processes", type=int, default=1, help="ablations at the same time")
    parser.add_argument("--folder", type=Path, default=ABLATION_FOLDER, help="where files go")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where finished runs are kept")
    parser.add_argument("--again", action="store_true", help="also those that are there already")
    parser.add_argument("--check", action="store_true", help="only print the table")
    options = parser.parse_args()
    unknown = [key for key in options.keys if key not in known]
    if unknown:
        parser.error(f"no such detail: {', '.join(unknown)}")
    if options.seeds < 5:
        parser.error("--seeds: at least 5, or the intervals say nothing")
    seeds = list(range(1, options.seeds + 1))
    if not options.check:
        wanted = options.keys or known
        os.environ["OMP_NUM_THREADS"] = "1"
        if not options.again:
            wanted = [key for key in wanted if not _is_done(key, seeds, options.folder)]
        _run(wanted, seeds, options.folder, options.kept, options.processes)
    print(table(["detail", "title", "variant", "IQM [95 %]", "P(better)"], rows(options.folder)))
    return 0


def _is_done(key: str, seeds: list[int], folder: Path) -> bool:
    result = load_ablation(key, folder)
    return result is not None and list(result.seeds) == seeds


def _run(keys: list[str], seeds: list[int], folder: Path, kept: Path, processes: int) -> None:
    if processes == 1:
        for key in keys:
            print(compute(key, seeds, folder, kept), flush=True)
        return
    with ProcessPoolExecutor(processes) as pool:
        waiting = [pool.submit(compute, key, seeds, folder, kept) for key in keys]
        for future in waiting:
            print(future.result(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
