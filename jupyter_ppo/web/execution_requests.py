"""What is sent to have code run. The OpenAPI document is made from these."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from jupyter_ppo.domain import execution
from jupyter_ppo.domain.execution import ExecutionBounds, ExecutionRequest
from jupyter_ppo.web.models import Body, Query

_Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_MiB = Annotated[int, Field(strict=True)]


class ExecuteQuery(Query):
    """``always_ok``: answer 200 whatever came of the program; the body says it all the same.

    For browsers: Chromium sends a request again that is answered 408 on a connection in use.
    """

    always_ok: bool = False


class _Code(Body):
    """Code, and what it may use: the server's defaults when absent."""

    code: str
    timeout: _Seconds | None = None
    memory: _MiB | None = None
    globals: Annotated[dict[str, Any], Field(default_factory=dict)]

    def request(self, bounds: ExecutionBounds) -> ExecutionRequest:
        """Make the domain's request from the body."""
        return ExecutionRequest(
            code=self.code,
            timeout_seconds=bounds.timeout_seconds if self.timeout is None else self.timeout,
            memory_mb=bounds.memory_mb if self.memory is None else self.memory,
            globals=self.globals,
        )


class ExecuteBody(_Code):
    """Code to run; ``timeout`` (s) and ``memory`` (MiB) are the server's defaults when absent.

    ``stdin`` is what ``input()`` reads.
    """

    stdin: str = ""
    capture_locals: Annotated[bool, Field(strict=True)] = False

    def request(self, bounds: ExecutionBounds) -> ExecutionRequest:
        """Make the domain's request from the body."""
        asked = super().request(bounds)
        return replace(asked, stdin=self.stdin, capture_locals=self.capture_locals)


class CallBody(Body):
    """A function that the code defines, and what to call it with."""

    function: str
    args: Annotated[list[Any], Field(default_factory=list)]
    kwargs: Annotated[dict[str, Any], Field(default_factory=dict)]

    def call(self) -> execution.Call:
        """Make the domain's call from the body."""
        return execution.Call(self.function, tuple(self.args), self.kwargs)


class CaseBody(Body):
    """A test case: ``stdin`` or ``call``, and what must come out.

    ``tolerance`` is relative and absolute, for numbers that a call returns.
    """

    name: Annotated[str, Field(max_length=200)] = ""
    stdin: str | None = None
    call: CallBody | None = None
    expected: Any
    tolerance: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 1e-9

    def case(self) -> execution.Case:
        """Make the domain's case from the body."""
        call = self.call.call() if self.call is not None else None
        return execution.Case(self.expected, self.stdin, call, self.tolerance, self.name)


class ExecuteTestsBody(_Code):
    """Code to run once for each case, and the cases."""

    cases: Annotated[list[CaseBody], Field(min_length=1)]

    def request(self, bounds: ExecutionBounds) -> ExecutionRequest:
        """Make the domain's request from the body."""
        return replace(super().request(bounds), cases=tuple(case.case() for case in self.cases))
