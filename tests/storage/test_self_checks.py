"""What students think of their own answers."""

from __future__ import annotations

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.self_checks import SelfCheck
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.self_checks import SelfChecks


def test_a_self_check_is_kept_for_its_person_and_answer(
    database: Database, course: Course, assignment: Assignment
) -> None:
    checks = SelfChecks(database)
    assert checks.read(assignment.id, "ada", "why") == SelfCheck()
    kept = checks.write(course.id, assignment.id, "ada", "why", {"reason": "there"}, seen=0)
    assert kept is not None
    assert (kept.levels, kept.revision) == ({"reason": "there"}, 1)
    assert checks.read(assignment.id, "ada", "why") == kept
    assert checks.read(assignment.id, "ben", "why") == SelfCheck()


def test_of_two_devices_the_one_with_an_old_revision_changes_nothing(
    database: Database, course: Course, assignment: Assignment
) -> None:
    checks = SelfChecks(database)
    assert checks.write(course.id, assignment.id, "ada", "why", {}, seen=4) is None
    checks.write(course.id, assignment.id, "ada", "why", {"reason": "there"}, seen=0)
    assert checks.write(course.id, assignment.id, "ada", "why", {}, seen=0) is None
    assert checks.read(assignment.id, "ada", "why").levels == {"reason": "there"}
