"""SB3's actor as one function of tensors: from the environment's observation to its action.

It follows ``ActorCriticPolicy.predict(deterministic=True)`` and ``VecNormalize`` of SB3 2.9. Loads
torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.distributions import (
    BernoulliDistribution,
    CategoricalDistribution,
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
    StateDependentNoiseDistribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from jupyter_ppo.domain.errors import InvalidInputError

#: The input's name; observations that are a dictionary have one input for each key.
OBSERVATION: Final = "observation"
_KINDS: Final = (
    CategoricalDistribution,
    MultiCategoricalDistribution,
    BernoulliDistribution,
    DiagGaussianDistribution,
    StateDependentNoiseDistribution,
)


class ActionGraph(nn.Module):
    """The most likely action of a policy, and the scores behind it, for a batch of observations.

    ``observation_space`` is the environment's own; ``statistics`` the arrays of normalisation.npz,
    empty when nothing is normalised. Raises ``InvalidInputError`` for a distribution that has no
    most likely action.
    """

    def __init__(
        self,
        policy: ActorCriticPolicy,
        observation_space: spaces.Space[Any],
        statistics: Mapping[str, NDArray[Any]],
    ) -> None:
        super().__init__()
        if not isinstance(policy.action_dist, _KINDS):
            msg = f"run: {type(policy.action_dist).__name__} has no ONNX graph; use export_sb3."
            raise InvalidInputError(msg, field="run")
        self.policy = policy
        self.input_names = input_names(observation_space)
        self._is_dict = isinstance(observation_space, spaces.Dict)
        self._transposed = _transposed(policy.observation_space, observation_space)
        self._clip = float(statistics["clip_obs"]) if statistics else 0.0
        self._normalized = set()
        for number, name in enumerate(self.input_names):  # a key may have dots, a buffer may not
            end = f"/{name}" if self._is_dict else ""
            if f"obs_mean{end}" in statistics:
                deviation = np.sqrt(statistics[f"obs_var{end}"] + float(statistics["epsilon"]))
                self.register_buffer(
                    f"mean_{number}", torch.as_tensor(statistics[f"obs_mean{end}"])
                )
                self.register_buffer(f"deviation_{number}", torch.as_tensor(deviation))
                self._normalized.add(number)
        actions = policy.action_space
        if isinstance(actions, spaces.Box):
            self.register_buffer("low", torch.as_tensor(actions.low))
            self.register_buffer("high", torch.as_tensor(actions.high))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the action and its scores; one input for each of ``input_names``."""
        parts = {
            name: self._prepared(number, name, part)
            for number, (name, part) in enumerate(zip(self.input_names, inputs, strict=True))
        }
        policy = self.policy
        observation: Any = parts if self._is_dict else parts[OBSERVATION]
        features: Any = policy.extract_features(observation, policy.pi_features_extractor)
        scores = policy.action_net(policy.mlp_extractor.forward_actor(features))
        return self._action(scores), scores

    def _prepared(self, number: int, name: str, part: Tensor) -> Tensor:
        if number in self._normalized:
            mean, deviation = getattr(self, f"mean_{number}"), getattr(self, f"deviation_{number}")
            # In float64 and then rounded once, as VecNormalize does.
            scaled = (part.double() - mean) / deviation
            part = scaled.clamp(-self._clip, self._clip).float()
        return part.permute(0, 3, 1, 2) if name in self._transposed else part

    def _action(self, scores: Tensor) -> Tensor:
        kind = self.policy.action_dist
        if isinstance(kind, CategoricalDistribution):
            return scores.argmax(dim=1)
        if isinstance(kind, MultiCategoricalDistribution):
            parts = torch.split(scores, kind.action_dims, dim=1)
            return torch.stack([part.argmax(dim=1) for part in parts], dim=1)
        if isinstance(kind, BernoulliDistribution):
            return (scores > 0).to(torch.int64)
        low, high = self.get_buffer("low"), self.get_buffer("high")
        action = scores.reshape(-1, *low.shape)
        if self.policy.squash_output:
            return low + 0.5 * (torch.tanh(action) + 1.0) * (high - low)
        return torch.minimum(torch.maximum(action, low), high)


def input_names(observation_space: spaces.Space[Any]) -> list[str]:
    """Return the names of the graph's inputs."""
    if isinstance(observation_space, spaces.Dict):
        return list(observation_space.spaces)
    return [OBSERVATION]


def _transposed(wanted: spaces.Space[Any], shown: spaces.Space[Any]) -> frozenset[str]:
    """Return the inputs whose channels come last and that the network wants first."""
    if isinstance(wanted, spaces.Dict) and isinstance(shown, spaces.Dict):
        pairs = {name: (wanted[name], shown[name]) for name in shown.spaces}
    else:
        pairs = {OBSERVATION: (wanted, shown)}
    return frozenset(name for name, (first, last) in pairs.items() if first.shape != last.shape)
