"""Batches of submissions that are graded together, in the database.

A batch only remembers which submissions it asked for and what they scored before and after: they
are graded from the one queue, by whichever server looks at it next. So a batch goes on after a
restart, and ends with the last of its jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from jupyter_ppo.domain.batches import Batch, BatchItem, BatchItemState, BatchScope, Snapshot
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.batch_items import cancel_items, read_snapshot, snapshots
from jupyter_ppo.storage.batch_scope import chosen, newest_version_of, nothing_to_grade
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.jobs import cancel_submissions, locked, queue_locked, queue_places
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    BatchItemRow,
    BatchRow,
    CourseRow,
    JobRow,
    SubmissionRow,
    VersionRow,
)


class Batches:
    """``services.batches.BatchStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        assignment: Assignment,
        *,
        created_by: str,
        reason: str,
        scope: BatchScope,
        submissions: Collection[UUID] = (),
        newest_version: bool = False,
    ) -> Batch:
        """Queue these submissions in one transaction, and remember what they score now.

        Of each student the attempt that counts; where the best one counts, every attempt, since a
        new grade may make it the best. With ``newest_version`` all are put on that version; their
        grades stay until the new ones are stored. What is queued already keeps its place, and what
        is being graded goes on, unless it has to be graded on another version.

        Raises ``InvalidInputError`` when there is nothing to grade, ``NotFoundError`` when one of
        ``submissions`` is not of this assignment.
        """
        with self._database.begin() as session:
            ids = chosen(session, assignment.id, scope, submissions)
            if not ids:
                raise nothing_to_grade(scope, assignment.name)
            jobs, rows = locked(session, ids)
            version_id = newest_version_of(session, assignment.id) if newest_version else None
            before = snapshots(session, ids)
            now = database_now(session)
            batch = BatchRow(
                id=new_id(),
                assignment_id=assignment.id,
                created_by=created_by,
                created_at=now,
                reason=reason,
                scope=scope,
                version_id=version_id,
            )
            session.add(batch)
            session.flush()
            for row in rows:
                goes_on = version_id in {None, row.version_id}
                row.version_id = version_id or row.version_id
                is_waiting = row.state is SubmissionState.QUEUED
                if not is_waiting and not (goes_on and row.state is SubmissionState.GRADING):
                    queue_locked(session, row, jobs.get(row.id), now)
                session.add(
                    BatchItemRow(batch_id=batch.id, submission_id=row.id, before=before.get(row.id))
                )
            settle(session, assignment.id, {row.user for row in rows})
            return _batch(session, batch.id)

    def batch(self, batch_id: UUID) -> Batch:
        """Return a batch and how far it is; raise ``NotFoundError``."""
        with self._database.session() as session:
            return _batch(session, batch_id)

    def batches(
        self, course_id: UUID, *, assignment_id: UUID | None = None, offset: int, limit: int
    ) -> Page[Batch]:
        """Return a course's batches, newest first."""
        query = _batches().where(AssignmentRow.course_id == course_id)
        if assignment_id is not None:
            query = query.where(BatchRow.assignment_id == assignment_id)
        with self._database.session() as session:
            total = session.scalar(
                select(func.count()).select_from(query.with_only_columns(BatchRow.id).subquery())
            )
            newest = query.order_by(BatchRow.created_at.desc(), BatchRow.id.desc())
            items = _read(session, newest.offset(offset).limit(limit))
            return Page(tuple(items), total or 0, offset, limit)

    def items(
        self, batch_id: UUID, *, changed: bool = False, offset: int, limit: int
    ) -> Page[BatchItem]:
        """Return the submissions of a batch by username and attempt, also those in the trash.

        ``changed`` keeps those whose points differ now, in all or in one exercise; being graded
        for the first time is such a change.
        """
        query = (
            select(BatchItemRow, SubmissionRow.user, SubmissionRow.attempt, _state())
            .join(SubmissionRow, SubmissionRow.id == BatchItemRow.submission_id)
            .outerjoin(JobRow, JobRow.submission_id == BatchItemRow.submission_id)
            .where(BatchItemRow.batch_id == batch_id)
            .order_by(SubmissionRow.user, SubmissionRow.attempt)
        )
        with self._database.session() as session:
            if changed:
                # The databases do not agree on how to compare JSON.
                ended = session.execute(query.where(BatchItemRow.after.is_not(None)))
                items = [item for item in (_item(*row) for row in ended) if _has_changed(item)]
                return Page(tuple(items[offset : offset + limit]), len(items), offset, limit)
            every = query.with_only_columns(BatchItemRow.submission_id).order_by(None)
            total = session.scalar(select(func.count()).select_from(every.subquery()))
            items = [_item(*row) for row in session.execute(query.offset(offset).limit(limit))]
            return Page(tuple(_placed(session, items)), total or 0, offset, limit)

    def cancel(self, batch_id: UUID) -> Batch:
        """Cancel what of a batch is not over; again changes nothing. Raises ``NotFoundError``.

        A submission that another open batch waits for as well goes on there.
        """
        with self._database.begin() as session:
            if session.get(BatchRow, batch_id) is None:
                raise _no_batch()
            open_items = select(BatchItemRow.submission_id).where(
                BatchItemRow.batch_id == batch_id, BatchItemRow.ended_at.is_(None)
            )
            locked(session, session.scalars(open_items).all())
            ids = set(session.scalars(open_items))  # what ended before the locks stays as it is
            other = aliased(BatchItemRow)
            wanted = set(
                session.scalars(
                    open_items.where(
                        exists(
                            select(other.batch_id).where(
                                other.submission_id == BatchItemRow.submission_id,
                                other.batch_id != batch_id,
                                other.ended_at.is_(None),
                            )
                        )
                    )
                )
            )
            if ids:
                batch = session.get_one(BatchRow, batch_id)
                batch.cancelled_at = database_now(session)
                cancel_items(session, ids, batch_id=batch_id)
                cancel_submissions(session, ids - wanted)
            session.flush()
            return _batch(session, batch_id)

    def cancel_submission(self, submission_id: UUID) -> bool:
        """Stop a submission's grading and make it what it was before; say whether there was any.

        Its worker loses the lease. Raises ``NotFoundError`` when there is no such submission.
        """
        with self._database.begin() as session:
            submission = session.get(SubmissionRow, submission_id)
            if submission is None or submission.deleted_at is not None:
                msg = "submission: there is no such submission."
                raise NotFoundError(msg, field="submission")
            session.expire(submission)
            return cancel_submissions(session, [submission_id]) == 1

    def queue(self, course_id: UUID) -> Mapping[JobState, int]:
        """Return how many submissions of a course are QUEUED and LEASED."""
        places = queue_places()
        of_course = (
            select(SubmissionRow.id)
            .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
            .where(
                AssignmentRow.course_id == course_id,
                AssignmentRow.deleted_at.is_(None),
                SubmissionRow.deleted_at.is_(None),
            )
        )
        with self._database.session() as session:
            waiting = session.scalar(select(func.count()).where(places.c[0].in_(of_course)))
            leased = session.scalar(
                select(func.count()).where(
                    JobRow.state == JobState.LEASED, JobRow.submission_id.in_(of_course)
                )
            )
            return {JobState.QUEUED: waiting or 0, JobState.LEASED: leased or 0}

    def places(self, course_id: UUID, user: str) -> tuple[tuple[UUID, int], ...]:
        """Return a person's submissions that wait, with their places in the server's queue."""
        places = queue_places()
        query = (
            select(places.c[0], places.c[1])
            .join(SubmissionRow, SubmissionRow.id == places.c[0])
            .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
            .where(AssignmentRow.course_id == course_id, SubmissionRow.user == user)
            .order_by(places.c[1])
        )
        with self._database.session() as session:
            return tuple((submission_id, place) for submission_id, place in session.execute(query))


