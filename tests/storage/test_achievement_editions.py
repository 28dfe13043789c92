"""The package's rules name what the notebooks have; editions are added and numbered."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from jupyter_ppo.autograde.cells import kind_of, nbgrader_of
from jupyter_ppo.autograde.chapter_outline import chapter_outline
from jupyter_ppo.domain.achievement_rules import rules_from
from jupyter_ppo.domain.achievements import AchievementRule
from jupyter_ppo.domain.awarding import met, unreachable
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Course, Exercise
from jupyter_ppo.domain.evidence import CourseChecks, Evidence
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.outline import CourseOutline, in_order
from jupyter_ppo.domain.progress_records import StudentState, WorkRecord
from jupyter_ppo.storage.achievement_editions import add_edition, default_edition, edition_of
from jupyter_ppo.storage.database import Database

ROOT: Final = Path(__file__).parents[2]
RULES = {rule.id: rule for rule in default_edition().rules}


@cache
def course_checks() -> CourseChecks:
    """Return the checks of the thirteen chapters as a server reads them."""
    chapters = []
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        source = path.read_bytes()
        graded = [
            Exercise(nbgrader_of(cell)["grade_id"], kind, nbgrader_of(cell)["points"], position)
            for position, cell in enumerate(json.loads(source)["cells"])
            if (kind := kind_of(cell)) in {CellKind.TESTS, CellKind.MANUAL}
        ]
        chapters.append(chapter_outline(path.stem, AssignmentKind.NOTEBOOK, source, graded))
    assert len(chapters) == 13
    return CourseChecks.of(CourseOutline("ppo", in_order(chapters)))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_name_in_the_rules_is_in_the_notebooks(rule: AchievementRule) -> None:
    assert unreachable(rule, course_checks()) is None


def test_who_has_every_point_gets_every_achievement_but_that_of_weeks() -> None:
    works = {
        name: WorkRecord(submission_id=new_id(), points=dict(points))
        for name, points in course_checks().max_points.items()
    }
    evidence = Evidence.of(StudentState("sam", works=works), course_checks())
    lacking = [rule.id for rule in RULES.values() if not met(rule, evidence).is_met]
    assert lacking == ["five-weeks"]
    weeks = {f"2026-W{number}" for number in range(30, 35)}
    worked = Evidence.of(StudentState("sam", works=works, evidence_weeks=weeks), course_checks())
    assert all(met(rule, worked).is_met for rule in RULES.values())
    nothing = Evidence.of(None, course_checks())
    assert not any(met(rule, nothing).is_met for rule in RULES.values())


def test_there_are_rules_for_every_chapter() -> None:
    named = {
        criterion.data["assignment"]
        for rule in RULES.values()
        if rule.id != "whole-course"
        for criterion in rule.criteria
        if "assignment" in criterion.data
    }
    assert named == set(course_checks().max_points)
    assert 20 <= len(RULES) <= 30


def test_words_of_the_rules_are_plain_and_ids_go_into_file_names() -> None:
    for rule in RULES.values():
        assert rule.description.endswith(".")
        assert not rule.title.endswith(".")


@pytest.mark.parametrize(
    ("rule_id", "cell", "words"),
    [
        ("gae-three-lambdas", "compute_gae_hand", ["(0.0,", "(0.95,", "(1.0,", "atol=1e-5"]),
        ("ratio-one", "update_by_hand", ["in the first minibatch every ratio is 1", "1e-9"]),
        ("ratio-one", "update_random", ["in the first minibatch every ratio is 1", "1e-9"]),
        ("eight-bugs", "diagnosis_whole", ["right == 8"]),
        ("twelve-mutants", "own_mutants", ["twelve wrong implementations"]),
        ("cartpole-held-out", "capstone_random", ["912_300, 912_320", "report.mean >= 490"]),
        ("poles-never-met", "capstone_properties", ["report.low >= 460"]),
    ],
)
def test_what_a_title_says_is_what_its_check_examines(
    rule_id: str, cell: str, words: list[str]
) -> None:
    [criterion] = RULES[rule_id].criteria
    assert cell in criterion.data["grade_ids"]
    path = ROOT / "notebooks" / f"{criterion.data['assignment']}.ipynb"
    [source] = [
        each["source"]
        for each in json.loads(path.read_bytes())["cells"]
        if each["metadata"].get("nbgrader", {}).get("grade_id") == cell
    ]
    for word in words:
        assert word in "".join(source)


def rules(*ids: str, count: int = 1) -> tuple[AchievementRule, ...]:
    criteria = [{"kind": "weeks", "data": {"count": count}}]
    return rules_from(
        [{"id": each, "title": "T", "description": "D", "criteria": criteria} for each in ids]
    )


def test_a_course_without_an_edition_has_the_packages(database: Database, course: Course) -> None:
    with database.session() as session:
        assert edition_of(session, course.id) == default_edition()
    assert default_edition().number == 0


def test_editions_are_added_and_the_newest_is_in_force(database: Database, course: Course) -> None:
    with database.begin() as session:
        first = add_edition(session, course.id, rules("a", "b"), "ines")
    with database.begin() as session:
        second = add_edition(session, course.id, rules("b", count=2), "ines")
    with database.begin() as session:
        third = add_edition(session, course.id, rules("a", "b", "first-episode"), "gil")
        assert edition_of(session, course.id) == third
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    versions = [{rule.id: rule.version for rule in each.rules} for each in (first, second, third)]
    assert versions == [{"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 3, "first-episode": 2}]
    assert third.created_by == "gil"
    with database.session() as session:
        assert edition_of(session, new_id()) == default_edition()
