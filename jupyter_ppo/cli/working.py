"""Grading in this process, with a progress bar: what ``grade`` and ``regrade`` share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from uuid import UUID

from tqdm import tqdm

from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.jobs.local import work_off

_UNDER_WAY = {SubmissionState.QUEUED, SubmissionState.GRADING}


def check_sandbox(context: Context) -> None:
    """Raise ``UnavailableError`` with a remedy when nothing can be graded here."""
    status = context.service.sandbox.status()
    if not status.available:
        msg = f"Nothing can be graded here: {status.problem} {status.remedy or ''}".rstrip()
        raise UnavailableError(msg)


def grade_here(context: Context, submission_ids: Sequence[UUID], title: str) -> bool:
    """Grade queued submissions and wait for them; return whether it was not interrupted.

    What a server grades meanwhile is waited for, what somebody cancels is not.
    """
    service = context.service
    with tqdm(total=len(submission_ids), desc=title, unit="notebook", disable=None) as bar:

        def progress(done: int, _: int) -> None:
            bar.update(done - bar.n)

        def ended(submission_id: UUID) -> bool:
            found = service.assessment.submission(context.caller, submission_id)
            return found.state not in _UNDER_WAY

        try:
            work_off(
                service.jobs,
                service.grading.work,
                submission_ids,
                workers=max(1, context.settings.grading_workers),
                progress=progress,
                ended=ended,
                lease_seconds=context.settings.lease_seconds,
            )
        except KeyboardInterrupt:
            bar.close()
            print(
                "interrupted: what was not graded is queued; it goes on after the next start of "
                "the server or the next 'jupyter ppo grade'.",
                file=sys.stderr,
            )
            return False
    return True
