"""The one gate to a language model: redact, look whether it is allowed, reserve, ask, settle.

Nothing else talks to a model. Every call is written down before it is sent, with the most that it
can cost, so that a process that ends in between neither forgets a call nor spends twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.errors import ConflictError, ModelUnavailableError
from jupyter_ppo.domain.feedback_settings import FeedbackSettings
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Clock
from jupyter_ppo.domain.tutoring import (
    Caps,
    Failure,
    Finish,
    LanguageModel,
    ModelAbout,
    ModelAnswer,
    ModelCall,
    ModelRequest,
    NewCall,
    Purpose,
    Usage,
)
from jupyter_ppo.services.model_questions import Asked, Composed, Prepared, Question
from jupyter_ppo.tutor.redaction import redact

#: Whoever asks needs these as well.
__all__ = ["Asked", "Composed", "ModelCalls", "Prepared", "Question"]

_log = logging.getLogger(__name__)

#: Stands between texts that are redacted together, on a line of its own; nobody writes it, as it is
#: no character of any script (Unicode: private use).
_BETWEEN = "\ue000"
#: No call takes longer, with all its tries; what was reserved before is lost.
_LONGEST = timedelta(hours=1)


class ModelCallStore(Protocol):
    """Where calls and their money are written down."""

    def reserve(self, new: NewCall, caps: Caps) -> None:
        """Write a call down and reserve its money, or raise ``BudgetSpentError``."""

    def settle(self, call_id: UUID, answer: ModelAnswer, cost: int) -> None:
        """Write down its answer and what it cost."""

    def fail(self, call_id: UUID, error: str) -> None:
        """Write down that there is no answer; give its money back."""

    def parsed(self, call_id: UUID, parsed: Mapping[str, Any]) -> None:
        """Write down what our code made of an answer."""

    def lose_reserved(self, before: datetime) -> int:
        """Close what was reserved before then and never ended."""

    def cached(self, cache_key: str) -> ModelCall | None:
        """Return a call of this key that was answered in full."""

    def purge(self, before: datetime) -> int:
        """Empty the texts of calls from before then."""


class SettingsReader(Protocol):
    """What holds for an assignment, or for a course."""

    def effective(self, course_id: UUID, assignment_id: UUID | None) -> FeedbackSettings:
        """Return the settings."""


class NameReader(Protocol):
    """Who is in a course."""

    def names(self, course_id: UUID) -> frozenset[str]:
        """Return everything that the people of a course are called."""


class ModelCalls:
    """Asks the model, if there is one; safe to use from many threads.

    ``ceilings`` is the most that may be spent, whatever a course chose, in picodollars;
    ``problem`` says why there is no model although one is configured; no text of a person that is
    longer than ``max_characters`` should be asked about (``takes``).
    """

    def __init__(
        self,
        *,
        model: LanguageModel | None,
        problem: str = "",
        calls: ModelCallStore,
        settings: SettingsReader,
        names: NameReader,
        ceilings: Caps,
        clock: Clock,
        keep_days: int,
        max_characters: int = 20_000,
    ) -> None:
        self._model = model
        self._problem = problem
        self._calls = calls
        self._settings = settings
        self._names = names
        self._ceilings = ceilings
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._max_characters = max_characters

    @property
    def about(self) -> ModelAbout | None:
        """Which model is set up, if any."""
        return None if self._model is None else self._model.about

    @property
    def has_price(self) -> bool:
        """Whether what calls cost is known; without a price no cap holds."""
        return self._model is not None and self._model.about.price is not None

    @property
    def problem(self) -> str:
        """Why there is no model although one is configured; "" otherwise. Holds no secret."""
        return self._problem

    def takes(self, texts: Iterable[str]) -> bool:
        """Whether none of these texts is longer than what a model is asked about."""
        return all(len(text) <= self._max_characters for text in texts)

    def start(self) -> None:
        """Close what a process that ended left open; its money stays counted."""
        lost = self._calls.lose_reserved(self._clock.now() - _LONGEST)
        if lost:
            _log.warning("%d calls of a language model ended with their process.", lost)

    def warm_up(self) -> None:
        """Make the first question as quick as the others, in the background; sends nothing."""
        if self._model is not None:
            self._model.warm_up()

    def clean_up(self) -> int:
        """Do what is done daily: close lost calls, empty the texts of old ones; return how many."""
        self.start()
        return self._calls.purge(self._clock.now() - self._keep)

    def close(self) -> None:
        """End what runs; nothing may be asked afterwards."""
        if self._model is not None:
            self._model.close()

    def caps(self, course_id: UUID, assignment_id: UUID | None) -> Caps:
        """Return the most that may be spent there, in picodollars."""
        return self._settings.effective(course_id, assignment_id).caps.within(self._ceilings)

    def prepare(self, question: Question) -> Prepared:
        """Return what would be sent, and what it costs at most; nothing is sent.

        Raises ``ModelUnavailableError`` when no model is set up.
        """
        about = self._needed().about
        texts, placeholders = _redacted(question, self._names.names(question.course_id))
        composed = question.compose(texts)
        request = ModelRequest(
            request_id="",
            system=composed.system,
            user=composed.user,
            max_tokens=composed.max_tokens,
            temperature=composed.temperature,
            schema=composed.schema,
            schema_name=composed.schema_name,
        )
        key = _cache_key(question, texts, request, about)
        return Prepared(
            question=question,
            request=request,
            texts=texts,
            placeholders=placeholders,
            cache_key=key,
            reserved=_at_most(request, about),
            cached=self._calls.cached(key),
        )

    def ask(
        self, question: Question | Prepared, on_text: Callable[[str], bool] | None = None
    ) -> Asked:
        """Ask, or return what was answered before; with ``on_text`` piece by piece.

        ``on_text`` returns whether to go on, as in ``LanguageModel.stream``. Raises
        ``ConflictError`` where models are switched off, ``BudgetSpentError`` when a cap is
        reached, and ``ModelUnavailableError``.
        """
        model = self._needed()
        if isinstance(question, Question):
            question = self.prepare(question)
        prepared, asked = question, question.question
        settings = self._settings.effective(asked.course_id, asked.assignment_id)
        if not _is_on(asked.purpose, settings):
            msg = "settings: language models are switched off here. An instructor can change it."
            raise ConflictError(msg, field="settings")
        if prepared.cached is not None:
            return _from_cache(prepared, prepared.cached, on_text)
        call_id = new_id()
        self._calls.reserve(
            _new_call(prepared, call_id, model.about), settings.caps.within(self._ceilings)
        )
        request = replace(prepared.request, request_id=str(call_id))
        listener = _Listener(on_text)
        try:
            is_whole = on_text is None
            answer = model.answer(request) if is_whole else model.stream(request, listener)
        except Exception as error:
            # What comes from us, in words of ours; anything else by its kind only.
            what = error.message if isinstance(error, ModelUnavailableError) else repr(type(error))
            self._calls.fail(call_id, what)
            raise
        price = model.about.price
        self._calls.settle(call_id, answer, 0 if price is None else price.cost(answer.usage))
        if listener.error is not None:
            raise listener.error
        return _asked(prepared, call_id, answer)

    def parsed(self, call_id: UUID, parsed: Mapping[str, Any], flags: tuple[str, ...] = ()) -> None:
        """Write down what our code made of an answer, and what it found in it."""
        noted = {**parsed, "flags": list(flags)} if flags else parsed
        self._calls.parsed(call_id, noted)

    def check(self) -> ModelAnswer:
        """Ask for one word, without anybody's text, and write nothing down."""
        return self._needed().answer(
            ModelRequest(
                request_id=str(new_id()),
                system="This is a test of the connection.",
                user="Answer with the word ready.",
                max_tokens=512,
                temperature=0.0,
            )
        )

    def _needed(self) -> LanguageModel:
        if self._model is None:
            unset = "No language model is set up. Set PPOService.llm_provider and llm_model."
            msg = self._problem or unset
            raise ModelUnavailableError(msg, failure=Failure.NOT_SET_UP)
        return self._model


