"""Marks, the history of grades, and their release."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import marking, marks
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.marking import MarkingState
from jupyter_ppo.domain.marks import MAX_COMMENT, GradeChangeKind
from jupyter_ppo.services.marking import MAX_REASON
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.grade_answers import ExerciseGrade, Mark
from jupyter_ppo.web.models import (
    Answer,
    Body,
    Page,
    PageQuery,
    Time,
    page_numbers,
)
from jupyter_ppo.web.operations import Action, answers, permitted

_MAX_LISTED = 5_000

Reason = Annotated[str, Field(max_length=MAX_REASON)]


class NewMark(Body):
    """What a person says of one exercise; ``revision`` is the one they saw, 0 for none.

    ``points`` null leaves the automatic ones. Without points, extra credit and comment the mark is
    taken away; the history keeps it.
    """

    points: Annotated[float | None, Field(allow_inf_nan=False)] = None
    extra_credit: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] = ""
    reason: Reason = ""
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]

    def mark(self) -> marks.Mark:
        """Return the domain's object."""
        return marks.Mark(self.points, self.extra_credit, self.comment, self.revision)


class WhichSubmissions(Body):
    """Which submissions; without a list every graded one of the assignment."""

    submissions: Annotated[list[UUID], Field(min_length=1, max_length=_MAX_LISTED)] | None = None
    reason: Reason = ""


class MarkingQuery(PageQuery):
    """Which answers; ``named`` shows usernames in the place of pseudonyms."""

    grade_id: str | None = None
    state: MarkingState = MarkingState.WAITING
    named: bool = False


class MarkingTotal(Answer):
    """One exercise that people have to look at, and how far they are."""

    assignment: str
    grade_id: str
    kind: CellKind
    max_points: float
    waiting: int
    marked: int
    total: int


class MarkingTotalPage(Page[MarkingTotal]):
    """Exercises by assignment, in its order."""


class MarkingItem(Answer):
    """One student's exercise; ``score`` is what it counts now, ``auto_points`` what tests gave."""

    submission_id: UUID
    grade_id: str
    who: str
    auto_points: float
    max_points: float
    score: float
    mark: Mark | None
    waits: bool
    auto_changed: bool

    @classmethod
    def of(cls, item: marking.MarkingItem) -> MarkingItem:
        """Make the body from the domain's object."""
        exercise = item.exercise
        return cls(
            submission_id=item.submission_id,
            grade_id=exercise.grade_id,
            who=item.who,
            auto_points=exercise.points,
            max_points=exercise.max_points,
            score=exercise.score,
            mark=None if exercise.mark is None else Mark.of(exercise.mark),
            waits=exercise.waits,
            auto_changed=exercise.auto_changed,
        )


class MarkingPage(Page[MarkingItem]):
    """Students' exercises, one exercise after the other."""


class AnswerText(Answer):
    """What there is to read of one exercise; HTML is sanitised, ``scheme`` is plain text."""

    grade_id: str
    kind: CellKind
    prompt_html: str
    answer_html: str
    answer_text: str
    scheme: str


class GradeChange(Answer):
    """One change of a grade; ``by`` is null for the server, and for students.

    ``grade_id`` is null when it is about the whole submission.
    """

    id: UUID
    at: Time
    kind: GradeChangeKind
    grade_id: str | None
    by: str | None
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, change: marks.GradeChange) -> GradeChange:
        """Make the body from the domain's object."""
        return cls(
            id=change.id,
            at=change.at,
            kind=change.kind,
            grade_id=change.grade_id,
            by=change.by or None,
            reason=change.reason,
            before=None if change.before is None else dict(change.before),
            after=None if change.after is None else dict(change.after),
        )


class GradeChangePage(Page[GradeChange]):
    """Changes of one submission's grade, the newest first."""


class ChangedGrades(Answer):
    """Of how many submissions the release changed."""

    changed: int


