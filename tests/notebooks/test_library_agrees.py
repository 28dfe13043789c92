"""The reference solutions of the course and the teaching library compute the same numbers.

Both get the same random inputs. An exercise that is not listed here fails the test, and so does one
that is listed and not there.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training import objective
from jupyter_ppo.training.teaching import (
    bandits,
    distributions,
    frames,
    gradients,
    networks,
    normalizing,
    policy_gradient,
    recurrent,
    returns,
    scores,
    vector,
)
from jupyter_ppo.training.teaching.optimizer import Adam
from jupyter_ppo.training.teaching.rollout import Samples
from jupyter_ppo.training.teaching.update import update

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(5)
Rng = np.random.Generator
Compare = Callable[[Any, Rng], tuple[Any, Any]]


def flags(rng: Rng, *shape: int) -> np.ndarray:
    return (rng.random(shape) < 0.3).astype(np.float64)


def tensors(*arrays: Any) -> tuple[torch.Tensor, ...]:
    return tuple(torch.as_tensor(array) for array in arrays)


def on(library: Callable[..., Any], make: Callable[[Rng], Sequence[Any]]) -> Compare:
    """Return a comparison of the answer and ``library`` on the arguments that ``make`` draws."""

    def compare(answer: Any, rng: Rng) -> tuple[Any, Any]:
        arguments = make(rng)
        return answer(*arguments), library(*arguments)

    return compare


def on_tensors(library: Callable[..., Any], make: Callable[[Rng], Sequence[Any]]) -> Compare:
    """As ``on``; the answer gets tensors instead of arrays."""

    def compare(answer: Any, rng: Rng) -> tuple[Any, Any]:
        arguments = make(rng)
        given = [torch.tensor(x) if isinstance(x, np.ndarray) else x for x in arguments]
        return answer(*given), library(*arguments)

    return compare


def with_equal_generators(
    library: Callable[..., Any], make: Callable[[Rng], Sequence[Any]]
) -> Compare:
    """As ``on``; a generator among the arguments is a new one with the same seed for each."""

    def compare(answer: Any, rng: Rng) -> tuple[Any, Any]:
        seed = int(rng.integers(1_000_000))
        results = []
        for function in (answer, library):
            again = np.random.default_rng(seed)
            results.append(function(*make(again)))
        return results[0], results[1]

    return compare


# -------------------------------------------------------------------------------- chapters 01 to 03


def plays(rng: Rng) -> tuple[Any, ...]:
    return rng.normal(size=4), rng.integers(4, size=9), rng.normal(size=9), float(rng.normal())


def mask_of(rng: Rng) -> tuple[Any, ...]:
    mask = rng.random(5) < 0.5
    mask[rng.integers(5)] = True
    return rng.normal(size=5) * 3, mask


def world(rng: Rng) -> tuple[Any, ...]:
    transitions = rng.dirichlet(np.ones(4), size=(4, 3))
    return transitions, rng.normal(size=(4, 3)), rng.dirichlet(np.ones(3), size=4), 0.9, 1e-9


def choices(rng: Rng) -> tuple[Any, ...]:
    return torch.tensor(rng.normal(size=(6, 4))), torch.tensor(rng.integers(4, size=6))


def parts(rng: Rng) -> tuple[Any, ...]:
    nvec = (2, 3, 4)
    actions = np.stack([rng.integers(n, size=6) for n in nvec], axis=1)
    return torch.tensor(rng.normal(size=(6, 9))), nvec, torch.tensor(actions)


class Corridor(gymnasium.Env[Any, Any]):
    """Walk left or right on a line; the right end pays, the left one ends the episode."""

    observation_space = spaces.Box(-10, 10, (2,), np.float64)
    action_space = spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self._place, self._t = 0, 0
        return np.array([0.0, 1.0]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._t += 1
        self._place += 1 if action == 1 else -1
        seen = np.array([float(self._place), 1.0])
        return seen, float(self._place), self._place == -2, self._t == 7, {}


def reinforce(answer: Any, rng: Rng) -> tuple[Any, Any]:
    results = []
    seed, start = int(rng.integers(1000)), torch.tensor(rng.normal(size=(2, 2)))
    for function in (answer, policy_gradient.train_reinforce):
        drawn = np.random.default_rng(seed)

        def choose(p: Any, drawn: Rng = drawn) -> int:
            return int(drawn.choice(2, p=np.asarray(p)))

        results.append(function(Corridor(), choose, start, 3, 4, 0.05, 0.9))
    return results[0], results[1]


# ------------------------------------------------------------------------------------- chapter 04


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Copy the weights of ``theirs`` into ``ours``: of each shape the first, the second, ..."""
    left = list(theirs.state_dict().values())
    found = {}
    for name, weight in ours.state_dict().items():
        place = next(i for i, other in enumerate(left) if other.shape == weight.shape)
        found[name] = left.pop(place)
    assert not left, "the networks have other layers"
    ours.load_state_dict(found)


