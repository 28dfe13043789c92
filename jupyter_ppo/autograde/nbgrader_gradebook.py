"""A class as nbgrader's ``gradebook.db``, written with nbgrader's own tables.

nbgrader's ``Gradebook`` commits every row by itself and runs the program ``alembic`` when it makes
a file; a class of a thousand takes it hours. Its tables are filled in one transaction here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, text_of
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.gradebook import (
    ClassRecord,
    RecordedAssignment,
    RecordedScore,
    RecordedSubmission,
)
from jupyter_ppo.domain.grading import hints_took, total

#: The most that nbgrader keeps of a kernel's description.
_KERNELSPEC_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell that nbgrader keeps: what kind it is, and its text as the students' copy is made."""

    grade_id: str
    kind: CellKind
    cell_type: str
    source: str
    points: float


@dataclass(slots=True)
class _Rows:
    """Rows by nbgrader's table."""

    by_table: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **values: Any) -> str:
        """Add a row; return its id."""
        values.setdefault("id", uuid4().hex)
        self.by_table.setdefault(table, []).append(values)
        return str(values["id"])


def write_gradebook(record: ClassRecord, blob: Callable[[str], bytes], *, course: str) -> bytes:
    """Return the bytes of a ``gradebook.db``.

    Each assignment has one notebook with its name, each student the one submission that counts.
    ``blob`` returns the bytes of a source notebook. A student's penalty is nbgrader's
    ``late_submission_penalty``, their extension its ``extension``.
    """
    rows = _Rows()
    # nbgrader calls a course by this name unless its configuration says another.
    rows.add("course", id=course)
    for user, person in record.students.items():
        rows.add(
            "student",
            id=user,
            first_name=person.first_name or None,
            last_name=person.last_name or None,
            email=person.email or None,
            lms_user_id=person.lms_user_id or None,
        )
    for assignment in record.assignments:
        _add_assignment(rows, assignment, blob, course)
    return _database(rows)


def _add_assignment(
    rows: _Rows, assignment: RecordedAssignment, blob: Callable[[str], bytes], course: str
) -> None:
    cells, kernelspec = _cells(assignment, blob)
    assignment_id = rows.add(
        "assignment", name=assignment.name, duedate=_naive(assignment.due_at), course_id=course
    )
    notebook_id = rows.add(
        "notebook", name=assignment.name, assignment_id=assignment_id, kernelspec=kernelspec
    )
    ids: dict[str, str] = {}
    commented: dict[str, str] = {}
    for cell in cells:
        _add_cell(rows, notebook_id, cell, ids, commented)
    for submission in assignment.submissions:
        _add_submission(rows, submission, assignment_id, notebook_id, ids, commented)


def _add_cell(
    rows: _Rows, notebook_id: str, cell: _Cell, ids: dict[str, str], commented: dict[str, str]
) -> None:
    """Add a cell; ``ids`` gets what grades refer to, ``commented`` what comments refer to."""
    is_graded = cell.kind in {CellKind.TESTS, CellKind.MANUAL}
    if is_graded:
        known = rows.add("base_cell", name=cell.grade_id, notebook_id=notebook_id, type="GradeCell")
        rows.add("grade_cells", id=known, max_score=cell.points, cell_type=cell.cell_type)
        ids[cell.grade_id] = commented[cell.grade_id] = known
    if cell.kind in {CellKind.SOLUTION, CellKind.MANUAL}:
        known = rows.add(
            "base_cell", name=cell.grade_id, notebook_id=notebook_id, type="SolutionCell"
        )
        rows.add("solution_cells", id=known)
        commented[cell.grade_id] = known
    if cell.kind in {CellKind.TASK, CellKind.CRITERION}:
        known = rows.add("base_cell", name=cell.grade_id, notebook_id=notebook_id, type="TaskCell")
        rows.add("task_cells", id=known, max_score=cell.points, cell_type=cell.cell_type)
        ids[cell.grade_id] = commented[cell.grade_id] = known
    rows.add(
        "source_cell",
        name=cell.grade_id,
        cell_type=cell.cell_type,
        locked=cell.kind not in {CellKind.SOLUTION, CellKind.MANUAL},
        source=cell.source,
        checksum=_checksum(cell),
        notebook_id=notebook_id,
    )


def _add_submission(
    rows: _Rows,
    submission: RecordedSubmission,
    assignment_id: str,
    notebook_id: str,
    ids: Mapping[str, str],
    commented: Mapping[str, str],
) -> None:
    seconds = submission.extension_seconds
    whole = rows.add(
        "submitted_assignment",
        assignment_id=assignment_id,
        student_id=submission.user,
        timestamp=_naive(submission.submitted_at),
        extension=timedelta(seconds=seconds) if seconds else None,
    )
    part = rows.add(
        "submitted_notebook",
        assignment_id=whole,
        notebook_id=notebook_id,
        flagged=False,
        late_submission_penalty=submission.penalty,
    )
    for score in submission.scores:
        _add_score(rows, score, part, ids, commented)


