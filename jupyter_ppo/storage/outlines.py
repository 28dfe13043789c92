"""Outlines of courses: what one version gives is kept, and all versions together are a course's.

A version never changes, so what was read of one stays in memory. Which versions are the newest, and
their terms, are asked each time: that is one query over a course's assignments.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind, Exercise
from jupyter_ppo.domain.outline import (
    CourseOutline,
    FoundOutline,
    OutlineChapter,
    OutlineExercise,
    UnreadVersion,
    in_order,
    plain_chapter,
)
from jupyter_ppo.domain.terms import Extension, Terms
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseRow,
    ExtensionRow,
    GroupMemberRow,
    OutlineRow,
    TermsRow,
    VersionRow,
)
from jupyter_ppo.storage.term_rows import read_extension, read_terms

#: Versions whose chapters are kept in memory; each takes some ten KiB.
_KEPT = 2_000


class _Newest(NamedTuple):
    """The newest version of an assignment, and its terms."""

    course: str
    assignment_id: UUID
    assignment: str
    kind: AssignmentKind
    version_id: UUID
    source_digest: str
    terms: TermsRow | None


class _Chapters:
    """The chapters of versions in memory, those used last; for any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, OutlineChapter] = OrderedDict()
        self._lock = Lock()

    def get(self, version_id: UUID) -> OutlineChapter | None:
        with self._lock:
            found = self._kept.get(version_id)
            if found is not None:
                self._kept.move_to_end(version_id)
            return found

    def put(self, version_id: UUID, chapter: OutlineChapter) -> None:
        with self._lock:
            self._kept[version_id] = chapter
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


#: A version has one id on every server, and never changes: all databases of a process share this.
_CHAPTERS = _Chapters()


class Outlines:
    """``services.outlines.OutlineStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def outline(self, course_id: UUID) -> FoundOutline:
        """Return the outline of the newest versions, with the terms for everybody."""
        with self._database.session() as session:
            return find_outline(session, course_id)

    def own(self, course_id: UUID, user: str) -> tuple[FoundOutline, Mapping[str, Terms]]:
        """Return the outline, and the terms as they are for ``user`` where these differ."""
        with self._database.session() as session:
            found = find_outline(session, course_id)
            return found, _own_terms(session, course_id, found.terms, user)

    def put(self, version_id: UUID, chapter: OutlineChapter) -> None:
        """Keep what was read of a version; what is kept already stays."""
        with self._database.begin() as session:
            if session.get(OutlineRow, version_id) is None:
                session.add(OutlineRow(version_id=version_id, chapter=chapter_data(chapter)))

    def courses(self) -> tuple[UUID, ...]:
        """Return the courses that are not in the trash."""
        query = select(CourseRow.id).where(CourseRow.deleted_at.is_(None)).order_by(CourseRow.id)
        with self._database.session() as session:
            return tuple(session.scalars(query))


def course_outline(session: Session, course_id: UUID) -> CourseOutline:
    """Return a course's outline within a transaction, with the times for everybody."""
    return find_outline(session, course_id).outline


def find_outline(session: Session, course_id: UUID) -> FoundOutline:
    """Return a course's outline: one query, and two more when a version is new to this process."""
    newest = (
        select(func.max(VersionRow.number))
        .where(VersionRow.assignment_id == AssignmentRow.id)
        .correlate(AssignmentRow)
        .scalar_subquery()
    )
    found = session.execute(
        select(
            CourseRow.name,
            AssignmentRow.id,
            AssignmentRow.name,
            AssignmentRow.kind,
            VersionRow.id,
            VersionRow.source_digest,
            TermsRow,
        )
        .join(AssignmentRow, AssignmentRow.course_id == CourseRow.id)
        .join(VersionRow, VersionRow.assignment_id == AssignmentRow.id)
        .outerjoin(TermsRow, TermsRow.assignment_id == AssignmentRow.id)
        .where(
            CourseRow.id == course_id,
            AssignmentRow.deleted_at.is_(None),
            VersionRow.number == newest,
        )
    )
    rows = [_Newest(*row) for row in found]
    if not rows:
        name = session.scalar(select(CourseRow.name).where(CourseRow.id == course_id))
        return FoundOutline(CourseOutline(name or ""), (), {})
    chapters, unread = _chapters(session, rows)
    terms = {row.assignment: read_terms(row.terms) for row in rows}
    timed = (_with_times(chapters[row.version_id], terms[row.assignment]) for row in rows)
    return FoundOutline(CourseOutline(rows[0].course, in_order(timed)), unread, terms)


