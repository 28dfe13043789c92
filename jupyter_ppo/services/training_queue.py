"""Who trains: takes queued runs, one thread each, and takes over those of servers that are gone."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from uuid import UUID

from jupyter_ppo.domain.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    PPOError,
    TooManyRequestsError,
    UnavailableError,
)
from jupyter_ppo.domain.run_records import RunStore, TrainingPlace, TrainingQuota, TrainingRun
from jupyter_ppo.domain.training import Command, RunState
from jupyter_ppo.services.training_attendant import Attendant, Pace
from jupyter_ppo.services.training_commands import asked_since_pause
from jupyter_ppo.services.training_folders import RunFolders

_log = logging.getLogger(__name__)

#: How often the queue is looked at for runs that another process queued, in seconds.
_LOOK_SECONDS = 1.0
#: How often it is looked for servers that are gone, in seconds.
_RECLAIM_SECONDS = 15.0
#: How long nothing is taken after nothing could be started, in seconds.
_UNAVAILABLE_SECONDS = 15.0
_PAGE = 200


class TrainingQueue:
    """Trains ``workers`` runs at the same time; 0: this process never trains.

    ``worker`` names this process among all that share the database. To stop: ``refuse``, then
    ``stop``: workers write a checkpoint, runs go back to their places in the queue, and the next
    server goes on from there with the same bits.
    """

    def __init__(
        self,
        *,
        runs: RunStore,
        place: TrainingPlace,
        folder: Path,
        quota: TrainingQuota,
        worker: str,
        workers: int,
        pace: Pace | None = None,
    ) -> None:
        self._runs = runs
        self._place = place
        self._folders = RunFolders(folder)
        self._quota = quota
        self._worker = worker
        self._workers = workers
        self._pace = pace or Pace()
        self._closed = threading.Event()
        self._woken = threading.Event()
        self._changing = threading.Lock()
        self._attendants: set[threading.Thread] = set()
        self._supervisor: threading.Thread | None = None
        self._not_before = 0.0

    def start(self) -> None:
        """Begin to train what is queued, and what servers that are gone have left."""
        if not self._workers or self._supervisor is not None or self._closed.is_set():
            return
        # A daemon, as are the attendants: a process that ends without ``stop`` is not held up.
        # Its workers notice that it is gone, write a checkpoint and end.
        self._supervisor = threading.Thread(
            target=self._supervise, name="jupyter-ppo-training", daemon=True
        )
        self._supervisor.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._woken.set()

    def refuse(self) -> None:
        """Take nothing more, and let workers begin to end."""
        self._closed.set()
        self._woken.set()

    def stop(self) -> None:
        """Refuse, and return when every worker has ended and every run is given back."""
        self.refuse()
        if self._supervisor is not None:
            self._supervisor.join()
        with self._changing:
            left = list(self._attendants)
        for thread in left:
            thread.join()

    def _supervise(self) -> None:
        reclaim_at, is_first = 0.0, True
        while not self._closed.is_set():
            try:
                if is_first:
                    self._folders.sweep(self._is_known)
                if time.monotonic() >= reclaim_at:
                    reclaim_at = time.monotonic() + _RECLAIM_SECONDS
                    if self._runs.reclaim(self._worker) or is_first:
                        self._unpark()
                is_first = False
                while self._take():
                    pass
            except UnavailableError as error:
                _log.warning("No training is started: %s", error.message)
                self._hold_off(error)
            except Exception:
                _log.exception("No training is started; it is tried again.")
                self._hold_off(None)
            self._woken.wait(_LOOK_SECONDS)
            self._woken.clear()

    def _is_known(self, run_id: UUID) -> bool:
        try:
            self._runs.run(run_id)
        except NotFoundError:
            return False
        return True

    def _unpark(self) -> None:
        """Follow what paused runs were asked for while the server that had them was dying."""
        parked: list[TrainingRun] = []
        more = True
        while more:
            page = self._runs.runs(
                None,
                state=RunState.PAUSED,
                tag=None,
                group_id=None,
                offset=len(parked),
                limit=_PAGE,
            )
            parked += page.items
            more = len(page.items) == _PAGE
        for run in parked:
            if run.is_held:
                continue
            try:
                asked, behind = asked_since_pause(self._folders.files(run.id))
                if asked is Command.STOP:
                    self._runs.stop_waiting(run.id, "Stopped on request.")
                elif asked is Command.RESUME:
                    self._runs.requeue(
                        run.id, quota=self._quota, total_steps=None, commands_from=behind
                    )
            except (OSError, ConflictError, NotFoundError, TooManyRequestsError) as error:
                _log.warning("The paused training run %s stays paused: %s", run.id, error)

    def _take(self) -> bool:
        """Begin with one queued run, if there is one and a place for it."""
        with self._changing:
            is_full = len(self._attendants) >= self._workers
        if is_full or self._closed.is_set() or time.monotonic() < self._not_before:
            return False
        run = self._runs.take_next(self._worker, self._quota)
        if run is None:
            return False
        thread = threading.Thread(
            target=self._attend, args=(run,), name=f"jupyter-ppo-training-{run.id}", daemon=True
        )
        with self._changing:
            self._attendants.add(thread)
        thread.start()
        return True

    def _attend(self, run: TrainingRun) -> None:
        try:
            Attendant(
                run,
                runs=self._runs,
                place=self._place,
                folders=self._folders,
                quota=self._quota,
                worker=self._worker,
                pace=self._pace,
                closed=self._closed,
                on_unavailable=self._hold_off,
            ).attend()
        finally:
            with self._changing:
                self._attendants.discard(threading.current_thread())
            self.wake()

    def _hold_off(self, error: PPOError | None) -> None:
        wait = error.retry_after if isinstance(error, BusyError) else _UNAVAILABLE_SECONDS
        self._not_before = time.monotonic() + wait
