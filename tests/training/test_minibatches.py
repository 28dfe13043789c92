"""Samples of the updates: true, whole after a kill, and without any effect on the run."""

from __future__ import annotations

import copy
import json
import math
import os
import signal
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.training import Command, Minibatch, RunCommand, RunState
from jupyter_ppo.training import recorder
from jupyter_ppo.training.documents import minibatch_from_json, minibatch_to_json
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.lines import append_line
from jupyter_ppo.training.minibatches import (
    MOST_MINIBATCHES,
    MinibatchLog,
    MinibatchReader,
    current_minibatches,
    is_recorded,
)
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.recorder import Recorder
from jupyter_ppo.training.update_samples import minibatch_of

SPECS: dict[str, dict[str, Any]] = {
    "discrete, target_kl, odd batches": {"batch_size": 48, "target_kl": 0.001, "n_envs": 3},
    "continuous, normalised": {
        "env_id": "Pendulum-v1",
        "normalize_observations": True,
        "normalize_rewards": True,
        "clip_range_vf": 0.2,
        "eval_every": 256,
        "eval_episodes": 2,
        "total_steps": 768,
    },
    "sde": {
        "env_id": "Pendulum-v1",
        "use_sde": True,
        "sde_sample_freq": 4,
        "vec_env": "dummy",
        "normalize_observations": True,
        "normalize_advantage": False,
        "total_steps": 768,
    },
}


def minibatch(step: int, *ratios: float, update: int = 1) -> Minibatch:
    advantages = array("f", [1.0 - ratio for ratio in ratios])
    return Minibatch(step, update, 0.2, 64, array("f", ratios), advantages)


