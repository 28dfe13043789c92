"""The gradebook's files: CSV, JSON, and nbgrader's gradebook.db, out, in and out again."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook as NbgraderGradebook
from sqlalchemy import func, insert, select, update

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind, Role
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError
from jupyter_ppo.domain.gradebook import (
    Gradebook,
    GradebookCell,
    GradebookColumn,
    GradebookQuery,
    GradebookRow,
)
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.terms import LatePolicy, LateRule, Terms
from jupyter_ppo.services.class_gradebook import GradebookService
from jupyter_ppo.services.gradebook_files import gradebook_csv, gradebook_json
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.gradebooks import Gradebooks
from jupyter_ppo.storage.grades import retotal, store_grade
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import (
    ExtensionRow,
    GradeChangeRow,
    MarkRow,
    MembershipRow,
    SubmissionRow,
    TermsRow,
)
from jupyter_ppo.storage.term_rows import terms_values

DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)
INES = Caller("ines")


class At:
    def __init__(self, when: datetime) -> None:
        self._when = when

    def now(self) -> datetime:
        return self._when


def _meta(grade_id: str, **more: Any) -> dict[str, Any]:
    cell = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    return {"nbgrader": cell | {"grade_id": grade_id} | more}


def _source() -> bytes:
    cells = [
        new_markdown_cell("# Not graded", id="title"),
        new_code_cell("import math", id="setup", metadata=_meta("setup", locked=True)),
        new_code_cell(
            "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
            id="f",
            metadata=_meta("f", solution=True),
        ),
        new_code_cell(
            "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS",
            id="t",
            metadata=_meta("f-tests", grade=True, locked=True, points=2),
        ),
        new_markdown_cell(
            "### BEGIN SOLUTION\nBecause.\n### END SOLUTION",
            id="why",
            metadata=_meta("why", grade=True, solution=True, points=3),
        ),
        new_markdown_cell(
            "Draw it.", id="task", metadata=_meta("draw", task=True, locked=True, points=1)
        ),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return str(nbformat.writes(new_notebook(cells=cells, metadata=kernel))).encode()


class Place:
    """A server's storage with the gradebook's service."""

    def __init__(self, folder: Path, template: Path) -> None:
        folder.mkdir()
        shutil.copy(template, folder / "db.sqlite")
        self.database: Database = open_database(sqlite_url(folder / "db.sqlite"))
        self.blobs = FileBlobs(folder / "blobs")
        self.courses = Courses(self.database)
        self.course = self.courses.create_course("ppo", "PPO")
        self.courses.enrol(self.course.id, "ines", Role.INSTRUCTOR)
        self.service = GradebookService(
            courses=self.courses,
            gradebooks=Gradebooks(self.database),
            blobs=self.blobs,
            audit=Audit(self.database),
        )

    def release(self, name: str = "one", **terms: Any) -> Any:
        made = NotebookGrader().release(_source())
        assignment = self.courses.release(
            self.course.id,
            name,
            source_digest=self.blobs.put(_source()),
            release_digest=self.blobs.put(made.release),
            exercises=made.exercises,
        )
        with self.database.begin() as session:
            values = terms_values(Terms(**terms))
            session.execute(
                insert(TermsRow).values(
                    assignment_id=assignment.id, updated_at=DUE, updated_by="ines", **values
                )
            )
        return assignment

    def student(self, user: str, first: str, last: str) -> None:
        self.courses.enrol(self.course.id, user, Role.STUDENT)
        with self.database.begin() as session:
            session.execute(
                update(MembershipRow)
                .where(MembershipRow.user == user)
                .values(first_name=first, last_name=last, email=f"{user}@example.org")
            )

    def graded(self, assignment: Any, user: str, points: float, at: datetime = DUE) -> UUID:
        made = Submissions(self.database, At(at)).submit(assignment, user, "d" * 64, [])
        grade = Grade(
            submission_id=made.id,
            exercises=(
                ExerciseGrade("f-tests", points, 2.0, False, "Tests."),
                ExerciseGrade("why", 0.0, 3.0, True, "A person."),
                ExerciseGrade("draw", 0.0, 1.0, True, "A person."),
            ),
            verdict=Verdict.RAN,
            detail="",
            feedback_digest="c" * 64,
            graded_at=DUE,
            wall_seconds=1.0,
        )
        with self.database.begin() as session:
            session.execute(
                update(SubmissionRow).where(SubmissionRow.id == made.id).values(state="graded")
            )
            store_grade(session, grade)
            settle(session, assignment.id)
        return made.id

    def mark(
        self, submission: UUID, grade_id: str, points: float | None, extra: float, comment: str
    ) -> None:
        with self.database.begin() as session:
            session.add(
                MarkRow(
                    submission_id=submission,
                    grade_id=grade_id,
                    points=points,
                    extra_credit=extra,
                    comment=comment,
                    revision=1,
                    marked_by="ines",
                    marked_at=DUE,
                )
            )
            session.flush()
            retotal(session, submission)

    def scores(self) -> dict[str, tuple[float | None, float]]:
        page = self.service.page(INES, "ppo", GradebookQuery(), offset=0, limit=50)
        return {
            row.user: (row.cells["one"].points, row.cells["one"].penalty) for row in page.page.items
        }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables, to be copied: making them takes a second."""
    path = tmp_path_factory.mktemp("template") / "db.sqlite"
    open_database(sqlite_url(path)).close()
    return path


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Iterator[Place]:
    made = Place(tmp_path / "here", template)
    yield made
    made.database.close()


