"""All that decides how a run goes on, as the parts of a checkpoint, and back.

::

    weights.pt          state of the policy; torch.load(weights_only=True) reads it
    optimizer.pt        state of Adam; the same
    normalisation.npz   running statistics, when the run has some
    state.pkl           generators, environments, last observations, counters (a pickle)

Taken between an update and the next rollout this is everything (a test shows that leaving out any
generator or the environments gives other weights). Weights do not change during a rollout, so the
other parts may be taken at its beginning and written later.
"""

from __future__ import annotations

import hashlib
import io
import platform
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import gymnasium
import numpy as np
import stable_baselines3
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training import env_state
from jupyter_ppo.training.checkpoints import Checkpoint

WEIGHTS, OPTIMIZER = "weights.pt", "optimizer.pt"
NORMALISATION, STATE = "normalisation.npz", "state.pkl"

_WINDOW = 100


@dataclass
class Progress:
    """Where a run is, apart from the model and the environments.

    ``returns`` are those of the last 100 episodes, ``changes`` what was changed while it went on,
    ``streak`` the evaluations in a row that reached the target, ``inexact`` why no checkpoint of
    this run is exact.
    """

    seconds: float = 0.0
    update: int = 0
    returns: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    changes: dict[str, Any] = field(default_factory=dict)
    next_evaluation: int = 0
    evaluated_at: int = 0
    streak: int = 0
    is_solved: bool = False
    ignores_target: bool = False
    inexact: str = ""


@dataclass(frozen=True)
class Boundary:
    """What moves during a rollout, taken before it. ``reason``: why it is not exact, or ""."""

    step: int
    update: int
    state: bytes
    normalisation: bytes | None
    reason: str


def random_state() -> dict[str, Any]:
    """Return the state of all global generators: Python's, NumPy's and torch's."""
    return {**env_state.random_state(), "torch": torch.get_rng_state()}


def set_random_state(state: Mapping[str, Any]) -> None:
    """Go on from ``random_state``."""
    env_state.set_random_state(dict(state))
    torch.set_rng_state(state["torch"])


def weights_sha256(policy: BasePolicy) -> str:
    """Return the digest of the policy's tensors in the order of its state."""
    digest = hashlib.sha256()
    for tensor in policy.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def envs_of(model: PPO) -> VecEnv:
    """Return the environments that a model was built with."""
    return cast("VecEnv", model.env)


def take_boundary(model: PPO, progress: Progress, reason: str) -> Boundary:
    """Take what moves; ``reason`` is what is known already to be not exact."""
    envs, cannot = env_state.capture_envs(envs_of(model))
    arrays = env_state.normalisation_of(envs_of(model))
    state = {
        "random": random_state(),
        "envs": envs,
        "last_obs": model._last_obs,
        "last_episode_starts": model._last_episode_starts,
        "last_original_obs": model._last_original_obs,
        "num_timesteps": model.num_timesteps,
        "n_updates": model._n_updates,
        "episodes": list(model.ep_info_buffer or ()),
        "progress": dict(progress.__dict__),
    }
    return Boundary(
        step=model.num_timesteps,
        update=progress.update,
        state=env_state.pickled(state),
        normalisation=None if arrays is None else _to_npz(arrays),
        reason=cannot or reason,
    )


def parts_of(model: PPO, boundary: Boundary) -> dict[str, bytes]:
    """Return the parts of a checkpoint at ``boundary``; no update may have been made since."""
    parts = {
        WEIGHTS: _to_bytes(model.policy.state_dict()),
        OPTIMIZER: _to_bytes(model.policy.optimizer.state_dict()),
        STATE: boundary.state,
    }
    if boundary.normalisation is not None:
        parts[NORMALISATION] = boundary.normalisation
    return parts


def restore(model: PPO, checkpoint: Checkpoint, spec: RunSpec) -> tuple[Progress, list[str]]:
    """Make a new model go on from a checkpoint.

    Return where the run was, and the reasons why it will not be bit for bit as uninterrupted; none
    when it will. Raises ``UntrustedRunError`` and ``DamagedFileError``.
    """
    state = env_state.unpickled(checkpoint.trusted_part(STATE))
    load_weights(model.policy, checkpoint.part(WEIGHTS))
    model.policy.optimizer.load_state_dict(
        torch.load(io.BytesIO(checkpoint.part(OPTIMIZER)), weights_only=True)
    )
    model.num_timesteps = state["num_timesteps"]
    model._n_updates = state["n_updates"]
    model.ep_info_buffer = deque(state["episodes"], maxlen=_WINDOW)
    if NORMALISATION in checkpoint.parts:
        arrays = from_npz(checkpoint.part(NORMALISATION))
        env_state.restore_normalisation(envs_of(model), arrays)
    reasons = _differences(checkpoint.extra, spec)
    if not checkpoint.info.is_exact:
        reasons.append(checkpoint.info.reason)
    _restore_envs(model, state, reasons)
    set_random_state(state["random"])
    return Progress(**state["progress"]), reasons


def _restore_envs(model: PPO, state: dict[str, Any], reasons: list[str]) -> None:
    training_envs = envs_of(model)
    if state["envs"] is not None:
        try:
            env_state.restore_envs(training_envs, state["envs"])
        except Exception as error:  # a class of the user's own may raise anything
            reasons.append(
                f"The environments' state could not be restored ({type(error).__name__}: "
                f"{str(error)[:200]}); new episodes begin."
            )
        else:
            model._last_obs = state["last_obs"]
            model._last_episode_starts = state["last_episode_starts"]
            model._last_original_obs = state["last_original_obs"]
            return
    # Not the seed of the run: its first episodes would be played again.
    mixed = np.random.SeedSequence([model.seed or 0, model.num_timesteps])
    training_envs.seed(int(mixed.generate_state(1)[0] >> 1))
    model._last_obs = training_envs.reset()  # type: ignore[assignment]
    model._last_episode_starts = np.ones((training_envs.num_envs,), dtype=bool)


def load_weights(policy: BasePolicy, data: bytes) -> None:
    """Give a policy the weights of weights.pt, without unpickling."""
    policy.load_state_dict(torch.load(io.BytesIO(data), weights_only=True))


def circumstances(spec: RunSpec) -> dict[str, Any]:
    """Return what else decides the bits: libraries, threads, kind of machine."""
    try:
        own = version("jupyter_ppo")
    except PackageNotFoundError:
        own = ""
    processor = torch.backends.cpu.get_cpu_capability()
    return {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "stable_baselines3": stable_baselines3.__version__,
            "gymnasium": gymnasium.__version__,
            "numpy": np.__version__,
            "jupyter_ppo": own,
        },
        "torch_threads": spec.torch_threads,
        "platform": f"{sys.platform} {platform.machine()} {processor}",
    }


def _differences(extra: Mapping[str, Any], spec: RunSpec) -> list[str]:
    now = circumstances(spec)
    found = []
    then = extra.get("versions") or {}
    for name, here in now["versions"].items():
        if then.get(name, here) != here:
            found.append(f"It was written with {name} {then[name]}, this is {here}.")
    if extra.get("torch_threads", spec.torch_threads) != spec.torch_threads:
        found.append(
            f"It was written with {extra['torch_threads']} torch threads, now there are "
            f"{spec.torch_threads}: sums are rounded in another order."
        )
    if extra.get("platform", now["platform"]) != now["platform"]:
        found.append(
            f"It was written on another kind of machine ({extra['platform']}; this is "
            f"{now['platform']})."
        )
    return found


def _to_bytes(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def _to_npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def from_npz(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of normalisation.npz; nothing is unpickled."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
