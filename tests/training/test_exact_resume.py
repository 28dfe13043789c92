"""A run that was interrupted gives the bits of one that was not: weights and metrics."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
import torch

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunEvent, RunState
from jupyter_ppo.training import recorder, trainer, worker
from jupyter_ppo.training.evaluation_plan import EvaluationPlan
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import current_points
from jupyter_ppo.training.recorder import Recorder
from jupyter_ppo.training.saving import Saver
from jupyter_ppo.training.trust import Purpose, sign

LINEAR = {"kind": "linear", "start": 1e-3, "end": 0.0}
COSINE = {"kind": "cosine", "start": 0.3, "end": 0.1}

SPECS: dict[str, dict[str, Any]] = {
    "dummy": {"vec_env": "dummy"},
    "native": {"vec_env": "native"},
    "schedules": {"learning_rate": LINEAR, "clip_range": COSINE},
    "normalised native": {"normalize_observations": True, "normalize_rewards": True},
    "normalised dummy": {
        "vec_env": "dummy",
        "normalize_observations": True,
        "normalize_rewards": True,
        "eval_every": 256,
        "eval_episodes": 2,
    },
    "odd batches": {"batch_size": 48, "target_kl": 0.001, "clip_range_vf": 0.2},
    "sde": {
        "env_id": "Pendulum-v1",
        "use_sde": True,
        "sde_sample_freq": 4,
        "normalize_observations": True,
        "eval_every": 300,
        "eval_episodes": 2,
        "eval_deterministic": False,
    },
}


def resumptions(files: RunDirectory) -> list[RunEvent]:
    return [event for event in files.read_events() if event.kind is EventKind.RESUMED]


@pytest.mark.parametrize("name", SPECS)
def test_a_run_that_was_interrupted_twice_is_the_same(
    name: str, train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec(**SPECS[name])
    whole = train("whole", spec)
    train("parts", spec, (200, "The kernel ended."))
    train("parts", spec, (640, "The kernel ended again."))
    parts = train("parts", spec)
    assert parts.read_status().state is RunState.FINISHED
    assert outcome(parts) == outcome(whole)
    assert [event.data["is_exact"] for event in resumptions(parts)] == [True, True]


class Notebook(gym.Env[Any, Any]):
    """Randomness of every kind a notebook uses."""

    observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, length: int = 20) -> None:
        self.length = length
        self.t = 0
        self.episodes = 0

    def _seen(self) -> Any:
        noise = random.random() + np.random.random() + self.np_random.random()  # noqa: S311
        return np.array([self.t / self.length, noise + self.episodes % 3], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        self.episodes += 1
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._seen(), float(action == self.t % 3), False, self.t >= self.length, {}


def test_a_class_of_a_notebook_with_randomness_of_every_kind_goes_on_exactly(
    train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec(env_id="Notebook", env_kwargs={"length": 13}, eval_every=256, eval_episodes=3)
    whole = train("whole", spec, env=Notebook)
    train("parts", spec, (384, "The kernel ended."), env=Notebook)
    assert outcome(train("parts", spec, env=Notebook)) == outcome(whole)


@pytest.mark.parametrize("what", ["python", "numpy", "torch", "envs", "last_obs"])
def test_every_part_of_the_state_is_needed(
    what: str, train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec(env_id="Notebook")
    whole = train("whole", spec, env=Notebook)
    files = train("parts", spec, (384, "The kernel ended."), env=Notebook)
    state = cloudpickle.loads(files.checkpoints().read(384).parts["state.pkl"])
    other = cloudpickle.loads(files.checkpoints().read(384).parts["state.pkl"])
    match what:
        case "python":
            other["random"]["python"] = random.Random(5).getstate()  # noqa: S311
        case "numpy":
            other["random"]["numpy"] = np.random.RandomState(5).get_state()
        case "torch":
            other["random"]["torch"] = torch.Generator().manual_seed(5).get_state()
        case "envs":
            other["envs"] = None
        case "last_obs":
            other["last_obs"] = other["last_obs"] + 1
    assert cloudpickle.dumps(state) != cloudpickle.dumps(other)
    _replace_state(files, cloudpickle.dumps(other))
    assert outcome(train("parts", spec, env=Notebook)) != outcome(whole)


def _replace_state(files: RunDirectory, data: bytes) -> None:
    store = files.checkpoints()
    old = store.read(384)
    store.write(
        384,
        old.info.update,
        {**old.parts, "state.pkl": data},
        weights_sha256=old.info.weights_sha256,
        is_exact=True,
        extra=old.extra,
    )
    with zipfile.ZipFile(io.BytesIO(store.path(384).read_bytes())) as archive:
        expected = sign(archive.read("meta.json"), Purpose.CHECKPOINT)
        assert archive.read("meta.sig").decode() == expected


def test_a_stop_in_the_middle_of_a_slow_rollout_loses_nothing_and_changes_nothing(
    train: Any,
    small_spec: Callable[..., RunSpec],
    outcome: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = small_spec(normalize_observations=True)
    whole = train("whole", spec)
    monkeypatch.setattr(trainer, "_SLOW_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "_KEEPING_SHARE", 1e9)
    monkeypatch.setattr(recorder, "_WRITE_SECONDS", 0.0)  # looks up at every step
    stopped = train("parts", spec, (300, RunCommand(Command.STOP)))  # rollouts end at 256, 384
    status = stopped.read_status()
    assert (status.state, status.step, status.checkpoint_step) == (RunState.STOPPED, 256, 256)
    assert stopped.model_file.exists()
    train("parts", spec, (700, "The kernel ended."))
    assert stopped.read_status().step == 640
    assert outcome(train("parts", spec)) == outcome(whole)


def test_an_evaluation_of_the_checkpoint_s_own_step_counts_once(
    train: Any,
    small_spec: Callable[..., RunSpec],
    outcome: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told to end in an evaluation; it is held on resuming, and a kill comes right after it."""
    spec = small_spec(
        eval_every=256, eval_episodes=2, target_return=1, target_evaluations=2, total_steps=640
    )
    whole = train("whole", spec)
    assert whole.read_status().step == 512  # solved
    files = train("parts", spec, (512, "The kernel ended."))
    assert [one.step for one in files.read_evaluations()] == [256]

    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    for module, name in ((Recorder, "_add_means"), (EvaluationPlan, "_judge"), (Saver, "save")):
        with monkeypatch.context() as patch:  # after the evaluation, its point, the SOLVED
            patch.setattr(module, name, killed)
            with contextlib.suppress(KilledError):
                train("parts", spec)
        assert [one.step for one in files.read_evaluations()] == [256, 512]
    assert train("parts", spec).read_status().state is RunState.FINISHED
    assert outcome(files) == outcome(whole)
    assert [event.step for event in files.read_events() if event.kind is EventKind.SOLVED] == [512]
    seconds = [point.seconds for point in current_points(files.metrics_file)]
    assert seconds == sorted(seconds)


