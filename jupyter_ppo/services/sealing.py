"""What the run on the reference solution shows of a version: made once, kept, shown to authors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind, AssignmentVersion
from jupyter_ppo.domain.entries import checked_kind
from jupyter_ppo.domain.errors import BusyError
from jupyter_ppo.domain.exam import CheckState, Exam
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    Sandbox,
    SealingStore,
)
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import Sealing
from jupyter_ppo.jobs.local import Cancelled
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.running import run_notebook

_LOOK_FOR_CANCEL_SECONDS = 0.1
#: Runs that people ask for at the same time; each holds a thread of the server and containers.
_ASKED_AT_ONCE = 2
_TRY_AGAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the reference solution showed, and the run that did; None if there was nothing to seal.

    ``notebook`` is what was run, without outputs.
    """

    sealing: Sealing
    notebook: dict[str, Any]
    run: NotebookRun | None


class _Turn:
    """Who holds it calibrates one version; it is forgotten when nobody waits for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class SealingService:
    """Calibrates versions and remembers what came of it. One object serves all threads."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        sealings: SealingStore,
        blobs: BlobStore,
        grader: Grader,
        sandbox: Sandbox,
        limits: SandboxLimits,
        clock: Clock,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._sealings = sealings
        self._blobs = blobs
        self._grader = grader
        self._sandbox = sandbox
        self._limits = limits
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)
        self._turns: WeakValueDictionary[UUID, _Turn] = WeakValueDictionary()
        self._guard = threading.Lock()
        self._asked = threading.BoundedSemaphore(_ASKED_AT_ONCE)
        self._closed = threading.Event()

    def sealing(self, caller: Caller, course_name: str, assignment: str) -> Sealing | None:
        """Return what is known of the newest version's tests; None before the first run. Graders.

        It names test cells and quotes errors of the reference solution: nothing for students.
        """
        course = self._access.grader(caller, course_name)
        found = self._courses.assignment(course.id, assignment)
        return self._sealings.sealing(checked_kind(found, AssignmentKind.NOTEBOOK).version.id)

    def calibrate(self, caller: Caller, course_name: str, assignment: str) -> Sealing:
        """Run the newest version's reference solution now and keep what it shows. Instructors only.

        Takes as long as grading one or two submissions. Raises ``BusyError`` when as many as may
        run at the same time do so, or the server stops; what the sandbox raises is passed on.
        """
        course = self._access.author(caller, course_name)
        found = self._courses.assignment(course.id, assignment)
        checked_kind(found, AssignmentKind.NOTEBOOK)
        if not self._asked.acquire(blocking=False):
            msg = (
                f"{_ASKED_AT_ONCE} reference solutions are being run already. Try again when one "
                "of them is done."
            )
            raise BusyError(msg, retry_after=_TRY_AGAIN_SECONDS)
        try:
            with self._turn(found.version.id, self._closed):
                made = self._sealings.replace(self._made(found.version, self._closed))
        except Cancelled:
            msg = "This server is stopping. Ask for the run again."
            raise BusyError(msg, retry_after=_TRY_AGAIN_SECONDS) from None
        finally:
            self._asked.release()
        note(self._audit, caller.user, "assignment.calibrated", f"{course_name}/{assignment}", {})
        return made

    def of_version(self, version: AssignmentVersion, cancel: threading.Event) -> Sealing:
        """Return what is known of a version; the first who asks runs its reference solution.

        Others of this process who ask meanwhile wait for it. Between processes the first one to
        finish is kept. Raises ``Cancelled`` soon after ``cancel`` is set. Errors of ours (no
        engine, no image, a sandbox that failed) are raised and nothing is kept.
        """
        found = self._sealings.sealing(version.id)
        if found is not None:
            return found
        with self._turn(version.id, cancel):
            found = self._sealings.sealing(version.id)
            return found or self._sealings.put(self._made(version, cancel))

    def stop(self) -> None:
        """End the runs that people wait for, soon and with their containers; start no more."""
        self._closed.set()

    @contextmanager
    def _turn(self, version_id: UUID, cancel: threading.Event) -> Iterator[None]:
        with self._guard:
            turn = self._turns.setdefault(version_id, _Turn())
        while not turn.lock.acquire(timeout=_LOOK_FOR_CANCEL_SECONDS):
            if cancel.is_set():
                raise Cancelled
        try:
            yield
        finally:
            turn.lock.release()

    def of_source(self, source: bytes, version_id: UUID, cancel: threading.Event) -> Calibration:
        """Run an author's notebook as ``of_version`` does and return what came of it; keep nothing.

        ``version_id`` is the one that the sealing names. Raises like ``of_version``, and
        ``InvalidNotebookError`` for a notebook that cannot be released.
        """
        notebook = self._grader.restore(source, source)
        exam = self._grader.exam(source, notebook, None)
        plain: NotebookRun | None = None
        if exam is None:  # every test is marked as unsealed, or there is none
            sealed = NotebookRun(notebook, Verdict.NOT_RUN, "", (), 0.0)
        else:
            sealed = run_notebook(self._sandbox, notebook, self._limits, exam, cancel)
            if not _all_passed(sealed, exam):
                plain = run_notebook(self._sandbox, notebook, self._limits, None, cancel)
        sealing = Sealing(
            version_id=version_id,
            cells=self._grader.sealing(source, sealed, plain),
            created_at=self._clock.now(),
            wall_seconds=sealed.wall_seconds + (plain.wall_seconds if plain else 0.0),
        )
        return Calibration(sealing, notebook, None if exam is None else sealed)

    def _made(self, version: AssignmentVersion, cancel: threading.Event) -> Sealing:
        source = self._blobs.get(version.source_digest)
        return self.of_source(source, version.id, cancel).sealing


def _all_passed(run: NotebookRun, exam: Exam) -> bool:
    passed = {
        check.index
        for check in run.checks
        if check.state is CheckState.PASSED and all(line.is_passed for line in check.lines)
    }
    return exam.tests <= passed
