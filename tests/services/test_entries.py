"""Entries: who defines, reads and hands in, and what is kept of it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jupyter_ppo.autograde.archive import ArchivedFile
from jupyter_ppo.autograde.entry_document import definition_of
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind, Role
from jupyter_ppo.domain.entries import EntryContent, EntryDefinition
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import Terms
from jupyter_ppo.services.entries import EntryService
from jupyter_ppo.services.terms import TermsService
from jupyter_ppo.storage.terms import AssignmentTerms

World = Any
TEXT = EntryContent(text="My report")


def definition(*parts: str, note: str = "be strict") -> EntryDefinition:
    levels = [{"name": "weak", "points": 0}, {"name": "sound", "points": 4}]
    rubric = [{"name": "method", "title": "Method", "levels": levels, "note": note}]
    return definition_of(
        {"title": "Report", "rubric": rubric, "parts": list(parts or ("text", "code", "files"))}
    )


@dataclass
class Entries:
    service: EntryService
    terms: TermsService
    world: World
    ines: Caller
    gil: Caller
    sam: Caller
    sue: Caller


@pytest.fixture
def entries(course: World, clock: Any) -> Entries:
    service = EntryService(
        courses=course.courses,
        submissions=course.submissions,
        blobs=course.blobs,
        clock=clock,
        audit=course.audit,
        attempts_per_hour=3,
    )
    terms = TermsService(
        courses=course.courses,
        terms=AssignmentTerms(course.database),
        clock=clock,
        audit=course.audit,
    )
    people = [
        course.member(user, role)
        for user, role in (
            ("ines", Role.INSTRUCTOR),
            ("gil", Role.GRADER),
            ("sam", Role.STUDENT),
            ("sue", Role.STUDENT),
        )
    ]
    made = Entries(service, terms, course, *people)
    service.define(made.ines, "rl", "report", definition())
    return made


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def blobs(entries: Entries) -> int:
    return len([path for path in entries.world.folder.rglob("*") if path.is_file()])


def test_a_definition_again_is_the_next_version(entries: Entries) -> None:
    view = entries.service.define(entries.ines, "rl", "report", definition(), remark="clearer")
    version = view.assignment.version
    assert (version.number, version.note, version.released_by) == (2, "clearer", "ines")
    assert view.assignment.kind is AssignmentKind.ENTRY
    assert [each.grade_id for each in version.exercises] == ["method"]
    events = entries.world.audit.events(subject="rl/report", offset=0, limit=10).items
    assert [event.action for event in events] == ["entry.released"] * 2


def test_only_instructors_define(entries: Entries) -> None:
    for person in (entries.gil, entries.sam):
        with pytest.raises(ForbiddenError):
            entries.service.define(person, "rl", "report", definition())
    with pytest.raises(NotFoundError):
        entries.service.define(Caller("oto"), "rl", "report", definition())


def test_students_read_no_notes_and_the_staff_does(entries: Entries) -> None:
    assert entries.service.entry(entries.gil, "rl", "report").definition == definition()
    seen = entries.service.entry(entries.sam, "rl", "report").definition
    assert seen == definition(note="")
    with pytest.raises(NotFoundError):
        entries.service.entry(Caller("oto"), "rl", "report")


def test_a_notebook_assignment_is_no_entry_and_the_other_way_round(entries: Entries) -> None:
    for call in (
        lambda: entries.service.entry(entries.sam, "rl", "ps1"),
        lambda: entries.service.submit(entries.sam, "rl", "ps1", TEXT),
        lambda: entries.service.define(entries.ines, "rl", "ps1", definition()),
    ):
        with pytest.raises(ConflictError, match="ps1"):
            call()
    with pytest.raises(ConflictError, match="report"):
        entries.world.assessment.release(entries.ines, "rl", "report", b"a notebook")
    with pytest.raises(ConflictError, match="report"):
        entries.world.assessment.submit(entries.sam, "rl", "report", b'{"answer": 1}')


def test_what_was_handed_in_comes_back_with_its_files(entries: Entries) -> None:
    content = EntryContent("My title", "*text*", "print(1)")
    files = (ArchivedFile("figures/a.png", b"\x89PNG"), ArchivedFile("data.csv", b"1,2"))
    made = entries.service.submit(entries.sam, "rl", "report", content, files)
    assert (made.state, made.attempt) == (SubmissionState.SUBMITTED, 1)
    assert entries.world.woken == []
    found = entries.service.content(entries.sam, made.id)
    assert (found.content.title, found.content.text, found.content.code) == (
        "My title",
        "*text*",
        "print(1)",
    )
    assert [(file.name, file.size, file.digest) for file in found.content.files] == [
        (file.name, len(file.data), hashlib.sha256(file.data).hexdigest()) for file in files
    ]
    assert entries.service.file(entries.gil, made.id, "figures/a.png") == b"\x89PNG"
    with pytest.raises(NotFoundError, match=r"no file 'b\.png'"):
        entries.service.file(entries.sam, made.id, "b.png")
    data = entries.world.blobs.get(made.digest)
    assert hashlib.sha256(data).hexdigest() == made.digest


def test_others_see_no_entry_and_its_student_no_note(entries: Entries) -> None:
    made = entries.service.submit(entries.sam, "rl", "report", TEXT)
    for person in (entries.sue, Caller("oto")):
        for call in (
            lambda: entries.service.content(person, made.id),  # noqa: B023 - called at once
            lambda: entries.service.file(person, made.id, "a"),  # noqa: B023
        ):
            with pytest.raises(NotFoundError, match="There is no such submission"):
                call()
    with pytest.raises(NotFoundError, match="There is no such submission"):
        entries.service.content(entries.sam, uuid4())
    assert entries.service.content(entries.sam, made.id).definition == definition(note="")
    assert entries.service.content(entries.gil, made.id).definition == definition()


def test_a_notebook_has_no_content_of_an_entry(entries: Entries) -> None:
    made = entries.world.assessment.submit(entries.sam, "rl", "ps1", b'{"answer": 42}')
    with pytest.raises(ConflictError, match="a notebook assignment"):
        entries.service.content(entries.sam, made.id)


def test_an_entry_is_judged_by_the_version_of_then(entries: Entries) -> None:
    made = entries.service.submit(entries.sam, "rl", "report", TEXT)
    entries.service.define(entries.ines, "rl", "report", definition(note="new"))
    assert entries.service.content(entries.gil, made.id).definition == definition()


def test_what_is_refused_leaves_nothing_behind(entries: Entries) -> None:
    before = blobs(entries)
    good = ArchivedFile("a", b"something new")
    for content, files, error in (
        (EntryContent(), (), InvalidInputError),
        (EntryContent(text="x", run={}), (), InvalidInputError),
        (TEXT, (good, ArchivedFile("../b", b"")), InvalidInputError),
        (TEXT, (good, ArchivedFile("A", b"")), InvalidInputError),
        (TEXT, (ArchivedFile("a", bytes(25 * 2**20 + 1)),), TooLargeError),
    ):
        with pytest.raises(error):
            entries.service.submit(entries.sam, "rl", "report", content, files)
    assert blobs(entries) == before


def test_an_archive_gives_text_code_and_files(entries: Entries) -> None:
    data = zipped(
        **{"text.md": b"\xef\xbb\xbfmy\r\ntext", "code.py": b"print(2)", "sub/text.md": b"other"}
    )
    made = entries.service.submit_archive(entries.sam, "rl", "report", data)
    content = entries.service.content(entries.sam, made.id).content
    assert (content.text, content.code) == ("my\ntext", "print(2)")
    assert [file.name for file in content.files] == ["sub/text.md"]


def test_a_part_that_is_not_asked_for_is_a_file_like_others(entries: Entries) -> None:
    entries.service.define(entries.ines, "rl", "files", definition("files"))
    data = zipped(**{"text.md": b"\xff\xfe"})
    made = entries.service.submit_archive(entries.sam, "rl", "files", data)
    content = entries.service.content(entries.sam, made.id).content
    assert (content.text, [file.name for file in content.files]) == ("", ["text.md"])
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        entries.service.submit_archive(entries.sam, "rl", "report", data)


def test_the_same_key_with_the_same_bytes_is_the_first_receipt(entries: Entries) -> None:
    submit = entries.service.submit
    first = submit(entries.sam, "rl", "report", TEXT, idempotency_key="k")
    again = submit(entries.sam, "rl", "report", TEXT, idempotency_key="k")
    assert (again.id, again.is_repeat, first.is_repeat) == (first.id, True, False)
    with pytest.raises(ConflictError):
        submit(entries.sam, "rl", "report", EntryContent(text="other"), idempotency_key="k")
    assert submit(entries.sue, "rl", "report", TEXT, idempotency_key="k").id != first.id


def test_students_are_bound_to_the_terms_and_the_staff_is_not(entries: Entries, clock: Any) -> None:
    def set_terms(**terms: Any) -> None:
        entries.terms.set_terms(entries.ines, "rl", "report", Terms(revision=number[0], **terms))
        number[0] += 1

    number = [0]
    hour = timedelta(hours=1)
    set_terms(opens_at=clock.now() + hour)
    for call in (
        lambda: entries.service.entry(entries.sam, "rl", "report"),
        lambda: entries.service.submit(entries.sam, "rl", "report", TEXT),
        lambda: entries.service.submit_archive(entries.sam, "rl", "report", b"no archive"),
    ):
        with pytest.raises(NotFoundError, match="there is no assignment 'report'"):
            call()
    assert entries.service.submit(entries.gil, "rl", "report", TEXT).attempt == 1
    set_terms(closes_at=clock.now() - hour)
    with pytest.raises(ForbiddenError, match="closes_at"):
        entries.service.submit(entries.sam, "rl", "report", TEXT)
    set_terms(max_attempts=1)
    entries.service.submit(entries.sam, "rl", "report", TEXT)
    with pytest.raises(ForbiddenError, match="max_attempts"):
        entries.service.submit(entries.sam, "rl", "report", TEXT)


def test_a_student_hands_in_so_many_an_hour(entries: Entries) -> None:
    for _ in range(3):
        entries.service.submit(entries.sam, "rl", "report", TEXT)
    with pytest.raises(TooManyRequestsError):
        entries.service.submit(entries.sam, "rl", "report", TEXT)
