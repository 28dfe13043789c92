"""Settings become objects; a wrong setting is refused by name."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from traitlets import TraitError

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import BusyError, SandboxError
from jupyter_ppo.domain.execution import (
    ExecutionBounds,
    ExecutionQuota,
    ExecutionRequest,
    ExecutionState,
)
from jupyter_ppo.domain.run_records import TrainingQuota
from jupyter_ppo.domain.sandbox import PoolStatus
from jupyter_ppo.sandbox.training_place import ContainerPlace
from jupyter_ppo.training.process_place import ProcessPlace
from jupyter_ppo.wiring import PPOService, Service


def test_by_default_whoever_can_sign_in_is_the_owner_and_an_admin() -> None:
    settings = PPOService(owner="ada")
    assert settings.caller("anonymous-7") == Caller("ada", admin=True)
    assert settings.local_caller() == Caller("ada", admin=True)


def test_with_a_provider_people_are_who_it_says_and_only_the_named_are_admins() -> None:
    settings = PPOService(identity="provider", admins=["iris"])
    assert settings.caller("ada") == Caller("ada", admin=False)
    assert settings.caller("iris") == Caller("iris", admin=True)


def test_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path / "data?%#"))
    service = settings.build()
    service.close()
    assert (tmp_path / "data?%#" / "jupyter_ppo.sqlite").is_file()
    assert (tmp_path / "data?%#").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"memory_mb": 1}, "memory_mb: 1 is outside 64 to"),
        ({"memory": 512}, "'memory' is not a limit; there are"),
        ({"cell_seconds": "30"}, "cell_seconds: '30' is outside"),
    ],
)
def test_a_limit_that_is_unknown_or_out_of_range_is_named(
    limits: dict[str, object], words: str
) -> None:
    with pytest.raises(TraitError) as caught:
        PPOService(limits=limits)
    assert words in str(caught.value)


def test_a_class_that_does_not_run_notebooks_is_no_sandbox() -> None:
    with pytest.raises(TraitError):
        PPOService(sandbox_class="no.such.Class").build()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"execute_limits": {"memory_mb": 512}}, "execute_limits: 'memory_mb' is not a limit;"),
        ({"execute_limits": {"pids": 1}}, "pids: 1 is outside 8 to"),
        ({"execute_memory_mb": 4096}, "is more than the 2048 of execute_max_memory_mb"),
        ({"execute_max_memory_mb": 128}, "execute_memory_mb: 512 is more than the 128"),
        ({"execute_memory_mb": 63}, "execute_memory_mb"),
        ({"execute_timeout": 301}, "execute_timeout"),
        ({"execute_slots": 0}, "execute_slots"),
        ({"warm_programs": -1}, "warm_programs"),
    ],
)
def test_a_setting_of_execution_that_cannot_be_is_named(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(TraitError) as caught:
        PPOService(**settings)
    assert words in str(caught.value)


def test_execution_gets_what_the_settings_say(tmp_path: Path) -> None:
    settings = PPOService(
        data_dir=str(tmp_path / "data"),
        execute_memory_mb=3000,
        execute_max_memory_mb=4096,
        execute_timeout=5,
        execute_per_minute=7,
        execute_at_once=3,
        execute_seconds_per_day=60,
        execute_limits={"cpus": 0.5},
        warm_programs=3,
    )
    service = settings.build()
    service.close()
    executions = service.executions
    assert executions.bounds == ExecutionBounds(5, 3000, 4096)
    assert executions.quota == ExecutionQuota(7, 3, 60)
    limits = executions.limits
    assert (limits.memory_mb, limits.cpus, limits.pids, limits.disk_mb) == (3000, 0.5, 64, 64)
    assert executions.pool == PoolStatus(0, 3)


class OwnSandbox:
    """A sandbox of someone else's: it takes none of our settings."""


@pytest.mark.parametrize(("settings", "size"), [({}, 3), ({"examiners_idle": 0}, 0)])
def test_as_many_examiners_are_kept_as_submissions_are_graded_at_once(
    tmp_path: Path, settings: dict[str, object], size: int
) -> None:
    service = PPOService(data_dir=str(tmp_path), grading_workers=3, **settings).build()
    try:
        assert service.examiners.status() == PoolStatus(0, size)
    finally:
        service.close()


def test_a_sandbox_of_someone_elses_is_made_without_our_settings(tmp_path: Path) -> None:
    service = PPOService(data_dir=str(tmp_path), sandbox_class=OwnSandbox).build()
    service.close()
    assert isinstance(service.sandbox, OwnSandbox)