@pytest.fixture
def elsewhere(tmp_path: Path, template: Path) -> Iterator[Place]:
    made = Place(tmp_path / "there", template)
    yield made
    made.database.close()


@pytest.fixture
def full(place: Place) -> Place:
    """Three students: one marked, late and extended; one only tested; one who did nothing."""
    late = LatePolicy(LateRule.PER_DAY, percent_per_day=10)
    one = place.release(due_at=DUE, late=late)
    place.student("sam", "Sam", "O'Neill, Jr.")
    place.student("sue", "Sue", "=HYPERLINK(1)")
    place.student("zoe", "Zoë", "Straße")
    with place.database.begin() as session:
        session.add(
            ExtensionRow(
                id=new_id(),
                assignment_id=one.id,
                user="sam",
                seconds=3600,
                attempts=0,
                reason="ill",
                created_by="ines",
                created_at=DUE,
            )
        )
    sam = place.graded(one, "sam", 1.5, DUE + timedelta(hours=30))
    place.mark(sam, "why", 2.25, 0.5, 'Good; see "p. 3",\nsecond line.')
    place.mark(sam, "f-tests", None, 0.0, "Nearly.")
    place.graded(one, "sue", 2.0)
    return place


def _nbgrader(path: Path, data: bytes) -> NbgraderGradebook:
    path.write_bytes(data)
    return NbgraderGradebook(f"sqlite:///{path}", course_id="ppo")


