"""The process that examines one submission: it runs the author's cells and says what came of them.

One process per submission, forked from a preloaded one: seeds, ``inspect`` and everything that the
author's code changes end with it. Orders and answers are frames of ``Channel.CHECK``, the questions
to the student's kernel and its answers frames of ``Channel.BORDER``.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
import traceback
import types
from typing import Any, Final, NoReturn

from jupyter_ppo.sandbox.border import answers
from jupyter_ppo.sandbox.border.breach import LATE, Breach, State
from jupyter_ppo.sandbox.border.cell import MAX_TEXT, CellResult, run_cell, text_of
from jupyter_ppo.sandbox.border.clock import Clock
from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.names import Names
from jupyter_ppo.sandbox.border.peer import Peer
from jupyter_ppo.sandbox.border.seeds import Seeds
from jupyter_ppo.sandbox.border.session import Budget, Session

_CRASHED: Final = 70
_MAX_LINES: Final = 200
_MAX_NOTE: Final = 200
#: Bytes of JSON that a check may write down for people.
_MAX_RECORDS: Final = 256 * 1024
_RECORD: Final = "jupyter_ppo.checks.record"
_MENTIONS_CHECKS: Final = re.compile(r"\bjupyter_ppo\b")


def main(sock: socket.socket) -> NoReturn:
    """Examine one submission over a connected socket; never returns."""
    code = 0
    try:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - as long as the process
        examiner = Examiner(Peer(Link(sock)))
        while True:
            examiner.obey()
    except BaseException:
        code = _CRASHED
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


class Examiner:
    """Obeys the server's orders, one after another."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._cells = 0

    def obey(self) -> None:
        """Wait for the next order and do it."""
        order = self._peer.order()
        if order["do"] == "begin":
            self._begin(order)
        elif order["do"] == "given":
            self._given(order["code"])
        elif order["do"] == "check":
            self._check(order)

    def _begin(self, order: dict[str, Any]) -> None:
        budget = Budget(order["cell_seconds"], order["max_calls"], order["max_bytes"])
        self._session = session = Session(
            self._peer,
            budget,
            order.get("first", 0),
            student_names=frozenset(order["student_names"]),
            offers=frozenset(order.get("offers", ())),
            is_recording=order["record"],
        )
        self._names = names = Names(session, order["student_names"])
        names["get_ipython"], names["display"] = _get_ipython, _display
        self._seeds = Seeds(session)
        self._clock = Clock(session)
        answers.install(order["sources"])
        sys.modules["__main__"] = _main_module(names)
        session.tell({"did": "begin"})

    def _given(self, code: str) -> None:
        self._seeds.is_mirrored = False
        self._session.contract = frozenset()
        result = self._run(code, "given", ())
        failure = self._session.failure
        text = failure.text if failure is not None else result.error_message
        error = None if failure is None and result.error is None else text or result.error_type
        self._session.tell({"did": "given", "error": error})

    def _run(self, code: str, what: str, pushed: tuple[str, ...]) -> CellResult:
        """Run a cell under the clock, which starts when what it imports is there."""
        self._cells += 1
        self._seeds.prepare(code)
        self._session.begin()
        self._names.begin_cell(pushed)
        try:
            with self._clock.running():
                return run_cell(code, self._names, f"<{what} {self._cells}>")
        except Breach as breach:  # the alarm rang when the cell was over already
            return CellResult(error=breach, error_type=Breach.__name__)

    def _check(self, order: dict[str, Any]) -> None:
        session, code, began = self._session, order["code"], time.monotonic()
        recorder = _recorder(code)
        if recorder is not None:
            recorder.start(_LineHooks(session, self._clock))
        self._seeds.is_mirrored = True
        session.contract = frozenset(order["contract"])
        if self._peer.is_gone:
            session.begin()
            result = CellResult()
        else:
            result = self._run(code, "test", tuple(order["pushed"]))
        recorder = recorder or sys.modules.get(_RECORD)
        lines, records = recorder.take() if recorder is not None else ([], [])
        said: dict[str, Any] = {"did": "check", "index": order["index"]}
        said |= self._outcome(result, lines)
        said["output"] = result.output
        said["lines"] = [
            {
                "name": line.name[:MAX_TEXT],
                "points": line.points,
                "max_points": line.max_points,
                "message": line.message[:MAX_TEXT],
            }
            for line in lines[:_MAX_LINES]
        ]
        said["uses"] = sorted(session.used)
        said["mutations"] = sorted(set(session.mutations))
        said["notes"] = [text[:_MAX_NOTE] for text in session.notes.values()]
        said["records"] = _plain(records)
        said |= {"calls": session.calls, "seconds": time.monotonic() - began}
        session.tell(said)

    def _outcome(self, result: CellResult, lines: list[Any]) -> dict[str, Any]:
        """Return how the check ended. What the session remembers decides over what the test did."""
        failure, value = self._session.failure, result.value
        if failure is not None:
            state, text, value = failure.state, failure.text[:MAX_TEXT], None
            kind = TimeoutError.__name__ if state is State.TIMEOUT else ""
        else:
            is_passed = result.error is None and all(
                line.points >= line.max_points for line in lines
            )
            state = State.PASSED if is_passed else State.FAILED
            kind, text = result.error_type, result.error_message
            if lines:
                value = repr(float(sum(line.points for line in lines)))
        return {
            "state": state.value,
            "value": value if result.error is None else None,
            "error_type": kind,
            "error_message": text,
            "line": result.line,
            "is_message": failure is None and result.is_message,
        }


