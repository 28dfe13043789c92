"""One draft: samples, at most one repair of each, and what they come to."""

from __future__ import annotations

from uuid import UUID

from jupyter_ppo.domain.draft_records import DraftLease
from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.ports import SubmissionStore
from jupyter_ppo.domain.tutoring import (
    DraftState,
    Failure,
    Finish,
    Flag,
    ModelAbout,
    NewDraft,
)
from jupyter_ppo.services.draft_questions import Broken, draft_question
from jupyter_ppo.services.draft_stores import DraftStore
from jupyter_ppo.services.judged_answers import JudgedAnswer, JudgedAnswers
from jupyter_ppo.services.model_calls import Asked, ModelCalls, Question
from jupyter_ppo.tutor.consensus import agree
from jupyter_ppo.tutor.detectors import flags_of
from jupyter_ppo.tutor.draft_prompt import TEMPLATE
from jupyter_ppo.tutor.draft_reading import DraftReading, read_draft

_FINISHES = {Finish.LENGTH: Flag.CUT_OFF, Finish.REFUSAL: Flag.REFUSED}


class DraftMaker:
    """Makes the draft of one answer; safe to use from many threads.

    ``max_characters`` is the longest answer that is sent.
    """

    def __init__(
        self,
        *,
        submissions: SubmissionStore,
        drafts: DraftStore,
        answers: JudgedAnswers,
        calls: ModelCalls,
        max_characters: int,
    ) -> None:
        self._submissions = submissions
        self._drafts = drafts
        self._answers = answers
        self._calls = calls
        self._max_characters = max_characters

    def make(self, lease: DraftLease) -> bool:
        """Draft the answer of a lease and end its item; return whether there is a draft.

        An answer that a person has judged gets none and costs nothing. Raises
        ``BudgetSpentError``, ``ModelUnavailableError``, ``ConflictError`` (switched off, no
        rubric), ``LeaseLostError``, ``NotFoundError``.
        """
        answer = self._answers.answer(
            self._submissions.submission(lease.submission_id), lease.grade_id
        )
        judged = self._drafts.judged(lease.assignment_id)
        if not lease.for_calibration and (lease.submission_id, lease.grade_id) in judged:
            return self._drafts.finish(lease, _empty(answer, lease, ())) is not None
        about = self._calls.about
        if about is None:
            msg = "No language model is set up."
            raise ModelUnavailableError(msg, failure=Failure.NOT_SET_UP)
        return self._drafts.finish(lease, self._new(answer, lease, about)) is not None

    def unsent(self, answer: JudgedAnswer) -> Flag | None:
        """Return why an answer is not sent, None if it is."""
        if not answer.text.strip():
            return Flag.EMPTY
        return Flag.TOO_LONG if len(answer.text) > self._max_characters else None

    def _new(self, answer: JudgedAnswer, lease: DraftLease, about: ModelAbout) -> NewDraft:
        unsent = self.unsent(answer)
        if unsent is not None:
            return _empty(answer, lease, (unsent,))
        flags = [finding.flag for finding in flags_of(answer.text)]
        readings: list[DraftReading] = []
        calls: list[UUID] = []
        for sample in range(lease.samples):
            reading = self._sample(answer, lease, sample, calls, flags)
            readings.append(reading)
        results, agreement, found = agree(readings, answer.question.rubric)
        every = tuple(dict.fromkeys((*flags, *found)))
        return NewDraft(
            submission_id=lease.submission_id,
            grade_id=lease.grade_id,
            state=DraftState.FLAGGED if every else DraftState.READY,
            results=results,
            agreement=agreement,
            flags=every,
            program=program_of(about),
            rubric_digest=answer.question.rubric_digest,
            call_ids=tuple(calls),
            batch_id=lease.batch_id,
        )

    def _sample(
        self,
        answer: JudgedAnswer,
        lease: DraftLease,
        sample: int,
        calls: list[UUID],
        flags: list[Flag],
    ) -> DraftReading:
        """Ask once, and once more when a rule is broken; what is not usable votes for nothing."""
        batch, asker = lease.batch_id, lease.created_by
        asking = draft_question(answer, asked_by=asker, sample=sample, batch_id=batch)
        asked, reading = self._ask(answer, asking, calls, flags)
        if reading.is_usable:
            return reading
        broken = Broken(asked.answer.text, reading.problems)
        repair = draft_question(
            answer, asked_by=asker, sample=sample, batch_id=batch, broken=broken
        )
        return self._ask(answer, repair, calls, flags)[1]

    def _ask(
        self, answer: JudgedAnswer, asking: Question, calls: list[UUID], flags: list[Flag]
    ) -> tuple[Asked, DraftReading]:
        asked = self._calls.ask(asking)
        calls.append(asked.call_id)
        reading = read_draft(
            asked.answer.text,
            answer.question.rubric,
            answer.text,
            asked.canary,
            restore=asked.restore,
        )
        # Said of a call that was repaired too: whoever repeats a secret once may do so again.
        flags += [flag for flag in reading.flags if flag is Flag.CANARY]
        if not reading.is_usable and asked.answer.finish in _FINISHES:
            flags.append(_FINISHES[asked.answer.finish])
        if not asked.is_cached:
            parsed = {
                "results": [
                    {"criterion": each.criterion, "level": each.level, "points": each.points}
                    for each in reading.results
                ],
                "problems": list(reading.problems),
            }
            self._calls.parsed(asked.call_id, parsed, tuple(map(str, reading.flags)))
        return asked, reading


def program_of(about: ModelAbout) -> str:
    """Return who writes drafts: the model and the template, with its version."""
    return f"{about.model} ({TEMPLATE.id} {TEMPLATE.version})"[:255]


def stop_message(error: Exception) -> str:
    """Return why a batch stops, and what to do."""
    said = getattr(error, "message", "The work ended with an error; the server's log says which.")
    return f"{said} Then resume this batch: it goes on with the rest, and nothing is asked twice."


def _empty(answer: JudgedAnswer, lease: DraftLease, flags: tuple[Flag, ...]) -> NewDraft:
    return NewDraft(
        submission_id=lease.submission_id,
        grade_id=lease.grade_id,
        state=DraftState.FLAGGED,
        results=(),
        agreement=0.0,
        flags=flags,
        program="",
        rubric_digest=answer.question.rubric_digest,
        call_ids=(),
        batch_id=lease.batch_id,
    )
