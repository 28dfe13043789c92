"""Calibration: people mark answers, and drafts are compared with them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import agreement
from jupyter_ppo.services.calibration import CalibrationReport, NextAnswer
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.draft_models import RubricCriterion
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

_PATH = "/courses/{course}/assignments/{assignment}/calibrations"
#: What stands in an address in the place of an entry's grade_id, which is "".
_ENTRY = "-"


class NewLevels(Body):
    """The level that a person chose for each criterion."""

    levels: Annotated[dict[str, str], Field(max_length=40)]


class Figure(Answer):
    """A value with its interval of 95 %."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, figure: agreement.Figure | None) -> Figure | None:
        """Make the body from the domain's object."""
        if figure is None:
            return None
        return cls(value=figure.value, low=figure.low, high=figure.high)


class Agreement(Answer):
    """How drafts agree with people; a figure that is not defined is null."""

    n: int
    qwk: Figure | None
    exact: Figure | None
    adjacent: Figure | None
    bias: Figure | None

    @classmethod
    def of(cls, found: agreement.Agreement) -> Agreement:
        """Make the body from the domain's object."""
        return cls(n=found.n, **_figures(found))


class CriterionAgreement(Agreement):
    """The same of one criterion; ``confusion[i][j]``: the person said i and the draft j."""

    name: str
    title: str
    levels: list[str]
    confusion: list[list[int]]


class CalibrationItem(Answer):
    """Where the calibration of one question is."""

    grade_id: str
    title: str
    marked: int
    needed: int
    is_passed: bool

    @classmethod
    def of(cls, report: CalibrationReport) -> CalibrationItem:
        """Make the body from the service's object."""
        return cls(
            grade_id=report.question.grade_id,
            title=report.question.title,
            marked=report.marked,
            needed=report.needed,
            is_passed=report.is_passed,
        )


class CalibrationPage(Page[CalibrationItem]):
    """Questions with a rubric, in their order."""


class Calibration(CalibrationItem):
    """The calibration of one question; ``why_not`` says what is missing to pass."""

    drafted: int
    threshold: float
    why_not: str
    overall: Agreement
    criteria: list[CriterionAgreement]

    @classmethod
    def whole(cls, report: CalibrationReport) -> Calibration:
        """Make the body from the service's object."""
        return cls(
            **CalibrationItem.of(report).model_dump(),
            drafted=report.drafted,
            threshold=report.threshold,
            why_not=report.why_not,
            overall=Agreement.of(report.overall),
            criteria=[
                CriterionAgreement(
                    n=each.agreement.n,
                    **_figures(each.agreement),
                    name=each.criterion.name,
                    title=each.criterion.title,
                    levels=list(each.levels),
                    confusion=[list(row) for row in each.agreement.confusion],
                )
                for each in report.criteria
            ],
        )


class AnswerToMark(Answer):
    """An answer that nobody has marked for calibration; HTML is sanitised."""

    submission_id: UUID
    who: str
    title: str
    prompt_html: str
    answer_html: str
    rubric: list[RubricCriterion]

    @classmethod
    def of(cls, found: NextAnswer) -> AnswerToMark:
        """Make the body from the service's object."""
        question = found.answer.question
        return cls(
            submission_id=found.answer.submission.id,
            who=found.who,
            title=question.title,
            prompt_html=question.html,
            answer_html=found.answer.html,
            rubric=[RubricCriterion.of(each) for each in question.rubric],
        )


class CalibrationsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/calibrations``: every question."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(CalibrationPage, query=PageQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List the questions with a rubric, and how far their calibration is (graders)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.calibration.reports, course, assignment, **query.model_dump()
        )
        items = [CalibrationItem.of(each) for each in page.items]
        self.reply(CalibrationPage(items=items, **page_numbers(page)))


class CalibrationHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/calibrations/{grade_id}``: one question."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Calibration)
    async def get(self, course: str, assignment: str, grade_id: str) -> None:
        """Compare drafts with people's marks; "-" is the question of an entry (graders)."""
        report = await self.ask(
            self.use_cases.calibration.report, course, assignment, _own_grade_id(grade_id)
        )
        self.reply(Calibration.whole(report))


class NextAnswerHandler(PPOHandler):
    """``.../calibrations/{grade_id}/next``: what to mark next."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(AnswerToMark)
    async def get(self, course: str, assignment: str, grade_id: str) -> None:
        """Return an answer that is not marked yet; 404 when none is left (graders)."""
        found = await self.ask(
            self.use_cases.calibration.next, course, assignment, _own_grade_id(grade_id)
        )
        self.reply(AnswerToMark.of(found))


class CalibrationMarkHandler(PPOHandler):
    """``.../calibrations/{grade_id}/answers/{submission_id}``: a person's levels."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Calibration, body=NewLevels)
    async def put(self, course: str, assignment: str, grade_id: str, submission_id: str) -> None:
        """Keep the levels of an answer, to compare drafts with; no points (graders)."""
        submission, body = self.identifier(submission_id), self.json_body(NewLevels)
        report = await self.ask(
            self.use_cases.calibration.mark,
            course,
            assignment,
            _own_grade_id(grade_id),
            submission,
            body.levels,
        )
        self.reply(Calibration.whole(report))


def _own_grade_id(text: str) -> str:
    return "" if text == _ENTRY else text


def _figures(found: agreement.Agreement) -> dict[str, Figure | None]:
    names = ("qwk", "exact", "adjacent", "bias")
    return {name: Figure.of(getattr(found, name)) for name in names}


handlers: list[tuple[str, type[PPOHandler]]] = [
    (_PATH, CalibrationsHandler),
    (f"{_PATH}/{{grade_id}}", CalibrationHandler),
    (f"{_PATH}/{{grade_id}}/next", NextAnswerHandler),
    (f"{_PATH}/{{grade_id}}/answers/{{submission_id}}", CalibrationMarkHandler),
]
