"""What a run writes while it goes on: metrics at their true step, status, time split.

SB3 writes its log before an update, so that its rows carry the values of the update before and the
last update is never written (``OnPolicyAlgorithm.learn``, SB3 2.9). Here the values are read right
after ``train()``, when ``num_timesteps`` still is the step at which the update was made.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Evaluation, Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.control import Control, Phase
from jupyter_ppo.training.divergence import is_finite
from jupyter_ppo.training.env_checks import env_error
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricWriter, current_points
from jupyter_ppo.training.minibatches import MinibatchLog, is_recorded
from jupyter_ppo.training.snapshot import Progress
from jupyter_ppo.training.update_samples import minibatch_of

_WRITE_SECONDS = 0.1
#: Replacing a file takes ten times as long as adding a line, so the status is written less often.
_STATUS_SECONDS = 0.25
#: Updates whose speed is averaged in the status.
_SPEED_WINDOW = 10

#: Our names of what SB3's PPO.train() logs, and the sign that makes SB3's value ours.
_LOGGED: dict[Metric, tuple[str, int]] = {
    Metric.APPROX_KL: ("train/approx_kl", 1),
    Metric.CLIP_FRACTION: ("train/clip_fraction", 1),
    Metric.ENTROPY: ("train/entropy_loss", -1),
    Metric.EXPLAINED_VARIANCE: ("train/explained_variance", 1),
    Metric.LOSS: ("train/loss", 1),
    Metric.VALUE_LOSS: ("train/value_loss", 1),
    Metric.POLICY_GRADIENT_LOSS: ("train/policy_gradient_loss", 1),
    Metric.LEARNING_RATE: ("train/learning_rate", 1),
    Metric.CLIP_RANGE: ("train/clip_range", 1),
}


class ActiveClock:
    """Seconds of training, pauses left out, over all workers of a run."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._began = time.monotonic() - seconds
        self._paused_at: float | None = None

    def pause(self) -> None:
        """Stop counting."""
        self._paused_at = self._paused_at or time.monotonic()

    def resume(self) -> float:
        """Go on counting; return the seconds of the pause."""
        if self._paused_at is None:
            return 0.0
        pause = time.monotonic() - self._paused_at
        self._began += pause
        self._paused_at = None
        return pause

    def advance_to(self, seconds: float) -> None:
        """Count on from ``seconds`` if that is later than now."""
        self._began -= max(seconds - self.seconds(), 0.0)

    def seconds(self) -> float:
        """Return the seconds so far."""
        return (self._paused_at or time.monotonic()) - self._began


class TimedEnvs:
    """What SB3 steps in a rollout: measures the time and tells the watchdog what is going on."""

    def __init__(self, envs: VecEnv, model: PPO, control: Control) -> None:
        self.num_envs = envs.num_envs
        self.seconds = 0.0
        #: The row of the rollout in which an episode was cut with an observation not finite.
        self.bad_end: int | None = None
        self._row = 0
        self._envs = envs
        self._model = model
        self._control = control

    def step(self, actions: Any) -> Any:
        """Step all copies; raise ``InvalidInputError`` for what the environment raises."""
        self._control.beat(Phase.ENV)
        began = time.perf_counter()
        try:
            result = self._envs.step(actions)
        except InvalidInputError:
            raise
        except (Exception, SystemExit) as error:
            step = self._model.num_timesteps
            problem = env_error(f"step() of the environment, after step {step},", error)
            raise problem from error
        self.seconds += time.perf_counter() - began
        self._control.beat(Phase.UPDATE)
        _, _, dones, infos = result
        if self.bad_end is None and dones.any():
            cut = (info for info in infos if info.get("TimeLimit.truncated"))
            if not all(is_finite(info["terminal_observation"]) for info in cut):
                self.bad_end = self._row
        self._row += 1
        return result


class RolloutWatch:
    """SB3's callback of a rollout: records episodes and looks up now and then."""

    def __init__(self, recorder: Recorder, model: PPO, look: Callable[[], bool]) -> None:
        self._recorder = recorder
        self._model = model
        self._look = look
        self._locals: dict[str, Any] = {}
        self._look_at = time.monotonic() + _WRITE_SECONDS

    def update_locals(self, values: dict[str, Any]) -> None:
        """Take what SB3 shows of the step."""
        self._locals = values

    def on_rollout_start(self) -> None:
        """Do nothing."""

    def on_rollout_end(self) -> None:
        """Let go of the last step."""
        self._locals = {}

    def on_step(self) -> bool:
        """Record episodes that ended; return whether to go on."""
        values = self._locals
        if values["dones"].any():
            for info in values["infos"]:
                episode = info.get("episode")
                if episode is not None:
                    self._recorder.add_episode(self._model.num_timesteps, episode)
        now = time.monotonic()
        if now < self._look_at:
            return True
        going_on = self._look()
        self._look_at = time.monotonic() + _WRITE_SECONDS
        return going_on


