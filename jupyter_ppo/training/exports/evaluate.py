"""A checkpoint's policy on held-out seeds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS
from jupyter_ppo.domain.training import Evaluation

if TYPE_CHECKING:
    from jupyter_ppo.training.exports.opened import AnyRun


def evaluate_run(
    run: AnyRun,
    *,
    step: int | None = None,
    episodes: int = 100,
    seed: int | None = None,
    deterministic: bool = True,
) -> Evaluation:
    """Let the policy of a checkpoint (None: the newest) play ``episodes`` and return what came.

    Episode i has the seed ``seed + i``; None: the seed of the run's own evaluations, so that the
    same step gives the same returns. ``deterministic`` takes the most likely action instead of a
    drawn one; what is drawn follows from ``seed``. ``seconds`` of the result is how long it took.
    Weights are read without unpickling; nothing is written to the run. Raises ``InvalidInputError``
    naming the argument, and what ``load_policy`` raises.
    """
    from jupyter_ppo.training.environments import make_evaluation_envs
    from jupyter_ppo.training.evaluating import evaluate, seed_episodes
    from jupyter_ppo.training.exports.policy import load_policy, same_randomness

    count = HYPERPARAMETERS["eval_episodes"].checked(episodes)
    loaded = load_policy(run, step)
    first = HYPERPARAMETERS["eval_seed"].checked(loaded.spec.eval_seed if seed is None else seed)

    def predict(observations: Any) -> Any:
        return loaded.act(observations, deterministic=deterministic)

    began = time.monotonic()
    with same_randomness():
        envs = make_evaluation_envs(loaded.spec, loaded.env, count, first)
        try:
            seed_episodes(loaded.policy, first, count)  # as evaluations of the run itself do
            found = evaluate(predict, envs)
        finally:
            envs.close()
    return Evaluation(
        step=loaded.step,
        seconds=time.monotonic() - began,
        seed=first,
        deterministic=deterministic,
        returns=found.returns,
        lengths=found.lengths,
    )
