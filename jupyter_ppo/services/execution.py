"""Running code on request: admitted by quota, run in a container, recorded, judged.

An admitted execution is recorded before it runs, so that what a person used is known exactly and
nothing that ran is lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import BusyError, NotFoundError, PPOError, SandboxError
from jupyter_ppo.domain.execution import (
    Execution,
    ExecutionBounds,
    ExecutionQuota,
    ExecutionRequest,
    Program,
    ProgramRun,
    judge,
    stopped_run,
)
from jupyter_ppo.domain.ports import ExecutionStore, Page, Programs
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.services.execution_request import check_request

_log = logging.getLogger(__name__)

#: What a client is told to wait when all places are taken, in seconds.
_BUSY_SECONDS = 2.0

#: What a client is told to wait when the server stops, in seconds: a restart takes that long.
_STOPPING_SECONDS = 10.0

#: How long a request waits for a slot before it is given up, in seconds.
PATIENCE_SECONDS = 60.0

#: How often what is too old is deleted, in seconds.
_CLEAN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A request between its admission and its end, and how its person ends it."""

    record: Execution
    request: ExecutionRequest
    future: Future[Execution]
    stop: Ending
    submitted: float


class ExecutionService:
    """Runs code for people. ``slots`` run at the same time here, ``waiting`` more may wait.

    What got no slot after ``patience_seconds`` is not run. ``limits`` are those of each container;
    memory is the request's own. Records are kept for ``keep``. Quotas hold for everyone, admins
    included. Use it from any thread.

    To stop: ``refuse``, then close the sandbox, which ends what runs, then ``stop``.
    """

    def __init__(
        self,
        *,
        programs: Programs,
        executions: ExecutionStore,
        limits: SandboxLimits,
        bounds: ExecutionBounds,
        quota: ExecutionQuota,
        slots: int,
        waiting: int,
        keep: timedelta,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._programs = programs
        self._executions = executions
        self._limits = limits
        self.bounds = bounds
        self.quota = quota
        self._keep = keep
        self._patience = patience_seconds
        self._places = threading.BoundedSemaphore(slots + waiting)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="jupyter-ppo-execute")
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        #: What is admitted and has not ended, with its turn in ``_threads``.
        self._admitted: dict[UUID, tuple[_Admitted, Future[None]]] = {}
        self._cleaning = threading.Lock()
        self._clean_at = 0.0

    @property
    def limits(self) -> SandboxLimits:
        """The limits of every container, but for the memory that a request asks for."""
        return replace(self._limits, memory_mb=self.bounds.memory_mb)

    @property
    def pool(self) -> PoolStatus:
        """How many containers wait."""
        return self._programs.status()

    def submit(self, caller: Caller, request: ExecutionRequest) -> Future[Execution]:
        """Admit a request and return what will be its record.

        Raises ``InvalidInputError`` naming the field, ``TooManyRequestsError`` over a quota, and
        ``BusyError`` when all places are taken. The future raises ``EngineUnavailableError``,
        ``ImageMissingError``, ``SandboxError``, ``BusyError`` (the server stops, or no slot came
        free in time) or what the database raises; of the day's seconds only those count then that
        a container ran before it was lost, and without any not even the start. A future that is
        cancelled before its turn is never run.
        """
        check_request(request, self.bounds)
        if self._stopping.is_set():
            raise _stopping()
        if not self._places.acquire(blocking=False):
            msg = "Too many programs run on this server at the moment. Try again in a few seconds."
            raise BusyError(msg, retry_after=_BUSY_SECONDS)
        try:
            admitted = self._executions.admit(caller.user, request, self.quota)
        except BaseException:
            self._places.release()
            raise
        one = _Admitted(admitted, request, Future(), Ending(), time.monotonic())
        try:
            with self._changing:  # which it needs to end: it does not end before it is known
                self._admitted[admitted.id] = one, self._threads.submit(self._work, one)
        except RuntimeError as error:  # the threads have ended meanwhile
            self._places.release()
            self._fail(admitted.id, _stopping().message)
            raise _stopping() from error
        return one.future

    def stop_own(self, caller: Caller) -> int:
        """Stop what the caller runs here, and what of it waits; return how many that were.

        They end as STOPPED, what waited without having run. One that ends at the same moment may
        be counted and have its own end all the same.
        """
        with self._changing:
            every = list(self._admitted.values())
        own = [(one, turn) for one, turn in every if one.record.user == caller.user]
        for one, _ in own:
            one.stop.end()
        for one, turn in own:
            if turn.cancel():  # it waited; what it needs to end takes no slot
                self._work(one)
        return len(own)

    def history(self, caller: Caller, *, offset: int, limit: int) -> Page[Execution]:
        """Return the caller's own executions, newest first, without their runs."""
        return self._executions.executions(caller.user, offset=offset, limit=limit)

    def execution(self, caller: Caller, execution_id: UUID) -> Execution:
        """Return one of the caller's own executions; raise ``NotFoundError``."""
        found = self._executions.execution(execution_id)
        if found.user != caller.user:
            msg = f"There is no execution {str(execution_id)!r}."
            raise NotFoundError(msg, field="execution")
        return found

    def left(self, caller: Caller) -> ExecutionQuota:
        """Return what is left of the caller's quota now."""
        return self.quota.left(self._executions.usage(caller.user))

    def start(self) -> None:
        """Forget what is too old and end what a killed server left."""
        self._clean_up_if_due()

    def refuse(self) -> None:
        """Take nothing new and let nothing begin that waits; what fails from now on is a stop's."""
        self._stopping.set()

    def stop(self) -> None:
        """Refuse, end what waits, and return when what runs has ended."""
        self.refuse()
        self._threads.shutdown(wait=True)

    def _work(self, one: _Admitted) -> None:
        """Run one admitted request in a thread of ours, and say so to whoever waits.

        Its place is free and its record is written before the future tells.
        """
        admitted, request, future = one.record, one.request, one.future
        if not future.set_running_or_notify_cancel():
            self._fail(admitted.id, "It was cancelled before its turn came.")
            self._leave(one)
            return
        try:
            if self._stopping.is_set():
                raise _stopping()
            if not one.stop.is_ended and time.monotonic() - one.submitted >= self._patience:
                msg = "No place came free in time; the program was not run. Try again in a minute."
                raise BusyError(msg, retry_after=60)
            done = self._run(one)
        except BaseException as error:
            reported = self._reported(error)
            ran = reported.seconds if isinstance(reported, SandboxError) else 0.0
            self._fail(admitted.id, reported.message, min(ran, request.timeout_seconds))
            self._leave(one)
            future.set_exception(reported)
        else:
            self._leave(one)
            future.set_result(done)
        self._clean_up_if_due()

    def _leave(self, one: _Admitted) -> None:
        with self._changing:
            self._admitted.pop(one.record.id, None)
        self._places.release()

    def _run(self, one: _Admitted) -> Execution:
        admitted, request = one.record, one.request
        programs = _programs(request)
        if one.stop.is_ended:
            runs: Sequence[ProgramRun] = [stopped_run() for _ in programs]
        else:
            limits = replace(self._limits, memory_mb=request.memory_mb)
            runs = self._programs.run(programs, limits, request.timeout_seconds, one.stop)
        # The start of a container is ours, and nobody pays for more than was reserved.
        seconds = min(sum(run.seconds for run in runs), request.timeout_seconds)
        if not request.cases:
            (run,) = runs
            return self._executions.finish(admitted.id, run=run, seconds=seconds)
        cases = [judge(case, run) for case, run in zip(request.cases, runs, strict=True)]
        return self._executions.finish(admitted.id, cases=cases, seconds=seconds)

    def _reported(self, error: BaseException) -> PPOError:
        """Return what the person is told."""
        reported = error if isinstance(error, PPOError) else _unexpected(error)
        if isinstance(reported, SandboxError) and self._stopping.is_set():
            return _stopping()  # the sandbox was closed under it
        return reported

    def _fail(self, execution_id: UUID, message: str, seconds: float = 0.0) -> None:
        """Record a failure. Without the database it is recorded once its time has run out."""
        try:
            self._executions.fail(execution_id, message, seconds=seconds)
        except Exception:
            _log.exception("The failure of execution %s could not be recorded.", execution_id)

    def forget_old(self) -> int:
        """Delete what is older than it is kept; return how many executions that were."""
        return self._executions.clean_up(self._keep)

    def _clean_up_if_due(self) -> None:
        with self._cleaning:
            now = time.monotonic()
            if now < self._clean_at:
                return
            self._clean_at = now + _CLEAN_SECONDS
        try:
            self.forget_old()
        except Exception:
            _log.exception("Old executions could not be deleted; it is tried again in an hour.")


def _stopping() -> BusyError:
    return BusyError("This server is stopping. Try again soon.", retry_after=_STOPPING_SECONDS)


def _unexpected(error: BaseException) -> SandboxError:
    _log.error("An execution failed.", exc_info=error)
    wrapped = SandboxError("The sandbox failed. The server's log says why; try again.")
    wrapped.__cause__ = error
    return wrapped


def _programs(request: ExecutionRequest) -> tuple[Program, ...]:
    if not request.cases:
        return (
            Program(
                request.code,
                globals=request.globals,
                stdin=request.stdin,
                capture_locals=request.capture_locals,
            ),
        )
    return tuple(
        Program(request.code, globals=request.globals, stdin=case.stdin or "", call=case.call)
        for case in request.cases
    )
