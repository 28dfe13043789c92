"""Decisions about achievements: granted, kept, given up, and back again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.achievements import (
    AchievementCriterion,
    AchievementRule,
    Award,
    AwardEvidence,
    CriterionKind,
)
from jupyter_ppo.domain.awarding import (
    AwardChange,
    Granted,
    Met,
    Refreshed,
    Revoked,
    decide,
    holds,
    met,
    rests_on,
    unreachable,
)
from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.evidence import CourseChecks, Evidence
from jupyter_ppo.domain.outline import CourseOutline, OutlineChapter, OutlineExercise
from jupyter_ppo.domain.progress_records import StudentState, WorkRecord

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COURSE, FIRST = UUID(int=1), UUID(int=2)


def chapter(name: str, *exercises: OutlineExercise) -> OutlineChapter:
    return OutlineChapter(name, name, 1, AssignmentKind.NOTEBOOK, 60, {}, exercises)


GAE = chapter(
    "gae",
    OutlineExercise("single", "", {"hand": 2.0, "random": 0.3}, concepts=("core-5",)),
    OutlineExercise("why", "", {"why": 4.0}),
)
CLIP = chapter(
    "clip",
    OutlineExercise("loss", "", {"loss_hand": 1.0}, concepts=("core-8", "core-5")),
)
CHECKS = CourseChecks.of(CourseOutline("ppo", (GAE, CLIP)))
FULL = {"gae": {"hand": 2.0, "random": 0.1 + 0.2, "why": 4.0}, "clip": {"loss_hand": 1.0}}


def shown(
    works: Mapping[str, Mapping[str, float]],
    weeks: int = 0,
    checks: CourseChecks = CHECKS,
    submission: UUID = FIRST,
) -> Evidence:
    records = {
        name: WorkRecord(submission_id=submission, points=dict(points))
        for name, points in works.items()
    }
    state = StudentState("sam", works=records, evidence_weeks={f"W{i}" for i in range(weeks)})
    return Evidence.of(state, checks)


def criterion(kind: str, **data: Any) -> AchievementCriterion:
    return AchievementCriterion(CriterionKind(kind), data)


HAND = criterion("checks", assignment="gae", grade_ids=["hand", "random"])


def rule(*criteria: AchievementCriterion, version: int = 1, rule_id: str = "a") -> AchievementRule:
    return AchievementRule(rule_id, version, "Title", "Description", criteria)


def awarded(given: Granted, **more: Any) -> Award:
    return replace(Award(uuid4(), COURSE, "sam", given.rule, given.evidence, NOW), **more)


def granted(of: AchievementRule, evidence: Evidence) -> Award:
    [change] = decide([of], [], evidence)
    assert isinstance(change, Granted)
    return awarded(change)


@pytest.mark.parametrize(
    ("asked", "works", "weeks", "expected"),
    [
        (HAND, {}, 0, Met(0, 2, "checks")),
        (HAND, {"gae": {"hand": 2.0, "random": 0.2}}, 0, Met(1, 2, "checks")),
        (HAND, FULL, 0, Met(2, 2, "checks")),
        (criterion("exercise", assignment="gae", grade_id="single"), FULL, 0, Met(2, 2, "checks")),
        (criterion("exercise", assignment="gae", grade_id="why"), {}, 0, Met(0, 1, "checks")),
        (criterion("exercise", assignment="gae", grade_id="none"), FULL, 0, Met(0, 1, "checks")),
        (criterion("chapter", assignment="clip", fraction=1), FULL, 0, Met(1, 1, "points")),
        (criterion("chapter", assignment="gae", fraction=1), FULL, 0, Met(7, 7, "points")),
        (
            criterion("chapter", assignment="gae", fraction=0.5),
            {"gae": {"hand": 2.0, "why": 1.0}},
            0,
            Met(3, 4, "points"),
        ),
        (
            criterion("chapter", assignment="gae", fraction=0.5),
            {"gae": {"why": 3.2}},
            0,
            Met(4, 4, "points"),
        ),
        (criterion("chapter", assignment="none", fraction=0.5), FULL, 0, Met(0, 1, "points")),
        (criterion("chapters", count=2), FULL, 0, Met(2, 2, "chapters")),
        (criterion("chapters", count=2), {"clip": FULL["clip"]}, 0, Met(1, 2, "chapters")),
        (criterion("concepts", count=2), FULL, 0, Met(2, 2, "details")),
        (criterion("concepts", keys=["core-8"]), {"clip": FULL["clip"]}, 0, Met(1, 1, "details")),
        (criterion("concepts", keys=["core-5"]), {"clip": FULL["clip"]}, 0, Met(0, 1, "details")),
        (criterion("concepts", keys=["core-1"]), FULL, 0, Met(0, 1, "details")),
        (criterion("weeks", count=3), {}, 2, Met(2, 3, "weeks")),
    ],
)
def test_a_criterion_is_measured_on_released_points_and_weeks(
    asked: AchievementCriterion, works: Any, weeks: int, expected: Met
) -> None:
    assert holds(asked, shown(works, weeks)) == expected


def test_more_points_than_a_check_gives_do_not_make_up_for_another() -> None:
    asked = criterion("chapter", assignment="gae", fraction=1)
    assert not holds(asked, shown({"gae": {"hand": 9.0, "random": 0.3}})).is_met


def test_points_without_a_released_attempt_are_none() -> None:
    state = StudentState("sam", works={"gae": WorkRecord(points=dict(FULL["gae"]))})
    assert not holds(HAND, Evidence.of(state, CHECKS)).is_met
    assert not holds(HAND, Evidence.of(None, CHECKS)).is_met


def test_a_rule_of_several_criteria_counts_those_that_hold() -> None:
    both = rule(HAND, criterion("weeks", count=3))
    assert met(both, shown(FULL, 2)) == Met(1, 2, "criteria")
    assert met(both, shown(FULL, 3)).is_met


def test_what_holds_is_granted_with_the_points_that_it_rests_on() -> None:
    both = rule(HAND, criterion("chapter", assignment="clip", fraction=0.5))
    [change] = decide([both], [], shown(FULL))
    assert isinstance(change, Granted)
    assert change.before is None
    assert change.evidence == (
        AwardEvidence("clip", FIRST, {"loss_hand": 1.0}),
        AwardEvidence("gae", FIRST, {"hand": 2.0, "random": 0.1 + 0.2}),
    )
    assert decide([both], [awarded(change)], shown(FULL)) == []
    assert decide([both], [], shown({"gae": FULL["gae"]})) == []


def test_a_grade_that_is_taken_back_revokes_and_says_so() -> None:
    award = granted(rule(HAND), shown(FULL))
    [change] = decide([rule(HAND)], [award], shown({}))
    assert change == Revoked(award, "The grade of gae was taken back.")
    less = {"gae": {"hand": 1.0, "random": 0.3}}
    [change] = decide([rule(HAND)], [award], shown(less))
    assert change == Revoked(award, "Points of gae were taken back.")


def test_what_was_revoked_comes_back_with_the_points() -> None:
    award = granted(rule(HAND), shown(FULL))
    revoked = replace(award, revoked_at=NOW, revoked_because="x")
    assert decide([rule(HAND)], [revoked], shown({})) == []
    [change] = decide([rule(HAND)], [revoked], shown(FULL))
    assert change == Granted(rule(HAND), award.evidence, revoked)


def test_a_rule_that_asks_for_more_takes_nothing_away() -> None:
    award = granted(rule(HAND), shown(FULL))
    harder = rule(HAND, criterion("weeks", count=9), version=2)
    assert decide([harder], [award], shown(FULL)) == []
    assert decide([], [award], shown(FULL)) == []
    assert decide([harder], [], shown(FULL)) == []


def test_an_award_stays_under_its_version_when_the_new_one_holds_too() -> None:
    award = granted(rule(HAND), shown(FULL))
    easier = rule(criterion("weeks", count=1), version=2)
    assert decide([easier], [award], shown(FULL, 1)) == []
    [change] = decide([easier], [award], shown({}, 1))
    assert isinstance(change, Granted)
    assert (change.rule, change.before) == (easier, award)


def test_an_easier_rule_is_granted_to_whom_it_fits_now() -> None:
    little = shown({"gae": {"hand": 2.0}})
    assert decide([rule(HAND)], [], little) == []
    easier = rule(criterion("checks", assignment="gae", grade_ids=["hand"]), version=2)
    [change] = decide([easier], [], little)
    assert isinstance(change, Granted)


def test_points_that_are_back_bring_back_the_award_as_it_was_under_a_harder_rule() -> None:
    award = granted(rule(HAND), shown(FULL))
    revoked = replace(award, revoked_at=NOW, revoked_because="x")
    harder = rule(HAND, criterion("weeks", count=9), version=2)
    [change] = decide([harder], [revoked], shown(FULL))
    assert change == Granted(rule(HAND), award.evidence, revoked)


def test_a_new_version_of_an_assignment_takes_nothing_away() -> None:
    award = granted(rule(HAND), shown(FULL))
    more = chapter("gae", OutlineExercise("single", "", {"hand": 5.0, "random": 0.3, "new": 1.0}))
    newer = CourseChecks.of(CourseOutline("ppo", (more,)))
    assert decide([rule(HAND)], [award], shown(FULL, checks=newer)) == []
    assert decide([rule(HAND)], [award], shown(FULL, checks=CourseChecks({}, {}, {}))) == []
    assert decide([rule(HAND)], [], shown(FULL, checks=newer)) == []
    less = {"gae": {"hand": 1.5, "random": 0.3}}
    [change] = decide([rule(HAND)], [award], shown(less, checks=newer))
    assert isinstance(change, Revoked)


def test_another_attempt_that_shows_the_same_takes_the_place_of_the_first() -> None:
    award = granted(rule(HAND), shown(FULL))
    second = UUID(int=3)
    now = shown(FULL, submission=second)
    [change] = decide([rule(HAND)], [award], now)
    assert isinstance(change, Refreshed)
    assert [each.submission_id for each in change.evidence] == [second]


def test_an_award_of_weeks_alone_goes_with_the_weeks() -> None:
    weeks = rule(criterion("weeks", count=2))
    award = granted(weeks, shown({}, 2))
    assert award.evidence == ()
    [change] = decide([weeks], [award], shown({}, 1))
    assert isinstance(change, Revoked)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (HAND, None),
        (criterion("checks", assignment="none", grade_ids=["x"]), "no assignment 'none'"),
        (criterion("checks", assignment="gae", grade_ids=["hand", "x"]), "gae has no 'x'"),
        (criterion("exercise", assignment="gae", grade_id="hand"), "gae has no 'hand'"),
        (criterion("exercise", assignment="gae", grade_id="why"), None),
        (criterion("chapters", count=2), None),
        (criterion("chapters", count=3), "2 chapters"),
        (criterion("concepts", keys=["core-5", "core-1"]), "practises core-1"),
        (criterion("concepts", count=3), "practise 2 details"),
        (criterion("weeks", count=900), None),
    ],
)
def test_what_nobody_can_meet_is_told(asked: AchievementCriterion, why: str | None) -> None:
    found = unreachable(rule(criterion("weeks", count=1), asked), CHECKS)
    assert found is None if why is None else found is not None and why in found


points = st.fixed_dictionaries(
    {},
    optional={
        "gae": st.fixed_dictionaries(
            {},
            optional={
                "hand": st.sampled_from([0.0, 1.0, 2.0]),
                "random": st.sampled_from([0.0, 0.3]),
                "why": st.sampled_from([0.0, 2.0, 4.0]),
            },
        ),
        "clip": st.fixed_dictionaries({}, optional={"loss_hand": st.sampled_from([0.0, 1.0])}),
    },
)
any_criterion = st.sampled_from(
    [
        HAND,
        criterion("exercise", assignment="gae", grade_id="single"),
        criterion("chapter", assignment="gae", fraction=0.5),
        criterion("chapters", count=1),
        criterion("chapters", count=2),
        criterion("concepts", count=1),
        criterion("concepts", keys=["core-5"]),
        criterion("weeks", count=2),
    ]
)
any_rule = st.lists(any_criterion, min_size=1, max_size=3).map(lambda some: rule(*some))
evidence = st.builds(shown, points, st.integers(0, 3))


def applied(awards: Iterable[Award], changes: Iterable[AwardChange]) -> dict[str, Award]:
    found = {award.rule.id: award for award in awards}
    for change in changes:
        match change:
            case Granted(of, proof, before):
                found[of.id] = (
                    awarded(Granted(of, proof))
                    if before is None
                    else replace(
                        before, rule=of, evidence=proof, revoked_at=None, revoked_because=""
                    )
                )
            case Refreshed(award, proof):
                found[award.rule.id] = replace(award, evidence=proof)
            case Revoked(award, because):
                found[award.rule.id] = replace(award, revoked_at=NOW, revoked_because=because)
    return found


@given(any_rule, st.lists(evidence, min_size=1, max_size=4))
def test_under_one_rule_an_award_is_there_just_when_the_rule_holds(
    asked: AchievementRule, story: list[Evidence]
) -> None:
    awards: dict[str, Award] = {}
    for now in story:
        awards = applied(awards.values(), decide([asked], awards.values(), now))
        assert decide([asked], awards.values(), now) == []  # nothing is left to do
        has = asked.id in awards and awards[asked.id].revoked_at is None
        assert has == met(asked, now).is_met
        if has:
            assert awards[asked.id].evidence == rests_on(asked, now)


@given(any_rule, any_rule, evidence)
def test_no_change_of_a_rule_takes_anything_away(
    first: AchievementRule, second: AchievementRule, now: Evidence
) -> None:
    awards = applied([], decide([first], [], now))
    for rules in ([replace(second, version=2)], []):
        after = applied(awards.values(), decide(rules, awards.values(), now))
        assert {one for one in awards if awards[one].revoked_at is None} <= {
            one for one in after if after[one].revoked_at is None
        }


@given(evidence, points, st.integers(0, 3))
def test_more_evidence_never_meets_less(
    before: Evidence, more: dict[str, dict[str, float]], weeks: int
) -> None:
    works: dict[str, dict[str, float]] = {
        name: dict(work.points) for name, work in before.works.items()
    }
    for name, added in more.items():
        for grade_id, number in added.items():
            known = works.setdefault(name, {})
            known[grade_id] = max(known.get(grade_id, 0.0), number)
    after = shown(works, before.weeks + weeks)
    for asked in (HAND, criterion("chapters", count=2), criterion("concepts", count=2)):
        assert holds(asked, after).met >= holds(asked, before).met
