"""Hints for one exercise: the ladder, and who writes the words of its next step.

The failing check is said again by rule. Everything above is a language model's, if one is set up
and allowed, otherwise the author's, otherwise made by rule; a student always gets a hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from jupyter_ppo.autograde.attempt_digest import attempt_digest
from jupyter_ppo.autograde.hints import hint_subject
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course
from jupyter_ppo.domain.entries import checked_kind
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.feedback_settings import FeedbackSettings
from jupyter_ppo.domain.hint_ladder import (
    NOT_WANTED,
    SWITCHED_OFF,
    FailingCheck,
    HintSubject,
    cost_of,
    most_levels,
    next_hint,
    upcoming,
)
from jupyter_ppo.domain.hint_records import Hint, NewHint
from jupyter_ppo.domain.marks import checked_text
from jupyter_ppo.domain.ports import BlobStore, Clock, CourseStore, SubmissionStore
from jupyter_ppo.domain.preferences import StoredPreferences
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.domain.tutoring import HintLevel, HintSource, ModelAbout
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.asking_limits import AskingLimits
from jupyter_ppo.services.model_words import ListenerGoneError, ModelWords, OnWords, Told
from jupyter_ppo.services.tutor_questions import HINT_BOUNDS, hint_asking
from jupyter_ppo.tutor.hint_rules import by_rule

#: The longest answer cell that a hint is made for, in characters.
MAX_ANSWER = 50_000
#: So many of the newest attempts are looked through for one that was released.
_LOOKED_THROUGH = 20


class HintStore(Protocol):
    """The hints that were given."""

    def taken(self, assignment_id: UUID, user: str, grade_id: str) -> Sequence[Hint]:
        """Return a person's hints for one exercise, oldest first."""

    def add(self, new: NewHint) -> Hint:
        """Keep a hint; of the same attempt the one that is there already is returned."""


class PreferencesReader(Protocol):
    """What people chose for themselves."""

    def read(self, user: str) -> StoredPreferences:
        """Return the preferences of ``user``."""


class SettingsReader(Protocol):
    """What holds in a course for feedback."""

    def effective(self, course_id: UUID, assignment_id: UUID | None) -> FeedbackSettings:
        """Return the settings of an assignment, or of the course for None."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A person's hints for one exercise; ``upcoming`` is what the next new attempt gives."""

    enabled: bool
    taken: tuple[Hint, ...]
    upcoming: HintLevel | None
    cost_fraction: float
    why_not: str
    model: ModelAbout | None


@dataclass(frozen=True, slots=True)
class GivenHint:
    """A hint as it is answered; ``note`` says why no model wrote it, where one could have."""

    hint: Hint
    note: str = ""
    is_again: bool = False


