"""What progress needs to know of an assignment, read from its author's file once a version.

A notebook of the course says of its exercises what they teach. Of any other notebook the cells
say enough: the tests that follow an answer are its checks, and the heading above is its title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, text_of
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.entry_document import read_definition
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.domain.chapters import Chapter
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.outline import OutlineChapter, OutlineExercise, plain_chapter

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_NUMBER = re.compile(r"\d+\s*[·.:)-]\s*")
_MAX_TITLE = 200


def chapter_outline(
    assignment: str, kind: AssignmentKind, source: bytes, graded: Sequence[Exercise]
) -> OutlineChapter:
    """Return the chapter that a version of an assignment is.

    ``source`` is the author's file (a notebook, or the definition of an entry), ``graded`` what
    the version counts, whose points hold whatever the file says. A file that cannot be read gives
    an exercise for each of them; nothing is raised.
    """
    try:
        if kind is AssignmentKind.ENTRY:
            return _entry(assignment, source, graded)
        return _notebook(assignment, source, graded)
    except InvalidInputError:
        return plain_chapter(assignment, kind, graded)


def _entry(assignment: str, source: bytes, graded: Sequence[Exercise]) -> OutlineChapter:
    definition = read_definition(source)
    titles = {criterion.name: criterion.title for criterion in definition.rubric}
    chapter = plain_chapter(assignment, AssignmentKind.ENTRY, graded)
    exercises = tuple(
        replace(each, title=titles.get(each.grade_id, each.title)) for each in chapter.exercises
    )
    return replace(chapter, title=definition.title, exercises=exercises)


def _notebook(assignment: str, source: bytes, graded: Sequence[Exercise]) -> OutlineChapter:
    cells: list[dict[str, Any]] = read_notebook(source)["cells"]
    chapter = _chapter(source)
    found = _grouped(cells, graded, {} if chapter is None else _belonging(chapter))
    titles = _titles(found)
    taught = {} if chapter is None else _taught(chapter)
    exercises = tuple(
        OutlineExercise(
            each.grade_id, titles[each.grade_id], each.checks, *taught.get(each.grade_id, ((), ()))
        )
        for each in found
    )
    if chapter is None:
        title = next((text for rank, text in _headings(cells) if rank == 1), assignment)
        return OutlineChapter(assignment, title, None, AssignmentKind.NOTEBOOK, 0, {}, exercises)
    return OutlineChapter(
        assignment,
        chapter.title,
        chapter.number,
        AssignmentKind.NOTEBOOK,
        chapter.minutes,
        chapter.goals,
        exercises,
    )


def _chapter(source: bytes) -> Chapter | None:
    """Return the chapter; a notebook whose metadata of one are wrong is an ordinary notebook."""
    try:
        return read_chapter(source)
    except InvalidInputError:
        return None


def _belonging(chapter: Chapter) -> Mapping[str, str]:
    """Return which answer each test is of, as the chapter says."""
    return {
        check.grade_id: exercise.grade_id
        for exercise in chapter.exercises
        for check in exercise.checks
    }


def _taught(chapter: Chapter) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return goals and details by the grade_id of the answer."""
    found = {each.grade_id: (each.goals, each.details) for each in chapter.exercises}
    return found | {each.grade_id: (each.goals, ()) for each in chapter.free_texts}


@dataclass(slots=True)
class _Group:
    grade_id: str
    heading: str
    checks: dict[str, float]


def _grouped(
    cells: Iterable[Mapping[str, Any]], graded: Iterable[Exercise], belonging: Mapping[str, str]
) -> list[_Group]:
    """Return the answers with their checks, in the notebook's order.

    A test is a check of the answer before it, where ``belonging`` says nothing else; one without
    an answer stands alone, as does whatever a person marks.
    """
    points = {each.grade_id: each.points for each in graded if each.points > 0}
    groups: dict[str, _Group] = {}
    heading, answer = "", ""
    for cell in cells:
        for rank, text in _headings([cell]):
            if rank > 1:
                heading = text
        grade_id, kind = grade_id_of(dict(cell)), kind_of(dict(cell))
        if grade_id is None:
            continue
        if kind is CellKind.SOLUTION:
            answer = grade_id
            groups.setdefault(grade_id, _Group(grade_id, heading, {}))
        elif grade_id in points:
            name = belonging.get(grade_id, answer) if kind is CellKind.TESTS else ""
            group = groups.setdefault(name or grade_id, _Group(name or grade_id, heading, {}))
            group.checks[grade_id] = points.pop(grade_id)
    # What the version counts and the file does not have; nothing that gives points is left out.
    for grade_id, most in points.items():
        groups[grade_id] = _Group(grade_id, "", {grade_id: most})
    return [group for group in groups.values() if group.checks]


def _titles(groups: Iterable[_Group]) -> Mapping[str, str]:
    """Return a title for each: the heading above it, with its name where others have the same."""
    kept = list(groups)
    headings = [group.heading for group in kept]
    return {
        group.grade_id: group.grade_id
        if not group.heading
        else group.heading
        if headings.count(group.heading) == 1
        else f"{group.heading}: {group.grade_id}"
        for group in kept
    }


def _headings(cells: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Yield rank and words of the headings in texts, without numbers and code marks."""
    for cell in cells:
        if cell.get("cell_type") != "markdown":
            continue
        fence = ""
        for line in text_of(cell.get("source")).splitlines():
            mark = _FENCE.match(line)
            if fence:
                fence = "" if mark and mark[1].startswith(fence) else fence
            elif mark:
                fence = mark[1]
            elif found := _HEADING.match(line):
                words = found[2].rstrip("# \t")
                number = _NUMBER.match(words)
                words = words[number.end() :] if number else words
                words = " ".join(words.replace("`", "").split())[:_MAX_TITLE]
                if words:
                    yield len(found[1]), words