class _LineHooks:
    """What happens around each of several checks in a cell."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._open = 0

    def entered(self) -> None:
        """Start the clock anew; raise when something went wrong outside of the checks."""
        failure = self._session.failure
        if failure is not None:
            raise Breach(failure.state, failure.text)
        self._open += 1
        self._session.restart_clock()
        self._clock.wind()
        self._session.tell({"tell": "check"})

    def text_of(self, error: BaseException) -> str:
        """Return an error's text, while the line's clock still runs."""
        return text_of(error)

    def left(self) -> str | None:
        """Return why the line is lost, None if it is not; raise when the whole check is.

        A failure is the line's own: ``entered`` let none in.
        """
        failure, is_open = self._session.failure, self._open > 0
        self._open -= is_open
        if failure is None:
            return None
        if not (is_open and self._session.recover()):
            raise Breach(failure.state, failure.text)
        self._clock.wind()
        self._session.tell({"tell": "check"})
        return LATE


def _recorder(code: str) -> Any:
    """Return the module that keeps a cell's several checks, if the cell can have some."""
    if _RECORD not in sys.modules and _MENTIONS_CHECKS.search(code):
        try:
            __import__(_RECORD)
        except ImportError:  # the cell will say so
            return None
    return sys.modules.get(_RECORD)


def _plain(records: list[Any]) -> list[Any]:
    """Return as many of the records as can be sent."""
    kept, left = [], _MAX_RECORDS
    for record in records:
        try:
            left -= len(json.dumps(record))
        except (TypeError, ValueError, RecursionError):
            continue
        if left < 0:
            break
        kept.append(record)
    return kept


def _main_module(names: Names) -> types.ModuleType:
    """Return a module that shows these names: pickle and dataclasses look there."""
    module = types.ModuleType("__main__")

    def lookup(name: str) -> Any:
        try:
            return names[name]
        except KeyError:
            msg = f"module '__main__' has no attribute {name!r}"
            raise AttributeError(msg) from None

    module.__getattr__ = lookup  # type: ignore[method-assign]
    return module


def _get_ipython() -> NoReturn:
    msg = (
        "A sealed test has no IPython: write it without magics and shell commands, or give its "
        "cell the tag 'unsealed'."
    )
    raise RuntimeError(msg)


def _display(*_: Any, **__: Any) -> None:
    """Show nothing: nobody looks at the examiner's cells."""
