"""Submissions: what students hand in."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.autograde.saved_model import is_archive
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Submission, SubmissionPage, SubmissionsQuery, submission_page
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.trash import Trashed


class NewSubmissionHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/submissions``: where notebooks are handed in."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(
        Submission,
        HTTPStatus.CREATED,
        body=MediaType.NOTEBOOK,
        body_also=MediaType.ZIP,
        same=(HTTPStatus.OK,),
        has_key=True,
    )
    async def post(self, course: str, assignment: str) -> None:
        """Hand in a notebook or a saved model as the caller's next attempt (members).

        The same bytes with the same `Idempotency-Key` are answered with 200 and the first receipt.
        """
        await receive(self, course, assignment)


async def receive(handler: PPOHandler, course: str, assignment: str | None) -> None:
    """Take the body in as an attempt of the caller and answer its receipt."""
    made = await handler.ask(
        handler.service.submit,
        course,
        assignment,
        handler.notebook_body(),
        idempotency_key=handler.idempotency_key(),
    )
    status = HTTPStatus.OK if made.is_repeat else HTTPStatus.CREATED
    handler.reply(Submission.of(made), status, location=f"/submissions/{made.id}")


class SubmissionsHandler(PPOHandler):
    """``/courses/{course}/submissions``: all submissions of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(SubmissionPage, query=SubmissionsQuery)
    async def get(self, course: str) -> None:
        """List submissions, newest first (members; a student sees only their own)."""
        query = self.query(SubmissionsQuery)
        page = await self.ask(self.service.submissions, course, **query.model_dump())
        self.reply(submission_page(page))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(
        Submission, HTTPStatus.CREATED, body=MediaType.NOTEBOOK, same=(HTTPStatus.OK,), has_key=True
    )
    async def post(self, course: str) -> None:
        """Hand in a notebook for the assignment that its graded cells are of (members).

        The same bytes with the same `Idempotency-Key` are answered with 200 and the first receipt.
        """
        await receive(self, course, None)


class SubmissionHandler(PPOHandler):
    """``/submissions/{submission_id}``: one submission."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Submission)
    async def get(self, submission_id: str) -> None:
        """Return a submission (its owner, or a grader of its course)."""
        found = await self.ask(self.service.submission, self.identifier(submission_id))
        self.reply(Submission.of(found))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trashed)
    async def delete(self, submission_id: str) -> None:
        """Put one attempt into the trash; it counts no more (instructors)."""
        submission = self.identifier(submission_id)
        deleted = await self.ask(self.use_cases.trash.delete_submission, submission)
        self.reply(Trashed.of(deleted))


class SubmittedNotebookHandler(PPOHandler):
    """``/submissions/{submission_id}/notebook``: the bytes that were handed in."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.NOTEBOOK, also=MediaType.ZIP)
    async def get(self, submission_id: str) -> None:
        """Download the submitted bytes exactly as they came (its owner, or a grader)."""
        submission = self.identifier(submission_id)
        data = await self.ask(self.service.submitted_notebook, submission)
        if is_archive(data):
            self.reply_bytes(data, MediaType.ZIP, filename=f"{submission}.zip")
        else:
            self.reply_bytes(data, MediaType.NOTEBOOK, filename=f"{submission}.ipynb")


handlers = [
    ("/courses/{course}/assignments/{assignment}/submissions", NewSubmissionHandler),
    ("/courses/{course}/submissions", SubmissionsHandler),
    ("/submissions/{submission_id}", SubmissionHandler),
    ("/submissions/{submission_id}/notebook", SubmittedNotebookHandler),
]