class Recorder:
    """Writes metrics, evaluations and status of one run. One per worker."""

    def __init__(self, files: RunDirectory, progress: Progress, total_steps: int) -> None:
        self.clock = ActiveClock(progress.seconds)
        self.total_steps = total_steps
        self.step = 0
        self.checkpoint_step: int | None = None
        self._files = files
        self._progress = progress
        self._writer = MetricWriter(files.metrics_file)
        self._minibatches = MinibatchLog(files.minibatches_file)
        self._speeds: deque[tuple[int, float]] = deque(maxlen=_SPEED_WINDOW)
        self._flushed_at = 0.0
        self._written_at = 0.0

    def rewind(self, step: int) -> None:
        """Go on from ``step``: what was measured after it does not count."""
        self.step = step
        self._writer.rewind(step)
        self._files.rewind_evaluations(step)
        self._minibatches.rewind(step)

    def add_episode(self, step: int, episode: dict[str, Any]) -> None:
        """Record an episode that ended at ``step``."""
        value = float(episode["r"])
        self._progress.returns.append(value)
        self._add(step, {Metric.RETURN: value, Metric.LENGTH: float(episode["l"])})

    def add_update(
        self, model: PPO, *, env: float, forward: float, update: float
    ) -> dict[str, float]:
        """Record the update just made, with the seconds it and its rollout took."""
        logged = model.logger.name_to_value
        values: dict[str, float] = {
            name: sign * float(logged.get(key, math.nan)) for name, (key, sign) in _LOGGED.items()
        }
        if "train/std" in logged:
            values[Metric.ACTION_STD] = float(logged["train/std"])
        returns = self._progress.returns
        if returns:
            values[Metric.MEAN_RETURN] = sum(returns) / len(returns)
        samples = model.n_steps * model.n_envs
        values[Metric.STEPS_PER_SECOND] = samples / max(env + forward + update, 1e-9)
        values[Metric.SECONDS_ENV] = env
        values[Metric.SECONDS_FORWARD] = forward
        values[Metric.SECONDS_UPDATE] = update
        self._add(model.num_timesteps, values)
        self._speeds.append((samples, env + forward + update))
        return values

    def add_minibatch(self, model: PPO, spec: RunSpec) -> None:
        """Record samples of the rollout as the update just made left them, if it is its turn."""
        update = self._progress.update
        if is_recorded(update, spec.n_updates):
            minibatch = minibatch_of(model, update)
            if minibatch is not None:
                self._minibatches.add(minibatch)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Record an evaluation, and then among the metrics as well."""
        self._files.append_evaluation(evaluation)
        self._add_means(evaluation)
        self.flush()

    def adopt_evaluation(self, evaluation: Evaluation) -> None:
        """Complete the record of an evaluation whose worker may have been killed meanwhile."""
        seen = current_points(self._files.metrics_file)
        if not any(Metric.EVAL_RETURN in one.values for one in seen if one.step == evaluation.step):
            self._add_means(evaluation)
            self.flush()
        self.clock.advance_to(evaluation.seconds)

    def _add_means(self, evaluation: Evaluation) -> None:
        values: dict[str, float] = {
            Metric.EVAL_RETURN: evaluation.mean_return,
            Metric.EVAL_LENGTH: sum(evaluation.lengths) / len(evaluation.lengths),
        }
        self._writer.add(MetricPoint(evaluation.step, evaluation.seconds, values))

    def tick(self, step: int) -> None:
        """Show how far the run is: metrics at most ten times a second, the status four times."""
        self.step = step
        now = time.monotonic()
        if now - self._flushed_at >= _WRITE_SECONDS:
            self.flush()
            self._flushed_at = now
        if now - self._written_at >= _STATUS_SECONDS:
            self._files.write_status(self.status(RunState.RUNNING))
            self._written_at = now

    def flush(self, *, durable: bool = False) -> None:
        """Write the points that were kept."""
        self._writer.flush(durable=durable)

    def status(self, state: RunState, message: str = "") -> RunStatus:
        """Return the status now."""
        seconds = sum(one[1] for one in self._speeds)
        rate = sum(one[0] for one in self._speeds) / seconds if seconds > 0 else 0.0
        return RunStatus(
            state,
            self.step,
            self.clock.seconds(),
            rate,
            message,
            self.total_steps,
            self._progress.update,
            self.checkpoint_step,
        )

    def announce(self, state: RunState, message: str = "") -> None:
        """Write a change of state, with all that was measured before it."""
        self.flush()
        self._files.announce(self.status(state, message))
        self._written_at = time.monotonic()

    def leave(self, step: int) -> None:
        """Write how far the run came before it failed, if that can be written."""
        self.step = step
        with contextlib.suppress(OSError):
            self._files.write_status(self.status(RunState.RUNNING))

    def close(self) -> None:
        """Write the rest."""
        self._writer.close()

    def _add(self, step: int, values: dict[str, float]) -> None:
        self.step = step
        self._writer.add(MetricPoint(step, self.clock.seconds(), values))
