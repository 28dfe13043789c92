"""Bodies of requests and answers. The OpenAPI document is made from these."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from jupyter_ppo.domain import courses, grading, submissions
from jupyter_ppo.domain.courses import CellKind, Role
from jupyter_ppo.domain.ports import Page as DomainPage
from jupyter_ppo.domain.sandbox import SandboxStatus, Verdict
from jupyter_ppo.domain.submissions import SubmissionState
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


class NewRole(Body):
    """The role that a person gets in a course."""

    role: Role


class PageQuery(Query):
    """Which part of a list."""

    offset: Annotated[int, Field(ge=0, le=_MAX_OFFSET)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SubmissionsQuery(PageQuery):
    """Which submissions; ``latest`` keeps each student's last attempt at each assignment."""

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


class HealthStatus(StrEnum):
    """DEGRADED: the server answers, but the database or the sandbox is missing."""

    OK = "ok"
    DEGRADED = "degraded"


class Health(Answer):
    """Whether the service works."""

    status: HealthStatus
    version: str


class Sandbox(Answer):
    """Whether submitted code can run here, and if not, what to do."""

    available: bool
    engine: str | None
    image: str | None
    problem: str | None
    remedy: str | None

    @classmethod
    def of(cls, status: SandboxStatus) -> Sandbox:
        """Make the body from the domain's object."""
        return cls(
            available=status.available,
            engine=status.engine,
            image=status.image,
            problem=status.problem,
            remedy=status.remedy,
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


class Member(Answer):
    """A person's role in a course."""

    user: str
    role: Role


class Exercise(Answer):
    """A graded cell."""

    grade_id: str
    kind: CellKind
    points: float


class Assignment(Answer):
    """The newest version of an assignment."""

    name: str
    version: int
    points: float
    released_at: Time
    exercises: list[Exercise]

    @classmethod
    def of(cls, assignment: courses.Assignment) -> Assignment:
        """Make the body from the domain's object."""
        version = assignment.version
        return cls(
            name=assignment.name,
            version=version.number,
            points=grading.total(exercise.points for exercise in version.exercises),
            released_at=version.created_at,
            exercises=[
                Exercise(grade_id=each.grade_id, kind=each.kind, points=each.points)
                for each in version.exercises
            ],
        )


class Submission(Answer):
    """One attempt of one student at one assignment.

    ``unsealed_points`` are those of its points that tests in the student's own process gave.
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
        )


class Check(Answer):
    """One of several checks in a test cell, with points of its own."""

    name: str
    points: float
    max_points: float
    message: str


class ExerciseGrade(Answer):
    """What one exercise scored; zero while a person still has to look at it.

    ``sealed`` is false when its tests ran in the student's own process. ``records`` is what the
    tests wrote down for people, such as the returns of an examined policy.
    """

    grade_id: str
    points: float
    max_points: float
    needs_review: bool
    reason: str
    sealed: bool
    checks: list[Check]
    records: list[dict[str, Any]]

    @classmethod
    def of(cls, grade: grading.ExerciseGrade) -> ExerciseGrade:
        """Make the body from the domain's object."""
        return cls(
            grade_id=grade.grade_id,
            points=grade.points,
            max_points=grade.max_points,
            needs_review=grade.needs_review,
            reason=grade.reason,
            sealed=grade.is_sealed,
            checks=[
                Check(
                    name=line.name,
                    points=line.points,
                    max_points=line.max_points,
                    message=line.message,
                )
                for line in grade.checks
            ],
            records=[dict(record) for record in grade.records],
        )


class Grade(Answer):
    """The grade of a submission, exercise by exercise."""

    submission_id: UUID
    points: float
    max_points: float
    needs_review: bool
    verdict: Verdict
    detail: str
    graded_at: Time
    exercises: list[ExerciseGrade]

    @classmethod
    def of(cls, grade: grading.Grade) -> Grade:
        """Make the body from the domain's object."""
        return cls(
            submission_id=grade.submission_id,
            points=grade.points,
            max_points=grade.max_points,
            needs_review=grade.needs_review,
            verdict=grade.verdict,
            detail=grade.detail,
            graded_at=grade.graded_at,
            exercises=[ExerciseGrade.of(each) for each in grade.exercises],
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
