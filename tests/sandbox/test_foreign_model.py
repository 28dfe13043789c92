"""Models of other people: read in a container, and whatever is in them stays there."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import BusyError, InvalidModelError, TooLargeError
from jupyter_ppo.domain.execution import Outcome, Program, ProgramRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.sandbox.foreign_model import (
    MAX_BYTES,
    evaluate_foreign_model,
    inspect_foreign_model,
)
from jupyter_ppo.sandbox.programs import ContainerPrograms
from jupyter_ppo.training.environments import make_evaluation_envs
from jupyter_ppo.training.evaluating import evaluate, policy_predictor, seed_episodes


@pytest.fixture(scope="module")
def saved() -> bytes:
    """A model that Stable-Baselines3 saved by itself."""
    env = gym.make("CartPole-v1")
    model = PPO("MlpPolicy", env, learning_rate=3e-3, n_steps=512, seed=1, device="cpu")
    model.learn(2048)
    file = io.BytesIO()
    model.save(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def programs() -> Iterator[ContainerPrograms]:
    started = ContainerPrograms()
    yield started
    started.close()


class Answering:
    """A place for programs that says what it is told to say."""

    def __init__(self, **fields: Any) -> None:
        self.seen: list[Program] = []
        self._run = replace(ProgramRun(Outcome.SUCCEEDED, "", "", 0.1, 1.0), **fields)

    def run(
        self,
        programs: Sequence[Program],
        limits: SandboxLimits,
        seconds: float,
        stop: Ending | None = None,
    ) -> tuple[ProgramRun, ...]:
        self.seen += programs
        return (self._run,)

    def status(self) -> PoolStatus:
        return PoolStatus(0, 0)


def changed(data: bytes, **parts: bytes) -> bytes:
    """Return an archive with other contents in some of its files."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        kept = {name: old.read(name) for name in old.namelist()}
        for name, content in (kept | parts).items():
            new.writestr(name, content)
    return file.getvalue()


@pytest.mark.docker
@pytest.mark.image
def test_a_model_of_sb3_plays_the_same_episodes_in_the_container_as_here(
    saved: bytes, programs: ContainerPrograms
) -> None:
    found = evaluate_foreign_model(programs, saved, "CartPole-v1", episodes=5, seed=50)
    model, env = PPO.load(io.BytesIO(saved), device="cpu"), gym.make("CartPole-v1")
    returns = []
    for seed in range(50, 55):
        observation, _ = env.reset(seed=seed)
        returns.append(0.0)
        done = False
        while not done:
            action = int(model.predict(observation, deterministic=True)[0])
            observation, reward, terminated, truncated, _ = env.step(action)
            returns[-1] += float(reward)
            done = terminated or truncated
    assert found.returns == tuple(returns)
    assert min(returns) > 12
    assert (found.step, found.seed, found.lengths) == (2048, 50, tuple(map(int, returns)))


@pytest.mark.docker
@pytest.mark.image
def test_drawn_actions_are_those_of_an_evaluation_here(programs: ContainerPrograms) -> None:
    made = PPO("MlpPolicy", "Pendulum-v1", n_steps=64, use_sde=True, seed=1, device="cpu")
    file = io.BytesIO()
    made.save(file)
    found = evaluate_foreign_model(
        programs, file.getvalue(), "Pendulum-v1", episodes=2, seed=50, deterministic=False
    )
    model = PPO.load(io.BytesIO(file.getvalue()), device="cpu")
    envs = make_evaluation_envs(RunSpec(env_id="Pendulum-v1"), None, 2, 50)
    seed_episodes(model.policy, 50, 2)
    assert found.returns == evaluate(policy_predictor(model.policy, None, False), envs).returns
    envs.close()


