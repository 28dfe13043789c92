from __future__ import annotations

import copy

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.networks import build_actor_critic
from jupyter_ppo.training.teaching.policy_gradient import a2c_update, pg_loss, train_reinforce


def batch(n=12):
    random = torch.Generator().manual_seed(0)
    return {
        "observations": torch.randn(n, 4, generator=random),
        "actions": torch.randint(2, (n,), generator=random),
        "advantages": torch.randn(n, generator=random),
        "returns": torch.randn(n, generator=random),
    }


def test_the_loss_falls_where_good_actions_become_likelier_and_weights_get_no_gradient():
    log_probs = torch.tensor([-1.0, -2.0], requires_grad=True)
    weights = torch.tensor([3.0, -1.0], requires_grad=True)
    loss = pg_loss(log_probs, weights)
    loss.backward()
    assert loss.item() == 0.5
    torch.testing.assert_close(log_probs.grad, torch.tensor([-1.5, 0.5]))
    assert weights.grad is None


@pytest.mark.parametrize("shared", [True, False])
def test_an_update_moves_the_weights_as_the_a2c_of_stable_baselines3_does(shared):
    """Its value loss is the mean, ours half of it: so its coefficient is half of ours."""
    torch.manual_seed(0)
    model = build_actor_critic(4, 2, shared)
    theirs = copy.deepcopy(model)
    given = batch()
    vf_coef, ent_coef = 0.5, 0.02
    terms = a2c_update(model, torch.optim.SGD(model.parameters(), 0.1), given, vf_coef, ent_coef)

    logits, values = theirs(given["observations"])
    pi = torch.distributions.Categorical(logits=logits)
    # stable_baselines3.A2C.train
    policy_loss = -(given["advantages"] * pi.log_prob(given["actions"])).mean()
    value_loss = torch.nn.functional.mse_loss(given["returns"], values)
    loss = policy_loss - ent_coef * pi.entropy().mean() + vf_coef / 2 * value_loss
    optimizer = torch.optim.SGD(theirs.parameters(), 0.1)
    loss.backward()
    optimizer.step()

    for ours, wanted in zip(model.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-6)
    assert terms["loss"] == pytest.approx(loss.item(), abs=1e-6)
    assert terms["value_loss"] == pytest.approx(value_loss.item() / 2, abs=1e-6)


def test_a_column_of_values_is_refused_because_it_would_broadcast():
    model = build_actor_critic(4, 2, shared=False)
    given = batch(7)
    given["returns"] = given["returns"].unsqueeze(1)
    with pytest.raises(InvalidInputError) as caught:
        a2c_update(model, torch.optim.SGD(model.parameters(), 0.1), given)
    assert caught.value.field == "returns"
    for shapes in (((7,), (7, 1)), ((7, 1), (7, 1)), ((0,), (0,))):
        with pytest.raises(InvalidInputError) as caught:
            pg_loss(*(torch.zeros(shape) for shape in shapes))
        assert caught.value.field == "log_probs"


class Choice(gymnasium.Env):
    """Shows -1 or 1 and a constant; pays 1 for the action that goes with it, over two steps."""

    observation_space = spaces.Box(-1, 1, (2,), np.float64)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._t = 0
        return self._next(), {}

    def step(self, action):
        self._t += 1
        reward = float(action == int(self._seen > 0))
        return self._next(), reward, self._t == 2, False, {}

    def _next(self):
        self._seen = self.np_random.choice([-1.0, 1.0])
        return np.array([self._seen, 1.0])


def trained(n_updates):
    env, rng = Choice(), np.random.default_rng(0)
    env.reset(seed=0)
    start = torch.zeros(2, 2, dtype=torch.float64)
    found = train_reinforce(env, lambda p: rng.choice(2, p=p), start, n_updates, 8, 0.1, 0.5)
    assert not start.any()
    return found


def test_reinforce_learns_what_to_do_and_is_the_same_again():
    weights, returns = trained(40)
    assert len(returns) == 40 * 8
    assert np.mean(returns[:16]) < 1.5
    assert np.mean(returns[-80:]) > 1.8
    assert weights[0, 1] > weights[0, 0]
    assert trained(2)[1] == returns[:16]


def test_the_weights_of_reinforce_are_a_matrix():
    with pytest.raises(InvalidInputError) as caught:
        train_reinforce(Choice(), lambda _: 0, torch.zeros(2), 1, 1, 0.1, 0.5)
    assert caught.value.field == "weights"
