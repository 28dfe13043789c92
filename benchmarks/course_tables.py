"""Writes what the documentation of the course has from the notebooks, and the cheat sheet's page.

    python benchmarks/course_tables.py            docs/course.md, the instructor's guide, the page
    python benchmarks/course_tables.py --checks   also docs/course-checks.md (all mutants)

A table stands between ``<!-- name -->`` and ``<!-- end -->``. The suite asks whether all but the
strength of the checks is what would be written (tests/notebooks/test_course_tables.py).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from course_sheet import printed
from exercises import NOTEBOOKS, Exercise, exercises
from mutants import (
    Outcome,
    examine,
    missed_mistakes,
    refused_variants,
    run,
    seconds,
)
from mutation import mutants

from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.domain.chapters import Chapter, Tier
from jupyter_ppo.domain.details import DETAILS

DOCS = NOTEBOOKS.parent / "docs"
COURSE, GUIDE, CHECKS, SHEET = (
    DOCS / f"{name}.md" for name in ("course", "instructors-guide", "course-checks", "cheat-sheet")
)
PAGE = SHEET.with_suffix(".html")
MEASURED = NOTEBOOKS.parent / ".artifacts" / "checks"
#: Mutants of an exercise that are tried: those that take so many seconds, and at least so many.
SECONDS, LEAST_TRIED = 30.0, 20


@cache
def chapters() -> dict[str, Chapter]:
    """Return the chapters of the course by the names of their notebooks."""
    found = {
        path.stem: read_chapter(path.read_bytes()) for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    }
    return {name: chapter for name, chapter in found.items() if chapter is not None}


def chapter_table() -> str:
    """Return what is in each chapter."""
    rows = [
        (
            f"[{chapter.number:02d}](../notebooks/{name}.ipynb)",
            chapter.title,
            f"{chapter.minutes} min",
            ", ".join(f"`{exercise.grade_id}`" for exercise in chapter.exercises),
            f"{sum(exercise.points for exercise in chapter.exercises):g}",
            f"{sum(text.points for text in chapter.free_texts):g}",
            str(len(chapter.questions)),
        )
        for name, chapter in chapters().items()
    ]
    titles = ("", "chapter", "about", "exercises", "points", "in words", "quiz questions")
    return table(titles, rows)


def detail_table() -> str:
    """Return where each implementation detail of PPO is explained, practised and taken away."""
    rows = [
        (
            str(detail.number or ""),
            detail.title,
            code(name for name, chapter in chapters().items() if detail.key in chapter.explained),
            code(
                f"{name}`, `{exercise.grade_id}"
                for name, chapter in chapters().items()
                for exercise in chapter.exercises
                if detail.key in exercise.details
            ),
            code(name for name, chapter in chapters().items() if detail.key in chapter.ablated),
        )
        for detail in DETAILS
    ]
    return table(("no.", "detail", "explained", "exercise", "ablation shown"), rows)


def goal_table(chapter: Chapter) -> str:
    """Return the goals of a chapter, and what asks for them beside its exercises."""
    asked = Counter(goal for question in chapter.questions for goal in question.goals)
    told = {goal: f"`{text.grade_id}`" for text in chapter.free_texts for goal in text.goals}
    rows = [
        (f"`{goal}`", sentence, str(asked[goal] or "no"), told.get(goal, "no"))
        for goal, sentence in chapter.goals.items()
    ]
    return table(("goal", "afterwards one can", "quiz", "in words"), rows)


def tier_table(chapter: Chapter) -> str:
    """Return the exercises of a chapter: the goals they serve, and their checks by tier."""
    rows = [
        (
            f"`{exercise.grade_id}`",
            code(exercise.goals, ", "),
            *(
                "; ".join(
                    f"`{check.grade_id}` {check.points:g}"
                    for check in exercise.checks
                    if check.tier is tier
                )
                for tier in Tier
            ),
        )
        for exercise in chapter.exercises
    ]
    return table(("exercise", "serves", *(tier.value for tier in Tier)), rows)


def code(names: Iterable[str], between: str = "; ") -> str:
    """Return names as code, or a dash."""
    return between.join(f"`{name}`" for name in names) or "–"  # noqa: RUF001 - a dash


def check_table() -> str:
    """Return how many wrong answers each exercise's checks catch, and how many right ones pass."""
    rows: list[Sequence[str]] = []
    for name in chapters():
        for exercise in exercises(name):
            rows.append((name[:2], *strength(exercise)))
            print(*rows[-1], flush=True)
    titles = (
        "chapter",
        "exercise",
        "points",
        "mutants",
        "tried",
        "caught",
        "mistakes caught",
        "right answers accepted",
        "points of the skeleton",
    )
    return table(titles, rows)


