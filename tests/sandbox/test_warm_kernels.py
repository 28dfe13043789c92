"""Kernels that wait in real containers, and what a notebook gets of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import NotebookRun, PoolStatus, SandboxLimits, Verdict
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.kernels import GradingKernelManager
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.provisioner import use_kernels
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd
from jupyter_ppo.sandbox.warm_kernels import KernelPools, WarmKernel, imported_modules

MakeNotebook = Callable[..., dict[str, Any]]
Listed = Callable[[], list[str]]
Eventually = Callable[[Callable[[], bool], str], None]
KERNELS = Path(__file__).parents[2] / "jupyter-config" / "kernels"
LIMITS = SandboxLimits(memory_mb=512, cell_seconds=100)

#: Says what a kernel had imported before the notebook's first cell.
LOADED = "import sys; print([name for name in ('numpy', 'torch') if name in sys.modules])"


# -- without an engine ---------------------------------------------------------------------------


def test_imports_are_found_in_lines_of_code() -> None:
    source = (
        "import numpy as np, torch.nn as nn\n"
        "if True:\n\tfrom stable_baselines3.common import policies, utils\n"
        "imports = 'import os'\n"
        "from . import x\n"
        "%pip install gymnasium\n"
        "    import  gymnasium ; print(1)\n"
        "import (\n"
    )
    assert imported_modules([source, "import b", "from __future__ import annotations"]) == {
        "numpy",
        "torch.nn",
        "stable_baselines3.common",
        ".",
        "gymnasium",
        "b",
        "__future__",
    }


@given(st.lists(st.text(alphabet="import from.,\t\nx=#'\\"), max_size=3))
def test_any_text_is_searched_for_imports(sources: list[str]) -> None:
    for name in imported_modules(sources):
        assert name
        assert not set(name) & set(" ,\t\n")


def test_a_long_line_of_blanks_is_searched_in_one_go() -> None:
    many = 200_000
    assert imported_modules([" " * many, "import" + " " * many, "\n" * many]) == frozenset()
    assert len(imported_modules(["import " + ",".join(f"m{n}" for n in range(many))])) == many


def test_nothing_waits_before_the_start_and_nothing_is_taken() -> None:
    pools = KernelPools(LIMITS, light=2, heavy=1, base_url="unix:///nowhere")
    assert pools.status() == PoolStatus(ready=0, size=3)
    assert pools.take(LIMITS, {"torch"}) is None
    pools.close()


# -- in containers -------------------------------------------------------------------------------


class LosingPools(KernelPools):
    """Pools whose kernels end between being taken and being asked."""

    lost = 0

    def take(self, limits: SandboxLimits, modules: Iterable[str] = ()) -> WarmKernel | None:
        warm = super().take(limits, modules)
        if warm is not None:
            self.lost += 1
            warm.kernel.end(KernelEnd(Cause.LOST, -9))
        return warm


MakePools = Callable[..., KernelPools]


@pytest.fixture
def make_pools(eventually: Eventually, own_containers: Listed) -> Iterator[MakePools]:
    """Make pools that are full; afterwards no container is left of them."""
    made: list[KernelPools] = []

    def make(
        kind: type[KernelPools] = KernelPools,
        *,
        light: int = 0,
        heavy: int = 0,
        limits: SandboxLimits = LIMITS,
    ) -> KernelPools:
        pools = kind(limits, light=light, heavy=heavy)
        made.append(pools)
        pools.start()
        eventually(lambda: pools.status().ready == light + heavy, "the pools were not filled")
        return pools

    yield make
    for pools in made:
        pools.close()
    assert own_containers() == []


def run_with(pools: KernelPools, notebook: dict[str, Any], limits: SandboxLimits) -> NotebookRun:
    return asyncio.run(ContainerSandbox(kernels=pools).run(notebook, limits))


def text_of(result: NotebookRun, index: int) -> str:
    outputs = result.notebook["cells"][index]["outputs"]
    return "".join(shown["text"] for shown in outputs if shown["output_type"] == "stream")


@pytest.mark.docker
@pytest.mark.image
def test_a_notebook_gets_a_waiting_kernel_as_if_it_were_new(
    make_pools: MakePools,
    notebook_of: MakeNotebook,
    engine: Engine,
    own_containers: Listed,
    eventually: Eventually,
) -> None:
    pools = make_pools(light=1, heavy=1)
    waiting = own_containers()
    labelled = engine.api.containers(filters={"label": f"{owner.LABEL}={owner.own_token()}"})
    assert len(labelled) == 2
    assert not any(owner.is_orphan(found["Labels"][owner.LABEL]) for found in labelled)
    notebook = notebook_of(
        LOADED,
        "import os\nprint(os.environ['NBGRADER_EXECUTION'], len(In), Out, _, __)\n"
        "print(os.listdir('/home/student'), os.path.exists('/tmp/left'))\n"
        "open('/tmp/left', 'w').close()",
        "6 * 7",
    )

    def as_seen(result: NotebookRun) -> list[str]:
        assert result.verdict is Verdict.RAN, result.detail
        assert result.notebook["cells"][2]["outputs"][0]["execution_count"] == 3
        return [text_of(result, 0), text_of(result, 1)]

    first = as_seen(run_with(pools, notebook, LIMITS))
    assert len(set(waiting) & set(own_containers())) == 1, "the container that was used is there"
    eventually(lambda: pools.status().ready == 2, "what was taken was not replaced")
    second = as_seen(run_with(pools, notebook, LIMITS))
    cold = as_seen(run_with(KernelPools(LIMITS, light=0, heavy=0), notebook, LIMITS))
    assert first == second == ["['numpy']\n", cold[1]]
    assert cold[0] == "[]\n"
    heavy = run_with(pools, notebook_of(LOADED, "import stable_baselines3"), LIMITS)
    assert text_of(heavy, 0) == "['numpy', 'torch']\n"


@pytest.mark.docker
@pytest.mark.image
def test_the_limits_of_a_run_hold_in_a_waiting_kernel(
    make_pools: MakePools, notebook_of: MakeNotebook, eventually: Eventually
) -> None:
    pools = make_pools(light=1)
    slow = notebook_of(LOADED, "while True: pass")
    result = run_with(pools, slow, SandboxLimits(memory_mb=512, cell_seconds=1))
    assert result.verdict is Verdict.CELL_TIMEOUT
    assert text_of(result, 0) == "['numpy']\n"
    eventually(lambda: pools.status().ready == 1, "what was taken was not replaced")
    loud = notebook_of(LOADED, "while True: print('x' * 1000, flush=True)")
    result = run_with(pools, loud, SandboxLimits(memory_mb=512, cell_seconds=100, outputs=20))
    assert result.verdict is Verdict.OUTPUT_LIMIT
    assert text_of(result, 0) == "['numpy']\n"
    assert [hit.name for hit in result.limits_hit] == ["outputs"]
    eventually(lambda: pools.status().ready == 1, "what was taken was not replaced")
    other = SandboxLimits(memory_mb=511, cell_seconds=100)
    assert text_of(run_with(pools, notebook_of(LOADED), other), 0) == "[]\n"
    assert pools.status().ready == 1, "a container with other limits was taken"


@pytest.mark.docker
@pytest.mark.image
def test_a_waiting_kernel_that_is_lost_is_no_fault_of_the_notebook(
    make_pools: MakePools, notebook_of: MakeNotebook
) -> None:
    pools = make_pools(LosingPools, light=1)
    result = run_with(pools, notebook_of(LOADED), LIMITS)
    assert result.verdict is Verdict.RAN, result.detail
    assert text_of(result, 0) == "[]\n"
    assert isinstance(pools, LosingPools)
    assert pools.lost == 1


@pytest.mark.docker
@pytest.mark.image
def test_the_containers_own_clock_begins_when_it_is_taken(own_containers: Listed) -> None:
    warm = WarmKernel.start(LIMITS)
    try:
        assert warm.is_alive
        warm.kernel.adopt(seconds=0.5, bounds=Bounds())
        assert warm.kernel.relay.ended.result(120).cause is Cause.WALL
        assert not warm.is_alive
    finally:
        warm.close()
        warm.close()
    assert own_containers() == []
    assert not warm.folder.path.exists()


@pytest.mark.docker
@pytest.mark.image
def test_a_persons_own_kernel_is_one_that_waited_and_can_be_restarted(
    make_pools: MakePools, open_things: Callable[[], tuple[int, int, int]]
) -> None:
    pools = make_pools(light=1, limits=SandboxLimits())

    async def value_of(client: Any, expression: str) -> str:
        reply = await client.execute(
            "", user_expressions={"value": expression}, reply=True, timeout=60
        )
        return str(reply["content"]["user_expressions"]["value"]["data"]["text/plain"])

    async def use() -> None:
        specs = KernelSpecManager(kernel_dirs=[str(KERNELS)], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name="ppo-sandbox", kernel_spec_manager=specs)
        loaded = "'numpy' in __import__('sys').modules"
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            assert await value_of(client, loaded) == "True"
            await client.execute("kept = 1", reply=True, timeout=60)
            await manager.restart_kernel(now=True)
            await client.wait_for_ready(timeout=60)
            assert await value_of(client, "'kept' in globals()") == "False"
            assert await value_of(client, loaded) == "False"
            assert await manager.is_alive()
        finally:
            client.stop_channels()
            await manager.shutdown_kernel()

    use_kernels(pools)
    try:
        asyncio.run(use())
    finally:
        use_kernels(None)
    pools.close()
    assert open_things()[2] == 0


@pytest.mark.docker
@pytest.mark.image
def test_a_kernel_is_taken_only_at_the_engine_that_was_asked_for(
    make_pools: MakePools, notebook_of: MakeNotebook, engine: Engine
) -> None:
    pools = make_pools(light=1)
    other = ContainerSandbox(base_url=engine.base_url, kernels=pools)
    result = asyncio.run(other.run(notebook_of(LOADED), LIMITS))
    assert text_of(result, 0) == "[]\n"
    assert pools.status().ready == 1


@pytest.mark.docker
@pytest.mark.image
def test_a_kernel_that_was_taken_for_a_launch_that_fails_is_closed(
    make_pools: MakePools,
    own_containers: Listed,
    open_things: Callable[[], tuple[int, int, int]],
    eventually: Eventually,
    tmp_path: Path,
) -> None:
    pools = make_pools(light=1)
    (waiting,) = own_containers()
    manager = GradingKernelManager(LIMITS, pools=pools)
    manager.connection_file = str(tmp_path / "missing" / "connection.json")
    with pytest.raises(OSError, match="missing"):
        asyncio.run(manager.start())
    assert waiting not in own_containers()
    eventually(lambda: pools.status().ready == 1, "what was taken was not replaced")
    assert open_things()[2] == 1, "the folder of the one that was taken is left"


@pytest.mark.docker
@pytest.mark.image
def test_closing_does_not_wait_for_a_kernel_that_starts(
    own_containers: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting, ends = threading.Event(), []

    def wait_until_ended(warm: WarmKernel) -> None:
        starting.set()
        ends.append(warm.kernel.relay.ended.result(120).cause)
        msg = "made to fail"
        raise SandboxError(msg)

    monkeypatch.setattr(WarmKernel, "_wait_until_idle", wait_until_ended)
    pools = KernelPools(LIMITS, light=1, heavy=0)
    pools.start()
    assert starting.wait(120)
    pools.close()
    assert ends == [Cause.STOPPED]
    assert own_containers() == []