class HintService:
    """Hints of the caller's own; nobody asks for others. Every method takes the caller first."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        hints: HintStore,
        preferences: PreferencesReader,
        settings: SettingsReader,
        words: ModelWords,
        limits: AskingLimits,
        clock: Clock,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._hints = hints
        self._preferences = preferences
        self._settings = settings
        self._words = words
        self._limits = limits
        self._clock = clock
        self._access = Access(courses)

    @property
    def about(self) -> ModelAbout | None:
        """Which model is set up on this server, if any."""
        return self._words.about

    def ladder(
        self, caller: Caller, course_name: str, assignment_name: str, grade_id: str
    ) -> Ladder:
        """Return the caller's hints for an exercise, and what comes next.

        Raises ``NotFoundError`` when there is no such exercise.
        """
        _, assignment, subject = self._exercise(caller, course_name, assignment_name, grade_id)
        settings = self._settings.effective(assignment.course_id, assignment.id)
        taken = tuple(self._hints.taken(assignment.id, caller.user, grade_id))
        most, why_not = self._most(caller, settings)
        level = upcoming(taken, most)
        model = self._words.about if self._may_ask_model(settings, subject) else None
        cost = 0.0 if level is None else cost_of(level, settings.hint_costs)
        return Ladder(most > 0, taken if most > 0 else (), level, cost, why_not, model)

    def ask(
        self,
        caller: Caller,
        course_name: str,
        assignment_name: str,
        grade_id: str,
        answer: str,
        failing: FailingCheck | None = None,
        on_words: OnWords | None = None,
    ) -> GivenHint:
        """Return the hint for this attempt: the next one, or the same again for the same attempt.

        ``on_words`` gets a model's words as they come. Raises ``ConflictError`` when there is none
        now, ``TooManyRequestsError`` over the limit, ``InvalidInputError`` naming the field, and
        ``ListenerGoneError``.
        """
        _check_answer(answer)
        course, assignment, subject = self._exercise(caller, course_name, assignment_name, grade_id)
        settings = self._settings.effective(course.id, assignment.id)
        most, why_not = self._most(caller, settings)
        taken = self._hints.taken(assignment.id, caller.user, grade_id)
        digest = attempt_digest(answer)
        found = next_hint(taken, digest, attempt_digest(subject.skeleton), most)
        if found.again is not None:
            return GivenHint(taken[found.again], is_again=True)
        if found.level is None:
            raise ConflictError(why_not or found.why_not, field="answer")
        with self._limits.asking(caller.user):
            if failing is None or failing.is_empty:
                failing = self._released_failure(caller, assignment, subject)
            asking = _Asking(
                caller.user, assignment, subject, settings, found.level, answer, failing, digest
            )
            told = Told("", "", None)
            if found.level is not HintLevel.RESTATE and self._may_ask_model(settings, subject):
                told = self._of_model(asking, on_words)
            return self._given(asking, told)

    def _of_model(self, asking: _Asking, on_words: OnWords | None) -> Told:
        """Ask the model. Who has read a part of its words and goes away has had the hint."""
        asked = hint_asking(
            asking.subject,
            asking.level,
            asking.answer,
            asking.failing,
            assignment=asking.assignment,
            user=asking.user,
        )
        try:
            return self._words.tell(asked.question, HINT_BOUNDS, asked.check, on_words)
        except ListenerGoneError as gone:
            if gone.was_shown:
                self._given(asking, Told("", "", gone.call_id))
            raise

    def _given(self, asking: _Asking, told: Told) -> GivenHint:
        """Keep the model's words, or the author's, or those of a rule."""
        subject, level = asking.subject, asking.level
        authored = "" if subject.authored is None else subject.authored.of(level)
        if told.text:
            source, text = HintSource.MODEL, told.text
        elif authored:
            source, text = HintSource.AUTHORED, authored
        else:
            source, text = (
                HintSource.RULE,
                by_rule(subject, level, asking.failing, asking.answer),
            )
        hint = self._hints.add(
            NewHint(
                course_id=asking.assignment.course_id,
                assignment_id=asking.assignment.id,
                user=asking.user,
                grade_id=subject.grade_id,
                level=level,
                source=source,
                model=told.model if told.text else "",
                text=text,
                attempt_digest=asking.digest,
                call_id=told.call_id,
                cost_fraction=cost_of(level, asking.settings.hint_costs),
            )
        )
        return GivenHint(hint, told.note)

    def _exercise(
        self, caller: Caller, course_name: str, assignment_name: str, grade_id: str
    ) -> tuple[Course, Assignment, HintSubject]:
        course, role = self._access.course(caller, course_name)
        assignment = self._courses.assignment(course.id, assignment_name)
        if not role.may_grade:
            check_opened(assignment.terms, assignment.name, self._clock.now())
        checked_kind(assignment, AssignmentKind.NOTEBOOK)
        source = self._blobs.get(assignment.version.source_digest)
        return course, assignment, hint_subject(source, grade_id)

    def _most(self, caller: Caller, settings: FeedbackSettings) -> tuple[int, str]:
        """Return the highest level there is for the caller, and why there is none."""
        if not settings.hints:
            return 0, SWITCHED_OFF
        wanted = self._preferences.read(caller.user).preferences.hint_level
        return most_levels(settings.hint_levels, wanted), NOT_WANTED if not wanted else ""

    def _may_ask_model(self, settings: FeedbackSettings, subject: HintSubject) -> bool:
        return settings.models_for_hints and subject.may_ask_model

    def _released_failure(
        self, caller: Caller, assignment: Assignment, subject: HintSubject
    ) -> FailingCheck | None:
        """Return what failed in the caller's newest attempt that they may see the grade of."""
        attempts = self._submissions.submissions(
            assignment.course_id,
            user=caller.user,
            assignment_id=assignment.id,
            offset=0,
            limit=_LOOKED_THROUGH,
        )
        newest = next((each for each in attempts.items if each.released_at is not None), None)
        grade = None if newest is None else self._submissions.grade(newest.id)
        if grade is None:
            return None
        names = [check.grade_id for check in subject.checks]
        for exercise in grade.exercises:
            if exercise.grade_id not in names or exercise.points >= exercise.max_points:
                continue
            lines = [line.name for line in exercise.checks if line.points < line.max_points]
            return FailingCheck(exercise.grade_id, "", " ".join((exercise.reason, *lines)))
        return None


@dataclass(frozen=True, slots=True)
class _Asking:
    """What one hint is made from."""

    user: str
    assignment: Assignment
    subject: HintSubject
    settings: FeedbackSettings
    level: HintLevel
    answer: str
    failing: FailingCheck | None
    digest: str


def _check_answer(answer: str) -> None:
    if len(answer) > MAX_ANSWER:
        msg = f"answer: it has {len(answer):,} characters; use at most {MAX_ANSWER:,}."
        raise InvalidInputError(msg, field="answer")
    checked_text(answer, "answer")
