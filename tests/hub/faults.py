"""A TCP proxy that stands between two programs and plays a bad network: slow, cut, deaf, away."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What becomes of a connection."""

    NONE = "none"
    AWAY = "away"  # nobody listens: connections are refused
    DEAF = "deaf"  # it is taken, and nothing is ever answered
    CUT = "cut"  # it ends after the first bytes of the answer
    WRONG = "wrong"  # something else answers, with a page of its own


@dataclass(frozen=True)
class Faults:
    """What happens from now on; each answer comes ``delay`` seconds late."""

    fault: Fault = Fault.NONE
    delay: float = 0.0


#: What a proxy answers for a program that is not there, as some do: no error, and no JSON.
_PAGE = b"<html>Back soon</html>"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_PAGE),
    _PAGE,
)
#: Of an answer that is cut so many bytes arrive: its headers, and not the whole of its body.
_FIRST_BYTES = 420


class FaultyProxy:
    """Passes connections at ``port`` on to the port ``target``; ``stop()`` ends it.

    ``target`` may be set later. ``connections`` counts those that were taken.
    """

    def __init__(self, port: int, target: int = 0) -> None:
        self.port, self.target = port, target
        self.connections = 0
        self._now = Faults()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self._listen()

    def stop(self) -> None:
        """Close everything."""
        self._leave()

    @contextlib.contextmanager
    def while_it(self, fault: Fault = Fault.NONE, *, delay: float = 0.0) -> Iterator[None]:
        """Have all that passes from here on go wrong so; connections of before are ended."""
        self._now = Faults(fault, delay)
        self._end_open()
        if fault is Fault.AWAY:
            self._leave()
        try:
            yield
        finally:
            self._now = Faults()
            self._end_open()
            if self._listening is None:
                self._listen()

    def _listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._take, args=(self._listening,), daemon=True).start()

    def _leave(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
            listening.close()
        self._end_open()

    def _end_open(self) -> None:
        with self._lock:
            ending, self._open = self._open, set()
        for each in ending:
            _end(each)

    def _take(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self._now), daemon=True).start()

    def _serve(self, client: socket.socket, now: Faults) -> None:
        self._keep(client)
        try:
            if now.fault is Fault.DEAF:
                while client.recv(65536):
                    pass
                return
            if now.fault is Fault.WRONG:
                if client.recv(65536):
                    client.sendall(_ANSWER)
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self._keep(server)
            back = threading.Thread(target=self._answer, args=(server, client, now), daemon=True)
            back.start()
            while data := client.recv(65536):
                server.sendall(data)
            back.join(60)
        except OSError:
            pass
        finally:
            _end(client)

    def _answer(self, server: socket.socket, client: socket.socket, now: Faults) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                time.sleep(now.delay)
                if now.fault is Fault.CUT:
                    client.sendall(data[:_FIRST_BYTES])
                    break
                client.sendall(data)
        _end(client)
        _end(server)

    def _keep(self, each: socket.socket) -> None:
        with self._lock:
            self._open.add(each)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
