"""Entries: work that people judge by a rubric, and the outcome that they write."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.courses import Assignment, AssignmentKind
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.submissions import Submission

#: The most of each part of an entry: characters, files, and bytes of all files together.
MAX_TEXT = 100_000
MAX_FILES = 100
MAX_FILE_BYTES = 25 * 2**20
#: Characters of a file's name with its folders, and of one comment or summary.
MAX_FILE_NAME = 200
MAX_WORDS = 20_000


class EntryPart(StrEnum):
    """What may be handed in."""

    TEXT = "text"  # Markdown
    CODE = "code"
    FILES = "files"
    RUN = "run"  # a training run as evidence: spec, metrics, evaluation


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a criterion: its name, its points, and what it takes to reach it."""

    name: str
    points: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is judged. ``note`` is for the staff and never shown to students."""

    name: str
    title: str
    levels: tuple[Level, ...]
    description: str = ""
    note: str = ""

    @property
    def max_points(self) -> float:
        """The points of the best level."""
        return max((level.points for level in self.levels), default=0.0)


@dataclass(frozen=True, slots=True)
class EntryDefinition:
    """What students are asked for and how it is judged; one version of it never changes."""

    title: str
    instructions: str
    parts: tuple[EntryPart, ...]
    rubric: tuple[Criterion, ...]

    @property
    def max_points(self) -> float:
        """The points of the best level of every criterion."""
        return sum(criterion.max_points for criterion in self.rubric)


@dataclass(frozen=True, slots=True)
class EntryFile:
    """A file of an entry: its name, its blob and its size in bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class EntryContent:
    """What a student handed in; ``run`` is plain data of a training run."""

    title: str = ""
    text: str = ""
    code: str = ""
    files: tuple[EntryFile, ...] = ()
    run: Mapping[str, Any] | None = None


class OutcomeState(StrEnum):
    """Where an outcome is: only a released one is seen by the student."""

    DRAFT = "draft"
    APPROVED = "approved"
    RELEASED = "released"


class AuthorKind(StrEnum):
    """Who or what wrote a revision; it never changes afterwards."""

    PERSON = "person"
    PROGRAM = "program"


class OutcomeChange(StrEnum):
    """What a person may do with an outcome beside editing it."""

    APPROVE = "approve"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"

    def after(self, now: OutcomeState) -> OutcomeState:
        """Return the state that follows ``now``; raise ``ConflictError`` if none does."""
        source, target = _CHANGES[self]
        if now is not source:
            msg = f"state: an outcome that is {now} cannot be changed by {self}; only a {source}."
            raise ConflictError(msg, field="state")
        return checked_outcome_change(now, target)


_CHANGES = {
    OutcomeChange.APPROVE: (OutcomeState.DRAFT, OutcomeState.APPROVED),
    OutcomeChange.RELEASE: (OutcomeState.APPROVED, OutcomeState.RELEASED),
    OutcomeChange.WITHDRAW: (OutcomeState.RELEASED, OutcomeState.APPROVED),
    OutcomeChange.REOPEN: (OutcomeState.APPROVED, OutcomeState.DRAFT),
}

_LEGAL = {
    OutcomeState.DRAFT: {OutcomeState.DRAFT, OutcomeState.APPROVED},
    OutcomeState.APPROVED: {OutcomeState.DRAFT, OutcomeState.APPROVED, OutcomeState.RELEASED},
    OutcomeState.RELEASED: {OutcomeState.APPROVED, OutcomeState.RELEASED},
}


def checked_outcome_change(now: OutcomeState, then: OutcomeState) -> OutcomeState:
    """Return ``then`` if an outcome may go there from ``now``; else raise ``ConflictError``."""
    if then not in _LEGAL[now]:
        msg = f"state: an outcome that is {now} cannot become {then}."
        raise ConflictError(msg, field="state")
    return then


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The level that was chosen for one criterion, and why; points are those of the level.

    ``points`` may differ from the level's when a person says so (0 to the criterion's maximum).
    """

    criterion: str
    level: str
    points: float
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one outcome of a submission, as its newest revision says; earlier ones are kept.

    ``author`` is who or what wrote the words: a username, or a program's name and version.
    ``changed_by`` is the person who made this revision, None if a program did; who only approves
    what a program drafted is not its author. ``approved_by`` is a person.
    """

    submission_id: UUID
    revision: int
    state: OutcomeState
    results: tuple[CriterionResult, ...]
    summary: str
    private_note: str
    author_kind: AuthorKind
    author: str
    at: datetime
    approved_by: str | None = None
    changed_by: str | None = None

    @property
    def points(self) -> float:
        """The sum of all criteria."""
        return round(sum(result.points for result in self.results), 9)