def _state() -> ColumnElement[str]:
    """Where an item is; it stands with its job until it has ended.

    What is in the trash is not waited for: it counts as cancelled until it is restored.
    """
    return case(
        (BatchItemRow.cancelled, literal(BatchItemState.CANCELLED.value)),
        (
            and_(BatchItemRow.ended_at.is_not(None), BatchItemRow.error.is_not(None)),
            literal(BatchItemState.FAILED.value),
        ),
        (BatchItemRow.ended_at.is_not(None), literal(BatchItemState.DONE.value)),
        (SubmissionRow.deleted_at.is_not(None), literal(BatchItemState.CANCELLED.value)),
        (JobRow.state == JobState.LEASED, literal(BatchItemState.GRADING.value)),
        else_=literal(BatchItemState.WAITING.value),
    )


def _item(row: BatchItemRow, user: str, attempt: int, state: str) -> BatchItem:
    return BatchItem(
        submission_id=row.submission_id,
        user=user,
        attempt=attempt,
        state=BatchItemState(state),
        before=read_snapshot(row.before),
        after=read_snapshot(row.after),
        error=row.error,
    )


def _placed(session: Session, items: Sequence[BatchItem]) -> Iterable[BatchItem]:
    """Yield the items, those that wait with their places in the queue."""
    waiting = [each.submission_id for each in items if each.state is BatchItemState.WAITING]
    places = queue_places()
    found: dict[UUID, int] = {}
    if waiting:  # the places are counted once, not once for each item
        query = select(places.c[0], places.c[1]).where(places.c[0].in_(waiting))
        found = dict(session.execute(query).all())
    for each in items:
        yield replace(each, position=found.get(each.submission_id))


