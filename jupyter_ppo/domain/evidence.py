"""What a student has shown, as criteria of achievements look at it: released points and weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jupyter_ppo.domain.achievements import AwardEvidence
from jupyter_ppo.domain.outline import CourseOutline
from jupyter_ppo.domain.progress_records import StudentState, WorkRecord

#: Points are sums of decimal fractions; less than this is missing by rounding only.
TOLERANCE = 1e-9

#: Checks by assignment: what a criterion looks at.
Checks = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class CourseChecks:
    """An outline by name, made once for a class.

    ``max_points`` are those of each check (``grade_id``) of each assignment, ``exercises`` the
    checks of each exercise, ``concepts`` the checks of all exercises that practise a detail.
    """

    max_points: Mapping[str, Mapping[str, float]]
    exercises: Mapping[str, Mapping[str, frozenset[str]]]
    concepts: Mapping[str, Checks]

    @classmethod
    def of(cls, outline: CourseOutline) -> CourseChecks:
        """Take a course's outline apart."""
        concepts: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        max_points, exercises = {}, {}
        for chapter in outline.chapters:
            name = chapter.assignment
            max_points[name] = {
                grade_id: points
                for exercise in chapter.exercises
                for grade_id, points in exercise.checks.items()
            }
            exercises[name] = {
                exercise.grade_id: frozenset(exercise.checks) for exercise in chapter.exercises
            }
            for exercise in chapter.exercises:
                for key in exercise.concepts:
                    before = concepts[key].get(name, frozenset())
                    concepts[key][name] = before | exercises[name][exercise.grade_id]
        return cls(max_points, exercises, dict(concepts))

    def chapter(self, assignment: str) -> frozenset[str]:
        """Return all checks of an assignment; none if the course has no such assignment."""
        return frozenset(self.max_points.get(assignment, {}))

    def exercise(self, assignment: str, grade_id: str) -> frozenset[str]:
        """Return the checks of an exercise; none if there is no such exercise."""
        return self.exercises.get(assignment, {}).get(grade_id, frozenset())

    def concept(self, key: str) -> Checks:
        """Return the checks of all exercises that practise a detail."""
        return self.concepts.get(key, {})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one student's released grades show, in a course with these checks."""

    checks: CourseChecks
    works: Mapping[str, WorkRecord] = field(default_factory=dict)
    weeks: int = 0

    @classmethod
    def of(cls, state: StudentState | None, checks: CourseChecks) -> Evidence:
        """Read it off what a student's log folds into; None is a student without a log."""
        if state is None:
            return cls(checks)
        return cls(checks, state.works, len(state.evidence_weeks))

    def points(self, assignment: str) -> Mapping[str, float]:
        """Return the points of the released attempt that counts, by check; empty without one."""
        work = self.works.get(assignment)
        return {} if work is None or work.submission_id is None else work.points

    def is_full(self, assignment: str, grade_id: str) -> bool:
        """Whether a check of the course has all its points."""
        most = self.checks.max_points.get(assignment, {}).get(grade_id)
        points = self.points(assignment).get(grade_id)
        return most is not None and points is not None and points >= most - TOLERANCE

    def full(self, assignment: str, grade_ids: Iterable[str]) -> int:
        """Return how many of these checks have all their points."""
        return sum(self.is_full(assignment, grade_id) for grade_id in grade_ids)

    def are_full(self, checks: Checks) -> bool:
        """Whether there are checks, and all of them have all their points."""
        return bool(checks) and all(
            self.is_full(assignment, grade_id)
            for assignment, grade_ids in checks.items()
            for grade_id in grade_ids
        )

    def chapter_points(self, assignment: str) -> float:
        """Return the points of a chapter's checks; no check gives more than it can."""
        most, points = self.checks.max_points.get(assignment, {}), self.points(assignment)
        return sum(min(points.get(grade_id, 0.0), each) for grade_id, each in most.items())

    def shown_by(self, checks: Checks) -> tuple[AwardEvidence, ...]:
        """Return the points of these checks, with the submissions that they are of."""
        found = []
        for assignment in sorted(checks):
            work = self.works.get(assignment)
            if work is None or work.submission_id is None:
                continue
            points = {
                grade_id: work.points[grade_id]
                for grade_id in sorted(checks[assignment])
                if grade_id in work.points
            }
            found.append(AwardEvidence(assignment, work.submission_id, points))
        return tuple(found)

    def has_kept(self, shown: AwardEvidence) -> bool:
        """Whether no point of this has fallen since, in whatever submission counts now."""
        points = self.points(shown.assignment)
        return all(
            grade_id in points and points[grade_id] >= before - TOLERANCE
            for grade_id, before in shown.points.items()
        )
