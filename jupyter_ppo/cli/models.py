"""``jupyter ppo evaluate | export``: what a run learned, on held-out seeds and as other formats."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.cli.run_folders import RUN_HELP, found_run, run_folder, shown_path
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.training import Evaluation
from jupyter_ppo.training.documents import evaluation_to_json, event_to_json, status_to_json
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.run import Run
from jupyter_ppo.wiring.service import Kept

_FIRST_SEED = 1_000_000


class Format(StrEnum):
    """What a run can be written as."""

    SB3 = "sb3"
    ONNX = "onnx"
    TENSORBOARD = "tensorboard"
    CSV = "csv"
    JSON = "json"
    GIF = "gif"
    HTML = "html"


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    evaluate = commands.add_parser(
        "evaluate",
        help="let a trained policy play episodes on held-out seeds",
        description="A file is somebody's code: it is read in the sandbox, and only there.",
    )
    evaluate.add_argument("model", metavar="RUN|MODEL.zip", help=f"{RUN_HELP}, or a saved model")
    evaluate.add_argument("--episodes", type=int, default=100, metavar="N")
    evaluate.add_argument(
        "--seed", type=int, metavar="N", help="of the first episode; the next has the next"
    )
    evaluate.add_argument("--checkpoint", type=int, metavar="STEP", help="default: the newest")
    evaluate.add_argument(
        "--env", metavar="ID", help="for a file: the environment, such as CartPole-v1"
    )
    evaluate.add_argument(
        "--stochastic", action="store_true", help="draw actions instead of the most likely one"
    )
    evaluate.add_argument("--json", action="store_true", help="every return and length")
    evaluate.set_defaults(run=_evaluate)

    export = commands.add_parser(
        "export", help="write a run as a model, a table, a figure or a picture of an episode"
    )
    export.add_argument("folder", metavar="RUN", help=RUN_HELP)
    export.add_argument(
        "--to", choices=[one.value for one in Format], required=True, help="what to write"
    )
    export.add_argument("out", metavar="OUT", help="a new file; tensorboard: a folder")
    export.add_argument(
        "--checkpoint", type=int, metavar="STEP", help="sb3, onnx and gif; default: the newest"
    )
    export.add_argument(
        "--seed", type=int, metavar="N", help="gif: of the episode; default: as evaluations"
    )
    export.add_argument(
        "--stochastic", action="store_true", help="gif: draw actions instead of the likeliest"
    )
    export.add_argument(
        "--max-steps", type=int, metavar="N", help="gif: cut the episode then; default: 1000"
    )
    export.set_defaults(run=_export)


def _evaluate(arguments: argparse.Namespace, context: Context) -> int:
    path = run_folder(arguments.model)
    if path.is_file():
        evaluation = _of_file(path, arguments, context)
    else:
        from jupyter_ppo.training.exports.evaluate import evaluate_run  # loads torch: seconds

        evaluation = evaluate_run(
            found_run(arguments.model),
            step=arguments.checkpoint,
            episodes=arguments.episodes,
            seed=arguments.seed,
            deterministic=not arguments.stochastic,
        )
    if arguments.json:
        print(json.dumps(evaluation_to_json(evaluation), indent=2))
    else:
        _print_evaluation(evaluation)
    return 0


def _of_file(path: Path, arguments: argparse.Namespace, context: Context) -> Evaluation:
    from jupyter_ppo.sandbox.foreign_model import evaluate_foreign_model

    if arguments.checkpoint is not None:
        msg = "checkpoint: a file holds one model. Leave it out, or name the run's folder."
        raise InvalidInputError(msg, field="checkpoint")
    env_id = arguments.env
    beside = RunDirectory(path.parent)
    if env_id is None and beside.spec_file.exists():
        env_id = beside.read_spec().env_id
    if env_id is None:
        msg = "env: say in what it shall play, such as --env CartPole-v1."
        raise InvalidInputError(msg, field="env")
    statistics = beside.normalisation_file
    normalisation = read_file(str(statistics)) if statistics.exists() else None
    used = "" if normalisation is None else f" with {visible(str(statistics))}"
    programs = context.settings.build_programs()
    try:
        print(f"reading it in the sandbox{used} ...", file=sys.stderr, flush=True)
        return evaluate_foreign_model(
            programs,
            read_file(str(path)),
            env_id,
            episodes=arguments.episodes,
            seed=_FIRST_SEED if arguments.seed is None else arguments.seed,
            deterministic=not arguments.stochastic,
            normalisation=normalisation,
        )
    finally:
        if isinstance(programs, Kept):
            programs.close()


def _print_evaluation(evaluation: Evaluation) -> None:
    returns = evaluation.returns
    mean = evaluation.mean_return
    spread = math.sqrt(sum((one - mean) ** 2 for one in returns) / max(len(returns) - 1, 1))
    print(
        f"{len(returns)} episodes after {evaluation.step:,} steps of training, "
        f"seeds {evaluation.seed} to {evaluation.seed + len(returns) - 1}, "
        f"{'most likely' if evaluation.deterministic else 'drawn'} actions"
    )
    print(
        f"return: mean {mean:.2f}, standard deviation {spread:.2f}, "
        f"least {min(returns):.2f}, greatest {max(returns):.2f}"
    )
    print(f"length: mean {sum(evaluation.lengths) / max(len(evaluation.lengths), 1):.1f} steps")


def _export(arguments: argparse.Namespace, _: Context) -> int:
    run, out, step = found_run(arguments.folder), Path(arguments.out), arguments.checkpoint
    kind = Format(arguments.to)
    if step is not None and kind not in {Format.SB3, Format.ONNX, Format.GIF}:
        msg = f"checkpoint: {kind} has the whole run. Leave it out."
        raise InvalidInputError(msg, field="checkpoint")
    if out.exists() and kind is not Format.TENSORBOARD:
        msg = f"out: {arguments.out!r} exists already; choose another name."
        raise ConflictError(msg, field="out")
    _refuse_options_of_episodes(arguments, kind)
    match kind:
        case Format.SB3:
            from jupyter_ppo.training.exports.sb3 import export_sb3

            print(visible(str(export_sb3(run, out, step))))
        case Format.ONNX:
            from jupyter_ppo.training.exports.onnx import export_onnx

            print(visible(str(export_onnx(run, out, step))))
        case Format.TENSORBOARD:
            from jupyter_ppo.training.exports.tensorboard import export_tensorboard

            print(f"{shown_path(run)} written to {visible(str(export_tensorboard(run, out)))}")
        case Format.CSV:
            _write(out, lambda file: _write_csv(run, file))
            print(f"{shown_path(run)} written to {visible(str(out))}")
        case Format.JSON:
            _write(out, lambda file: json.dump(_everything(run), file, indent=1, allow_nan=False))
            print(f"{shown_path(run)} written to {visible(str(out))}")
        case Format.GIF:
            _write_gif(run, out, arguments)
        case Format.HTML:
            from jupyter_ppo.training.exports.figure import to_figure

            figure = to_figure(run)
            _write(out, lambda file: figure.write_html(file, include_plotlyjs=True))
            print(f"{shown_path(run)} written to {visible(str(out))}")
    return 0


def _refuse_options_of_episodes(arguments: argparse.Namespace, kind: Format) -> None:
    given = {
        "seed": arguments.seed is not None,
        "stochastic": arguments.stochastic,
        "max-steps": arguments.max_steps is not None,
    }
    for name, is_given in given.items():
        if is_given and kind is not Format.GIF:
            msg = f"{name}: {kind} shows no episode. Leave it out, or use --to gif."
            raise InvalidInputError(msg, field=name)


def _write_gif(run: Run, out: Path, arguments: argparse.Namespace) -> None:
    from jupyter_ppo.training.exports.episode import record_episode
    from jupyter_ppo.training.exports.gif import export_gif

    print("playing the episode ...", file=sys.stderr, flush=True)
    episode = record_episode(
        run,
        step=arguments.checkpoint,
        seed=arguments.seed,
        deterministic=not arguments.stochastic,
        max_steps=1000 if arguments.max_steps is None else arguments.max_steps,
    )
    for sentence in episode.warnings:
        print(f"warning: {visible(sentence)}", file=sys.stderr)
    export_gif(episode, out)
    print(
        f"{visible(str(out))}: return {episode.return_:g} in {episode.length} steps, "
        f"checkpoint of step {episode.info.step}, seed {episode.info.seed}"
    )


def _write(out: Path, write: Callable[[Any], None]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("x", encoding="utf-8", newline="") as file:
        write(file)


def _write_csv(run: Run, file: Any) -> None:
    """Write one line per point; what was not measured at it, or is not finite, is empty."""
    points = run.metrics()
    names = sorted({str(name) for point in points for name in point.values})
    writer = csv.writer(file)
    writer.writerow(["step", "seconds", *names])
    for point in points:
        values = [point.values.get(name, math.nan) for name in names]
        writer.writerow(
            [
                point.step,
                f"{point.seconds:.6f}",
                *(value if math.isfinite(value) else "" for value in values),
            ]
        )


def _everything(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "tags": list(run.tags),
        "spec": run.spec.to_dict(),
        "status": status_to_json(run.status()),
        "metrics": [
            {
                "step": point.step,
                "seconds": point.seconds,
                **{
                    str(name): value if math.isfinite(value) else None
                    for name, value in point.values.items()
                },
            }
            for point in run.metrics()
        ],
        "evaluations": [evaluation_to_json(one) for one in run.evaluations()],
        "events": [event_to_json(one) for one in run.events()],
    }
