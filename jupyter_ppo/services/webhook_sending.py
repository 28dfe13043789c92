"""One message to one webhook: signed, sent, and what becomes of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from jupyter_ppo import __version__
from jupyter_ppo.domain.circuit import Circuit
from jupyter_ppo.domain.errors import InvalidInputError, UnavailableError
from jupyter_ppo.domain.ports import Clock
from jupyter_ppo.domain.webhook_addresses import AllowedHosts, Target, checked_target
from jupyter_ppo.domain.webhooks import (
    DELIVERY_HEADER,
    EVENT_HEADER,
    MAX_TRIES,
    SIGNATURE_HEADER,
    WEBHOOK_HEADER,
    PostResult,
    SendLease,
    signature,
    wait_after,
)

_log = logging.getLogger(__name__)

#: After so many failures in a row an address is left alone for so many seconds.
_FAILURES, _OPEN_SECONDS = 5, 60.0
#: Circuits of so many addresses are kept.
_MAX_CIRCUITS = 1000
#: How long a message waits that this process cannot sign; another process may have the key.
_NO_KEY = timedelta(minutes=1)


class Outbox(Protocol):
    """Where what came of a message is written down."""

    def record(self, lease: SendLease, result: PostResult, wait: timedelta | None) -> None:
        """Write down how a try ended; ``wait`` None: a failed one was the last."""

    def put_off(self, lease: SendLease, wait: timedelta, reason: str) -> None:
        """Send nothing now, and do not count this try."""


class OpensSecrets(Protocol):
    """Opens what was sealed."""

    def open(self, sealed: str) -> str:
        """Return what was sealed; raise ``UnavailableError``."""


class Posts(Protocol):
    """Sends, and checks where to."""

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> PostResult:
        """Send; whatever goes wrong is a result."""


class WebhookSending:
    """Sends leased messages; for any thread."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        box: OpensSecrets,
        posts: Posts,
        allowed: AllowedHosts,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._box = box
        self._posts = posts
        self._allowed = allowed
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def send(self, lease: SendLease) -> None:
        """Send a message and write down what came of it; raise ``LeaseLostError``."""
        try:
            # Settings may have changed since the address was entered.
            target = checked_target(lease.url, self._allowed)
        except InvalidInputError as error:
            self._record(lease, PostResult(None, error.message))
            return
        circuit = self._circuit(target.origin)
        wait = circuit.wait()
        if wait > 0:
            reason = "The address failed several times and is left alone for a moment."
            self._outbox.put_off(lease, timedelta(seconds=wait), reason)
            return
        try:
            secrets = [self._box.open(each) for each in lease.secrets]
        except UnavailableError as error:
            circuit.note(is_down=False)  # of the address nothing is known
            _log.error("webhooks cannot be signed: %s", error.message)
            reason = "This server cannot sign: it lacks the key of webhooks."
            self._outbox.put_off(lease, _NO_KEY, reason)
            return
        result = self._post(lease, target, secrets)
        circuit.note(is_down=result.is_down)
        self._record(lease, result)

    def _post(self, lease: SendLease, target: Target, secrets: list[str]) -> PostResult:
        delivery = lease.delivery
        body = delivery.body.encode()
        # When it is sent, not when it happened: a receiver refuses what is old.
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"jupyter-ppo/{__version__}",
            EVENT_HEADER: str(delivery.event),
            DELIVERY_HEADER: str(delivery.id),
            WEBHOOK_HEADER: str(delivery.webhook_id),
            SIGNATURE_HEADER: signature(secrets, timestamp, body),
        }
        return self._posts.post(target, headers, body)

    def _record(self, lease: SendLease, result: PostResult) -> None:
        tries = lease.delivery.tries
        is_last = tries >= MAX_TRIES or result.is_gone
        wait = None if is_last or result.is_delivered else wait_after(tries, result)
        self._outbox.record(lease, result, wait)
        if not result.is_delivered and is_last:
            _log.warning(
                "a message of the webhook %s was given up: %s",
                lease.delivery.webhook_id,
                result.reason,
            )

    def _circuit(self, origin: str) -> Circuit:
        with self._lock:
            if len(self._circuits) >= _MAX_CIRCUITS and origin not in self._circuits:
                self._circuits.clear()
            return self._circuits.setdefault(
                origin, Circuit(failures=_FAILURES, seconds=_OPEN_SECONDS)
            )
