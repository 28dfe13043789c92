"""The policy of a checkpoint, ready to act, and what two forms of it are compared by.

Weights are read without unpickling anything. Only an environment of the user's own is a pickle, and
is used only when this user wrote it. Loads torch.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy

from jupyter_ppo.domain.errors import (
    CheckFailedError,
    DamagedFileError,
    NotFoundError,
    UnavailableError,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.checkpoints import Checkpoint
from jupyter_ppo.training.environments import EnvFactory, make_env
from jupyter_ppo.training.evaluating import Normaliser, policy_predictor
from jupyter_ppo.training.exports.opened import AnyRun, opened
from jupyter_ppo.training.exports.report import ExportReport
from jupyter_ppo.training.lines import replacing
from jupyter_ppo.training.model import build_policy
from jupyter_ppo.training.own_env import load_env
from jupyter_ppo.training.snapshot import (
    NORMALISATION,
    WEIGHTS,
    from_npz,
    load_weights,
    random_state,
    set_random_state,
    weights_sha256,
)

if TYPE_CHECKING:
    from jupyter_ppo.training.run import Run

#: Observations that are drawn from the space, and as many that the environment shows.
_SAMPLED, _SHOWN = 256, 256
#: How far two computations of a continuous action may be apart, in parts of the action's range.
_TOLERANCE: Final = 1e-4
#: Where an action was drawn instead of taken from the policy, so that more of the space is seen.
_EXPLORE_EVERY: Final = 4


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy with what it needs to act in its environment.

    ``observation_space`` is the environment's own, before anything is normalised or transposed;
    ``statistics`` are the arrays of normalisation.npz, empty when the run does not normalise.
    """

    spec: RunSpec
    checkpoint: Checkpoint
    policy: ActorCriticPolicy
    observation_space: spaces.Space[Any]
    statistics: Mapping[str, NDArray[Any]]
    env: EnvFactory | None

    @property
    def step(self) -> int:
        """Environment steps that it was trained for."""
        return self.checkpoint.info.step

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The environment's actions."""
        return self.policy.action_space

    def act(self, observations: Any, *, deterministic: bool = True) -> NDArray[Any]:
        """Return the actions for a batch of the environment's observations."""
        normaliser = Normaliser(self.statistics) if self.statistics else None
        actions = policy_predictor(self.policy, normaliser, deterministic)(observations)
        return np.asarray(actions)

    def scores(self, observations: Any) -> NDArray[Any]:
        """Return logits or means for a batch: what the most likely action follows from."""
        kept: list[Any] = []
        hook = self.policy.action_net.register_forward_hook(
            lambda _module, _inputs, output: kept.append(output.detach().numpy())
        )
        try:
            self.act(observations)
        finally:
            hook.remove()
        return np.asarray(kept[0])

    def observations(self) -> Any:
        """Return a batch: some drawn from the space, some that the environment shows."""
        space = copy.deepcopy(self.observation_space)
        space.seed(0)
        drawn = [space.sample() for _ in range(_SAMPLED)]
        return _stacked(drawn + self._shown(), self.observation_space)

    def _shown(self) -> list[Any]:
        env = make_env(self.spec, self.env)
        try:
            actions = copy.deepcopy(env.action_space)
            actions.seed(0)
            found = [env.reset(seed=self.spec.eval_seed)[0]]
            while len(found) < _SHOWN:
                batch = _stacked(found[-1:], self.observation_space)
                explores = len(found) % _EXPLORE_EVERY == 0
                action = actions.sample() if explores else self.act(batch)[0]
                observation, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    observation = env.reset(seed=self.spec.eval_seed + len(found))[0]
                found.append(copy.deepcopy(observation))
        finally:
            env.close()
        return found


def load_policy(run: AnyRun, step: int | None = None) -> LoadedPolicy:
    """Return the policy of a checkpoint; None: the newest that is whole.

    Raises ``NotFoundError`` without one, ``DamagedFileError`` when its contents do not fit the
    spec, ``UntrustedRunError`` for an environment of somebody else's, and ``InvalidInputError``
    when the environment cannot be made here.
    """
    run = opened(run)
    checkpoint = find_checkpoint(run, step)
    spec = run.spec
    env = load_env(run.files, spec)
    with same_randomness():
        example = make_env(spec, env)
        try:
            observations, actions = example.observation_space, example.action_space
        finally:
            example.close()
        policy = build_policy(spec, observations, actions)
        fill(policy, checkpoint)
    policy.set_training_mode(False)
    statistics = {}
    if NORMALISATION in checkpoint.parts:
        statistics = from_npz(checkpoint.part(NORMALISATION))
    return LoadedPolicy(spec, checkpoint, policy, observations, statistics, env)


