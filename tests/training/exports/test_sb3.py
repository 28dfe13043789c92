"""Files for Stable-Baselines3: read without this package, with the same actions."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from jupyter_ppo.domain.errors import DamagedFileError, UnavailableError
from jupyter_ppo.training.exports import export_sb3
from jupyter_ppo.training.exports.policy import load_policy
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]


def test_sb3_reads_and_trains_on_what_was_exported_without_this_package(
    trained: Trained, tmp_path: Path
) -> None:
    schedule = {"kind": "linear", "start": 1e-3, "end": 0.0}
    run = trained(
        env_id="Pendulum-v1",
        learning_rate=schedule,
        clip_range=schedule | {"start": 0.3},
        normalize_observations=True,
        normalize_rewards=True,
    )
    before = torch.get_rng_state()
    report = export_sb3(run, tmp_path / "out" / "model.zip")
    assert torch.equal(torch.get_rng_state(), before)
    statistics = tmp_path / "out" / "model.vecnormalize.pkl"
    assert report.also_written == (statistics,)
    assert (report.same_actions, report.max_difference, report.step) == (True, 0.0, 128)
    batch = np.random.default_rng(0).normal(0, 3, (20, 3)).astype(np.float32)
    np.save(tmp_path / "batch.npy", batch)
    code = """
        import sys
        sys.modules["jupyter_ppo"] = None  # any import of it fails
        import gymnasium, numpy
        from stable_baselines3 import PPO
        from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
        folder = sys.argv[1]
        envs = DummyVecEnv([lambda: gymnasium.make("Pendulum-v1")] * 2)
        envs = VecNormalize.load(f"{folder}/out/model.vecnormalize.pkl", envs)
        model = PPO.load(f"{folder}/out/model.zip", envs, device="cpu")
        batch = numpy.load(f"{folder}/batch.npy")
        actions = model.predict(envs.normalize_obs(batch), deterministic=True)[0]
        numpy.save(f"{folder}/actions.npy", actions)
        steps = model.num_timesteps
        model.learn(64, reset_num_timesteps=False)
        print(steps, model.num_timesteps, model.policy.optimizer.state_dict()["state"][0]["step"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    steps, later, adam = done.stdout.split(maxsplit=2)
    assert (steps, later) == ("128", "192")
    assert float(adam.strip("tensor()\n.")) > 8, "Adam began anew"
    assert np.array_equal(np.load(tmp_path / "actions.npy"), load_policy(run).act(batch))


def test_every_checkpoint_becomes_the_policy_of_its_step(trained: Trained, tmp_path: Path) -> None:
    run = trained(total_steps=192, learning_rate=0.01)
    seen = set()
    for info in run.checkpoints():
        report = export_sb3(run, tmp_path / f"{info.step}.zip", step=info.step)
        assert report.weights_sha256 == info.weights_sha256
        assert report.also_written == ()
        model = PPO.load(report.path, device="cpu")
        seen.add(float(next(model.policy.parameters()).detach().sum()))
    assert len(seen) == len(run.checkpoints()) > 1


def test_where_nothing_can_be_written_says_so(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=r"path: .* cannot be written"):
        export_sb3(trained(), tmp_path / "file" / "model.zip")


def test_weights_that_do_not_fit_an_edited_spec_are_refused_by_name(trained: Trained) -> None:
    run = trained()
    text = run.files.spec_file.read_text()
    run.files.spec_file.write_text(
        text.replace('"policy_layers": [\n      64', '"policy_layers": [\n      32')
    )
    run = Run(run.directory)
    assert run.spec.policy_layers == (32, 64)
    with pytest.raises(DamagedFileError, match=r"spec\.json"):
        load_policy(run)


def test_nothing_of_a_checkpoint_is_unpickled(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(run.directory / "another person"))
    newest = run.files.checkpoints().newest()
    assert newest is not None
    assert not newest.is_ours
    assert load_policy(run).checkpoint.info == newest.info
