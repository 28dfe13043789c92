"""Grades, feedback pages and the grade table."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.gradebook import grades_csv
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.grade_answers import Grade
from jupyter_ppo.web.models import (
    GradesFormat,
    GradesQuery,
    Submission,
    SubmissionPage,
    submission_page,
)
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted

#: The page is made of what a student wrote: nothing in it may run, load or reach this server.
FEEDBACK_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class GradeHandler(PPOHandler):
    """``/submissions/{submission_id}/grade``: what a submission scored."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Grade)
    async def get(self, submission_id: str) -> None:
        """Return the grade; 404 until there is one (the owner of the submission, or a grader)."""
        self.reply(Grade.of(await self.ask(self.service.grade, self.identifier(submission_id))))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Submission, HTTPStatus.ACCEPTED)
    async def post(self, submission_id: str) -> None:
        """Queue a graded or failed submission again (graders)."""
        queued = await self.ask(self.service.request_grading, self.identifier(submission_id))
        self.reply(Submission.of(queued), HTTPStatus.ACCEPTED)


class FeedbackHandler(PPOHandler):
    """``/submissions/{submission_id}/feedback``: the page for the student."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.HTML)
    async def get(self, submission_id: str) -> None:
        """Return the feedback page; 404 until graded (the owner of the submission, or a grader)."""
        page = await self.ask(self.service.feedback, self.identifier(submission_id))
        self.set_header("Content-Security-Policy", FEEDBACK_POLICY)
        self.reply_bytes(page, MediaType.HTML)


class GradesHandler(PPOHandler):
    """``/courses/{course}/grades``: the grade table."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(SubmissionPage, query=GradesQuery, also=MediaType.CSV)
    async def get(self, course: str) -> None:
        """Return each student's last attempt at each assignment (a student sees only their own)."""
        query = self.query(GradesQuery)
        if query.format is GradesFormat.CSV:
            table = await self.ask(_whole_table, self.service, course)
            self.reply_bytes(table, MediaType.CSV, filename=f"{course}-grades.csv")
            return
        page = await self.ask(
            self.service.submissions, course, latest=True, offset=query.offset, limit=query.limit
        )
        self.reply(submission_page(page))


def _whole_table(caller: Caller, service: AssessmentService, course: str) -> bytes:
    return "".join(grades_csv(service.every_latest(caller, course))).encode()


handlers = [
    ("/submissions/{submission_id}/grade", GradeHandler),
    ("/submissions/{submission_id}/feedback", FeedbackHandler),
    ("/courses/{course}/grades", GradesHandler),
]