def _chapters(
    session: Session, rows: Sequence[_Newest]
) -> tuple[Mapping[UUID, OutlineChapter], tuple[UnreadVersion, ...]]:
    chapters: dict[UUID, OutlineChapter] = {}
    absent: dict[UUID, _Newest] = {}
    for row in rows:
        known = _CHAPTERS.get(row.version_id)
        if known is None:
            absent[row.version_id] = row
        else:
            chapters[row.version_id] = known
    if not absent:
        return chapters, ()
    for kept in session.scalars(select(OutlineRow).where(OutlineRow.version_id.in_(absent))):
        row = absent.pop(kept.version_id)
        chapter = read_chapter_data(row.assignment, row.kind, kept.chapter)
        chapters[kept.version_id] = chapter
        _CHAPTERS.put(kept.version_id, chapter)
    if not absent:
        return chapters, ()
    graded: dict[UUID, list[Exercise]] = defaultdict(list)
    for cell in session.scalars(
        select(ExerciseRow).where(ExerciseRow.version_id.in_(absent)).order_by(ExerciseRow.position)
    ):
        exercise = Exercise(cell.grade_id, cell.kind, cell.points, cell.position)
        graded[cell.version_id].append(exercise)
    for each, row in absent.items():
        chapters[each] = plain_chapter(row.assignment, row.kind, graded[each])
    return chapters, tuple(
        UnreadVersion(each, row.assignment, row.kind, row.source_digest, tuple(graded[each]))
        for each, row in absent.items()
    )


def _with_times(chapter: OutlineChapter, terms: Terms) -> OutlineChapter:
    return replace(chapter, opens_at=terms.opens_at, due_at=terms.due_at, closes_at=terms.closes_at)


def _own_terms(
    session: Session, course_id: UUID, terms: Mapping[str, Terms], user: str
) -> Mapping[str, Terms]:
    groups = select(GroupMemberRow.group_id).where(GroupMemberRow.user == user)
    found: dict[str, list[Extension]] = defaultdict(list)
    for name, row in session.execute(
        select(AssignmentRow.name, ExtensionRow)
        .join(ExtensionRow, ExtensionRow.assignment_id == AssignmentRow.id)
        .where(
            AssignmentRow.course_id == course_id,
            ExtensionRow.revoked_at.is_(None),
            or_(ExtensionRow.user == user, ExtensionRow.group_id.in_(groups)),
        )
    ):
        found[name].append(read_extension(row))
    return {name: terms[name].with_extensions(own) for name, own in found.items() if name in terms}


# -- as it is kept -------------------------------------------------------------------------------


def chapter_data(chapter: OutlineChapter) -> dict[str, Any]:
    """Return plain data of what a version says of a chapter; times are those of its terms."""
    return {
        "title": chapter.title,
        "number": chapter.number,
        "minutes": chapter.minutes,
        "goals": dict(chapter.goals),
        "exercises": [
            {
                "grade_id": each.grade_id,
                "title": each.title,
                # A list, as an object's names come back in any order from PostgreSQL's jsonb.
                "checks": [[name, points] for name, points in each.checks.items()],
                "goals": list(each.goals),
                "concepts": list(each.concepts),
            }
            for each in chapter.exercises
        ],
    }


def read_chapter_data(
    assignment: str, kind: AssignmentKind, data: Mapping[str, Any]
) -> OutlineChapter:
    """Return the chapter that ``chapter_data`` wrote."""
    return OutlineChapter(
        assignment=assignment,
        title=data["title"],
        number=data["number"],
        kind=kind,
        minutes=data["minutes"],
        goals=data["goals"],
        exercises=tuple(
            OutlineExercise(
                each["grade_id"],
                each["title"],
                {name: float(points) for name, points in each["checks"]},
                tuple(each["goals"]),
                tuple(each["concepts"]),
            )
            for each in data["exercises"]
        ),
    )
