"""People mark answers first, and drafts are compared with them, before drafting in bulk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.agreement import Agreement, agreement_of
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.draft_records import AnswerKey, CalibrationMark
from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.marking import pseudonyms
from jupyter_ppo.domain.ports import CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.tutoring import FeedbackDraft
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.draft_stores import CalibrationStore, DraftStore, SettingsReader
from jupyter_ppo.services.judged_answers import (
    JudgedAnswer,
    JudgedAnswers,
    JudgedQuestion,
    levels_checked,
)
from jupyter_ppo.services.seeds import CourseSecrets


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    """How drafts agree with people on one criterion; ``levels`` are names, least points first."""

    criterion: Criterion
    levels: tuple[str, ...]
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Where the calibration of one question is; ``why_not`` says what is missing to pass.

    ``drafted`` counts the marked answers that the model of now has drafted by the rubric of now.
    ``overall`` compares the levels of all criteria, each by its place among its levels.
    """

    question: JudgedQuestion
    needed: int
    threshold: float
    marked: int
    drafted: int
    why_not: str
    overall: Agreement
    criteria: tuple[CriterionAgreement, ...]

    @property
    def is_passed(self) -> bool:
        """Whether answers to this question may be drafted in bulk."""
        return not self.why_not


@dataclass(frozen=True, slots=True)
class NextAnswer:
    """An answer that nobody has marked yet; ``who`` is a pseudonym."""

    who: str
    answer: JudgedAnswer


class CalibrationRules:
    """Says whether drafts of a question may be trusted as far as a draft may; checks no rights."""

    def __init__(
        self,
        *,
        marks: CalibrationStore,
        drafts: DraftStore,
        settings: SettingsReader,
        program: str | None,
    ) -> None:
        self._marks = marks
        self._drafts = drafts
        self._settings = settings
        self._program = program

    def report(self, assignment: Assignment, question: JudgedQuestion) -> CalibrationReport:
        """Compare marks and drafts of one question."""
        settings = self._settings.effective(assignment.course_id, assignment.id)
        marks = self._usable_marks(assignment.id, question)
        drafts = self._drafts.of_answers(
            assignment.id, question.grade_id, [mark.submission_id for mark in marks]
        )
        both = [
            (mark, drafts[mark.submission_id])
            for mark in marks
            if mark.submission_id in drafts
            and self._is_of_now(drafts[mark.submission_id], question)
        ]
        criteria = tuple(_compared(criterion, both) for criterion in question.rubric)
        every = [pair for criterion in question.rubric for pair in _pairs(criterion, both)]
        most = max((len(criterion.levels) for criterion in question.rubric), default=0)
        overall = _agreement(every, most)
        why_not = self._why_not(
            marked=len(marks),
            drafted=len(both),
            others=len(drafts) - len(both),
            overall=overall,
            needed=settings.calibration_answers,
            threshold=settings.calibration_qwk,
        )
        return CalibrationReport(
            question,
            settings.calibration_answers,
            settings.calibration_qwk,
            len(marks),
            len(both),
            why_not,
            overall,
            criteria,
        )

    def _usable_marks(
        self, assignment_id: UUID, question: JudgedQuestion
    ) -> Sequence[CalibrationMark]:
        """Return the marks by the rubric of now: its criteria and its levels."""
        known = {each.name: {level.name for level in each.levels} for each in question.rubric}
        return [
            mark
            for mark in self._marks.marks(assignment_id, question.grade_id)
            if set(mark.levels) == set(known)
            and all(level in known[name] for name, level in mark.levels.items())
        ]

    def _is_of_now(self, draft: FeedbackDraft, question: JudgedQuestion) -> bool:
        return (
            bool(draft.new.results)
            and draft.new.program == self._program
            and draft.new.rubric_digest == question.rubric_digest
        )

    def _why_not(
        self,
        *,
        marked: int,
        drafted: int,
        others: int,
        overall: Agreement,
        needed: int,
        threshold: float,
    ) -> str:
        if self._program is None:
            return "No language model is set up. Marking by hand works as before."
        if marked < needed:
            return f"{marked} of at least {needed} answers are marked. Mark {needed - marked} more."
        if drafted < needed:
            again = f" {others} are by another model, template or rubric." if others else ""
            return (
                f"{drafted} of at least {needed} marked answers are drafted by this model and "
                f"rubric.{again} Draft the marked answers (a batch for calibration)."
            )
        if overall.qwk is None:
            return (
                "All marks and drafts have the same level, so agreement beyond chance cannot be "
                "seen. Mark answers of other levels too."
            )
        if overall.qwk.value < threshold:
            return (
                f"Drafts and marks agree with a quadratic weighted kappa of "
                f"{overall.qwk.value:.2f}, and {threshold:.2f} are needed. Make the rubric's "
                "levels clearer, or use another model."
            )
        return ""


