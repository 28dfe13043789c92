"""The grade table for spreadsheets and terminals."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.services.gradebook import COLUMNS, grades_csv, grades_table

ROW = Submission(
    id=new_id(),
    course_id=new_id(),
    course_name="rl",
    assignment_id=new_id(),
    assignment_name="ps1",
    version_id=new_id(),
    version_number=1,
    user="ada",
    attempt=2,
    digest="0" * 64,
    state=SubmissionState.GRADED,
    submitted_at=datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    points=2.5,
    max_points=3.0,
    needs_review=True,
    unsealed_points=1.5,
    penalty=0.5,
    extra_credit=0.25,
    late_seconds=5_400,
    hint_deduction=0.125,
)


def test_a_row_has_the_columns_that_its_head_names() -> None:
    head, row = csv.reader(io.StringIO("".join(grades_csv([ROW]))))
    assert tuple(head) == COLUMNS
    assert dict(zip(head, row, strict=True)) == {
        "student": "ada",
        "assignment": "ps1",
        "attempt": "2",
        "state": "graded",
        "points": "2.5",
        "max_points": "3",
        "needs_review": "yes",
        "submitted_at": "2026-01-02T03:04:05+00:00",
        "unsealed_points": "1.5",
        "raw_points": "3",
        "penalty": "0.5",
        "extra_credit": "0.25",
        "late_seconds": "5400",
        "hint_deduction": "0.125",
    }


def test_points_are_empty_before_there_is_a_grade() -> None:
    waiting = replace(ROW, state=SubmissionState.QUEUED, points=None, max_points=None)
    _, row = csv.reader(io.StringIO("".join(grades_csv([waiting]))))
    assert row[3:6] == ["queued", "", ""]
    assert row[8:] == ["", "", "", "", "5400", ""]


@given(st.text())
def test_no_name_becomes_a_formula_and_every_name_can_be_read_back(name: str) -> None:
    text = "".join(grades_csv([replace(ROW, user=name)]))
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row[0].removeprefix("'") == name.removeprefix("'")


def test_the_table_for_a_terminal_is_in_columns() -> None:
    other = replace(
        ROW,
        user="Al",
        points=None,
        needs_review=False,
        unsealed_points=0.0,
        penalty=0.0,
        extra_credit=0.0,
        late_seconds=0,
    )
    table = grades_table([ROW, other])
    assert table.splitlines() == [
        "student  assignment  attempt  state   points   unsealed points  extra  penalty  hours late"
        "  needs review  submission",
        "ada      ps1         2        graded  2.5 / 3  1.5              0.25   0.5      1.5       "
        f"  yes           {ROW.id}",
        "Al       ps1         2        graded  - / 3    -                -      -        -         "
        f"  no            {other.id}",
    ]


def test_points_are_not_rounded_to_six_digits() -> None:
    row = replace(ROW, points=123456.7501, max_points=1_000_000.0, penalty=0.0)
    [_, line] = grades_csv([row])
    assert "123456.7501,1000000," in line
    assert "123456.7501 / 1000000" in grades_table([row])
