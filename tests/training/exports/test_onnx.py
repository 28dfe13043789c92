"""ONNX files give the actions of SB3, for every kind of observation and action."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from stable_baselines3 import PPO

from jupyter_ppo.domain.errors import CheckFailedError, NotFoundError, UnavailableError
from jupyter_ppo.training.exports import export_onnx, needs
from jupyter_ppo.training.exports.action_graph import ActionGraph
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]


def session_of(path: Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def test_a_trained_cartpole_acts_the_same_and_says_what_it_is(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained(total_steps=4096, n_steps=256, n_envs=4, learning_rate=3e-3, n_epochs=10)
    before = torch.get_rng_state()
    report = export_onnx(run, tmp_path / "out" / "policy.onnx")
    assert torch.equal(torch.get_rng_state(), before)
    assert (report.same_actions, report.step, report.observations) == (True, 4096, 512)
    assert report.max_difference < 1e-4
    data = report.path.read_bytes()
    onnx.checker.check_model(onnx.load_model_from_string(data))
    assert str(Path(torch.__file__).parent).encode() not in data
    assert str(Path.cwd()).encode() not in data
    said = {entry.key: entry.value for entry in onnx.load(report.path).metadata_props}
    assert said["env_id"] == "CartPole-v1"
    assert said["weights_sha256"] == run.checkpoints()[-1].weights_sha256
    model = PPO.load(run.files.model_file, device="cpu")
    session, env = session_of(report.path), gym.make("CartPole-v1")
    both = set()
    observation, _ = env.reset(seed=3)
    for _ in range(100):
        (action,) = session.run(["action"], {"observation": observation[None]})[0]
        assert action == model.predict(observation, deterministic=True)[0]
        both.add(int(action))
        observation, _, terminated, truncated, _ = env.step(int(action))
        if terminated or truncated:
            observation, _ = env.reset()
    assert both == {0, 1}


@pytest.mark.parametrize(
    ("observations", "actions", "values"),
    [
        ("box", "box", {"normalize_observations": True}),
        ("box", "box", {"use_sde": True}),
        ("discrete", "multi", {}),
        ("multi", "binary", {"activation": "relu"}),
        ("binary", "discrete", {"value_layers": [8], "policy_layers": []}),
        ("dict", "discrete", {"normalize_observations": True}),
        ("image", "discrete", {"total_steps": 32, "n_steps": 8}),
    ],
)
def test_every_kind_of_observation_and_action_is_exported(
    trained: Trained,
    any_spaces: type,
    tmp_path: Path,
    observations: str,
    actions: str,
    values: dict[str, Any],
) -> None:
    kwargs = {"observations": observations, "actions": actions}
    run = trained(env=any_spaces, env_kwargs=kwargs, log_std_init=0.5, **values)
    report = export_onnx(run, tmp_path / "policy.onnx")
    assert report.same_actions
    assert report.max_difference < 1e-4
    session = session_of(report.path)
    names = {entry.name for entry in session.get_inputs()}
    assert names == ({"far", "near"} if observations == "dict" else {"observation"})
    env = any_spaces(**kwargs)
    one, _ = env.reset(seed=1)
    parts = one if isinstance(one, dict) else {"observation": one}
    (action,), _ = session.run(None, {name: np.asarray(part)[None] for name, part in parts.items()})
    assert env.action_space.contains(action) or int(action) in range(3)


def test_continuous_actions_are_clipped_to_their_bounds(
    trained: Trained, any_spaces: type, tmp_path: Path
) -> None:
    kwargs = {"observations": "box", "actions": "box"}
    run = trained(
        env=any_spaces, env_kwargs=kwargs, learning_rate=0.05, n_epochs=10, max_grad_norm=100.0
    )
    report = export_onnx(run, tmp_path / "policy.onnx")
    batch = np.random.default_rng(0).normal(0, 2, (500, 3)).astype(np.float32)
    actions, means = session_of(report.path).run(None, {"observation": batch})
    space = any_spaces(**kwargs).action_space
    assert ((actions >= space.low) & (actions <= space.high)).all()
    assert ((means < space.low) | (means > space.high)).any()


def test_an_earlier_checkpoint_is_another_policy(trained: Trained, tmp_path: Path) -> None:
    run = trained(total_steps=192)
    first, *_, last = run.checkpoints()
    one = export_onnx(run, tmp_path / "one.onnx", step=first.step)
    assert one.weights_sha256 == first.weights_sha256 != last.weights_sha256
    with pytest.raises(NotFoundError, match=f"no checkpoint of step 7. It has: {first.step}, "):
        export_onnx(run, tmp_path / "none.onnx", step=7)


def test_a_graph_that_acts_differently_is_never_written(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained()
    real = ActionGraph._action
    monkeypatch.setattr(ActionGraph, "_action", lambda graph, scores: real(graph, -scores))
    with pytest.raises(CheckFailedError, match="of 512 observations, so nothing was written"):
        export_onnx(run, tmp_path / "policy.onnx")
    assert not (tmp_path / "policy.onnx").exists()


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(UnavailableError, match=r"onnxscript is not .* jupyter_ppo\[export\]"):
        needs.needs("onnx", "onnxscript")
