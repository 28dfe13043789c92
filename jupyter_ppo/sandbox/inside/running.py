"""The student's own process: sets the stage, runs the code as ``__main__``, tells what came of it.

What is needed after the student's code is bound before it. A student who patches this process makes
his own result wrong, or it cannot be read; the server believes neither more than it checks.
"""

from __future__ import annotations

import atexit
import builtins
import fcntl
import io
import json
import linecache
import os
import resource
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any, Final, NoReturn

from jupyter_ppo.sandbox.inside import plain

FILE: Final = "program.py"
#: The result's descriptor is out of the way of those that a program opens.
_RESULT_DESCRIPTOR: Final = 255
_RECURSION_LIMIT: Final = sys.getrecursionlimit()
_FAILED: Final = 71
_UNKNOWN: Final = "(the error has no readable text)"

_exit, _write, _getpid, _exc_info = os._exit, os.write, os.getpid, sys.exc_info
_settrace, _setprofile, _setrecursionlimit = sys.settrace, sys.setprofile, sys.setrecursionlimit
_join_threads, _run_exit_functions = threading._shutdown, atexit._run_exitfuncs  # type: ignore[attr-defined]
_format_exception = traceback.format_exception


def prepare(program: bytes, result: int, keep: int) -> Callable[[], NoReturn]:
    """Set the stage; return what runs the program, writes its result and ends the process.

    ``program`` is JSON with ``code``, ``globals``, ``call`` (``function``, ``args``, ``kwargs``) or
    null, ``capture_locals`` and ``data_bytes``. No descriptor but ``keep`` stays open.
    """
    order = json.loads(program)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    result = fcntl.fcntl(result, fcntl.F_DUPFD_CLOEXEC, min(_RESULT_DESCRIPTOR, limit - 1))
    last = 2
    for number in sorted({result, keep}):
        os.closerange(last + 1, number)
        last = number
    os.closerange(last + 1, limit)
    os.environ["MPLBACKEND"] = "Agg"  # there is no notebook to draw in
    sys.argv = [FILE]
    sys.stdin = io.TextIOWrapper(
        io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8", errors="surrogateescape"
    )
    sys.stdout = _unbuffered(1, "surrogateescape")
    sys.stderr = _unbuffered(2, "backslashreplace")
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    numpy = sys.modules.get("numpy")
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # else every program here had the same numbers
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    main.__dict__.update(order["globals"])
    lines = order["code"].splitlines(keepends=True)
    linecache.cache[FILE] = (len(order["code"]), None, lines, FILE)
    given: dict[str, str] = {}
    if order["capture_locals"]:
        for name, value in order["globals"].items():
            given[name] = plain.to_json(value, order["data_bytes"], numpy) or ""
    own = _getpid()

    def begin() -> NoReturn:
        try:
            outcome = _Run(order, main.__dict__)
            _let_end()
            if _getpid() != own:  # a fork of the program came out of it as well
                _exit(0)
            _setrecursionlimit(_RECURSION_LIMIT)
            _write_all(result, outcome.report(given, numpy or sys.modules.get("numpy")))
        except BaseException:
            _exit(_FAILED)
        _exit(0)

    return begin


class _Run:
    """What the student's code did."""

    def __init__(self, order: dict[str, Any], namespace: dict[str, Any]) -> None:
        self._order = order
        self._namespace = namespace
        self._outcome = "succeeded"
        self._error: Any = None
        self._trace: types.TracebackType | None = None
        self._has_value = False
        self._value: Any = None
        try:
            code = compile(order["code"], FILE, "exec", dont_inherit=True)
        except MemoryError:
            self._error = SyntaxError("the code is nested too deeply")
            self._outcome = "syntax_error"
            return
        except BaseException as error:  # a ValueError for NUL
            self._outcome, self._error = "syntax_error", error
            return
        call = order["call"]
        try:
            exec(code, namespace)  # noqa: S102 - this is what the process is for
            if call is not None:
                self._value = self._call(call)
                self._has_value = True
        except BaseException as error:
            self._error = error
            trace = _exc_info()[2]
            self._trace = trace.tb_next if trace else None  # without the line above
            if call is not None or not _is_good_exit(error):
                self._outcome = "raised"
        finally:
            _settrace(None)
            _setprofile(None)

    def _call(self, call: dict[str, Any]) -> Any:
        name = call["function"]
        if name not in self._namespace:
            msg = f"name {name!r} is not defined"
            raise NameError(msg)
        return self._namespace[name](*call["args"], **call["kwargs"])

    def report(self, given: dict[str, str], numpy: Any) -> str:
        """Return the result as JSON."""
        fields = [f'"outcome":{plain.text(self._outcome)}']
        if self._outcome != "succeeded":
            fields += self._error_fields()
        left = self._order["data_bytes"]
        if self._has_value:
            value = plain.to_json(self._value, left, numpy)
            if value is not None:
                left -= len(value)
                fields.append(f'"value":{value}')
        if self._order["capture_locals"]:
            kept, omitted = plain.names_to_json(self._namespace, given, left, numpy)
            fields += [f'"locals":{kept}', f'"omitted":{omitted}']
        return f"{{{','.join(fields)}}}"

    def _error_fields(self) -> list[str]:
        try:
            message = str.__getitem__(str(self._error), slice(plain.MAX_MESSAGE))
        except BaseException:
            message = _UNKNOWN
        try:
            error = self._error
            pieces = _format_exception(type(error), error, self._trace)
            shown = _shortened("".join(pieces))
        except BaseException:
            shown = _UNKNOWN
        return [
            f'"error_type":{plain.text(plain.type_name(self._error))}',
            f'"error_message":{plain.text(message)}',
            f'"traceback":{plain.text(shown)}',
        ]


def _unbuffered(descriptor: int, errors: str) -> io.TextIOWrapper:
    """What is printed is out at once: a program that is killed keeps it."""
    raw: Any = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def _is_good_exit(error: BaseException) -> bool:
    """Whether this is the end that ``sys.exit()`` makes; else say on stderr why, as Python does."""
    if type(error) is not SystemExit:
        return False
    code = error.code
    try:
        if code is not None and not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    except BaseException:  # noqa: S110 - the student's own text and stream
        pass
    return code is None or (type(code) in (int, bool) and code == 0)


def _let_end() -> None:
    """Do what Python does at its end: join threads, run exit functions, flush."""
    for step in (_join_threads, _run_exit_functions):
        try:  # noqa: SIM105 - the student's code has had contextlib in its hands
            step()
        except BaseException:  # noqa: S110 - the student's own
            pass
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105
            stream.flush()
        except BaseException:  # noqa: S110
            pass


def _shortened(trace: str) -> str:
    if len(trace) <= plain.MAX_TRACEBACK:
        return trace
    half = plain.MAX_TRACEBACK // 2 - 10
    return f"{trace[:half]}\n  [...]\n{trace[-half:]}"


def _write_all(descriptor: int, report: str) -> None:
    data = memoryview(report.encode("ascii"))
    while data:
        data = data[_write(descriptor, data) :]
