"""``jupyter ppo runs``: look at the runs of a folder and steer them, whoever started them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.run_folders import (
    RUN_HELP,
    found_run,
    given_value,
    progress_words,
    shown_path,
)
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.hyperparameters import LIVE
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import EventKind, RunState, RunStatus
from jupyter_ppo.training.documents import evaluation_to_json, event_to_json, status_to_json
from jupyter_ppo.training.launch import damaged_runs, list_runs, open_run
from jupyter_ppo.training.run import Run
from jupyter_ppo.training.trust import trust_run

#: How long a command waits for what it asked for; longer than one update takes.
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.1
_NEWEST = 10


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    runs = commands.add_parser(
        "runs",
        help="list training runs, look at one, steer it",
        description="Without a verb: list.",
    )
    runs.set_defaults(run=_list, folder=None, json=False)
    verbs = runs.add_subparsers(metavar="verb")

    listing = verbs.add_parser("list", help="list the runs of a folder, newest first")
    listing.add_argument("folder", nargs="?", help="default: ./runs")
    listing.add_argument("--json", action="store_true", help="one JSON list")
    listing.set_defaults(run=_list)

    show = _verb(verbs, "show", _show, "show one run: state, measurements, what happened")
    show.add_argument("--json", action="store_true", help="one JSON object")
    _verb(verbs, "pause", _pause, "pause within one update")
    _verb(verbs, "stop", _stop, "end with a checkpoint and the model as it is")
    change = _verb(verbs, "change", _change, "change a hyperparameter while the run goes on")
    change.add_argument("values", nargs="+", metavar="NAME=VALUE", help=f"one of {', '.join(LIVE)}")
    rename = _verb(verbs, "rename", _rename, "give a run another name and other tags")
    rename.add_argument("name", help="the new name; '' for none")
    rename.add_argument("--tag", action="append", help="in place of its tags; may be repeated")
    delete = _verb(verbs, "delete", _delete, "delete a run's folder, with checkpoints and model")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    _verb(
        verbs,
        "trust",
        _trust,
        "take over a run that somebody else made: resuming it runs code that is in its files",
    )
    _verb(verbs, "log", _log, "print what the worker and the environment printed")


def _verb(
    verbs: Commands, name: str, run: Callable[[argparse.Namespace, Context], int], words: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=words, description=words)
    parser.add_argument("folder", metavar="RUN", help=RUN_HELP)
    parser.set_defaults(run=run)
    return parser


def _list(arguments: argparse.Namespace, _: Context) -> int:
    folder = Path(arguments.folder or "runs")
    if arguments.folder is not None and not folder.exists():
        msg = f"folder: there is no folder {arguments.folder!r}."
        raise NotFoundError(msg, field="folder")
    found = _runs_below(folder)
    if arguments.json:
        print(json.dumps([_document(run) for run in found], indent=2))
    for run in found if not arguments.json else []:
        status = run.status()
        words = (
            shown_path(run),
            visible(run.name),
            run.spec.env_id,
            str(status.state),
            progress_words(status),
            visible(" ".join(run.tags)),
        )
        print("\t".join(words))
    damaged = {
        path: reason for place in _places(folder) for path, reason in damaged_runs(place).items()
    }
    for path, reason in damaged.items():
        print(f"{visible(str(path))}: {visible(reason)}", file=sys.stderr)
    if not found and not damaged:
        print(f"no runs in {visible(str(folder))}", file=sys.stderr)
    return 0


def _runs_below(folder: Path) -> list[Run]:
    if (folder / "spec.json").exists():  # one run was named
        return [open_run(folder)]
    return [run for place in _places(folder) for run in list_runs(place)]


def _places(folder: Path) -> list[Path]:
    """Return ``folder`` and the folders in it that hold runs of several seeds."""
    groups = {path.parent.parent for path in folder.glob("*/*/spec.json")}
    return [place for place in (folder, *sorted(groups)) if place.is_dir()]


def _document(run: Run) -> dict[str, Any]:
    return {
        "folder": str(run.directory),
        "name": run.name,
        "tags": list(run.tags),
        "status": status_to_json(run.status()),
        "spec": run.spec.to_dict(),
    }


def _show(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    if arguments.json:
        checkpoints = [
            {
                "step": info.step,
                "update": info.update,
                "created_at": info.created_at.isoformat(),
                "size_bytes": info.size_bytes,
                "weights_sha256": info.weights_sha256,
                "is_exact": info.is_exact,
                "reason": info.reason,
            }
            for info in run.checkpoints()
        ]
        more = {
            "events": [event_to_json(event) for event in run.events()],
            "evaluations": [evaluation_to_json(one) for one in run.evaluations()],
            "checkpoints": checkpoints,
        }
        print(json.dumps({**_document(run), **more}, indent=2))
        return 0
    status = run.status()
    named = f" {visible(run.name)}" if run.name else ""
    print(f"{shown_path(run)}{named}: PPO on {run.spec.env_id}")
    print(f"{status.state}, {progress_words(status)}{_speed(status)}")
    if status.message:
        print(visible(status.message))
    if run.tags:
        print(f"tags: {visible(', '.join(run.tags))}")
    defaults = RunSpec().to_dict()
    for name, value in run.spec.to_dict().items():
        if value != defaults[name]:
            print(f"  {name} = {json.dumps(value)}")
    newest: dict[str, float] = {}
    for point in run.metrics():
        newest.update(point.values)
    if newest:
        print("newest measurements:")
        for name, number in sorted(newest.items()):
            print(f"  {name} {number:.6g}")
    for evaluation in run.evaluations()[-_NEWEST:]:
        print(
            f"evaluation after {evaluation.step:,} steps: {evaluation.mean_return:.2f} "
            f"({len(evaluation.returns)} episodes)"
        )
    for event in run.events()[-_NEWEST:]:
        what = event.message or str(event.data.get("state", event.kind))
        print(f"{event.at.isoformat(timespec='seconds')} step {event.step:,}: {visible(what)}")
    for info in run.checkpoints():
        exact = "" if info.is_exact else f", not exact: {visible(info.reason)}"
        print(f"checkpoint {info.step}: {info.size_bytes / 1024:.0f} KiB{exact}")
    return 0


def _speed(status: RunStatus) -> str:
    if status.state is not RunState.RUNNING:
        return ""
    left = status.seconds_left
    ends = f", about {left:.0f} s left" if left is not None else ""
    return f", {status.steps_per_second:,.0f} steps/s{ends}"


def _pause(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    run.pause()
    return _came(run, lambda: run.state() is RunState.PAUSED or run.state().has_ended)


def _stop(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    run.stop()
    return _came(run, lambda: run.state().has_ended)


def _came(run: Run, is_there: Callable[[], bool]) -> int:
    """Wait for what was asked, say the state; return 1 when it has not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_there():
        if time.monotonic() > deadline:
            print(f"asked; it is {run.state()} still: an update of it takes long", file=sys.stderr)
            return 1
        time.sleep(_POLL_SECONDS)
    status = run.status()
    print(f"{shown_path(run)}: {status.state}, {progress_words(status)}")
    return 0


