"""What came of an execution, as bytes: JSON, compressed.

It is a student's text, so it may hold what databases refuse in a text or JSON column: NUL, lone
surrogates, NaN. As bytes it comes back as it was, and mostly far smaller than it was. Of long
output the beginning and the end are kept.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from jupyter_ppo.domain.execution import (
    Call,
    Case,
    CaseResult,
    CaseVerdict,
    Outcome,
    ProgramRun,
)
from jupyter_ppo.domain.sandbox import LimitHit

#: The most that is kept of each of the two streams, in bytes, over all cases together.
STREAM_BYTES = 64 * 2**10

_RUN_FIELDS = tuple(field.name for field in fields(ProgramRun))


def pack(run: ProgramRun | None, cases: Sequence[CaseResult]) -> bytes:
    """Write plain data of any kind, non-finite numbers included.

    Of each stream at most ``STREAM_BYTES`` are written, shared by the cases; a mark in the middle
    says how much is left out. Raises ``ValueError``, ``TypeError`` or ``RecursionError`` for what
    is no plain data.
    """
    if run is not None:
        (run,) = _cut_runs([run])
    if cases:
        kept = _cut_runs([case.run for case in cases])
        cases = [replace(case, run=shorter) for case, shorter in zip(cases, kept, strict=True)]
    document = {
        "run": None if run is None else _run_out(run),
        "cases": [
            {
                "name": case.name,
                "verdict": case.verdict,
                "detail": case.detail,
                "run": _run_out(case.run),
                "case": _case_out(case.case),
            }
            for case in cases
        ],
    }
    # UTF-8, no escapes: two lone surrogates in a row would come back as one character.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "surrogatepass"), level=1)


def plain(data: bytes) -> dict[str, Any]:
    """Return what ``pack`` wrote as plain data, for whoever only passes it on."""
    document: dict[str, Any] = json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
    return document


def unpack(data: bytes) -> tuple[ProgramRun | None, tuple[CaseResult, ...]]:
    """Read what ``pack`` wrote."""
    document = plain(data)
    run = document["run"]
    cases = tuple(
        CaseResult(
            name=case["name"],
            verdict=CaseVerdict(case["verdict"]),
            detail=case["detail"],
            run=_run_in(case["run"]),
            case=_case_in(case["name"], case["case"]),
        )
        for case in document["cases"]
    )
    return None if run is None else _run_in(run), cases


def _cut_runs(runs: Sequence[ProgramRun]) -> list[ProgramRun]:
    output = _cut([run.stdout for run in runs])
    errors = _cut([run.stderr for run in runs])
    return [
        replace(run, stdout=out, stderr=err)
        for run, out, err in zip(runs, output, errors, strict=True)
    ]


def _cut(texts: Sequence[str]) -> list[str]:
    """Cut texts to ``STREAM_BYTES`` in sum; short ones stay whole, long ones get equal shares."""
    every = [text.encode("utf-8", "surrogatepass") for text in texts]
    kept, left = list(texts), STREAM_BYTES
    shortest_first = sorted(range(len(every)), key=lambda index: len(every[index]))
    for rank, index in enumerate(shortest_first):
        share = left // (len(every) - rank)
        if len(every[index]) > share:
            kept[index] = _head_and_tail(every[index], share)
        left -= min(len(every[index]), share)
    return kept


def _head_and_tail(data: bytes, room: int) -> str:
    longest_mark = len(_mark(len(data)).encode())
    head = max(0, room - longest_mark) // 2
    tail = len(data) - head
    while head and data[head] & 0xC0 == 0x80:  # in the middle of a character
        head -= 1
    while tail < len(data) and data[tail] & 0xC0 == 0x80:
        tail += 1
    first, last = (part.decode("utf-8", "surrogatepass") for part in (data[:head], data[tail:]))
    return first + _mark(tail - head) + last


def _mark(size: int) -> str:
    return f"\n[... {size:,} bytes are not kept ...]\n"


def _case_out(case: Case) -> dict[str, Any]:
    call = case.call
    return {
        "expected": case.expected,
        "stdin": case.stdin,
        "call": call and [call.function, list(call.args), dict(call.kwargs)],
        "tolerance": case.tolerance,
    }


def _case_in(name: str, document: dict[str, Any]) -> Case:
    call = None
    if document["call"] is not None:
        function, arguments, named = document["call"]
        call = Call(function, tuple(arguments), named)
    return Case(document["expected"], document["stdin"], call, document["tolerance"], name)


def _run_out(run: ProgramRun) -> dict[str, Any]:
    document = {name: getattr(run, name) for name in _RUN_FIELDS}
    limit = run.limit
    document["limit"] = None if limit is None else {"name": limit.name, "value": limit.value}
    return document


def _run_in(document: dict[str, Any]) -> ProgramRun:
    # A later version may have written more than this one knows.
    known = {name: document[name] for name in _RUN_FIELDS if name in document}
    limit = document["limit"]
    known["limit"] = None if limit is None else LimitHit(limit["name"], limit["value"])
    known["outcome"] = Outcome(document["outcome"])
    return ProgramRun(**known)
