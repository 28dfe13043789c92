from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.teaching.optimizer import Adam


@pytest.mark.parametrize("max_grad_norm", [0.01, 1e6], ids=["clipped", "not clipped"])
def test_steps_on_one_vector_are_those_of_adam_on_every_tensor(max_grad_norm):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    plain = copy.deepcopy(network)
    ours = Adam(network, RunSpec(max_grad_norm=max_grad_norm))
    adam = torch.optim.Adam(plain.parameters(), lr=1e-2, eps=1e-5)
    for _ in range(5):
        batch = torch.randn(8, 3)
        ours.step(network(batch).square().mean(), learning_rate=1e-2)
        adam.zero_grad()
        plain(batch).square().mean().backward()
        nn.utils.clip_grad_norm_(plain.parameters(), max_grad_norm)
        adam.step()

    for weight, wanted in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(weight, wanted, rtol=0, atol=1e-6)


def test_a_network_with_views_is_saved_loaded_and_copied_like_any_other():
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    ours = Adam(network, RunSpec())
    before = copy.deepcopy(network)
    ours.step(network(torch.ones(1, 3)).sum(), learning_rate=0.1)

    assert not torch.equal(network.weight, before.weight), "the copy has its own memory"
    network.load_state_dict(before.state_dict())
    ours.step(network(torch.ones(1, 3)).sum(), learning_rate=0.1)
    assert not torch.equal(network.weight, before.weight), "loaded weights are trained further"
