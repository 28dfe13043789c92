"""One run of a notebook in the sandbox that can be cancelled from another thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.ports import Sandbox
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits
from jupyter_ppo.jobs.local import Cancelled

_LOOK_FOR_CANCEL_SECONDS = 0.1


def run_notebook(
    sandbox: Sandbox,
    notebook: dict[str, Any],
    limits: SandboxLimits,
    exam: Exam | None,
    cancel: threading.Event,
) -> NotebookRun:
    """Run it and return when its containers are gone.

    Raises ``Cancelled`` soon after ``cancel`` is set, and what the sandbox raises.
    """
    return asyncio.run(_run(sandbox, notebook, limits, exam, cancel))


async def _run(
    sandbox: Sandbox,
    notebook: dict[str, Any],
    limits: SandboxLimits,
    exam: Exam | None,
    cancel: threading.Event,
) -> NotebookRun:
    running = asyncio.ensure_future(sandbox.run(notebook, limits, exam))
    try:
        while not cancel.is_set():
            done, _ = await asyncio.wait({running}, timeout=_LOOK_FOR_CANCEL_SECONDS)
            if done:
                return running.result()
    finally:
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    raise Cancelled
