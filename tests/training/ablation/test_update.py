"""The switches of the loss and of the update, and what is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.loss import normalized, policy_loss, total_loss, value_loss
from jupyter_ppo.training.ablation.measurements import kl_error, state_leak
from jupyter_ppo.training.ablation.trainer import (
    MEAN_SCORE,
    RATIO_ERROR,
    UPDATE_KL,
    History,
    Setting,
    optimizer_spec,
    summary,
    train,
)
from jupyter_ppo.training.objective import clipped_surrogate_loss
from jupyter_ppo.training.teaching.optimizer import Adam

ALL_ON = AblationConfig(n_envs=4)
TINY = Setting("cartpole", steps=128, rollout=64, epochs=2)
SETTINGS = {
    "cartpole": TINY,
    "reacher": replace(TINY, task="reacher"),
    "catch": replace(TINY, task="catch", steps=64),
    "recall": replace(TINY, task="recall", is_recurrent=True, pieces=2),
    "dials": replace(TINY, task="dials"),
    "doors": replace(TINY, task="doors"),
}


def test_advantages_are_normalised_with_the_deviation_of_a_sample() -> None:
    expected = [-1.161895, -0.387298, 0.387298, 1.161895]
    torch.testing.assert_close(normalized(torch.tensor([1.0, 2, 3, 4])), torch.tensor(expected))
    assert normalized(torch.tensor([3.0])).tolist() == [3.0]


def test_the_policy_loss_is_the_one_of_the_library_and_can_be_unclipped() -> None:
    log_ratio, advantages = torch.randn(64), torch.randn(64)
    ours = policy_loss(log_ratio, advantages, 0.2).item()
    assert ours == pytest.approx(clipped_surrogate_loss(log_ratio, advantages, 0.2), abs=1e-6)
    free = policy_loss(log_ratio, advantages, math.inf)
    torch.testing.assert_close(free, -(log_ratio.exp() * advantages).mean())


def test_the_value_loss_is_bounded_as_switched() -> None:
    one = (torch.tensor([0.9]), torch.tensor([0.5]), torch.tensor([0.3]))
    assert value_loss(*one, 0.2).item() == pytest.approx(0.18)
    assert value_loss(torch.tensor([0.5]), one[1], torch.tensor([1.5]), None).item() == 0.5
    far = (torch.tensor([1.4]), torch.tensor([0.5]), torch.tensor([1.5]))
    assert value_loss(*far, 0.2).item() > value_loss(*far, None).item()


def test_the_total_loss_honours_entropy_value_clipping_and_normalisation() -> None:
    torch.manual_seed(0)
    columns = [torch.randn(32) for _ in range(6)]

    def loss(**flags: Any) -> float:
        return total_loss(*columns, 0.2, replace(ALL_ON, **flags)).total.item()

    entropy = columns[1].mean().item()
    assert loss() - loss(entropy_coef=0.11) == pytest.approx(0.1 * entropy, abs=1e-6)
    assert loss(clip_value_loss=False) < loss()
    assert loss(normalize_advantages="batch") == loss(normalize_advantages="off") != loss()


def test_what_the_optimizer_gets_is_what_the_switches_say() -> None:
    spec = optimizer_spec(ALL_ON)
    assert (spec.adam_eps, spec.max_grad_norm) == (1e-5, 0.5)
    free = optimizer_spec(replace(ALL_ON, adam_epsilon=1e-8, max_grad_norm=math.inf))
    assert (free.adam_eps, free.max_grad_norm) == (1e-8, 1e6)


@cache
def plain_training() -> History:
    return train(ALL_ON, TINY, 1)[0]


@pytest.mark.parametrize("name", list(SETTINGS))
def test_a_tiny_training_of_each_family_begins_with_ratios_of_one(name: str) -> None:
    history, _ = train(ALL_ON, SETTINGS[name], 1)
    assert not history.is_diverged
    errors = [value for _, value in history.points[RATIO_ERROR]]
    assert errors
    assert max(errors) < 1e-5
    assert all(value > 0 for _, value in history.points[UPDATE_KL])
    again, _ = train(ALL_ON, SETTINGS[name], 1)
    assert again.points == history.points


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("n_envs", 1),
        ("anneal_learning_rate", False),
        ("gae_lambda", 0.0),
        ("anneal_clip_range", True),
        ("n_workers", 2),
        ("target_kl", 1e-6),
        ("clip_range", 1e-3),
        ("max_grad_norm", 0.01),
        ("adam_epsilon", 1e-2),
        ("normalize_advantages", "batch"),
    ],
)
def test_a_switch_of_the_update_changes_the_training(flag: str, value: Any) -> None:
    base = plain_training()
    other, _ = train(ALL_ON.vary(flag, value), TINY, 1)
    assert base.points[UPDATE_KL] != other.points[UPDATE_KL]


def test_an_early_stop_by_kl_ends_the_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []
    step = Adam.step

    def counted(self: Adam, loss: Tensor, learning_rate: float) -> None:
        taken.append(learning_rate)
        step(self, loss, learning_rate)

    monkeypatch.setattr(Adam, "step", counted)
    train(ALL_ON, TINY, 1)
    assert len(taken) == 2 * 2 * 4  # updates, epochs, minibatches
    assert taken[0] == TINY.learning_rate
    assert taken[-1] == TINY.learning_rate / 2
    taken.clear()
    train(replace(ALL_ON, target_kl=1e-9, anneal_learning_rate=False), TINY, 1)
    assert taken == [TINY.learning_rate] * 2  # the first step of each update is too far already


def test_copies_have_to_divide_the_rollout() -> None:
    with pytest.raises(InvalidInputError):
        train(AblationConfig(n_envs=3), TINY, 1)


def test_a_summary_is_of_the_last_numbers_and_none_after_a_divergence() -> None:
    history = History()
    for step in range(4):
        history.add(MEAN_SCORE, step, float(step))
    assert summary(history, MEAN_SCORE) == 3
    assert summary(history, MEAN_SCORE, last=2) == 2.5
    assert summary(history, RATIO_ERROR) is None
    history.is_diverged = True
    assert summary(history, MEAN_SCORE) is None


def test_the_measurements_tell_the_switch_apart() -> None:
    assert kl_error(ALL_ON, 1) < 0.3 * kl_error(ALL_ON.vary("kl_estimator", "k1"), 1)
    assert state_leak(ALL_ON, 1) == 0
    assert state_leak(ALL_ON.vary("reset_state", False), 1) > 0.01
