"""What training runs cost, against Stable-Baselines3's ``learn()`` without any of this.

Steps per second and per CPU second of our worker and of the teaching PPO; the preset
``cartpole-fast`` against SB3's defaults; how fast a kernel answers while a run trains; how fast the
metrics of a long run open. Everything that is compared runs in turns, each training in a process
of its own. Ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import environment, table
from tqdm import tqdm
from training_report import Outcome, at_least, median_and_range
from training_view import answering, opening

from jupyter_ppo.domain.presets import Preset, spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.launch import create_run

STREAMING_BAR, WORKER_BAR, TEACHING_BAR, PRESET_BAR, SOLVING_BAR = 0.99, 1.08, 1.6, 4.0, 6.0
SOLVED, EVAL_EVERY, EVAL_EPISODES = 475.0, 2048, 20
#: About five seconds of training each; whole rollouts.
STEPS = {Preset.RL_ZOO: 40_960, Preset.CARTPOLE_FAST: 65_536, Preset.SB3_DEFAULTS: 16_384}
#: How often the reader of a run looks, as the widget and the WebSocket do.
LOOK_SECONDS = 0.1
CHILD = Path(__file__).with_name("training_child.py")


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to train: how the table calls it, what the child calls it, and PyTorch's threads."""

    label: str
    child: str
    threads: int | None = 1  # None: as many as PyTorch takes by itself