def checked_results(
    rubric: Sequence[Criterion], results: Sequence[CriterionResult], *, is_complete: bool
) -> tuple[CriterionResult, ...]:
    """Return the results in the rubric's order; ``is_complete`` asks for one of every criterion.

    Raises ``InvalidInputError`` naming the criterion that is unknown, doubled, missing, or has an
    unknown level or points out of range.
    """
    known = {criterion.name: criterion for criterion in rubric}
    given: dict[str, CriterionResult] = {}
    for result in results:
        criterion = known.get(result.criterion)
        if criterion is None or result.criterion in given:
            problem = "is not in the rubric" if criterion is None else "is there twice"
            msg = f"results: the criterion {result.criterion!r} {problem}."
            raise InvalidInputError(msg, field="results")
        if result.level not in {level.name for level in criterion.levels}:
            names = ", ".join(level.name for level in criterion.levels)
            msg = f"results: {result.level!r} is no level of {criterion.name!r}. Use {names}."
            raise InvalidInputError(msg, field="results")
        if not math.isfinite(result.points) or not 0 <= result.points <= criterion.max_points:
            msg = f"results: points of {criterion.name!r} go from 0 to {criterion.max_points:g}."
            raise InvalidInputError(msg, field="results")
        given[result.criterion] = result
    missing = [name for name in known if name not in given]
    if is_complete and missing:
        msg = f"results: no level is chosen for {', '.join(missing)}."
        raise InvalidInputError(msg, field="results")
    return tuple(given[name] for name in known if name in given)


def checked_kind(assignment: Assignment, kind: AssignmentKind) -> Assignment:
    """Return ``assignment`` if it is of this kind; else raise ``ConflictError`` that says which.

    Notebooks and entries have addresses and commands of their own.
    """
    if assignment.kind is not kind:
        msg = (
            f"assignment: {assignment.name!r} is {_KINDS[assignment.kind]}, not {_KINDS[kind]}. "
            f"{_REMEDIES[assignment.kind]}"
        )
        raise ConflictError(msg, field="assignment")
    return assignment


def checked_attempt(submission: Submission, kind: AssignmentKind) -> Submission:
    """Return ``submission`` if it is of this kind; else raise ``ConflictError`` that says which."""
    if submission.kind is not kind:
        msg = (
            f"submission: this is an attempt at {submission.assignment_name!r}, "
            f"{_KINDS[submission.kind]}, not {_KINDS[kind]}. {_REMEDIES[submission.kind]}"
        )
        raise ConflictError(msg, field="submission")
    return submission


_KINDS = {
    AssignmentKind.NOTEBOOK: "a notebook assignment",
    AssignmentKind.ENTRY: "an entry with a rubric",
}
_REMEDIES = {
    AssignmentKind.NOTEBOOK: "Use the addresses below assignments, or 'jupyter ppo submit'.",
    AssignmentKind.ENTRY: "Use the addresses below entries, or 'jupyter ppo entry'.",
}


def checked_file_name(name: str, field: str = "files") -> str:
    """Return ``name`` if a file of an entry may have it; ``/`` parts it into folders.

    Raises ``InvalidInputError`` naming ``field``: absolute, with ``..`` or a backslash, with a
    drive, with anything that cannot be seen, too long.
    """
    parts = name.split("/")
    # A lone surrogate is not printable, nor are control and bidirectional characters.
    fits = name.isprintable() and not set(name) & set('\\:*?"<>|')
    plain = all(part == part.strip() and part.rstrip(".") for part in parts)
    if not (fits and plain and 0 < len(name) <= MAX_FILE_NAME) or any(
        len(part.encode()) > MAX_FILE_NAME or part.endswith(".") for part in parts
    ):
        msg = (
            f"{field}: {name[:80]!r} cannot be the name of a file. Use at most {MAX_FILE_NAME} "
            "visible characters, such as 'figures/returns.png', without a backslash, a colon, "
            "'..' or a leading slash."
        )
        raise InvalidInputError(msg, field=field)
    return name


def check_file_names(names: Iterable[str], field: str = "files") -> None:
    """Raise ``InvalidInputError`` for two names that some disk would take for one.

    Compared without case and accents' spelling (NFC), and a file may not be another's folder.
    """
    seen: dict[str, str] = {}
    for name in names:
        folded = _folded(name)
        if folded in seen:
            msg = f"{field}: {name!r} and {seen[folded]!r} would be one file. Rename one of them."
            raise InvalidInputError(msg, field=field)
        seen[folded] = name
    for folded, name in seen.items():
        steps = folded.split("/")
        for length in range(1, len(steps)):
            if (other := seen.get("/".join(steps[:length]))) is not None:
                msg = f"{field}: {other!r} is a file and the folder of {name!r}. Rename one."
                raise InvalidInputError(msg, field=field)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
