"""What is answered about code that was run. The OpenAPI document is made from these."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from jupyter_ppo.domain import execution
from jupyter_ppo.domain.execution import (
    MAX_CASES,
    MAX_CODE,
    MAX_DATA_BYTES,
    MIN_MEMORY_MB,
    TIMEOUT_SECONDS,
    CaseVerdict,
    ExecutionBounds,
    ExecutionQuota,
    ExecutionState,
    Outcome,
    limit_name,
)
from jupyter_ppo.domain.sandbox import BOUNDS, LimitHit, PoolStatus, SandboxLimits
from jupyter_ppo.web.models import Answer, HealthStatus, Page, Time

_PREVIEW = 200
#: The limits of a container that mean something for a program.
_CONTAINER = ("cpus", "pids", "file_mb", "disk_mb", "inodes", "open_files", "output_bytes")


def json_data(value: Any) -> Any:
    """Return plain data as JSON can hold it.

    NaN and the infinities become strings, what is no Unicode (a lone surrogate) becomes U+FFFD.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {json_data(key): json_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_data(inner) for inner in value]
    return value


class Limit(Answer):
    """A limit that was hit, with the figure that it stood at.

    ``name`` is a field of the request (``timeout``, ``memory``) or a limit of every container.
    """

    name: str
    value: float
    unit: str

    @classmethod
    def of(cls, hit: LimitHit | None) -> Limit | None:
        """Make the body from the domain's object."""
        if hit is None:
            return None
        return cls(name=limit_name(hit), value=hit.value, unit=BOUNDS[hit.name]["unit"])


class ProgramResult(Answer):
    """What came of a program. ``execution_time`` is in s of wall time, memory the peak in MiB.

    In ``locals``, NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity".
    ``omitted`` says of each name left out its type and why.
    """

    success: bool
    outcome: Outcome
    stdout: str
    stderr: str
    error_type: str | None
    error_message: str | None
    traceback: str | None
    execution_time: float
    memory_used_mb: float
    locals: dict[str, Any] | None
    omitted: dict[str, str]
    limit: Limit | None

    @classmethod
    def of(cls, run: execution.ProgramRun, **more: Any) -> ProgramResult:
        """Make the body from the domain's object."""
        return cls(
            success=run.success,
            outcome=run.outcome,
            stdout=json_data(run.stdout),
            stderr=json_data(run.stderr),
            error_type=json_data(run.error_type),
            error_message=json_data(run.error_message),
            traceback=json_data(run.traceback),
            execution_time=run.seconds,
            memory_used_mb=run.memory_mb,
            locals=json_data(run.locals),
            omitted=json_data(run.omitted),
            limit=Limit.of(run.limit),
            **more,
        )


class ExecutionResult(ProgramResult):
    """What came of a program, and the id of its record."""

    id: UUID


class CaseResult(Answer):
    """The verdict on one case, and what came of the run behind it.

    ``value`` is what the call returned when ``has_value``, written as ``locals`` are elsewhere.
    """

    name: str
    verdict: CaseVerdict
    detail: str
    stdout: str
    stderr: str
    value: Any
    has_value: bool
    error_type: str | None
    error_message: str | None
    traceback: str | None
    execution_time: float
    memory_used_mb: float
    limit: Limit | None

    @classmethod
    def of(cls, result: execution.CaseResult) -> CaseResult:
        """Make the body from the domain's object."""
        run = result.run
        return cls(
            name=json_data(result.name),
            verdict=result.verdict,
            detail=json_data(result.detail),
            stdout=json_data(run.stdout),
            stderr=json_data(run.stderr),
            value=json_data(run.value),
            has_value=run.has_value,
            error_type=json_data(run.error_type),
            error_message=json_data(run.error_message),
            traceback=json_data(run.traceback),
            execution_time=run.seconds,
            memory_used_mb=run.memory_mb,
            limit=Limit.of(run.limit),
        )


class TestsResult(Answer):
    """What came of all cases; ``success`` when every one of them passed."""

    id: UUID
    success: bool
    passed: int
    total: int
    execution_time: float
    cases: list[CaseResult]

    @classmethod
    def of(cls, record: execution.Execution) -> TestsResult:
        """Make the body from the domain's object."""
        passed = sum(case.verdict is CaseVerdict.PASSED for case in record.cases)
        return cls(
            id=record.id,
            success=passed == len(record.cases),
            passed=passed,
            total=len(record.cases),
            execution_time=sum(case.run.seconds for case in record.cases),
            cases=[CaseResult.of(case) for case in record.cases],
        )


class CaseCall(Answer):
    """The call of a test case, as it was sent."""

    function: str
    args: list[Any]
    kwargs: dict[str, Any]

    @classmethod
    def of(cls, call: execution.Call) -> CaseCall:
        """Make the body from the domain's object."""
        args, kwargs = json_data(call.args), json_data(dict(call.kwargs))
        return cls(function=call.function, args=args, kwargs=kwargs)


