"""Drafts of many answers: what they would cost, and batches that can be paused and resumed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.draft_records import AnswerKey, DraftBatch
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    ModelUnavailableError,
    NotFoundError,
)
from jupyter_ppo.domain.ports import CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.tutoring import PICO, BatchState, Failure, ModelAbout, Spent, Usage
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.calibration import CalibrationRules
from jupyter_ppo.services.draft_making import DraftMaker
from jupyter_ppo.services.draft_questions import draft_question
from jupyter_ppo.services.draft_stores import (
    CalibrationStore,
    DraftBatchStore,
    DraftStore,
    SettingsReader,
)
from jupyter_ppo.services.judged_answers import JudgedAnswers, JudgedQuestion
from jupyter_ppo.services.model_calls import ModelCalls

#: So many drafts may wait for a decision without a passed calibration, to try it.
FREE_ANSWERS = 5
#: What a criterion of an answer takes about, in tokens, and how many characters a token has.
_OUT_EACH, _CHARACTERS = 120, 4

NO_MODEL = (
    "No language model is set up on this server, so nothing can be drafted. Marking by hand works "
    "as before, and so does the students' self-check."
)

_NO_ANSWERS = "submissions: there is no answer to draft. Wait until some are handed in."
_NO_MARKS = "for_calibration: none of these answers is marked. Mark some in the calibration first."


class SpentStore(Protocol):
    """What was spent."""

    def spent(self, course_id: UUID, assignment_id: UUID | None, user: str) -> Spent:
        """Return what was spent or is reserved."""


@dataclass(frozen=True, slots=True)
class DraftEstimate:
    """What drafting would take. ``cost`` and what is ``left`` are in the price table's currency,
    about.

    ``skipped`` answers are judged by a person or not sent at all (empty, too long). ``calls`` are
    those that are paid for, ``cached_calls`` those that are not. ``reason`` says what keeps a
    batch from being started, "" if nothing does.
    """

    answers: int
    skipped: int
    calls: int
    cached_calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    left_course: float
    left_assignment: float
    calibrated: bool
    reason: str


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch and what its drafts have cost so far, in the price table's currency."""

    batch: DraftBatch
    spent: float


