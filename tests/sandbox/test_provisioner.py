"""A person's own kernel: the kernelspec as it is shipped, through Jupyter's manager and client."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from jupyter_ppo.sandbox.provisioner import ContainerProvisioner

KERNELS = Path(__file__).parents[2] / "jupyter-config" / "kernels"


def test_the_kernelspec_names_our_provisioner() -> None:
    spec = json.loads((KERNELS / "ppo-sandbox" / "kernel.json").read_text())
    assert spec["display_name"] == "Python 3 (PPO sandbox)"
    assert spec["metadata"]["kernel_provisioner"]["provisioner_name"] == "ppo-sandbox"


def manager_of(**limits: int) -> AsyncKernelManager:
    specs = KernelSpecManager(kernel_dirs=[str(KERNELS)], ensure_native_kernel=False)
    config = Config({"ContainerProvisioner": {"limits": limits}})
    return AsyncKernelManager(kernel_name="ppo-sandbox", kernel_spec_manager=specs, config=config)


async def value_of(client: Any, expression: str) -> str:
    reply = await client.execute("", user_expressions={"value": expression}, reply=True, timeout=60)
    return str(reply["content"]["user_expressions"]["value"]["data"]["text/plain"])


@pytest.mark.docker
@pytest.mark.image
def test_a_kernel_starts_is_interrupted_restarted_and_shut_down(
    own_containers: Callable[[], list[str]],
    open_things: Callable[[], tuple[int, int, int]],
) -> None:
    async def use() -> None:
        manager = manager_of()
        await manager.start_kernel()
        assert isinstance(manager.provisioner, ContainerProvisioner)
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            assert await value_of(client, "__import__('os').getuid()") == "10001"

            # A kernel that stops on errors answers "aborted" to what comes right after one.
            endless = "kept = 1\nprint('here', flush=True)\nwhile True: pass"
            request = client.execute(endless, stop_on_error=False)
            while (await client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
                pass
            await manager.interrupt_kernel()
            reply = await client.get_shell_msg(timeout=60)
            while reply["parent_header"]["msg_id"] != request:
                reply = await client.get_shell_msg(timeout=60)
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await value_of(client, "kept") == "1"

            await manager.restart_kernel(now=True)
            await client.wait_for_ready(timeout=60)
            assert await value_of(client, "'kept' in globals()") == "False"
            assert await manager.is_alive()
        finally:
            client.stop_channels()
            await manager.shutdown_kernel()
        assert not await manager.is_alive()

    asyncio.run(use())
    assert own_containers() == []
    assert open_things()[2] == 0


@pytest.mark.docker
@pytest.mark.image
def test_a_kernel_out_of_memory_says_so_in_the_cell_that_ran(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def use() -> str:
        manager = manager_of(memory_mb=256)
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            request = client.execute("kept = [bytearray(2**20) for _ in range(10_000)]")
            while True:
                message = await client.get_iopub_msg(timeout=120)
                is_ours = message["parent_header"].get("msg_id") == request
                if is_ours and message["msg_type"] == "stream":
                    return str(message["content"]["text"])
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    said = "The kernel used more than 256 MiB of memory and was ended (limit memory_mb)."
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(use()) == f"\n{said}\n"
    assert "A kernel has ended: memory, code -9" in caplog.text
