"""``jupyter ppo execute`` and ``jupyter ppo executions``: run code in a container, and what ran."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any, Final, TextIO

from pydantic import TypeAdapter, ValidationError

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.execution import (
    Case,
    CaseResult,
    CaseVerdict,
    Execution,
    ExecutionRequest,
    ExecutionState,
    ProgramRun,
    limit_name,
)
from jupyter_ppo.domain.sandbox import LimitHit
from jupyter_ppo.web.errors import invalid_input
from jupyter_ppo.web.execution_requests import CaseBody

_CASES: Final = TypeAdapter(list[CaseBody])
_GLOBALS: Final = TypeAdapter(dict[str, Any])
_PREVIEW = 60


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    execute = commands.add_parser(
        "execute",
        help="run a Python file in a container, or test it",
        epilog="Exit status: 0 it succeeded (every case passed), 1 it did not, 2 bad input.",
    )
    execute.add_argument("file", help="the code; - reads standard input")
    execute.add_argument("--timeout", type=float, metavar="S", help="seconds of wall time")
    execute.add_argument("--memory", type=int, metavar="MB", help="memory in MiB")
    execute.add_argument("--globals", metavar="JSON", help="names to define, as a JSON object")
    execute.add_argument(
        "--locals", action="store_true", help="print the names that it defined, to standard error"
    )
    execute.add_argument(
        "--tests", metavar="FILE", help="test cases, a JSON list as in POST /execute/tests"
    )
    execute.add_argument("--stdin", metavar="FILE", help="what the program reads with input()")
    execute.set_defaults(run=_execute)

    executions = commands.add_parser("executions", help="list the code that you ran, newest first")
    executions.add_argument("--limit", type=int, default=20, metavar="N", help="at most, 1 to 200")
    executions.set_defaults(run=_executions)


def _execute(arguments: argparse.Namespace, context: Context) -> int:
    try:
        request = _request(arguments, context)
        future = context.service.executions.submit(context.caller, request)
    except (InvalidInputError, NotFoundError) as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 2
    done = future.result()
    if done.cases:
        return _report_cases(done.cases)
    assert done.run is not None  # noqa: S101 - it is DONE and has no cases
    return _report(done.run)


def _request(arguments: argparse.Namespace, context: Context) -> ExecutionRequest:
    """Read everything that was given; raise ``InvalidInputError`` or ``NotFoundError``."""
    if arguments.file == arguments.stdin == "-":
        msg = "stdin: standard input is the code already. Give a file."
        raise InvalidInputError(msg, field="stdin")
    code = _text(arguments.file, "code", "utf-8-sig")
    bounds = context.service.executions.bounds
    request = ExecutionRequest(
        code=code,
        timeout_seconds=bounds.timeout_seconds if arguments.timeout is None else arguments.timeout,
        memory_mb=bounds.memory_mb if arguments.memory is None else arguments.memory,
        globals=_parsed(_GLOBALS, arguments.globals.encode(), "globals")
        if arguments.globals is not None
        else {},
        capture_locals=arguments.locals,
        stdin="" if arguments.stdin is None else _text(arguments.stdin, "stdin", "utf-8"),
    )
    if arguments.tests is None:
        return request
    return replace(request, cases=_cases(arguments.tests))


def _text(path: str, field: str, encoding: str) -> str:
    data = sys.stdin.buffer.read() if path == "-" else read_file(path)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        msg = f"{field}: {path!r} is not UTF-8. Save it as UTF-8 and try again."
        raise InvalidInputError(msg, field=field) from error


def _cases(path: str) -> tuple[Case, ...]:
    try:
        cases = _parsed(_CASES, read_file(path), "the file")
    except InvalidInputError as error:
        msg = f"tests: {path!r}: {error.message}"
        raise InvalidInputError(msg, field="tests") from error
    if not cases:
        msg = f"tests: {path!r}: there is no test case. Give a JSON list with at least one."
        raise InvalidInputError(msg, field="tests")
    return tuple(case.case() for case in cases)


def _parsed(kind: TypeAdapter[Any], data: bytes, what: str) -> Any:
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        raise invalid_input(error, what) from error


def _report(run: ProgramRun) -> int:
    _write(sys.stdout, run.stdout)
    sys.stdout.flush()
    _write(sys.stderr, run.stderr)
    if run.traceback:
        _write(sys.stderr, run.traceback.rstrip("\n") + "\n")
    elif not run.success:
        said = run.error_message or run.outcome.replace("_", " ")
        _write(sys.stderr, f"{run.error_type}: {said}\n" if run.error_type else f"{said}\n")
    if run.limit is not None:
        _write(sys.stderr, f"{_limit(run.limit)}\n")
    for name, value in (run.locals or {}).items():
        _write(sys.stderr, f"{name} = {json.dumps(value)}\n")
    for name, kind in run.omitted.items():
        _write(sys.stderr, f"{name} is left out: {kind}\n")
    return 0 if run.success else 1


def _report_cases(cases: tuple[CaseResult, ...]) -> int:
    names = [
        visible(case.name).replace("\n", " ") or f"case {number}"
        for number, case in enumerate(cases, 1)
    ]
    width = max(len(name) for name in names)
    column = max(len(verdict) for verdict in CaseVerdict)
    for name, case in zip(names, cases, strict=True):
        detail = case.detail.replace("\n", " ")
        _write(sys.stdout, f"{name:{width}}  {case.verdict:{column}}  {detail}\n")
        if case.run.limit is not None:
            _write(sys.stdout, f"{'':{width}}  {'':{column}}  {_limit(case.run.limit)}\n")
    passed = sum(case.verdict is CaseVerdict.PASSED for case in cases)
    _write(sys.stdout, f"{passed} of {len(cases)} cases passed\n")
    return 0 if passed == len(cases) else 1


def _limit(hit: LimitHit) -> str:
    _, _, figure = str(hit).partition(": ")
    return f"limit {limit_name(hit)}: {figure}"


def _executions(arguments: argparse.Namespace, context: Context) -> int:
    if not 1 <= arguments.limit <= 200:
        print(f"error: limit: {arguments.limit} is outside 1 to 200.", file=sys.stderr)
        return 2
    page = context.service.executions.history(context.caller, offset=0, limit=arguments.limit)
    for record in page.items:
        when = record.created_at.isoformat(timespec="seconds")
        first = record.code.strip().partition("\n")[0][:_PREVIEW]
        words = (str(record.id), when, _ending(record), f"{record.seconds:.2f} s", first)
        _write(sys.stdout, "\t".join(word.replace("\t", " ") for word in words) + "\n")
    if page.total > len(page.items):
        print(f"({page.total - len(page.items)} more; --limit shows more)", file=sys.stderr)
    return 0


def _ending(record: Execution) -> str:
    if record.cases_total:
        return f"{record.cases_passed}/{record.cases_total} passed"
    if record.state is ExecutionState.DONE and record.outcome is not None:
        return record.outcome.replace("_", " ")
    return str(record.state)


def _write(stream: TextIO, text: str) -> None:
    """Write what a program said: as it is to a file, harmless to a terminal."""
    text = visible(text) if stream.isatty() else text
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
