"""What a request to run code may hold. Fields are named as in the body of ``POST /execute``."""

from __future__ import annotations

import json
import keyword
import math
from collections.abc import Mapping
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError
from jupyter_ppo.domain.execution import (
    MAX_CASES,
    MAX_CODE,
    MAX_DATA_BYTES,
    MIN_MEMORY_MB,
    TIMEOUT_SECONDS,
    Call,
    Case,
    ExecutionBounds,
    ExecutionRequest,
)

#: How deep lists and objects may be nested in one another.
MAX_DEPTH = 100

_MAX_NAME = 200


def check_request(request: ExecutionRequest, bounds: ExecutionBounds) -> None:
    """Raise ``InvalidInputError``, or ``TooLargeError``, that names the field and its range."""
    _check_code(request.code)
    low, high = TIMEOUT_SECONDS
    if not low <= request.timeout_seconds <= high:
        msg = f"timeout: {request.timeout_seconds!r} is outside {low} to {high} s."
        raise InvalidInputError(msg, field="timeout")
    top = bounds.max_memory_mb
    if not MIN_MEMORY_MB <= request.memory_mb <= top:
        msg = f"memory: {request.memory_mb!r} is outside {MIN_MEMORY_MB} to {top} MiB."
        raise InvalidInputError(msg, field="memory")
    _check_globals(request.globals)
    _check_stdin(request)
    if len(request.cases) > MAX_CASES:
        msg = f"cases: {len(request.cases)} cases; at most {MAX_CASES} are allowed."
        raise TooLargeError(msg, field="cases")
    if request.cases and request.capture_locals:
        msg = "capture_locals: not together with cases. Leave one of the two out."
        raise InvalidInputError(msg, field="capture_locals")
    _check_size(
        sum(_check_case(case, f"cases[{index}]") for index, case in enumerate(request.cases)),
        "cases",
    )


def _check_code(code: str) -> None:
    if not code.strip():
        msg = f"code: there is no code. Send 1 to {MAX_CODE:,} characters."
        raise InvalidInputError(msg, field="code")
    if len(code) > MAX_CODE:
        msg = f"code: {len(code):,} characters; at most {MAX_CODE:,} are allowed."
        raise TooLargeError(msg, field="code")
    if "\0" in code or not _is_utf8(code):
        msg = "code: it holds a NUL character or half of a surrogate pair. Remove it."
        raise InvalidInputError(msg, field="code")


def _check_stdin(request: ExecutionRequest) -> None:
    if request.stdin and request.cases:
        msg = "stdin: not together with cases, of which each has its own. Leave one of the two out."
        raise InvalidInputError(msg, field="stdin")
    if not _is_utf8(request.stdin):
        msg = "stdin: it holds half of a surrogate pair. Remove it."
        raise InvalidInputError(msg, field="stdin")
    size = len(request.stdin.encode())
    if size > MAX_DATA_BYTES:
        msg = f"stdin: {size:,} bytes; at most {MAX_DATA_BYTES:,} are allowed."
        raise TooLargeError(msg, field="stdin")


def _check_globals(values: Mapping[str, Any]) -> None:
    for name in values:
        if not _is_name(name):
            msg = (
                f"globals: {name!r:.60} cannot be a global. Use names of Python that are no "
                "keywords and do not begin and end with two underscores."
            )
            raise InvalidInputError(msg, field="globals")
    _check_size(_data_bytes(values, "globals"), "globals")


def _check_case(case: Case, where: str) -> int:
    """Check one case; return its bytes."""
    if (case.stdin is None) == (case.call is None):
        msg = f"{where}: give exactly one of stdin and call."
        raise InvalidInputError(msg, field=where)
    if len(case.name) > _MAX_NAME or not _is_utf8(case.name):
        msg = f"{where}.name: use at most {_MAX_NAME} characters of Unicode."
        raise InvalidInputError(msg, field=f"{where}.name")
    if not math.isfinite(case.tolerance) or case.tolerance < 0:
        msg = f"{where}.tolerance: {case.tolerance!r} is not a number of 0 or more."
        raise InvalidInputError(msg, field=f"{where}.tolerance")
    size = _data_bytes(case.expected, f"{where}.expected")
    if case.stdin is not None:
        if not isinstance(case.expected, str):
            msg = f"{where}.expected: with stdin it is the text of standard output."
            raise InvalidInputError(msg, field=f"{where}.expected")
        if not _is_utf8(case.stdin):
            msg = f"{where}.stdin: it holds half of a surrogate pair. Remove it."
            raise InvalidInputError(msg, field=f"{where}.stdin")
        size += len(case.stdin.encode())
    if case.call is not None:
        size += _check_call(case.call, f"{where}.call")
    return size


def _check_call(call: Call, where: str) -> int:
    if not _is_name(call.function):
        msg = f"{where}.function: {call.function!r:.60} is not the name of a function in the code."
        raise InvalidInputError(msg, field=f"{where}.function")
    return _data_bytes(list(call.args), f"{where}.args") + _data_bytes(
        call.kwargs, f"{where}.kwargs"
    )


def _check_size(size: int, field: str) -> None:
    if size > MAX_DATA_BYTES:
        msg = f"{field}: {size:,} bytes as JSON; at most {MAX_DATA_BYTES:,} are allowed."
        raise TooLargeError(msg, field=field)


def _data_bytes(value: Any, where: str) -> int:
    """Return how many bytes plain data takes as JSON; refuse everything else.

    Plain data is None, bool, int, float (NaN and infinities too), str, and lists and objects of it.
    """
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                if not all(isinstance(key, str) for key in item):
                    msg = f"{where}: the keys of objects must be text."
                    raise InvalidInputError(msg, field=where)
                deeper += item.values()
            elif isinstance(item, list | tuple):
                deeper += item
            elif item is not None and not isinstance(item, bool | int | float | str):
                msg = f"{where}: {type(item).__name__} is no plain data. Send what JSON can hold."
                raise InvalidInputError(msg, field=where)
        level = deeper
        if not level:
            break
    else:
        msg = f"{where}: it is nested deeper than {MAX_DEPTH} levels."
        raise InvalidInputError(msg, field=where)
    try:
        text = json.dumps(value, ensure_ascii=False, default=dict, separators=(",", ":"))
    except ValueError as error:  # Python writes no integer of more than 4300 digits
        msg = f"{where}: it holds a number with too many digits."
        raise TooLargeError(msg, field=where) from error
    return len(text.encode("utf-8", "surrogatepass"))


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        return False
    return not (name.startswith("__") and name.endswith("__"))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