@pytest.mark.parametrize("name", SPECS)
def test_recording_changes_not_one_bit_of_the_run(
    name: str, train: Any, small_spec: Any, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_spec(**SPECS[name])
    with_it = train("with", spec)
    assert len(current_minibatches(with_it.minibatches_file)) == spec.n_updates
    monkeypatch.setattr(Recorder, "add_minibatch", lambda *_: None)
    without = train("without", spec)
    assert current_minibatches(without.minibatches_file) == []
    assert outcome(with_it) == outcome(without)
    assert generators(with_it) == generators(without)


def generators(files: RunDirectory) -> object:
    """Return the state of every global generator at the end, and what the environments showed."""
    newest = files.checkpoints().list()[-1]
    state = cloudpickle.loads(files.checkpoints().read(newest.step).parts["state.pkl"])
    state["random"]["torch"] = state["random"]["torch"].tolist()
    return repr([state["random"], state["last_obs"].tolist()])


@pytest.mark.parametrize("normalize", [True, False])
def test_the_samples_are_those_of_the_rollout_under_the_policy_after_the_update(
    normalize: bool, train: Any, small_spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[tuple[Any, Any]] = []

    def watched(model: Any, update: int) -> Minibatch | None:
        buffer = model.rollout_buffer
        with torch.no_grad():
            _, new, _ = model.policy.evaluate_actions(
                torch.as_tensor(buffer.observations), torch.as_tensor(buffer.actions).long()[:, 0]
            )
        ratios = np.exp(new.numpy().astype(np.float64) - buffer.log_probs[:, 0])
        expected.append((ratios, buffer.advantages[:, 0].copy()))
        return minibatch_of(model, update)

    monkeypatch.setattr(recorder, "minibatch_of", watched)
    spec = small_spec(
        n_envs=4, n_steps=128, total_steps=1536, n_epochs=6, normalize_advantage=normalize
    )
    found = current_minibatches(train("run", spec).minibatches_file)
    assert [(one.step, one.update) for one in found] == [(512, 1), (1024, 2), (1536, 3)]
    for one, (ratios, advantages) in zip(found, expected, strict=True):
        assert (one.rollout_size, one.clip_range, len(one.ratios)) == (512, 0.2, 256)
        every = np.arange(256) * 2 + 1
        np.testing.assert_allclose(one.ratios, ratios[every], rtol=1e-5)
        kept = advantages[every]
        if normalize:
            kept = (kept - kept.mean()) / (kept.std(ddof=1) + 1e-8)
        np.testing.assert_allclose(one.advantages, kept, rtol=1e-4, atol=1e-5)
        outside = np.abs(ratios[every] - 1) > 0.2
        assert one.clip_fraction == pytest.approx(outside.mean(), abs=1 / 256)
        kl = (ratios[every] - 1) - np.log(ratios[every])
        assert one.mean_kl == pytest.approx(kl.mean(), rel=1e-3, abs=1e-7)
    assert max(max(one.ratios) for one in found) > 1.05


class Anything(gym.Env[Any, Any]):
    """Spaces of every kind that SB3's PPO takes."""

    def __init__(self, seen: spaces.Space[Any], act: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = copy.deepcopy(seen), act
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.t = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        reward = float(np.sum(action)) + self.np_random.random()
        return self.observation_space.sample(), reward, self.t >= 7, False, {}


VECTOR = spaces.Box(-1, 1, (3,), np.float32)
KINDS: dict[str, tuple[spaces.Space[Any], spaces.Space[Any]]] = {
    "several choices": (VECTOR, spaces.MultiDiscrete([3, 2])),
    "switches": (VECTOR, spaces.MultiBinary(3)),
    "a number that is seen": (spaces.Discrete(5), spaces.Discrete(2)),
    "parts": (spaces.Dict({"a": VECTOR, "b": spaces.Discrete(3)}), spaces.Box(-1, 1, (2,))),
    "images": (spaces.Box(0, 255, (36, 36, 1), np.uint8), spaces.Discrete(3)),
}


@pytest.mark.parametrize("name", KINDS)
def test_samples_of_every_kind_of_space(
    name: str, train: Any, small_spec: Any, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, act = KINDS[name]
    spec = small_spec(
        env_id="Anything", n_envs=2, n_steps=16, batch_size=16, total_steps=64, vec_env="dummy"
    )
    files = train("with", spec, env=lambda: Anything(seen, act))
    found = current_minibatches(files.minibatches_file)
    assert [(one.step, len(one.ratios)) for one in found] == [(32, 32), (64, 32)]
    assert all(len(set(one.ratios)) > 1 for one in found)
    monkeypatch.setattr(Recorder, "add_minibatch", lambda *_: None)
    assert outcome(train("without", spec, env=lambda: Anything(seen, act))) == outcome(files)


def test_an_interrupted_run_has_the_minibatches_of_one_that_was_not(
    train: Any, small_spec: Any
) -> None:
    spec = small_spec()
    extend = RunCommand(Command.EXTEND, {"total_steps": 1280})
    whole = train("whole", spec, (300, extend))
    train("parts", spec, (300, extend), (640, "The kernel ended."))
    parts = train("parts", spec)
    found = current_minibatches(parts.minibatches_file)
    assert found == current_minibatches(whole.minibatches_file)
    assert [one.update for one in found] == list(range(1, 11))
    assert open_run(parts.path).minibatches() == found


def test_a_killed_worker_s_minibatches_are_made_again_and_count_once(
    nursery: Any, tmp_path: Path, small_spec: Any
) -> None:
    spec = small_spec(total_steps=128 * 60, checkpoint_seconds=0.05)
    folders = {}
    for name in ("whole", "killed"):
        files = folders[name] = RunDirectory(tmp_path / name)
        files.path.mkdir()
        files.create(spec)
    pid = nursery.start(folders["killed"].path)
    end = time.monotonic() + 60
    while len(current_minibatches(folders["killed"].minibatches_file)) < 12:
        assert time.monotonic() < end
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    until_gone(pid)
    # What a kill may leave: minibatches after the last checkpoint, and half a line.
    append_line(folders["killed"].minibatches_file, minibatch_to_json(minibatch(128 * 59, 1.5)))
    with folders["killed"].minibatches_file.open("ab") as file:
        file.write(b'{"step":7680,"upd')
    for files in folders.values():
        until_gone(nursery.start(files.path))
        assert files.read_status().state is RunState.FINISHED
    killed, whole = (
        current_minibatches(folders[name].minibatches_file) for name in ("killed", "whole")
    )
    assert killed == whole
    assert [one.update for one in whole] == list(range(1, 61))
    assert b"rewind" in folders["killed"].minibatches_file.read_bytes()


def until_gone(pid: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("the worker does not end")


def test_a_run_of_an_older_version_opens_and_goes_on(train: Any, small_spec: Any) -> None:
    files = train("old", small_spec(), (640, "The kernel ended."))
    files.minibatches_file.unlink()
    assert open_run(files.path).minibatches() == []
    train("old", small_spec())
    assert [one.update for one in open_run(files.path).minibatches()] == [6, 7, 8]


@settings(deadline=None, max_examples=60)
@given(planned=st.integers(1, 20_000), more=st.integers(0, 20_000))
def test_of_a_long_run_about_512_updates_are_recorded(planned: int, more: int) -> None:
    kept = [update for update in range(1, planned + 1) if is_recorded(update, planned)]
    assert len(kept) <= MOST_MINIBATCHES + 2
    assert len(kept) >= min(planned, MOST_MINIBATCHES // 2)
    assert {1, planned} <= set(kept)
    later = {u for u in range(1, planned + 1) if is_recorded(u, planned + more)}
    assert later <= set(kept)  # one that is longer is coarser, on the same grid


def test_a_loop_without_a_plan_records_ever_fewer() -> None:
    kept = [update for update in range(1, 100_001) if is_recorded(update)]
    assert kept[:512] == list(range(1, 513))
    assert len(kept) < MOST_MINIBATCHES * 6


ORDINARY = st.floats(width=32, allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(2.0**-115, 2.0**115, width=32)


@settings(deadline=None, max_examples=60)
@given(samples=st.lists(st.tuples(POSITIVE, ORDINARY), min_size=1, max_size=256))
def test_what_is_written_is_read_to_the_bit(samples: list[tuple[float, float]]) -> None:
    ratios, advantages = (array("f", values) for values in zip(*samples, strict=True))
    one = Minibatch(5, 1, 0.2, 300, ratios, advantages)
    read = minibatch_from_json(json.loads(json.dumps(minibatch_to_json(one))))
    assert read == one
    assert read is not None
    assert read.mean_kl >= 0


@pytest.mark.parametrize(
    "changed",
    [
        {"ratios": ""},
        {"ratios": "AAAA"},
        {"ratios": "not base64!"},
        {"ratios": [1.0]},
        {"ratios": minibatch_to_json(minibatch(1, 1.0, 1.0))["ratios"]},
        {"ratios": minibatch_to_json(minibatch(1, -1.0))["ratios"]},
        {"ratios": minibatch_to_json(minibatch(1, math.nan))["ratios"]},
        {"ratios": minibatch_to_json(minibatch(1, math.inf))["ratios"]},
        {"ratios": minibatch_to_json(minibatch(1, 0.0))["ratios"]},
        {"advantages": minibatch_to_json(minibatch(1, math.inf))["ratios"]},
        {"clip_range": 0.0},
        {"clip_range": True},
        {"clip_range": math.nan},
        {"rollout_size": 0},
        {"step": -1},
        {"update": 1.5},
    ],
)
def test_a_damaged_line_is_left_out(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = tmp_path / "minibatches.jsonl"
    good = minibatch_to_json(minibatch(1, 1.25))
    append_line(path, good)
    append_line(path, good | changed)
    append_line(path, {"rewind": -1})
    assert current_minibatches(path) == [minibatch(1, 1.25)]


def test_more_samples_than_are_ever_written_are_left_out() -> None:
    data = minibatch_to_json(minibatch(1, *[1.0] * 257)) | {"rollout_size": 1000}
    assert minibatch_from_json(data) is None


def test_minibatches_after_a_rewind_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "minibatches.jsonl"
    log = MinibatchLog(path)
    log.rewind(0)
    assert not path.exists()
    for step in (100, 200, 300):
        log.add(minibatch(step, 1.5))
    log.rewind(300)
    assert b"rewind" not in path.read_bytes()
    reader = MinibatchReader(path)
    assert len(reader.read()) == 3
    log.rewind(150)
    log.add(minibatch(250, 0.5))
    assert [type(item).__name__ for item in reader.read()] == ["Rewind", "Minibatch"]
    assert current_minibatches(path) == [minibatch(100, 1.5), minibatch(250, 0.5)]
    log.rewind(0)
    log.rewind(0)
    assert current_minibatches(path) == []
    assert path.read_bytes().count(b"rewind") == 2


def test_a_long_damaged_end_does_not_hide_what_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "minibatches.jsonl"
    log = MinibatchLog(path)
    log.add(minibatch(100, 1.5))
    log.add(minibatch(200, 1.5))
    with path.open("a") as file:
        file.write("damaged\n" * 20_000)
    log.rewind(100)
    assert current_minibatches(path) == [minibatch(100, 1.5)]


GIVEN: dict[str, Callable[[list[float]], Any]] = {
    "list": list,
    "tuple": tuple,
    "numpy": np.array,
    "float32": lambda values: np.array(values, np.float32).reshape(-1, 1),
    "tensor": lambda values: torch.tensor(values, requires_grad=True),
    "numbers of numpy": lambda values: [np.float64(value) for value in values],
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_loop_of_one_s_own_gives_arrays_of_any_kind(tmp_path: Path, kind: str) -> None:
    make = GIVEN[kind]
    with RunLog(tmp_path / "run") as run:
        run.minibatch(64, ratios=make([0.5, 1.5]), advantages=make([1.0, -2.0]), clip_range=0.25)
        run.minibatch(128, ratios=make([1.0]), advantages=make([0.0]), clip_range=np.float32(0.25))
        assert run.step == 128
    first, second = open_run(tmp_path / "run").minibatches()
    assert first == Minibatch(64, 1, 0.25, 2, array("f", [0.5, 1.5]), array("f", [1.0, -2.0]))
    assert (second.step, second.update, first.clip_fraction) == (128, 2, 1.0)


def test_a_large_minibatch_is_thinned_out_and_what_cannot_be_drawn_is_left_out(
    tmp_path: Path,
) -> None:
    with RunLog(tmp_path / "run") as run:
        ratios = np.linspace(1, 2, 2048)
        run.minibatch(1, ratios=ratios, advantages=np.ones(2048), clip_range=0.2)
        strange = [math.nan, math.inf, 0.0, 1.0, 1.0]
        values = [1.0, 1.0, 1.0, math.nan, 3.0]
        run.minibatch(2, ratios=strange, advantages=values, clip_range=0.2)
        run.minibatch(3, ratios=[math.nan], advantages=[1.0], clip_range=0.2)
    large, odd = open_run(tmp_path / "run").minibatches()
    assert (large.rollout_size, len(large.ratios)) == (2048, 256)
    np.testing.assert_allclose(large.ratios, ratios[4::8], rtol=1e-6)
    assert len(odd.ratios) == 3
    assert math.isfinite(odd.mean_kl)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ratios": [1.0]}, "advantages"),
        ({"ratios": [], "advantages": []}, "advantages"),
        ({"ratios": [-0.1, 0.1]}, "ratios"),
        ({"ratios": "12"}, "ratios"),
        ({"ratios": None}, "ratios"),
        ({"advantages": [object(), 1]}, "advantages"),
        ({"clip_range": 0}, "clip_range"),
        ({"clip_range": math.nan}, "clip_range"),
        ({"clip_range": "x"}, "clip_range"),
    ],
)
def test_what_is_no_minibatch_is_refused_by_its_name(
    tmp_path: Path, changed: dict[str, Any], field: str
) -> None:
    values = {"ratios": [1.0, 1.1], "advantages": [1.0, 2.0], "clip_range": 0.2}
    with RunLog(tmp_path / "run") as run:
        with pytest.raises(InvalidInputError, match=f"^{field}: ") as caught:
            run.minibatch(1, **(values | changed))
        assert caught.value.field == field
        run.minibatch(5, **values)
        with pytest.raises(InvalidInputError, match="comes after 5"):
            run.minibatch(4, **values)
    with pytest.raises(ConflictError, match="has ended"):
        run.minibatch(6, **values)


def test_a_full_disk_does_not_end_a_loop_of_one_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with RunLog(tmp_path / "run") as run:
        monkeypatch.setattr("jupyter_ppo.training.minibatches.append_line", full)
        with pytest.warns(RuntimeWarning, match="Minibatches cannot be written"):
            run.minibatch(1, ratios=[1.0], advantages=[1.0], clip_range=0.2)
