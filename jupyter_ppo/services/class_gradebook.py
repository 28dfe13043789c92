"""The gradebook of a class: pages, exports, and exchange with nbgrader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.nbgrader_gradebook import write_gradebook
from jupyter_ppo.autograde.nbgrader_reading import read_gradebook
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.gradebook import (
    ClassRecord,
    Gradebook,
    GradebookQuery,
    ImportReport,
    RecordedAssignment,
)
from jupyter_ppo.domain.ports import BlobStore, CourseStore
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.gradebook_files import gradebook_csv, gradebook_json

_NO_NOTEBOOK = (
    b'{"cells": [{"cell_type": "markdown", "id": "imported", "metadata": {}, "source": '
    b"\"This submission was imported from nbgrader's gradebook, which does not hold the notebook "
    b'itself."}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
)
_NO_FEEDBACK = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Imported</title>'
    b"<p>This grade was imported from nbgrader's gradebook, which does not hold a feedback page. "
    b"Points and comments are shown with the grade.</p></html>\n"
)


class GradebookStore(Protocol):
    """What is stored of it."""

    def gradebook(
        self, course_id: UUID, query: GradebookQuery, *, offset: int, limit: int | None
    ) -> Gradebook:
        """Return rows from ``offset`` on, at most ``limit`` of them (None: all)."""

    def record(self, course_id: UUID) -> ClassRecord:
        """Return the class with what counts of everyone."""

    def add_record(
        self, course_id: UUID, record: ClassRecord, *, by: str, digest: str, feedback_digest: str
    ) -> ImportReport:
        """Add what another program knew of a class; what exists is not overwritten."""


class GradebookService:
    """The gradebook of a class: pages, exports, and exchange with nbgrader.

    Every method takes the caller first and checks their rights.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        gradebooks: GradebookStore,
        blobs: BlobStore,
        audit: AuditLog,
    ) -> None:
        self._gradebooks = gradebooks
        self._blobs = blobs
        self._audit = audit
        self._access = Access(courses)

    def page(
        self, caller: Caller, course_name: str, query: GradebookQuery, *, offset: int, limit: int
    ) -> Gradebook:
        """Return a page of the gradebook. Graders only.

        Raises ``NotFoundError`` for an unknown assignment or group, ``InvalidInputError`` (field
        ``sort``) for a column that is not there.
        """
        course = self._access.grader(caller, course_name)
        return self._gradebooks.gradebook(course.id, query, offset=offset, limit=limit)

    def csv(self, caller: Caller, course_name: str, query: GradebookQuery) -> Iterator[str]:
        """Return the whole gradebook, as it is now, as CSV in pieces. Graders only."""
        course = self._access.grader(caller, course_name)
        found = self._gradebooks.gradebook(course.id, query, offset=0, limit=None)
        return gradebook_csv(found)

    def json(self, caller: Caller, course_name: str, query: GradebookQuery) -> Iterator[str]:
        """Return the whole gradebook, as it is now, as JSON in pieces. Graders only."""
        course = self._access.grader(caller, course_name)
        found = self._gradebooks.gradebook(course.id, query, offset=0, limit=None)
        return gradebook_json(found)

    def to_nbgrader(self, caller: Caller, course_name: str) -> bytes:
        """Return the class as an nbgrader ``gradebook.db``. Instructors only."""
        course = self._access.author(caller, course_name)
        record = self._gradebooks.record(course.id)
        data = write_gradebook(record, self._blobs.get, course=course_name)
        note(self._audit, caller.user, "gradebook.exported", course_name, {"bytes": len(data)})
        return data

    def from_nbgrader(self, caller: Caller, course_name: str, data: bytes) -> ImportReport:
        """Add what an nbgrader ``gradebook.db`` holds; what exists is kept. Instructors only.

        Raises ``InvalidInputError`` or ``TooLargeError`` when the file cannot be used; nothing is
        changed then.
        """
        course = self._access.author(caller, course_name)
        found = read_gradebook(data)
        assignments: list[RecordedAssignment] = []
        for each in found.assignments:
            digests = self._blobs.put(each.source), self._blobs.put(each.release)
            assignments.append(each.recorded(*digests))
        report = self._gradebooks.add_record(
            course.id,
            ClassRecord(found.students, tuple(assignments)),
            by=caller.user,
            digest=self._blobs.put(_NO_NOTEBOOK),
            feedback_digest=self._blobs.put(_NO_FEEDBACK),
        )
        note(
            self._audit,
            caller.user,
            "gradebook.imported",
            course_name,
            {
                "students": report.students,
                "assignments": report.assignments,
                "submissions": report.submissions,
            },
        )
        return replace(report, warnings=(*found.warnings, *report.warnings))
