"""Entries with a rubric: defined, read, handed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from tornado import web

from jupyter_ppo.autograde.entry_document import definition_of
from jupyter_ppo.autograde.saved_model import is_archive
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.services.entries import EntryService
from jupyter_ppo.web.base import MAX_BODY_BYTES, PPOHandler
from jupyter_ppo.web.entry_models import (
    DefinitionBody,
    DefinitionQuery,
    Entry,
    EntryBody,
    EntryContent,
    Released,
)
from jupyter_ppo.web.models import Submission
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted

#: A file of a student's is only ever saved: nothing in it may run in a browser.
_FILE_POLICY = "sandbox; default-src 'none'"


class EntryHandler(PPOHandler):
    """``/courses/{course}/entries/{assignment}``: what an entry asks for, and its rubric."""

    max_json_bytes: ClassVar[int] = 2 * 2**20

    @web.authenticated
    @permitted(Action.READ)
    @answers(Entry)
    async def get(self, course: str, assignment: str) -> None:
        """Return an entry's newest version (members; students without notes, once it is open)."""
        self.reply(await self.ask(_entry, self.use_cases.entries, course, assignment))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Entry, HTTPStatus.CREATED, body=DefinitionBody, query=DefinitionQuery)
    async def put(self, course: str, assignment: str) -> None:
        """Release a definition as the entry's next version (instructors)."""
        definition = definition_of(self.json_body(DefinitionBody).model_dump())
        remark = self.query(DefinitionQuery).note
        made = await self.ask(
            self.use_cases.entries.define, course, assignment, definition, remark=remark
        )
        self.reply(
            Entry.of(made), HTTPStatus.CREATED, location=f"/courses/{course}/entries/{assignment}"
        )


class NewEntryHandler(PPOHandler):
    """``/courses/{course}/entries/{assignment}/submissions``: where entries are handed in."""

    max_json_bytes: ClassVar[int] = MAX_BODY_BYTES

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(
        Submission,
        HTTPStatus.CREATED,
        body=EntryBody,
        body_also=MediaType.ZIP,
        same=(HTTPStatus.OK,),
        has_key=True,
    )
    async def post(self, course: str, assignment: str) -> None:
        """Hand in an entry, or a zip archive of its files, as the caller's next attempt (members).

        The same bytes with the same Idempotency-Key are answered 200 with the first receipt.
        """
        entries, key = self.use_cases.entries, self.idempotency_key()
        body = self.notebook_body()
        if is_archive(body):
            made = await self.ask(
                entries.submit_archive, course, assignment, body, idempotency_key=key
            )
        else:
            sent = self.json_body(EntryBody)
            made = await self.ask(
                entries.submit,
                course,
                assignment,
                sent.content(),
                sent.read_files(),
                idempotency_key=key,
            )
        status = HTTPStatus.OK if made.is_repeat else HTTPStatus.CREATED
        self.reply(Submission.of(made), status, location=f"/submissions/{made.id}")


class ReleaseOutcomesHandler(PPOHandler):
    """``/courses/{course}/entries/{assignment}/release``: all outcomes that are approved."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Released)
    async def post(self, course: str, assignment: str) -> None:
        """Release every approved outcome of an entry to its student (instructors)."""
        count = await self.ask(self.use_cases.outcomes.release_approved, course, assignment)
        self.reply(Released(released=count))


class EntryContentHandler(PPOHandler):
    """``/submissions/{submission_id}/entry``: what was handed in."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(EntryContent)
    async def get(self, submission_id: str) -> None:
        """Return an entry that was handed in, and its rubric (its owner, or a grader)."""
        submission = self.identifier(submission_id)
        self.reply(await self.ask(_content, self.use_cases.entries, submission))


class EntryFileHandler(PPOHandler):
    """``/submissions/{submission_id}/files/{name}``: a file of an entry."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.BYTES)
    async def get(self, submission_id: str, name: str) -> None:
        """Download a file as it came; a ``/`` in its name is %2F (its owner, or a grader)."""
        submission = self.identifier(submission_id)
        data = await self.ask(self.use_cases.entries.file, submission, name)
        self.set_header("Content-Security-Policy", _FILE_POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.reply_bytes(data, MediaType.BYTES, filename=name.rpartition("/")[2])


# Rendering Markdown takes time, so it is done in the use case's thread.


def _entry(caller: Caller, entries: EntryService, course: str, assignment: str) -> Entry:
    return Entry.of(entries.entry(caller, course, assignment))


def _content(caller: Caller, entries: EntryService, submission_id: UUID) -> EntryContent:
    return EntryContent.of(entries.content(caller, submission_id))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/entries/{assignment}", EntryHandler),
    ("/courses/{course}/entries/{assignment}/submissions", NewEntryHandler),
    ("/courses/{course}/entries/{assignment}/release", ReleaseOutcomesHandler),
    ("/submissions/{submission_id}/entry", EntryContentHandler),
    ("/submissions/{submission_id}/files/{name}", EntryFileHandler),
]
