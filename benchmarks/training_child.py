"""One training in a process of its own; prints what it took as JSON. Used by ``training.py``.

    python benchmarks/training_child.py {bare,same,worker,teaching} SPEC RUN_DIRECTORY

Counted are seconds and processor time of making environments and networks and of training, with
all threads, and evaluations by themselves; imports are not.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from harness import measured
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.training import trainer, worker
from jupyter_ppo.training.environments import make_evaluation_envs, make_training_envs
from jupyter_ppo.training.evaluating import evaluate, policy_predictor
from jupyter_ppo.training.evaluation_plan import EvaluationPlan
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.teaching.ppo import train_ppo


class Evaluations(BaseCallback):
    """The worker's evaluations for ``learn()``: after an update, until the target is reached."""

    def __init__(self, spec: RunSpec, seconds: list[float]) -> None:
        super().__init__()
        self.solved_at: int | None = None
        self._spec = spec
        self._seconds = seconds
        self._next = spec.eval_every

    def _on_rollout_start(self) -> None:
        if not self._spec.eval_every or self.num_timesteps < self._next:
            return
        began = time.process_time()
        spec = self._spec
        self._next = (self.num_timesteps // spec.eval_every + 1) * spec.eval_every
        envs = make_evaluation_envs(spec, None, spec.eval_episodes, spec.eval_seed)
        predict = policy_predictor(self.model.policy, None, spec.eval_deterministic)
        mean_return = statistics.mean(evaluate(predict, envs).returns)
        envs.close()
        if spec.target_return is not None and mean_return >= spec.target_return:
            self.solved_at = self.num_timesteps
        self._seconds.append(time.process_time() - began)

    def _on_step(self) -> bool:
        return self.solved_at is None


def learn(
    spec: RunSpec, envs: VecEnv, adam: dict[str, Any] | None, evaluations: Evaluations | None
) -> None:
    """``PPO.learn`` as everybody calls it; ``adam`` are further arguments of the optimizer."""
    model = PPO(
        "MlpPolicy",
        envs,
        learning_rate=_as_sb3(spec.learning_rate),
        n_steps=spec.n_steps,
        batch_size=spec.batch_size,
        n_epochs=spec.n_epochs,
        gamma=spec.gamma,
        gae_lambda=spec.gae_lambda,
        clip_range=_as_sb3(spec.clip_range),
        ent_coef=spec.ent_coef,
        vf_coef=spec.vf_coef,
        max_grad_norm=spec.max_grad_norm,
        policy_kwargs={"optimizer_kwargs": adam} if adam else None,
        seed=spec.seed,
        device="cpu",
    )
    model.learn(spec.total_steps, callback=evaluations)
    envs.close()


def _as_sb3(schedule: Schedule) -> Any:
    if schedule.is_constant:
        return schedule.start
    return LinearSchedule(schedule.start, schedule.end, 1.0)


def bare(spec: RunSpec, evaluations: Evaluations) -> None:
    """Train as SB3's documentation does: ``make_vec_env``, its own Adam."""
    envs = make_vec_env(spec.env_id, n_envs=spec.n_envs, seed=spec.seed)
    learn(spec, envs, None, evaluations if spec.eval_every else None)


def same(spec: RunSpec) -> None:
    """Train without our worker, with all that the spec says: environments, Adam, threads."""
    torch.set_num_threads(spec.torch_threads)
    adam = {"eps": spec.adam_eps, "fused": spec.fused_adam}
    learn(spec, make_training_envs(spec, None, spec.seed), adam, None)


def count_evaluations() -> list[float]:
    """Return a list that receives the processor seconds of every evaluation in this process."""
    seconds: list[float] = []
    hold = EvaluationPlan.hold_when_due

    def counted(*values: Any) -> None:
        began = time.process_time()
        hold(*values)
        seconds.append(time.process_time() - began)

    EvaluationPlan.hold_when_due = counted  # type: ignore[assignment, method-assign]
    return seconds


def main(arguments: list[str]) -> int:
    """Train once and print the cost."""
    kind, spec, directory = arguments[0], RunSpec.from_dict(json.loads(arguments[1])), arguments[2]
    # Late imports: PyTorch imports its compiler for the first optimizer, for a second.
    torch.optim.Adam([torch.zeros(1)])
    assert trainer.__name__
    evaluating = count_evaluations()
    evaluations = Evaluations(spec, evaluating)
    status = 0

    def work() -> None:
        nonlocal status
        status = worker.main([directory])

    kinds: dict[str, Callable[[], None]] = {
        "bare": lambda: bare(spec, evaluations),
        "same": lambda: same(spec),
        "teaching": lambda: _teach(spec),
        "worker": work,
    }
    cost = measured(kinds[kind], containers=False)
    if status:
        return status
    solved_at = evaluations.solved_at
    if kind == "worker":
        found = open_run(directory).evaluations()
        reached = [each.step for each in found if each.mean_return >= (spec.target_return or 0)]
        solved_at = reached[0] if reached else None
    result = {
        "wall": cost.wall,
        "cpu": cost.cpu,
        "evaluating": sum(evaluating),
        "solved_at": solved_at,
    }
    print(json.dumps(result), flush=True)
    return 0


def _teach(spec: RunSpec) -> None:
    train_ppo(spec, lambda _step, **_metrics: None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
