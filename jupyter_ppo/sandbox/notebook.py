"""The sandbox as the use cases see it: a notebook goes in, a notebook and a verdict come out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

import nbformat

from jupyter_ppo.domain.errors import EngineUnavailableError, PPOError, SandboxError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.sandbox import (
    BOUNDS,
    CellRun,
    LimitHit,
    NotebookRun,
    SandboxLimits,
    SandboxStatus,
    Verdict,
)
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.frames import MAX_FRAME
from jupyter_ppo.sandbox.image import image_present, image_tag
from jupyter_ppo.sandbox.inside.examining import ENVIRONMENT
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.kernels import GradingKernelManager
from jupyter_ppo.sandbox.limits import limit_behind
from jupyter_ppo.sandbox.notebook_execution import NotebookExecution, RunEnded
from jupyter_ppo.sandbox.relay import Bounds
from jupyter_ppo.sandbox.sealed_run import SealedRun
from jupyter_ppo.sandbox.warm_kernels import KernelPools, imported_modules

#: Tags by which a notebook would tell nbclient to skip a cell or to expect its error.
_FORBIDDEN_TAGS: Final = frozenset({"skip-execution", "raises-exception"})
#: How much longer the container's own clock runs, in seconds; it is for a server that hangs.
_GRACE_SECONDS: Final = 15.0
_BUILD: Final = "Run: jupyter ppo image build"

_log = logging.getLogger(__name__)


class ContainerSandbox:
    """Runs notebooks in containers; implements ``domain.ports.Sandbox``.

    ``base_url`` is the container engine's address; None finds it. ``kernels`` are waiting ones to
    be taken where they fit; whoever made them starts and closes them. With ``slots`` the kernels
    come from there alone, and a container may serve several runs, one after another. ``examiners``
    serve exams; without any, each exam has a container that is closed with it. Whoever made slots
    and examiners closes them. Holds nothing else between runs, and may be used by several threads
    at once, each with an event loop of its own.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        kernels: KernelPools | None = None,
        examiners: Examiners | None = None,
        slots: KernelSlots | None = None,
    ) -> None:
        self._base_url = base_url
        self._slots = slots
        self._kernels = kernels if slots is None else None
        self._examiners = examiners or Examiners(base_url, idle=0)

    def status(self) -> SandboxStatus:
        """Say whether an engine answers and the image is built; never raises."""
        engine_version: str | None = None
        try:
            with Engine.connect(self._base_url) as engine:
                engine_version = engine.version()
                engine.require_limits()
                tag = image_tag()
                if image_present(engine):
                    return SandboxStatus(True, engine_version, tag, None, None)
                problem = f"The sandbox image {tag} is not built."
                return SandboxStatus(False, engine_version, tag, problem, _BUILD)
        except PPOError as error:
            problem, _, remedy = error.message.partition(". ")
            return SandboxStatus(
                False, engine_version, None, f"{problem.rstrip('.')}.", remedy or None
            )
        except Exception as error:
            problem = f"The container engine failed: {error}"
            return SandboxStatus(False, engine_version, None, problem, "Look at the engine's log.")

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        """Run every code cell in a fresh container that is ended when this returns or raises.

        With slots it is the kernel that is fresh, and ended then. A fresh container is also removed
        by then; should the engine fail to, that is logged and the result stands. The given notebook
        is not changed. Its outputs, kernel and the tags that steer execution are ignored. One with
        more code cells than allowed is not run. The test cells of ``exam`` are run by an examiner,
        and nothing of them gets to the notebook's kernel. Raises ``EngineUnavailableError``,
        ``ImageMissingError`` or ``SandboxError``.
        """
        prepared = prepare(notebook)
        code_cells = [
            index for index, cell in enumerate(prepared.cells) if cell.cell_type == "code"
        ]
        if len(code_cells) > limits.cells:
            return _too_many_cells(prepared, code_cells, limits, exam)
        tests = exam.tests if exam is not None else frozenset()
        modules = imported_modules(
            prepared.cells[index].source for index in code_cells if index not in tests
        )
        manager = self._manager(limits, len(prepared.cells), self._kernels, modules)
        try:
            return await self._run(prepared, manager, limits, exam)
        except SandboxError as error:
            if not manager.provisioner.is_adopted or manager.has_answered:
                raise
            _log.warning("A kernel that was started in advance was lost: %s", error.message)
        return await self._run(prepared, self._manager(limits, len(prepared.cells)), limits, exam)

    async def _run(
        self,
        prepared: nbformat.NotebookNode,
        manager: GradingKernelManager,
        limits: SandboxLimits,
        exam: Exam | None,
    ) -> NotebookRun:
        """Run the cells on a kernel of this manager, and close it."""
        began = time.monotonic()
        deadline = began + limits.wall_seconds
        sealed = None
        if exam is not None and exam.tests:
            sealed = SealedRun(exam, self._examiners, limits.cell_seconds, deadline)
        try:
            verdict, detail, cells, limit = await _run_cells(
                prepared, manager, limits, deadline, sealed
            )
        except Exception as error:
            failure = await _close(manager, sealed)
            # An engine that went away is why the rest failed, and no fault of this notebook.
            if isinstance(failure, EngineUnavailableError):
                raise failure from error
            raise
        except BaseException:
            await _close(manager, sealed)
            raise
        await _close(manager, sealed)
        checks = sealed.checks if sealed is not None else ()
        shown = _limits_shown(prepared, checks, limits)
        if verdict is Verdict.RAN:
            detail += "".join(
                f" Cell {index + 1} met the limit {_with_figure(hit)}." for index, hit in shown
            )
        ended = [] if limit is None else [LimitHit(limit, getattr(limits, limit))]
        return NotebookRun(
            notebook=_plain(prepared),
            verdict=verdict,
            detail=detail,
            cells=cells,
            wall_seconds=time.monotonic() - began,
            limits_hit=tuple(dict.fromkeys([*ended, *(hit for _, hit in shown)])),
            checks=checks,
        )

    def _manager(
        self,
        limits: SandboxLimits,
        cells: int,
        pools: KernelPools | None = None,
        modules: frozenset[str] = frozenset(),
    ) -> GradingKernelManager:
        return GradingKernelManager(
            limits,
            base_url=self._base_url,
            lifetime=limits.wall_seconds + _GRACE_SECONDS,
            environment=dict(ENVIRONMENT),
            bounds=bounds_of(limits, cells),
            pools=pools,
            slots=self._slots,
            modules=modules,
        )


