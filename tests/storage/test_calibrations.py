"""What people marked to compare drafts with: one record for an answer, and no points."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment, Role
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.calibrations import Calibrations
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.trash import Trash

LEVELS = {"idea": "full", "words": "no"}


@pytest.fixture
def calibrations(database: Database) -> Calibrations:
    return Calibrations(database)


@pytest.fixture
def handed_in(
    courses: CourseStore, submissions: SubmissionStore, assignment: Assignment
) -> Callable[..., UUID]:
    def handed_in(user: str = "ada") -> UUID:
        courses.enrol(assignment.course_id, user, Role.STUDENT)
        return submissions.submit(assignment, user, "d" * 64, []).id

    return handed_in


def test_a_mark_comes_back_as_it_was_made(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment
) -> None:
    ada = handed_in()
    mark = calibrations.put(ada, "why", LEVELS, by="gil")
    assert list(calibrations.marks(assignment.id)) == [mark]
    assert (mark.submission_id, mark.grade_id, mark.assignment_id) == (ada, "why", assignment.id)
    assert (mark.levels, mark.marked_by) == (LEVELS, "gil")


def test_a_later_mark_of_an_answer_takes_the_place_of_the_first(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment
) -> None:
    ada = handed_in()
    first = calibrations.put(ada, "why", LEVELS, by="gil")
    second = calibrations.put(ada, "why", {"idea": "none"}, by="ines")
    (found,) = calibrations.marks(assignment.id)
    assert found == second
    assert (found.levels, found.marked_by) == ({"idea": "none"}, "ines")
    assert found.marked_at >= first.marked_at


def test_marks_can_be_narrowed_to_one_question_and_come_oldest_first(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment
) -> None:
    ada, ben = handed_in(), handed_in("ben")
    calibrations.put(ben, "why", LEVELS, by="gil")
    calibrations.put(ada, "why", LEVELS, by="gil")
    calibrations.put(ada, "else", LEVELS, by="gil")
    found = calibrations.marks(assignment.id, "why")
    assert [each.submission_id for each in found] == [ben, ada]
    assert len(calibrations.marks(assignment.id)) == 3
    assert list(calibrations.marks(assignment.id, "gae")) == []


def test_marks_of_the_trash_are_not_compared_until_they_come_back(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment, database: Database
) -> None:
    ada, trash = handed_in(), Trash(database)
    calibrations.put(ada, "why", LEVELS, by="gil")
    trash.delete_submission(ada, "ines")
    assert list(calibrations.marks(assignment.id)) == []
    trash.restore(assignment.course_id, ada, "ines")
    assert len(calibrations.marks(assignment.id)) == 1


def test_of_many_who_mark_an_answer_at_once_one_record_stays(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment
) -> None:
    ada, gate = handed_in(), threading.Barrier(5)

    def mark(by: str) -> None:
        gate.wait(30)
        calibrations.put(ada, "why", {"idea": by}, by=by)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(mark, "abcde"))
    (found,) = calibrations.marks(assignment.id)
    assert found.levels == {"idea": found.marked_by}


def test_a_mark_to_calibrate_judges_nobody(
    calibrations: Calibrations, handed_in: Any, assignment: Assignment, database: Database
) -> None:
    calibrations.put(handed_in(), "why", LEVELS, by="gil")
    assert Drafts(database).judged(assignment.id) == frozenset()


def test_an_erasure_renames_the_marker_and_keeps_the_levels(
    calibrations: Calibrations,
    handed_in: Any,
    assignment: Assignment,
    database: Database,
    tmp_path: Path,
) -> None:
    ada = handed_in()
    calibrations.put(ada, "why", LEVELS, by="gil")
    erasures = Erasures(database, FileBlobs(tmp_path / "blobs"))
    erasures.erase("ada", "root")
    marker = erasures.erase("gil", "root")
    (found,) = calibrations.marks(assignment.id)
    assert (found.submission_id, found.levels) == (ada, LEVELS)
    assert found.marked_by == marker.stand_in
