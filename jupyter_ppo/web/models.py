"""Bodies of requests and answers. The OpenAPI document is made from these."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from jupyter_ppo.domain import courses, grading, submissions
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Role
from jupyter_ppo.domain.ports import Page as DomainPage
from jupyter_ppo.domain.sandbox import SandboxStatus
from jupyter_ppo.domain.submissions import AttemptState, SubmissionState
from jupyter_ppo.domain.terms import OwnTerms
from jupyter_ppo.services.assessment import CourseView

T = TypeVar("T")

#: Larger offsets do not fit the integers of every database.
_MAX_OFFSET = 2**31 - 1

Time = Annotated[
    AwareDatetime,
    PlainSerializer(lambda time: time.astimezone(UTC).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "ISO 8601, UTC"}),
]


class Answer(BaseModel):
    """Root of everything that is sent."""

    model_config = ConfigDict(frozen=True)


class Body(BaseModel):
    """Root of everything that is received: nothing unknown is let through in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(BaseModel):
    """Root of query strings; what other parts of the server add (``token``, ...) is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


# -- received ------------------------------------------------------------------------------------


class NewCourse(Body):
    """A course to create. Without a title its name is shown."""

    name: str
    title: Annotated[str, Field(max_length=200)] = ""


class PageQuery(Query):
    """Which part of a list."""

    offset: Annotated[int, Field(ge=0, le=_MAX_OFFSET)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SubmissionsQuery(PageQuery):
    """Which submissions; ``latest`` keeps each student's attempt that counts, as the terms say."""

    assignment: str | None = None
    user: str | None = None
    latest: bool = False


class GradesFormat(StrEnum):
    """How the grade table is sent."""

    JSON = "json"
    CSV = "csv"


class GradesQuery(PageQuery):
    """Which part of the grade table; a CSV file always holds all of it."""

    format: GradesFormat = GradesFormat.JSON


# -- sent ----------------------------------------------------------------------------------------


class Error(Answer):
    """Every error: a code for programs, a sentence for people, the part that was wrong."""

    code: str
    message: str
    field: str | None
    conflict: Conflict | None = None


class Conflict(Answer):
    """What was sent and what is stored now, when somebody else saved in between."""

    yours: dict[str, Any]
    theirs: dict[str, Any]


class HealthStatus(StrEnum):
    """DEGRADED: the server answers, but lacks its database, or the sandbox it should grade in."""

    OK = "ok"
    DEGRADED = "degraded"


class Grading(StrEnum):
    """Which processes grade: this one, or workers beside it (``grading_workers`` is 0)."""

    HERE = "here"
    ELSEWHERE = "elsewhere"

    @classmethod
    def of(cls, grades_here: bool) -> Grading:
        """Return the word for it."""
        return cls.HERE if grades_here else cls.ELSEWHERE


class Health(Answer):
    """Whether the service works."""

    status: HealthStatus
    version: str
    grading: Grading


class Sandbox(Answer):
    """Whether submitted code can run here, and if not, what to do."""

    available: bool
    engine: str | None
    image: str | None
    problem: str | None
    remedy: str | None
    grading: Grading

    @classmethod
    def of(cls, status: SandboxStatus, *, is_mine: bool, grades_here: bool = True) -> Sandbox:
        """Make the body from the domain's object; commands are for those whose server it is."""
        problem, remedy = status.problem, status.remedy
        if problem and not grades_here:
            problem = "This process has no sandbox: workers grade and train elsewhere."
            remedy = "Programs and trial runs are not offered here."
        elif remedy and not is_mine:
            remedy = "Whoever runs this server can mend it; what you submit is kept until then."
        return cls(
            available=status.available,
            engine=status.engine,
            image=status.image,
            problem=problem,
            remedy=remedy,
            grading=Grading.of(grades_here),
        )


class MyCourse(Answer):
    """A course in the list of the person who asks."""

    name: str
    title: str
    role: Role


class Me(Answer):
    """Who asks, and what this server offers them."""

    user: str
    admin: bool
    courses: list[MyCourse]
    sandbox: Sandbox


class Course(Answer):
    """A course and the caller's role in it."""

    name: str
    title: str
    role: Role
    created_at: Time

    @classmethod
    def of(cls, view: CourseView) -> Course:
        """Make the body from the domain's object."""
        course = view.course
        return cls(
            name=course.name, title=course.title, role=view.role, created_at=course.created_at
        )


