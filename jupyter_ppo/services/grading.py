"""Grading one submission: restore, run in the sandbox, score, write the feedback page."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    Sandbox,
    SubmissionStore,
)
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits
from jupyter_ppo.jobs.local import Cancelled

_LOOK_FOR_CANCEL_SECONDS = 0.1


class GradingService:
    """Does the work behind a lease. One object serves all worker threads."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        grader: Grader,
        sandbox: Sandbox,
        limits: SandboxLimits,
        clock: Clock,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._grader = grader
        self._sandbox = sandbox
        self._limits = limits
        self._clock = clock

    def work(self, lease: Lease, cancel: threading.Event) -> Grade:
        """Grade the lease's submission and return the grade; nothing is stored but its page.

        Raises ``Cancelled`` soon after ``cancel`` is set, with the container gone. Errors of ours
        (no engine, no image, a sandbox that failed) are raised and never become a grade.
        """
        submission = self._submissions.submission(lease.submission_id)
        version = self._courses.version(submission.version_id)
        notebook = self._grader.restore(
            self._blobs.get(version.source_digest), self._blobs.get(submission.digest)
        )
        run = asyncio.run(self._run(notebook, cancel))
        scores = self._grader.score(notebook, run, version.exercises)
        page = self._grader.feedback(submission, run, scores)
        return Grade(
            submission_id=submission.id,
            exercises=scores,
            verdict=run.verdict,
            detail=run.detail,
            feedback_digest=self._blobs.put(page),
            graded_at=self._clock.now(),
            wall_seconds=run.wall_seconds,
        )

    async def _run(self, notebook: dict[str, Any], cancel: threading.Event) -> NotebookRun:
        running = asyncio.ensure_future(self._sandbox.run(notebook, self._limits))
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
