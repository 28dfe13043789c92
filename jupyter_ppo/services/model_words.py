"""Words of a language model for a student: checked sentence by sentence before they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from jupyter_ppo.domain.errors import (
    BudgetSpentError,
    ConflictError,
    ModelUnavailableError,
)
from jupyter_ppo.domain.tutoring import Failure, Finish, ModelAbout
from jupyter_ppo.services.model_calls import Asked, Composed, ModelCalls, Prepared, Question
from jupyter_ppo.tutor.hint_prompt import AGAIN
from jupyter_ppo.tutor.plain_words import plain_words
from jupyter_ppo.tutor.sentences import Sentences

#: Called with words as they come, and whether they take the place of everything before; returns
#: whether anybody still listens. Without words it is only asked that.
OnWords = Callable[[str, bool], bool]
#: The most characters of a word on average, with its marks: nobody writes longer ones.
_LETTERS = 30
#: Returns what is wrong with a text so far, None if it may be shown.
Check = Callable[[str], str | None]


class ListenerGoneError(Exception):
    """Whoever asked has gone; ``was_shown`` says whether any words had reached them.

    No answer is made of it: nobody would read it.
    """

    def __init__(self, *, was_shown: bool, call_id: UUID | None) -> None:
        super().__init__("Whoever asked has gone.")
        self.was_shown = was_shown
        self.call_id = call_id


@dataclass(frozen=True, slots=True)
class Told:
    """What came of asking: words that may be shown, or "" and a sentence on why there are none."""

    text: str
    model: str
    call_id: UUID | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long an answer is: ``least`` to ``most`` words are asked for, a few more are taken."""

    least: int
    most: int

    @property
    def shortest(self) -> int:
        """The fewest words that are taken."""
        return self.least * 3 // 4

    @property
    def longest(self) -> int:
        """The most words that are taken."""
        return self.most * 5 // 4

    @property
    def most_characters(self) -> int:
        """The most characters that are read, whatever the model takes for a word."""
        return self.longest * _LETTERS


class ModelWords:
    """Asks a model for words that a student may see; safe to use from many threads."""

    def __init__(self, calls: ModelCalls) -> None:
        self._calls = calls

    @property
    def about(self) -> ModelAbout | None:
        """Which model is set up, if any."""
        return self._calls.about

    def tell(
        self, question: Question, bounds: Bounds, check: Check, on_words: OnWords | None = None
    ) -> Told:
        """Return words that passed ``check``, within ``bounds``; asked for twice at most.

        The first answer is shown as it comes, each sentence after its check. One that breaks a
        rule is not shown any further: the second answer, if it is good, takes its place at once.
        No model, no money or no good answer is a ``note`` and no error. Raises
        ``ListenerGoneError`` when nobody listens any more; the model is stopped then.
        """
        if self.about is None:
            return Told("", "", None)
        if not self._calls.takes(question.texts.values()):
            return _none(None, "This is longer than what a language model is asked about here.")
        first = _Attempt(bounds, check, on_words)
        try:
            told = self._ask(question, first, {})
            if first.problem is None:
                return told
            if first.problem == _REFUSED:
                return _none(told.call_id, "The language model gave no hint to this.")
            second = _Attempt(bounds, check, on_words, is_shown=False)
            repair = AGAIN.format(problem=first.problem, least=bounds.least, most=bounds.most)
            told = self._ask(_again(question, repair), second, {"after": first.problem})
            if second.problem is None:
                if on_words is not None and not on_words(told.text, True):
                    raise ListenerGoneError(was_shown=True, call_id=told.call_id)
                return told
        except BudgetSpentError:
            return _none(None, "What language models may cost is used up for now.")
        except ConflictError:
            return _none(None, "Language models are switched off here.")
        except ModelUnavailableError as error:
            if error.failure is Failure.NOT_SET_UP:
                return Told("", "", None)
            if on_words is not None and not on_words("", False):
                raise ListenerGoneError(was_shown=first.was_shown, call_id=None) from None
            return _none(None, "The language model gave no answer just now.")
        return _none(told.call_id, "What the language model wrote broke a rule and is not shown.")

    def _ask(self, question: Question, attempt: _Attempt, noted: Mapping[str, object]) -> Told:
        about = self.about
        name = "" if about is None else about.model
        prepared = self._calls.prepare(question)
        attempt.begin(prepared)
        asked = self._calls.ask(prepared, on_text=attempt.take)
        attempt.end(asked)
        if attempt.is_gone:
            raise ListenerGoneError(was_shown=attempt.was_shown, call_id=asked.call_id)
        detail = {"words": len(attempt.text.split()), "problem": attempt.problem, **noted}
        self._calls.parsed(asked.call_id, detail)
        # The name that it is set up by: what it calls itself is in the call's record.
        return Told(attempt.text, name, asked.call_id)


