"""Running a piece of code on request: what is asked, what came of it, and what a person may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.sandbox import LimitHit


class Outcome(StrEnum):
    """How a program ended. An exception of the program is RAISED, not a failure of ours.

    STOPPED: its own person ended it.
    """

    SUCCEEDED = "succeeded"
    RAISED = "raised"
    SYNTAX_ERROR = "syntax_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the program defines, called with plain data."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """Code to run as ``__main__``, with ``globals`` (plain data) defined and ``stdin`` to read.

    With ``call`` the function is called once the code has run; its value is the run's ``value``.
    """

    code: str
    globals: Mapping[str, Any] = field(default_factory=dict)
    stdin: str = ""
    capture_locals: bool = False
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """What came of a program.

    ``seconds`` is wall time and ``memory_mb`` the most memory in MiB that its container held, in
    all processes and files in memory together, both measured outside of it. ``locals`` holds the
    program's names whose values are plain data, or None when they were not asked for; ``omitted``
    says
    of each name left out its type and why, as ``"set (not plain data)"``. ``value`` (plain data)
    means something only when ``has_value``. ``limit`` names the limit that was hit.
    """

    outcome: Outcome
    stdout: str
    stderr: str
    seconds: float
    memory_mb: float
    error_type: str | None = None
    error_message: str | None = None
    traceback: str | None = None
    locals: dict[str, Any] | None = None
    omitted: dict[str, str] = field(default_factory=dict)
    value: Any = None
    has_value: bool = False
    limit: LimitHit | None = None

    @property
    def success(self) -> bool:
        """Whether the program ran to its end without an error."""
        return self.outcome is Outcome.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Case:
    """A test case: what goes in (``stdin``, or ``call``) and what must come out.

    For ``stdin``, ``expected`` is the text of standard output; for ``call`` plain data, with
    numbers compared to ``tolerance`` (relative and absolute). Exactly one of the two is given.
    """

    expected: Any
    stdin: str | None = None
    call: Call | None = None
    tolerance: float = 1e-9
    name: str = ""


class CaseVerdict(StrEnum):
    """What a test case gave; everything but PASSED and FAILED is the program's outcome."""

    PASSED = "passed"
    FAILED = "failed"
    RAISED = "raised"
    SYNTAX_ERROR = "syntax_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The verdict on one case, one sentence about it, the run behind it, and what was asked."""

    name: str
    verdict: CaseVerdict
    detail: str
    run: ProgramRun
    case: Case


