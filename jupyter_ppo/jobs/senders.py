"""Threads that send what is in the outbox of webhooks until they are stopped."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from jupyter_ppo.domain.errors import LeaseLostError
from jupyter_ppo.domain.webhooks import SendLease
from jupyter_ppo.jobs.held import backoff

_log = logging.getLogger(__name__)

#: Far more than one message takes: whoever holds one for longer is dead.
LEASE_SECONDS = 90.0
#: How often an idle sender looks: a message comes from any process, and nobody wakes this one.
POLL_SECONDS = 2.0
#: A message under way ends within the time that a receiver has; then the process goes on to end.
_STOP_SECONDS = 15.0


class LeasedOutbox(Protocol):
    """Where messages wait."""

    def lease(self, worker: str, duration: timedelta) -> SendLease | None:
        """Take the message that is due longest, None if there is none."""


class Senders:
    """``senders`` threads; ``send`` sends one message and writes down what came of it."""

    def __init__(
        self,
        outbox: LeasedOutbox,
        send: Callable[[SendLease], object],
        *,
        senders: int = 2,
        lease_seconds: float = LEASE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._senders = senders
        self._duration = timedelta(seconds=lease_seconds)
        self._poll_seconds = poll_seconds
        self._changed = threading.Condition()
        self._wakes = 0
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; does nothing while they run."""
        if self._threads:
            return
        self._stopping = False
        place = f"{socket.gethostname()}-{os.getpid()}"
        self._threads = [
            # Daemons: a process that ends without ``stop`` is not held up.
            threading.Thread(
                target=self._run,
                args=(f"{place}-{number}",),
                name=f"webhooks-{number}",
                daemon=True,
            )
            for number in range(1, self._senders + 1)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there is something to send."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Send nothing more; return when what is under way has ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        ends_at = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
            if thread.is_alive():
                _log.error("%s does not stop; its message is sent again later", thread.name)
        self._threads = []

    def _run(self, name: str) -> None:
        pauses: backoff | None = None
        while True:
            with self._changed:
                if self._stopping:
                    return
                seen = self._wakes
            try:
                lease = self._outbox.lease(name, self._duration)
                if lease is not None:
                    self._send(lease)
            except LeaseLostError as error:
                _log.warning("%s: %s", name, error.message)
                continue
            except Exception as error:
                if pauses is None:
                    pauses = backoff(self._poll_seconds)
                    _log.warning("%s cannot send and keeps trying: %s", name, error)
                self._wait(next(pauses))
                continue
            pauses = None
            if lease is None:
                self._wait(self._poll_seconds, seen)

    def _wait(self, seconds: float, seen: int | None = None) -> None:
        """Wait until stopped, or, if ``seen`` is given, woken since then."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or (seen is not None and self._wakes != seen), seconds
            )
