"""Courses, who is in them, and what is released to them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.terms import Terms

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_USER_LENGTH = 255
#: What to do when there is no course of a name, or none that the caller may know of.
COURSE_LIST = "Use a name that 'jupyter ppo course list', or GET /courses, shows."


class Role(StrEnum):
    """What a person may do in one course; ADMIN is the person who runs the server."""

    STUDENT = "student"
    GRADER = "grader"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"

    @property
    def may_grade(self) -> bool:
        """Whether this role sees everyone's submissions and may grade them."""
        return self is not Role.STUDENT

    @property
    def may_author(self) -> bool:
        """Whether this role may release assignments and change the roster."""
        return self in {Role.INSTRUCTOR, Role.ADMIN}


class CellKind(StrEnum):
    """What carries a grade_id: the five kinds of nbgrader cell, and the criteria of entries."""

    TESTS = "tests"  # autograder tests: graded, locked
    SOLUTION = "solution"  # autograded answer
    MANUAL = "manual"  # answer graded by a person
    TASK = "task"  # manually graded task
    READ_ONLY = "read_only"
    CRITERION = "criterion"  # of an entry's rubric; no cell


class AssignmentKind(StrEnum):
    """What is handed in."""

    NOTEBOOK = "notebook"
    ENTRY = "entry"  # text, code, files or a training run, judged by a rubric


@dataclass(frozen=True, slots=True)
class Course:
    """A course. ``name`` is unique on this server and safe in a URL or a file name."""

    id: UUID
    name: str
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """One person's role in one course."""

    course_id: UUID
    user: str
    role: Role


@dataclass(frozen=True, slots=True)
class Exercise:
    """A graded cell of one assignment version.

    ``position`` is the cell's index in the source notebook; ``points`` is the most it can give.
    """

    grade_id: str
    kind: CellKind
    points: float
    position: int


@dataclass(frozen=True, slots=True)
class AssignmentVersion:
    """One immutable version of an assignment: what students get and what is graded.

    ``source_digest`` and ``release_digest`` name blobs (SHA-256, lower-case hex): the instructor's
    notebook with solutions and hidden tests, and the students' copy without them; of an entry its
    definition with and without what is for the staff. ``note`` says what is new in it.
    """

    id: UUID
    assignment_id: UUID
    number: int
    source_digest: str
    release_digest: str
    exercises: tuple[Exercise, ...]
    created_at: datetime
    note: str = ""
    released_by: str = ""

    @property
    def max_points(self) -> float:
        """The sum of all exercises' points."""
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True, slots=True)
class VersionUse:
    """A version, and how many submissions came while it was the newest and are graded on it."""

    version: AssignmentVersion
    submissions: int
    graded: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment; ``version`` is the newest released one."""

    id: UUID
    course_id: UUID
    name: str
    created_at: datetime
    version: AssignmentVersion
    kind: AssignmentKind = AssignmentKind.NOTEBOOK
    terms: Terms = field(default_factory=Terms)


def checked_name(name: str, field: str) -> str:
    """Return ``name`` if it may name a course or an assignment.

    Raises ``InvalidInputError`` naming ``field`` otherwise.
    """
    if not _NAME.fullmatch(name):
        msg = (
            f"{field}: {name[:120]!r} is not a name. Use 1 to 100 letters, digits, dots, dashes or "
            "underscores, beginning with a letter or digit."
        )
        raise InvalidInputError(msg, field=field)
    return name


def one_spelling(name: str) -> str:
    """Return a name as it is stored and compared (Unicode's NFC, UAX 15).

    Letters with accents can be written in two ways that look alike: they are one name.
    """
    return unicodedata.normalize("NFC", name)


def checked_user(name: str) -> str:
    """Return the username, in its one spelling; identity providers often give e-mails.

    Raises ``InvalidInputError`` (field ``user``) if ``name`` cannot be one.
    """
    name = one_spelling(name)
    fits = 0 < len(name) <= _USER_LENGTH and name.isprintable() and name == name.strip()
    if not fits or "/" in name or name in {".", ".."}:
        msg = (
            f"user: {name[:120]!r} is not a username. Use 1 to {_USER_LENGTH} printable characters "
            "without a slash, and no blank at either end."
        )
        raise InvalidInputError(msg, field="user")
    return name
