"""Five tiny environments, each of which needs one more thing to work; in seconds.

Source: Jones 2021, "Debugging RL, Without the Agonizing Pain". Their ids name this module, so that
Gymnasium finds them in any process: ``train(env_id=probe_id(3))``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from jupyter_ppo.domain.errors import InvalidInputError

Observation = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Probe:
    """What an environment asks, and what a sound algorithm gets to know of it."""

    question: str
    n_actions: int
    expected_return: float  # of the best policy, not discounted
    #: Each observation: the reward that follows, and after how many steps more.
    rewards: dict[float, tuple[float, int]]

    def expected_values(self, gamma: float) -> dict[float, float]:
        """Return the value of each observation under the best policy."""
        return {seen: reward * gamma**steps for seen, (reward, steps) in self.rewards.items()}


PROBES = {
    1: Probe("Does the value learn a constant?", 1, 1.0, {0.0: (1.0, 0)}),
    2: Probe("Does the value see the observation?", 1, 0.0, {-1.0: (-1.0, 0), 1.0: (1.0, 0)}),
    3: Probe("Does a later reward come back, discounted?", 1, 1.0, {0.0: (1.0, 1), 1.0: (1.0, 0)}),
    4: Probe("Does the policy find the better action?", 2, 1.0, {0.0: (1.0, 0)}),
    5: Probe("Does the action follow the observation?", 2, 1.0, {-1.0: (1.0, 0), 1.0: (1.0, 0)}),
}


class ProbeEnv(gymnasium.Env[Observation, np.int64]):
    """Probe 1 to 5: one observation, (1,) float32; one step, and two in probe 3."""

    def __init__(self, number: int) -> None:
        if number not in PROBES:
            msg = f"number: there is no probe {number}. There are 1 to {len(PROBES)}."
            raise InvalidInputError(msg, field="number")
        self.observation_space: spaces.Space[Observation] = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.action_space: spaces.Space[np.int64] = spaces.Discrete(PROBES[number].n_actions)
        self._number = number
        self._seen = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; -1 and 1 come equally often where the observation is drawn."""
        super().reset(seed=seed, options=options)
        is_drawn = self._number in {2, 5}
        self._seen = float(self.np_random.choice([-1.0, 1.0])) if is_drawn else 0.0
        return self._observation(), {}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Return the reward of the probe."""
        if self._number == 3 and self._seen == 0.0:
            self._seen = 1.0
            return self._observation(), 0.0, False, False, {}
        sign = 1.0 if action == 1 else -1.0
        reward = {1: 1.0, 2: self._seen, 3: 1.0, 4: sign, 5: sign * self._seen}[self._number]
        return self._observation(), reward, True, False, {}

    def _observation(self) -> Observation:
        return np.array([self._seen], dtype=np.float32)


def make_probe(number: int) -> ProbeEnv:
    """Return probe 1 to 5, whose ``PROBES[number]`` says what to expect."""
    return ProbeEnv(number)


def probe_id(number: int) -> str:
    """Return the id by which Gymnasium, and ``train``, make probe 1 to 5."""
    if number not in PROBES:
        msg = f"number: there is no probe {number}. There are 1 to {len(PROBES)}."
        raise InvalidInputError(msg, field="number")
    return f"{__name__}:{_name(number)}"


def _name(number: int) -> str:
    return f"ppo/Probe{number}-v0"


for _number in PROBES:
    if _name(_number) not in gymnasium.registry:
        gymnasium.register(
            _name(_number), entry_point=f"{__name__}:ProbeEnv", kwargs={"number": _number}
        )
