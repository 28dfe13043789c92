"""A whole class at once, out of another program's gradebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Role
from jupyter_ppo.domain.gradebook import (
    ClassRecord,
    ImportReport,
    RecordedAssignment,
    RecordedScore,
    RecordedSubmission,
)
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.roster import Person
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import GradeRelease, LatePolicy, Terms
from jupyter_ppo.storage.class_records import exercises_of, newest_version
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.lateness import fitted_policy
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    ExerciseRow,
    ExtensionRow,
    GradeChangeRow,
    GradeRow,
    MarkRow,
    MembershipRow,
    SubmissionRow,
    TermsRow,
    VersionRow,
)
from jupyter_ppo.storage.term_rows import terms_values

_NOTE = "Imported from nbgrader."
_NO_NOTEBOOK = (
    "Imported from nbgrader: the points and comments are here, the notebook itself is not, so that "
    "it cannot be graded again."
)


def write_record(
    session: Session,
    course_id: UUID,
    record: ClassRecord,
    *,
    by: str,
    digest: str,
    feedback_digest: str,
) -> ImportReport:
    """Add students, assignments and what students have; what exists is not overwritten.

    New assignments keep their grades back until somebody of the staff releases them.
    """
    writer = _Writer(session, course_id, by=by, digest=digest, feedback_digest=feedback_digest)
    students = writer.add_students(record.students)
    known = set(record.students) - writer.removed
    assignments = submissions = grades = 0
    touched: list[UUID] = []
    for each in record.assignments:
        row = session.scalar(
            select(AssignmentRow).where(
                AssignmentRow.course_id == course_id, AssignmentRow.name == each.name
            )
        )
        if row is None:
            row = writer.add_assignment(each)
            assignments += 1
        elif not writer.fits(row, each):
            continue
        lock_attempts(session, row.id)
        made = writer.add_submissions(row, each, known)
        submissions += len(made)
        grades += sum(bool(item.scores) for item in made)
        touched.append(row.id)
    session.flush()
    for assignment_id in touched:
        settle(session, assignment_id, by=by, reason=_NOTE)
    return ImportReport(students, assignments, submissions, grades, tuple(writer.warnings))


class _Writer:
    """Adds rows in the caller's transaction; ``warnings`` say what was left out."""

    def __init__(
        self, session: Session, course_id: UUID, *, by: str, digest: str, feedback_digest: str
    ) -> None:
        self._session = session
        self._course_id = course_id
        self._by = by
        self._digest = digest
        self._feedback_digest = feedback_digest
        self._now = database_now(session)
        self.warnings: list[str] = []
        self.removed: set[str] = set()

    def add_students(self, students: Mapping[str, Person]) -> int:
        """Enrol those who are not in the course; return how many."""
        members = self._session.execute(
            select(MembershipRow.user, MembershipRow.removed_at).where(
                MembershipRow.course_id == self._course_id
            )
        )
        stored = dict(members.all())
        self.removed = {user for user in students if stored.get(user) is not None}
        for user in sorted(self.removed):
            self.warnings.append(f"{user} was unenrolled here and is left out. Enrol them first.")
        new = [user for user in students if user not in stored]
        self._add(
            MembershipRow,
            [
                {
                    "course_id": self._course_id,
                    "user": user,
                    "role": Role.STUDENT,
                    "first_name": students[user].first_name,
                    "last_name": students[user].last_name,
                    "email": students[user].email,
                    "lms_user_id": students[user].lms_user_id,
                    "enrolled_at": self._now,
                }
                for user in new
            ],
        )
        return len(new)

    def add_assignment(self, found: RecordedAssignment) -> AssignmentRow:
        """Add an assignment with one version, the due date and what lateness cost."""
        row = AssignmentRow(
            id=new_id(),
            course_id=self._course_id,
            name=found.name,
            created_at=self._now,
            kind=AssignmentKind.NOTEBOOK,
        )
        self._session.add(row)
        self._session.flush()
        self._session.add(
            VersionRow(
                id=new_id(),
                assignment_id=row.id,
                number=1,
                source_digest=found.source_digest,
                release_digest=found.release_digest,
                created_at=self._now,
                note=_NOTE,
                released_by=self._by,
                exercises=[
                    ExerciseRow(
                        grade_id=item.grade_id,
                        kind=item.kind,
                        points=item.points,
                        position=item.position,
                    )
                    for item in found.exercises
                ],
            )
        )
        late = fitted_policy(found)
        if late is None:
            late = LatePolicy()
            self.warnings.append(
                f"{found.name}: its late penalties follow no rule of time and are left out. "
                "Set its late policy."
            )
        terms = Terms(due_at=found.due_at, late=late, grades=GradeRelease.BY_HAND, revision=1)
        self._session.add(
            TermsRow(
                assignment_id=row.id,
                **terms_values(terms),
                updated_at=self._now,
                updated_by=self._by,
            )
        )
        self._add(
            ExtensionRow,
            [
                {
                    "id": new_id(),
                    "assignment_id": row.id,
                    "user": item.user,
                    "seconds": item.extension_seconds,
                    "attempts": 0,
                    "reason": _NOTE,
                    "created_by": self._by,
                    "created_at": self._now,
                }
                for item in found.submissions
                if item.extension_seconds and found.due_at is not None
            ],
        )
        return row

    def fits(self, row: AssignmentRow, found: RecordedAssignment) -> bool:
        """Whether submissions can be added to the assignment that is here already."""
        if row.deleted_at is not None:
            self.warnings.append(f"{found.name} is in the trash here and is left out.")
            return False
        own = exercises_of(self._session, newest_version(self._session, row.id).id)
        here = {item.grade_id: item.points for item in own}
        if here != {item.grade_id: item.points for item in found.exercises}:
            self.warnings.append(
                f"{found.name} exists with other graded cells or points; it and what was handed in "
                "for it are left out."
            )
            return False
        self.warnings.append(
            f"{found.name} exists and was not changed; only students without a submission got one."
        )
        return True

    def add_submissions(
        self, row: AssignmentRow, found: RecordedAssignment, known: set[str]
    ) -> list[RecordedSubmission]:
        """Add one graded attempt for each student who has none; return what was added."""
        there = set(
            self._session.scalars(
                select(SubmissionRow.user).where(SubmissionRow.assignment_id == row.id).distinct()
            )
        )
        kept = [item for item in found.submissions if item.user in known & there]
        if kept:
            self.warnings.append(
                f"{found.name}: {len(kept)} students have a submission already, which was kept."
            )
        new = [item for item in found.submissions if item.user in known - there]
        version = self._session.scalars(
            select(VersionRow.id)
            .where(VersionRow.assignment_id == row.id)
            .order_by(VersionRow.number.desc())
            .limit(1)
        ).one()
        ids = {item.user: new_id() for item in new}
        self._add(SubmissionRow, [self._submission(row, item, ids, version) for item in new])
        graded = [item for item in new if item.scores]
        self._add(GradeRow, [self._grade(item, ids[item.user], version) for item in graded])
        kinds = {item.grade_id: item.kind for item in found.exercises}
        for kind, rows in (
            (ExerciseGradeRow, [_exercise_grades(item, ids[item.user], kinds) for item in graded]),
            (MarkRow, [self._marks(item, ids[item.user]) for item in graded]),
            (GradeChangeRow, [self._changes(item, ids[item.user]) for item in graded]),
        ):
            self._add(kind, [one for several in rows for one in several])
        return new

    def _submission(
        self, row: AssignmentRow, item: RecordedSubmission, ids: Mapping[str, UUID], version: UUID
    ) -> dict[str, Any]:
        when: datetime = item.submitted_at or self._now
        return {
            "id": ids[item.user],
            "assignment_id": row.id,
            "version_id": version,
            "submitted_version_id": version,
            "user": item.user,
            "attempt": 1,
            "digest": self._digest,
            "state": SubmissionState.GRADED if item.scores else SubmissionState.SUBMITTED,
            "submitted_at": when,
            "received_at": self._now,
            "warnings": [_NO_NOTEBOOK],
            "collected_by": self._by,
        }

    def _grade(self, item: RecordedSubmission, id_: UUID, version: UUID) -> dict[str, Any]:
        return {
            "submission_id": id_,
            "points": _points(item.scores),
            "max_points": total(score.max_points for score in item.scores),
            "extra_credit": total(score.extra_credit for score in item.scores),
            "needs_review": any(score.waits for score in item.scores),
            "version_id": version,
            "verdict": Verdict.NOT_RUN,
            "detail": _NOTE,
            "feedback_digest": self._feedback_digest,
            "graded_at": self._now,
            "wall_seconds": 0.0,
        }

    def _marks(self, item: RecordedSubmission, id_: UUID) -> Iterable[dict[str, Any]]:
        return [
            {
                "submission_id": id_,
                "grade_id": score.grade_id,
                "points": score.given_points,
                "extra_credit": score.extra_credit,
                "comment": score.comment,
                "revision": 1,
                "marked_by": self._by,
                "marked_at": self._now,
                "auto_points": score.auto_points,
            }
            for score in item.scores
            if score.given_points is not None or score.extra_credit or score.comment
        ]

    def _changes(self, item: RecordedSubmission, id_: UUID) -> Iterable[dict[str, Any]]:
        after = {
            "points": _points(item.scores),
            "max_points": total(score.max_points for score in item.scores),
            "extra_credit": total(score.extra_credit for score in item.scores),
        }
        return [
            {
                "id": new_id(),
                "at": self._now,
                "submission_id": id_,
                "grade_id": None,
                "kind": GradeChangeKind.IMPORTED,
                "by": self._by,
                "reason": _NOTE,
                "before": None,
                "after": after,
            }
        ]

    def _add(self, kind: type[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._session.execute(insert(kind), list(rows))


def _points(scores: Iterable[RecordedScore]) -> float:
    return total(
        ((score.auto_points or 0.0) if score.given_points is None else score.given_points)
        + score.extra_credit
        for score in scores
    )


def _exercise_grades(
    item: RecordedSubmission, id_: UUID, kinds: Mapping[str, CellKind]
) -> list[dict[str, Any]]:
    return [
        {
            "submission_id": id_,
            "grade_id": score.grade_id,
            "position": position,
            "points": score.auto_points or 0.0,
            "max_points": score.max_points,
            "needs_review": score.auto_points is None or score.waits,
            "reason": _NOTE,
            # nbgrader runs tests in the student's own kernel.
            "is_sealed": kinds.get(score.grade_id) is not CellKind.TESTS,
            "checks": [],
            "records": [],
        }
        for position, score in enumerate(item.scores)
    ]
