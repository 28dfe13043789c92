"""Submissions: what students hand in."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.autograde.saved_model import is_archive
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Submission, SubmissionPage, SubmissionsQuery, submission_page
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted


class NewSubmissionHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/submissions``: where notebooks are handed in."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Submission, HTTPStatus.CREATED, body=MediaType.NOTEBOOK, body_also=MediaType.ZIP)
    async def post(self, course: str, assignment: str) -> None:
        """Hand in a notebook or a saved model as the caller's next attempt (members)."""
        made = await self.ask(self.service.submit, course, assignment, self.notebook_body())
        answer = Submission.of(made)
        self.reply(answer, HTTPStatus.CREATED, location=f"/submissions/{made.id}")


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


class SubmissionHandler(PPOHandler):
    """``/submissions/{submission_id}``: one submission."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Submission)
    async def get(self, submission_id: str) -> None:
        """Return a submission (its owner, or a grader of its course)."""
        found = await self.ask(self.service.submission, self.identifier(submission_id))
        self.reply(Submission.of(found))


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