def layer(answer: Any, rng: Rng) -> tuple[Any, Any]:
    seed, found = int(rng.integers(1000)), []
    for make in (answer, lambda n, m, std, bias: networks.layer_init(nn.Linear(n, m), std, bias)):
        torch.manual_seed(seed)
        made = make(5, 3, 0.7, 0.2)
        found.append([made.weight, made.bias])
    return found[0], found[1]


def actor_critic(answer: Any, rng: Rng) -> tuple[Any, Any]:
    found: tuple[list[Any], list[Any]] = ([], [])
    observations = torch.tensor(rng.normal(size=(6, 4)), dtype=torch.float32)
    for shared in (True, False):
        theirs, ours = answer(4, 3, shared), networks.build_actor_critic(4, 3, shared)
        assert counted(theirs) == counted(ours)
        same_weights(ours, theirs)
        for model, into in ((theirs, found[0]), (ours, found[1])):
            into.extend(model(observations))
    return found


def counted(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def actor_critic_update(answer: Any, rng: Rng) -> tuple[Any, Any]:
    """The exercise takes its network and several batches; ours takes one step at a time."""
    given = answer.__globals__
    weights = given["draw_weights"](int(rng.integers(1000)))
    batches = []
    for _ in range(3):
        observations, wanted = tensors(rng.normal(size=(12, 3)), rng.normal(size=12))
        actions = torch.tensor(rng.integers(2, size=12))
        batches.append({"obs": observations, "actions": actions, "returns": wanted})
    theirs, history = answer(weights, batches, 0.1, 0.5, 0.02)

    model = given["load_network"](weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rows = []
    for batch in batches:
        batch["observations"] = batch.pop("obs")
        with torch.no_grad():
            batch["advantages"] = batch["returns"] - model(batch["observations"])[1]
        terms = policy_gradient.a2c_update(model, optimizer, batch, 0.5, 0.02)
        rows.append({name: terms[name] for name in history[0]})
    return [theirs, history], [given["weights_of"](model), rows]


def network_for_games(answer: Any, rng: Rng) -> tuple[Any, Any]:
    theirs, ours = answer(5), networks.nature_cnn(5)
    same_weights(ours, theirs)
    images = torch.tensor(rng.random((2, 4, 84, 84)), dtype=torch.float32)
    return theirs(images), ours(images)


# ------------------------------------------------------------------------------- chapters 05 and 06


def rollout(rng: Rng) -> tuple[Any, ...]:
    shape = (7, 3)
    return (
        rng.normal(size=shape),
        rng.normal(size=shape),
        flags(rng, *shape),
        rng.normal(size=3),
        flags(rng, 3),
        0.97,
        0.9,
    )


def gae_of_one_episode(
    rewards: Any, values: Any, last_value: Any, gamma: float, gae_lambda: float
) -> Any:
    begins = np.zeros(len(rewards))
    found = objective.compute_gae(rewards, values, begins, last_value, 0.0, gamma, gae_lambda)
    return found[0]


def cut_off(rng: Rng) -> tuple[Any, ...]:
    shape = (6, 3)
    final = np.where(rng.random(shape) < 0.2, np.nan, rng.normal(size=shape))
    cut, end = flags(rng, *shape), flags(rng, *shape)
    final = np.where((cut == 1) & (end == 0), rng.normal(size=shape), final)
    return rng.normal(size=shape), cut.astype(bool), end.astype(bool), final, 0.95


def vector_environments(answer: Any, rng: Rng) -> tuple[Any, Any]:
    seed, found = int(rng.integers(1000)), []
    for function in (answer, vector.make_vec):
        envs = function("CartPole-v1", 3, seed)
        assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        first, _ = envs.reset()
        rows = [first, *(envs.step(np.ones(3, np.int64))[0] for _ in range(15))]
        found.append(np.stack(rows))
        envs.close()
    return found[0], found[1]


def collected(answer: Any, rng: Rng) -> tuple[Any, Any]:
    def act(observations: Any) -> tuple[Any, Any, Any]:
        n = len(observations)
        actions = (observations[:, 0] > 1).astype(np.int64)
        return actions, np.full(n, -0.5), observations[:, 0] * 3.0

    found = []
    for function in (answer, vector.collect_rollout):
        envs = SyncVectorEnv([Corridor] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
        observations, _ = envs.reset(seed=0)
        found.append(function(envs, act, 9, (observations, np.ones(2))))
        envs.close()
    (theirs, their_carry), (ours, our_carry) = found
    assert set(theirs) <= set(ours)
    names = sorted(theirs)
    return [*(theirs[n] for n in names), *their_carry], [*(ours[n] for n in names), *our_carry]


# ------------------------------------------------------------------------------- chapters 07 and 08


def ratios(rng: Rng) -> tuple[Any, ...]:
    return rng.normal(size=12) * 0.4, rng.normal(size=12), 0.2


def values_of(rng: Rng) -> tuple[Any, ...]:
    return (*rng.normal(size=(3, 9)), rng.choice([0.2, None]))


def whole_loss(policy_loss: Any, value_loss: Any, logits: Any, vf: float, ent: float) -> Any:
    pi = distributions.Categorical(torch.log_softmax(torch.tensor(logits), dim=1))
    entropy = pi.entropies().mean().item()
    return objective.total_loss(float(policy_loss), float(value_loss), entropy, vf, ent)


def of_whole_loss(rng: Rng) -> tuple[Any, ...]:
    return np.array(rng.normal()), np.array(rng.normal()), rng.normal(size=(5, 3)), 0.5, 0.01


def optimizers(answer: Any, rng: Rng) -> tuple[Any, Any]:
    found = []
    numbers = rng.normal(size=(3, 4)) * 1e-5
    for function in (answer, gradients.make_optimizer):
        weights = nn.Parameter(torch.zeros(4, dtype=torch.float64))
        optimizer = function([weights], 0.01)
        for row in numbers:
            weights.grad = torch.tensor(row)
            optimizer.step()
        found.append(weights.detach())
    return found[0], found[1]


def gradients_of(rng: Rng) -> list[torch.Tensor]:
    return list(tensors(rng.normal(size=(3, 2)), rng.normal(size=3), np.array(rng.normal())))


class Linear(nn.Module):
    """An actor and a critic, as the exercise has them and as the library does."""

    log_std = None

    def __init__(self) -> None:
        super().__init__()
        self.actor, self.critic = nn.Linear(4, 3), nn.Linear(4, 1)
        self.double()

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.actor(observations), self.values(observations)

    def distribution(self, observations: torch.Tensor) -> distributions.Categorical:
        return distributions.Categorical(torch.log_softmax(self.actor(observations), dim=1))

    def values(self, observations: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.critic(observations)[:, 0]
        return found


def whole_update(answer: Any, rng: Rng) -> tuple[Any, Any]:
    """Ours takes the value loss without the half, so half of the coefficient."""
    theirs, ours = Linear(), Linear()
    ours.load_state_dict(theirs.state_dict())
    observations, advantages, old_values, wanted, noise = tensors(
        rng.normal(size=(24, 4)), *rng.normal(size=(4, 24))
    )
    actions = torch.tensor(rng.integers(3, size=24))
    with torch.no_grad():
        log_probs = ours.distribution(observations).log_probs(actions) + 0.2 * noise
    config: dict[str, Any] = {"n_epochs": 3, "minibatch_size": 8, "clip_range": 0.2}
    config |= {"vf_coef": 0.5, "ent_coef": 0.02, "max_grad_norm": 0.3, "learning_rate": 0.01}
    config |= {"target_kl": float(rng.choice([0.02, 100.0])), "normalize_advantages": True}
    batch = {"observations": observations, "actions": actions, "log_probs": log_probs}
    batch |= {"values": old_values, "advantages": advantages, "returns": wanted}
    seed = int(rng.integers(1000))
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, eps=1e-5)
    history = answer(theirs, optimizer, batch, config, np.random.default_rng(seed))

    spec = RunSpec(
        n_envs=1,
        n_steps=24,
        batch_size=8,
        n_epochs=3,
        vf_coef=0.25,
        ent_coef=0.02,
        max_grad_norm=0.3,
        target_kl=config["target_kl"],
    )
    drawn = np.random.default_rng(seed)
    metrics = update(
        ours,  # type: ignore[arg-type]
        Adam(ours, spec),
        Samples(observations, actions, log_probs, old_values, advantages, wanted),
        spec,
        0.01,
        0.2,
        order=lambda size: torch.from_numpy(drawn.permutation(size)),
    )
    means = {name: np.mean([row[name] for row in history]) for name in history[0]}
    found = [means["policy_loss"], 2 * means["value_loss"], means["entropy"]]
    found.append(means["clip_fraction"])
    names = (Metric.POLICY_GRADIENT_LOSS, Metric.VALUE_LOSS, Metric.ENTROPY, Metric.CLIP_FRACTION)
    expected = [metrics[name] for name in names]
    return [found, *theirs.parameters()], [expected, *ours.parameters()]


# ------------------------------------------------------------------------------------- chapter 09


class Game:
    """Pays, loses lives and ends as its seed says."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._lives = 0
        self.log: list[Any] = []

    def reset(self) -> tuple[Any, dict[str, Any]]:
        self._lives = 3
        self.log.append("reset")
        return self._rng.integers(0, 9, size=(2, 2)), {"lives": self._lives}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.log.append(int(action))
        self._lives -= int(self._rng.random() < 0.3)
        reward = float(self._rng.integers(-2, 3))
        seen = self._rng.integers(0, 9, size=(2, 2))
        is_cut = bool(self._rng.random() < 0.05)
        return seen, reward, self._lives == 0, is_cut, {"lives": self._lives}


def beginnings(answer: Any, rng: Rng) -> tuple[Any, Any]:
    seed, found = int(rng.integers(1000)), []
    for function in (answer, frames.start_episode):
        game, drawn = Game(seed), np.random.default_rng(seed)
        seen = [function(game, drawn, 6, fire) for fire in (True, False)]
        found.append([seen, encoded(game.log)])
    return found[0], found[1]


def encoded(log: Sequence[Any]) -> list[int]:
    return [-1 if item == "reset" else item for item in log]


def skips(answer: Any, rng: Rng) -> tuple[Any, Any]:
    seed, found = int(rng.integers(1000)), []
    for function in (answer, frames.skip_step):
        game, rows = Game(seed), []
        for skip in (1, 2, 4, 4):
            game.reset()
            rows.append(function(game, 2, skip))
        found.append([rows, encoded(game.log)])
    return found[0], found[1]


def lives(answer: Any, rng: Rng) -> tuple[Any, Any]:
    seed, found = int(rng.integers(1000)), []
    for make in (answer, frames.EpisodicLife):
        game = Game(seed)
        wrapped, rows = make(game), []
        for _ in range(6):
            observation, _ = wrapped.reset()
            rows.append([observation])
            is_over = False
            while not is_over:
                step = wrapped.step(1)
                rows.append(list(step[:4]))
                is_over = step[2] or step[3]
        found.append([rows, encoded(game.log)])
    return found[0], found[1]


def images(rng: Rng) -> tuple[Any, ...]:
    n = int(rng.integers(1, 7))
    return (rng.integers(0, 256, (n, 30, 47, 3), dtype=np.uint8),)


def resampled(rng: Rng) -> tuple[Any, ...]:
    return rng.normal(size=7), rng.integers(7, size=(50, 7)), 0.9


# ------------------------------------------------------------------------------- chapters 10 and 11


def repaired_1_to_4(answers: Any, rng: Rng) -> tuple[Any, Any]:
    steps = rollout(rng)
    found, expected = [answers["fixed_1"](*steps)], [objective.compute_gae(*steps)[0]]

    rewards, values = rng.normal(size=8), rng.normal(size=9)
    terminated = flags(rng, 8).astype(bool)
    truncated = flags(rng, 8).astype(bool) & ~terminated
    final = rng.normal(size=8)
    following = np.where(truncated, final, values[1:])
    given = (rewards, values[:-1], following, terminated, truncated, 0.9, 0.8)
    found.append(answers["fixed_2"](*given))
    paid = returns.add_truncation_bootstrap(rewards, truncated, terminated, final, 0.9)
    begins = np.append(0.0, terminated | truncated)
    expected.append(
        objective.compute_gae(
            paid, values[:-1], begins[:-1], values[-1], begins[-1], 0.9, gae_lambda=0.8
        )[0]
    )

    weights, observations = rng.normal(size=(3, 4)), rng.normal(size=(10, 3))
    actions, advantages = rng.integers(4, size=10), rng.normal(size=10)
    found.append(answers["fixed_3"](weights, observations, actions, advantages, 0.2, 0.5, 4))
    rows, moved = np.arange(10), weights.copy()
    before = bandits.softmax(observations @ weights)[rows, actions]
    for _ in range(4):
        pi = bandits.softmax(observations @ moved)
        ratio = pi[rows, actions] / before
        mask = objective.clip_gradient_mask(np.log(ratio), advantages, 0.2)
        score = np.eye(4)[actions] - pi
        moved += 0.5 * observations.T @ ((mask * ratio * advantages / 10)[:, None] * score)
    expected.append(moved)

    wanted = rng.normal(size=10)
    found.append(answers["fixed_4"](weights[:, :1], 0.3, observations, wanted))
    expected.append(objective.squared_value_loss(observations @ weights[:, 0] + 0.3, wanted))
    return found, expected


def repaired_5_to_8(answers: Any, rng: Rng) -> tuple[Any, Any]:
    policy_weights, value_weights = tensors(rng.normal(size=(3, 4)), rng.normal(size=3))
    observations, wanted = tensors(rng.normal(size=(10, 3)), rng.normal(size=10))
    actions = torch.tensor(rng.integers(4, size=10))
    found: list[Any] = [
        answers["fixed_5"](policy_weights, value_weights, observations, actions, wanted, 0.5)
    ]
    parameters = [policy_weights.requires_grad_(), value_weights.requires_grad_()]
    values = observations @ value_weights
    log_probs = distributions.categorical_logprob(observations @ policy_weights, actions)
    loss = policy_gradient.pg_loss(log_probs, wanted - values)
    loss = loss + 0.5 * 0.5 * (values - wanted).square().mean()
    expected: list[Any] = [torch.autograd.grad(loss, parameters)]

    logits, old = rng.normal(size=(10, 4)), rng.normal(size=10) * 0.3 - 1.4
    log_ratio = distributions.categorical_logprob(torch.tensor(logits), actions).numpy() - old
    advantages, of_values, of_returns = rng.normal(size=(3, 10))
    arrays = (logits, actions.numpy(), old, advantages, of_values, of_returns)
    found.append(answers["fixed_6"](*arrays, 0.2, 0.5, 0.02))
    policy_loss = objective.clipped_surrogate_loss(log_ratio, advantages, 0.2)
    value_loss = objective.squared_value_loss(of_values, of_returns)
    expected.append(whole_loss(policy_loss, value_loss, logits, 0.5, 0.02))

    block = rng.normal(size=(4, 3))
    found.append(answers["fixed_7"](block))
    expected.append(objective.normalize_advantages(block.reshape(-1)))
    found.append(answers["fixed_8"](log_ratio, advantages, 0.2))
    expected.append(policy_loss)
    return found, expected


def checked(answer: Any, rng: Rng) -> tuple[Any, Any]:
    """The learner's checks accept the library's GAE, and nothing that forgets the ends."""

    def without_ends(r: Any, v: Any, dones: Any, last: Any, last_done: Any, *rest: float) -> Any:
        return objective.compute_gae(r, v, 0 * dones, last, 0 * last_done, *rest)

    return [answer(objective.compute_gae), answer(without_ends)], [True, False]


def gaussian_policy(answer: Any, rng: Rng) -> tuple[Any, Any]:
    theirs, ours = answer(3, 2), networks.GaussianPolicy(3, 2)
    with torch.no_grad():
        theirs.log_std.copy_(torch.tensor(rng.normal(size=theirs.log_std.shape)))
        ours.log_std.copy_(theirs.log_std.reshape(-1))
    linear = [m for m in theirs.modules() if isinstance(m, nn.Linear)]
    for mine, other in zip(
        (m for m in ours.modules() if isinstance(m, nn.Linear)), linear, strict=True
    ):
        mine.load_state_dict(other.state_dict())
    observations = torch.tensor(rng.normal(size=(6, 3)), dtype=torch.float32)
    actions = torch.tensor(rng.normal(size=(6, 2)), dtype=torch.float32)
    results = [
        [model.log_prob(observations, actions), model.entropy(observations)]
        for model in (theirs, ours)
    ]
    return results[0], results[1]


def drawn_actions(rng: Rng) -> tuple[Any, ...]:
    mean, noise = rng.normal(size=(2, 6, 2))
    return tensors(mean, rng.normal(size=2) * 0.3, np.array([-1.0, -0.5]), np.ones(2), noise)


def running(answer: Any, rng: Rng) -> tuple[Any, Any]:
    batches = [rng.normal(3, 2, size=(int(rng.integers(1, 6)), 2)) for _ in range(4)]
    found = []
    for make in (answer, normalizing.RunningNormalizer):
        normalizer = make((2,))
        for batch in batches:
            normalizer.update(batch)
        found.append([normalizer.mean, normalizer.var, normalizer(batches[0] * 20)])
    return found[0], found[1]


def scaled(answer: Any, rng: Rng) -> tuple[Any, Any]:
    rewards, dones = rng.normal(2, 3, size=(20, 3)), flags(rng, 20, 3)
    found = []
    for make in (answer, normalizing.RewardScaler):
        scaler = make(3, 0.9)
        found.append([scaler(r, d) for r, d in zip(rewards, dones, strict=True)])
    return found[0], found[1]


def recurrent_core(answer: Any, rng: Rng) -> tuple[Any, Any]:
    theirs, ours = answer(3, 5), recurrent.RecurrentCore(3, 5)
    ours.lstm.load_state_dict(theirs.lstm.state_dict())
    x = torch.tensor(rng.normal(size=(7, 2, 3)), dtype=torch.float32)
    starts = torch.tensor(flags(rng, 7, 2), dtype=torch.float32)
    results = [model(x, starts, model.initial_state(2)) for model in (theirs, ours)]
    return results[0], results[1]


def columns(rng: Rng) -> tuple[Any, ...]:
    made = {
        "starts": flags(rng, 4, 6),
        "rewards": np.arange(24.0).reshape(4, 6),
        "state": np.arange(12.0).reshape(1, 6, 2),
    }
    return rng, made, 2


#: Chapter by chapter: the exercises, and how each is compared with the library.
COMPARED: Mapping[str, Mapping[str, Compare]] = {
    "00-the-loop": {
        "discounted_return": on(returns.discounted_return, lambda rng: (rng.normal(size=8), 0.9)),
        "is_bootstrap_needed": on(
            returns.is_bootstrap_needed, lambda rng: (bool(rng.integers(2)), bool(rng.integers(2)))
        ),
    },
    "01-bandits": {
        "softmax": on(bandits.softmax, lambda rng: (rng.normal(size=5) * 100,)),
        "score": on(bandits.score, lambda rng: (rng.normal(size=5), int(rng.integers(5)))),
        "entropy": on(bandits.entropy, lambda rng: (rng.dirichlet(np.ones(5)),)),
        "reinforce_bandit_grad": on(bandits.reinforce_bandit_grad, plays),
        "run_bandit": with_equal_generators(
            bandits.run_bandit, lambda rng: (np.array([0.0, 1.0, 0.5]), 0.1, 40, rng)
        ),
        "masked_softmax": on(bandits.masked_softmax, mask_of),
    },
    "02-values": {
        "policy_evaluation": on(returns.policy_evaluation, world),
        "mc_returns": on(returns.mc_returns, lambda rng: (rng.normal(size=8), 0.9)),
        "td_errors": on(
            returns.td_errors, lambda rng: (*rng.normal(size=(3, 8)), flags(rng, 8), 0.9)
        ),
        "nstep_return": on(
            returns.nstep_return,
            lambda rng: (
                rng.normal(size=8),
                rng.normal(size=9),
                int(rng.integers(8)),
                int(rng.integers(1, 10)),
                0.9,
                flags(rng, 8),
            ),
        ),
        "explained_variance": on(
            objective.explained_variance, lambda rng: tuple(rng.normal(size=(2, 9)))
        ),
    },
    "03-reinforce": {
        "categorical_logprob": on(distributions.categorical_logprob, choices),
        "multidiscrete_logprob": on(distributions.multidiscrete_logprob, parts),
        "reward_to_go": on(
            returns.reward_to_go, lambda rng: (rng.normal(size=9), flags(rng, 9), 0.9)
        ),
        "pg_loss": on(policy_gradient.pg_loss, lambda rng: tensors(*rng.normal(size=(2, 7)))),
        "train_reinforce": reinforce,
    },
    "04-actor-critic": {
        "layer_init": layer,
        "build_actor_critic": actor_critic,
        "advantages_td": on(
            returns.td_errors, lambda rng: (*rng.normal(size=(3, 6, 2)), flags(rng, 6, 2), 0.9)
        ),
        "value_loss": on_tensors(
            objective.squared_value_loss, lambda rng: tuple(rng.normal(size=(2, 7)))
        ),
        "a2c_update": actor_critic_update,
    },
    "05-gae": {
        "gae_single": on(
            gae_of_one_episode,
            lambda rng: (rng.normal(size=8), rng.normal(size=8), float(rng.normal()), 0.9, 0.8),
        ),
        "compute_gae": on(objective.compute_gae, rollout),
        "gae_matrix": on(returns.gae_matrix, lambda rng: (6, *rng.random(2))),
        "add_truncation_bootstrap": on(returns.add_truncation_bootstrap, cut_off),
    },
    "06-rollouts": {
        "make_vec": vector_environments,
        "collect_rollout": collected,
        "flatten_batch": on(vector.flatten_batch, lambda rng: (rng.normal(size=(4, 3, 2)),)),
        "minibatch_indices": with_equal_generators(
            vector.minibatch_indices, lambda rng: (rng, 12, 4)
        ),
        "count_phantoms": on(vector.count_phantoms, lambda rng: (flags(rng, 6, 3), flags(rng, 3))),
    },
    "07-clipped-objective": {
        "clipped_policy_loss": on_tensors(objective.clipped_surrogate_loss, ratios),
        "clip_gradient_mask": on_tensors(objective.clip_gradient_mask, ratios),
        "normalize_advantages": on_tensors(
            objective.normalize_advantages, lambda rng: (rng.normal(size=int(rng.integers(1, 9))),)
        ),
        "clipped_value_loss": on_tensors(objective.clipped_value_loss, values_of),
        "total_loss": on_tensors(whole_loss, of_whole_loss),
        "diagnostics": on_tensors(
            objective.diagnostics, lambda rng: (ratios(rng)[0], 0.2, *rng.normal(size=(2, 12)))
        ),
    },
    "08-ppo": {
        "make_optimizer": optimizers,
        "annealed": on(
            gradients.annealed, lambda rng: (float(rng.random()), int(rng.integers(1, 9)), 8)
        ),
        "clip_grads": on(
            gradients.clip_grads, lambda rng: (gradients_of(rng), float(rng.random() * 4))
        ),
        "average_gradients": on(
            gradients.average_gradients,
            lambda rng: ([gradients_of(rng) for _ in range(4)], [1, *rng.integers(0, 9, size=3)]),
        ),
        "ppo_update": whole_update,
    },
    "09-details": {
        "start_episode": beginnings,
        "skip_step": skips,
        "EpisodicLife": lives,
        "preprocess": on(frames.preprocess, images),
        "nature_cnn": network_for_games,
        "iqm_interval": on(scores.iqm_interval, resampled),
    },
    "10-clinic": {
        "repairs_1_to_4": repaired_1_to_4,
        "repairs_5_to_8": repaired_5_to_8,
        "own_checks": checked,
        "relative_entropy": on(
            bandits.relative_entropy, lambda rng: (float(rng.random()), int(rng.integers(2, 6)))
        ),
        "residual_variance": on(
            objective.residual_variance, lambda rng: tuple(rng.normal(size=(2, 9)))
        ),
    },
    "11-continuous-and-memory": {
        "GaussianPolicy": gaussian_policy,
        "act_clip_store": on(distributions.act_clip_store, drawn_actions),
        "RunningNormalizer": running,
        "RewardScaler": scaled,
        "RecurrentCore": recurrent_core,
        "recurrent_minibatches": with_equal_generators(recurrent.recurrent_minibatches, columns),
    },
    "ppo-in-one-sitting": {
        "compute_gae": on(objective.compute_gae, rollout),
        "clipped_surrogate_loss": on(objective.clipped_surrogate_loss, ratios),
    },
}
#: Exercises without one function of the library to compare with, and why.
NOT_COMPARED: Mapping[str, Mapping[str, str]] = {
    "08-ppo": {"train_ppo": "a whole run, from other random numbers; both solve the probes"},
    "10-clinic": {"diagnosis": "a list of findings, not a formula"},
    "00-the-loop": {
        "run_episode": "a loop around an environment, nothing is computed",
        "seeded_rollout": "a loop around an environment, nothing is computed",
    },
}


def flat(value: Any) -> list[np.ndarray]:
    """Return the numbers of a result, in order."""
    if isinstance(value, Mapping):
        return [item for key in sorted(value) for item in flat(value[key])]
    if isinstance(value, list | tuple):
        return [item for part in value for item in flat(part)]
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    return [np.asarray(value, dtype=np.float64)]


@pytest.fixture(scope="module")
def exercises(benchmark: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Read the exercises of a notebook as the benchmarks do."""
    found: Callable[[str], tuple[Any, ...]] = benchmark("exercises").exercises
    return found


def answered(exercise: Any) -> Any:
    """Run what comes before an exercise and its reference solution; return what it defines.

    That is the function or class of its name; if there is none, all names.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(f"{exercise.setup}\n{exercise.solution}", names)  # noqa: S102 - it is our notebook
    return names.get(exercise.name, names)


@pytest.mark.parametrize(
    ("notebook", "name"), [(book, name) for book, table in COMPARED.items() for name in table]
)
def test_the_reference_solution_and_the_library_agree(
    exercises: Callable[[str], tuple[Any, ...]], notebook: str, name: str
) -> None:
    (exercise,) = (item for item in exercises(notebook) if item.name == name)
    answer = answered(exercise)
    for seed in SEEDS:
        theirs, ours = COMPARED[notebook][name](answer, np.random.default_rng(seed))
        found, wanted = flat(theirs), flat(ours)
        assert len(found) == len(wanted) > 0
        for one, other in zip(found, wanted, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_every_exercise_of_the_course_is_listed(
    exercises: Callable[[str], tuple[Any, ...]],
) -> None:
    chapters = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert set(COMPARED) <= chapters
    for notebook in sorted(chapters - {"12-capstone"}):  # it is about another library
        listed = set(COMPARED.get(notebook, {})) | set(NOT_COMPARED.get(notebook, {}))
        there = {exercise.name for exercise in exercises(notebook)}
        assert there == listed, notebook


def test_the_page_of_the_library_says_what_belongs_to_each_exercise() -> None:
    page = (ROOT / "docs" / "teaching-library.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) \| `(\w+)` \| `(\w+)\.(\w+)`", page, re.MULTILINE)
    listed = {
        (notebook[:2], name)
        for notebook, table in COMPARED.items()
        for name in table
        if notebook[:2].isdigit()
    }
    assert {(number, name) for number, name, _, _ in rows} == listed | {("08", "train_ppo")}
    for _, _, module, function in rows:
        place = "objective" if module == "objective" else f"teaching.{module}"
        assert hasattr(importlib.import_module(f"jupyter_ppo.training.{place}"), function)


def test_a_difference_is_found() -> None:
    compare = on(objective.squared_value_loss, lambda rng: tuple(rng.normal(size=(2, 7))))
    theirs, ours = compare(lambda v, r: float(np.mean((v - r) ** 2)), np.random.default_rng(0))
    assert not math.isclose(flat(theirs)[0], flat(ours)[0], abs_tol=1e-6)