def _add_score(
    rows: _Rows,
    score: RecordedScore,
    notebook_id: str,
    ids: Mapping[str, str],
    commented: Mapping[str, str],
) -> None:
    rows.add(
        "grade",
        cell_id=ids[score.grade_id],
        notebook_id=notebook_id,
        auto_score=score.auto_points,
        manual_score=score.given_points,
        extra_credit=score.extra_credit or None,
        needs_manual_grade=score.waits,
    )
    taken = score.hint_deduction
    if score.comment or taken:
        before = total([score.auto_points or 0.0, taken])
        rows.add(
            "comment",
            cell_id=commented[score.grade_id],
            notebook_id=notebook_id,
            auto_comment=hints_took(taken, before) if taken else None,
            manual_comment=score.comment or None,
        )


# -- the notebook --------------------------------------------------------------------------------


def _cells(
    assignment: RecordedAssignment, blob: Callable[[str], bytes]
) -> tuple[list[_Cell], str | None]:
    """Return the cells that nbgrader would have saved, in their order, and the kernel."""
    cells: list[_Cell] = []
    kernelspec = None
    points = {exercise.grade_id: exercise.points for exercise in assignment.exercises}
    if assignment.kind is AssignmentKind.NOTEBOOK:
        made = make_release(blob(assignment.source_digest))
        for source, release in zip(made.source["cells"], made.release["cells"], strict=True):
            kind, name = kind_of(source), grade_id_of(source)
            if kind is None or name is None:
                continue
            # nbgrader saves cells without solutions, but with hidden tests and mark schemes.
            shown = release if kind in {CellKind.SOLUTION, CellKind.MANUAL} else source
            text = text_of(shown["source"])
            cells.append(_Cell(name, kind, source["cell_type"], text, points.get(name, 0.0)))
        spec = made.source["metadata"].get("kernelspec")
        text = json.dumps(spec) if isinstance(spec, dict) else ""
        kernelspec = text if 0 < len(text) <= _KERNELSPEC_LENGTH else None
    there = {cell.grade_id for cell in cells}
    cells += [
        _made_up(exercise) for exercise in assignment.exercises if exercise.grade_id not in there
    ]
    return cells, kernelspec


def _made_up(exercise: Exercise) -> _Cell:
    """Return a cell for what has none: a criterion, or an exercise of an earlier version."""
    is_code = exercise.kind is CellKind.TESTS
    kind = exercise.kind if is_code else CellKind.TASK
    text = f"# {exercise.grade_id}" if is_code else exercise.grade_id
    cell_type = "code" if is_code else "markdown"
    return _Cell(exercise.grade_id, kind, cell_type, text, exercise.points)


def _checksum(cell: _Cell) -> str:
    from nbgrader.utils import compute_checksum

    values = cell.grade_id, cell.kind, cell.cell_type, cell.source, cell.points
    return str(compute_checksum(notebook_cell(*values)))


def notebook_cell(grade_id: str, kind: CellKind, cell_type: str, source: str, points: float) -> Any:
    """Return a notebook's cell with nbgrader's metadata (version 3)."""
    from nbformat import v4

    is_task = kind is CellKind.TASK
    is_answer = kind in {CellKind.SOLUTION, CellKind.MANUAL}
    is_graded = kind in {CellKind.TESTS, CellKind.MANUAL}
    meta: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": is_graded,
        "solution": is_answer,
        "locked": not is_answer,
        "task": is_task,
        "cell_type": cell_type,
    }
    if is_graded or is_task:
        meta["points"] = points
    new = v4.new_code_cell if cell_type == "code" else v4.new_markdown_cell
    return new(source, metadata={"nbgrader": meta})


# -- the file ------------------------------------------------------------------------------------

#: Tables before those that refer to them.
_TABLES = (
    "course",
    "student",
    "assignment",
    "notebook",
    "base_cell",
    "grade_cells",
    "solution_cells",
    "task_cells",
    "source_cell",
    "submitted_assignment",
    "submitted_notebook",
    "grade",
    "comment",
)


def _database(rows: _Rows) -> bytes:
    from nbgrader.api import Base
    from sqlalchemy import create_engine, insert, text

    with tempfile.TemporaryDirectory(prefix="jupyter-ppo-") as folder:
        path = Path(folder) / "gradebook.db"
        engine = create_engine(f"sqlite:///{path}")
        try:
            Base.metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(
                    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
                )
                connection.execute(
                    text("INSERT INTO alembic_version (version_num) VALUES (:revision)"),
                    {"revision": nbgrader_revision()},
                )
                for name in _TABLES:
                    if rows.by_table.get(name):
                        connection.execute(insert(Base.metadata.tables[name]), rows.by_table[name])
        finally:
            engine.dispose()
        return path.read_bytes()


@cache
def nbgrader_revision() -> str:
    """Return the newest revision of nbgrader's tables, read as a file and not run."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    config = Config()
    config.set_main_option("script_location", ALEMBIC_DIR.replace("%", "%%"))
    return str(ScriptDirectory.from_config(config).get_current_head())


def _naive(time: datetime | None) -> datetime | None:
    """Return a time as nbgrader keeps it: UTC without saying so."""
    return None if time is None else time.astimezone(UTC).replace(tzinfo=None)
