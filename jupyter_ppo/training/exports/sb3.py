"""A checkpoint as a file that Stable-Baselines3 reads without this package."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.training.exports.report import ExportReport

if TYPE_CHECKING:
    from jupyter_ppo.training.exports.opened import AnyRun
    from jupyter_ppo.training.exports.policy import LoadedPolicy

#: What is put before the ending of the statistics' file.
STATISTICS: Final = ".vecnormalize.pkl"


def export_sb3(run: AnyRun, path: Path | str, step: int | None = None) -> ExportReport:
    """Write a checkpoint (None: the newest) so that ``stable_baselines3.PPO.load(path)`` reads it.

    Weights, Adam's state and the number of steps are in it, so that SB3 can train on. A run that
    normalises has a second file beside it, ``NAME.vecnormalize.pkl``, for ``VecNormalize.load``.

    Raises ``CheckFailedError`` when the file would act differently, then nothing is written,
    ``UnavailableError`` when nothing can be written there, and what ``load_policy`` raises.
    """
    from stable_baselines3 import PPO

    from jupyter_ppo.training.exports.policy import (
        compared,
        load_policy,
        same_randomness,
        write_new,
    )

    target = Path(path)
    loaded = load_policy(run, step)
    with same_randomness():
        data, statistics = _written(loaded)
        # A file that this process has just made; PPO.load would seed the generators as well.
        again = PPO.load(io.BytesIO(data), device="cpu")
        observations = loaded.observations()
        actions, _ = again.predict(_seen(statistics, observations), deterministic=True)
    report = compared(loaded, target, observations, actions)
    write_new(target, lambda file: file.write(data))
    if statistics is None:
        return report
    beside = target.with_name(target.stem + STATISTICS)
    write_new(beside, lambda file: file.write(statistics))
    return replace(report, also_written=(beside,))


def _written(loaded: LoadedPolicy) -> tuple[bytes, bytes | None]:
    """Return the zip archive, and the pickled ``VecNormalize`` of a run that normalises."""
    import cloudpickle
    import torch
    from stable_baselines3.common.vec_env import VecNormalize

    from jupyter_ppo.training.env_state import restore_normalisation
    from jupyter_ppo.training.environments import make_training_envs
    from jupyter_ppo.training.exports.policy import fill
    from jupyter_ppo.training.model import build_model, save_model
    from jupyter_ppo.training.snapshot import NORMALISATION, OPTIMIZER, from_npz

    spec, checkpoint = loaded.spec, loaded.checkpoint
    envs = make_training_envs(spec, loaded.env, spec.seed)
    try:
        model = build_model(spec, envs)
        fill(model.policy, checkpoint)
        state = torch.load(io.BytesIO(checkpoint.part(OPTIMIZER)), weights_only=True)
        model.policy.optimizer.load_state_dict(state)
        model.num_timesteps = checkpoint.info.step
        model._n_updates = checkpoint.info.update * spec.n_epochs
        room = io.BytesIO()
        save_model(model, room)
        statistics = None
        if NORMALISATION in checkpoint.parts and isinstance(envs, VecNormalize):
            restore_normalisation(envs, from_npz(checkpoint.part(NORMALISATION)))
            envs.training = False
            statistics = cloudpickle.dumps(envs)
    finally:
        envs.close()
    return room.getvalue(), statistics


def _seen(statistics: bytes | None, observations: Any) -> Any:
    """Return the observations as the file of statistics normalises them."""
    if statistics is None:
        return observations
    import pickle

    return pickle.loads(statistics).normalize_obs(observations)  # noqa: S301 - made above
