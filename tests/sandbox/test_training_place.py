"""Training runs in real containers: the same bits as elsewhere, and only the run comes out."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from jupyter_ppo.domain.errors import (
    ConflictError,
    EngineUnavailableError,
    InvalidInputError,
    UntrustedRunError,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.training import TIMING, Command, EventKind, RunCommand, RunState, RunStatus
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.training_follower import TrainingFollower
from jupyter_ppo.sandbox.training_place import ContainerPlace
from jupyter_ppo.training import launch
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import current_points
from jupyter_ppo.training.minibatches import current_minibatches
from jupyter_ppo.training.own_env import pickle_env
from jupyter_ppo.training.trust import digest

pytestmark = [pytest.mark.docker, pytest.mark.image, pytest.mark.slow]

DISK_BYTES = 64 * 2**20
SPEC = RunSpec(
    total_steps=5120,
    n_envs=4,
    n_steps=128,
    batch_size=128,
    n_epochs=2,
    learning_rate={"kind": "linear", "start": 1e-3, "end": 0.0},  # type: ignore[arg-type]
    normalize_rewards=True,
    eval_every=2048,
    eval_episodes=3,
    checkpoint_seconds=0.2,
    seed=5,
)
ENDLESS = SPEC.changed(total_steps=10_000_000, learning_rate=1e-3, eval_every=0)
NAMES = {
    ".reserve",
    "checkpoints",
    "commands.jsonl",
    "env.pkl",
    "env.sig",
    "evaluations.jsonl",
    "events.jsonl",
    "metrics.jsonl",
    "minibatches.jsonl",
    "model.zip",
    "spec.json",
    "state.json",
    "worker.lock",
    "worker.log",
}
LIMITS = SandboxLimits(memory_mb=1024, disk_mb=128, file_mb=32)
Eventually = Callable[[Callable[[], bool], str], None]


@pytest.fixture(scope="module")
def place() -> Iterator[ContainerPlace]:
    made = ContainerPlace(LIMITS)
    yield made
    made.close()


def run_folder(path: Path, spec: RunSpec, env: Any = None) -> RunDirectory:
    path.mkdir()
    data = None
    if env is not None:
        name, data = pickle_env(env)
        spec = spec.changed(env_id=name, env_sha256=digest(data))
    files = RunDirectory(path)
    files.create(spec, data)
    return files


@contextlib.contextmanager
def started(place: ContainerPlace, files: RunDirectory) -> Iterator[TrainingFollower]:
    run = place.start(files.path, disk_bytes=DISK_BYTES)
    try:
        yield run
    finally:
        run.close()


def finish(place: ContainerPlace, files: RunDirectory, eventually: Eventually) -> RunState:
    with started(place, files) as run:
        eventually(lambda: not run.is_alive, "the run does not end")
    return files.read_status().state


def result(files: RunDirectory) -> tuple[str, list[Any], list[Any], list[Any]]:
    """Return all that must be equal in two equal runs; NaN, which equals nothing, as None."""
    newest = files.checkpoints().newest()
    assert newest is not None
    points = [
        (
            one.step,
            {str(k): None if v != v else v for k, v in one.values.items() if k not in TIMING},
        )
        for one in current_points(files.metrics_file)
    ]
    evaluations = [(one.step, one.returns, one.lengths) for one in files.read_evaluations()]
    minibatches = current_minibatches(files.minibatches_file)
    return newest.info.weights_sha256, points, evaluations, minibatches


@pytest.fixture(scope="module")
def reference(place: ContainerPlace, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run that nothing disturbed."""
    files = run_folder(tmp_path_factory.mktemp("reference") / "run", SPEC)
    with started(place, files) as run:
        end = time.monotonic() + 120
        while run.is_alive:
            assert time.monotonic() < end
            time.sleep(0.05)
        # How much depends on the machine; it is counted, and not in some other unit.
        assert 0.1 < run.cpu_seconds < 120
    status = files.read_status()
    assert status.state is RunState.FINISHED, (status.message, files.log_tail())
    return files


def wait_for_checkpoint(files: RunDirectory, eventually: Eventually, step: int = 1024) -> None:
    eventually(lambda: (files.read_status().checkpoint_step or 0) >= step, "there is no checkpoint")


def test_a_run_in_a_container_has_the_same_bits_as_one_beside_the_server(
    reference: RunDirectory, tmp_path: Path
) -> None:
    outside = launch.start_run(SPEC, tmp_path / "outside")
    assert outside.wait(120) is RunState.FINISHED
    assert result(reference) == result(outside.files)
    assert {path.name for path in reference.path.iterdir()} <= NAMES
    assert reference.model_file.stat().st_size > 10_000
    assert reference.read_status().checkpoint_step == SPEC.planned_steps


