from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.training.teaching.gradients import (
    annealed,
    average_gradients,
    clip_grads,
    make_optimizer,
)
from jupyter_ppo.training.teaching.optimizer import Adam


def gradients(seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in ((3, 2), (3,), ())]


@pytest.mark.parametrize(("update", "expected"), [(1, 2.5e-4), (2, 2.25e-4), (10, 2.5e-5)])
def test_a_learning_rate_has_the_golden_numbers(update, expected):
    assert annealed(2.5e-4, update, 10) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.data())
def test_a_run_of_ours_is_annealed_by_the_same_line(n_updates, data):
    update = data.draw(st.integers(1, n_updates))
    spec = RunSpec(
        n_envs=2,
        n_steps=8,
        batch_size=16,
        total_steps=16 * n_updates,
        learning_rate=Schedule.linear(0.1),
    )
    assert annealed(0.1, update, n_updates) == pytest.approx(spec.learning_rate_at(16 * update))


def test_adam_has_the_epsilon_of_the_paper_s_authors():
    weights = nn.Linear(2, 1)
    optimizer = make_optimizer(weights.parameters(), 3e-4)
    assert optimizer.defaults["eps"] == 1e-5
    assert optimizer.defaults["lr"] == 3e-4


def test_one_step_on_a_small_gradient_is_the_one_by_hand():
    weight = nn.Parameter(torch.zeros(()))
    weight.grad = torch.tensor(1e-6)
    make_optimizer([weight], 0.1).step()
    assert weight.item() == pytest.approx(-0.1 * 1e-6 / (1e-6 + 1e-5), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.floats(0.01, 10))
def test_clipping_is_that_of_torch_and_of_the_fast_way(seed, max_norm):
    given_ones = gradients(seed)
    layer = nn.Linear(2, 3)
    layer.scale = nn.Parameter(torch.zeros(()))
    for parameter, gradient in zip(
        (layer.weight, layer.bias, layer.scale), given_ones, strict=True
    ):
        parameter.grad = torch.tensor(gradient)
    wanted = nn.utils.clip_grad_norm_((layer.weight, layer.bias, layer.scale), max_norm)

    found, norm = clip_grads(given_ones, max_norm)

    assert norm == pytest.approx(wanted.item(), rel=1e-5)
    for ours, parameter in zip(found, (layer.weight, layer.bias, layer.scale), strict=True):
        np.testing.assert_allclose(ours, parameter.grad, rtol=1e-5, atol=1e-7)
        assert ours.dtype == np.float32
    assert np.sqrt(sum(np.square(g).sum() for g in found)) <= max_norm * (1 + 1e-5)


def test_short_gradients_stay_as_they_are_to_the_last_bit():
    given_ones = gradients(1)
    found, _ = clip_grads(given_ones, 1e3)
    for ours, before in zip(found, given_ones, strict=True):
        assert ours.tobytes() == before.tobytes()
        assert ours is not before


def test_a_mean_over_workers_is_the_gradient_of_all_their_samples():
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    batch = torch.randn(12, 3)

    def gradient(rows):
        model.zero_grad()
        model(rows).square().mean().backward()
        return [p.grad.numpy().copy() for p in model.parameters()]

    equal = average_gradients([gradient(rows) for rows in batch.split(4)])
    uneven = average_gradients([gradient(batch[:2]), gradient(batch[2:])], sizes=[2, 10])
    for found in (equal, uneven):
        for ours, wanted in zip(found, gradient(batch), strict=True):
            np.testing.assert_allclose(ours, wanted, atol=1e-6)
            assert ours.dtype == np.float32


def test_a_worker_without_samples_does_not_count():
    (found,) = average_gradients([[[np.nan, 1.0]], [[5.0, 7.0]]], sizes=[0, 4])
    np.testing.assert_array_equal(found, [5.0, 7.0])


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (annealed, (0.1, 0, 5), "update"),
        (annealed, (0.1, 6, 5), "update"),
        (clip_grads, ([[1.0]], 0.0), "max_norm"),
        (average_gradients, ([],), "workers"),
        (average_gradients, ([[[1.0]], []],), "workers"),
        (average_gradients, ([[[1.0]], [[1.0, 2.0]]],), "workers"),
        (average_gradients, ([[[1.0]]], [0]), "sizes"),
        (average_gradients, ([[[1.0]]], [1, 2]), "sizes"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field


def test_the_pieces_together_make_the_step_of_the_fast_way():
    torch.manual_seed(0)
    network, plain = nn.Linear(3, 2), nn.Linear(3, 2)
    plain.load_state_dict(network.state_dict())
    fast = Adam(network, RunSpec(max_grad_norm=0.1))
    optimizer = make_optimizer(plain.parameters(), 1e-2)
    for _ in range(3):
        batch = torch.randn(8, 3)
        fast.step(network(batch).square().mean(), learning_rate=1e-2)
        optimizer.zero_grad()
        plain(batch).square().mean().backward()
        clipped, _ = clip_grads([p.grad.numpy() for p in plain.parameters()], 0.1)
        for parameter, gradient in zip(plain.parameters(), clipped, strict=True):
            parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
    for ours, wanted in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-6)
