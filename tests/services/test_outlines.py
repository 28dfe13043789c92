"""A version is read once, when it is released or when somebody first asks."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.storage.outlines import Outlines

World = Any


class CountingBlobs:
    """Real blobs; says what was read of them, and loses what it is told to lose."""

    def __init__(self, blobs: Any) -> None:
        self._blobs = blobs
        self.read: list[str] = []
        self.is_lost = False

    def get(self, digest: str) -> bytes:
        self.read.append(digest)
        if self.is_lost:
            msg = "It is gone."
            raise NotFoundError(msg)
        return self._blobs.get(digest)

    def put(self, data: bytes) -> str:
        return self._blobs.put(data)


@pytest.fixture
def blobs(world: World) -> CountingBlobs:
    return CountingBlobs(world.blobs)


@pytest.fixture
def outlines(world: World, blobs: CountingBlobs) -> CourseOutlines:
    return CourseOutlines(outlines=Outlines(world.database), blobs=blobs)


def notebook(title: str) -> bytes:
    marks = {"grade_id": "answer", "grade": True, "solution": False, "locked": True}
    meta = {"nbgrader": {**marks, "points": 3, "schema_version": 3}}
    cells = [new_markdown_cell(f"# {title}", id="a"), new_code_cell("", id="b", metadata=meta)]
    return nbformat.writes(new_notebook(cells=cells)).encode()


def released(world: World, source: bytes, name: str = "ps1") -> Any:
    return world.courses.release(
        world.courses.course("rl").id,
        name,
        source_digest=world.blobs.put(source),
        release_digest=world.blobs.put(b"{}"),
        exercises=[Exercise("answer", CellKind.TESTS, 3.0, 1)],
    )


def titles(outlines: CourseOutlines, world: World) -> list[str]:
    found = outlines.outline(world.courses.course("rl").id)
    return [chapter.title for chapter in found.outline.chapters]


def test_each_version_is_read_once(
    course: World, outlines: CourseOutlines, blobs: CountingBlobs
) -> None:
    released(course, notebook("First"))
    assert titles(outlines, course) == ["First"]
    assert titles(outlines, course) == ["First"]
    assert len(blobs.read) == 1
    released(course, notebook("Second"))
    found, own = outlines.own(course.courses.course("rl").id, "ada")
    assert [chapter.title for chapter in found.outline.chapters] == ["Second"]
    assert (len(blobs.read), own) == (2, {})


def test_a_file_that_is_missing_is_shown_by_its_graded_cells_and_tried_again(
    course: World, outlines: CourseOutlines, blobs: CountingBlobs
) -> None:
    released(course, notebook("First"))
    blobs.is_lost = True
    assert titles(outlines, course) == ["ps1"]
    blobs.is_lost = False
    assert titles(outlines, course) == ["First"]


def test_a_release_is_read_at_once(
    course: World,
    outlines: CourseOutlines,
    blobs: CountingBlobs,
    admin: Any,
    grader: Any,
    clock: Any,
) -> None:
    service = AssessmentService(
        courses=course.courses,
        submissions=course.submissions,
        blobs=course.blobs,
        grader=grader,
        audit=course.audit,
        seeds=course.seeds,
        clock=clock,
        on_released=outlines.fill,
    )
    service.release(admin, "rl", "ps2", notebook("Read"))
    assert len(blobs.read) == 2  # ps1 of the fixture, and this one
    assert Outlines(course.database).outline(course.courses.course("rl").id).unread == ()


def test_all_courses_can_be_read_and_nothing_that_fails_stops_it(
    course: World, outlines: CourseOutlines, blobs: CountingBlobs, caplog: pytest.LogCaptureFixture
) -> None:
    released(course, notebook("First"))
    blobs.is_lost = True
    outlines.fill_all()
    assert "ps1" in caplog.text
    blobs.is_lost = False
    outlines.fill_all()
    assert Outlines(course.database).outline(course.courses.course("rl").id).unread == ()
    assert titles(outlines, course) == ["First"]
