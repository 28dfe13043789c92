"""The exam of a submission, and what can be said of test cells before any run."""

from __future__ import annotations

from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, own_of
from jupyter_ppo.autograde.restore import Origin
from jupyter_ppo.autograde.sealing.author import Part, author_cells
from jupyter_ppo.autograde.sealing.findings import findings_of
from jupyter_ppo.autograde.sealing.ownership import OwnedCell, ownership_of
from jupyter_ppo.autograde.sealing.reading import Reading
from jupyter_ppo.autograde.sealing.submitted import submitted_sources
from jupyter_ppo.autograde.sealing.weak import weaknesses_of
from jupyter_ppo.domain.exam import Exam, ExamCell
from jupyter_ppo.domain.sealing import CellSealing, Sealing, SealState

#: What the examiner runs for a test that cannot be sealed: it only keeps the student's kernel from
#: running it. Whoever scores gives such a cell to its author.
_REFUSAL = "raise NotImplementedError('This test cannot be sealed.')"


def make_exam(
    source_notebook: dict[str, Any],
    restored: dict[str, Any],
    sealing: Sealing | None,
    *,
    key: str,
) -> Exam | None:
    """Return what the examiner runs with the ``restored`` notebook; None if it has no tests to run.

    Everything but ``sources`` and the cells' indices comes from the author's ``source_notebook``
    (as in ``make_release(...).source``). A test cell that cannot be sealed stays in the exam, so
    that the student's kernel never sees it, but only what it defines is run and then it fails.
    Without a ``sealing`` every test is run and what it needs is recorded.
    """
    ownership = ownership_of(author_cells(source_notebook))
    known = {cell.grade_id: cell for cell in sealing.cells} if sealing is not None else {}
    places = _places(restored)
    cells = tuple(
        made
        for owned in ownership.cells
        if (made := _exam_cell(owned, places, known.get(owned.cell.grade_id or ""))) is not None
    )
    if not any(cell.is_test for cell in cells):
        return None
    return Exam(
        cells,
        ownership.student_names,
        sealing is None,
        submitted_sources(restored),
        ownership.modules,
        key,
    )


def test_cell_sealings(source_notebook: dict[str, Any]) -> tuple[CellSealing, ...]:
    """Return what reading alone says of each test cell of the author's notebook, in its order.

    A cell is taken for SEALED until the run on the reference solution says otherwise. Of an
    unsealed one only its weaknesses are told.
    """
    ownership = ownership_of(author_cells(source_notebook))
    found: list[CellSealing] = []
    earlier: frozenset[str] = frozenset()
    for owned in ownership.cells:
        if owned.cell.part in {Part.TEST, Part.UNSEALED}:
            reading = Reading(owned, ownership, earlier)
            earlier = reading.later
            found.append(_read(reading))
    return tuple(found)


# The name is the project's word for a test cell's sealing, not a test of pytest's.
test_cell_sealings.__test__ = False  # type: ignore[attr-defined]


def _read(reading: Reading) -> CellSealing:
    grade_id = reading.owned.cell.grade_id or ""
    weak = weaknesses_of(reading)
    if reading.owned.cell.part is Part.UNSEALED:
        reason = "Its author marked it to be run in the student's kernel."
        return CellSealing(grade_id, SealState.UNSEALED, reason, weak)
    found = sorted((*findings_of(reading), *weak), key=lambda item: item.line)
    return CellSealing(grade_id, SealState.SEALED, "", tuple(found))


def _exam_cell(
    owned: OwnedCell, places: dict[str, int], sealing: CellSealing | None
) -> ExamCell | None:
    index = places.get(owned.cell.grade_id or "")
    if owned.cell.part is Part.TEST:
        if index is None:
            return None
        if sealing is not None and sealing.state is SealState.CANNOT_SEAL:
            code = f"{owned.definitions}\n{_REFUSAL}" if owned.definitions else _REFUSAL
        else:
            code = owned.code
        contract = frozenset(sealing.contract) if sealing is not None else frozenset()
        return ExamCell(index, code, is_test=True, pushed=owned.pushed, contract=contract)
    return ExamCell(index, owned.code) if owned.code else None


def _places(restored: dict[str, Any]) -> dict[str, int]:
    """Return where the author's cells are in the notebook that is run."""
    return {
        grade_id: index
        for index, cell in enumerate(restored["cells"])
        if own_of(cell).get("origin") != Origin.STUDENT
        and (grade_id := grade_id_of(cell)) is not None
    }