def test_pickles_of_a_container_are_not_read_outside_of_one(reference: RunDirectory) -> None:
    newest = reference.checkpoints().newest()
    assert newest is not None
    assert not newest.is_ours
    with pytest.raises(UntrustedRunError):
        newest.trusted_part("state.pkl")
    assert not reference.model_signature_file.exists()


def test_a_run_whose_container_was_killed_goes_on_to_the_same_bits(
    place: ContainerPlace, reference: RunDirectory, tmp_path: Path, eventually: Eventually
) -> None:
    files = run_folder(tmp_path / "run", SPEC)
    with started(place, files) as run:
        wait_for_checkpoint(files, eventually)
        with Engine.connect() as engine:
            engine.api.kill(run._box._box.name)
        eventually(lambda: not run.is_alive, "the end is not noticed")
    status = files.read_status()
    assert status.state is RunState.INTERRUPTED
    assert f"goes on from its checkpoint of step {status.checkpoint_step}" in status.message
    assert finish(place, files, eventually) is RunState.FINISHED
    assert result(files) == result(reference)
    resumed = [event for event in files.read_events() if event.kind is EventKind.RESUMED]
    assert [event.data["is_exact"] for event in resumed] == [True]


SERVER = """
import sys, time
from pathlib import Path
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.training_place import ContainerPlace
place = ContainerPlace(SandboxLimits(memory_mb=1024, disk_mb=128, file_mb=32))
run = place.start(Path(sys.argv[1]), disk_bytes=64 * 2**20)
print(run._box._box.name, flush=True)
time.sleep(600)
"""


def test_a_run_whose_server_was_killed_goes_on_to_the_same_bits(
    place: ContainerPlace, reference: RunDirectory, tmp_path: Path, eventually: Eventually
) -> None:
    files = run_folder(tmp_path / "run", SPEC)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(files.path)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout:
        name = server.stdout.readline().strip()
        with pytest.raises(ConflictError):
            place.start(files.path, disk_bytes=DISK_BYTES)
        wait_for_checkpoint(files, eventually)
        server.send_signal(signal.SIGKILL)
        server.wait()
    with Engine.connect() as engine:
        eventually(
            lambda: not engine.api.containers(all=True, filters={"name": name}),
            "the container has outlived its server",
        )
    assert finish(place, files, eventually) is RunState.FINISHED
    assert result(files) == result(reference)


def test_commands_take_effect_in_a_container_and_end_leaves_a_checkpoint(
    place: ContainerPlace, tmp_path: Path, eventually: Eventually
) -> None:
    files = run_folder(tmp_path / "run", ENDLESS)
    state = lambda: files.read_status().state  # noqa: E731
    with started(place, files) as run:
        eventually(lambda: files.read_status().step > 0, "nothing is trained")
        changed = files.append_command(RunCommand(Command.SET, {"learning_rate": 1e-4}))
        eventually(
            lambda: any(event.data.get("id") == changed for event in files.read_events()),
            "the change does not take effect",
        )
        files.append_command(RunCommand(Command.PAUSE))
        eventually(lambda: state() is RunState.PAUSED, "it does not pause")
        run.end(30)
        assert state() is RunState.INTERRUPTED
        assert not run.is_alive
    step = files.read_status().step
    assert files.read_status().checkpoint_step == step > 0
    seen = files.commands_file.stat().st_size
    with contextlib.closing(
        place.start(files.path, disk_bytes=DISK_BYTES, commands_from=seen)
    ) as run:
        files.append_command(RunCommand(Command.RESUME))
        eventually(lambda: files.read_status().step > step, "it does not go on")
        files.append_command(RunCommand(Command.STOP))
        eventually(lambda: not run.is_alive, "it does not stop")
    assert state() is RunState.STOPPED
    assert files.model_file.exists()


