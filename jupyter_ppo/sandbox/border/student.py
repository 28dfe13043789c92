"""The student's side of the border: answers the examiner's questions in the student's kernel.

It is not trusted. It only has to survive accidents, such as a replaced builtin or a print in a
thread: a student who breaks it breaks the answers to tests, and nothing else. It runs on the
kernel's main thread, between cells, where the student's functions expect to run.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import socket
import sys
import threading
from _signal import SIG_IGN, SIGINT  # type: ignore[import-not-found]  # what ``signal`` wraps
from _signal import signal as set_handler
from _thread import get_ident
from asyncio import AbstractEventLoop
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.student_objects import StudentObjects
from jupyter_ppo.sandbox.border.wire import Decoder, Encoder, Tree, WireError, dumps, loads
from jupyter_ppo.sandbox.frames import Channel, Frame

#: What student code may print while it answers one question, in characters.
_MOST_OUTPUT: Final = 2**20
#: Of text that JSON makes longer, up to twelve bytes for a character.
_MOST_ESCAPED: Final = 2**17
_MOST_MESSAGE: Final = 2000
_MAIN_THREAD: Final = threading.main_thread().ident
_SEEDS: Final = frozenset({"random.seed", "numpy.random.seed", "torch.manual_seed"})
#: Plain values of these types have no identity that a test could ask for.
_WITHOUT_IDENTITY: Final = (type(None), bool, int, float, complex, str, bytes)
_CHANGEABLE: Final = (list, dict, set, bytearray, deque, OrderedDict, Counter, defaultdict)
_CHANGEABLE_NAMES: Final = frozenset({"ndarray", "Tensor", "Parameter"})

Reply = tuple[dict[str, Tree], bytes]


def install(descriptor: int, names: dict[str, Any], loop: AbstractEventLoop) -> None:
    """Answer on this thread, whenever ``loop`` has nothing else to do, until the other end closes.

    ``descriptor`` is a connected socket that from now on belongs to the student's side, ``names``
    the notebook's variables.
    """
    link = Link(socket.socket(fileno=descriptor))
    student = Student(link, names)

    def read() -> None:
        try:
            student.serve_what_came()
        except (EOFError, OSError, ValueError):
            loop.remove_reader(descriptor)
            link.close()

    loop.add_reader(descriptor, read)
    os.register_at_fork(after_in_child=link.close)  # a fork of the student's has no examiner


class Student:
    """Works on the requests of one link, one after the other; in a callback they nest."""

    def __init__(self, link: Link, names: dict[str, Any]) -> None:
        self._link = link
        self._names = names
        self._objects = StudentObjects(self._ask)
        self._output = _Output()
        self._open: list[int] = []  # the numbers of the requests that are worked on
        self._thread = get_ident()
        self._may_interrupt = False
        self._is_interrupted = False
        self._operations: dict[str, Callable[[Any, list[Any], dict[str, Any]], Any]] = {
            "get": self._get,
            "set": self._set,
            "del": self._del,
            "attr": lambda name, args, _: getattr(args[0], name),
            "setattr": lambda name, args, _: setattr(args[0], name, args[1]),
            "delattr": lambda name, args, _: delattr(args[0], name),
            "call": _call,
            "isinstance": lambda _, args, __: isinstance(args[0], args[1]),
            "issubclass": lambda _, args, __: issubclass(args[0], args[1]),
            "seed": _seed,
            "ping": lambda *_: None,
        }

    def serve(self) -> None:
        """Answer until the other end closes, without an event loop."""
        with suppress(EOFError, OSError):
            while True:
                frame = self._link.receive(None)
                if frame is not None:
                    self._take(frame)

    def serve_what_came(self) -> None:
        """Read once and answer what is complete; raise ``EOFError`` at the end."""
        if self._open:  # the event loop was entered again by the code that is asked
            return
        self._link.fill()
        while (frame := self._link.waiting()) is not None:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        message = _message(frame)
        if message is not None and "op" in message:  # else an answer that nobody waits for any more
            self._serve(message, frame.parts[1])

    # -- one request -----------------------------------------------------------------------------

    def _serve(self, request: dict[str, Tree], blob: bytes) -> None:
        number = request["q"]
        on_main = get_ident() == _MAIN_THREAD
        before = set_handler(SIGINT, self._interrupted) if on_main else None
        self._thread = get_ident()
        depth = len(self._open)
        self._open.append(number)
        mark = self._output.begin()
        self._is_interrupted &= depth > 0
        self._may_interrupt = True
        try:
            try:
                reply, data = self._work(request, blob)
            except BaseException as error:
                reply, data = self._failed(error)
            finally:
                self._may_interrupt = False
        except BaseException as error:
            # An interrupt in the last moment, or an error that cannot even be told.
            is_interrupt = isinstance(error, KeyboardInterrupt)
            kind = "KeyboardInterrupt" if is_interrupt else "RuntimeError"
            reply, data = {"x": [f"builtins.{kind}"], "msg": ""}, b""
        del self._open[depth:]
        if on_main:
            set_handler(SIGINT, SIG_IGN if before is None else before)
        self._may_interrupt = bool(self._open)
        reply |= {"q": number, "out": self._output.end(mark)}
        self._send(reply, data)

    def _send(self, reply: dict[str, Tree], data: bytes) -> None:
        try:
            header = dumps(reply)
        except WireError as error:
            told = {"x": ["builtins.ValueError", "builtins.Exception"], "msg": str(error)}
            header, data = dumps(told | {"q": reply["q"], "out": ""}), b""
        self._link.send(Channel.BORDER, (header, data))

    def _interrupted(self, *_: object) -> None:
        """Handle SIGINT while a request is open: end the student's code once, never a message."""
        if self._link.busy:
            self._is_interrupted = True
        elif self._may_interrupt:
            self._may_interrupt = False
            raise KeyboardInterrupt

    def _work(self, request: dict[str, Tree], blob: bytes) -> Reply:
        args: list[Any] = []

        def incoming(tag: str, node: dict[str, Tree]) -> Any:
            return args[node["v"]] if tag == "arg" else self._objects.value(tag, node)

        decoder = Decoder(blob, incoming, generators=True)
        for tree in request.get("a", ()):
            args.append(decoder.value(tree))
        kwargs = {name: decoder.value(tree) for name, tree in request.get("k", {}).items()}
        named = {str(index): value for index, value in enumerate(args)} | kwargs
        before = {
            name: self._snapshot(value)
            for name, value in named.items()
            if request["op"] == "call" and _can_change(value)
        }
        result = self._operations[request["op"]](request.get("n"), args, kwargs)

        def outgoing(value: Any) -> Tree:
            for index, given_one in enumerate(args):
                if value is given_one:
                    return {"t": "arg", "v": index}
            return self._objects.node(value)

        encoder = Encoder(outgoing, generators=False)
        reply: dict[str, Tree] = {}
        is_argument = any(result is given for given in args)
        has_identity = is_argument and type(result) not in _WITHOUT_IDENTITY
        reply["r"] = outgoing(result) if has_identity else encoder.tree(result)
        reply["mut"] = {
            name: encoder.tree(named[name])
            for name, snapshot in before.items()
            if self._snapshot(named[name]) != snapshot
        }
        return reply, encoder.blob()

    def _snapshot(self, value: Any) -> tuple[bytes, bytes]:
        """Return what is different when the value is."""
        encoder = Encoder(self._objects.short_node)
        return dumps(encoder.tree(value)), encoder.blob()

    def _failed(self, error: BaseException) -> Reply:
        try:
            text = str(error)[:_MOST_MESSAGE]
        except Exception:
            text = ""
        plain = [arg for arg in error.args if type(arg) in (str, int, float, bool)]
        reply: dict[str, Tree] = {"x": self._objects.classes(type(error)), "msg": str.__str__(text)}
        reply["n"] = type(error).__name__
        if isinstance(error, WireError):
            reply["x"] = ["builtins.ValueError", "builtins.Exception"]
        encoder = Encoder(self._objects.short_node, generators=False)
        if len(plain) == len(error.args) and all(len(repr(arg)) < _MOST_MESSAGE for arg in plain):
            reply["a"] = encoder.tree(plain)
        return reply, encoder.blob()

    # -- what can be asked -----------------------------------------------------------------------

    def _get(self, name: str, _args: list[Any], _kwargs: dict[str, Any]) -> Any:
        if name in self._names:
            return self._names[name]
        if name in vars(builtins):
            return vars(builtins)[name]
        msg = f"name {name!r} is not defined"
        raise NameError(msg)

    def _set(self, name: str, args: list[Any], _kwargs: dict[str, Any]) -> None:
        self._names[name] = args[0]

    def _del(self, name: str, _args: list[Any], _kwargs: dict[str, Any]) -> None:
        if name not in self._names:
            msg = f"name {name!r} is not defined"
            raise NameError(msg)
        del self._names[name]

    # -- callbacks -------------------------------------------------------------------------------

    def _ask(
        self, number: int, member: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Have the examiner call one of its objects; meanwhile it may ask back."""
        if not self._open or get_ident() != self._thread:
            msg = "An object of the test can be used only while the test calls your code."
            raise RuntimeError(msg)
        current = self._open[-1]
        encoder = Encoder(self._objects.node, generators=False)
        question = {
            "q": current,
            "cb": number,
            "m": member,
            "a": [encoder.tree(arg) for arg in args],
            "k": {name: encoder.tree(arg) for name, arg in kwargs.items()},
        }
        self._link.send(Channel.BORDER, (dumps(question), encoder.blob()))
        while True:
            if self._is_interrupted:
                self._is_interrupted = False
                raise KeyboardInterrupt
            frame = self._link.receive(None)
            answer = None if frame is None else _message(frame)
            if frame is None or answer is None:
                continue
            if "op" in answer:
                self._serve(answer, frame.parts[1])
            elif answer["q"] == current:
                break
        if "x" in answer:
            raise _builtin_error(answer["x"])
        return Decoder(frame.parts[1], self._objects.value, generators=True).value(answer["r"])


class _Output(io.TextIOBase):
    """Stands in for standard output while requests are open, and keeps what is printed."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._outer: list[Any] = []

    def begin(self) -> int:
        """Catch what is printed from now on; return what ``end`` needs."""
        self._outer.append(sys.stdout)
        sys.stdout = self
        return self._text.tell()

    def end(self, mark: int) -> str:
        """Return what was printed since ``begin``, and stop catching."""
        outer = self._outer.pop()
        if sys.stdout is self:
            sys.stdout = outer
        self._text.seek(mark)
        text = self._text.read()
        self._text.seek(mark)
        self._text.truncate()
        is_short_in_json = text.isascii() and text.replace("\n", "").isprintable()
        return text if is_short_in_json else text[:_MOST_ESCAPED]

    def write(self, text: str, /) -> int:
        """Keep the text, as far as there is room."""
        self._text.write(text[: max(0, _MOST_OUTPUT - self._text.tell())])
        return len(text)

    def writable(self) -> bool:
        """Say that text may be written."""
        return True


def _message(frame: Frame) -> dict[str, Tree] | None:
    """Return a message's header, or None when it is none."""
    if frame.channel is not Channel.BORDER or len(frame.parts) != 2:
        return None
    try:
        header = loads(frame.parts[0])
    except WireError:
        return None
    return header if type(header.get("q")) is int else None


def _call(name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call a member of the first argument; special ones as Python's operators do, by the class."""
    target, *rest = args
    if name is None or name == "__call__":
        return target(*rest, **kwargs)
    if not (name.startswith("__") and name.endswith("__")):
        return getattr(target, name)(*rest, **kwargs)
    for cls in type(target).__mro__:
        if name in vars(cls):
            method = vars(cls)[name]
            bind = getattr(type(method), "__get__", None)
            if bind is not None:
                method = bind(method, target, type(target))
            return method(*rest, **kwargs)
    msg = f"{type(target).__name__!r} object has no {name}"
    raise TypeError(msg)


def _seed(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Seed a library's own random numbers; importing it first may draw some."""
    if name not in _SEEDS:
        msg = f"{name!r} is not a seed."
        raise ValueError(msg)
    module, _, function = name.rpartition(".")
    getattr(importlib.import_module(module), function)(*args, **kwargs)


def _can_change(value: Any) -> bool:
    return type(value) in _CHANGEABLE or type(value).__name__ in _CHANGEABLE_NAMES


def _builtin_error(name: Tree) -> BaseException:
    """Return the error of that name; the examiner tells nothing else of its own errors."""
    found = getattr(builtins, name, None) if type(name) is str else None
    if isinstance(found, type) and issubclass(found, Exception):
        with suppress(TypeError):  # a UnicodeError needs more than a text
            return found("The test's object raised this.")
    return RuntimeError("The test's object raised an error.")
