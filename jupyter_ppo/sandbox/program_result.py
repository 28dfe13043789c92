"""A program as the container gets it, and what is believed of what comes back.

What the agent says (how it ended, time, memory) is believed within bounds. What the program says of
itself (its result) is the student's own: it is checked against a schema and bounds, and where it
fits neither the program counts as died.
"""

from __future__ import annotations

import json
import logging
import signal
from dataclasses import dataclass
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, SandboxError
from jupyter_ppo.domain.execution import (
    MAX_DATA_BYTES,
    STOPPED_MESSAGE,
    Outcome,
    Program,
    ProgramRun,
    limit_name,
)
from jupyter_ppo.domain.sandbox import LimitHit, SandboxLimits
from jupyter_ppo.sandbox.inside.plain import (
    MAX_DEPTH,
    MAX_INT_BITS,
    MAX_MESSAGE,
    MAX_TRACEBACK,
)
from jupyter_ppo.sandbox.limits import limit_behind

#: A result's bytes: the data, and error texts, of which each character may take 12 bytes of JSON.
RESULT_BYTES: Final = MAX_DATA_BYTES + 512 * 2**10
_MAX_NAME: Final = 200
#: The ends that a program can report of itself.
_OUTCOMES: Final = frozenset({Outcome.SUCCEEDED, Outcome.RAISED, Outcome.SYNTAX_ERROR})
_FIELDS: Final = frozenset(
    {"outcome", "error_type", "error_message", "traceback", "value", "locals", "omitted"}
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How the agent says that a program ended; see ``inside.program.run``.

    Of one that was ended by us ``ended`` is ``stopped``, which no agent can say.
    """

    ended: str
    code: int
    seconds: float
    peak_kb: int
    detail: str

    @classmethod
    def of(cls, event: dict[str, Any]) -> End:
        """Read the event ``done``; raise ``ValueError`` or ``KeyError`` when it is none."""
        seconds, peak = float(event["seconds"]), int(event["peak_kb"])
        if not (0 <= seconds < float("inf") and peak >= 0):
            msg = "a program's figures are out of range"
            raise ValueError(msg)
        ended = str(event["ended"])
        if ended == "stopped":
            msg = "only this side stops programs"
            raise ValueError(msg)
        return cls(ended, int(event["code"]), seconds, peak, str(event["detail"]))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came from one program: its two streams, within the limit, and its result."""

    stdout: bytes
    stderr: bytes
    result: bytes


def order_of(program: Program) -> bytes:
    """Return what ``inside.running.prepare`` reads.

    Raises ``InvalidInputError`` when the globals or the call's arguments are not plain data.
    """
    call = program.call
    order = {
        "code": program.code,
        "globals": dict(program.globals),
        "call": call
        and {"function": call.function, "args": list(call.args), "kwargs": dict(call.kwargs)},
        "capture_locals": program.capture_locals,
        "data_bytes": MAX_DATA_BYTES,
    }
    try:
        return json.dumps(order).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"globals, args and kwargs must be plain data: {error}."
        raise InvalidInputError(msg, field="globals") from error


def run_of(
    program: Program, seen: Seen, end: End, limits: SandboxLimits, seconds: float
) -> ProgramRun:
    """Return the ``ProgramRun``; ``seconds`` is what the request allowed.

    Raises ``SandboxError`` when the program did not get as far as the student's code.
    """
    limit: LimitHit | None = None
    said: dict[str, Any] = {}
    match end.ended:
        case "exited":
            outcome, said = _own_account(seen.result, end.code)
            if outcome is Outcome.RAISED:
                limit = limit_behind(said["error_type"], said["error_message"], limits)
        case "timeout":
            outcome, limit = Outcome.TIMEOUT, LimitHit("cell_seconds", seconds)
        case "memory":
            outcome, limit = Outcome.MEMORY, LimitHit("memory_mb", limits.memory_mb)
        case "stopped":
            outcome = Outcome.STOPPED
        case "output":
            outcome, limit = Outcome.OUTPUT_LIMIT, LimitHit("output_bytes", limits.output_bytes)
        case _:
            _log.warning(
                "A program could not be started (%.20r): %r", end.ended, end.detail[-4000:]
            )
            msg = "A program could not be started in the sandbox. The server's log says more."
            raise SandboxError(msg)
    memory_mb = end.peak_kb / 1024
    if outcome is Outcome.MEMORY:
        memory_mb = max(memory_mb, limits.memory_mb)  # its last step was never taken
    names = said.get("locals", {}) if program.capture_locals else None
    if outcome not in _OUTCOMES:
        names = None
    return ProgramRun(
        outcome=outcome,
        stdout=seen.stdout.decode("utf-8", "replace"),
        stderr=seen.stderr.decode("utf-8", "replace"),
        seconds=end.seconds,
        memory_mb=memory_mb,
        error_type=said.get("error_type"),
        error_message=said.get("error_message", sentence(outcome, limit)),
        traceback=said.get("traceback"),
        locals=names,
        omitted=said.get("omitted", {}),
        value=said.get("value"),
        has_value="value" in said and program.call is not None,
        limit=limit,
    )


def sentence(outcome: Outcome, limit: LimitHit | None) -> str | None:
    """Return what to tell a person about an end that has no error of its own."""
    value, name = (limit.value, limit_name(limit)) if limit else (0, "")
    match outcome:
        case Outcome.TIMEOUT:
            return f"The program ran longer than {value:g} s (limit {name})."
        case Outcome.MEMORY:
            return f"The program needed more than {value:g} MiB of memory (limit {name})."
        case Outcome.OUTPUT_LIMIT:
            return f"The program wrote more than {value:.0f} bytes of output (limit {name})."
        case Outcome.STOPPED:
            return STOPPED_MESSAGE
        case _:
            return None


def _own_account(data: bytes, code: int) -> tuple[Outcome, dict[str, Any]]:
    """Read what the program says of itself."""
    if code < 0:
        try:
            name = f"signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            name = f"signal {-code}"
        return Outcome.DIED, {"error_message": f"The program was ended by {name}."}
    if code or not data:
        text = f"The program ended itself with exit code {code} before it was done."
        return Outcome.DIED, {"error_message": text}
    try:
        return _checked(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error)[:200] or type(error).__name__
        text = f"The program's result cannot be read: {reason}."
        return Outcome.DIED, {"error_message": text}


def _checked(data: bytes) -> tuple[Outcome, dict[str, Any]]:
    if len(data) > RESULT_BYTES:
        msg = f"it is longer than {RESULT_BYTES} bytes"
        raise ValueError(msg)
    # Its fields, the names in one of them, and their values.
    said = _cleaned(json.loads(data.decode("ascii")), MAX_DEPTH + 2)
    if not isinstance(said, dict) or not _FIELDS.issuperset(said):
        msg = "it is not a result"
        raise ValueError(msg)
    outcome = Outcome(said.pop("outcome"))
    if outcome not in _OUTCOMES:
        msg = f"a program cannot say of itself: {outcome}"
        raise ValueError(msg)
    checked: dict[str, Any] = {}
    if outcome is not Outcome.SUCCEEDED:
        bounds = {
            "error_type": _MAX_NAME,
            "error_message": MAX_MESSAGE,
            "traceback": MAX_TRACEBACK,
        }
        for name, longest in bounds.items():
            checked[name] = _text(said[name], longest)
    if "value" in said:
        checked["value"] = said["value"]
    if "locals" in said:
        if not (isinstance(said["locals"], dict) and isinstance(said["omitted"], dict)):
            msg = "its names are no object"
            raise TypeError(msg)
        checked["locals"] = said["locals"]
        checked["omitted"] = {
            name: _text(kind, _MAX_NAME) for name, kind in said["omitted"].items()
        }
    return outcome, checked


def _cleaned(value: Any, levels: int) -> Any:
    """Return data within bounds, every text and name in it without lone surrogates."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, int):
        if value.bit_length() > MAX_INT_BITS:
            msg = f"a number of more than {MAX_INT_BITS} bits"
            raise ValueError(msg)
        return value
    if isinstance(value, list | dict) and levels <= 0:
        msg = f"more than {MAX_DEPTH} levels of data"
        raise ValueError(msg)
    if isinstance(value, list):
        return [_cleaned(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {_clean_text(key): _cleaned(item, levels - 1) for key, item in value.items()}
    return value


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        msg = f"a text is missing or longer than {longest} characters"
        raise ValueError(msg)
    return value


def _clean_text(value: str) -> str:
    """Replace lone surrogates: no encoding of the world outside takes them."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
