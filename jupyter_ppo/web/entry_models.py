"""Bodies about entries: definitions, what is handed in, outcomes."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from jupyter_ppo.autograde.archive import ArchivedFile
from jupyter_ppo.autograde.entry_document import definition_data
from jupyter_ppo.autograde.outcome_page import long_markdown_html
from jupyter_ppo.autograde.outputs import code_html
from jupyter_ppo.domain import entries
from jupyter_ppo.domain.entries import AuthorKind, EntryPart, OutcomeState
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.services.entries import EntryView, SubmittedEntry
from jupyter_ppo.services.outcome_view import OutcomeView, ResultInput
from jupyter_ppo.web.models import Answer, Body, Page, Query, Time

_Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]


# -- received ------------------------------------------------------------------------------------


class LevelBody(Body):
    """One level of a criterion; points are 0 to 1,000,000."""

    name: str
    points: float
    description: str = ""


class CriterionBody(Body):
    """One thing that is judged; ``note`` is for the staff only."""

    name: str
    title: str
    levels: list[LevelBody]
    description: str = ""
    note: str = ""


class DefinitionBody(Body):
    """What is asked and how it is judged: 1 to 40 criteria of 2 to 12 levels."""

    title: str
    rubric: list[CriterionBody]
    instructions: str = ""
    parts: Annotated[list[EntryPart], Field(default_factory=lambda: [EntryPart.TEXT])]


class DefinitionQuery(Query):
    """What is new in this version."""

    note: str = ""


class FileBody(Body):
    """A file of an entry: its name, with folders parted by ``/``, and its bytes in base64."""

    name: str
    content_base64: str

    def read(self, index: int) -> ArchivedFile:
        """Return the file; raise ``InvalidInputError`` when it is not base64."""
        try:
            data = base64.b64decode(self.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            field = f"files[{index}].content_base64"
            msg = f"{field}: this is not base64."
            raise InvalidInputError(msg, field=field) from error
        return ArchivedFile(self.name, data)


class EntryBody(Body):
    """What is handed in; only parts that the entry asks for, and at least one of them."""

    title: str = ""
    text: str = ""
    code: str = ""
    files: Annotated[list[FileBody], Field(default_factory=list)]
    run: dict[str, Any] | None = None

    def content(self) -> entries.EntryContent:
        """Return the domain's object, without its files."""
        return entries.EntryContent(self.title, self.text, self.code, (), self.run)

    def read_files(self) -> tuple[ArchivedFile, ...]:
        """Return the files; raise ``InvalidInputError`` naming the one that is not base64."""
        return tuple(file.read(index) for index, file in enumerate(self.files))


class ResultBody(Body):
    """The level that is chosen for a criterion; without points they are those of the level."""

    criterion: str
    level: str
    points: float | None = None
    comment: str = ""

    def result(self) -> ResultInput:
        """Return what the use case takes."""
        return ResultInput(self.criterion, self.level, self.points, self.comment)


class OutcomeBody(Body):
    """An outcome to write; ``revision`` is the one that was seen, 0 for none."""

    results: Annotated[list[ResultBody], Field(max_length=100)]
    summary: str = ""
    private_note: str = ""
    revision: _Revision


class SeenRevision(Body):
    """The revision that was seen."""

    revision: _Revision


# -- sent ----------------------------------------------------------------------------------------


class Level(Answer):
    """One level of a criterion."""

    name: str
    points: float
    description: str


class Criterion(Answer):
    """One thing that is judged; ``note`` is empty for students."""

    name: str
    title: str
    description: str
    note: str
    max_points: float
    levels: list[Level]


class Definition(Answer):
    """What is asked and how it is judged."""

    title: str
    instructions: str
    instructions_html: str
    parts: list[EntryPart]
    max_points: float
    rubric: list[Criterion]

    @classmethod
    def of(cls, definition: entries.EntryDefinition) -> Definition:
        """Make the body from the domain's object."""
        data = definition_data(definition)
        rubric = [
            item | {"max_points": criterion.max_points}
            for item, criterion in zip(data["rubric"], definition.rubric, strict=True)
        ]
        return cls.model_validate(
            data
            | {
                "rubric": rubric,
                "max_points": definition.max_points,
                "instructions_html": str(long_markdown_html(definition.instructions)),
            }
        )


class Entry(Answer):
    """An entry and its newest version."""

    name: str
    version: int
    note: str
    released_at: Time
    definition: Definition

    @classmethod
    def of(cls, view: EntryView) -> Entry:
        """Make the body from the use case's object."""
        version = view.assignment.version
        return cls(
            name=view.assignment.name,
            version=version.number,
            note=version.note,
            released_at=version.created_at,
            definition=Definition.of(view.definition),
        )


class EntryFile(Answer):
    """A file of an entry; its bytes are below ``/submissions/{submission_id}/files``."""

    name: str
    size: int
    digest: str


class EntryContent(Answer):
    """What was handed in, and the version of the rubric that it is judged by.

    The two texts ending in ``_html`` are rendered and sanitised. Whose it is, is not said here.
    """

    submission_id: UUID
    assignment: str
    attempt: int
    version: int
    submitted_at: Time
    title: str
    text: str
    text_html: str
    code: str
    code_html: str
    files: list[EntryFile]
    run: dict[str, Any] | None
    definition: Definition

    @classmethod
    def of(cls, found: SubmittedEntry) -> EntryContent:
        """Make the body from the use case's object."""
        submission, content = found.submission, found.content
        return cls(
            submission_id=submission.id,
            assignment=submission.assignment_name,
            attempt=submission.attempt,
            version=submission.version_number,
            submitted_at=submission.submitted_at,
            title=content.title,
            text=content.text,
            text_html=str(long_markdown_html(content.text)),
            code=content.code,
            code_html=str(code_html(content.code)) if content.code else "",
            files=[EntryFile(name=f.name, size=f.size, digest=f.digest) for f in content.files],
            run=None if content.run is None else dict(content.run),
            definition=Definition.of(found.definition),
        )


class Result(Answer):
    """What was decided for one criterion."""

    criterion: str
    level: str
    points: float
    max_points: float | None
    comment: str
    comment_html: str


class EntryOutcome(Answer):
    """The outcome of a submission: ``revision`` 0 while nothing is written.

    ``author`` is who or what wrote the words, ``changed_by`` the person who made this revision.
    They, ``approved_by`` and ``private_note`` are null for students.
    """

    submission_id: UUID
    revision: int
    state: OutcomeState
    results: list[Result]
    summary: str
    summary_html: str
    private_note: str | None
    points: float
    max_points: float
    author_kind: AuthorKind | None
    author: str | None
    changed_by: str | None
    approved_by: str | None
    at: Time | None

    @classmethod
    def of(cls, view: OutcomeView) -> EntryOutcome:
        """Make the body from the use case's object."""
        return cls.model_validate(view.data())


class OutcomePage(Page[EntryOutcome]):
    """Revisions of one outcome, newest first."""


class Released(Answer):
    """How many outcomes were released."""

    released: int