def strength(exercise: Exercise) -> list[str]:
    """Return a row of the table; what was measured of the same exercise before is not again."""
    known = MEASURED / f"{hashlib.sha256(repr(exercise).encode()).hexdigest()[:20]}.json"
    if known.exists():
        found: list[str] = json.loads(known.read_text(encoding="utf-8"))
        return found
    made = len(mutants(exercise.solution))
    # Some train: thousands of mutants of theirs would take hours.
    result = examine(exercise, max(LEAST_TRIED, int(SECONDS / max(seconds(exercise), 1e-3))))
    mistakes, variants = len(exercise.mistakes), len(exercise.variants)
    wrong = len(result.mutants) - len(result.equivalent)
    (skeleton,) = run(exercise, [exercise.skeleton])
    row = [
        f"`{exercise.name}`",
        f"{exercise.points:g}",
        f"{made:,}",
        f"{wrong:,}",
        f"{wrong - len(result.survivors):,} ({result.caught:.1%})".replace("%", " %"),
        f"{mistakes - len(missed_mistakes(exercise))} of {mistakes}",
        f"{variants - len(refused_variants(exercise))} of {variants}",
        "0" if skeleton is Outcome.NOTHING else skeleton.value,
    ]
    MEASURED.mkdir(parents=True, exist_ok=True)
    known.write_text(json.dumps(row), encoding="utf-8")
    return row


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_table(text: str, name: str, new: str) -> str:
    """Return ``text`` with a new table between its marks; raise ``ValueError`` without marks."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marks.search(text):
        msg = f"there is no <!-- {name} --> ... <!-- end --> in the page"
        raise ValueError(msg)
    return marks.sub(lambda found: f"{found[1]}\n{new}\n\n{found[2]}", text)


def course_tables() -> dict[str, str]:
    """Return the tables of docs/course.md."""
    return {"chapters": chapter_table(), "details": detail_table()}


def guide_tables() -> dict[str, str]:
    """Return the tables of the instructor's guide: two for each chapter."""
    return {
        f"chapter {chapter.number:02d}": f"{goal_table(chapter)}\n\n{tier_table(chapter)}"
        for chapter in chapters().values()
    }


def with_tables(text: str, tables: dict[str, str]) -> str:
    """Return a page with new tables; raise ``ValueError`` where the marks of one are missing."""
    for name, new in tables.items():
        text = with_table(text, name, new)
    return text


def write(path: Path, tables: dict[str, str]) -> None:
    """Write tables into a page."""
    text = with_tables(path.read_text(encoding="utf-8"), tables)
    path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all of it."""
    parser = argparse.ArgumentParser(description="The tables of the course's documentation.")
    parser.add_argument("--checks", action="store_true", help="run all mutants, too (minutes)")
    options = parser.parse_args(arguments)
    write(COURSE, course_tables())
    write(GUIDE, guide_tables())
    PAGE.write_text(printed(SHEET.read_text(encoding="utf-8")), encoding="utf-8")
    if options.checks:
        write(CHECKS, {"checks": check_table()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
