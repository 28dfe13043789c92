"""The policy pi(a|s) and the value function V(s): two networks that share nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import Activation
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.teaching.distributions import Categorical, Distribution, Gaussian
from jupyter_ppo.training.teaching.networks import mlp

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.TANH: nn.Tanh,
    Activation.RELU: nn.ReLU,
    Activation.ELU: nn.ELU,
    Activation.GELU: nn.GELU,
}


class ActorCritic(nn.Module):
    """pi(a|s) and V(s) as multilayer perceptrons ([S] section 6.1; not shared: [H] detail 13).

    For discrete actions the actor gives one logit per action, and pi is their softmax. For
    continuous ones it gives the mean of a Gaussian ([H] continuous detail 1).

    Raises ``InvalidInputError`` when the environment's observations are not one box of numbers, or
    its actions are neither discrete nor one box.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        spec: RunSpec,
    ) -> None:
        super().__init__()
        if not isinstance(observation_space, spaces.Box):
            raise _unsupported(spec, "observations", observation_space)
        n_inputs = math.prod(observation_space.shape)
        self.log_std: nn.Parameter | None = None
        match action_space:
            case spaces.Discrete(start=0):
                n_outputs = int(action_space.n)
            case spaces.Box():
                n_outputs = math.prod(action_space.shape)
                self.log_std = nn.Parameter(torch.full((n_outputs,), spec.log_std_init))
            case _:
                raise _unsupported(spec, "actions", action_space)
        # The small gain makes all actions about equally likely at first ([H] detail 2).
        self.actor = _network(n_inputs, spec.policy_layers, n_outputs, 0.01, spec)
        self.critic = _network(n_inputs, spec.value_layers, 1, 1.0, spec)

    def distribution(self, observations: Tensor) -> Distribution:
        """Return pi(.|s) of ``observations``, (B, D) float32."""
        output: Tensor = self.actor(observations)
        if self.log_std is None:
            return Categorical(torch.log_softmax(output, dim=1))
        return Gaussian(output, self.log_std)

    def values(self, observations: Tensor) -> Tensor:
        """Return V(s), the expected discounted return, (B,), of (B, D) float32."""
        values: Tensor = self.critic(observations).squeeze(1)
        return values

    @torch.inference_mode()  # nothing is recorded for a gradient: a third of the time
    def act(self, observations: NDArray[Any], *, deterministic: bool = False) -> NDArray[Any]:
        """Return an action for each of N observations, drawn from pi or the most likely one.

        ``observations`` are (N, ...) of any number type. Actions are (N,) int64 when discrete;
        when continuous, (N, A) float32, not yet cut off at the bounds of the action space.
        """
        flat = np.asarray(observations, dtype=np.float32).reshape(len(observations), -1)
        pi = self.distribution(torch.from_numpy(flat))
        actions: NDArray[Any] = (pi.mode() if deterministic else pi.sample()).numpy()
        return actions


def _network(
    n_inputs: int, hidden: tuple[int, ...], n_outputs: int, last_gain: float, spec: RunSpec
) -> nn.Sequential:
    """Return the network that the spec asks for."""
    widths = (n_inputs, *hidden, n_outputs)
    activation = _ACTIVATIONS[spec.activation]
    return mlp(widths, last_gain, activation, is_orthogonal=spec.ortho_init)


def _unsupported(spec: RunSpec, what: str, space: spaces.Space[Any]) -> InvalidInputError:
    msg = (
        f"env_id: the {what} of {spec.env_id} are {str(space)[:120]}. Here observations are one "
        "box of numbers, and actions discrete from 0 or one box; train() takes others too."
    )
    return InvalidInputError(msg, field="env_id")
