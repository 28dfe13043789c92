"""A run followed in the terminal: a progress line, what happens to it, Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from jupyter_ppo.cli.run_folders import ended_words, shown_path
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.training import EventKind, Metric, MetricPoint, RunState
from jupyter_ppo.training.group import RunGroup
from jupyter_ppo.training.run import Run

_POLL_SECONDS = 0.2
#: A checkpoint and the model are written within one update and a second or two.
_STOP_SECONDS = 60.0
_INTERRUPTED = 130


def follow(
    runs: Sequence[Run], group: RunGroup | None = None, *, seen: int = 0, quiet: bool = False
) -> int:
    """Show how far ``runs`` are until all have ended, say how they did, return the exit status.

    The first ``seen`` events are old news. Ctrl-C stops the runs with a checkpoint.
    """
    try:
        for run in runs:
            print(f"run {shown_path(run)}", flush=True)
        _show(runs, seen=seen, quiet=quiet)
    except KeyboardInterrupt:
        _stop(runs, group)
        return _INTERRUPTED
    for run in runs:
        print(ended_words(run))
    bad = {RunState.FAILED, RunState.INTERRUPTED}
    return 1 if any(run.state() in bad for run in runs) else 0


def _stop(runs: Sequence[Run], group: RunGroup | None) -> None:
    print("stopping with a checkpoint ...", file=sys.stderr, flush=True)
    if group is not None:
        group.stop()
    for run in runs:
        run.stop()
    for run in runs:
        run.wait(_STOP_SECONDS)
        print(ended_words(run))


class _Followed:
    """One run with what was already said of it."""

    def __init__(self, run: Run, seen: int) -> None:
        self.run = run
        self.status = run.status()
        self._seen = seen
        self._reader = run.reader(0)
        self._newest: dict[str, float] = {}

    @property
    def total(self) -> int:
        """Steps at its end."""
        return self.status.total_steps or self.run.spec.planned_steps

    def look(self) -> list[str]:
        """Read what is new; return the sentences to say."""
        self.status = self.run.status()
        for item in self._reader.read():
            if isinstance(item, MetricPoint):
                self._newest.update(item.values)
        events = self.run.events(self._seen)
        self._seen += len(events)
        return [
            f"{shown_path(self.run)}: step {event.step:,}: {visible(event.message)}"
            for event in events
            if event.kind is not EventKind.STATE and event.message
        ]

    def words(self) -> str:
        """Return the newest return and evaluation while it trains, otherwise its state."""
        found = []
        names = {Metric.MEAN_RETURN: "return", Metric.EVAL_RETURN: "evaluation"}
        if self.status.state is RunState.RUNNING:
            for metric, name in names.items():
                if metric in self._newest:
                    found.append(f"{name} {self._newest[metric]:.1f}")
        return " ".join(found) or str(self.status.state)


def _show(runs: Sequence[Run], *, seen: int, quiet: bool) -> None:
    followed = [_Followed(run, seen) for run in runs]
    begun = sum(one.status.step for one in followed)
    bar: tqdm[Any]
    with tqdm(unit="step", initial=begun, disable=True if quiet else None) as bar:
        while True:
            for one in followed:
                for sentence in one.look():
                    bar.write(sentence, file=sys.stderr)
            bar.total = sum(one.total for one in followed)
            bar.set_postfix_str(", ".join(one.words() for one in followed), refresh=False)
            bar.update(sum(one.status.step for one in followed) - bar.n)
            if all(one.status.state.has_ended for one in followed):
                return
            time.sleep(_POLL_SECONDS)
