"""Grading one submission: restore, run in the sandboxes, score, write the feedback page."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.hints import answers_of
from jupyter_ppo.domain.grading import Grade, less_hints
from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    Sandbox,
    SubmissionStore,
)
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.services.running import run_notebook
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.seeds import PersonalSeeds


class HintCosts(Protocol):
    """What hints take from points."""

    def costs(self, assignment_id: UUID, user: str, before: datetime) -> Mapping[str, float]:
        """Return by exercise the share, 0 to 1, that a person's hints take from its points."""


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
        sealings: SealingService,
        seeds: PersonalSeeds,
        hints: HintCosts,
        limits: SandboxLimits,
        clock: Clock,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._grader = grader
        self._sandbox = sandbox
        self._sealings = sealings
        self._seeds = seeds
        self._hints = hints
        self._limits = limits
        self._clock = clock

    def work(self, lease: Lease, cancel: threading.Event) -> Grade:
        """Grade the lease's submission and return the grade; nothing is stored but its page.

        The first submission of a version pays for the run of the reference solution, which says
        what the tests need. The score is made when the student's container is gone.

        Raises ``Cancelled`` soon after ``cancel`` is set, with the container gone. Errors of ours
        (no engine, no image, a sandbox that failed) are raised and never become a grade.
        """
        submission = self._submissions.submission(lease.submission_id)
        version = self._courses.version(submission.version_id)
        submitted = self._blobs.get(submission.digest)
        sealing = self._sealings.of_version(version, cancel)
        source = self._blobs.get(version.source_digest)
        seed = self._seeds.seed(submission.course_id, version, submission.user)
        notebook = self._grader.restore(source, submitted, seed)
        exam = self._grader.exam(source, notebook, sealing)
        run = run_notebook(self._sandbox, notebook, self._limits, exam, cancel)
        scores = self._grader.score(notebook, run, version.exercises, sealing)
        costs = self._hints.costs(
            submission.assignment_id, submission.user, submission.submitted_at
        )
        if costs:
            answers = answers_of(source)
            taken = {test: costs[answer] for test, answer in answers.items() if answer in costs}
            scores = less_hints(scores, taken)
        page = self._grader.feedback(submission, run, scores)
        return Grade(
            submission_id=submission.id,
            exercises=scores,
            verdict=run.verdict,
            detail=run.detail,
            feedback_digest=self._blobs.put(page),
            graded_at=self._clock.now(),
            wall_seconds=run.wall_seconds,
            version_id=version.id,
        )
