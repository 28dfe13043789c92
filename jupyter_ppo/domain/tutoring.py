"""Words of feedback that a language model drafts: a request, its answer, its cost, a draft, a hint.

A model never gives points: it chooses levels, people decide, and code is marked by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

#: Money is counted in whole picodollars, 1e-12 of the price table's currency: a price of one
#: hundredth of a cent for a million tokens is still a whole number for each token.
PICO = 10**12


class Purpose(StrEnum):
    """Why a model is asked."""

    DRAFT = "draft"
    REPAIR = "repair"  # a draft once more, because the first answer broke a rule
    HINT = "hint"
    EXPLANATION = "explanation"
    CHECK = "check"  # an admin tries whether the model answers


class Finish(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"  # cut off at the most tokens it may write
    REFUSAL = "refusal"
    STOPPED = "stopped"  # we stopped reading: what came broke a rule
    OTHER = "other"


class Failure(StrEnum):
    """Why there is no answer; ``is_ours_to_repeat`` says which pass by themselves."""

    NOT_SET_UP = "not_set_up"
    UNAUTHORISED = "unauthorised"  # 401, 403: the key is wrong
    REJECTED = "rejected"  # another 4xx: the request cannot be used, as it is
    RATE_LIMITED = "rate_limited"  # 429
    UNAVAILABLE = "unavailable"  # 5xx, no connection, a connection that broke
    TIMEOUT = "timeout"
    UNREADABLE = "unreadable"  # not the wire format
    CIRCUIT_OPEN = "circuit_open"  # too many failures just now; not asked

    @property
    def is_ours_to_repeat(self) -> bool:
        """Whether the same request may work a little later."""
        return self in {Failure.RATE_LIMITED, Failure.UNAVAILABLE, Failure.TIMEOUT}


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model. ``system`` is ours; ``user`` holds what people wrote, as data.

    ``schema`` is the JSON Schema that the answer has to follow, None for plain text; ``request_id``
    goes with the request as a header, so that both sides' logs can be compared.
    """

    request_id: str
    system: str
    user: str
    max_tokens: int
    temperature: float
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as the provider counts them; ``is_estimated`` when it did not say.

    ``cached_input`` are those of ``input`` that have the cheaper price of a prompt cache.
    """

    input: int
    output: int
    cached_input: int = 0
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model answered. ``model`` is the name that it gave itself, ``tries`` the requests."""

    text: str
    finish: Finish
    usage: Usage
    model: str
    latency_ms: int
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens."""

    input: float
    output: float
    cached_input: float | None = None

    def cost(self, usage: Usage) -> int:
        """Return the cost of ``usage`` in picodollars; exact for prices of up to 6 decimals."""
        cached = self.input if self.cached_input is None else self.cached_input
        each = [round(price * (PICO // 10**6)) for price in (self.input, cached, self.output)]
        fresh = usage.input - usage.cached_input
        return fresh * each[0] + usage.cached_input * each[1] + usage.output * each[2]


@dataclass(frozen=True, slots=True)
class ModelAbout:
    """Which model is set up. ``host`` is where requests go, never with a key or a path."""

    provider: str  # "openai" (any endpoint that speaks its format) or "anthropic"
    model: str
    host: str
    price: Price | None


class LanguageModel(Protocol):
    """A model; safe to use from many threads. Both methods wait, repeat what may pass, and raise
    ``ModelUnavailableError`` with its ``failure`` when there is no answer.
    """

    @property
    def about(self) -> ModelAbout:
        """Which one it is."""

    def warm_up(self) -> None:
        """Make ready in the background what the first question needs; returns at once.

        Nothing is sent, and nothing that goes wrong is told before somebody asks.
        """

    def answer(self, request: ModelRequest) -> ModelAnswer:
        """Return the whole answer."""

    def stream(self, request: ModelRequest, on_text: Callable[[str], bool]) -> ModelAnswer:
        """Hand over the text piece by piece, then return all of it.

        Nothing is repeated once a piece was handed over. ``on_text`` returns whether to go on;
        False ends the answer (``Finish.STOPPED``).
        """

    def close(self) -> None:
        """End what runs; nothing may be asked afterwards."""


# -- calls -------------------------------------------------------------------------------------


class CallState(StrEnum):
    """Where a call is. Its money is reserved before it is sent."""

    RESERVED = "reserved"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # no answer, nothing to pay
    LOST = "lost"  # the process ended in between: what it cost is not known, the reservation stays


@dataclass(frozen=True, slots=True)
class NewCall:
    """What is known of a call before it is sent.

    ``user`` is whose text it is about and ``asked_by`` who wanted it (the same for a hint).
    ``prompt`` is exactly what is sent; ``redactions`` maps each placeholder in it to what stands
    for it and never leaves this server. ``reserved`` is the most that it can cost, in picodollars.
    """

    id: UUID
    course_id: UUID
    assignment_id: UUID | None
    submission_id: UUID | None
    grade_id: str
    user: str
    asked_by: str
    purpose: Purpose
    template: str
    template_version: int
    provider: str
    model: str
    parameters: Mapping[str, Any]
    prompt: tuple[Mapping[str, str], ...]  # {"role": "system" | "user", "text": ...}
    redactions: Mapping[str, str]
    flags: tuple[str, ...]
    cache_key: str
    reserved: int
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """The record of one call; ``parsed`` is what our code made of ``raw_answer``.

    Prompt, redactions, raw and parsed answer are empty after the time they are kept for
    (``purged_at``). ``cost`` is in picodollars.
    """

    new: NewCall
    state: CallState
    at: datetime
    ended_at: datetime | None
    raw_answer: str
    parsed: Mapping[str, Any] | None
    error: str
    usage: Usage | None
    cost: int
    latency_ms: int
    tries: int
    model_said: str
    purged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent, in picodollars."""

    user_day: int
    assignment: int
    course: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent or is reserved, in picodollars."""

    user_day: int
    assignment: int
    course: int


# -- drafts ------------------------------------------------------------------------------------


class DraftState(StrEnum):
    """Where a draft is. Programs write DRAFTED, FLAGGED and READY; people everything after."""

    DRAFTED = "drafted"  # being written: samples are still missing
    FLAGGED = "flagged"  # something needs a person's eyes first
    READY = "ready"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self in {DraftState.DRAFTED, DraftState.FLAGGED, DraftState.READY}


class Flag(StrEnum):
    """Why a draft or an answer needs a person's eyes. None of them takes points off."""

    INSTRUCTIONS = "instructions"  # the answer speaks to whoever grades it
    FAKE_ROLE = "fake_role"  # staff sections, role tags, conversation marks
    FORGED_RESULT = "forged_result"  # grades or scores as data
    HIDDEN_TEXT = "hidden_text"  # zero-width, bidirectional, tag characters, HTML comments
    ENCODED = "encoded"  # base64 or the like
    PRESSURE = "pressure"  # pleading, threats, false authority
    CANARY = "canary"  # the secret mark of the prompt came back
    EVIDENCE = "evidence"  # a quote does not occur in the answer
    UNUSABLE = "unusable"  # no answer that follows the rules, even after a second try
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    DISAGREEMENT = "disagreement"  # samples differ
    TOO_LONG = "too_long"  # not sent
    EMPTY = "empty"  # nothing to judge; not sent