BARE = Kind("bare SB3 learn()", "bare", None)
BARE_ONE = Kind("bare SB3 learn(), 1 thread", "bare")
SAME = Kind("SB3 learn(), the worker's environments, Adam and threads", "same")
WORKER = Kind("our worker, followed at 10 Hz", "worker")
TEACHING = Kind("teaching PPO", "teaching")
ALL = (BARE, BARE_ONE, SAME, WORKER, TEACHING)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one training: on the clock, of processor time, and the latter in evaluations.

    ``solved_at`` is the step of the first evaluation that reached the spec's target, if one did.
    """

    wall: float
    cpu: float
    evaluating: float
    solved_at: int | None


def train_once(kind: Kind, spec: RunSpec, directory: Path) -> Cost:
    """Train in a process of its own; follow the run when there is one."""
    variables = dict(os.environ)
    if kind.threads is not None:
        variables.update(OMP_NUM_THREADS=str(kind.threads), MKL_NUM_THREADS=str(kind.threads))
    run = create_run(spec, directory) if kind is WORKER else None
    child = subprocess.Popen(
        [sys.executable, str(CHILD), kind.child, json.dumps(spec.to_dict()), str(directory)],
        stdout=subprocess.PIPE,
        env=variables,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        while run is not None and child.poll() is None:
            run.metrics()
            time.sleep(LOOK_SECONDS)
        output = child.stdout.read()
    if child.wait() != 0:
        sys.exit(f"{kind.label} failed. {run.status().message if run is not None else ''}")
    return Cost(**json.loads(output.splitlines()[-1]))


def speed(folder: Path, repeats: int, divisor: int) -> list[Outcome]:
    """Compare steps per second of all kinds and presets."""
    rows = [(preset, kind) for preset in (Preset.RL_ZOO, Preset.CARTPOLE_FAST) for kind in ALL]
    rows += [(Preset.SB3_DEFAULTS, kind) for kind in (BARE, WORKER)]
    costs: dict[tuple[Preset, Kind], list[Cost]] = {row: [] for row in rows}
    steps = {preset: count // divisor for preset, count in STEPS.items()}
    with tqdm(total=repeats * len(rows), desc="speed", unit="run", disable=None) as progress:
        for number in range(repeats):
            for preset, kind in reversed(rows) if number % 2 else rows:
                # Evaluations have their own table.
                spec = spec_from_preset(
                    preset, env_id="CartPole-v1", total_steps=steps[preset], eval_every=0
                )
                directory = folder / f"{preset}-{kind.child}-{kind.threads}-{number}"
                costs[preset, kind].append(train_once(kind, spec, directory))
                progress.update()
    shown = []
    for preset, kind in rows:
        found, count = costs[preset, kind], steps[preset]
        per_second = median_and_range([count / cost.wall for cost in found], 0)
        per_cpu = median_and_range([count / cost.cpu for cost in found], 0)
        shown.append((preset.value, kind.label, per_second, per_cpu))
    print(f"\nSteps per second and per CPU second, {repeats} repeats: median (lowest to highest)\n")
    print(table(("preset", "how", "steps/s", "steps/CPU s"), shown))

    def ratios(preset: Preset, slow: Kind, fast: Kind, of: Callable[[Cost], float]) -> list[float]:
        pairs = zip(costs[preset, slow], costs[preset, fast], strict=True)
        return [of(one) / of(other) for one, other in pairs]

    def cpu(cost: Cost) -> float:
        return cost.cpu

    def wall(cost: Cost) -> float:
        return cost.wall

    outcomes = []
    for preset in (Preset.RL_ZOO, Preset.CARTPOLE_FAST):
        against = f"{preset}: our worker, streaming, of SB3 learn() with the same spec"
        for unit, of in (("steps/s", wall), ("steps/CPU s", cpu)):
            found_ratios = ratios(preset, SAME, WORKER, of)
            outcomes.append(at_least(f"{against}, {unit}", found_ratios, STREAMING_BAR))
        for kind, slow, bar in (
            (WORKER, BARE, WORKER_BAR),
            (WORKER, BARE_ONE, None),  # the number of threads is part of what the worker brings
            (TEACHING, BARE, TEACHING_BAR),
            (TEACHING, BARE_ONE, TEACHING_BAR),
        ):
            what = f"{preset}: {kind.label}, of {slow.label}, steps/CPU s"
            outcomes.append(at_least(what, ratios(preset, slow, kind, cpu), bar))
    fast = costs[Preset.CARTPOLE_FAST, WORKER]
    for kind in (BARE, WORKER):
        slow_costs = costs[Preset.SB3_DEFAULTS, kind]
        per_step = steps[Preset.CARTPOLE_FAST] / steps[Preset.SB3_DEFAULTS]
        values = [
            per_step * one.wall / other.wall for one, other in zip(slow_costs, fast, strict=True)
        ]
        what = f"cartpole-fast in our worker, of sb3-defaults in {kind.label}, steps/s"
        outcomes.append(at_least(what, values, PRESET_BAR))
    return outcomes


def solving(folder: Path, seeds: int) -> list[Outcome]:
    """Compare CPU seconds until the first evaluation of 475.

    The evaluations are the same everywhere and made to measure, so the bar is for training; the
    ratio with evaluations is shown too.
    """
    fast = (Preset.CARTPOLE_FAST, WORKER)
    slow = [(Preset.SB3_DEFAULTS, kind) for kind in (BARE, BARE_ONE, WORKER)]
    rows = [*slow, fast]
    costs: dict[tuple[Preset, Kind], list[Cost]] = {row: [] for row in rows}
    with tqdm(total=seeds * len(rows), desc="solving", unit="run", disable=None) as progress:
        for seed in range(seeds):
            for preset, kind in reversed(rows) if seed % 2 else rows:
                spec = spec_from_preset(
                    preset,
                    env_id="CartPole-v1",
                    seed=seed,
                    target_return=SOLVED,
                    target_evaluations=1,
                    eval_every=EVAL_EVERY,
                    eval_episodes=EVAL_EPISODES,
                )
                directory = folder / f"solve-{preset}-{kind.child}-{kind.threads}-{seed}"
                costs[preset, kind].append(train_once(kind, spec, directory))
                progress.update()

    def training(cost: Cost) -> float:
        return math.inf if cost.solved_at is None else cost.cpu - cost.evaluating

    def everything(cost: Cost) -> float:
        return math.inf if cost.solved_at is None else cost.cpu

    print(
        f"\nUntil the first evaluation of {SOLVED:g} ({EVAL_EPISODES} episodes on held-out seeds, "
        f"every {EVAL_EVERY} steps), {seeds} seeds: median (lowest to highest)\n"
    )
    shown = [
        (
            preset.value,
            kind.label,
            median_and_range([cost.solved_at or math.inf for cost in found], 0),
            median_and_range([training(cost) for cost in found]),
            median_and_range([everything(cost) for cost in found]),
        )
        for (preset, kind), found in costs.items()
    ]
    head = ("preset", "how", "steps", "CPU s, training", "CPU s, evaluations too")
    print(table(head, shown))
    outcomes = []
    for row in slow:
        for label, of in (("training", training), ("evaluations too", everything)):
            one, other = (
                statistics.median(of(cost) for cost in costs[each]) for each in (row, fast)
            )
            # What a user of SB3 gets is the bar: its defaults, and the threads that it takes.
            bar = SOLVING_BAR if row == slow[0] and of is training else None
            what = f"CPU s until {SOLVED:g} ({label}), sb3-defaults in {row[1].label}, of ours"
            outcomes.append(at_least(what, [one / other], bar))
    return outcomes


def main() -> int:
    """Measure and print; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("speed", "solving", "kernel", "opening")
    parser.add_argument("--only", choices=parts, help="one part instead of all four")
    parser.add_argument("--repeats", type=int, default=7, help="trainings of each kind")
    parser.add_argument("--seeds", type=int, default=5, help="seeds that must solve CartPole")
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the steps, 3 repeats and seeds"
    )
    options = parser.parse_args()
    repeats, seeds = (3, 3) if options.quick else (options.repeats, options.seeds)
    print(environment(), flush=True)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work: dict[str, Callable[[], list[Outcome]]] = {
            "opening": lambda: opening(folder, repeats),
            "kernel": lambda: answering(folder, 100 if options.quick else 300),
            "speed": lambda: speed(folder, repeats, 4 if options.quick else 1),
            "solving": lambda: solving(folder, seeds),
        }
        for part, measure in work.items():
            if options.only in {None, part}:
                outcomes += measure()
    print("\nMedian (lowest to highest), ratios of one turn each\n")
    rows = [
        (each.what, each.measured, each.bar, "yes" if each.is_met else "NO") for each in outcomes
    ]
    print(table(("what", "measured", "bar", "met"), rows))
    return 0 if all(each.is_met for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