_REFUSED = "it was refused"


class _Attempt:
    """One answer as it comes; ``problem`` says why it cannot be shown."""

    def __init__(
        self, bounds: Bounds, check: Check, on_words: OnWords | None, *, is_shown: bool = True
    ) -> None:
        self._bounds = bounds
        self._check = check
        self._on_words = on_words
        self._is_shown = is_shown
        self._sentences = Sentences()
        self._restore: Callable[[str], str] = str
        self._canary = ""
        self._was_heard = False
        self._read = 0
        self.text = ""
        self.problem: str | None = None
        self.is_gone = False
        self.was_shown = False

    def begin(self, prepared: Prepared) -> None:
        """Say how placeholders become what they stand for, and what must not be repeated."""
        self._restore = prepared.restore
        self._canary = prepared.canary

    def take(self, piece: str) -> bool:
        """Take the next piece; return whether to go on."""
        if piece:
            self._was_heard = True
            self._read += len(piece)
            if self._read > self._bounds.most_characters:
                self.problem = "it was far too long"
        if piece and self.problem is None:
            for sentence in self._sentences.add(piece):
                self._show(sentence)
        if self._on_words is not None and not self.is_gone and not self._on_words("", False):
            self.is_gone = True
        return self.problem is None and not self.is_gone

    def end(self, asked: Asked) -> None:
        """Take what is left, and look at the whole."""
        if not self._was_heard:  # an answer that was kept comes in one piece
            self.take(asked.answer.text)
        if asked.answer.finish is Finish.REFUSAL:
            self.problem = _REFUSED
        if self.problem is not None or self.is_gone:
            return
        if asked.answer.finish is Finish.LENGTH:
            self.problem = "it was too long and cut off"
            return
        for sentence in self._sentences.end():
            self._show(sentence)
        words = len(self.text.split())
        if self.problem is None and words < self._bounds.shortest:
            self.problem = f"it had only {words} words"

    def _show(self, sentence: str) -> None:
        """Check a sentence together with all before it, and show it if nothing is wrong."""
        if self.problem is not None:
            return
        so_far = plain_words(self._restore(self._sentences.so_far))
        words = len(so_far.split())
        if words > self._bounds.longest:
            self.problem = f"it had more than {self._bounds.longest} words"
        elif self._canary and self._canary.casefold() in so_far.casefold():
            self.problem = "it repeated what it must not"
        else:
            self.problem = self._check(so_far)
        if self.problem is not None:
            return
        new = so_far[len(self.text) :] if so_far.startswith(self.text) else None
        self.text = so_far
        if self._on_words is None or not self._is_shown or self.is_gone:
            return
        shown = self._on_words(so_far, True) if new is None else self._on_words(new, False)
        self.was_shown = True
        self.is_gone = not shown


def _again(question: Question, repair: str) -> Question:
    """Return the question with a sentence on what was wrong, as another sample."""

    def compose(texts: Mapping[str, str]) -> Composed:
        composed = question.compose(texts)
        return replace(composed, system=f"{composed.system}\n\n{repair}")

    return replace(question, compose=compose, sample=question.sample + 1)


def _none(call_id: UUID | None, note: str) -> Told:
    return Told("", "", call_id, note)