def find_checkpoint(run: Run, step: int | None) -> Checkpoint:
    """Return a checkpoint, checked, by default the newest; warn about newer ones that are damaged.

    Raises ``NotFoundError`` naming those there are, and ``DamagedFileError``.
    """
    store = run.files.checkpoints()
    if step is None:
        newest = store.newest()
        if newest is None:
            remedy = "Wait for the first one."
            if run.files.is_own_loop():
                remedy = "It is a loop of your own: save the policy there."
            elif run.state().has_ended:
                remedy = "It ended before the first one; see its message, and resume it."
            msg = f"step: the run in {run.directory} has no checkpoint. {remedy}"
            raise NotFoundError(msg, field="step")
        for sentence in newest.skipped:
            warnings.warn(sentence, RuntimeWarning, stacklevel=3)
        return newest
    try:
        return store.read(step)
    except NotFoundError:
        there = ", ".join(str(info.step) for info in store.list()) or "none"
        msg = f"step: this run has no checkpoint of step {step}. It has: {there}."
        raise NotFoundError(msg, field="step") from None


def fill(policy: ActorCriticPolicy, checkpoint: Checkpoint) -> None:
    """Give the policy the checkpoint's weights; raise ``DamagedFileError`` if they do not fit."""
    try:
        load_weights(policy, checkpoint.part(WEIGHTS))
    except (RuntimeError, ValueError, KeyError, TypeError, EOFError) as error:
        msg = (
            f"{checkpoint.path.name}: the weights do not fit the policy that spec.json describes "
            f"({str(error).strip().splitlines()[0][:200]}). Was spec.json or the environment "
            "changed since?"
        )
        raise DamagedFileError(msg, field="checkpoint") from error
    if weights_sha256(policy) != checkpoint.info.weights_sha256:
        msg = f"{checkpoint.path.name}: the weights are not those it was written with."
        raise DamagedFileError(msg, field="checkpoint")


def compared(
    loaded: LoadedPolicy,
    path: Path,
    observations: Any,
    actions: NDArray[Any],
    scores: NDArray[Any] | None = None,
) -> ExportReport:
    """Compare another form's ``actions`` (and ``scores``) with those of the checkpoint.

    Raises ``CheckFailedError`` when one differs: nothing that acts differently is written.
    """
    expected = loaded.act(observations)
    actions = np.asarray(actions).reshape(expected.shape)
    space = loaded.action_space
    if isinstance(space, spaces.Box):
        apart = np.abs(actions.astype(np.float64) - expected) / np.maximum(
            space.high.astype(np.float64) - space.low, 1e-12
        )
        wrong = ~(apart <= _TOLERANCE)  # NaN is wrong as well
    else:
        wrong = actions != expected
    different = int(wrong.reshape(len(expected), -1).any(axis=1).sum())
    wanted = expected if scores is None else loaded.scores(observations)
    given = actions if scores is None else scores
    difference = np.abs(given.astype(np.float64) - wanted.astype(np.float64)).max()
    if different or not np.isfinite(difference):
        msg = (
            f"The export would give other actions than the checkpoint of step {loaded.step} for "
            f"{different} of {len(expected)} observations, so nothing was written to {path}."
        )
        raise CheckFailedError(msg)
    return ExportReport(
        path=path,
        step=loaded.step,
        weights_sha256=loaded.checkpoint.info.weights_sha256,
        observations=len(expected),
        max_difference=float(difference),
        same_actions=not different,
    )


@contextmanager
def same_randomness() -> Iterator[None]:
    """Leave the process's generators as they were: building a model seeds them."""
    state = random_state()
    try:
        yield
    finally:
        set_random_state(state)


def write_new(path: Path, write: Callable[[Any], None]) -> None:
    """Let ``write`` fill a file that then takes its place; raise ``UnavailableError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write(file)
    except OSError as error:
        msg = f"path: {path} cannot be written ({error.strerror or error}). Choose another path."
        raise UnavailableError(msg, field="path") from error


def _stacked(observations: list[Any], space: spaces.Space[Any]) -> Any:
    if isinstance(space, spaces.Dict):
        return {
            name: _stacked([one[name] for one in observations], part)
            for name, part in space.spaces.items()
        }
    return np.stack([np.asarray(one, dtype=space.dtype) for one in observations])
