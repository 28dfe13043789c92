"""What is known of a version's test cells: which are sealed, and what the author should look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class SealState(StrEnum):
    """How a test cell is run."""

    SEALED = "sealed"  # by the examiner; the reference solution passes there
    UNSEALED = "unsealed"  # in the student's kernel, because the author marked it so
    CANNOT_SEAL = "cannot_seal"  # passes in the reference's own kernel only: waits for the author
    REFERENCE_FAILS = "reference_fails"  # by the examiner, but the reference does not pass


class FindingKind(StrEnum):
    """What a finding in a test cell means."""

    OBSTACLE = "obstacle"  # cannot be sealed
    CARE = "care"  # can be, and may behave differently
    WEAK = "weak"  # a wrong answer may pass this test


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a test cell that its author should look at.

    ``line`` counts from 1; ``text`` is one sentence with the remedy.
    """

    line: int
    kind: FindingKind
    text: str


@dataclass(frozen=True, slots=True)
class CellSealing:
    """What is known of one test cell. ``reason`` says why it is not SEALED, else it is empty.

    ``contract`` holds the uses of the border that this test needs beyond the plain ones, and
    ``changes`` the arguments that the reference solution changes in place.
    """

    grade_id: str
    state: SealState
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    contract: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """What the run on the reference solution showed, for one version."""

    version_id: UUID
    cells: tuple[CellSealing, ...]
    created_at: datetime
    wall_seconds: float

    @property
    def contract(self) -> frozenset[str]:
        """All uses of the border that its tests need beyond the plain ones."""
        return frozenset(use for cell in self.cells for use in cell.contract)

    def changes_of(self, grade_id: str) -> frozenset[str]:
        """The arguments that the reference changes in place in this test."""
        return frozenset(
            change for cell in self.cells if cell.grade_id == grade_id for change in cell.changes
        )

    @property
    def states(self) -> Mapping[str, SealState]:
        """The state of each test cell by grade_id."""
        return {cell.grade_id: cell.state for cell in self.cells}
