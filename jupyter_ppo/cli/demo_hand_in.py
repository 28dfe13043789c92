"""Brings the demo's class into its course: enrols it, and hands in its notebooks as people would.

Done twice it does nothing the second time. Grading is the server's, in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import nbformat

from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.course_files import chapters, course_notebook, reference_answers
from jupyter_ppo.cli.demo_class import CLASS, DUE, HAND_INS, Change, HandIn, Person
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.domain.terms import LatePolicy, LateRule


def release_chapters(context: Context, course: str, names: Iterable[str] | None = None) -> None:
    """Release the chapters that the course does not have yet, in their order."""
    assessment, caller = context.service.assessment, context.caller
    for name in chapters() if names is None else names:
        try:
            assessment.assignment(caller, course, name)
        except NotFoundError:
            source = course_notebook(name).read_bytes()
            chapter = read_chapter(source)
            words = "" if chapter is None else f"Chapter {chapter.number}: {chapter.title}"
            assessment.release(caller, course, name, source, words)


def enrol(context: Context, course: str, people: Iterable[Person] = CLASS) -> None:
    """Make the class students of the course; nobody who was taken out of it comes back."""
    roster, caller = context.service.use_cases.roster, context.caller
    for person in people:
        try:
            roster.member(caller, course, person.user)
        except NotFoundError:
            change = PersonChange(first_name=person.first_name, last_name=person.last_name)
            roster.put_member(
                caller, course, person.user, Role.STUDENT, change, groups=[str(person.kind)]
            )


def hand_in(context: Context, course: str, hand_ins: Iterable[HandIn] = HAND_INS) -> int:
    """Hand in what is not there yet; return how many notebooks were."""
    assessment, caller = context.service.assessment, context.caller
    roster = context.service.use_cases.roster
    members = {member.user for member in roster.every_member(caller, course)}
    begun = datetime.now(UTC)
    done = 0
    for number, each in _numbered(hand_ins):
        if each.user not in members:  # taken out of the course since
            continue
        there = assessment.submissions(
            caller, course, user=each.user, assignment=each.chapter, offset=0, limit=1
        )
        if there.total >= number:
            continue
        student = Caller(each.user)
        released = assessment.released_notebook(student, course, each.chapter)
        data = answered(released, each)
        if each.hours_ago is None:
            assessment.submit(student, course, each.chapter, data)
        else:
            _set_due(context, course, each.chapter, begun)
            when = begun - timedelta(hours=each.hours_ago)
            assessment.collect(caller, course, each.chapter, each.user, data, submitted_at=when)
        done += 1
    return done


def _numbered(hand_ins: Iterable[HandIn]) -> Iterator[tuple[int, HandIn]]:
    """Yield each with its number among the attempts of the same person at the same chapter."""
    seen: dict[tuple[str, str], int] = {}
    for each in hand_ins:
        key = (each.user, each.chapter)
        seen[key] = seen.get(key, 0) + 1
        yield seen[key], each


def _set_due(context: Context, course: str, chapter: str, now: datetime) -> None:
    """Let the chapter have been due, unless somebody has set its terms."""
    service, caller = context.service.use_cases.terms, context.caller
    terms = service.terms(caller, course, chapter).terms
    if chapter in DUE and terms.revision == 0:
        due = now - timedelta(hours=DUE[chapter])
        late = LatePolicy(rule=LateRule.PER_DAY)
        service.set_terms(caller, course, chapter, replace(terms, due_at=due, late=late))


def answered(released: bytes, hand_in: HandIn) -> bytes:
    """Return the students' copy as this person hands it in.

    Raises ``ConflictError`` if the author's solution has not the text that a change speaks of.
    """
    notebook = nbformat.reads(released.decode("utf-8"), as_version=4)
    solutions = reference_answers(hand_in.chapter)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        name = marks.get("grade_id")
        if name in solutions:
            change = hand_in.changes.get(name, solutions[name])
            cell.source = _changed(cell.source, solutions[name], change)
        elif marks.get("grade") and hand_in.forged_points is not None:
            marks["points"] = hand_in.forged_points
    return str(nbformat.writes(notebook)).encode("utf-8")


def _changed(skeleton: str, solution: str, change: Change) -> str:
    if change is None:
        return skeleton
    if isinstance(change, str):
        return change.strip()
    old, new = change
    if old not in solution:
        msg = f"The demo's class changes {old!r}, which is not in the author's solution."
        raise ConflictError(msg, field="demo")
    return solution.replace(old, new)