@pytest.mark.docker
@pytest.mark.image
def test_statistics_beside_the_model_are_used(saved: bytes, programs: ContainerPrograms) -> None:
    file = io.BytesIO()
    np.savez(file, obs_mean=np.full(4, 1e3), obs_var=np.ones(4), epsilon=1e-8, clip_obs=10.0)
    found = evaluate_foreign_model(
        programs, saved, "CartPole-v1", episodes=5, normalisation=file.getvalue()
    )
    assert max(found.returns) < 12, "every observation is the same, so the pole falls at once"


@pytest.mark.docker
@pytest.mark.image
def test_code_in_a_file_runs_in_the_container_and_not_here(
    saved: bytes, programs: ContainerPrograms, tmp_path: Path
) -> None:
    class Mine:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path}/was_here; echo was here >&2",)

    evil = PPO("MlpPolicy", gym.make("CartPole-v1"), n_steps=64, device="cpu")
    evil.gamma = Mine()  # type: ignore[assignment]
    file = io.BytesIO()
    evil.save(file)
    found = inspect_foreign_model(programs, file.getvalue())
    assert (found.steps, found.normalizes) == (0, False)
    assert "Discrete(2)" in found.action_space
    assert found.parameters == sum(part.numel() for part in evil.policy.parameters())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.docker
@pytest.mark.image
def test_what_cannot_be_read_or_played_is_said_in_one_sentence(
    saved: bytes, programs: ContainerPrograms
) -> None:
    other = changed(saved, **{"_stable_baselines3_version": b"0.9.0", "policy.pth": b"garbage"})
    cases = {
        "cannot load what 0.9.0 saved": (other, "CartPole-v1"),
        "it is no model of Stable-Baselines3": (_zip_of(b"x"), "CartPole-v1"),
        "its observation_space is Box": (saved, "Pendulum-v1"),
        "Gymnasium cannot make 'NoSuch-v0'": (saved, "NoSuch-v0"),
        "the archive is damaged": (saved[:3000], "CartPole-v1"),
    }
    for said, (data, env_id) in cases.items():
        with pytest.raises(InvalidModelError, match=said) as caught:
            evaluate_foreign_model(programs, data, env_id, episodes=1)
        assert caught.value.field == "model"
        assert "\n" not in caught.value.message


def _zip_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("file", content)
    return file.getvalue()


def test_what_is_too_large_or_no_archive_never_reaches_a_container() -> None:
    programs = Answering()
    with pytest.raises(TooLargeError, match="over the limit of 32 MiB"):
        inspect_foreign_model(programs, b"PK\x03\x04" + bytes(MAX_BYTES))
    with pytest.raises(InvalidModelError, match="no zip archive"):
        inspect_foreign_model(programs, b"\x80\x04K\x01.")
    assert programs.seen == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"returns": [1.0], "lengths": [1, 2], "steps": 1},
        {"returns": [1.0, "2"], "lengths": [1, 2], "steps": 1},
        {"returns": [1.0, True], "lengths": [1, 2], "steps": 1},
        {"returns": [1.0, 2.0], "lengths": [1, -2], "steps": 1},
        {"returns": [1.0, 2.0], "lengths": [1, 2], "steps": 2**80},
        {"returns": 3, "lengths": [1, 2], "steps": 1},
    ],
)
def test_an_answer_of_another_form_is_not_believed(answer: dict[str, Any]) -> None:
    programs = Answering(value=answer, has_value=True)
    with pytest.raises(InvalidModelError, match="something else than was asked"):
        evaluate_foreign_model(programs, b"PK\x03\x04", "CartPole-v1", episodes=2)


def test_a_limit_and_a_stop_say_what_happened() -> None:
    text = "The program needed more than 2048 MiB of memory (limit memory)."
    hit = Answering(outcome=Outcome.MEMORY, error_message=text)
    with pytest.raises(InvalidModelError, match="more than 2048 MiB of memory"):
        inspect_foreign_model(hit, b"PK\x03\x04")
    with pytest.raises(BusyError, match="stopped"):
        inspect_foreign_model(Answering(outcome=Outcome.STOPPED), b"PK\x03\x04")
