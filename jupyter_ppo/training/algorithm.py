"""Stable-Baselines3 PPO with measurements at the right step, and with pause and stop.

Loads torch, so only the worker imports this module.

SB3 writes its log before an update, so that its rows carry the values of the update before
(``OnPolicyAlgorithm.learn``, SB3 2.9). Here the logger is never dumped: its values are read after
each update, when ``num_timesteps`` still is the step at which the update was made.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.training import Command, Metric, MetricPoint, RunSpec, RunState, RunStatus
from jupyter_ppo.training.files import LineReader, RunDirectory, point_to_json, replacing

_PAUSE_POLL_SECONDS = 0.02
_STATUS_SECONDS = 0.1

#: Our names of what SB3's PPO.train() logs, and the sign that makes SB3's value ours.
_LOGGED: dict[Metric, tuple[str, int]] = {
    Metric.APPROX_KL: ("train/approx_kl", 1),
    Metric.CLIP_FRACTION: ("train/clip_fraction", 1),
    Metric.ENTROPY: ("train/entropy_loss", -1),
    Metric.EXPLAINED_VARIANCE: ("train/explained_variance", 1),
    Metric.VALUE_LOSS: ("train/value_loss", 1),
    Metric.POLICY_GRADIENT_LOSS: ("train/policy_gradient_loss", 1),
    Metric.LEARNING_RATE: ("train/learning_rate", 1),
}


class StopReason(Protocol):
    """Why to stop from outside; empty while there is no reason."""

    @property
    def reason(self) -> str:
        """One sentence, or ""."""


class ActiveClock:
    """Seconds of training, pauses left out."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._paused_at: float | None = None

    def pause(self) -> None:
        """Stop counting."""
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Go on counting."""
        if self._paused_at is not None:
            self._began += time.monotonic() - self._paused_at
            self._paused_at = None

    def seconds(self) -> float:
        """Return the seconds so far."""
        return (self._paused_at or time.monotonic()) - self._began


class Recorder(BaseCallback):
    """Writes metrics and status while SB3 trains, and obeys commands between two steps."""

    def __init__(self, files: RunDirectory, stop: StopReason) -> None:
        super().__init__()
        self.stopped = False
        self.why_stopped = ""
        self._files = files
        self._stop = stop
        self._commands = LineReader(files.commands_file)
        self._clock = ActiveClock()
        self._returns: deque[float] = deque(maxlen=100)
        self._lines: list[str] = []
        self._updates_seen = 0
        self._last_update = (0, 0.0)  # step and seconds
        self._written_at = 0.0

    def status(self, state: RunState, message: str = "") -> RunStatus:
        """Return the status now."""
        seconds = self._clock.seconds()
        rate = self.num_timesteps / seconds if seconds > 0 else 0.0
        return RunStatus(state, self.num_timesteps, seconds, rate, message)

    def announce(self, state: RunState, message: str = "") -> None:
        """Write a change of state, with all that was measured before it."""
        self._flush()
        status = self.status(state, message)
        self._files.append_event(status)
        self._files.write_status(status)

    def _on_training_start(self) -> None:
        self._clock = ActiveClock()
        self.announce(RunState.RUNNING)

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self._record_episode(info["episode"]["r"], info["episode"]["l"])
        if time.monotonic() - self._written_at > _STATUS_SECONDS:
            self._flush()
            self._files.write_status(self.status(RunState.RUNNING))
        return self._obey()

    def _on_rollout_start(self) -> None:
        self._record_update()

    def _on_training_end(self) -> None:
        self._record_update()

    def _record_episode(self, episode_return: float, length: int) -> None:
        self._returns.append(episode_return)
        self._record({Metric.RETURN: float(episode_return), Metric.LENGTH: float(length)})

    def _record_update(self) -> None:
        """Record the update that was made since the last call, if there was one."""
        logged = self.model.logger.name_to_value
        updates = int(logged.get("train/n_updates", 0))
        if updates == self._updates_seen:
            return
        self._updates_seen = updates
        values = {name: sign * float(logged[key]) for name, (key, sign) in _LOGGED.items()}
        if self._returns:
            values[Metric.MEAN_RETURN] = sum(self._returns) / len(self._returns)
        step, seconds = self._last_update
        self._last_update = (self.num_timesteps, self._clock.seconds())
        elapsed = self._last_update[1] - seconds
        values[Metric.STEPS_PER_SECOND] = (self.num_timesteps - step) / max(elapsed, 1e-9)
        self._record(values)

    def _record(self, values: dict[Metric, float]) -> None:
        point = MetricPoint(self.num_timesteps, self._clock.seconds(), values)
        self._lines.append(point_to_json(point) + "\n")

    def _flush(self) -> None:
        if self._lines:
            with self._files.metrics_file.open("ab") as file:
                file.write("".join(self._lines).encode())
            self._lines.clear()
        self._written_at = time.monotonic()

    def _obey(self) -> bool:
        """Do what was asked; block while paused. Return whether to go on."""
        paused = False
        while True:
            for entry in self._commands.read():
                match entry.get("command"):
                    case Command.STOP:
                        self.stopped = True
                    case Command.PAUSE:
                        if not paused:
                            paused = True
                            self._clock.pause()
                            self.announce(RunState.PAUSED)
                    case Command.RESUME:
                        if paused:
                            paused = False
                            self._clock.resume()
                            self.announce(RunState.RUNNING)
            if self._stop.reason:
                self.stopped, self.why_stopped = True, self._stop.reason
            if self.stopped or not paused:
                self._clock.resume()
                return not self.stopped
            time.sleep(_PAUSE_POLL_SECONDS)


class Trainer:
    """Makes the environments and the model, trains, and leaves model.zip behind."""

    def __init__(self, files: RunDirectory, spec: RunSpec, stop: StopReason) -> None:
        self._files = files
        self._spec = spec
        self._recorder = Recorder(files, stop)

    def run(self) -> None:
        """Train to the end or until stopped."""
        torch.set_num_threads(1)
        envs = make_vec_env(self._spec.env_id, n_envs=self._spec.n_envs, seed=self._spec.seed)
        try:
            model = self._make_model(envs)
            # No log_interval: SB3 then never clears the values that the recorder reads.
            model.learn(self._spec.total_steps, callback=self._recorder, log_interval=None)  # type: ignore[arg-type]
            self._save(model)
        finally:
            envs.close()
        if self._recorder.stopped:
            why = self._recorder.why_stopped or "Stopped on request."
            self._recorder.announce(RunState.STOPPED, why)
        else:
            self._recorder.announce(RunState.FINISHED)

    def _make_model(self, envs: VecEnv) -> PPO:
        spec = self._spec

        def schedule(progress_remaining: float) -> float:
            return spec.learning_rate_at(round((1 - progress_remaining) * spec.total_steps))

        return PPO(
            _policy_for(envs.observation_space),
            envs,
            learning_rate=schedule if spec.anneal_lr else spec.learning_rate,
            n_steps=spec.n_steps,
            batch_size=spec.batch_size,
            n_epochs=spec.n_epochs,
            gamma=spec.gamma,
            gae_lambda=spec.gae_lambda,
            clip_range=spec.clip_range,
            ent_coef=spec.ent_coef,
            vf_coef=spec.vf_coef,
            max_grad_norm=spec.max_grad_norm,
            seed=spec.seed,
            device="cpu",
        )

    def _save(self, model: PPO) -> None:
        # A plain number instead of our function, so that PPO.load needs nothing of this package.
        model.learning_rate = self._spec.learning_rate
        with replacing(self._files.model_file) as file:
            model.save(file, exclude=["lr_schedule"])  # type: ignore[arg-type]


def _policy_for(observations: spaces.Space[object]) -> str:
    if isinstance(observations, spaces.Dict):
        return "MultiInputPolicy"
    return "CnnPolicy" if is_image_space(observations) else "MlpPolicy"