@dataclass(frozen=True, slots=True)
class DraftResult:
    """What is drafted for one criterion; ``evidence`` occurs word for word in the answer.

    ``points`` are those of the level, by the rubric. ``agreement`` is the share of the samples that
    chose this level, 0 to 1; ``votes`` how many chose which.
    """

    criterion: str
    level: str
    points: float
    reason: str
    evidence: str
    agreement: float
    votes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft as a program hands it over; ``agreement`` is the least of its criteria's.

    ``grade_id`` is "" for an entry. ``results`` are empty when no usable answer came.
    """

    submission_id: UUID
    grade_id: str
    state: DraftState
    results: tuple[DraftResult, ...]
    agreement: float
    flags: tuple[Flag, ...]
    program: str  # model, template and version: the author of the words
    rubric_digest: str
    call_ids: tuple[UUID, ...]
    batch_id: UUID | None = None

    @property
    def may_be_one_of_many(self) -> bool:
        """Whether it may be approved with others: no flag but what the agreement measures."""
        return bool(self.results) and set(self.flags) <= {Flag.DISAGREEMENT}


@dataclass(frozen=True, slots=True)
class DraftDecision:
    """What a person made of a draft. ``edit_distance`` is 0 (as it was) to 1 (all other words)."""

    state: DraftState
    by: str
    at: datetime
    points: float
    comment: str
    reason: str
    edit_distance: float


@dataclass(frozen=True, slots=True)
class FeedbackDraft:
    """A stored draft; of one answer the newest ``number`` counts. ``is_released`` is derived."""

    id: UUID
    new: NewDraft
    course_id: UUID
    assignment_id: UUID
    user: str
    number: int
    created_at: datetime
    decision: DraftDecision | None
    is_released: bool

    @property
    def state(self) -> DraftState:
        """Where it is."""
        return self.new.state if self.decision is None else self.decision.state


class BatchState(StrEnum):
    """Where a batch of drafts is."""

    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"  # by a cap or because the model does not answer; may be resumed
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """Where one answer of a batch is."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    SKIPPED = "skipped"  # a person has judged it meanwhile
    FAILED = "failed"


# -- hints -------------------------------------------------------------------------------------


class HintLevel(StrEnum):
    """The ladder, from the least help to the most; none of them is code."""

    RESTATE = "restate"  # what the failing check asks for
    CONCEPT = "concept"
    LOCATION = "location"
    STEP = "step"  # the next step, as a sentence

    @property
    def number(self) -> int:
        """1 to 4."""
        return list(HintLevel).index(self) + 1


class HintSource(StrEnum):
    """Who or what wrote the words."""

    AUTHORED = "authored"  # the author of the notebook
    RULE = "rule"  # made from the failing check by rules
    MODEL = "model"


class ExplanationKind(StrEnum):
    """What is explained."""

    ERROR = "error"
    CELL = "cell"
    RUN = "run"