class CourseMarkingHandler(PPOHandler):
    """``/courses/{course}/marking``: what waits for a person."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MarkingTotalPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """List the exercises that people have to look at, and how far they are (graders)."""
        query = self.query(PageQuery)
        page = await self.ask(self.use_cases.marking.waiting, course, **query.model_dump())
        items = [
            MarkingTotal(
                assignment=each.assignment,
                grade_id=each.grade_id,
                kind=each.kind,
                max_points=each.max_points,
                waiting=each.waiting,
                marked=each.marked,
                total=each.total,
            )
            for each in page.items
        ]
        self.reply(MarkingTotalPage(items=items, **page_numbers(page)))


class MarkingHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/marking``: exercises across students."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MarkingPage, query=MarkingQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List the attempts that count, exercise by exercise, by pseudonym (graders)."""
        query = self.query(MarkingQuery)
        page = await self.ask(
            self.use_cases.marking.items, course, assignment, **query.model_dump()
        )
        items = [MarkingItem.of(each) for each in page.items]
        self.reply(MarkingPage(items=items, **page_numbers(page)))


class AnswerHandler(PPOHandler):
    """``/submissions/{submission_id}/answers/{grade_id}``: what there is to read."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(AnswerText)
    async def get(self, submission_id: str, grade_id: str) -> None:
        """Return the question, the student's answer and what to look for (graders)."""
        view = await self.ask(
            self.use_cases.marking.answer, self.identifier(submission_id), grade_id
        )
        self.reply(
            AnswerText(
                grade_id=view.grade_id,
                kind=view.kind,
                prompt_html=view.prompt_html,
                answer_html=view.answer_html,
                answer_text=view.answer_text,
                scheme=view.scheme,
            )
        )


class MarkHandler(PPOHandler):
    """``/submissions/{submission_id}/marks/{grade_id}``: what a person says of an exercise."""

    # The longest comment, each of its characters as two escapes of six bytes.
    max_json_bytes = 12 * (MAX_COMMENT + MAX_REASON) + 4 * 2**10

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ExerciseGrade, body=NewMark)
    async def put(self, submission_id: str, grade_id: str) -> None:
        """Write a mark; 409 with both when somebody saved in between (graders)."""
        body = self.json_body(NewMark)
        said = await self.ask(
            self.use_cases.marking.mark,
            self.identifier(submission_id),
            grade_id,
            body.mark(),
            body.reason,
        )
        self.reply(ExerciseGrade.of(said))


class HistoryHandler(PPOHandler):
    """``/submissions/{submission_id}/history``: every change of a grade."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(GradeChangePage, query=PageQuery)
    async def get(self, submission_id: str) -> None:
        """List what changed, when, why and by whom (a student: once released, without whom)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.marking.history, self.identifier(submission_id), **query.model_dump()
        )
        items = [GradeChange.of(each) for each in page.items]
        self.reply(GradeChangePage(items=items, **page_numbers(page)))


class ReleasedGradesHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/released-grades``: what students see."""

    max_json_bytes = 2**20

    def _which(self) -> WhichSubmissions:
        """Return the body; none at all is every submission, as DELETE is mostly sent."""
        return self.json_body(WhichSubmissions) if self._received else WhichSubmissions()

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ChangedGrades, body=WhichSubmissions)
    async def put(self, course: str, assignment: str) -> None:
        """Release grades to their students: those listed, or every one there is (instructors)."""
        body = self._which()
        changed = await self.ask(
            self.use_cases.marking.release,
            course,
            assignment,
            body.submissions,
            reason=body.reason,
        )
        self.reply(ChangedGrades(changed=changed))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ChangedGrades, body=WhichSubmissions)
    async def delete(self, course: str, assignment: str) -> None:
        """Take released grades back: those listed, or every one (instructors)."""
        body = self._which()
        changed = await self.ask(
            self.use_cases.marking.withdraw,
            course,
            assignment,
            body.submissions,
            reason=body.reason,
        )
        self.reply(ChangedGrades(changed=changed))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/marking", CourseMarkingHandler),
    ("/courses/{course}/assignments/{assignment}/marking", MarkingHandler),
    ("/courses/{course}/assignments/{assignment}/released-grades", ReleasedGradesHandler),
    ("/submissions/{submission_id}/answers/{grade_id}", AnswerHandler),
    ("/submissions/{submission_id}/marks/{grade_id}", MarkHandler),
    ("/submissions/{submission_id}/history", HistoryHandler),
]
