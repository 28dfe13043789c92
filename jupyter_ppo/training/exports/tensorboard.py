"""A run as TensorBoard shows it, under the names that Stable-Baselines3 uses."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.domain.training import Metric, MetricPoint
from jupyter_ppo.training.exports.frames import plain_hyperparameters
from jupyter_ppo.training.exports.needs import needs
from jupyter_ppo.training.exports.opened import AnyRun, opened
from jupyter_ppo.training.lines import replace_file

if TYPE_CHECKING:
    from jupyter_ppo.training.run import Run

#: Where Stable-Baselines3 logs what means the same; other metrics keep their names.
TAGS: Final[dict[str, str]] = {
    Metric.RETURN: "episode/return",
    Metric.LENGTH: "episode/length",
    Metric.MEAN_RETURN: "rollout/ep_rew_mean",
    Metric.EVAL_RETURN: "eval/mean_reward",
    Metric.EVAL_LENGTH: "eval/mean_ep_length",
    Metric.APPROX_KL: "train/approx_kl",
    Metric.CLIP_FRACTION: "train/clip_fraction",
    Metric.ENTROPY: "train/entropy",
    Metric.EXPLAINED_VARIANCE: "train/explained_variance",
    Metric.LOSS: "train/loss",
    Metric.VALUE_LOSS: "train/value_loss",
    Metric.POLICY_GRADIENT_LOSS: "train/policy_gradient_loss",
    Metric.ACTION_STD: "train/std",
    Metric.LEARNING_RATE: "train/learning_rate",
    Metric.CLIP_RANGE: "train/clip_range",
    Metric.STEPS_PER_SECOND: "time/fps",
    Metric.SECONDS_ENV: "time/seconds_env",
    Metric.SECONDS_FORWARD: "time/seconds_forward",
    Metric.SECONDS_UPDATE: "time/seconds_update",
}


def export_tensorboard(run: AnyRun, folder: Path | str) -> Path:
    """Write the run's metrics and hyperparameters below ``folder``, TensorBoard's log folder.

    Each run has a folder of its own there, named like its own; doing it again replaces what was
    written. Returns the file. Times are the start of the run plus its training time. Raises
    ``UnavailableError`` without tensorboard or when nothing can be written there.
    """
    needs("tensorboard")
    run = opened(run)
    began = _began(run)
    file = Path(folder) / run.directory.name / f"events.out.tfevents.{int(began)}.jupyter_ppo"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, _records(run, began))
    except OSError as error:
        msg = f"folder: nothing can be written to {file.parent} ({error.strerror or error})."
        raise UnavailableError(msg, field="folder") from error
    return file


def _began(run: Run) -> float:
    """Return when the run began, seconds since 1970."""
    events = run.events()
    at = (
        events[0].at
        if events
        else datetime.fromtimestamp((run.directory / "spec.json").stat().st_mtime, UTC)
    )
    return at.timestamp()


def _records(run: Run, began: float) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    room = io.BytesIO()
    writer = RecordWriter(room)
    writer.write(Event(wall_time=began, file_version="brain.Event:2").SerializeToString())
    for summary in _hyperparameters(run, began):
        writer.write(Event(wall_time=began, step=0, summary=summary).SerializeToString())
    for point in run.metrics():
        event = Event(wall_time=began + point.seconds, step=point.step)
        for name, value in _scalars(point):
            event.summary.value.add(tag=name, simple_value=value)
        writer.write(event.SerializeToString())
    return room.getvalue()


def _scalars(point: MetricPoint) -> Iterator[tuple[str, float]]:
    for name, value in point.values.items():
        # What is not defined is no point of a curve; TensorBoard would end its line there.
        if not math.isnan(value):
            yield TAGS.get(str(name), str(name)), value


def _hyperparameters(run: Run, began: float) -> list[Any]:
    """Return what the page HPARAMS compares runs by."""
    from tensorboard.plugins.hparams import summary_v2

    values = {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in plain_hyperparameters(run.spec).items()
    }
    shown = [
        summary_v2.Metric(TAGS[name], display_name=name.value)
        for name in (Metric.EVAL_RETURN, Metric.MEAN_RETURN)
    ]
    config = summary_v2.hparams_config_pb(
        [summary_v2.HParam(name) for name in values], shown, time_created_secs=began
    )
    session = summary_v2.hparams_pb(values, trial_id=run.directory.name, start_time_secs=began)
    return [config, session]