class Exercise(Answer):
    """A graded cell."""

    grade_id: str
    kind: CellKind
    points: float

    @classmethod
    def of(cls, exercise: courses.Exercise) -> Exercise:
        """Make the body from the domain's object."""
        return cls(grade_id=exercise.grade_id, kind=exercise.kind, points=exercise.points)


class Assignment(Answer):
    """The newest version of an assignment, and until when the caller may hand it in.

    ``max_attempts`` 0 is any number, and then ``attempts_left`` is null.
    """

    name: str
    kind: AssignmentKind
    version: int
    points: float
    released_at: Time
    exercises: list[Exercise]
    due_at: Time | None
    closes_at: Time | None
    max_attempts: int
    attempts_left: int | None

    @classmethod
    def of(cls, assignment: courses.Assignment, own: OwnTerms | None = None) -> Assignment:
        """Make the body from the domain's object; without ``own`` as for who made no attempt."""
        version = assignment.version
        own = own or OwnTerms(assignment.terms, 0)
        return cls(
            name=assignment.name,
            kind=assignment.kind,
            version=version.number,
            points=grading.total(exercise.points for exercise in version.exercises),
            released_at=version.created_at,
            exercises=[Exercise.of(each) for each in version.exercises],
            due_at=own.terms.due_at,
            closes_at=own.terms.closes_at,
            max_attempts=own.terms.max_attempts,
            attempts_left=own.attempts_left,
        )


class Submission(Answer):
    """One attempt of one student at one assignment.

    ``points`` are after the penalty for lateness; a student has none of them, and no penalty,
    before they are released. ``unsealed_points`` are those that tests in the student's own process
    gave. ``version`` is what it is graded on, ``submitted_version`` what was the newest when it
    came. ``counts``: it is the attempt that counts. ``queue_position`` is 1 for the next one.
    """

    id: UUID
    course: str
    assignment: str
    version: int
    user: str
    attempt: int
    digest: str
    state: SubmissionState
    submitted_at: Time
    warnings: list[str]
    error: str | None
    points: float | None
    max_points: float | None
    unsealed_points: float
    needs_review: bool
    kind: AssignmentKind
    attempt_state: AttemptState
    submitted_version: int
    late_seconds: int
    penalty: float
    counts: bool
    released_at: Time | None
    collected_by: str | None
    queue_position: int | None

    @classmethod
    def of(cls, submission: submissions.Submission) -> Submission:
        """Make the body from the domain's object."""
        return cls(
            id=submission.id,
            course=submission.course_name,
            assignment=submission.assignment_name,
            version=submission.version_number,
            user=submission.user,
            attempt=submission.attempt,
            digest=submission.digest,
            state=submission.state,
            submitted_at=submission.submitted_at,
            warnings=list(submission.warnings),
            error=submission.error,
            points=submission.points,
            max_points=submission.max_points,
            unsealed_points=submission.unsealed_points,
            needs_review=submission.needs_review,
            kind=submission.kind,
            attempt_state=submission.attempt_state,
            submitted_version=submission.submitted_version,
            late_seconds=submission.late_seconds,
            penalty=submission.penalty,
            counts=submission.counts,
            released_at=submission.released_at,
            collected_by=submission.collected_by,
            queue_position=submission.queue_position,
        )


class Page(Answer, Generic[T]):
    """A part of a list, and how long the whole list is."""

    items: list[T]
    total: int
    offset: int
    limit: int


class CoursePage(Page[Course]):
    """Courses by name."""


class AssignmentPage(Page[Assignment]):
    """Assignments by name."""


class SubmissionPage(Page[Submission]):
    """Submissions, newest first."""


def page_numbers(page: DomainPage[Any]) -> dict[str, int]:
    """Return what every page says beside its items."""
    return {"total": page.total, "offset": page.offset, "limit": page.limit}


def submission_page(page: DomainPage[submissions.Submission]) -> SubmissionPage:
    """Return the body for a page of submissions."""
    items: Iterable[submissions.Submission] = page.items
    return SubmissionPage(items=[Submission.of(each) for each in items], **page_numbers(page))