class Own(gymnasium.Env[Any, Any]):
    """The smallest environment; what a subclass does in ``act`` happens in the container."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    steps = 0

    def act(self) -> None: ...

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == 200:
            self.act()
        return np.zeros(2, np.float32), 1.0, self.steps % 10 == 0, False, {}


class Vandal(Own):
    """Writes into the run's folder whatever it can, prints without end, and tries to get out."""

    def act(self) -> None:
        import socket
        import urllib.request

        folder = "/home/student/run/"
        with contextlib.suppress(OSError):
            urllib.request.urlopen("http://1.1.1.1", timeout=2)
            print("REACHED THE NETWORK")
        with contextlib.suppress(OSError):
            socket.create_connection(("10.0.0.1", 80), timeout=2)
            print("REACHED THE NETWORK")
        for name in (
            *("metrics.jsonl", "events.jsonl", "evaluations.jsonl"),
            *("minibatches.jsonl", "commands.jsonl"),
        ):
            with open(folder + name, "ab") as file:
                file.write(b"\xff\x00garbage\n" + b"[" * 100_000 + b"\n" + b"x" * 10**6)
        with open(folder + "spec.json", "wb") as file:
            file.write(b"{}")
        for name, target in [
            ("checkpoints/000000999999.ckpt", "/etc/passwd"),
            ("model.zip", "/proc/self/environ"),
            ("more", "/etc"),
        ]:
            with contextlib.suppress(OSError):
                os.symlink(target, folder + name)
        os.mkfifo(folder + "checkpoints/000000999998.ckpt")
        with open(folder + "checkpoints/000000999997.ckpt", "wb") as file:
            file.write(b"\x80\x04cos\nsystem\n(S'id'\ntR.")
        with contextlib.suppress(OSError), open(folder + "huge", "wb") as file:
            file.truncate(2**40)
        with (
            contextlib.suppress(OSError),
            open(folder + "checkpoints/000000999996.ckpt", "wb") as file,
        ):
            for _ in range(100):
                file.write(bytes(2**20))
        with open(folder + ".state", "wb") as file:
            file.write(b'{"state": "finished", "step": 1e999, "message": "' + b"x" * 60_000 + b'"}')
        os.replace(folder + ".state", folder + "state.json")
        for _ in range(2000):
            print("flood" * 2000)
        os._exit(0)


class Glutton(Own):
    """Takes all the memory."""

    def act(self) -> None:
        self.kept = [bytearray(os.urandom(1)) * 2**24 for _ in range(1000)]


def test_an_environment_that_vandalises_its_run_harms_nothing_else(
    place: ContainerPlace, tmp_path: Path, eventually: Eventually
) -> None:
    files = run_folder(tmp_path / "run", ENDLESS.changed(checkpoint_seconds=0.0), Vandal)
    spec = files.spec_file.read_bytes()
    assert finish(place, files, eventually) is RunState.INTERRUPTED
    assert "ended by itself" in files.read_status().message
    assert files.spec_file.read_bytes() == spec
    assert {path.name for path in files.path.iterdir()} <= NAMES - {"model.zip"}
    for path in files.path.rglob("*"):
        assert stat.S_ISREG(path.lstat().st_mode) or path == files.checkpoints_folder
    assert all(info.step < 100_000 for info in files.checkpoints().list())
    assert files.size_bytes() < 12 * 2**20
    assert "REACHED" not in files.log_tail(2**22)
    assert b"\xff" not in files.metrics_file.read_bytes()
    assert files.log_file.stat().st_size <= 4 * 2**20


def test_a_run_that_takes_too_much_memory_names_the_limit(
    place: ContainerPlace, tmp_path: Path, eventually: Eventually
) -> None:
    files = run_folder(tmp_path / "run", ENDLESS, Glutton)
    assert finish(place, files, eventually) is RunState.FAILED
    assert "1024 MiB of memory" in files.read_status().message


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [("commands.jsonl", 9, r"commands\.jsonl"), ("env.pkl", 63, "holds 62"), ("env.pkl", 33, "32")],
)
def test_a_run_that_does_not_fit_into_a_container_is_refused(
    place: ContainerPlace, tmp_path: Path, name: str, size: int, words: str
) -> None:
    files = run_folder(tmp_path / "run", SPEC, Own)
    (files.path / name).write_bytes(b"\n" * size * 2**20)
    with pytest.raises(InvalidInputError, match=words):
        place.start(files.path, disk_bytes=DISK_BYTES)
    assert not files.worker_is_alive()


def test_without_an_engine_a_run_waits_and_its_folder_is_free(tmp_path: Path) -> None:
    files = run_folder(tmp_path / "run", SPEC)
    files.write_status(RunStatus(RunState.INTERRUPTED, 7, message="before"))
    before = files.read_status()
    place = ContainerPlace(base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError):
        place.start(files.path, disk_bytes=DISK_BYTES)
    place.close()
    assert not files.worker_is_alive()
    assert files.read_status() == before


def test_a_container_that_waits_takes_the_next_run_and_nothing_is_left(
    tmp_path: Path,
    eventually: Eventually,
    own_containers: Callable[[], list[str]],
    settled: Callable[[Callable[[], Any]], Any],
    open_things: Callable[[], Any],
) -> None:
    assert own_containers() == []
    before = settled(open_things)
    place = ContainerPlace(LIMITS, ready=1)
    eventually(lambda: place._pool.ready == 1, "none is ready")
    [waiting] = own_containers()
    files = run_folder(tmp_path / "run", ENDLESS)
    run = place.start(files.path, disk_bytes=DISK_BYTES)
    assert f"/{run._box._box.name}" == waiting
    run.close()
    place.close()
    assert files.read_status().state is RunState.INTERRUPTED
    assert own_containers() == []
    assert settled(open_things) == before