async def _run_cells(
    notebook: nbformat.NotebookNode,
    manager: GradingKernelManager,
    limits: SandboxLimits,
    deadline: float,
    sealed: SealedRun | None,
) -> tuple[Verdict, str, tuple[CellRun, ...], str | None]:
    """Start kernel and examiner and run the cells; neither is closed, whatever happens.

    The last of what is returned is the name of the limit that ended the run.
    """
    try:
        if sealed is not None:
            sealed.begin()
        await manager.start()
        if sealed is not None:
            await sealed.meet(manager.provisioner.relay)
        execution = NotebookExecution(notebook, manager, limits, deadline, sealed)
        verdict, limit = Verdict.RAN, None
        detail = f"All {len(execution.code_cells)} code cells were run."
        try:
            await execution.run_cells()
        except RunEnded as ended:
            verdict, detail, limit = ended.verdict, ended.detail, ended.limit
        return verdict, detail, tuple(execution.cells.values()), limit
    except PPOError:
        raise
    except Exception as error:
        msg = f"The sandbox failed: {type(error).__name__}: {error}"
        raise SandboxError(msg) from error


def _limits_shown(
    notebook: nbformat.NotebookNode, checks: Sequence[CheckRun], limits: SandboxLimits
) -> list[tuple[int, LimitHit]]:
    """Return the limits behind errors that cells show, each with the first such cell's index."""
    found: dict[str, tuple[int, LimitHit]] = {}
    for check in checks:
        if check.state is CheckState.TIMEOUT:
            timeout = LimitHit("cell_seconds", limits.cell_seconds)
            found.setdefault(timeout.name, (check.index, timeout))
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                hit = limit_behind(output.ename, output.evalue, limits)
                if hit is not None:
                    found.setdefault(hit.name, (index, hit))
    return list(found.values())


def _with_figure(hit: LimitHit) -> str:
    return f"{hit.name} ({hit.value:.12g} {BOUNDS[hit.name]['unit']})"


def _too_many_cells(
    notebook: nbformat.NotebookNode,
    code_cells: Sequence[int],
    limits: SandboxLimits,
    exam: Exam | None,
) -> NotebookRun:
    count, allowed = len(code_cells), limits.cells
    return NotebookRun(
        notebook=_plain(notebook),
        verdict=Verdict.NOT_RUN,
        detail=f"The notebook has {count} code cells; {allowed} are allowed (limit cells).",
        cells=tuple(CellRun(index, finished=False, seconds=0.0) for index in code_cells),
        wall_seconds=0.0,
        limits_hit=(LimitHit("cells", allowed),),
        checks=tuple(
            CheckRun(index, CheckState.NOT_RUN) for index in sorted(exam.tests if exam else ())
        ),
    )


async def _close(manager: GradingKernelManager, sealed: SealedRun | None) -> Exception | None:
    """Clean up after a run; log and return what went wrong, for it changes no verdict.

    Without its stream the container ends all the same, and the engine removes it by itself.
    """
    examiner = None if sealed is None else asyncio.ensure_future(sealed.close())
    try:
        await manager.close()
    except Exception as error:
        _log.warning("A sandbox container was perhaps not removed: %s", error)
        return error
    finally:
        if examiner is not None:
            await examiner
    return None


def prepare(notebook: dict[str, Any]) -> nbformat.NotebookNode:
    """Return a copy without outputs and without anything that steers how it is run."""
    copy = nbformat.from_dict(notebook)
    for name in ("kernelspec", "widgets"):
        copy.metadata.pop(name, None)
    for cell in copy.cells:
        tags = cell.metadata.get("tags")
        if isinstance(tags, list):
            cell.metadata["tags"] = [tag for tag in tags if tag not in _FORBIDDEN_TAGS]
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            if isinstance(cell.source, list):
                cell.source = "".join(cell.source)
    return copy


def bounds_of(limits: SandboxLimits, cells: int) -> Bounds:
    """Return the relay's bounds: wider than the limits, which are counted on the outputs alone.

    They stop a flood of messages that are no outputs, and before anything is parsed.
    """
    return Bounds(
        total_bytes=4 * limits.output_bytes + 16 * 2**20,
        messages=6 * limits.outputs + 40 * (cells + 10),
        message_bytes=min(2 * limits.output_bytes + 2**20, MAX_FRAME - 2**16),
        mark_end=True,
    )


def _plain(value: Any) -> Any:
    """Return nbformat's dicts as plain dicts."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
