"""A worker does not load PyTorch's compiler, and computes the same without it."""

from __future__ import annotations

import subprocess
import sys

_TRAIN = """
import sys, torch
torch.set_num_threads(1)
if {quick}:
    from jupyter_ppo.training.quick_start import leave_compiler_alone
    leave_compiler_alone()
    leave_compiler_alone()
from stable_baselines3 import PPO
from jupyter_ppo.training.snapshot import weights_sha256
adam = {{"eps": 1e-5, "fused": {fused}}}
model = PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=2, seed=3, device="cpu",
            policy_kwargs={{"optimizer_kwargs": adam}})
model.learn(256)
model.policy.optimizer.load_state_dict(model.policy.optimizer.state_dict())
print(weights_sha256(model.policy), "torch._dynamo" in sys.modules)
"""


def trained(*, quick: bool, fused: bool) -> tuple[str, bool]:
    code = _TRAIN.format(quick=quick, fused=fused)
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    return done[0], done[1] == "True"


def test_the_weights_are_the_same_and_the_compiler_stays_out() -> None:
    plain, is_loaded = trained(quick=False, fused=True)
    assert is_loaded, "PyTorch no longer loads it: quick_start is not needed any more"
    assert trained(quick=True, fused=True) == (plain, False)
