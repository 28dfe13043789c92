"""A callback for people who call ``model.learn`` of Stable-Baselines3 themselves.

::

    with RunCallback("runs/mine") as callback:
        model.learn(100_000, callback=callback)

SB3 writes its log before an update: its rows carry the values of the update before, and those of
the last one are never written (``OnPolicyAlgorithm.learn``, SB3 2.9). Here they are read after each
update, with the step at which it was made. Loads Stable-Baselines3 and so torch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.own_loop import RunLog

#: Our names of what SB3's PPO.train() logs, and the sign that makes SB3's value ours.
_LOGGED: Final[Mapping[str, tuple[Metric, int]]] = {
    "train/approx_kl": (Metric.APPROX_KL, 1),
    "train/clip_fraction": (Metric.CLIP_FRACTION, 1),
    "train/clip_range": (Metric.CLIP_RANGE, 1),
    "train/entropy_loss": (Metric.ENTROPY, -1),
    "train/explained_variance": (Metric.EXPLAINED_VARIANCE, 1),
    "train/learning_rate": (Metric.LEARNING_RATE, 1),
    "train/loss": (Metric.LOSS, 1),
    "train/policy_gradient_loss": (Metric.POLICY_GRADIENT_LOSS, 1),
    "train/std": (Metric.ACTION_STD, 1),
    "train/value_loss": (Metric.VALUE_LOSS, 1),
}
_UPDATES: Final = "train/n_updates"
#: What is read off the model as it is.
_NUMBERS: Final = (
    *("n_steps", "n_envs", "batch_size", "n_epochs", "gamma", "gae_lambda", "ent_coef"),
    *("vf_coef", "max_grad_norm", "target_kl", "normalize_advantage", "seed"),
)


class RunCallback(BaseCallback):
    """Writes a run folder while SB3 trains: every episode, and every update at its true step.

    The folder is made when the training starts; ``hyperparameters`` replace what is read off the
    model. The run ends with ``learn``. When that raises, a ``with`` statement or ``close`` ends it.
    ``learn`` raises as ``RunLog`` does when the folder cannot be used.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        name: str = "",
        tags: Sequence[str] = (),
        **hyperparameters: Any,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.run: RunLog | None = None
        self._labels = (name, tuple(tags))
        self._hyperparameters = hyperparameters
        self._returns: deque[float] = deque(maxlen=100)
        self._updates = 0
        self._last = (0, 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.run is not None:
            self.run.__exit__(kind, error, trace)

    def close(self) -> None:
        """End the run, if ``learn`` did not come to its end."""
        if self.run is not None:
            self.run.close()

    def _on_training_start(self) -> None:
        name, tags = self._labels
        found = _read_off(self.model, self.locals.get("total_timesteps"))
        self.run = RunLog(
            self.directory, name=name, tags=tags, **{**found, **self._hyperparameters}
        )
        # What an earlier learn() of this model has left in the logger is not of this run.
        self._updates = self._n_updates()
        self._last = (self.num_timesteps, time.monotonic())

    def _on_step(self) -> bool:
        for info in self.locals.get("infos", ()):
            if "episode" in info:
                self._returns.append(float(info["episode"]["r"]))
                self._log().episode(self.num_timesteps, info["episode"]["r"], info["episode"]["l"])
        return True

    def _on_rollout_start(self) -> None:
        self._record()

    def _on_training_end(self) -> None:
        self._record()
        self._log().close()

    def _record(self) -> None:
        """Record the update that was made since the last call, if there was one."""
        values = self.model.logger.name_to_value
        updates = self._n_updates()
        if updates == self._updates:
            return
        self._updates = updates
        found = {
            name.value: sign * float(values[key])
            for key, (name, sign) in _LOGGED.items()
            if key in values
        }
        if self._returns:
            found[Metric.MEAN_RETURN.value] = sum(self._returns) / len(self._returns)
        step, at = self._last
        self._last = (self.num_timesteps, time.monotonic())
        elapsed = max(self._last[1] - at, 1e-9)
        found[Metric.STEPS_PER_SECOND.value] = (self.num_timesteps - step) / elapsed
        self._log().log(self.num_timesteps, **found)

    def _n_updates(self) -> int:
        # The model's own counter: a logger that has just written has forgotten its one.
        return int(getattr(self.model, "_n_updates", 0))

    def _log(self) -> RunLog:
        if self.run is None:
            msg = "callback: give it to model.learn(callback=...), which starts the run."
            raise InvalidInputError(msg, field="callback")
        return self.run


def _read_off(model: Any, total_steps: Any) -> dict[str, Any]:
    """Return what of a spec can be read off a model; what a spec cannot hold is left out."""
    found: dict[str, Any] = {"total_steps": total_steps}
    if isinstance(model, PPO):
        found |= {name: getattr(model, name) for name in _NUMBERS}
        found["learning_rate"] = float(model.lr_schedule(1.0))
        found["clip_range"] = float(model.clip_range(1.0))  # type: ignore[operator]
    ids = model.get_env().get_attr("spec") if model.get_env() is not None else [None]
    if ids[0] is not None:
        found["env_id"] = ids[0].id
    kept: dict[str, Any] = {}
    for name, value in found.items():
        if value is None:
            continue
        try:
            RunSpec.from_dict({name: value})
        except PPOError:
            continue
        kept[name] = value
    return kept