def _change(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    values: dict[str, Any] = {}
    for word in arguments.values:
        name, is_pair, text = word.partition("=")
        if not is_pair:
            msg = f"values: {word!r} is not NAME=VALUE, such as learning_rate=1e-4."
            raise InvalidInputError(msg, field="values")
        values[name] = given_value(text, name)
    seen = len(run.events())
    asked = run.change(**values)

    def answered() -> bool:
        return run.state().has_ended or any(
            event.kind is EventKind.CHANGED and event.data.get("id") == asked
            for event in run.events(seen)
        )

    status = _came(run, answered)
    for event in run.events(seen):
        if event.kind is EventKind.CHANGED and event.data.get("id") == asked:
            print(f"step {event.step:,}: {visible(event.message)}")
    return status


def _rename(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    run.rename(arguments.name, run.tags if arguments.tag is None else tuple(arguments.tag))
    print(f"{shown_path(run)}: {visible(run.name) or 'no name'}, {len(run.tags)} tags")
    return 0


def _delete(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    shown = shown_path(run)
    if not arguments.yes:
        if not sys.stdin.isatty():
            msg = f"{shown}: nothing was deleted; add --yes to delete it without a question."
            raise InvalidInputError(msg, field="yes")
        if input(f"delete {shown} with its checkpoints and model? [y/N] ").strip() != "y":
            print("nothing was deleted")
            return 1
    run.delete()
    print(f"{shown} deleted")
    return 0


def _trust(arguments: argparse.Namespace, _: Context) -> int:
    names = trust_run(found_run(arguments.folder).directory)
    print(f"{len(names)} files are trusted now: {', '.join(names)}")
    return 0


def _log(arguments: argparse.Namespace, _: Context) -> int:
    text = visible(found_run(arguments.folder).log_tail())
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    return 0
