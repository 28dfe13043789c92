"""What a run on the reference solution says of each test cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, nbgrader_of
from jupyter_ppo.autograde.points import is_full
from jupyter_ppo.autograde.sealing.exam import test_cell_sealings
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.sandbox import NotebookRun
from jupyter_ppo.domain.sealing import CellSealing, Finding, FindingKind, SealState

_LONG_CONTRACT = 8
_REASON_MAX = 400
_COMPARING = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_REMEDY = "Rewrite the test, or give the cell the tag 'unsealed'."


def sealings_of_runs(
    source_notebook: dict[str, Any],
    exam: Exam,
    sealed_run: NotebookRun,
    plain_run: NotebookRun | None,
    passed_plain: Callable[[str], bool | None],
) -> tuple[CellSealing, ...]:
    """Return each test cell's sealing from runs of the reference solution.

    ``passed_plain`` tells by grade_id whether the cell got full points in ``plain_run``, the run in
    one kernel; a dict's ``get`` will do. Without that run a cell that failed is taken for one that
    cannot be sealed: it waits for its author. ``exam`` is the one that ``sealed_run`` was given.
    """
    checks = {check.index: check for check in sealed_run.checks if check.index in exam.tests}
    by_name = {
        name: checks.get(index)
        for index, cell in enumerate(sealed_run.notebook["cells"])
        if (name := grade_id_of(cell)) is not None
    }
    points = _points(source_notebook)
    sealings: list[CellSealing] = []
    for sealing in test_cell_sealings(source_notebook):
        name = sealing.grade_id
        if sealing.state is SealState.UNSEALED:
            sealings.append(sealing)
            continue
        check = by_name.get(name)
        problem = _problem(check, points.get(name, 0.0))
        if check is not None and not problem:
            sealings.append(
                replace(
                    sealing,
                    findings=(*sealing.findings, *_of_contract(check.uses)),
                    contract=tuple(sorted(check.uses)),
                    changes=check.mutations,
                )
            )
            continue
        is_partial = _is_partial(check)
        passes_plainly = bool(passed_plain(name)) if plain_run is not None else not is_partial
        if passes_plainly:
            sealings.append(
                replace(
                    sealing,
                    state=SealState.CANNOT_SEAL,
                    reason=_waits(problem, points.get(name, 0.0)),
                )
            )
            continue
        lead = "does not get full points" if is_partial else "does not pass this test"
        sealings.append(
            replace(
                sealing,
                state=SealState.REFERENCE_FAILS,
                reason=f"The reference solution {lead}: {problem}",
                changes=() if check is None else check.mutations,
            )
        )
    return tuple(sealings)


def _points(notebook: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(nbgrader_of(cell).get("points") or 0)
        for cell in notebook["cells"]
        if (name := grade_id_of(cell)) is not None
    }


def _is_partial(check: CheckRun | None) -> bool:
    """Whether the test ended without an error, which leaves its points as what is wrong."""
    return (
        check is not None
        and check.state is CheckState.PASSED
        and all(line.is_passed for line in check.lines)
    )


def _waits(problem: str, points: float) -> str:
    remedy = "" if "'unsealed'" in problem else f" {_REMEDY}"  # the border's words have it, too
    return (
        f"Passes only in the reference solution's own kernel: {problem} It gives no points and "
        f"waits for a person ({points:g} {'point' if points == 1 else 'points'}).{remedy}"
    )


def _problem(check: CheckRun | None, points: float) -> str:
    """Return why a check is not full marks, as a sentence; empty if it is."""
    if check is None:
        return "it was not run."
    lost = [line for line in check.lines if not line.is_passed]
    if lost:
        told = f" ({_cut(lost[0].message)})" if lost[0].message else ""
        return f"its check {_cut(lost[0].name)!r} failed{told}."
    if check.state is CheckState.PASSED:
        return _points_problem(check, points)
    place = f"line {check.line}: " if check.line is not None else ""
    error = _cut(f"{check.error_type}: {check.error_message}".strip(": ") or "no error was told")
    match check.state:
        case CheckState.TIMEOUT:
            return f"{place}the time of the check was used up."
        case CheckState.BORDER:
            return f"{place}what it needs does not cross the border ({error.rstrip('.')})."
        case CheckState.NOT_RUN:
            return "it was not run, because a kernel had ended or could not be stopped."
    return place + (error if error.endswith((".", "!", "?", "…")) else f"{error}.")


def _points_problem(check: CheckRun, points: float) -> str:
    """Return what a test without an error gives, if that is not full points."""
    if check.lines:
        given = total(line.points for line in check.lines)
        return "" if given == points else f"its checks sum to {given:g} of {points:g}."
    if check.value is None or is_full(check.value, points):
        return ""
    return f"its last line gave {_cut(check.value)} of {points:g} points."


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_MAX else f"{line[: _REASON_MAX - 1]}…"


def _of_contract(uses: Iterable[str]) -> list[Finding]:
    """Return what its author should know of the uses that a test cell needs."""
    plain = (".", "class.", "function.")  # members of the student's own objects
    named = sorted(use for use in uses if not use.startswith(plain) or use.endswith(_COMPARING))
    found: list[Finding] = []
    if len(named) > _LONG_CONTRACT:
        shown = ", ".join(named[:_LONG_CONTRACT])
        text = (
            f"Needs {len(named)} uses of the border beyond the plain ones ({shown}, ...): hand the "
            "student fewer objects, or compare plain values."
        )
        found.append(Finding(1, FindingKind.CARE, text))
    compared = [use for use in named if use.endswith(_COMPARING)]
    if compared:
        text = (
            f"{', '.join(compared[:_LONG_CONTRACT])}: the student's class is handed the value that "
            "it is compared with; compare plain parts of the object instead, like its attributes."
        )
        found.append(Finding(1, FindingKind.CARE, text))
    return found