def _has_changed(item: BatchItem) -> bool:
    return _scored(item.before) != _scored(item.after)


def _scored(snapshot: Snapshot | None) -> tuple[float, float, dict[str, float]] | None:
    if snapshot is None:
        return None
    return snapshot.points, snapshot.max_points, dict(snapshot.exercises)


def _batches() -> Select[BatchRow, UUID, str, str, int]:
    return (
        select(
            BatchRow, AssignmentRow.course_id, CourseRow.name, AssignmentRow.name, VersionRow.number
        )
        .join(AssignmentRow, AssignmentRow.id == BatchRow.assignment_id)
        .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
        .outerjoin(VersionRow, VersionRow.id == BatchRow.version_id)
        .where(AssignmentRow.deleted_at.is_(None), CourseRow.deleted_at.is_(None))
    )


def _batch(session: Session, batch_id: UUID) -> Batch:
    found = _read(session, _batches().where(BatchRow.id == batch_id))
    if not found:
        raise _no_batch()
    return found[0]


def _no_batch() -> NotFoundError:
    return NotFoundError("batch: there is no such batch.", field="batch")


def _read(session: Session, query: Select[BatchRow, UUID, str, str, int]) -> list[Batch]:
    rows = session.execute(query).all()
    counts: dict[UUID, dict[BatchItemState, int]] = {
        row.id: dict.fromkeys(BatchItemState, 0) for row, *_ in rows
    }
    states = (
        select(BatchItemRow.batch_id, _state().label("state"))
        .join(SubmissionRow, SubmissionRow.id == BatchItemRow.submission_id)
        .outerjoin(JobRow, JobRow.submission_id == BatchItemRow.submission_id)
        .where(BatchItemRow.batch_id.in_(counts))
        .subquery()
    )
    for batch_id, found, count in session.execute(
        select(states.c[0], states.c[1], func.count()).group_by(states.c[0], states.c[1])
    ):
        counts[batch_id][BatchItemState(found)] = count
    return [
        Batch(
            id=row.id,
            course_id=course_id,
            course_name=course_name,
            assignment_name=assignment_name,
            created_by=row.created_by,
            created_at=row.created_at,
            reason=row.reason,
            scope=row.scope,
            version_number=number,
            cancelled_at=row.cancelled_at,
            counts=counts[row.id],
        )
        for row, course_id, course_name, assignment_name, number in rows
    ]
