"""Entries: what is asked, and what is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from jupyter_ppo.autograde.archive import ArchivedFile, read_archive
from jupyter_ppo.autograde.entry_document import (
    checked_content,
    exercises_of,
    read_content,
    read_definition,
    without_notes,
    write_content,
    write_definition,
)
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, checked_name
from jupyter_ppo.domain.entries import (
    MAX_FILE_BYTES,
    EntryContent,
    EntryDefinition,
    EntryFile,
    EntryPart,
    checked_attempt,
    checked_kind,
)
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, TooLargeError
from jupyter_ppo.domain.marks import checked_text
from jupyter_ppo.domain.ports import BlobStore, Clock, CourseStore, SubmissionStore
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note

#: What the parts are called at the top of an archive; everything else in it is a file.
TEXT_FILE, CODE_FILE = "text.md", "code.py"
_MAX_NOTE = 2000


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry and its newest definition, without the notes for the staff if it is a student's."""

    assignment: Assignment
    definition: EntryDefinition


@dataclass(frozen=True, slots=True)
class SubmittedEntry:
    """What was handed in, and the definition that it is judged by, as its reader may see it."""

    submission: Submission
    content: EntryContent
    definition: EntryDefinition


class EntryService:
    """Entries: what is asked, and what is handed in.

    Every method takes the caller first and checks their rights. ``attempts_per_hour`` bounds what
    a student may hand in for one entry (0: no bound). ``on_released`` is called with the course
    after a release.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        clock: Clock,
        audit: AuditLog,
        attempts_per_hour: int = 0,
        on_released: Callable[[UUID], None] = lambda _: None,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._clock = clock
        self._audit = audit
        self._attempts_per_hour = attempts_per_hour
        self._on_released = on_released
        self._access = Access(courses)

    def define(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        definition: EntryDefinition,
        *,
        remark: str = "",
    ) -> EntryView:
        """Release ``definition`` as the entry's next version. Instructors.

        ``remark`` says what is new in it. What was handed in before is judged by the version of
        then. Raises ``ConflictError`` when the name is that of a notebook assignment.
        """
        course = self._access.author(caller, course_name)
        checked_name(name, "assignment")
        if len(remark) > _MAX_NOTE:
            msg = f"note: there are {len(remark):,} characters, and {_MAX_NOTE:,} may be."
            raise TooLargeError(msg, field="note")
        assignment = self._courses.release(
            course.id,
            name,
            source_digest=self._blobs.put(write_definition(definition)),
            release_digest=self._blobs.put(write_definition(without_notes(definition))),
            exercises=exercises_of(definition),
            kind=AssignmentKind.ENTRY,
            note=checked_text(remark, "note"),
            released_by=caller.user,
        )
        note(
            self._audit,
            caller.user,
            "entry.released",
            f"{course_name}/{name}",
            {"version": assignment.version.number},
        )
        self._on_released(course.id)
        return EntryView(assignment, definition)

    def entry(self, caller: Caller, course_name: str, name: str) -> EntryView:
        """Return an entry's newest definition. Members; students once it is open, without notes."""
        course, role = self._access.course(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        if not role.may_grade:
            check_opened(assignment.terms, name, self._clock.now())
        checked_kind(assignment, AssignmentKind.ENTRY)
        version = assignment.version
        digest = version.source_digest if role.may_grade else version.release_digest
        return EntryView(assignment, read_definition(self._blobs.get(digest)))

    def submit(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        content: EntryContent,
        files: Sequence[ArchivedFile] = (),
        *,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Keep an entry as the caller's next attempt; people judge it, so nothing is queued.

        ``content`` comes without files, which are ``files``. Students are bound to the terms. The
        receipt's hash is that of the content with the hashes of its files. Raises
        ``InvalidInputError`` or ``TooLargeError`` (and keeps nothing) naming the part.
        """
        course, role = self._access.course(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        if not role.may_grade:
            check_opened(assignment.terms, name, self._clock.now())
        checked_kind(assignment, AssignmentKind.ENTRY)
        total = sum(len(file.data) for file in files)
        if total > MAX_FILE_BYTES:
            msg = f"files: {total / 2**20:.1f} MiB is over {MAX_FILE_BYTES // 2**20} MiB in all."
            raise TooLargeError(msg, field="files")
        definition = read_definition(self._blobs.get(assignment.version.release_digest))
        named = tuple(EntryFile(file.name, "", len(file.data)) for file in files)
        checked = checked_content(replace(content, files=named), definition)
        stored = tuple(
            replace(file, digest=self._blobs.put(given.data))
            for file, given in zip(named, files, strict=True)
        )
        digest = self._blobs.put(write_content(replace(checked, files=stored)))
        submission = self._submissions.submit(
            assignment,
            caller.user,
            digest,
            (),
            attempts_per_hour=0 if role.may_grade else self._attempts_per_hour,
            is_bound=not role.may_grade,
            idempotency_key=idempotency_key,
        )
        if not submission.is_repeat:
            note(
                self._audit,
                caller.user,
                "submission.received",
                str(submission.id),
                {"digest": digest},
            )
        return submission if role.may_grade else submission.for_student()

    def submit_archive(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        data: bytes,
        *,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Keep the files of a zip archive as the caller's next attempt.

        ``text.md`` and ``code.py`` at its top are the text and the code of an entry that asks for
        them; all others are its files. Raises as ``submit`` and ``autograde.archive.read_archive``.
        """
        view = self.entry(caller, course_name, name)
        texts: dict[EntryPart, str] = {}
        files: list[ArchivedFile] = []
        parts = {TEXT_FILE: EntryPart.TEXT, CODE_FILE: EntryPart.CODE}
        for file in read_archive(data):
            part = parts.get(file.name)
            if part is not None and part in view.definition.parts:
                texts[part] = _decoded(file)
            else:
                files.append(file)
        content = EntryContent(
            text=texts.get(EntryPart.TEXT, ""), code=texts.get(EntryPart.CODE, "")
        )
        return self.submit(
            caller, course_name, name, content, files, idempotency_key=idempotency_key
        )

    def content(self, caller: Caller, submission_id: UUID) -> SubmittedEntry:
        """Return what was handed in. Its student, and graders, who see the notes of the rubric."""
        submission = self._entry(caller, submission_id)
        version = self._courses.version(submission.version_id)
        is_staff = self._access.may_grade(caller, submission)
        digest = version.source_digest if is_staff else version.release_digest
        shown = submission if is_staff else submission.for_student()
        return SubmittedEntry(
            shown,
            read_content(self._blobs.get(submission.digest)),
            read_definition(self._blobs.get(digest)),
        )

    def file(self, caller: Caller, submission_id: UUID, name: str) -> bytes:
        """Return one file of an entry exactly as it came. Its student, and graders."""
        submission = self._entry(caller, submission_id)
        content = read_content(self._blobs.get(submission.digest))
        for file in content.files:
            if file.name == name:
                return self._blobs.get(file.digest)
        msg = f"name: there is no file {name[:80]!r} in this entry."
        raise NotFoundError(msg, field="name")

    def _entry(self, caller: Caller, submission_id: UUID) -> Submission:
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:
            submission = None
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        return checked_attempt(submission, AssignmentKind.ENTRY)


def _decoded(file: ArchivedFile) -> str:
    try:
        return file.data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        msg = f"archive: {file.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        raise InvalidInputError(msg, field="archive") from error
