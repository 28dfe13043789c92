"""Everything that somebody in a course is called."""

from __future__ import annotations

from jupyter_ppo.domain.courses import Course, Role
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import MembershipRow


def test_names_addresses_and_ids_of_everybody_are_there_and_nothing_empty(
    database: Database, course: Course
) -> None:
    with database.begin() as session:
        session.add(
            MembershipRow(
                course_id=course.id,
                user="al1815",
                role=Role.STUDENT,
                first_name="Ada",
                last_name="Lovelace",
                email="ada@example.org",
            )
        )
        session.add(MembershipRow(course_id=course.id, user="ben", role=Role.GRADER))
    assert CourseNames(database).names(course.id) == {
        "al1815",
        "Ada",
        "Lovelace",
        "Ada Lovelace",
        "Lovelace, Ada",
        "ada@example.org",
        "ben",
    }
