"""Runs the steps of `make test` in two lanes and prints one summary.

    python .ci/steps.py            every step
    python .ci/steps.py lint demo  these steps

Each step writes .artifacts/logs/<step>.log and is ended, with its children, when its time is up.
A test that looks for containers that were left counts those of its own process only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".artifacts" / "logs"
TAIL_LINES = 60

# Two lanes on two cores: threads of one operation would wait for each other, spinning.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

PYTEST = "python -m pytest -q --color=no"
# A rerun hides nothing: tests/conftest.py prints each with its reason, and the summary counts them.
RERUNS = "--reruns 1 --reruns-delay 2 -rfEs"
CONTAINERS = "-m '(docker or image) and not browser and not podman'"
# Whole classes are graded in these; they take as long as all other tests with containers.
GRADING = ("tests/attacks", "tests/autograde", "tests/notebooks")


@dataclass(frozen=True)
class Step:
    """A step: shell commands, each run although an earlier one failed; minutes for all of them."""

    name: str
    minutes: int
    commands: tuple[str, ...]


LANES: tuple[tuple[Step, ...], ...] = (
    (
        Step("front-end", 8, (".ci/setup.sh front-end",)),
        Step(
            "lint",
            6,
            (
                "ruff check .",
                "ruff format --check .",
                "mypy",
                "lint-imports",
                "python .ci/hygiene.py",
                "codespell notebooks docs README.md CHANGELOG.md CONTRIBUTING.md",
                "pre-commit validate-config",
            ),
        ),
        Step(
            "python",
            60,
            (
                f"{PYTEST} -m 'not docker and not image and not browser' "
                f"--ignore=tests/packaging --durations=8 {RERUNS}",
            ),
        ),
        Step(
            "grading",
            30,
            (f"{PYTEST} {CONTAINERS} --durations=8 {RERUNS} {' '.join(GRADING)}",),
        ),
    ),
    (
        # Meanwhile the other lane needs no image.
        Step("image", 15, ("jupyter ppo image build",)),
        Step(
            "container",
            40,
            (
                f"{PYTEST} {CONTAINERS} --durations=8 {RERUNS} "
                + " ".join(f"--ignore={folder}" for folder in GRADING),
            ),
        ),
        # Playwright's synchronous side cannot be opened twice in a process; each folder opens it.
        Step(
            "browser",
            36,
            (
                f"{PYTEST} -m browser {RERUNS} --ignore=tests/browser",
                f"{PYTEST} -m browser {RERUNS} tests/browser",
            ),
        ),
        # Beside the containers of the other lane: this engine is another one.
        Step(
            "podman",
            10,
            (f".ci/podman.sh {PYTEST} -m podman {RERUNS} tests/sandbox/test_engines.py",),
        ),
        Step("demo", 8, ("make demo CHECK=1",)),
        Step("packaging", 8, (f"{PYTEST} tests/packaging",)),
        Step(
            "typescript", 8, ("cd labextension && jlpm lint:check", "cd labextension && jlpm test")
        ),
    ),
)

COUNTS = ("passed", "failed", "skipped", "rerun")


@dataclass
class Result:
    """What a step gave: tests where it has tests, else commands."""

    seconds: float = 0.0
    #: The share of all processors' time that was used meanwhile, by the other lane too.
    busy: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    notes: list[str] = field(default_factory=list)


class Runner:
    """Runs lanes side by side; stop() ends whatever runs."""

    def __init__(self, only: set[str]) -> None:
        self.only = only
        self.results: dict[str, Result] = {}
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen[bytes]] = set()

    def run(self) -> None:
        """Run everything; returns when all lanes have ended."""
        lanes = [threading.Thread(target=self._lane, args=(lane,)) for lane in LANES]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            while lane.is_alive():  # a join without timeout would keep signals waiting
                lane.join(0.5)

    def stop(self) -> None:
        """End the running steps and start no more."""
        self.stopped.set()
        for process in list(self.running):
            _end(process, signal.SIGTERM)

    def _lane(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if not self.stopped.is_set() and (not self.only or step.name in self.only):
                self.results[step.name] = result = Result()
                self._step(step, result)
                counts = ", ".join(f"{n} {word}" for word, n in result.counts.items() if n)
                say(f"{step.name}: {counts} in {result.seconds:.0f} s")

    def _step(self, step: Step, result: Result) -> None:
        begin = time.monotonic()
        used, passed = processors()
        with (LOGS / f"{step.name}.log").open("wb") as log:
            for command in step.commands:
                log.write(f"$ {command}\n".encode())
                log.flush()
                start = log.tell()
                left = step.minutes * 60 - (time.monotonic() - begin)
                status = self._command(command, log, left)
                if status is None:
                    log.write(f"\nended: {step.name} may take {step.minutes} minutes\n".encode())
                log.flush()
                text = (LOGS / f"{step.name}.log").read_bytes()[start:].decode(errors="replace")
                count(result, command, status, text)
        result.seconds = time.monotonic() - begin
        used_now, passed_now = processors()
        result.busy = (used_now - used) / max(1, passed_now - passed)

    def _command(self, command: str, log: object, seconds: float) -> int | None:
        """Return the exit status, or None when the time was up."""
        with self.lock:
            if self.stopped.is_set():
                return 1
            process = subprocess.Popen(
                ["/bin/bash", "-c", command],
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,  # type: ignore[arg-type]
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running.add(process)
        try:
            return process.wait(timeout=max(1.0, seconds))
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGTERM)
            return None
        finally:
            self.running.discard(process)
            _end(process, signal.SIGKILL)


def count(result: Result, command: str, status: int | None, text: str) -> None:
    """Add what a command reported: tests of pytest or jest, else the command itself."""
    found = dict.fromkeys(COUNTS, 0)
    pytest_line = re.findall(r"^=*\s*((?:\d+ \w+(?:, )?)+) in [\d.]+s.*$", text, re.MULTILINE)
    jest_line = re.findall(r"^Tests:\s+(.+), \d+ total$", text, re.MULTILINE)
    for line in pytest_line[-1:] + jest_line[-1:]:
        for number, word in re.findall(r"(\d+) (\w+)", line):
            name = {"error": "failed", "errors": "failed", "xfailed": "passed"}.get(word, word)
            if name in found:
                found[name] += int(number)
    if status == 0 and not (pytest_line or jest_line):
        found["passed"] = 1
    if status != 0 and not found["failed"]:
        found["failed"] = 1
    if status != 0:
        result.notes.append(f"{command}: {'time was up' if status is None else f'exit {status}'}")
    # What failed, with pytest's reason: the end of the output is what is kept of a run.
    result.notes += re.findall(r"^(?:FAILED|ERROR|RERUN|SKIPPED) .*$", text, re.MULTILINE)
    for name, number in found.items():
        result.counts[name] += number


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a step's session; after SIGTERM it has half a minute."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
    if number is signal.SIGTERM:
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGKILL)


def processors() -> tuple[int, int]:
    """Return what all processors have worked since the machine started, and that and their rest."""
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:  # not on Linux
        return 0, 0
    times = [int(word) for word in words[1:9]]
    return sum(times) - times[3] - times[4], sum(times)  # the two: idle, and idle with a disk busy


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def summary(results: dict[str, Result]) -> int:
    """Print the tails of failed steps, a table and the totals; return how many failed."""
    for name, result in results.items():
        if result.counts["failed"]:
            lines = (LOGS / f"{name}.log").read_text(errors="replace").splitlines()
            say(f"\n--- {name}: the last lines of .artifacts/logs/{name}.log")
            say("\n".join(lines[-TAIL_LINES:]))
    say("\nstep          passed  failed  skipped  rerun  seconds  busy")
    for name, result in results.items():
        numbers = result.counts
        say(
            f"{name:<12}  {numbers['passed']:>6}  {numbers['failed']:>6}  {numbers['skipped']:>7}"
            f"  {numbers['rerun']:>5}  {result.seconds:>7.0f}  {result.busy:>4.0%}"
        )
        for note in result.notes:
            say(f"    {note[:400]}")
    totals = {word: sum(result.counts[word] for result in results.values()) for word in COUNTS}
    extra = "".join(f", {totals[word]} {word}" for word in ("skipped", "rerun") if totals[word])
    last = f"{totals['passed']} passed, {totals['failed']} failed{extra}"
    (LOGS.parent / "summary.txt").write_text(f"{last}\n")
    say(f"\n{last}")
    return totals["failed"]


def main(arguments: list[str]) -> int:
    """Run the steps named, or all of them."""
    known = {step.name for lane in LANES for step in lane}
    if unknown := set(arguments) - known:
        say(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.glob("*.log"):
        old.unlink()
    runner = Runner(set(arguments))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: runner.stop())
    runner.run()
    failed = summary(runner.results)
    return 1 if failed or runner.stopped.is_set() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