def test_a_stop_in_the_middle_of_a_rollout_holds_no_evaluation(
    train: Any, small_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_SLOW_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "_KEEPING_SHARE", 1e9)
    monkeypatch.setattr(recorder, "_WRITE_SECONDS", 0.0)
    spec = small_spec(eval_every=10, target_return=1, target_evaluations=10, total_steps=640)
    held: list[int] = []
    monkeypatch.setattr(
        "jupyter_ppo.training.evaluation_plan.make_evaluation_envs",
        lambda *_: held.append(1) or pytest.fail("it was held"),
    )
    change = RunCommand(Command.SET, {"ent_coef": 0.01})
    files = train("run", spec, (40, change), (40, RunCommand(Command.STOP)))
    status = files.read_status()
    assert (status.state, status.step) == (RunState.STOPPED, 0)
    assert [info.step for info in files.checkpoints().list()] == [0]  # no state of half a rollout
    assert EventKind.SOLVED not in [event.kind for event in files.read_events()]


def test_a_pause_in_the_middle_of_a_rollout_changes_nothing(
    train: Any,
    small_spec: Callable[..., RunSpec],
    outcome: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = small_spec()
    whole = train("whole", spec)
    monkeypatch.setattr(trainer, "_SLOW_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "_KEEPING_SHARE", 1e9)
    monkeypatch.setattr(recorder, "_WRITE_SECONDS", 0.0)
    pause, resume = RunCommand(Command.PAUSE), RunCommand(Command.RESUME)
    paused = train("paused", spec, (300, pause), (300, resume), (512, pause), (512, resume))
    states = [event.data.get("state") for event in paused.read_events()]
    assert states == ["running", "paused", "running", "paused", "running", "finished"]
    assert outcome(paused) == outcome(whole)


def test_live_changes_and_an_extension_are_part_of_the_checkpoint(
    train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec(learning_rate=LINEAR, total_steps=640)
    script = [
        (256, RunCommand(Command.SET, {"learning_rate": 5e-4, "ent_coef": 0.01})),
        (384, RunCommand(Command.SET, {"clip_range": COSINE})),
        (512, RunCommand(Command.EXTEND, {"total_steps": 1024})),
    ]
    whole = train("whole", spec, *script)
    assert whole.read_status().step == 1024
    train("parts", spec, *script[:2], (500, "The kernel ended."))
    train("parts", spec, *script[2:], (768, "The kernel ended."))
    assert outcome(train("parts", spec)) == outcome(whole)


def test_a_finished_run_that_is_extended_equals_one_that_was_extended_before_its_end(
    train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    extend = RunCommand(Command.EXTEND, {"total_steps": 1024})
    spec = small_spec(total_steps=512)
    at_once = train("at once", spec, (512, extend))
    train("later", spec)
    later = train("later", spec, (0, extend))
    assert later.read_status().step == 1024
    assert outcome(later) == outcome(at_once)


def test_without_a_checkpoint_the_run_begins_again_and_is_the_same(
    train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec()
    whole = train("whole", spec)
    files = train("parts", spec, (384, "The kernel ended."))
    files.checkpoints().path(384).unlink()
    assert outcome(train("parts", spec)) == outcome(whole)
    (event,) = resumptions(files)
    assert event.data["is_exact"]
    assert "begins again" in event.message


def test_a_run_whose_checkpoints_are_all_damaged_does_not_begin_again(
    train: Any, small_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process keeps its own
    files = train("run", small_spec(), (384, RunCommand(Command.STOP)))
    files.checkpoints().path(384).write_bytes(b"no zip")
    model, metrics = files.model_file.read_bytes(), files.metrics_file.read_bytes()
    for _ in range(2):  # nor when it is asked again
        assert worker.main([str(files.path)]) == 1
        status = files.read_status()
        assert status.state is RunState.FAILED
        assert "000000000384.ckpt.damaged" in status.message
        assert "delete the folder checkpoints" in status.message
    assert [path.name for path in files.checkpoints_folder.iterdir()] == [
        "000000000384.ckpt.damaged"
    ]
    assert (files.model_file.read_bytes(), files.metrics_file.read_bytes()) == (model, metrics)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    train: Any, small_spec: Callable[..., RunSpec], outcome: Any
) -> None:
    spec = small_spec(checkpoint_seconds=0)
    whole = train("whole", spec)
    files = train("parts", spec, (640, "The kernel ended."))
    path = files.checkpoints().path(640)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert outcome(train("parts", spec)) == outcome(whole)
    assert [event.step for event in resumptions(files)] == [512]
    assert any("damaged" in event.message for event in files.read_events())


class Unpicklable(Notebook):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def test_an_environment_that_cannot_be_copied_is_resumed_and_said_not_to_be_exact(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(env_id="Unpicklable")
    files = train("run", spec, (512, "The kernel ended."), env=Unpicklable)
    info = files.checkpoints().list()[-1]
    assert not info.is_exact
    assert "cannot be copied" in info.reason
    assert [event.kind for event in files.read_events()][1] is EventKind.WARNING
    train("run", spec, env=Unpicklable)
    assert files.read_status().state is RunState.FINISHED
    (event,) = resumptions(files)
    assert event.data["is_exact"] is False
    assert "cannot be copied" in event.message


def test_other_threads_and_other_versions_are_named_on_resume(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(), (512, "The kernel ended."))
    store = files.checkpoints()
    old = store.read(512)
    store.write(
        512,
        old.info.update,
        old.parts,
        weights_sha256=old.info.weights_sha256,
        is_exact=True,
        extra={
            **old.extra,
            "torch_threads": 2,
            "versions": {**old.extra["versions"], "torch": "1.0"},
        },
    )
    train("run", small_spec())
    (event,) = resumptions(files)
    assert event.data["is_exact"] is False
    assert "torch 1.0" in event.data["reasons"][0]
    assert "2 torch threads, now there are 1" in event.data["reasons"][1]
