"""Who drafts: threads that take one answer of a running batch after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from jupyter_ppo.domain.draft_records import DraftLease
from jupyter_ppo.domain.errors import (
    BudgetSpentError,
    ConflictError,
    LeaseLostError,
    ModelUnavailableError,
    NotFoundError,
)
from jupyter_ppo.services.draft_making import DraftMaker, stop_message
from jupyter_ppo.services.draft_stores import DraftBatchStore

_log = logging.getLogger(__name__)

#: How long an answer is held without a sign of life, in seconds; renewed three times as often.
LEASE_SECONDS = 90.0
#: How often it is looked for batches that another process started, in seconds.
_LOOK_SECONDS = 2.0


class DraftQueue:
    """Drafts with ``workers`` threads between ``start`` and ``stop``; 0: this process never does.

    What a killed process held is taken again when its lease has run out. Nothing is asked twice:
    answers of a model that came are in the cache, and a draft is stored with the end of its item.
    """

    def __init__(
        self,
        *,
        batches: DraftBatchStore,
        maker: DraftMaker,
        workers: int,
        lease_seconds: float = LEASE_SECONDS,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._batches = batches
        self._maker = maker
        self._workers = workers
        self._lease_seconds = lease_seconds
        self._look_seconds = look_seconds
        self._woken = threading.Condition()
        self._wakes = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; does nothing while they run."""
        if self._threads:
            return
        self._closed = False
        self._threads = [
            # Daemons: a process that ends without ``stop`` is not held up by a slow model.
            threading.Thread(target=self._run, name=f"jupyter-ppo-drafts-{number}", daemon=True)
            for number in range(1, self._workers + 1)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for batches now."""
        with self._woken:
            self._wakes += 1
            self._woken.notify_all()

    def refuse(self) -> None:
        """Take nothing more."""
        with self._woken:
            self._closed = True
            self._woken.notify_all()

    def stop(self) -> None:
        """Refuse, and return when every thread has ended.

        The answer under way ends with the request that it waits for: close the model first to have
        that at once.
        """
        self.refuse()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def work_off(self, batch_id: UUID, progress: Callable[[], None] | None = None) -> None:
        """Draft a batch in this thread until nothing of it waits, as the command line does."""
        while (lease := self._batches.lease(self._lease_seconds, batch_id)) is not None:
            self._do(lease)
            if progress is not None:
                progress()

    def _run(self) -> None:
        while True:
            with self._woken:
                if self._closed:
                    return
                seen = self._wakes
            try:
                lease = self._batches.lease(self._lease_seconds)
                if lease is not None:
                    self._do(lease)
                    continue
            except Exception:
                _log.exception("No answer is drafted; it is tried again.")
            with self._woken:
                self._woken.wait_for(
                    lambda: self._closed or self._wakes != seen,  # noqa: B023
                    self._look_seconds,
                )

    def _do(self, lease: DraftLease) -> None:
        ended = threading.Event()
        holding = threading.Thread(target=self._hold, args=(lease, ended), daemon=True)
        holding.start()
        try:
            self._maker.make(lease)
        except LeaseLostError:
            _log.info("Another worker drafts %s meanwhile.", lease.submission_id)
        except (BudgetSpentError, ModelUnavailableError, ConflictError) as error:
            # Passes by no waiting of ours: a person has to look, and nothing of it is lost.
            _log.warning("The batch %s stops: %s", lease.batch_id, error.message)
            if not self._closed:
                self._batches.stop(lease.batch_id, stop_message(error))
            self._batches.give_back(lease)
        except KeyboardInterrupt:
            self._batches.give_back(lease)
            raise
        except NotFoundError as error:
            self._end(lease, error.message)
        except Exception:
            _log.exception("The answer %s cannot be drafted.", lease.submission_id)
            self._end(lease, "It could not be drafted; the server's log says why.")
        finally:
            ended.set()
            holding.join()

    def _end(self, lease: DraftLease, error: str) -> None:
        try:
            self._batches.fail(lease, error)
        except LeaseLostError:
            _log.info("Another worker drafts %s meanwhile.", lease.submission_id)

    def _hold(self, lease: DraftLease, ended: threading.Event) -> None:
        """Renew the lease until the work on it has ended."""
        while not ended.wait(self._lease_seconds / 3):
            try:
                self._batches.renew(lease, self._lease_seconds)
            except LeaseLostError:
                return
            except Exception:
                _log.warning("A lease could not be renewed; it is tried again.", exc_info=True)
