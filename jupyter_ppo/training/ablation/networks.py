"""Policy and value function, with and without memory, as the switches say.

All have ``run(observations, starts, state)`` for sequences: observations (T, N, ...), starts (T, N)
float32 that are 1 where an episode begins, and the state before the first step. It gives the
policy's outputs (T * N, O), the values (T * N,) and the state after the last step. A network
without memory has no use for starts and state.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from jupyter_ppo.training.ablation.batch_task import BatchTask, Continuous
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.distributions import n_outputs
from jupyter_ppo.training.teaching.networks import Layer
from jupyter_ppo.training.teaching.networks import layer_init as orthogonal

#: Hidden state and cell state, each (N, units).
State = tuple[Tensor, Tensor]

_UNITS = 32  # of the LSTM


def layer_init(layer: Layer, gain: float, config: AblationConfig) -> Layer:
    """Initialise a layer: orthogonal weights with this gain and biases 0, or PyTorch's default.

    ``gain`` is 0.01 for a policy's last layer only; "orthogonal, head 1" makes it 1 there.
    """
    if config.initialization == "default":
        return layer
    is_small_head = gain < 0.1
    if is_small_head and config.initialization == "orthogonal, head 1":
        gain = 1.0
    return orthogonal(layer, gain)


class Agent(nn.Module):
    """Policy and value function: a trunk for each or one for both, and two heads."""

    def __init__(self, task: BatchTask, config: AblationConfig, width: int = 64) -> None:
        super().__init__()
        self._config = config
        self._is_frames = task.is_frames
        self.is_recurrent = False
        outputs = n_outputs(task.actions, config)
        self.actor_trunk, features = self._trunk(task, width)
        is_separate = config.separate_networks
        if task.is_frames:
            is_separate = config.frame_network == "separate cnns"
        self.critic_trunk = self._trunk(task, width)[0] if is_separate else self.actor_trunk
        self.actor_head = layer_init(nn.Linear(features, outputs), 0.01, config)
        self.critic_head = layer_init(nn.Linear(features, 1), 1.0, config)
        self.log_std = _log_std(task, config)

    def start(self, n_envs: int) -> State | None:
        """Return the state before the first step of the training."""
        del n_envs
        return None

    def run(
        self, observations: Tensor, starts: Tensor, state: State | None
    ) -> tuple[Tensor, Tensor, State | None]:
        """Return outputs, values and state; see above."""
        del starts
        flat = observations.flatten(0, 1).float()
        if self._is_frames and self._config.scale_pixels:
            flat = flat / 255.0
        policy_features = self.actor_trunk(flat)
        is_shared = self.critic_trunk is self.actor_trunk
        value_features = policy_features if is_shared else self.critic_trunk(flat)
        values: Tensor = self.critic_head(value_features).squeeze(1)
        return self.actor_head(policy_features), values, state

    def _trunk(self, task: BatchTask, width: int) -> tuple[nn.Module, int]:
        """Return hidden layers and how many numbers they give."""
        if task.is_frames and self._config.frame_network != "mlp":
            return _cnn(task.observation_shape, width, self._config), width
        if task.is_frames:
            layers = [nn.Flatten(), *_mlp(task, width, self._config, nn.ReLU)]
        else:
            layers = _mlp(task, width, self._config, nn.Tanh)
        return nn.Sequential(*layers), width


class RecurrentAgent(nn.Module):
    """One layer, an LSTM, and two heads on it."""

    def __init__(self, task: BatchTask, config: AblationConfig, width: int = _UNITS) -> None:
        super().__init__()
        self._config = config
        self.is_recurrent = True
        self.encoder = nn.Sequential(*_mlp(task, width, config, nn.Tanh, layers=1))
        self.lstm = nn.LSTMCell(width, _UNITS)
        if config.lstm_initialization == "orthogonal":
            for name, weights in self.lstm.named_parameters():
                if "bias" in name:
                    nn.init.zeros_(weights)
                else:
                    nn.init.orthogonal_(weights, 1.0)
        outputs = n_outputs(task.actions, config)
        self.actor_head = layer_init(nn.Linear(_UNITS, outputs), 0.01, config)
        self.critic_head = layer_init(nn.Linear(_UNITS, 1), 1.0, config)
        self.log_std = _log_std(task, config)

    def start(self, n_envs: int) -> State:
        """Return zeros, or noise when that is the ablation."""
        shape = (n_envs, _UNITS)
        if self._config.lstm_start == "random":
            return torch.randn(shape), torch.randn(shape)
        return torch.zeros(shape), torch.zeros(shape)

    def run(
        self, observations: Tensor, starts: Tensor, state: State | None
    ) -> tuple[Tensor, Tensor, State | None]:
        """Return outputs, values and state; see above."""
        features = self.encoder(observations.float())
        hidden, cell = state or self.start(observations.shape[1])
        seen = []
        for t in range(len(features)):
            hidden, cell = self.fresh((hidden, cell), starts[t])
            hidden, cell = self.lstm(features[t], (hidden, cell))
            seen.append(hidden)
        flat = torch.cat(seen)
        values: Tensor = self.critic_head(flat).squeeze(1)
        return self.actor_head(flat), values, (hidden, cell)

    def fresh(self, state: State, starts: Tensor) -> State:
        """Return the state with a new beginning where ``starts`` (N,) is 1 ([H] detail 34).

        With ``lstm_start`` "random" each episode begins with noise.
        """
        if not self._config.reset_state:
            return state
        kept = (1.0 - starts).unsqueeze(1)
        if self._config.lstm_start == "random":
            noise = self.start(len(starts))
            return state[0] * kept + noise[0] * (1 - kept), state[1] * kept + noise[1] * (1 - kept)
        return state[0] * kept, state[1] * kept


def n_parameters(agent: nn.Module) -> int:
    """Return how many numbers are learned; shared ones count once."""
    return sum(parameter.numel() for parameter in agent.parameters())


def _log_std(task: BatchTask, config: AblationConfig) -> nn.Parameter | None:
    is_normal = config.action_distribution == "normal" and isinstance(task.actions, Continuous)
    if not is_normal or isinstance(config.log_std, str):
        return None
    assert isinstance(task.actions, Continuous)  # noqa: S101
    return nn.Parameter(torch.full((task.actions.n,), float(config.log_std)))


def _mlp(
    task: BatchTask,
    width: int,
    config: AblationConfig,
    activation: type[nn.Module],
    layers: int = 2,
) -> list[nn.Module]:
    widths = (math.prod(task.observation_shape), *[width] * layers)
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        modules += [layer_init(nn.Linear(inputs, outputs), math.sqrt(2), config), activation()]
    return modules


def _cnn(shape: tuple[int, ...], width: int, config: AblationConfig) -> nn.Module:
    """Return the Nature CNN made small for 16 x 16 pixels: two convolutions and a layer."""
    gain = math.sqrt(2)
    return nn.Sequential(
        layer_init(nn.Conv2d(shape[0], 8, 4, stride=2), gain, config),  # (8, 7, 7)
        nn.ReLU(),
        layer_init(nn.Conv2d(8, 16, 3, stride=2), gain, config),  # (16, 3, 3)
        nn.ReLU(),
        nn.Flatten(),
        layer_init(nn.Linear(16 * 3 * 3, width), gain, config),
        nn.ReLU(),
    )
