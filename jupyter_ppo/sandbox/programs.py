"""Programs as the use cases see them: code goes in, what came of it comes out."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import BusyError, PPOError, SandboxError
from jupyter_ppo.domain.execution import Outcome, Program, ProgramRun, stopped_run
from jupyter_ppo.domain.sandbox import LimitHit, PoolStatus, SandboxLimits
from jupyter_ppo.sandbox.agent_wire import START_SECONDS
from jupyter_ppo.sandbox.pool import WarmPool
from jupyter_ppo.sandbox.program_box import ProgramBox
from jupyter_ppo.sandbox.program_result import order_of

#: Removing a container takes 0.1 s, and nobody waits for it.
_CLEANERS: Final = 2
#: What a client is told to wait when the server stops, in seconds: a restart takes that long.
_STOPPING_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class ContainerPrograms:
    """Runs programs in containers; implements ``domain.ports.Programs``. Use it from any thread.

    ``base_url`` is the container engine's address; None finds it. Between ``start`` and ``close``
    ``pool_size`` containers with ``pooled_limits`` wait for requests that have the same.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        pool_size: int = 0,
        pooled_limits: SandboxLimits | None = None,
    ) -> None:
        self._base_url = base_url
        pooled = pooled_limits or SandboxLimits()
        self._pooled = pooled.of_container
        self._pool = WarmPool(
            lambda ending: ProgramBox.start(pooled, base_url=base_url, ending=ending),
            pool_size,
            "container for programs",
        )
        self._cleaners = ThreadPoolExecutor(_CLEANERS, thread_name_prefix="jupyter-ppo-cleaner")
        self._changed = threading.Condition()
        #: How to end each call that is under way.
        self._calls: set[Ending] = set()
        self._is_closed = False

    def start(self) -> None:
        """Begin to make containers ready, in the background."""
        self._pool.start()

    def status(self) -> PoolStatus:
        """Say how many containers wait."""
        return PoolStatus(self._pool.ready, self._pool.size)

    def run(
        self,
        programs: Sequence[Program],
        limits: SandboxLimits,
        seconds: float,
        stop: Ending | None = None,
    ) -> tuple[ProgramRun, ...]:
        """Run each in a process of its own, one after another, in one container used for no more.

        They share what they write to its folders, ``seconds``, and the limit of output, to which
        the data that they return counts; what comes after either is used up is not run. ``stop``
        ends the one that runs, also while its container starts; it and what follows are STOPPED.
        The container is removed in the background. Raises ``InvalidInputError`` when a program's
        data is not plain, ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``,
        and ``BusyError`` once ``close`` was called, which ends what runs.
        """
        orders = [order_of(program) for program in programs]
        ending = self._enter()
        stop = stop or Ending()
        stop.on_end(ending.end)
        runs: list[ProgramRun] = []
        try:
            self._run(programs, orders, limits, seconds, ending, runs)
        except PPOError as error:
            if not ending.is_ended:
                raise
            if self._is_closed or not stop.is_ended:
                raise _stopping() from error
            runs += [stopped_run()] * (len(programs) - len(runs))
        finally:
            self._leave(ending)
        return tuple(runs)

    def close(self) -> None:
        """End what runs and what waits, and wait until every container is removed."""
        with self._changed:
            self._is_closed = True
            calls = list(self._calls)
        for ending in calls:
            ending.end()
        self._pool.close()
        end = time.monotonic() + START_SECONDS
        with self._changed:
            while self._calls and time.monotonic() < end:
                self._changed.wait(1.0)
        self._cleaners.shutdown(wait=True)

    def _enter(self) -> Ending:
        ending = Ending()
        with self._changed:
            if self._is_closed:
                raise _stopping()
            self._calls.add(ending)
        return ending

    def _leave(self, ending: Ending) -> None:
        with self._changed:
            self._calls.discard(ending)
            self._changed.notify_all()

    def _run(
        self,
        programs: Sequence[Program],
        orders: Sequence[bytes],
        limits: SandboxLimits,
        seconds: float,
        ending: Ending,
        runs: list[ProgramRun],
    ) -> None:
        """Add to ``runs`` what came of each; raise whatever it is once ``ending`` has ended it."""
        seconds_left, bytes_left = seconds, limits.output_bytes
        box: ProgramBox | None = None
        began: float | None = None  # when the program that runs now began
        try:
            for program, order in zip(programs, orders, strict=True):
                _raise_if_ended(ending)
                if seconds_left <= 0:
                    runs.append(_no_time_left(seconds))
                    continue
                if bytes_left <= 0:
                    runs.append(_no_output_left(limits))
                    continue
                if box is None or not box.is_alive:
                    self._dispose(box)
                    box = None
                    box = self._take(limits, ending, preload=len(programs) > 1)
                began = time.monotonic()
                run = box.run(program, order, seconds_left, seconds, bytes_left)
                began = None
                if ending.is_ended and run.outcome is Outcome.DIED:  # it was we who ended it
                    run = replace(stopped_run(run.seconds), stdout=run.stdout, stderr=run.stderr)
                runs.append(run)
                if run.outcome is Outcome.STOPPED:
                    raise _stopping()
                seconds_left -= run.seconds
                bytes_left -= _bytes_of(run)
        except SandboxError as error:
            now = 0.0 if began is None else time.monotonic() - began
            error.seconds = sum(run.seconds for run in runs) + now
            raise
        finally:
            self._dispose(box)

    def _take(self, limits: SandboxLimits, ending: Ending, *, preload: bool) -> ProgramBox:
        taken = self._pool.take() if limits.of_container == self._pooled else None
        box = taken or ProgramBox.start(
            limits, base_url=self._base_url, preload=preload, ending=ending
        )
        box.limits = limits
        ending.on_end(box.end)
        return box

    def _dispose(self, box: ProgramBox | None) -> None:
        if box is None:
            return
        box.end()
        try:
            self._cleaners.submit(_close, box)
        except RuntimeError:  # the cleaners have ended
            _close(box)


def _raise_if_ended(ending: Ending) -> None:
    if ending.is_ended:
        raise _stopping()


def _bytes_of(run: ProgramRun) -> int:
    """Return how much of the output that a call may have a run takes: text, and data as JSON."""
    data = [part for part in (run.value, run.locals, run.omitted) if part]
    text = len(run.stdout.encode()) + len(run.stderr.encode())
    return text + len(json.dumps(data)) if data else text


def _no_time_left(seconds: float) -> ProgramRun:
    text = f"The programs before this one used all of the {seconds:g} s (limit timeout)."
    limit = LimitHit("cell_seconds", seconds)
    return ProgramRun(Outcome.TIMEOUT, "", "", 0.0, 0.0, error_message=text, limit=limit)


def _no_output_left(limits: SandboxLimits) -> ProgramRun:
    limit = LimitHit("output_bytes", limits.output_bytes)
    text = (
        f"The programs before this one used all of the {limit.value} bytes of output "
        "(limit output_bytes)."
    )
    return ProgramRun(Outcome.OUTPUT_LIMIT, "", "", 0.0, 0.0, error_message=text, limit=limit)


def _close(box: ProgramBox) -> None:
    """Remove a container. If that fails, it is tried again later (``removal``)."""
    try:
        box.close()
    except Exception as error:
        _log.warning("A sandbox container was perhaps not removed yet: %s", error)


def _stopping() -> BusyError:
    msg = "This server is stopping; the program was ended. Try again soon."
    return BusyError(msg, retry_after=_STOPPING_SECONDS)
