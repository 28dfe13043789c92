"""Runs that give no grade: students validate, authors check and preview."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from tornado import web

from jupyter_ppo.autograde.author_check import Severity
from jupyter_ppo.domain import trials
from jupyter_ppo.domain.sealing import SealState
from jupyter_ppo.domain.trials import TrialKind, TrialState
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.grade_answers import Check
from jupyter_ppo.web.models import Answer, Time
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.sealing import Finding


class TriedExercise(Answer):
    """What the visible tests of one exercise said; ``passed`` is null if none was run."""

    grade_id: str
    points: float
    max_points: float
    passed: bool | None
    reason: str
    checks: list[Check]


class Validation(Answer):
    """What a validation said: ``passed`` of ``total`` exercises with tests that students read."""

    passed: int
    total: int
    exercises: list[TriedExercise]
    warnings: list[str]
    note: str


class AuthorProblem(Answer):
    """Something to look at in an author's notebook; ``cell`` counts from 0."""

    severity: Severity
    message: str
    grade_id: str | None
    cell: int | None


class ScoredExercise(Answer):
    """What one exercise gave in a run of a check."""

    grade_id: str
    points: float
    max_points: float
    needs_review: bool
    reason: str


class Scored(Answer):
    """What a run of a check scored."""

    points: float
    max_points: float
    exercises: list[ScoredExercise]


class SealedCell(Answer):
    """How one test cell would be run."""

    grade_id: str
    state: SealState
    findings: list[Finding]


class SourceCheck(Answer):
    """Whether an author's notebook is ready for its release.

    ``solution`` is what the reference solution scored and ``skeleton`` what the students' copy did;
    both are null if the notebook cannot be released.
    """

    is_ready: bool
    problems: list[AuthorProblem]
    solution: Scored | None
    skeleton: Scored | None
    sealing: list[SealedCell]


class Trial(Answer):
    """A run without a grade. ``result`` is null until its state is ``done``.

    ``error`` says why it failed; that is never the notebook's fault.
    """

    id: UUID
    kind: TrialKind
    state: TrialState
    assignment: str
    created_at: Time
    ended_at: Time | None
    error: str | None
    result: Validation | SourceCheck | None

    @classmethod
    def of(cls, trial: trials.Trial) -> Trial:
        """Make the body from the domain's object."""
        result: Validation | SourceCheck | None = None
        if trial.result is not None:
            kind = Validation if trial.kind is TrialKind.VALIDATION else SourceCheck
            result = kind.model_validate(trial.result)
        return cls(
            id=trial.id,
            kind=trial.kind,
            state=trial.state,
            assignment=trial.assignment,
            created_at=trial.created_at,
            ended_at=trial.ended_at,
            error=trial.error,
            result=result,
        )


class ValidationsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/validations``: tries of a notebook."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trial, HTTPStatus.ACCEPTED, body=MediaType.NOTEBOOK, body_also=MediaType.ZIP)
    async def post(self, course: str, assignment: str) -> None:
        """Try a notebook by the tests that students can read; it is not handed in (members)."""
        made = await self.ask(
            self.use_cases.trials.validate, course, assignment, self.notebook_body()
        )
        self.reply(Trial.of(made), HTTPStatus.ACCEPTED, location=f"/trials/{made.id}")


class ChecksHandler(PPOHandler):
    """``/courses/{course}/checks``: tries of authors' notebooks."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trial, HTTPStatus.ACCEPTED, body=MediaType.NOTEBOOK)
    async def post(self, course: str) -> None:
        """Try an author's notebook before its release; nothing is released (instructors)."""
        made = await self.ask(self.use_cases.trials.check, course, self.notebook_body())
        self.reply(Trial.of(made), HTTPStatus.ACCEPTED, location=f"/trials/{made.id}")


class PreviewsHandler(PPOHandler):
    """``/courses/{course}/previews``: students' copies of what is not released."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(MediaType.NOTEBOOK, body=MediaType.NOTEBOOK)
    async def post(self, course: str) -> None:
        """Return the students' copy of an author's notebook; nothing is kept (instructors)."""
        data = await self.ask(self.use_cases.trials.preview, course, self.notebook_body())
        self.reply_bytes(data, MediaType.NOTEBOOK, filename="preview.ipynb")


class TrialHandler(PPOHandler):
    """``/trials/{trial_id}``: one trial."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Trial)
    async def get(self, trial_id: str) -> None:
        """Return a trial and, once it is done, its result (who asked for it; graders)."""
        identifier = self.identifier(trial_id, "trial")
        self.reply(Trial.of(await self.ask(self.use_cases.trials.trial, identifier)))


handlers = [
    ("/courses/{course}/assignments/{assignment}/validations", ValidationsHandler),
    ("/courses/{course}/checks", ChecksHandler),
    ("/courses/{course}/previews", PreviewsHandler),
    ("/trials/{trial_id}", TrialHandler),
]
