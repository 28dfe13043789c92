"""A circuit breaker: a service that is down is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from jupyter_ppo.domain.circuit import Circuit
from jupyter_ppo.domain.tutoring import Failure

#: What says that the service is down. Being told to slow down does not, nor a wrong request.
_DOWN = frozenset({Failure.UNAVAILABLE, Failure.TIMEOUT})


class Breaker:
    """A ``Circuit`` to a language model, which knows what failures of it mean."""

    def __init__(
        self,
        *,
        failures: int = 5,
        seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._circuit = Circuit(failures=failures, seconds=seconds, clock=clock)

    def wait(self) -> float:
        """Return 0 if a request may be sent now, else after how many seconds to come back."""
        return self._circuit.wait()

    def note(self, failure: Failure | None) -> None:
        """Say how a request ended; None: it was answered."""
        self._circuit.note(is_down=failure in _DOWN)
