"""Outcomes of entries: read, written, approved, released."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Concatenate, ParamSpec
from uuid import UUID

from tornado import web

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.entries import OutcomeChange
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.services.outcome_view import OutcomeView
from jupyter_ppo.services.outcomes import OutcomeService
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.entry_models import EntryOutcome, OutcomeBody, OutcomePage, SeenRevision
from jupyter_ppo.web.models import PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

P = ParamSpec("P")


class OutcomeHandler(PPOHandler):
    """``/submissions/{submission_id}/outcome``: the one outcome of a submission."""

    max_json_bytes: ClassVar[int] = 2 * 2**20

    @web.authenticated
    @permitted(Action.READ)
    @answers(EntryOutcome)
    async def get(self, submission_id: str) -> None:
        """Return the outcome (graders; its owner once it is released, 404 until then)."""
        submission = self.identifier(submission_id)
        self.reply(await self.ask(_rendered, self.use_cases.outcomes.outcome, submission))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(EntryOutcome, body=OutcomeBody)
    async def put(self, submission_id: str) -> None:
        """Write the next revision; 409 with both when another one is stored (graders)."""
        submission, body = self.identifier(submission_id), self.json_body(OutcomeBody)
        written = await self.ask(
            _rendered,
            self.use_cases.outcomes.write,
            submission,
            [result.result() for result in body.results],
            summary=body.summary,
            private_note=body.private_note,
            revision=body.revision,
        )
        self.reply(written)


class OutcomeRevisionsHandler(PPOHandler):
    """``/submissions/{submission_id}/outcome/revisions``: who or what wrote what, and when."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(OutcomePage, query=PageQuery)
    async def get(self, submission_id: str) -> None:
        """List every revision of an outcome, newest first (graders)."""
        submission, query = self.identifier(submission_id), self.query(PageQuery)
        page = await self.ask(
            _rendered_page, self.use_cases.outcomes, submission, query.offset, query.limit
        )
        self.reply(page)


class OutcomeChangeHandler(PPOHandler):
    """``/submissions/{submission_id}/outcome/{change}``: approve, release, withdraw or reopen."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(EntryOutcome, body=SeenRevision)
    async def post(self, submission_id: str, change: str) -> None:
        """Change the state of an outcome: approve, release, withdraw or reopen (graders)."""
        submission = self.identifier(submission_id)
        if change not in set(OutcomeChange):
            msg = f"change: there is no {change[:80]!r}. Use {', '.join(OutcomeChange)}."
            raise NotFoundError(msg, field="change")
        seen = self.json_body(SeenRevision).revision
        changed = await self.ask(
            _rendered,
            self.use_cases.outcomes.change,
            submission,
            OutcomeChange(change),
            revision=seen,
        )
        self.reply(changed)


# Rendering Markdown takes time, so it is done in the use case's thread.


def _rendered(
    caller: Caller,
    use_case: Callable[Concatenate[Caller, P], OutcomeView],
    *args: P.args,
    **kwargs: P.kwargs,
) -> EntryOutcome:
    return EntryOutcome.of(use_case(caller, *args, **kwargs))


def _rendered_page(
    caller: Caller, outcomes: OutcomeService, submission_id: UUID, offset: int, limit: int
) -> OutcomePage:
    page = outcomes.revisions(caller, submission_id, offset=offset, limit=limit)
    return OutcomePage(items=[EntryOutcome.of(view) for view in page.items], **page_numbers(page))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/submissions/{submission_id}/outcome", OutcomeHandler),
    ("/submissions/{submission_id}/outcome/revisions", OutcomeRevisionsHandler),
    ("/submissions/{submission_id}/outcome/{change}", OutcomeChangeHandler),
]