class _Listener:
    """Hands pieces on; what the other side raises ends the answer, which is paid for as well."""

    def __init__(self, on_text: Callable[[str], bool] | None) -> None:
        self._on_text = on_text
        self.error: Exception | None = None

    def __call__(self, piece: str) -> bool:
        try:
            return self._on_text is None or self._on_text(piece)
        except Exception as error:
            self.error = error
            return False


def _is_on(purpose: Purpose, settings: FeedbackSettings) -> bool:
    match purpose:
        case Purpose.HINT:
            return settings.hints and settings.models_for_hints
        case Purpose.EXPLANATION:
            return settings.explanations and settings.models_for_explanations
        case Purpose.DRAFT | Purpose.REPAIR:
            return settings.drafts
    return True


def _redacted(question: Question, people: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts without what identifies people, the same placeholder for the same thing."""
    names = list(question.texts)
    texts = [question.texts[name].replace(_BETWEEN, "\ufffd") for name in names]
    text = f"\n{_BETWEEN}\n".join(texts)
    # Of a large class only those who are in the text: a pattern of all would take its time.
    named = sorted(name for name in people if name in text)
    done = redact(text, (question.user, *named))
    parts = done.text.split(f"\n{_BETWEEN}\n")
    return dict(zip(names, parts, strict=True)) if names else {}, dict(done.placeholders)


def _cache_key(
    question: Question, texts: Mapping[str, str], request: ModelRequest, about: ModelAbout
) -> str:
    # Not the prompt itself: its fences are random.
    parts = [
        str(question.course_id),
        question.purpose.value,
        question.template,
        question.template_version,
        list(question.depends_on),
        dict(texts),
        [about.provider, about.host, about.model],
        _parameters(request),
        question.sample,
    ]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _parameters(request: ModelRequest) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.schema is not None:
        parameters |= {"schema_name": request.schema_name, "schema": dict(request.schema)}
    return parameters


def _at_most(request: ModelRequest, about: ModelAbout) -> int:
    """Return the most that a request can cost: no token is shorter than a byte."""
    if about.price is None:
        return 0
    # Twice for a schema: in the request, or repeated in words.
    schema = json.dumps(request.schema) if request.schema is not None else ""
    sent = len(f"{request.system}{request.user}{schema}{schema}".encode()) + 512
    return about.price.cost(Usage(sent, request.max_tokens))


def _new_call(prepared: Prepared, call_id: UUID, about: ModelAbout) -> NewCall:
    question, request = prepared.question, prepared.request
    return NewCall(
        id=call_id,
        course_id=question.course_id,
        assignment_id=question.assignment_id,
        submission_id=question.submission_id,
        grade_id=question.grade_id,
        user=question.user,
        asked_by=question.asked_by,
        purpose=question.purpose,
        template=question.template,
        template_version=question.template_version,
        provider=about.provider,
        model=about.model,
        parameters={**_parameters(request), "sample": question.sample},
        prompt=(
            {"role": "system", "text": request.system},
            {"role": "user", "text": request.user},
        ),
        redactions=prepared.placeholders,
        flags=question.flags,
        cache_key=prepared.cache_key,
        reserved=prepared.reserved,
        batch_id=question.batch_id,
    )


def _from_cache(
    prepared: Prepared, call: ModelCall, on_text: Callable[[str], bool] | None
) -> Asked:
    answer = ModelAnswer(
        text=call.raw_answer,
        finish=Finish.STOP,
        usage=call.usage or Usage(0, 0, is_estimated=True),
        model=call.model_said,
        latency_ms=0,
        tries=0,
    )
    if on_text is not None and not on_text(answer.text):
        answer = replace(answer, finish=Finish.STOPPED)
    return _asked(prepared, call.new.id, answer)


def _asked(prepared: Prepared, call_id: UUID, answer: ModelAnswer) -> Asked:
    return Asked(
        call_id,
        answer,
        prepared.is_cached,
        prepared.texts,
        prepared.placeholders,
        prepared.canary,
    )