class ExecutionState(StrEnum):
    """Where an execution is. FAILED is our fault, never the program's."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """One request: a program, or code with test cases (then ``cases`` is not empty).

    ``stdin`` is what a program reads; each case has its own.
    """

    code: str
    timeout_seconds: float
    memory_mb: int
    globals: Mapping[str, Any] = field(default_factory=dict)
    capture_locals: bool = False
    cases: tuple[Case, ...] = ()
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """A request that was admitted, and what came of it.

    When it is DONE, ``outcome`` and ``run`` tell how a program ended, or ``cases`` what the test
    cases gave, ``cases_passed`` of ``cases_total``; in lists ``run`` and ``cases`` are left out.
    ``error`` is one sentence when it FAILED. ``seconds`` counts against the person's quota.
    """

    id: UUID
    user: str
    code: str
    timeout_seconds: float
    memory_mb: int
    state: ExecutionState
    created_at: datetime
    seconds: float
    run: ProgramRun | None = None
    cases: tuple[CaseResult, ...] = ()
    error: str | None = None
    outcome: Outcome | None = None
    cases_passed: int = 0
    cases_total: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionQuota:
    """What one person may use; counted exactly, over all servers that share a database."""

    per_minute: int = 30
    at_once: int = 2
    seconds_per_day: float = 3600

    def left(self, used: ExecutionUsage) -> ExecutionQuota:
        """Return what is left of it."""
        return ExecutionQuota(
            max(0, self.per_minute - used.last_minute),
            max(0, self.at_once - used.running),
            max(0.0, self.seconds_per_day - used.seconds_today),
        )


@dataclass(frozen=True, slots=True)
class ExecutionUsage:
    """What one person has used: started in 60 s, running now, seconds of the last 24 hours.

    What runs counts its whole time limit until it has ended.
    """

    last_minute: int
    running: int
    seconds_today: float


#: Bounds of what a request may hold. Memory has the admin's bound, see ``ExecutionBounds``.
MAX_CODE = 50_000
MAX_CASES = 50
MAX_DATA_BYTES = 256 * 2**10
TIMEOUT_SECONDS = (1, 300)
MIN_MEMORY_MB = 64

STOPPED_MESSAGE = "The program was stopped."


@dataclass(frozen=True, slots=True)
class ExecutionBounds:
    """What a request gets when it does not say, and what it may ask for."""

    timeout_seconds: float = 30
    memory_mb: int = 512
    max_memory_mb: int = 2048

    def __post_init__(self) -> None:
        low, high = TIMEOUT_SECONDS
        if not low <= self.timeout_seconds <= high:
            msg = f"timeout_seconds: {self.timeout_seconds!r} is outside {low} to {high}."
            raise InvalidInputError(msg, field="timeout_seconds")
        if not MIN_MEMORY_MB <= self.memory_mb <= self.max_memory_mb:
            msg = (
                f"memory_mb: {self.memory_mb!r} is outside {MIN_MEMORY_MB} to "
                f"{self.max_memory_mb} (max_memory_mb)."
            )
            raise InvalidInputError(msg, field="memory_mb")


#: Limits that a request sets, under the names that its fields have.
REQUEST_NAMES = {"cell_seconds": "timeout", "memory_mb": "memory"}


def limit_name(hit: LimitHit) -> str:
    """Return what a limit is called where code is run on request."""
    return REQUEST_NAMES.get(hit.name, hit.name)


def stopped_run(seconds: float = 0.0) -> ProgramRun:
    """Return what came of a program that its person stopped before it had said anything."""
    return ProgramRun(Outcome.STOPPED, "", "", seconds, 0.0, error_message=STOPPED_MESSAGE)


def judge(case: Case, run: ProgramRun) -> CaseResult:
    """Compare what a program gave with what the case expects.

    The comparison happens here, on plain data, and never where the program runs.
    """
    if not run.success:
        detail = run.error_message or run.outcome.replace("_", " ")
        if run.error_type:
            detail = f"{run.error_type}: {detail}"
        return CaseResult(case.name, CaseVerdict(run.outcome), detail, run, case)
    if case.call is None:
        passed = _lines(run.stdout) == _lines(str(case.expected))
        detail = "The output is as expected." if passed else "The output differs."
    elif not run.has_value:
        passed, detail = False, "The returned value is not plain data, or it is too large."
    else:
        passed = same_data(run.value, case.expected, case.tolerance)
        detail = "The value is as expected." if passed else "The value differs."
    verdict = CaseVerdict.PASSED if passed else CaseVerdict.FAILED
    return CaseResult(case.name, verdict, detail, run, case)


def same_data(actual: Any, expected: Any, tolerance: float) -> bool:
    """Whether two values of plain data are equal, numbers up to ``tolerance``; NaN equals NaN.

    The tolerance is relative and absolute, and for two integers only absolute.

    A bool is no number here: ``True`` differs from ``1``.
    """
    pairs = [(actual, expected)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs += [(left[key], right[key]) for key in left]
        elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
            if len(left) != len(right):
                return False
            pairs += list(zip(left, right, strict=True))
        elif not _same_leaf(left, right, tolerance):
            return False
    return True


def _same_leaf(left: Any, right: Any, tolerance: float) -> bool:
    numbers = (int, float)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int) and isinstance(right, int):
        return abs(left - right) <= tolerance  # a relative one would call large integers equal
    if isinstance(left, numbers) and isinstance(right, numbers):
        try:
            first, second = float(left), float(right)
        except OverflowError:  # an integer beyond every float
            return left == right
        if math.isnan(first) or math.isnan(second):
            return math.isnan(first) and math.isnan(second)
        return math.isclose(first, second, rel_tol=tolerance, abs_tol=tolerance)
    return type(left) is type(right) and bool(left == right)


def _lines(text: str) -> list[str]:
    """Lines without blanks at their ends and without empty lines at the end of all."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines
