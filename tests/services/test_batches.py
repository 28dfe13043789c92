"""Who may grade many submissions at once, what is refused, and what is written down."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.batches import BatchItemState, BatchScope
from jupyter_ppo.domain.courses import AssignmentKind, Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.jobs.local import work_off
from jupyter_ppo.services.batches import MAX_LISTED, MAX_REASON, BatchService
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.hints import Hints
from jupyter_ppo.storage.tables import AssignmentRow

World = Any


@pytest.fixture
def service(course: World) -> BatchService:
    return BatchService(
        courses=course.courses,
        batches=Batches(course.database),
        submissions=course.submissions,
        on_queued=lambda: course.woken.append(2),
        audit=course.audit,
    )


@pytest.fixture
def gil(course: World) -> Caller:
    return course.member("gil", Role.GRADER)


@pytest.fixture
def submitted(course: World) -> Any:
    ada = course.member("ada", Role.STUDENT)
    return course.assessment.submit(ada, "rl", "ps1", b'{"answer": 42}')


def actions(course: World) -> list[tuple[str, str]]:
    events = course.audit.events(offset=0, limit=50).items
    return [(event.user, event.action) for event in reversed(events)]


def test_a_batch_is_written_down_and_wakes_the_workers(
    course: World, service: BatchService, gil: Caller, submitted: Any
) -> None:
    course.woken.clear()
    batch = service.create(gil, "rl", "ps1", scope=BatchScope.ALL, reason="  a fix ")
    assert (batch.total, batch.reason, batch.created_by) == (1, "a fix", "gil")
    assert course.woken == [2]
    service.cancel(gil, batch.id)
    service.cancel(gil, batch.id)
    again = service.create(gil, "rl", "ps1", scope=BatchScope.UNGRADED)
    cancelled = service.cancel_submission(gil, submitted.id)
    assert cancelled.state is SubmissionState.SUBMITTED
    assert service.cancel_submission(gil, submitted.id).state is SubmissionState.SUBMITTED
    assert service.batch(gil, again.id).counts[BatchItemState.CANCELLED] == 1
    assert actions(course)[-4:] == [
        ("gil", "batch.created"),
        ("gil", "batch.cancelled"),
        ("gil", "batch.created"),
        ("gil", "submission.cancelled"),
    ]


def test_a_regrade_on_a_fixed_version_changes_the_grade(
    course: World,
    service: BatchService,
    gil: Caller,
    submitted: Any,
    admin: Caller,
    echo: Any,
    grader: Any,
    clock: Any,
) -> None:
    grading = GradingService(
        courses=course.courses,
        submissions=course.submissions,
        blobs=course.blobs,
        grader=grader,
        sandbox=echo,
        sealings=course.sealings(echo, grader),
        seeds=course.seeds,
        hints=Hints(course.database),
        limits=SandboxLimits(),
        clock=clock,
    )

    def grade() -> None:
        work_off(course.jobs, grading.work, [submitted.id], workers=1, progress=lambda *_: None)

    grade()
    course.assessment.release(admin, "rl", "ps1", b"source with the solution, mended")
    batch = service.create(gil, "rl", "ps1", scope=BatchScope.ALL, newest_version=True)
    grade()
    (item,) = service.items(gil, batch.id, offset=0, limit=10).items
    assert item.before is not None
    assert item.after is not None
    assert (item.before.version_number, item.after.version_number) == (1, 2)
    assert service.items(gil, batch.id, changed=True, offset=0, limit=10).items == ()
    stored = course.submissions.grade(submitted.id)
    assert stored.version_id == course.courses.assignment(submitted.course_id, "ps1").version.id


def test_the_grade_says_which_version_it_is_of(
    course: World, submitted: Any, echo: Any, grader: Any, clock: Any
) -> None:
    grading = GradingService(
        courses=course.courses,
        submissions=course.submissions,
        blobs=course.blobs,
        grader=grader,
        sandbox=echo,
        sealings=course.sealings(echo, grader),
        seeds=course.seeds,
        hints=Hints(course.database),
        limits=SandboxLimits(),
        clock=clock,
    )
    lease = course.jobs.lease("me", timedelta(seconds=60))
    assert grading.work(lease, threading.Event()).version_id == submitted.version_id


def test_students_may_not_and_others_do_not_learn_that_there_is_one(
    course: World, service: BatchService, gil: Caller, submitted: Any, admin: Caller
) -> None:
    batch = service.create(gil, "rl", "ps1", scope=BatchScope.ALL)
    ada = Caller("ada")
    course.assessment.create_course(admin, "other")
    ines = course.member("ines", Role.INSTRUCTOR, "other")
    for use in (
        lambda who: service.create(who, "rl", "ps1", scope=BatchScope.ALL),
        lambda who: service.batches(who, "rl", offset=0, limit=10),
        lambda who: service.cancel_submission(who, submitted.id),
    ):
        with pytest.raises(ForbiddenError):
            use(ada)
        with pytest.raises(NotFoundError):
            use(ines)
    for look in (
        lambda who: service.batch(who, batch.id),
        lambda who: service.items(who, batch.id, offset=0, limit=10),
        lambda who: service.cancel(who, batch.id),
    ):
        for who in (ada, ines):
            with pytest.raises(NotFoundError):
                look(who)
    with pytest.raises(NotFoundError) as foreign:
        service.batch(ines, batch.id)
    with pytest.raises(NotFoundError) as absent:
        service.batch(ines, new_id())
    assert foreign.value.message == absent.value.message
    assert service.batch(admin, batch.id).counts[BatchItemState.WAITING] == 1


def test_a_student_sees_the_length_of_the_queue_and_only_their_own_places(
    course: World, service: BatchService, submitted: Any
) -> None:
    bob = course.member("bob", Role.STUDENT)
    course.assessment.submit(bob, "rl", "ps1", b'{"answer": 1}')
    seen = service.queue(Caller("ada"), "rl")
    assert (seen.waiting, seen.grading) == (2, 0)
    assert seen.own == ((submitted.id, 1),)
    with pytest.raises(NotFoundError):
        service.queue(Caller("nobody"), "rl")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"scope": BatchScope.LISTED}, "submissions"),
        ({"scope": BatchScope.LISTED, "submissions": [new_id()] * (MAX_LISTED + 1)}, "submissions"),
        ({"scope": BatchScope.ALL, "submissions": [new_id()]}, "submissions"),
        ({"scope": BatchScope.ALL, "reason": "x" * (MAX_REASON + 1)}, "reason"),
        ({"scope": BatchScope.ALL, "reason": "a\0b"}, "reason"),
        ({"scope": BatchScope.FAILED}, "scope"),
    ],
)
def test_what_does_not_fit_is_named(
    service: BatchService, gil: Caller, submitted: Any, options: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        service.create(gil, "rl", "ps1", **options)
    assert caught.value.field == field


def test_entries_are_not_graded_by_programs(
    course: World, service: BatchService, gil: Caller, submitted: Any
) -> None:
    with course.database.begin() as session:
        session.execute(update(AssignmentRow).values(kind=AssignmentKind.ENTRY))
    with pytest.raises(ConflictError, match="rubric"):
        service.create(gil, "rl", "ps1", scope=BatchScope.ALL)
