"""The examiner's end of the border: one request at a time to the student's kernel, within budgets.

Every request has a number, and only its own answer is taken; what comes late is dropped. While the
student's code works on a request it may call what the test has handed to it: calls nest. Once
something went wrong, every further request of the check fails too (``failure``), so that a test
with a bare ``except`` gains nothing.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from jupyter_ppo.sandbox.border import wire
from jupyter_ppo.sandbox.border.breach import LATE, Breach, State
from jupyter_ppo.sandbox.border.errors import ErrorTypes
from jupyter_ppo.sandbox.border.peer import Peer
from jupyter_ppo.sandbox.border.remote import Reference, make_remote, reference_of
from jupyter_ppo.sandbox.border.restoring import restore
from jupyter_ppo.sandbox.border.shared import SharedObjects

MAX_NESTING: Final = 20
_MAX_MUTATIONS: Final = 100
_MAX_NOTES: Final = 20
#: Seconds that the kernel may go on by itself after a failure, and for all that it takes one check
#: to have it idle again.
_PATIENCE, _SETTLING = 0.5, 15.0
_GONE: Final = "The student's kernel has ended."
_STUCK: Final = "The time for this check is used up, and the student's code does not stop."


@dataclass(frozen=True, slots=True)
class Budget:
    """What one check may use of the border."""

    seconds: float = 60.0
    calls: int = 200_000
    bytes: int = 2**30


class Session:
    """Requests to one student's kernel.

    Requests are numbered from ``first`` on, so that no answer to an earlier session is taken. A
    recording session allows every use and notes those that need an allowance; any other allows
    those in ``contract``, which each check sets. ``offers`` are the uses of shared objects that any
    check allows: such an object may be kept by the student's code from one check to the next.
    """

    def __init__(
        self,
        peer: Peer,
        budget: Budget,
        first: int = 0,
        *,
        student_names: frozenset[str] = frozenset(),
        offers: frozenset[str] = frozenset(),
        is_recording: bool = False,
    ) -> None:
        self.contract: frozenset[str] = frozenset()
        self.student_names = student_names
        self.is_recording = is_recording
        self.errors = ErrorTypes()
        self.is_busy = False  # the border keeps the time then
        self._peer = peer
        self._budget = budget
        self._offers = offers
        self._shared = SharedObjects(lambda use: use in self._offers or self._allows(use))
        self._lock = threading.RLock()
        self._number, self._nesting = first, 0
        self._is_decoding = False
        self.begin()

    def begin(self) -> None:
        """Start a check: its clock, its budgets and what is noted of it."""
        self.failure: Breach | None = None
        self.used: set[str] = set()
        self.mutations: list[str] = []
        self.notes: dict[str | int, str] = {}  # by class
        self.calls = self._bytes = 0
        self._settle_until: float | None = None
        self.restart_clock()
        if self._peer.is_gone:
            self.fail(State.NOT_RUN, _GONE)

    def restart_clock(self) -> None:
        """Give the check its full time from now on."""
        self.deadline = time.monotonic() + self._budget.seconds

    @property
    def is_late(self) -> bool:
        """Whether the time is used up."""
        return time.monotonic() >= self.deadline

    def recover(self) -> bool:
        """Forget a failure that cost time only; False when the border does not hold any more."""
        if self.failure is not None and self.failure.state is State.TIMEOUT:
            self.failure = None
            self.restart_clock()
        return self.failure is None

    def fail(self, state: State, text: str, *, is_answered: bool = False) -> Breach:
        """Note the first failure of the check and return what to raise.

        ``is_answered``: the student's kernel is not working on the request any more.
        """
        if self.failure is None:
            self.failure = Breach(state, text)
        return Breach(self.failure.state, self.failure.text, is_answered=is_answered)

    def allow(self, use: str) -> bool:
        """Whether the contract allows a use; a recording session notes and allows it."""
        if self.is_recording:
            self.used.add(use)
        return self._allows(use)

    def _allows(self, use: str) -> bool:
        return self.is_recording or use in self.contract

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something to the server."""
        with self._lock, self._busy():
            self._peer.tell(message)

    @contextmanager
    def _busy(self, is_busy: bool = True) -> Iterator[None]:
        before, self.is_busy = self.is_busy, is_busy
        try:
            yield
        finally:
            self.is_busy = before

    # -- a request -------------------------------------------------------------------------------

    def request(
        self,
        op: str,
        *arguments: Any,
        name: str | None = None,
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        """Have the student's kernel do something and return what it answers.

        Raises what the student's code raised, ``TypeError`` for an argument that cannot cross, and
        ``Breach`` when the check is over.
        """
        if self._is_decoding:  # a student's object as a key: its hash would be asked for
            msg = "An answer has the student's own objects as keys."
            raise wire.WireError(msg)
        keywords = keywords or {}
        with self._lock, self._busy():
            if self.failure is not None:
                raise Breach(self.failure.state, self.failure.text)
            encoder = wire.Encoder(self._outgoing)
            self._number += 1
            number = self._number
            message = {"q": number, "op": op, "n": name}
            try:
                message["a"] = [encoder.tree(argument) for argument in arguments]
                message["k"] = {key: encoder.tree(value) for key, value in keywords.items()}
                header = wire.dumps(message)
            except wire.WireError as error:
                raise TypeError(str(error)) from None
            reply, data = self._exchange(number, header, encoder.blob())
            return self._result(reply, data, name, arguments, keywords)

    def _exchange(self, number: int, header: bytes, blob: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a request and return its answer; leave the kernel idle whatever happens."""
        self._count_call(is_answered=True)
        self._count_bytes(len(header) + len(blob), is_answered=True)
        self._peer.send(header, blob)
        try:
            return self._answer(number)
        except Breach as breach:
            if breach.is_answered or self._peer.is_gone:
                raise
            self._settle(number, 0.0 if breach.state is State.TIMEOUT else _PATIENCE)
            raise self.fail(breach.state, breach.text) from None

    def _settle(self, number: int, patience: float) -> None:
        if self._settle_until is None:
            self._settle_until = time.monotonic() + _SETTLING
        if not self._peer.settle(number, patience, self._settle_until):
            self.failure = Breach(State.NOT_RUN, _STUCK)

    def _answer(self, number: int) -> tuple[dict[str, Any], bytes]:
        """Wait for the answer to a request, and serve the calls that come before it."""
        while True:
            frame = self._peer.next(self.deadline)
            if frame is None:
                if self._peer.is_gone:
                    raise self.fail(State.NOT_RUN, _GONE)
                raise self.fail(State.TIMEOUT, LATE)
            try:
                header, blob = frame.parts
                message = wire.loads(header)
            except (ValueError, wire.WireError) as error:
                text = f"An answer cannot be read: {error}"
                raise self.fail(State.BORDER, text, is_answered=True) from None
            is_mine = message.get("q") == number
            is_answer = is_mine and "cb" not in message
            self._count_bytes(frame.size, is_answered=is_answer)
            if is_answer:
                return message, blob
            if is_mine:
                self._serve(number, message, blob)

    def _result(
        self,
        reply: dict[str, Any],
        data: bytes,
        name: str | None,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
    ) -> Any:
        """Return the value of an answer, or raise its exception."""
        error: Exception | None = None
        result: Any = None
        with self._decoding():
            try:
                decoder = wire.Decoder(data, lambda tag, node: self._incoming(tag, node, arguments))
                if "x" in reply:
                    error = self._error(reply, decoder, is_next=name == "__next__")
                else:
                    result = decoder.value(reply["r"])
                    error = self._restore(reply.get("mut") or {}, decoder, arguments, keywords)
            except Exception as found:  # whatever a forged answer provokes
                text = f"An answer cannot be used: {type(found).__name__}: {found}"
                raise self.fail(State.BORDER, text) from None
        if type(reply.get("out")) is str and reply["out"]:
            sys.stdout.write(reply["out"])
        if error is not None:
            raise error
        return result

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        self._is_decoding = True
        try:
            yield
        finally:
            self._is_decoding = False

    def _error(self, reply: dict[str, Any], decoder: wire.Decoder, *, is_next: bool) -> Exception:
        text, label = (
            value if type(value := reply.get(key)) is str else "" for key in ("msg", "n")
        )
        arguments = decoder.value(reply["a"]) if "a" in reply else ()
        return self.errors.make(reply["x"], text, label, arguments, is_next=is_next)

    def _restore(
        self,
        changed: dict[str, wire.Tree],
        decoder: wire.Decoder,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
    ) -> Exception | None:
        """Do to the arguments what the student's code did to its copies of them."""
        given = {str(at): value for at, value in enumerate(arguments)} | dict(keywords)
        callee = reference_of(arguments[0]) if arguments else None
        label = "" if callee is None else callee.path
        for key, tree in changed.items():
            if key not in given:
                msg = "An argument that was never sent came back."
                raise wire.WireError(msg)
            if len(self.mutations) < _MAX_MUTATIONS:
                self.mutations.append(f"{label}(argument {key})")
            new = decoder.value(tree)
            if getattr(getattr(given[key], "flags", None), "writeable", True) is False:
                return ValueError("assignment destination is read-only")
            restore(given[key], new)
        return None

    # -- what crosses ----------------------------------------------------------------------------

    def _outgoing(self, value: Any) -> wire.Tree:
        reference = reference_of(value)
        handle = self.errors.handle_of(value) if reference is None else reference.handle
        return self._shared.tree(value) if handle is None else {"t": "ref", "v": handle}

    def _incoming(self, tag: str, node: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        """Build what is no plain value: a reference, an argument, or an object of our own."""
        value = node.get("v")
        if tag == "arg":
            if type(value) is not int or not 0 <= value < len(arguments):
                msg = "An argument that was never sent came back."
                raise wire.WireError(msg)
            return arguments[value]
        if tag in {"cb", "env"}:
            return self._shared.named(value)
        if tag != "ref":
            msg = "An answer holds something unknown."
            raise wire.WireError(msg)
        reference = Reference.read(node)
        if reference.is_class:
            error = self.errors.of(list(reference.classes), reference.name)
            if error is not None:
                return error
        asked = reference_of(arguments[0]) if arguments else None
        self._note(reference)
        return make_remote(self, reference.within(asked))

    def _note(self, reference: Reference) -> None:
        """Write down that an object looks like a plain value and is none."""
        base = reference.plain_base
        if base is None or len(self.notes) >= _MAX_NOTES:
            return
        label = reference.name if reference.name in self.student_names else ""
        if not self._allows(f"{label}.__eq__"):
            self.notes[reference.classes[0]] = (
                f"Your code gave an object of the class {reference.name!r}, a subclass of {base}, "
                f"which equals nothing here; give a plain {base}."
            )

    def _count_call(self, *, is_answered: bool = False) -> None:
        self.calls += 1
        if self.calls > self._budget.calls:
            text = f"More than {self._budget.calls} calls between the test and the student's code."
            raise self.fail(State.BORDER, text, is_answered=is_answered)

    def _count_bytes(self, size: int, *, is_answered: bool = False) -> None:
        self._bytes += size
        if self._bytes > self._budget.bytes:
            text = f"More than {self._budget.bytes} bytes between the test and the student's code."
            raise self.fail(State.BORDER, text, is_answered=is_answered)

    # -- calls of the student's code -------------------------------------------------------------

    def _serve(self, number: int, message: dict[str, Any], blob: bytes) -> None:
        """Answer a call of the student's code to something that it was handed."""
        self._nesting += 1
        header, data = wire.dumps({"q": number, "x": TimeoutError.__name__}), b""
        try:
            if self._nesting > MAX_NESTING:
                raise self.fail(State.BORDER, f"Calls nest deeper than {MAX_NESTING}.")
            self._count_call()
            encoder = wire.Encoder(self._outgoing)
            tree = encoder.tree(self._called(message, blob))
            header, data = wire.dumps({"q": number, "r": tree}), encoder.blob()
        except Exception as error:  # its text and its frames stay here
            header = wire.dumps({"q": number, "x": type(error).__name__})
        finally:  # after a Breach too: the student's code waits for an answer
            self._nesting -= 1
            self._peer.send(header, data)
        self._count_bytes(len(header) + len(data))

    def _called(self, message: dict[str, Any], blob: bytes) -> Any:
        with self._decoding():
            try:
                decoder = wire.Decoder(blob, lambda tag, node: self._incoming(tag, node, ()))
                arguments = [decoder.value(tree) for tree in message["a"]]
                keywords = {str(key): decoder.value(tree) for key, tree in message["k"].items()}
            except Exception as error:
                text = f"A call cannot be used: {type(error).__name__}: {error}"
                raise self.fail(State.BORDER, text) from None
        with self._busy(False):  # the author's code again, which the clock may stop
            try:
                target, use = self._shared.target(message["cb"], message.get("m"))
            except wire.WireError as error:
                raise self.fail(State.BORDER, str(error)) from None
            if use is not None:
                self.allow(use)
            is_called = use is None or callable(target)
            return target(*arguments, **keywords) if is_called else target
