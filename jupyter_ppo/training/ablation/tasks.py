"""The tasks of the ablations by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.ablation.batch_task import BatchTask
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.control_tasks import CartPole, Reacher, ReacherRules
from jupyter_ppo.training.ablation.frame_task import FrameTask
from jupyter_ppo.training.ablation.games import Catch, CatchRules, MovingDot
from jupyter_ppo.training.ablation.puzzle_tasks import Dials, Doors, Recall

#: Makes a task for some switches; the generator draws everything in it.
Factory = Callable[[AblationConfig, np.random.Generator], BatchTask]


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A task: its name for captions, what its score is, and how it is made."""

    label: str
    score: str  # the unit of an episode's return
    make: Factory


def _cartpole(config: AblationConfig, rng: np.random.Generator) -> BatchTask:
    return CartPole(config.n_envs, rng)


def _dot(config: AblationConfig, rng: np.random.Generator) -> BatchTask:
    return FrameTask(MovingDot(config.n_envs, rng), config)


def _puzzle(
    config: AblationConfig, rng: np.random.Generator, *, kind: type[Recall | Dials | Doors]
) -> BatchTask:
    return kind(config.n_envs, rng)


def _play(
    config: AblationConfig, rng: np.random.Generator, *, rules: CatchRules, is_blind: bool
) -> BatchTask:
    return FrameTask(Catch(config.n_envs, rng, rules), config, is_blind=is_blind)


def _reach(config: AblationConfig, rng: np.random.Generator, *, rules: ReacherRules) -> BatchTask:
    return Reacher(config.n_envs, rng, rules)


def _catch(label: str, *, score: str = "balls", is_blind: bool = False, **rules: Any) -> TaskKind:
    return TaskKind(label, score, partial(_play, rules=CatchRules(**rules), is_blind=is_blind))


def _reacher(label: str, **rules: Any) -> TaskKind:
    return TaskKind(label, "minus distance", partial(_reach, rules=ReacherRules(**rules)))


TASKS: Final[dict[str, TaskKind]] = {
    "cartpole": TaskKind("CartPole-v1", "reward", _cartpole),
    "catch": _catch("Catch, 16 x 16 pixels", drifts=True),
    "catch-blind": _catch(
        "Catch with the same balls in every game and a covered screen",
        is_blind=True,
        same_balls=True,
    ),
    "catch-flicker": _catch("Catch with balls that flicker", flickers=True),
    "catch-lives": _catch("Catch with three lives and ten balls", lives=3, n_balls=10),
    "catch-fire": _catch("Catch that waits for FIRE", waits_for_fire=True),
    "catch-colours": _catch("Catch with red, green and blue balls", colours=True),
    "catch-jackpot": _catch(
        "Catch with one ball in five worth 100", score="points", has_jackpot=True
    ),
    "dot": TaskKind("Moving dot", "share of frames", _dot),
    "reacher": _reacher("Point reacher, 2 dimensions"),
    "reacher-6": _reacher("Point reacher, 6 dimensions", dimensions=6),
    "reacher-scale": _reacher("Point reacher, one feature times 1000", first_feature_scale=1000.0),
    "reacher-outliers": _reacher(
        "Point reacher, one observation in 500 with an outlier",
        outlier_chance=0.002,
        outlier_size=1000.0,
    ),
    "reacher-reward": _reacher("Point reacher, rewards times 100", reward_scale=100.0),
    "reacher-reward-outliers": _reacher(
        "Point reacher, one reward in 200 is -1000",
        reward_outlier_chance=0.005,
        reward_outlier=-1000.0,
    ),
    "recall": TaskKind("Recall a cue", "reward", partial(_puzzle, kind=Recall)),
    "dials": TaskKind("Four dials of five positions", "reward", partial(_puzzle, kind=Dials)),
    "doors": TaskKind("Forty doors, three can be opened", "reward", partial(_puzzle, kind=Doors)),
}


def task_kind(name: str) -> TaskKind:
    """Return the task with this name. Raises ``InvalidInputError`` (field ``task``)."""
    try:
        return TASKS[name]
    except KeyError:
        msg = f"task: there is no task {name[:60]!r}. Use one of {', '.join(TASKS)}."
        raise InvalidInputError(msg, field="task") from None