class Order:
    """What keeps containers; notes when it is started and closed. What runs is ended by closing."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = threading.Event()
        self.running = threading.Event()

    def start(self) -> None:
        self.seen.append("start")

    def close(self) -> None:
        self.seen.append("close")
        self.closed.set()

    def status(self) -> PoolStatus:
        return PoolStatus(0, 0)

    def run(self, programs: object, limits: object, seconds: float, stop: object = None) -> object:
        self.running.set()
        assert self.closed.wait(60)
        msg = "The container was lost while a program ran."
        raise SandboxError(msg, seconds=1)


NOTHING_READY = {"grading_workers": 0, "warm_kernels": 0, "warm_heavy_kernels": 0}


def test_containers_are_kept_ready_only_between_start_and_stop(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path / "data"), programs_class=Order, **NOTHING_READY)
    service = settings.build()
    assert isinstance(service.programs, Order)
    assert service.programs.seen == []
    service.start()
    assert service.programs.seen == ["start"]
    service.stop()
    assert service.programs.seen == ["start", "close"]


@pytest.mark.parametrize("stop", [Service.stop, Service.close])
def test_who_waits_for_a_program_of_a_stopping_server_is_told_so(
    tmp_path: Path, stop: Callable[[Service], None]
) -> None:
    settings = PPOService(
        data_dir=str(tmp_path / "data"), programs_class=Order, execute_slots=1, **NOTHING_READY
    )
    service = settings.build()
    assert isinstance(service.programs, Order)
    futures = []
    for user in ("ada", "bob"):
        request = ExecutionRequest("x", timeout_seconds=30, memory_mb=256)
        futures.append(service.executions.submit(Caller(user), request))
        assert service.programs.running.wait(60)
    stop(service)
    for future in futures:
        error = future.exception(0)
        assert isinstance(error, BusyError)
        assert "stopping" in error.message
    again = settings.build()
    for user in ("ada", "bob"):
        [left] = again.executions.history(Caller(user), offset=0, limit=9).items
        assert (left.state, left.seconds) == (ExecutionState.FAILED, 0)
    again.close()


def test_what_a_killed_process_left_locks_nobody_out(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path), programs_class=Order, **NOTHING_READY)
    program = (
        "import os, sys\n"
        "from jupyter_ppo.domain.execution import ExecutionQuota, ExecutionRequest\n"
        "from jupyter_ppo.wiring import PPOService\n"
        "store = PPOService(data_dir=sys.argv[1]).build().executions._executions\n"
        "for _ in range(2):\n"
        "    store.admit('ada', ExecutionRequest('x', 300, 256), ExecutionQuota())\n"
        "os._exit(9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=False, timeout=120
    )
    assert killed.returncode == 9
    ada, service = Caller("ada"), settings.build()
    try:
        assert service.executions.left(ada).at_once == 0
        service.start()
        assert service.executions.left(ada).at_once == 2
        items = service.executions.history(ada, offset=0, limit=9).items
        assert [(item.state, item.seconds) for item in items] == [(ExecutionState.FAILED, 0)] * 2
    finally:
        service.stop()


def test_containers_serve_several_submissions_only_where_the_admin_says_so(tmp_path: Path) -> None:
    for number, has_slots in ((1, False), (5, True)):
        settings = PPOService(
            data_dir=str(tmp_path), submissions_per_container=number, **NOTHING_READY
        )
        service = settings.build()
        assert (service.slots is not None) is has_slots
        service.stop()


class ElsewherePlace:
    """A place for workers that a setting names."""

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> None:
        raise AssertionError

    def close(self) -> None:
        """Nothing is kept."""


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, ProcessPlace),
        ({"identity": "provider"}, ContainerPlace),
        ({"training_place": "container", "training_limits": {"memory_mb": 4096}}, ContainerPlace),
        ({"identity": "provider", "training_place_class": ElsewherePlace}, ElsewherePlace),
    ],
)
def test_other_people_s_runs_are_trained_in_the_sandbox(
    tmp_path: Path, settings: dict[str, object], place: type
) -> None:
    service = PPOService(data_dir=str(tmp_path), **settings).build()
    service.close()
    assert type(service.training_place) is place


def test_other_people_s_runs_beside_the_server_are_refused(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path), identity="provider", training_place="process")
    with pytest.raises(TraitError, match="would let everyone who signs in run code"):
        settings.build()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"training_quota": {"runnig": 1}}, "training_quota: 'runnig' is not a quota; there are"),
        ({"training_quota": {"running": 0}}, "running: 0 is not a whole number above 0"),
        ({"training_quota": {"running": 1.5}}, "running: 1.5 is not a whole number"),
        ({"training_quota": {"disk_mb": True}}, "disk_mb: True is not a whole number"),
        ({"training_quota": {"wall_seconds": "1"}}, "wall_seconds: '1' is not a number"),
        ({"training_limits": {"memory": 1}}, "training_limits: 'memory' is not a limit;"),
        ({"training_workers": -1}, "training_workers"),
        ({"training_place": "moon"}, "training_place"),
    ],
)
def test_a_setting_of_training_that_cannot_be_is_named(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(TraitError) as caught:
        PPOService(**settings)
    assert words in str(caught.value)


def test_a_quota_of_training_is_what_the_settings_say(tmp_path: Path) -> None:
    quota = {"running": 1, "wall_seconds": 60}
    service = PPOService(data_dir=str(tmp_path), training_quota=quota).build()
    service.close()
    assert service.use_cases.training.quota == TrainingQuota(running=1, wall_seconds=60)
