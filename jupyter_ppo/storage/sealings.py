"""What is known of the test cells of each version, in the database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.sealing import CellSealing, Finding, FindingKind, Sealing, SealState
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import SealingRow


class Sealings:
    """``domain.ports.SealingStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sealing(self, version_id: UUID) -> Sealing | None:
        """Return what the reference solution's run showed, if it was run."""
        with self._database.session() as session:
            row = session.get(SealingRow, version_id)
            return None if row is None else _sealing(row)

    def put(self, sealing: Sealing) -> Sealing:
        """Keep it; return what is kept, which is the earlier one if there is one.

        Raises ``ConflictError`` when there is no such version.
        """
        try:
            with self._database.begin() as session:
                row = session.get(SealingRow, sealing.version_id)
                if row is not None:
                    return _sealing(row)
                session.add(_row(sealing))
        except ConflictError:  # another process was first
            earlier = self.sealing(sealing.version_id)
            if earlier is None:
                raise
            return earlier
        return sealing

    def replace(self, sealing: Sealing) -> Sealing:
        """Keep it in the place of an earlier one; raise ``ConflictError`` without its version."""
        with self._database.begin() as session:
            session.merge(_row(sealing))
        return sealing


def _row(sealing: Sealing) -> SealingRow:
    return SealingRow(
        version_id=sealing.version_id,
        cells=[_cell_data(cell) for cell in sealing.cells],
        created_at=sealing.created_at,
        wall_seconds=float(sealing.wall_seconds),
    )


def _sealing(row: SealingRow) -> Sealing:
    return Sealing(
        version_id=row.version_id,
        cells=tuple(_cell(data) for data in row.cells),
        created_at=row.created_at,
        wall_seconds=row.wall_seconds,
    )


def _cell_data(cell: CellSealing) -> dict[str, Any]:
    findings = [
        {"line": found.line, "kind": found.kind.value, "text": found.text}
        for found in cell.findings
    ]
    return {
        "grade_id": cell.grade_id,
        "state": cell.state.value,
        "reason": cell.reason,
        "findings": findings,
        "contract": list(cell.contract),
        "changes": list(cell.changes),
    }


def _cell(data: dict[str, Any]) -> CellSealing:
    findings = tuple(
        Finding(found["line"], FindingKind(found["kind"]), found["text"])
        for found in data["findings"]
    )
    return CellSealing(
        data["grade_id"],
        SealState(data["state"]),
        data["reason"],
        findings,
        tuple(data["contract"]),
        tuple(data["changes"]),
    )
