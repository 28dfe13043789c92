"""A right answer first; then a wrong one without its test cell, so that the old points stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attack_corpus import NONE, STANDARD, named, right, wrong

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course


def without_test(document: dict[str, Any]) -> None:
    document["cells"].remove(named(document, "square_tests"))


FIRST, SECOND = right().notebook, wrong(change=without_test).notebook


def on_nbgrader(course: Course) -> str:
    for data in (FIRST, SECOND):
        course.submit("eve", data)
        course.autograde()
    kept = course.points().get("eve")
    return "" if kept == NONE else f"it keeps {kept}"


def here(place: Here) -> str:
    assignment = place.release(STANDARD)
    submissions = [place.submit("eve", assignment, data) for data in (FIRST, SECOND)]
    place.grade(*submissions)
    kept = place.points(submissions[1])
    return "" if kept == NONE else f"it keeps {kept}"