class RecordedCase(CaseResult):
    """A case as it was sent (``stdin`` or ``call``, ``expected``, ``tolerance``) and its result."""

    stdin: str | None
    call: CaseCall | None
    expected: Any
    tolerance: float

    @classmethod
    def of(cls, result: execution.CaseResult) -> RecordedCase:
        """Make the body from the domain's object."""
        asked = result.case
        return cls(
            **dict(CaseResult.of(result)),
            stdin=json_data(asked.stdin),
            call=None if asked.call is None else CaseCall.of(asked.call),
            expected=json_data(asked.expected),
            tolerance=asked.tolerance,
        )


class StopResult(Answer):
    """How many programs were stopped."""

    stopped: int


class Range(Answer):
    """A number that a request may give: what it is when it does not, and its bounds."""

    default: float
    min: float
    max: float
    unit: str


class ContainerLimit(Answer):
    """A limit that no request can change."""

    name: str
    value: float
    unit: str
    meaning: str


class Quota(Answer):
    """What one person may use: runs started in 60 s, runs at the same time, seconds in 24 hours."""

    per_minute: int
    at_once: int
    seconds_per_day: float

    @classmethod
    def of(cls, quota: ExecutionQuota) -> Quota:
        """Make the body from the domain's object."""
        return cls(
            per_minute=quota.per_minute,
            at_once=quota.at_once,
            seconds_per_day=quota.seconds_per_day,
        )


class ExecuteLimits(Answer):
    """What a request may ask for, what holds for everyone, and what is ``left`` to the caller."""

    timeout: Range
    memory: Range
    max_code_characters: int
    max_cases: int
    max_data_bytes: int
    container: list[ContainerLimit]
    quota: Quota
    left: Quota

    @classmethod
    def of(
        cls,
        bounds: ExecutionBounds,
        limits: SandboxLimits,
        quota: ExecutionQuota,
        left: ExecutionQuota,
    ) -> ExecuteLimits:
        """Make the body from the domain's objects."""
        low, high = TIMEOUT_SECONDS
        return cls(
            timeout=Range(default=bounds.timeout_seconds, min=low, max=high, unit="s"),
            memory=Range(
                default=bounds.memory_mb, min=MIN_MEMORY_MB, max=bounds.max_memory_mb, unit="MiB"
            ),
            max_code_characters=MAX_CODE,
            max_cases=MAX_CASES,
            max_data_bytes=MAX_DATA_BYTES,
            container=[
                ContainerLimit(
                    name=name,
                    value=getattr(limits, name),
                    unit=BOUNDS[name]["unit"],
                    meaning=BOUNDS[name]["help"],
                )
                for name in _CONTAINER
            ],
            quota=Quota.of(quota),
            left=Quota.of(left),
        )


class Pool(Answer):
    """How many containers wait for their one use, of how many that should."""

    ready: int
    size: int


class ExecuteHealth(Answer):
    """Whether code can run: does an engine answer, is the image built, what is kept ready."""

    status: HealthStatus
    engine: bool
    image: bool
    pool: Pool

    @classmethod
    def of(cls, *, engine: bool, image: bool, pool: PoolStatus) -> ExecuteHealth:
        """Make the body from what is known."""
        status = HealthStatus.OK if image else HealthStatus.DEGRADED
        return cls(
            status=status, engine=engine, image=image, pool=Pool(ready=pool.ready, size=pool.size)
        )


class ExecutionSummary(Answer):
    """A line of the history. ``execution_time`` (s) is what counts against the day's quota.

    ``outcome`` is None while it runs, when it failed, and for test cases; ``cases_total`` is
    None without test cases.
    """

    id: UUID
    created_at: Time
    code_preview: str
    state: ExecutionState
    outcome: Outcome | None
    success: bool
    execution_time: float
    cases_passed: int | None
    cases_total: int | None

    @classmethod
    def of(cls, record: execution.Execution) -> ExecutionSummary:
        """Make the body from the domain's object."""
        return cls(**_summary(record))


class ExecutionRecord(ExecutionSummary):
    """Everything that is kept of an execution; ``error`` says why it failed through our fault.

    Long output was cut in the middle, where it says so.
    """

    code: str
    timeout: float
    memory: int
    result: ProgramResult | None
    cases: list[RecordedCase]
    error: str | None

    @classmethod
    def of(cls, record: execution.Execution) -> ExecutionRecord:
        """Make the body from the domain's object."""
        return cls(
            **_summary(record),
            code=json_data(record.code),
            timeout=record.timeout_seconds,
            memory=record.memory_mb,
            result=None if record.run is None else ProgramResult.of(record.run),
            cases=[RecordedCase.of(case) for case in record.cases],
            error=record.error,
        )


def _summary(record: execution.Execution) -> dict[str, Any]:
    with_cases = record.cases_total > 0
    passed = with_cases and record.cases_passed == record.cases_total
    return {
        "id": record.id,
        "created_at": record.created_at,
        "code_preview": json_data(record.code[:_PREVIEW]),
        "state": record.state,
        "outcome": record.outcome,
        "success": passed or record.outcome is Outcome.SUCCEEDED,
        "execution_time": record.seconds,
        "cases_passed": record.cases_passed if with_cases else None,
        "cases_total": record.cases_total if with_cases else None,
    }


class ExecutionPage(Page[ExecutionSummary]):
    """Executions, newest first."""