def test_nbgrader_reads_the_same_numbers_from_the_export(
    full: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no program "alembic" is run
    with _nbgrader(tmp_path / "gradebook.db", full.service.to_nbgrader(INES, "ppo")) as found:
        assert sorted(student.id for student in found.students) == ["sam", "sue", "zoe"]
        assert found.find_student("sam").last_name == "O'Neill, Jr."
        assert found.find_assignment("one").duedate == DUE.replace(tzinfo=None)
        assert found.find_assignment("one").max_score == 6.0
        assert found.find_notebook("one", "one").kernelspec is not None
        hidden = found.find_source_cell("f-tests", "one", "one").source
        assert "BEGIN HIDDEN TESTS" in hidden
        assert "YOUR CODE HERE" in found.find_source_cell("f", "one", "one").source
        sam = found.find_submission("one", "sam")
        assert sam.score == pytest.approx(1.5 + 2.25 + 0.5)
        assert sam.late_submission_penalty == pytest.approx(4.25 * 0.2)
        assert sam.total_seconds_late == 29 * 3600
        why = found.find_grade("why", "one", "one", "sam")
        assert (why.auto_score, why.manual_score, why.extra_credit) == (None, 2.25, 0.5)
        assert not why.needs_manual_grade
        comment = found.find_comment("why", "one", "one", "sam")
        assert comment.manual_comment == 'Good; see "p. 3",\nsecond line.'
        assert found.find_grade("f-tests", "one", "one", "sue").score == 2.0
        assert found.find_grade("draw", "one", "one", "sue").needs_manual_grade
        assert found.find_submission("one", "sue").needs_manual_grade


def _content(data: bytes, path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of a gradebook.db with names in the place of random ids."""
    path.write_bytes(data)
    queries = {
        "students": "SELECT id, first_name, last_name, email, lms_user_id FROM student",
        "assignments": "SELECT name, duedate FROM assignment",
        "cells": "SELECT s.name, s.cell_type, s.locked, s.source, s.checksum, n.name "
        "FROM source_cell s JOIN notebook n ON n.id = s.notebook_id",
        "graded": "SELECT b.name, b.type, g.max_score, g.cell_type FROM base_cell b "
        "LEFT JOIN grade_cells g ON g.id = b.id",
        "submissions": "SELECT a.name, w.student_id, w.timestamp, w.extension, "
        "ROUND(p.late_submission_penalty, 6) FROM submitted_notebook p "
        "JOIN submitted_assignment w ON w.id = p.assignment_id "
        "JOIN assignment a ON a.id = w.assignment_id",
        "grades": "SELECT b.name, w.student_id, g.auto_score, g.manual_score, g.extra_credit, "
        "g.needs_manual_grade FROM grade g JOIN base_cell b ON b.id = g.cell_id "
        "JOIN submitted_notebook p ON p.id = g.notebook_id "
        "JOIN submitted_assignment w ON w.id = p.assignment_id",
        "comments": "SELECT b.name, b.type, w.student_id, c.manual_comment FROM comment c "
        "JOIN base_cell b ON b.id = c.cell_id JOIN submitted_notebook p ON p.id = c.notebook_id "
        "JOIN submitted_assignment w ON w.id = p.assignment_id",
    }
    with closing(sqlite3.connect(path)) as found:
        return {
            name: sorted(found.execute(query).fetchall(), key=repr)
            for name, query in queries.items()
        }


def test_an_export_comes_back_the_same_through_an_import(
    full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    first = full.service.to_nbgrader(INES, "ppo")
    report = elsewhere.service.from_nbgrader(INES, "ppo", first)
    assert report.warnings == ()
    assert (report.students, report.assignments, report.submissions, report.grades) == (3, 1, 2, 2)
    assert elsewhere.scores() == full.scores()
    second = elsewhere.service.to_nbgrader(INES, "ppo")
    before, after = (
        _content(data, tmp_path / f"{number}.db") for number, data in enumerate((first, second))
    )
    assert all(before.values())
    assert after == before


def test_imported_grades_have_a_history_and_wait_to_be_released(
    full: Place, elsewhere: Place
) -> None:
    elsewhere.service.from_nbgrader(INES, "ppo", full.service.to_nbgrader(INES, "ppo"))
    with elsewhere.database.session() as session:
        changes = session.scalars(
            select(GradeChangeRow).where(GradeChangeRow.kind == GradeChangeKind.IMPORTED)
        ).all()
        assert {change.by for change in changes} == {"ines"}
        assert len(changes) == 2
        assert session.scalars(select(SubmissionRow.released_at)).all() == [None, None]
        digests = session.scalars(select(SubmissionRow.digest)).all()
    assert b"imported from nbgrader" in elsewhere.blobs.get(digests[0])


def test_a_second_import_changes_nothing_and_says_so(full: Place, elsewhere: Place) -> None:
    data = full.service.to_nbgrader(INES, "ppo")
    elsewhere.service.from_nbgrader(INES, "ppo", data)
    before = elsewhere.scores()
    again = elsewhere.service.from_nbgrader(INES, "ppo", data)
    assert (again.students, again.assignments, again.submissions) == (0, 0, 0)
    assert any("exists" in warning for warning in again.warnings)
    assert any("2 students have a submission" in warning for warning in again.warnings)
    assert elsewhere.scores() == before


def test_an_assignment_with_other_points_is_left_alone(full: Place, elsewhere: Place) -> None:
    data = full.service.to_nbgrader(INES, "ppo")
    made = NotebookGrader().release(_source().replace(b'"points": 2', b'"points": 9'))
    elsewhere.courses.release(
        elsewhere.course.id,
        "one",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=made.exercises,
    )
    report = elsewhere.service.from_nbgrader(INES, "ppo", data)
    assert (report.assignments, report.submissions) == (0, 0)
    assert any("other graded cells" in warning for warning in report.warnings)


@pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning")
def test_several_notebooks_become_assignments_of_their_own(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gradebook.db"
    with _made_by_nbgrader(path, monkeypatch) as book:
        book.add_assignment("ps 1")
        book.add_student("sam", first_name="Sam")
        for name in ("a", "b"):
            book.add_notebook(name, "ps 1")
            book.add_grade_cell("t", name, "ps 1", max_score=2, cell_type="code")
            book.add_solution_cell("f", name, "ps 1")
            book.add_source_cell("f", name, "ps 1", cell_type="code", source="# answer")
            book.add_source_cell(
                "t", name, "ps 1", cell_type="code", source="assert f", locked=True
            )
        submission = book.add_submission("ps 1", "sam")
        grade = book.find_grade("t", "a", "ps 1", "sam")
        grade.auto_score, grade.manual_score, grade.extra_credit = 1.0, 2.5, 0.25
        comment = book.find_comment("f", "b", "ps 1", "sam")
        comment.manual_comment = "About the answer."
        book.db.commit()
        assert submission.score == 2.75
    report = place.service.from_nbgrader(INES, "ppo", path.read_bytes())
    assert (report.students, report.assignments, report.submissions) == (1, 2, 2)
    found = place.service.page(INES, "ppo", GradebookQuery(), offset=0, limit=50)
    assert [column.name for column in found.columns] == ["ps_1.a", "ps_1.b"]
    assert found.page.items[0].cells["ps_1.a"].points == 2.75
    with place.database.session() as session:
        comments = session.execute(select(MarkRow.grade_id, MarkRow.comment)).all()
    assert ("t", "About the answer.") in [tuple(row) for row in comments]


def _made_by_nbgrader(path: Path, monkeypatch: pytest.MonkeyPatch) -> NbgraderGradebook:
    import nbgrader.api

    from jupyter_ppo.autograde.nbgrader_gradebook import nbgrader_revision

    # It would run the program "alembic" for this one word.
    monkeypatch.setattr(nbgrader.api, "get_alembic_version", nbgrader_revision)
    return NbgraderGradebook(f"sqlite:///{path}")


HOSTILE = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON student BEGIN DELETE FROM student; END",
    "a view": "CREATE VIEW v AS SELECT 1",
    "a table that is a view": "ALTER TABLE comment RENAME TO c; "
    "CREATE VIEW comment AS SELECT * FROM c",
    "a virtual table": "CREATE VIRTUAL TABLE f USING fts5(x)",
    "a table that is missing": "DROP TABLE grade",
    "a column that is missing": "ALTER TABLE grade DROP COLUMN auto_score",
    "a column that is computed": "ALTER TABLE student DROP COLUMN email; "
    "ALTER TABLE student ADD COLUMN email TEXT AS (hex(zeroblob(1000000)))",
}


@pytest.mark.parametrize("statements", HOSTILE.values(), ids=HOSTILE)
def test_a_file_with_more_than_tables_is_refused(
    full: Place, elsewhere: Place, tmp_path: Path, statements: str
) -> None:
    path = tmp_path / "hostile.db"
    path.write_bytes(full.service.to_nbgrader(INES, "ppo"))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    with pytest.raises(InvalidInputError) as refused:
        elsewhere.service.from_nbgrader(INES, "ppo", path.read_bytes())
    assert refused.value.field == "gradebook"
    with elsewhere.database.session() as session:
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE grade SET auto_score = 9e999",
        "UPDATE grade SET manual_score = 'much'",
        "UPDATE submitted_assignment SET timestamp = 'yesterday'",
        "UPDATE student SET first_name = x'00ff'",
        "UPDATE source_cell SET source = x'00'",
        "UPDATE assignment SET name = '../../etc'",
        "UPDATE student SET id = 'a/b' WHERE id = 'sam'",
        "UPDATE assignment SET duedate = '9999-12-31 23:59:59-12:00'",
        "UPDATE assignment SET duedate = '0001-01-01 00:00:00+12:00'",
        "UPDATE assignment SET duedate = '9990-12-31 12:00:00'",
        "UPDATE submitted_assignment SET extension = '9999-12-31 00:00:00'",
        "UPDATE submitted_assignment SET extension = '0001-01-02 00:00:00'",
        "DELETE FROM source_cell",
        "DELETE FROM submitted_assignment",
    ],
)
def test_what_cannot_be_used_is_left_out_with_a_warning_or_renamed(
    full: Place, elsewhere: Place, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "odd.db"
    path.write_bytes(full.service.to_nbgrader(INES, "ppo"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    report = elsewhere.service.from_nbgrader(INES, "ppo", path.read_bytes())
    assert report.warnings or change == "DELETE FROM submitted_assignment"


def test_a_kernelspec_that_cannot_be_read_is_left_out(
    full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    path = tmp_path / "odd.db"
    path.write_bytes(full.service.to_nbgrader(INES, "ppo"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE notebook SET kernelspec = ?", ("[" * 100_000,))
    assert elsewhere.service.from_nbgrader(INES, "ppo", path.read_bytes()).assignments == 1


def test_bytes_that_are_no_whole_database_are_refused(full: Place, elsewhere: Place) -> None:
    data = full.service.to_nbgrader(INES, "ppo")
    torn = bytearray(data)
    torn[len(torn) // 2 : len(torn) // 2 + 4096] = b"\xff" * 4096
    for wrong in (b"", b"PK\x03\x04", data[:5000], bytes(torn)):
        with pytest.raises(InvalidInputError):
            elsewhere.service.from_nbgrader(INES, "ppo", wrong)


def test_penalties_that_follow_no_rule_are_named(full: Place, elsewhere: Place) -> None:
    data = full.service.to_nbgrader(INES, "ppo")
    path = Path(elsewhere.blobs.root).with_name("odd.db")
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE submitted_notebook SET late_submission_penalty = 1")
    report = elsewhere.service.from_nbgrader(INES, "ppo", path.read_bytes())
    assert any("penalties" in warning for warning in report.warnings)


def test_only_staff_see_it_and_only_instructors_exchange_it(full: Place) -> None:
    full.courses.enrol(full.course.id, "gil", Role.GRADER)
    full.service.page(Caller("gil"), "ppo", GradebookQuery(), offset=0, limit=1)
    for user, call in (
        ("sam", lambda who: full.service.page(who, "ppo", GradebookQuery(), offset=0, limit=1)),
        ("sam", lambda who: full.service.csv(who, "ppo", GradebookQuery())),
        ("gil", lambda who: full.service.to_nbgrader(who, "ppo")),
        ("gil", lambda who: full.service.from_nbgrader(who, "ppo", b"")),
    ):
        with pytest.raises(ForbiddenError):
            call(Caller(user))


def test_csv_has_every_student_and_no_formula(full: Place) -> None:
    text = "".join(full.service.csv(INES, "ppo", GradebookQuery()))
    head, sam, sue, zoe = csv.reader(io.StringIO(text, newline=""))
    assert head == [
        "student", "last_name", "first_name", "groups", "one", "total", "max_total"
    ]  # fmt: skip
    assert sam == ["sam", "O'Neill, Jr.", "Sam", "", "3.4", "3.4", "6"]
    assert sue == ["sue", "'=HYPERLINK(1)", "Sue", "", "2", "2", "6"]
    assert zoe == ["zoe", "Straße", "Zoë", "", "", "0", "6"]
    assert text.count("\r\n") == 4


def _book(name: str, points: float) -> Gradebook:
    cells = {"one": GradebookCell(points=points, max_points=6.0)}
    row = GradebookRow(name, name, name, (name,), points, 6.0, cells)
    column = GradebookColumn("one", AssignmentKind.NOTEBOOK, 6.0)
    return Gradebook((column,), Page((row,), 1, 0, 1))


@given(st.text(), st.floats(-1e6, 1e6))
def test_any_name_is_read_back_and_none_is_a_formula(name: str, points: float) -> None:
    text = "".join(gradebook_csv(_book(name, points)))
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert len(row) == 7
    for cell in row[:4]:
        assert cell.removeprefix("'") == name.removeprefix("'")
        is_number = cell.lstrip("-").replace(".", "", 1).isdecimal()
        assert is_number or not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert float(row[4]) == pytest.approx(points, rel=1e-8, abs=1e-8)


@given(st.text(), st.floats(-1e6, 1e6))
def test_json_holds_what_the_gradebook_holds(name: str, points: float) -> None:
    found = json.loads("".join(gradebook_json(_book(name, points))))
    assert found["items"][0]["user"] == name
    assert found["items"][0]["cells"]["one"]["points"] == points
    assert found["total"] == 1
