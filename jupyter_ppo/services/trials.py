"""Runs that give no grade, in the background: students validate, authors check."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course, Role
from jupyter_ppo.domain.entries import checked_kind
from jupyter_ppo.domain.errors import (
    BusyError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    ReleasedNotebook,
    Sandbox,
)
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.domain.trials import Trial, TrialKind, TrialState
from jupyter_ppo.jobs.local import Cancelled
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.services.submitting import matching
from jupyter_ppo.services.trial_runs import TrialRuns

_log = logging.getLogger(__name__)

#: Trials that run at the same time in this process; each holds containers.
AT_ONCE = 2
#: Trials that may wait for a turn here.
WAITING = 20
#: Validations of one person: under way at the same time, and within an hour.
VALIDATIONS_AT_ONCE, VALIDATIONS_PER_HOUR = 1, 30
_BUSY_SECONDS, _STOPPING_SECONDS = 30.0, 10.0
_LOOK_SECONDS = 0.2
_PAGE = 500
_STOPPED = "The server stopped before this had ended. Try again."
_FAILED = "The sandbox failed. Try again; the server's log says why."

Work = Callable[[threading.Event], dict[str, Any]]


class TrialStore(Protocol):
    """Trials, and how often a person may ask for one."""

    def admit(
        self,
        course_id: UUID,
        assignment: str,
        user: str,
        kind: TrialKind,
        digest: str,
        *,
        per_hour: int = 0,
        at_once: int = 0,
    ) -> Trial:
        """Add a QUEUED trial; raise ``TooManyRequestsError`` over a bound (0: none)."""

    def begin(self, trial_id: UUID) -> None:
        """Say that it runs now."""

    def finish(self, trial_id: UUID, result: Mapping[str, Any]) -> None:
        """Record what came of it."""

    def fail(self, trial_id: UUID, message: str) -> None:
        """Record why nothing came of it."""

    def trial(self, trial_id: UUID) -> Trial:
        """Return one trial; raise ``NotFoundError``."""

    def end_what_is_left(self) -> int:
        """Fail the trials of servers that are gone; return how many those were."""


class TrialService:
    """Use cases of trials. Every method takes the caller first and checks their rights.

    Two run at a time in threads of this process; their state is in the store, so that it may be
    asked for anywhere. To stop: ``refuse``, then ``stop``.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        trials: TrialStore,
        blobs: BlobStore,
        grader: Grader,
        sandbox: Sandbox,
        sealings: SealingService,
        seeds: PersonalSeeds,
        clock: Clock,
        limits: SandboxLimits,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._trials = trials
        self._blobs = blobs
        self._grader = grader
        self._seeds = seeds
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)
        self._runs = TrialRuns(grader, sandbox, sealings, blobs, limits)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="jupyter-ppo-trial")
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._closed = threading.Event()

    def validate(
        self, caller: Caller, course_name: str, assignment: str | None, data: bytes
    ) -> Trial:
        """Have a notebook tried by the tests that students can read. Members.

        Without a name the assignment is the one that its graded cells are of. Raises like
        submitting does for what cannot be graded at all, ``TooManyRequestsError`` when the caller
        tries too often, ``BusyError`` when all places are taken.
        """
        course, role = self._access.course(caller, course_name)
        found = self._assignment(course, role, assignment, data)
        version = found.version
        released = ReleasedNotebook(self._blobs.get(version.release_digest), version.exercises)
        self._grader.check(data, released)
        seed = self._seeds.seed(course.id, version, caller.user)

        def work(cancel: threading.Event) -> dict[str, Any]:
            return self._runs.validation(version, data, seed, cancel)

        return self._queue(
            caller,
            course.id,
            found.name,
            TrialKind.VALIDATION,
            data,
            work,
            per_hour=VALIDATIONS_PER_HOUR,
            at_once=VALIDATIONS_AT_ONCE,
        )

    def check(self, caller: Caller, course_name: str, source: bytes) -> Trial:
        """Have an author's notebook tried before its release. Instructors only.

        Raises ``InvalidNotebookError`` or ``TooLargeError`` for what is no notebook; everything
        else that is wrong with it is told in the result.
        """
        course = self._access.author(caller, course_name)
        read_notebook(source)

        def work(cancel: threading.Event) -> dict[str, Any]:
            return self._runs.check(source, cancel)

        return self._queue(caller, course.id, "", TrialKind.CHECK, source, work)

    def preview(self, caller: Caller, course_name: str, source: bytes) -> bytes:
        """Return the students' copy of an author's notebook; nothing is kept. Instructors only.

        Raises ``InvalidNotebookError`` naming the cell that cannot be released.
        """
        self._access.author(caller, course_name)
        return self._grader.release(source).release

    def trial(self, caller: Caller, trial_id: UUID) -> Trial:
        """Return a trial of the caller's own, or of a course that they grade in.

        A check is for those who author there, whoever asked for it. Everybody else gets the same
        ``NotFoundError`` as for a trial that does not exist.
        """
        try:
            found = self._trials.trial(trial_id)
        except NotFoundError:
            found = None
        if found is None or not self._may_see(caller, found):
            msg = "There is no such trial."
            raise NotFoundError(msg, field="trial")
        return found

    def wait(self, caller: Caller, trial_id: UUID, seconds: float) -> Trial:
        """Return the trial once it has ended, or as it is after ``seconds``."""
        end = time.monotonic() + seconds
        while True:
            found = self.trial(caller, trial_id)
            has_ended = found.state in {TrialState.DONE, TrialState.FAILED}
            if has_ended or time.monotonic() >= end:
                return found
            time.sleep(_LOOK_SECONDS)

    def start(self) -> None:
        """End what a server that died left."""
        self._trials.end_what_is_left()

    def refuse(self) -> None:
        """Take nothing new, and end what runs and what waits, soon."""
        self._closed.set()

    def stop(self) -> None:
        """Refuse, and return when everything has ended, its containers too."""
        self.refuse()
        self._threads.shutdown(wait=True)

    def _assignment(self, course: Course, role: Role, name: str | None, data: bytes) -> Assignment:
        """Return a notebook's assignment; to students those that are not open are absent."""
        now = self._clock.now()
        if name is not None:
            found = self._courses.assignment(course.id, name)
            if not role.may_grade:
                check_opened(found.terms, name, now)
            return checked_kind(found, AssignmentKind.NOTEBOOK)
        opened_by = None if role.may_grade else now
        every = every_page(
            lambda offset: self._courses.assignments(
                course.id, opened_by=opened_by, offset=offset, limit=_PAGE
            )
        )
        notebooks = (each for each in every if each.kind is AssignmentKind.NOTEBOOK)
        return matching(notebooks, self._grader.grade_ids(data))

    def _may_see(self, caller: Caller, trial: Trial) -> bool:
        role = self._access.role_in(caller, trial.course_id)
        if role is None:
            return False
        if trial.kind is TrialKind.CHECK:
            return role.may_author
        return role.may_grade or trial.user == caller.user

    def _queue(
        self,
        caller: Caller,
        course_id: UUID,
        assignment: str,
        kind: TrialKind,
        data: bytes,
        work: Work,
        *,
        per_hour: int = 0,
        at_once: int = 0,
    ) -> Trial:
        if self._closed.is_set():
            raise _stopping()
        if not self._places.acquire(blocking=False):
            msg = "Too many trials wait on this server at the moment. Try again in a minute."
            raise BusyError(msg, retry_after=_BUSY_SECONDS)
        try:
            digest = self._blobs.put(data)
            trial = self._trials.admit(
                course_id,
                assignment,
                caller.user,
                kind,
                digest,
                per_hour=per_hour,
                at_once=at_once,
            )
        except BaseException:
            self._places.release()
            raise
        try:
            turn: Future[None] = self._threads.submit(self._work, trial.id, work)
        except RuntimeError as error:  # the threads have ended meanwhile
            self._places.release()
            self._fail(trial.id, _STOPPED)
            raise _stopping() from error
        turn.add_done_callback(lambda _: self._places.release())
        note(self._audit, caller.user, f"trial.{kind}", str(trial.id), {"digest": digest})
        return trial

    def _work(self, trial_id: UUID, work: Work) -> None:
        try:
            if self._closed.is_set():
                raise Cancelled
            self._trials.begin(trial_id)
            self._trials.finish(trial_id, work(self._closed))
        except Cancelled:
            self._fail(trial_id, _STOPPED)
        except (InvalidInputError, UnavailableError) as error:
            self._fail(trial_id, _STOPPED if self._closed.is_set() else error.message)
        except Exception:
            if self._closed.is_set():  # the sandbox was closed under it
                self._fail(trial_id, _STOPPED)
            else:
                _log.exception("Trial %s failed.", trial_id)
                self._fail(trial_id, _FAILED)

    def _fail(self, trial_id: UUID, message: str) -> None:
        """Record a failure. Without the database the next server's start does so."""
        try:
            self._trials.fail(trial_id, message)
        except Exception:
            _log.exception("The failure of trial %s could not be recorded.", trial_id)


def _stopping() -> BusyError:
    msg = "This server is stopping. Try again soon."
    return BusyError(msg, retry_after=_STOPPING_SECONDS)
