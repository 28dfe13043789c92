"""The gradebook of a class: one row for each student, one cell for each piece of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.roster import Person


class CellState(StrEnum):
    """Where the attempt that counts is; a graded one is RELEASED once students see it."""

    NOT_SUBMITTED = "not_submitted"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"
    RELEASED = "released"
    FAILED = "failed"


class RowFilter(StrEnum):
    """Which rows are kept: those with a cell that is in this state, late, or waits for a person."""

    NOT_SUBMITTED = "not_submitted"
    SUBMITTED = "submitted"
    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"
    RELEASED = "released"
    FAILED = "failed"
    LATE = "late"
    NEEDS_REVIEW = "needs_review"


class SortKey(StrEnum):
    """What rows are sorted by, beside the name of a column; these words come first."""

    USER = "user"
    NAME = "name"  # last name, first name
    TOTAL = "total"
    LATE = "late"  # seconds, of all columns together


class Order(StrEnum):
    """The direction; who has no value is last in both."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, slots=True)
class GradebookQuery:
    """Which rows, in which order.

    With ``assignment`` the columns are its exercises. ``search`` holds words that are all in the
    username or the names, whatever their case and accents. ``sort`` is a ``SortKey`` or the name of
    a column; equal rows come by username.
    """

    assignment: str | None = None
    search: str = ""
    group: str | None = None
    state: RowFilter | None = None
    sort: str = SortKey.USER
    order: Order = Order.ASCENDING


@dataclass(frozen=True, slots=True)
class GradebookColumn:
    """An assignment, or an exercise of one; ``max_points`` are those of the newest version."""

    name: str
    kind: AssignmentKind | CellKind
    max_points: float
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GradebookCell:
    """What one student has in one column.

    ``points`` have extra credit in them and, of an assignment, the penalty off them; they and
    ``max_points`` are None until graded.
    """

    submission_id: UUID | None = None
    state: CellState = CellState.NOT_SUBMITTED
    points: float | None = None
    max_points: float | None = None
    penalty: float = 0.0
    extra_credit: float = 0.0
    late_seconds: int = 0
    attempts: int = 0
    needs_review: bool = False
    unsealed_points: float = 0.0
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class GradebookRow:
    """One student; ``cells`` has one of each column.

    ``total`` sums the assignments that students see, ``max_total`` what they could give.
    """

    user: str
    first_name: str
    last_name: str
    groups: tuple[str, ...]
    total: float
    max_total: float
    cells: Mapping[str, GradebookCell]


@dataclass(frozen=True, slots=True)
class Gradebook:
    """A page of rows and the columns of all pages."""

    columns: tuple[GradebookColumn, ...]
    page: Page[GradebookRow]


# -- a class as another program keeps it ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordedScore:
    """One exercise of one student.

    ``auto_points`` come from tests (None: there are none yet), ``given_points`` from a person.
    ``waits`` says that a person has to look at it. ``hint_deduction`` is what hints took off the
    points of tests.
    """

    grade_id: str
    max_points: float
    auto_points: float | None
    given_points: float | None
    extra_credit: float
    comment: str
    waits: bool
    hint_deduction: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordedSubmission:
    """What counts of one student; ``extension_seconds`` is their time beyond the due date."""

    user: str
    submitted_at: datetime | None
    extension_seconds: int
    penalty: float
    scores: tuple[RecordedScore, ...]


@dataclass(frozen=True, slots=True)
class RecordedAssignment:
    """An assignment with the digests of its notebooks (of an entry, of its definition)."""

    name: str
    kind: AssignmentKind
    due_at: datetime | None
    source_digest: str
    release_digest: str
    exercises: tuple[Exercise, ...]
    submissions: tuple[RecordedSubmission, ...]


@dataclass(frozen=True, slots=True)
class ClassRecord:
    """The students of a course, and what they have."""

    students: Mapping[str, Person]
    assignments: tuple[RecordedAssignment, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How much came in, and what did not."""

    students: int
    assignments: int
    submissions: int
    grades: int
    warnings: tuple[str, ...]