class CalibrationService:
    """Marks for comparison, and what they show. Graders only; takes the caller first."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        drafts: DraftStore,
        marks: CalibrationStore,
        answers: JudgedAnswers,
        rules: CalibrationRules,
        secrets: CourseSecrets,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._drafts = drafts
        self._marks = marks
        self._answers = answers
        self._rules = rules
        self._secrets = secrets
        self._audit = audit
        self._access = Access(courses)

    def reports(
        self, caller: Caller, course_name: str, name: str, *, offset: int, limit: int
    ) -> Page[CalibrationReport]:
        """Return where the calibration of each question with a rubric is, in its order."""
        assignment = self._assignment(caller, course_name, name)
        questions = list(self._answers.questions(assignment.version, assignment.kind).values())
        found = tuple(
            self._rules.report(assignment, each) for each in questions[offset : offset + limit]
        )
        return Page(found, len(questions), offset, limit)

    def report(
        self, caller: Caller, course_name: str, name: str, grade_id: str
    ) -> CalibrationReport:
        """Return where the calibration of one question is; without a rubric ``ConflictError``."""
        assignment = self._assignment(caller, course_name, name)
        return self._rules.report(assignment, self._question(assignment, grade_id))

    def next(self, caller: Caller, course_name: str, name: str, grade_id: str) -> NextAnswer:
        """Return the next answer to mark, in an order that is fixed and says nothing of it.

        Raises ``NotFoundError`` when all are marked, or none has any words.
        """
        assignment = self._assignment(caller, course_name, name)
        self._question(assignment, grade_id)
        secret = self._secrets.secret(assignment.course_id)
        marked = {mark.submission_id for mark in self._marks.marks(assignment.id, grade_id)}
        keys = [key for key in self._drafts.answers(assignment.id) if key.grade_id == grade_id]
        for key in sorted(keys, key=lambda each: _place(secret, each)):
            if key.submission_id in marked:
                continue
            answer = self._answers.answer(self._submissions.submission(key.submission_id), grade_id)
            if answer.text:
                users = [each.user for each in keys]
                names = pseudonyms(secret, assignment.id, users)
                return NextAnswer(names[key.user], answer)
        msg = "submission: no answer is left to mark for calibration."
        raise NotFoundError(msg, field="submission")

    def mark(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        grade_id: str,
        submission_id: UUID,
        levels: Mapping[str, str],
    ) -> CalibrationReport:
        """Keep the levels that the caller chose for an answer; again replaces them.

        They are for comparison only and give no points. Raises ``InvalidInputError`` naming the
        criterion or level, ``NotFoundError`` for a submission of another assignment.
        """
        assignment = self._assignment(caller, course_name, name)
        question = self._question(assignment, grade_id)
        keys = {key.submission_id for key in self._drafts.answers(assignment.id)}
        if submission_id not in keys:
            msg = "submission: there is no such submission of this assignment that counts."
            raise NotFoundError(msg, field="submission")
        checked = levels_checked(question.rubric, levels)
        self._marks.put(submission_id, grade_id, checked, by=caller.user)
        subject = f"{submission_id}/{grade_id}"
        note(self._audit, caller.user, "calibration.marked", subject, {"levels": checked})
        return self._rules.report(assignment, question)

    def _assignment(self, caller: Caller, course_name: str, name: str) -> Assignment:
        course = self._access.grader(caller, course_name)
        return self._courses.assignment(course.id, name)

    def _question(self, assignment: Assignment, grade_id: str) -> JudgedQuestion:
        return self._answers.question(assignment.version, assignment.kind, grade_id)


def _place(secret: bytes, key: AnswerKey) -> bytes:
    """Return where an answer is in the order to mark: shuffled, and the same for everybody."""
    return hashlib.blake2b(
        f"{key.submission_id}/{key.grade_id}".encode(), key=secret[:64], digest_size=16
    ).digest()


def _levels(criterion: Criterion) -> tuple[str, ...]:
    """Return the names of the levels, least points first."""
    return tuple(level.name for level in sorted(criterion.levels, key=lambda each: each.points))


def _pairs(
    criterion: Criterion, both: Sequence[tuple[CalibrationMark, FeedbackDraft]]
) -> list[tuple[int, int]]:
    levels = _levels(criterion)
    found = []
    for mark, draft in both:
        drafted = {result.criterion: result.level for result in draft.new.results}
        if criterion.name in drafted:
            found.append(
                (levels.index(mark.levels[criterion.name]), levels.index(drafted[criterion.name]))
            )
    return found


def _compared(
    criterion: Criterion, both: Sequence[tuple[CalibrationMark, FeedbackDraft]]
) -> CriterionAgreement:
    levels = _levels(criterion)
    return CriterionAgreement(criterion, levels, _agreement(_pairs(criterion, both), len(levels)))


def _agreement(pairs: Sequence[tuple[int, int]], levels: int) -> Agreement:
    return agreement_of([each[0] for each in pairs], [each[1] for each in pairs], levels)
