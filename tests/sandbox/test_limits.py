from __future__ import annotations

import docker
import pytest

from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.limits import ENVIRONMENT, HOME, host_config, writable_folders


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


def test_writable_folders_are_bounded_and_run_nothing() -> None:
    folders = writable_folders(SandboxLimits(disk_mb=5, inodes=99))
    assert set(folders) == {"/tmp", "/dev/shm", HOME}
    for options in folders.values():
        assert {"noexec", "nosuid", "nodev", f"size={5 * 2**20}", "nr_inodes=99"} <= set(
            options.split(",")
        )


def test_the_environment_holds_nothing_of_the_servers() -> None:
    assert ENVIRONMENT["HOME"] == HOME
    assert not {"DOCKER_HOST", "JUPYTER_TOKEN", "PYTHONPATH"} & set(ENVIRONMENT)
