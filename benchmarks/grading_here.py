"""Grades a class as the service does, without its database: what the benchmarks measure."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import Sealing, SealState
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.warm_kernels import KernelPools


class Sealed:
    """Grades a class with examiners, ``at_once`` submissions at a time.

    A container serves ``per_container`` of them.
    """

    def __init__(
        self,
        source: bytes,
        submissions: list[bytes],
        at_once: int = 2,
        *,
        pool: int = 0,
        per_container: int = 1,
    ) -> None:
        self._source = source
        self._submissions = submissions
        self._at_once = at_once
        self._grader = NotebookGrader()
        self._released = self._grader.release(source)
        self._examiners = Examiners(idle=at_once)
        self._kernels = KernelPools(SandboxLimits(), light=0, heavy=pool)
        self._slots = KernelSlots(per_container, idle=at_once) if per_container > 1 else None
        self._sandbox = ContainerSandbox(
            kernels=self._kernels, examiners=self._examiners, slots=self._slots
        )
        self._sealing = self._calibrated()
        self._kernels.start()
        self.points: list[float] = []

    def __call__(self) -> None:
        with ThreadPoolExecutor(self._at_once) as pool:
            self.points = list(pool.map(self._grade, self._submissions))

    def close(self) -> None:
        """End what waits."""
        self._kernels.close()
        self._examiners.close()
        if self._slots is not None:
            self._slots.close()

    def is_sealed(self) -> bool:
        """Return whether every test runs in the examiner."""
        return all(state is SealState.SEALED for state in self._sealing.states.values())

    def _calibrated(self) -> Sealing:
        notebook = self._grader.restore(self._source, self._source)
        exam = self._grader.exam(self._source, notebook, None)
        run = NotebookRun(notebook, Verdict.NOT_RUN, "", (), 0.0)
        if exam is not None:
            run = asyncio.run(self._sandbox.run(notebook, SandboxLimits(), exam))
        cells = self._grader.sealing(self._source, run, None)
        return Sealing(new_id(), cells, datetime.now(UTC), run.wall_seconds)

    def _grade(self, data: bytes) -> float:
        grader = self._grader
        warnings = grader.check(data, self._released)
        notebook = grader.restore(self._source, data)
        exam = grader.exam(self._source, notebook, self._sealing)
        run = asyncio.run(self._sandbox.run(notebook, SandboxLimits(), exam))
        assert run.verdict is Verdict.RAN, run.detail
        grades = grader.score(notebook, run, self._released.exercises, self._sealing)
        page = grader.feedback(_submission(warnings), run, grades)
        assert page.startswith(b"<!DOCTYPE html>")
        return total(grade.points for grade in grades)


def _submission(warnings: tuple[str, ...]) -> Submission:
    return Submission(
        id=new_id(),
        course_id=new_id(),
        course_name="bench",
        assignment_id=new_id(),
        assignment_name="class",
        version_id=new_id(),
        version_number=1,
        user="student",
        attempt=1,
        digest="0" * 64,
        state=SubmissionState.GRADING,
        submitted_at=datetime.now(UTC),
        warnings=warnings,
    )
