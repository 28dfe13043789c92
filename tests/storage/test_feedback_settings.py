"""Settings of feedback: the assignment's on top of the course's, and no change that gets lost."""

from __future__ import annotations

import pytest

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.feedback_settings import FeedbackSettings
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable


@pytest.fixture
def table(database: Database) -> FeedbackSettingsTable:
    return FeedbackSettingsTable(database)


def test_without_a_choice_the_defaults_hold(
    table: FeedbackSettingsTable, course: Course, assignment: Assignment
) -> None:
    assert table.effective(course.id, assignment.id) == FeedbackSettings()
    assert table.read(course.id, None).revision == 0


def test_an_assignment_has_the_courses_choice_where_it_has_none_of_its_own(
    table: FeedbackSettingsTable, course: Course, assignment: Assignment
) -> None:
    table.write(course.id, None, {"hints": False, "hint_levels": 3}, seen=0, by="ines")
    table.write(course.id, assignment.id, {"hints": True}, seen=0, by="ines")
    assert table.effective(course.id, assignment.id) == FeedbackSettings(hint_levels=3)
    assert not table.effective(course.id, None).hints


def test_a_stale_change_is_not_made(table: FeedbackSettingsTable, course: Course) -> None:
    first = table.write(course.id, None, {"hints": False}, seen=0, by="ines")
    assert first is not None
    assert first.revision == 1
    assert table.write(course.id, None, {"hints": True}, seen=0, by="gil") is None
    stored = table.read(course.id, None)
    assert (stored.document, stored.revision, stored.changed_by) == ({"hints": False}, 1, "ines")


def test_what_is_equal_is_not_a_change(table: FeedbackSettingsTable, course: Course) -> None:
    table.write(course.id, None, {"hints": False}, seen=None, by="ines")
    again = table.write(course.id, None, {"hints": False}, seen=None, by="gil")
    assert again is not None
    assert (again.revision, again.changed_by) == (1, "ines")
