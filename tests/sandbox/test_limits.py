from __future__ import annotations

import docker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.sandbox import LimitHit, SandboxLimits
from jupyter_ppo.sandbox.limits import (
    ENVIRONMENT,
    HOME,
    host_config,
    limit_behind,
    writable_folders,
)


@pytest.fixture
def config() -> dict[str, object]:
    # A client with a fixed version opens no connection until it is asked something.
    api = docker.APIClient(base_url="unix:///nowhere", version="1.41")
    try:
        limits = SandboxLimits(memory_mb=100, cpus=0.5, pids=33, file_mb=3, open_files=77)
        return host_config(api, limits)
    finally:
        api.close()


def test_a_container_has_no_way_out(config: dict[str, object]) -> None:
    assert config["NetworkMode"] == "none"
    assert config["ReadonlyRootfs"] is True
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["IpcMode"] == "none"
    assert not config.get("Binds")
    assert not config.get("Privileged")


def test_every_limit_reaches_the_engine(config: dict[str, object]) -> None:
    assert config["Memory"] == config["MemorySwap"] == 100 * 2**20
    assert config["NanoCpus"] == 500_000_000
    assert config["PidsLimit"] == 33
    ulimits = {limit["Name"]: limit["Hard"] for limit in config["Ulimits"]}  # type: ignore[attr-defined]
    assert ulimits["nofile"] == 77
    assert ulimits["fsize"] == 3 * 2**20
    assert ulimits["core"] == ulimits["msgqueue"] == ulimits["memlock"] == 0


def test_output_never_reaches_the_hosts_disk(config: dict[str, object]) -> None:
    assert config["LogConfig"] == {"Type": "none", "Config": {}}


def test_writable_folders_are_bounded_together_and_run_nothing() -> None:
    folders = writable_folders(SandboxLimits(disk_mb=7, inodes=101))
    assert set(folders) == {"/tmp", "/dev/shm", HOME}
    sizes, inodes = [], []
    for options in folders.values():
        assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
        values = dict(part.split("=") for part in options.split(",") if "=" in part)
        sizes.append(int(values["size"]))
        inodes.append(int(values["nr_inodes"]))
    assert 0.99 * 7 * 2**20 <= sum(sizes) <= 7 * 2**20
    assert 98 <= sum(inodes) <= 101
    assert min(sizes) > 2**20
    assert min(inodes) > 20


def test_the_environment_holds_nothing_of_the_servers() -> None:
    assert ENVIRONMENT["HOME"] == HOME
    assert not {"DOCKER_HOST", "JUPYTER_TOKEN", "PYTHONPATH"} & set(ENVIRONMENT)


@pytest.mark.parametrize(
    ("error_type", "message", "name"),
    [
        ("OSError", "[Errno 28] No space left on device", "disk_mb"),
        ("OSError", "[Errno 28] No space left on device: 'a' -> 'b'", "disk_mb"),
        ("OSError", "[Errno 28] No space left on device: '/tmp/f'", "inodes"),
        ("OSError", '[Errno 28] No space left on device: "/tmp/it\'s"', "inodes"),
        ("OSError", "[Errno 27] File too large", "file_mb"),
        ("OSError", "[Errno 24] Too many open files: '/dev/null'", "open_files"),
        ("OSError", "[Errno 12] Cannot allocate memory", "memory_mb"),
        ("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "pids"),
        ("RuntimeError", "can't start new thread", "pids"),
        ("MemoryError", "", "memory_mb"),
        ("RuntimeError", "[x] DefaultCPUAllocator: can't allocate memory: 9 bytes", "memory_mb"),
    ],
)
def test_an_error_tells_the_limit_behind_it(error_type: str, message: str, name: str) -> None:
    limits = SandboxLimits()
    hit = limit_behind(error_type, message, limits)
    assert hit == LimitHit(name, getattr(limits, name))


@pytest.mark.parametrize(
    ("error_type", "message"),
    [
        ("ValueError", "[Errno 28] No space left on device"),
        ("OSError", "the disk is full: [Errno 28]"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'x'"),
        ("OSError", "[Errno 11] Resource temporarily unavailable"),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied"),
        ("AssertionError", ""),
    ],
)
def test_any_other_error_is_behind_no_limit(error_type: str, message: str) -> None:
    assert limit_behind(error_type, message, SandboxLimits()) is None


@given(
    st.sampled_from(["OSError", "BlockingIOError", "RuntimeError", "MemoryError", "x"]),
    st.one_of(st.text(), st.from_regex(r"\[Errno [0-9\u0660-\u0669]*\] .*")),
)
def test_any_made_up_error_is_looked_at_without_harm(error_type: str, message: str) -> None:
    hit = limit_behind(error_type, message, SandboxLimits())
    assert hit is None or hit.value == getattr(SandboxLimits(), hit.name)