class DraftingService:
    """Estimates and batches of drafts. Every method takes the caller first."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        drafts: DraftStore,
        batches: DraftBatchStore,
        marks: CalibrationStore,
        answers: JudgedAnswers,
        settings: SettingsReader,
        rules: CalibrationRules,
        maker: DraftMaker,
        calls: ModelCalls,
        spent: SpentStore,
        on_started: Callable[[], None],
        currency: str,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._drafts = drafts
        self._batches = batches
        self._marks = marks
        self._answers = answers
        self._settings = settings
        self._rules = rules
        self._maker = maker
        self._calls = calls
        self._spent = spent
        self._on_started = on_started
        self.currency = currency
        self._audit = audit
        self._access = Access(courses)

    def estimate(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        *,
        grade_id: str | None = None,
        submissions: Collection[UUID] | None = None,
        for_calibration: bool = False,
    ) -> DraftEstimate:
        """Return what drafting these answers would take. Graders only; nothing is sent.

        ``for_calibration`` looks at the answers that ``start`` would draft with it. Raises
        ``ModelUnavailableError`` without a model, ``ConflictError`` where drafts are switched off
        or there is no rubric.
        """
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        return self._estimated(
            caller, assignment, grade_id, submissions, is_calibration=for_calibration
        )

    def start(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        *,
        grade_id: str | None = None,
        submissions: Collection[UUID] | None = None,
        for_calibration: bool = False,
    ) -> BatchView:
        """Start a batch. Instructors only.

        ``for_calibration`` drafts the answers that people marked for it. More than a few others
        need a passed calibration of their question. Raises what ``estimate`` does, and
        ``ConflictError`` with the figures.
        """
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        estimate = self._estimated(
            caller, assignment, grade_id, submissions, is_calibration=for_calibration
        )
        if estimate.reason:
            raise ConflictError(estimate.reason, field="grade_id")
        keys, _ = self._chosen(assignment, grade_id, submissions, for_calibration)
        batch = self._batches.create(
            course_id=course.id,
            assignment_id=assignment.id,
            grade_id=grade_id,
            created_by=caller.user,
            samples=self._settings.effective(course.id, assignment.id).samples,
            estimate=asdict(estimate),
            for_calibration=for_calibration,
            items=[(key.submission_id, key.grade_id) for key in keys],
        )
        detail: dict[str, Any] = {"batch": str(batch.id), "answers": batch.total}
        note(self._audit, caller.user, "drafts.started", f"{course_name}/{name}", detail)
        self._on_started()
        return BatchView(batch, 0.0)

    def batches(
        self, caller: Caller, course_name: str, name: str, *, offset: int, limit: int
    ) -> Page[BatchView]:
        """Return an assignment's batches, newest first. Graders only."""
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        page = self._batches.batches(assignment.id, offset=offset, limit=limit)
        spent = self._batches.spent([batch.id for batch in page.items])
        views = tuple(BatchView(each, spent[each.id] / PICO) for each in page.items)
        return Page(views, page.total, page.offset, page.limit)

    def batch(self, caller: Caller, batch_id: UUID) -> BatchView:
        """Return one batch; raise ``NotFoundError`` to all but its graders."""
        return self._view(self._of(caller, batch_id))

    def pause(self, caller: Caller, batch_id: UUID) -> BatchView:
        """Let a batch wait; what is under way is finished. Instructors only."""
        return self._set(caller, batch_id, BatchState.PAUSED, "paused")

    def resume(self, caller: Caller, batch_id: UUID) -> BatchView:
        """Go on with the rest of a paused or stopped batch, and with what failed."""
        self._needed()
        changed = self._set(caller, batch_id, BatchState.RUNNING, "resumed")
        self._on_started()
        return changed

    def cancel(self, caller: Caller, batch_id: UUID) -> BatchView:
        """End a batch; the drafts that there are stay."""
        return self._set(caller, batch_id, BatchState.CANCELLED, "cancelled")

    # -- parts -------------------------------------------------------------------------------

    def _needed(self) -> ModelAbout:
        about = self._calls.about
        if about is None:
            raise ModelUnavailableError(NO_MODEL, failure=Failure.NOT_SET_UP)
        return about

    def _estimated(
        self,
        caller: Caller,
        assignment: Assignment,
        grade_id: str | None,
        submissions: Collection[UUID] | None,
        *,
        is_calibration: bool,
    ) -> DraftEstimate:
        about = self._needed()
        settings = self._settings.effective(assignment.course_id, assignment.id)
        if not settings.drafts:
            msg = (
                "settings: drafts are switched off here. An instructor switches them on in the "
                "feedback settings of the course or the assignment (drafts)."
            )
            raise ConflictError(msg, field="settings")
        keys, questions = self._chosen(assignment, grade_id, submissions, is_calibration)
        judged = frozenset() if is_calibration else self._drafts.judged(assignment.id)
        skipped = calls = cached = read = written = 0
        for key in keys:
            submission = self._submissions.submission(key.submission_id)
            answer = self._answers.answer(submission, key.grade_id)
            if (key.submission_id, key.grade_id) in judged or self._maker.unsent(answer):
                skipped += 1
                continue
            for sample in range(settings.samples):
                asking = draft_question(answer, asked_by=caller.user, sample=sample)
                prepared = self._calls.prepare(asking)
                if prepared.is_cached:
                    cached += 1
                    continue
                calls += 1
                sent = prepared.request.system, prepared.request.user
                read += sum(map(len, sent)) // _CHARACTERS
                written += _OUT_EACH * len(answer.question.rubric)
        price = about.price
        cost = 0.0 if price is None else price.cost(Usage(read, written)) / PICO
        caps = self._calls.caps(assignment.course_id, assignment.id)
        spent = self._spent.spent(assignment.course_id, assignment.id, caller.user)
        reason = "" if is_calibration else self._why_not(assignment, questions, len(keys))
        if not keys:
            reason = _NO_MARKS if is_calibration else _NO_ANSWERS
        return DraftEstimate(
            answers=len(keys),
            skipped=skipped,
            calls=calls,
            cached_calls=cached,
            input_tokens=read,
            output_tokens=written,
            cost=cost,
            left_course=max(0, caps.course - spent.course) / PICO,
            left_assignment=max(0, caps.assignment - spent.assignment) / PICO,
            calibrated=not self._why_not(assignment, questions, FREE_ANSWERS + 1),
            reason=reason,
        )

    def _chosen(
        self,
        assignment: Assignment,
        grade_id: str | None,
        submissions: Collection[UUID] | None,
        is_calibration: bool,
    ) -> tuple[list[AnswerKey], list[JudgedQuestion]]:
        """Return the answers that are meant, and their questions."""
        questions = self._answers.questions(assignment.version, assignment.kind)
        if grade_id is not None:
            one = self._answers.chosen(assignment.version, questions, grade_id)
            questions = {grade_id: one}
        elif not questions:
            msg = "grade_id: write a rubric first; no answer of this assignment has one."
            raise ConflictError(msg, field="grade_id")
        keys = [key for key in self._drafts.answers(assignment.id) if key.grade_id in questions]
        if submissions is not None:
            wanted = set(submissions)
            unknown = wanted - {key.submission_id for key in keys}
            if unknown:
                msg = f"submissions: {min(unknown)} has no answer here that can be drafted."
                raise NotFoundError(msg, field="submissions")
            keys = [key for key in keys if key.submission_id in wanted]
        if is_calibration:
            marks = self._marks.marks(assignment.id, grade_id)
            marked = {(mark.submission_id, mark.grade_id) for mark in marks}
            keys = [key for key in keys if (key.submission_id, key.grade_id) in marked]
        return keys, list(questions.values())

    def _why_not(
        self, assignment: Assignment, questions: list[JudgedQuestion], answers: int
    ) -> str:
        """Return why so many answers may not be drafted yet, "" if they may."""
        # Not by many small batches either: what waits for a decision counts.
        names = [question.grade_id for question in questions]
        if answers + self._drafts.undecided(assignment.id, names) <= FREE_ANSWERS:
            return ""
        for question in questions:
            why_not = self._rules.report(assignment, question).why_not
            if why_not:
                name = question.grade_id or question.title
                return f"grade_id: {name!r} is not calibrated. {why_not}"
        return ""

    def _of(self, caller: Caller, batch_id: UUID) -> DraftBatch:
        try:
            batch = self._batches.batch(batch_id)
        except NotFoundError:
            batch = None
        role = None if batch is None else self._access.role_in(caller, batch.course_id)
        if batch is None or role is None or not role.may_grade:
            msg = "There is no such batch of drafts."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="batch")
        return batch

    def _set(self, caller: Caller, batch_id: UUID, state: BatchState, word: str) -> BatchView:
        batch = self._of(caller, batch_id)
        role = self._access.role_in(caller, batch.course_id)
        if role is None or not role.may_author:
            msg = "Only an instructor of this course may do this with a batch of drafts."
            raise ForbiddenError(msg)
        changed = self._batches.set_state(batch_id, state)
        note(self._audit, caller.user, f"drafts.{word}", str(batch_id), {})
        return self._view(changed)

    def _view(self, batch: DraftBatch) -> BatchView:
        return BatchView(batch, self._batches.spent([batch.id])[batch.id] / PICO)
