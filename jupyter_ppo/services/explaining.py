"""Explanations of an error, a cell or a training run: by rules always, in a model's words beside.

What rules find is the ``facts``; a model's text goes with them and never takes their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.autograde.hints import guarded_by
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.hint_records import Explanation, NewExplanation
from jupyter_ppo.domain.marks import checked_text
from jupyter_ppo.domain.ports import BlobStore, Clock, CourseStore
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.domain.tutoring import ExplanationKind, HintSource, ModelAbout
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.asking_limits import AskingLimits
from jupyter_ppo.services.hints import SettingsReader
from jupyter_ppo.services.model_words import ListenerGoneError, ModelWords, OnWords, Told
from jupyter_ppo.services.run_figures import run_figures
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.tutor_questions import (
    EXPLANATION_BOUNDS,
    Explained,
    explanation_asking,
)
from jupyter_ppo.tutor.cell_rules import explain_cell
from jupyter_ppo.tutor.error_rules import explain_error
from jupyter_ppo.tutor.run_rules import explain_run

#: The most characters of what is asked about: code, traceback; message; question.
MAX_CODE, MAX_MESSAGE, MAX_QUESTION = 20_000, 4_000, 500
_SWITCHED_OFF = "Explanations are switched off here."


class ExplanationStore(Protocol):
    """The explanations that were given."""

    def add(self, new: NewExplanation) -> Explanation:
        """Keep one."""


@dataclass(frozen=True, slots=True)
class ErrorAsked:
    """An error to explain; all of it is text that a browser sent."""

    code: str
    error_type: str
    message: str
    traceback: str
    assignment: str | None = None


@dataclass(frozen=True, slots=True)
class CellAsked:
    """A cell to explain."""

    code: str
    assignment: str | None = None


@dataclass(frozen=True, slots=True)
class RunAsked:
    """A run to explain, around ``update`` (from 1; None: the most striking one)."""

    run_id: UUID
    update: int | None = None
    question: str = ""


Asked = ErrorAsked | CellAsked | RunAsked


@dataclass(frozen=True, slots=True)
class GivenExplanation:
    """An explanation as it is answered; ``facts`` are by rules, whoever wrote the text."""

    explanation: Explanation
    facts: tuple[str, ...]
    note: str = ""


class ExplainingService:
    """Explanations of what is the caller's own. Every method takes the caller first."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        blobs: BlobStore,
        explanations: ExplanationStore,
        training: TrainingService,
        settings: SettingsReader,
        words: ModelWords,
        limits: AskingLimits,
        clock: Clock,
    ) -> None:
        self._courses = courses
        self._blobs = blobs
        self._explanations = explanations
        self._training = training
        self._settings = settings
        self._words = words
        self._limits = limits
        self._clock = clock
        self._access = Access(courses)

    @property
    def about(self) -> ModelAbout | None:
        """Which model is set up on this server, if any."""
        return self._words.about

    def explain(
        self, caller: Caller, course_name: str, asked: Asked, on_words: OnWords | None = None
    ) -> GivenExplanation:
        """Explain something; ``on_words`` gets a model's words as they come.

        Of another person's run the caller learns no more than of one that there is not
        (``NotFoundError``). Raises ``ConflictError`` where explanations are switched off,
        ``TooManyRequestsError`` over the limit, ``InvalidInputError`` naming the field, and
        ``ListenerGoneError``.
        """
        _check(asked)
        course, assignment = self._place(caller, course_name, asked)
        settings = self._settings.effective(
            course.id, None if assignment is None else assignment.id
        )
        if not settings.explanations:
            raise ConflictError(_SWITCHED_OFF, field="kind")
        explained = self._by_rules(caller, asked)
        with self._limits.asking(caller.user):
            try:
                told = self._of_model(caller, course, assignment, explained, on_words)
            except ListenerGoneError as gone:
                self._given(caller, course, assignment, explained, Told("", "", gone.call_id))
                raise
            return self._given(caller, course, assignment, explained, told)

    def _place(
        self, caller: Caller, course_name: str, asked: Asked
    ) -> tuple[Course, Assignment | None]:
        course, role = self._access.course(caller, course_name)
        name = None if isinstance(asked, RunAsked) else asked.assignment
        if name is None:
            return course, None
        assignment = self._courses.assignment(course.id, name)
        if not role.may_grade:
            check_opened(assignment.terms, assignment.name, self._clock.now())
        return course, assignment

    def _by_rules(self, caller: Caller, asked: Asked) -> Explained:
        match asked:
            case ErrorAsked():
                error = explain_error(asked.error_type, asked.message, asked.traceback, asked.code)
                return Explained(
                    kind=ExplanationKind.ERROR,
                    text=error.text,
                    facts=(error.means, error.where),
                    texts={
                        "code": asked.code,
                        "error_type": asked.error_type,
                        "message": asked.message,
                        "traceback": asked.traceback,
                    },
                    subject={"error_type": asked.error_type[:200], "rule": error.rule},
                )
            case CellAsked():
                facts = explain_cell(asked.code)
                return Explained(
                    kind=ExplanationKind.CELL,
                    text="\n\n".join(facts),
                    facts=facts,
                    texts={"code": asked.code},
                    subject={},
                )
            case RunAsked():
                return self._run_by_rules(caller, asked)

    def _run_by_rules(self, caller: Caller, asked: RunAsked) -> Explained:
        run = self._training.run(caller, asked.run_id)
        reader = self._training.follow(caller, asked.run_id)
        found = explain_run(run_figures(reader, run.spec), asked.update)
        subject: dict[str, Any] = {"run_id": str(run.id), "update": found.update}
        return Explained(
            kind=ExplanationKind.RUN,
            text=found.text,
            facts=found.facts,
            texts={"question": asked.question},
            subject=subject,
        )

    def _of_model(
        self,
        caller: Caller,
        course: Course,
        assignment: Assignment | None,
        explained: Explained,
        on_words: OnWords | None,
    ) -> Told:
        references: Sequence[str] = ()
        if assignment is not None and assignment.kind is AssignmentKind.NOTEBOOK:
            guarded = guarded_by(self._blobs.get(assignment.version.source_digest))
            if not guarded.may_ask_model:
                return Told("", "", None)
            references = guarded.references
        asking = explanation_asking(
            explained, references, course_id=course.id, assignment=assignment, user=caller.user
        )
        return self._words.tell(asking.question, EXPLANATION_BOUNDS, asking.check, on_words)

    def _given(
        self,
        caller: Caller,
        course: Course,
        assignment: Assignment | None,
        explained: Explained,
        told: Told,
    ) -> GivenExplanation:
        subject: Mapping[str, Any] = {**explained.subject, "facts": list(explained.facts)}
        made = self._explanations.add(
            NewExplanation(
                course_id=course.id,
                assignment_id=None if assignment is None else assignment.id,
                user=caller.user,
                kind=explained.kind,
                subject=subject,
                source=HintSource.MODEL if told.text else HintSource.RULE,
                model=told.model if told.text else "",
                text=told.text or explained.text,
                call_id=told.call_id,
            )
        )
        return GivenExplanation(made, explained.facts, told.note)


def _check(asked: Asked) -> None:
    if isinstance(asked, RunAsked):
        bounds = {"question": (asked.question, MAX_QUESTION)}
    elif isinstance(asked, CellAsked):
        bounds = {"code": (asked.code, MAX_CODE)}
    else:
        bounds = {
            "code": (asked.code, MAX_CODE),
            "error_type": (asked.error_type, MAX_QUESTION),
            "message": (asked.message, MAX_MESSAGE),
            "traceback": (asked.traceback, MAX_CODE),
        }
    for name, (text, most) in bounds.items():
        if len(text) > most:
            msg = f"{name}: it has {len(text):,} characters; use at most {most:,}."
            raise InvalidInputError(msg, field=name)
        checked_text(text, name)
