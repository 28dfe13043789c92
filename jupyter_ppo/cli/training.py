"""``jupyter ppo train | resume``: runs in folders, followed in the terminal, without a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.run_folders import RUN_HELP, found_run, given_value, shown_path
from jupyter_ppo.cli.run_following import follow
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.presets import Preset
from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.group import (
    AT_ONCE,
    make_spec,
    run_directory,
    start_group,
)
from jupyter_ppo.training.launch import start_run
from jupyter_ppo.training.run import Run


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    train = commands.add_parser(
        "train",
        help="train PPO on an environment and keep the run in a folder",
        epilog="Ctrl-C stops with a checkpoint, from which 'jupyter ppo resume' goes on.",
    )
    train.add_argument(
        "env", nargs="?", default="CartPole-v1", help="a Gymnasium id, or module:Name-v0"
    )
    train.add_argument("--preset", choices=[preset.value for preset in Preset])
    train.add_argument("--steps", metavar="N", help="environment steps of all copies together")
    seeds = train.add_mutually_exclusive_group()
    seeds.add_argument("--seed", metavar="N")
    seeds.add_argument(
        "--seeds", metavar="N,N,...", help=f"a run for each seed, {AT_ONCE} at the same time"
    )
    train.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="any hyperparameter; schedules as linear:START:END; may be repeated",
    )
    train.add_argument("--out", metavar="FOLDER", help="default: a new folder in ./runs")
    train.add_argument("--name", default="", help="a name of your own")
    train.add_argument("--tag", action="append", default=[], help="may be repeated")
    _add_following(train)
    train.set_defaults(run=_train)

    resume = commands.add_parser("resume", help="go on with a run that is paused or has ended")
    resume.add_argument("folder", metavar="RUN", help=RUN_HELP)
    resume.add_argument("--steps", metavar="N", help="go on until so many steps in all")
    _add_following(resume)
    resume.set_defaults(run=_resume)


def _add_following(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detach", action="store_true", help="return at once; the training goes on by itself"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress line")


def _train(arguments: argparse.Namespace, _: Context) -> int:
    values = _values(arguments)
    spec = make_spec(arguments.env, arguments.preset, **values)
    for sentence in advice(spec):
        print(f"warning: {sentence}", file=sys.stderr)
    labels: dict[str, Any] = {"name": arguments.name, "tags": tuple(arguments.tag)}
    with run_directory(spec.env_id, arguments.out) as folder:
        if arguments.seeds is not None:
            return _train_seeds(spec, folder, arguments, labels)
        run = start_run(spec, folder, **labels, detached=arguments.detach)
    return _said(run) if arguments.detach else follow([run], quiet=arguments.quiet)


def _train_seeds(
    spec: RunSpec, folder: Path, arguments: argparse.Namespace, labels: dict[str, Any]
) -> int:
    seeds = [given_value(part.strip(), "seeds") for part in arguments.seeds.split(",")]
    if not arguments.detach:
        group = start_group(spec, seeds, folder, **labels)
        return follow(group.runs, group, quiet=arguments.quiet)
    if len(seeds) > AT_ONCE:
        msg = (
            f"seeds: {AT_ONCE} runs train at the same time, and nobody would start the others of "
            f"these {len(seeds)}. Leave out --detach, or train {AT_ONCE} at a time."
        )
        raise InvalidInputError(msg, field="seeds")
    for one in [spec.changed(seed=seed) for seed in seeds]:
        _said(start_run(one, folder / f"seed-{one.seed}", **labels, detached=True))
    return 0


def _said(run: Run) -> int:
    """Say where a run is that goes on without this process."""
    print(f"run {shown_path(run)}")
    print("it trains by itself; 'jupyter ppo runs show' and 'runs stop' with this folder")
    return 0


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the hyperparameters that were given; raise ``InvalidInputError``."""
    values: dict[str, Any] = {}
    for word in arguments.set:
        name, is_pair, text = word.partition("=")
        if not is_pair or not name:
            msg = f"set: {word!r} is not NAME=VALUE, such as learning_rate=3e-4."
            raise InvalidInputError(msg, field="set")
        values[name.strip()] = given_value(text.strip(), name.strip())
    for name, text in (("total_steps", arguments.steps), ("seed", arguments.seed)):
        if text is not None:
            values[name] = given_value(text, name)
    return values


def _resume(arguments: argparse.Namespace, _: Context) -> int:
    run = found_run(arguments.folder)
    seen = len(run.events())
    if arguments.steps is not None:
        steps = given_value(arguments.steps, "total_steps")
        run.extend(steps, detached=arguments.detach)
    else:
        _refuse_finished(run)
        run.resume(detached=arguments.detach)
    if run.process is None:  # its worker lives already, and is somebody else's
        print(f"asked: {shown_path(run)}")
        return 0
    return _said(run) if arguments.detach else follow([run], seen=seen, quiet=arguments.quiet)


def _refuse_finished(run: Run) -> None:
    status = run.status()
    if status.state is RunState.FINISHED:
        msg = (
            f"state: this run has finished after {status.step} steps. "
            f"A later end trains it further, such as --steps {2 * status.step}."
        )
        raise ConflictError(msg, field="state")
