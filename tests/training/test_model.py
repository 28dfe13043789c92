"""The model is the one that the spec describes."""

from __future__ import annotations

import io
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from torch import nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.environments import make_training_envs
from jupyter_ppo.training.model import build_model, build_policy, save_model, set_schedules
from jupyter_ppo.training.snapshot import load_weights, weights_sha256


def model_of(**changes: Any) -> PPO:
    spec = RunSpec.from_dict(changes)
    return build_model(spec, make_training_envs(spec, None, spec.seed))


def test_networks_and_optimizer_are_those_of_the_spec() -> None:
    model = model_of(
        policy_layers=[8, 4], value_layers=[16], activation="relu", adam_eps=1e-4, fused_adam=True
    )
    extractor = model.policy.mlp_extractor
    widths = [layer.out_features for layer in extractor.policy_net if isinstance(layer, nn.Linear)]
    assert widths == [8, 4]
    assert [type(layer) for layer in extractor.value_net] == [nn.Linear, nn.ReLU]
    group = model.policy.optimizer.param_groups[0]
    assert (group["eps"], group["fused"]) == (1e-4, True)
    plain = model_of(fused_adam=False, policy_layers=[], value_layers=[])
    assert not plain.policy.optimizer.param_groups[0]["fused"]
    assert len(plain.policy.mlp_extractor.policy_net) == 0


def test_every_hyperparameter_reaches_sb3() -> None:
    values = {
        "gamma": 0.9,
        "gae_lambda": 0.8,
        "n_steps": 64,
        "batch_size": 16,
        "n_epochs": 3,
        "vf_coef": 0.7,
        "ent_coef": 0.01,
        "max_grad_norm": 0.3,
        "target_kl": 0.05,
        "normalize_advantage": False,
        "seed": 9,
    }
    model = model_of(**values)
    assert {name: getattr(model, name) for name in values} == values


def test_noise_that_depends_on_the_state_needs_continuous_actions() -> None:
    with pytest.raises(InvalidInputError) as caught:
        model_of(use_sde=True)
    assert caught.value.field == "use_sde"
    model = model_of(env_id="Pendulum-v1", use_sde=True, log_std_init=-1.0)
    assert float(model.policy.log_std.detach().mean()) == -1.0


def test_the_same_seed_gives_the_same_weights() -> None:
    digests = [weights_sha256(model_of(seed=seed).policy) for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def test_a_saved_model_needs_nothing_of_ours_and_ours_goes_on() -> None:
    model = model_of()
    set_schedules(model, 2e-4, 0.15)
    file = io.BytesIO()
    save_model(model, file)
    assert b"jupyter_ppo" not in file.getvalue()
    file.seek(0)
    loaded = PPO.load(file, device="cpu")
    assert loaded.learning_rate == loaded.lr_schedule(0.3) == 2e-4
    assert loaded.clip_range(0.3) == 0.15  # type: ignore[operator]
    assert weights_sha256(loaded.policy) == weights_sha256(model.policy)
    assert model.lr_schedule(0.3) == 2e-4


@pytest.mark.parametrize(
    "observations",
    [
        gym.spaces.Box(-1, 1, (5,), np.float32),
        gym.spaces.Dict({"a": gym.spaces.Box(-1, 1, (2,)), "b": gym.spaces.Discrete(3)}),
        gym.spaces.Box(0, 255, (36, 36, 3), np.uint8),
    ],
    ids=["vector", "dictionary", "image"],
)
def test_a_policy_can_be_made_from_spaces_and_weights_alone(observations: Any) -> None:
    spec = RunSpec(policy_layers=(8,), value_layers=(8,), n_steps=2)

    class Any_(gym.Env[Any, Any]):  # noqa: N801
        observation_space = observations
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return observations.sample(), {}

    model = build_model(spec, make_training_envs(spec, Any_, 0))
    weights = io.BytesIO()
    torch.save(model.policy.state_dict(), weights)
    policy = build_policy(spec, observations, gym.spaces.Discrete(2))
    load_weights(policy, weights.getvalue())
    assert weights_sha256(policy) == weights_sha256(model.policy)
    seen = observations.sample()
    assert policy.predict(seen, deterministic=True)[0] in (0, 1)
