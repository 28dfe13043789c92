"""The class in an nbgrader ``gradebook.db``; what of it cannot be used is left out and named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_ppo.autograde.nbgrader_gradebook import notebook_cell
from jupyter_ppo.autograde.nbgrader_tables import MAX_TEXT, Row, read_tables, refuse
from jupyter_ppo.autograde.release import make_release, to_bytes
from jupyter_ppo.domain.courses import (
    AssignmentKind,
    CellKind,
    Exercise,
    checked_name,
    checked_user,
    one_spelling,
)
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.gradebook import RecordedAssignment, RecordedScore, RecordedSubmission
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.marks import MAX_COMMENT
from jupyter_ppo.domain.roster import Person
from jupyter_ppo.domain.terms import MAX_SECONDS, Terms

_MAX_POINTS = 1_000_000.0
_MAX_NAME = 255
#: SQLite's epoch as SQLAlchemy writes an interval.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STUB = re.compile(r"^([ \t]*)# YOUR CODE HERE\n[ \t]*raise NotImplementedError\(\)", re.MULTILINE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class FoundAssignment:
    """An assignment with its notebook, put together again from the cells that nbgrader keeps."""

    name: str
    due_at: datetime | None
    source: bytes
    release: bytes
    exercises: tuple[Exercise, ...]
    submissions: tuple[RecordedSubmission, ...]

    def recorded(self, source_digest: str, release_digest: str) -> RecordedAssignment:
        """Return it as it is kept, once the notebooks are."""
        return RecordedAssignment(
            self.name,
            AssignmentKind.NOTEBOOK,
            self.due_at,
            source_digest,
            release_digest,
            self.exercises,
            self.submissions,
        )


@dataclass(slots=True)
class FoundClass:
    """What is in the file; ``warnings`` say what of it cannot be used."""

    students: dict[str, Person] = field(default_factory=dict)
    assignments: list[FoundAssignment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_gradebook(data: bytes) -> FoundClass:
    """Return the class in the bytes of a ``gradebook.db``.

    Raises ``InvalidInputError`` (field ``gradebook``) when they are none, are damaged, or hold what
    a gradebook has no need of; ``TooLargeError`` when they hold more than is read.
    """
    return _Reader(read_tables(data)).read()


# -- values --------------------------------------------------------------------------------------


def _text(value: object, what: str, most: int = MAX_TEXT) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        refuse(f"{what} is not a text that can be used")
    return value


def _key(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _number(value: object, what: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not abs(value) <= _MAX_POINTS:
        refuse(f"{what} is not a number within {_MAX_POINTS:,.0f}")
    return float(value)


def _time(value: object, what: str) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(_text(value, what, _MAX_NAME))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(f"{what} is not a time")


def _by(rows: list[Row], column: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(_key(row[column]), []).append(row)
    return grouped


# -- the class -----------------------------------------------------------------------------------


class _Reader:
    """Puts rows together; what cannot be used is left out with a warning."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        self._tables = tables
        self._found = FoundClass()
        self._cells = _by(tables["base_cell"], "notebook_id")
        self._sources = _by(tables["source_cell"], "notebook_id")
        self._graded = {
            _key(row["id"]): row for name in ("grade_cells", "task_cells") for row in tables[name]
        }
        self._whole = {_key(row["id"]): row for row in tables["submitted_assignment"]}
        self._parts = _by(tables["submitted_notebook"], "notebook_id")
        self._grades = _by(tables["grade"], "notebook_id")
        self._comments = _by(tables["comment"], "notebook_id")

    def read(self) -> FoundClass:
        """Return the class."""
        for row in self._tables["student"]:
            self._guarded("a student", self._add_student, row)
        notebooks = _by(self._tables["notebook"], "assignment_id")
        for assignment in self._tables["assignment"]:
            own = notebooks.get(_key(assignment["id"]), [])
            for notebook in own:
                self._guarded(
                    f"the assignment {str(assignment['name'])[:80]!r}",
                    self._add_assignment,
                    assignment,
                    notebook,
                    len(own) == 1,
                )
        return self._found

    def _guarded(self, what: str, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except PPOError as error:
            self._found.warnings.append(f"{what} was left out: {error.message}")

    def _add_student(self, row: Row) -> None:
        user = checked_user(_text(row["id"], "the id of a student", _MAX_NAME))
        names = ("first_name", "last_name", "email", "lms_user_id")
        self._found.students[user] = Person(
            *(_text(row[name], f"{name} of {user!r}", _MAX_NAME) for name in names)
        )

    def _add_assignment(self, assignment: Row, notebook: Row, is_only: bool) -> None:
        name = _text(assignment["name"], "the name of an assignment", _MAX_NAME)
        own = _text(notebook["name"], "the name of a notebook", _MAX_NAME)
        wished = name if is_only else f"{name}.{own}"
        called = checked_name(_NOT_IN_NAMES.sub("_", wished).lstrip("._-"), "assignment")
        if called != wished:
            self._found.warnings.append(f"{wished!r} is called {called!r} here.")
        if any(each.name == called for each in self._found.assignments):
            refuse(f"there are two that would be called {called!r}")
        source, stands_for = self._notebook(notebook)
        made = make_release(source)
        due_at = _time(assignment["duedate"], f"the due date of {called!r}")
        Terms(due_at=due_at).check()
        exercises = {exercise.grade_id: exercise for exercise in made.exercises}
        submissions = [
            self._submission(part, exercises, stands_for)
            for part in self._parts.get(_key(notebook["id"]), [])
            if self._student_of(part) in self._found.students
        ]
        self._found.assignments.append(
            FoundAssignment(
                called, due_at, source, to_bytes(made.release), made.exercises, tuple(submissions)
            )
        )

    def _notebook(self, notebook: Row) -> tuple[bytes, dict[str, str]]:
        """Return a source notebook of the cells that are kept, and what each cell stands for.

        The second leads from a cell's id to a grade_id: its own if it is graded, else that of the
        next graded cell, whose answer it is.
        """
        from nbformat import v4

        key = _key(notebook["id"])
        named: dict[str, list[Row]] = _by(self._cells.get(key, []), "name")
        cells: list[Any] = []
        waiting: list[str] = []
        stands_for: dict[str, str] = {}
        for row in self._sources.get(key, []):
            name = _text(row["name"], "the name of a cell", _MAX_NAME)
            own = named.pop(name, [])
            types = {_key(cell["type"]) for cell in own}
            ids = [_key(cell["id"]) for cell in own]
            graded = [self._graded[one] for one in ids if one in self._graded]
            kind = _kind(types)
            points = _number(graded[0]["max_score"], f"the points of {name!r}") if graded else 0.0
            cell_type = "code" if row["cell_type"] == "code" else "markdown"
            text = _with_solution(_text(row["source"], f"the text of {name!r}"))
            cell = notebook_cell(name, kind, cell_type, text, points or 0.0)
            cell["id"] = f"cell-{len(cells)}"
            cells.append(cell)
            waiting += ids
            if graded:
                stands_for |= dict.fromkeys(waiting, name)
                waiting = []
        metadata: dict[str, Any] = {}
        try:
            spec = json.loads(_text(notebook["kernelspec"], "a kernelspec") or "null")
        except (ValueError, RecursionError):
            spec = None
        if isinstance(spec, dict):
            metadata["kernelspec"] = spec
        return to_bytes(v4.new_notebook(cells=cells, metadata=metadata)), stands_for

    def _student_of(self, part: Row) -> str:
        whole = self._whole.get(_key(part["assignment_id"]))
        return "" if whole is None else one_spelling(_key(whole["student_id"]))

    def _submission(
        self, part: Row, exercises: Mapping[str, Exercise], stands_for: Mapping[str, str]
    ) -> RecordedSubmission:
        whole, key = self._whole[_key(part["assignment_id"])], _key(part["id"])
        user = one_spelling(_key(whole["student_id"]))
        comments: dict[str, list[str]] = {}
        for row in self._comments.get(key, []):
            said = _text(row["manual_comment"], f"a comment on {user!r}")[:MAX_COMMENT]
            about = stands_for.get(_key(row["cell_id"]))
            if said and about is None:
                self._found.warnings.append(f"A comment on {user!r} is about no graded cell.")
            elif said and about is not None:
                comments.setdefault(about, []).append(said)
        scores: dict[str, RecordedScore] = {}
        for row in self._grades.get(key, []):
            grade_id = stands_for.get(_key(row["cell_id"]), "")
            if grade_id in exercises:
                text = "\n".join(comments.pop(grade_id, []))[:MAX_COMMENT]
                scores[grade_id] = self._score(row, exercises[grade_id], text, user)
        return RecordedSubmission(
            user=user,
            submitted_at=_time(whole["timestamp"], f"the time of {user!r}"),
            extension_seconds=self._extension(whole["extension"], user),
            penalty=_number(part["late_submission_penalty"], f"the penalty of {user!r}") or 0.0,
            scores=tuple(scores[name] for name in exercises if name in scores),
        )

    def _extension(self, value: object, user: str) -> int:
        """Return how much more time was given, within what an extension can give here."""
        what = f"the extension of {user!r}"
        until = _time(value, what)
        seconds = 0 if until is None else int((until - _EPOCH) / timedelta(seconds=1))
        within = max(0, min(MAX_SECONDS, seconds))
        if within != seconds:
            self._found.warnings.append(
                f"{what} is {seconds:,} seconds; it was cut to {within:,}, which can be kept here."
            )
        return within

    def _score(self, row: Row, exercise: Exercise, comment: str, user: str) -> RecordedScore:
        what = f"of {user!r} in {exercise.grade_id!r}"
        auto = _number(row["auto_score"], f"the automatic score {what}")
        given = _number(row["manual_score"], f"the manual score {what}")
        extra = _number(row["extra_credit"], f"the extra credit {what}") or 0.0
        if given is not None:  # a mark is within the points; what goes beyond is extra credit
            within = min(max(given, 0.0), exercise.points)
            given, extra = within, total([extra, given, -within])
        return RecordedScore(
            grade_id=exercise.grade_id,
            max_points=exercise.points,
            auto_points=auto,
            given_points=given,
            extra_credit=extra,
            comment=comment,
            waits=given is None and (auto is None or bool(row["needs_manual_grade"])),
        )


def _with_solution(text: str) -> str:
    """Return an answer's text with a solution in the place of nbgrader's stub.

    nbgrader keeps it without the solution; without these lines a release of it would lose what is
    around the stub.
    """
    code = r"\1### BEGIN SOLUTION\n\1raise NotImplementedError()\n\1### END SOLUTION"
    return _STUB.sub(code, text)


def _kind(types: set[str]) -> CellKind:
    if "TaskCell" in types:
        return CellKind.TASK
    if "SolutionCell" in types:
        return CellKind.MANUAL if "GradeCell" in types else CellKind.SOLUTION
    return CellKind.TESTS if "GradeCell" in types else CellKind.READ_ONLY
