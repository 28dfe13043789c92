"""Removing containers for good: what the engine does not remove at once is tried again later.

A container ends with its stream in any case, so what is left over costs no processor time; it may
hold memory, and at Podman volumes.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from docker.errors import APIError

from jupyter_ppo.domain.errors import PPOError, SandboxError
from jupyter_ppo.sandbox import podman
from jupyter_ppo.sandbox.engine import Engine, engine_errors

#: How long the engine may take to finish a removal that it began by itself.
_REMOVAL_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.01
#: After a failure the next attempt waits this long, twice as long after each further one.
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 60.0
#: How long an engine may take to answer an attempt of which nobody waits for the end.
_ANSWER_SECONDS: Final = 20.0
#: How long the end of such an attempt is waited for when the server stops.
_JOIN_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


def remove(engine: Engine, name: str) -> None:
    """Remove a container and its volumes, and wait until the engine has forgotten them.

    Raises ``EngineUnavailableError`` or ``SandboxError`` when something may still be there; then
    ``LEFTOVERS`` knows of it.
    """
    try:
        _remove(engine, name)
    except BaseException:
        LEFTOVERS.add(engine, name)
        raise


def _remove(engine: Engine, name: str) -> None:
    is_gone = False
    try:
        _remove_container(engine, name)
        is_gone = True
    finally:
        # Also of a container that is perhaps there; its volumes are tried once then.
        if engine.is_podman:
            with engine_errors("removing a volume"):
                podman.remove_volumes(engine.api, name, wait=is_gone)


def _remove_container(engine: Engine, name: str) -> None:
    api = engine.api
    end = time.monotonic() + _REMOVAL_SECONDS
    is_asked = False
    while time.monotonic() < end:
        with engine_errors("removing a container"):
            try:
                if not is_asked:
                    api.remove_container(name, force=True, v=True)
                    is_asked = True
                api.inspect_container(name)
            except APIError as error:
                if podman.is_forgotten(error):
                    return
                if error.status_code == 409:
                    is_asked = True  # it ended by itself, and the engine is removing it already
                elif not (engine.is_podman and podman.is_changing(error)):
                    raise
        time.sleep(_PAUSE_SECONDS)
    msg = f"The container engine did not remove container {name}."
    raise SandboxError(msg, field="engine")


class Leftovers:
    """What could not be removed, tried again in a thread between ``start`` and ``stop``.

    What is left when the server stops is found at its next start (``reaper``). Safe to use from
    any thread.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: Address of the engine, as it was asked for, and name of the container.
        self._left: dict[tuple[str | None, str], None] = {}
        self._users = 0
        self._stopping: threading.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def names(self) -> frozenset[str]:
        """The containers that are to be removed."""
        with self._changed:
            return frozenset(name for _, name in self._left)

    def add(self, engine: Engine, name: str) -> None:
        """Remember a container at this engine; more than once does no harm."""
        with self._changed:
            self._left[engine.asked_url, name] = None
            self._changed.notify_all()

    def start(self) -> None:
        """Begin to try, unless somebody else has begun."""
        with self._changed:
            self._users += 1
            if self._thread is None:
                self._stopping = threading.Event()
                self._thread = threading.Thread(
                    target=self._run,
                    args=(self._stopping,),
                    name="jupyter-ppo-leftovers",
                    daemon=True,
                )
                self._thread.start()

    def stop(self) -> None:
        """Try no more, unless somebody else has begun too; what is left is not forgotten."""
        with self._changed:
            self._users -= 1
            if self._users or self._stopping is None or self._thread is None:
                return
            thread, self._thread = self._thread, None
            self._stopping.set()
            self._changed.notify_all()
        thread.join(_JOIN_SECONDS)

    def _run(self, stopping: threading.Event) -> None:
        wait = _FIRST_RETRY_SECONDS
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._left or stopping.is_set())
                self._changed.wait_for(stopping.is_set, wait)
                if stopping.is_set():
                    return
                left = list(self._left)
            failed = [item for item in left if not self._try(*item)]
            wait = min(2 * wait, _LONGEST_RETRY_SECONDS) if failed else _FIRST_RETRY_SECONDS

    def _try(self, url: str | None, name: str) -> bool:
        try:
            with Engine.connect(url, timeout=_ANSWER_SECONDS) as engine:
                _remove(engine, name)
        except PPOError as error:
            _log.debug("Container %s is still not removed: %s", name, error)
            return False
        with self._changed:
            self._left.pop((url, name), None)
        _log.info("Container %s, which the engine had not removed, is gone now.", name)
        return True


#: Those of this process.
LEFTOVERS: Final = Leftovers()
