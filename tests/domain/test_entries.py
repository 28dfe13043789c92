"""Entries: rubrics, the states of an outcome, names of files."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, AssignmentVersion
from jupyter_ppo.domain.entries import (
    Criterion,
    CriterionResult,
    Level,
    OutcomeChange,
    OutcomeState,
    check_file_names,
    checked_file_name,
    checked_kind,
    checked_results,
)
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError

RUBRIC = (
    Criterion("method", "Method", (Level("weak", 0.0), Level("sound", 4.0))),
    Criterion("writing", "Writing", (Level("clear", 2.5), Level("unclear", 1.0))),
)


def result(criterion: str, level: str, points: float) -> CriterionResult:
    return CriterionResult(criterion, level, points)


def test_results_come_back_in_the_rubrics_order() -> None:
    given = [result("writing", "unclear", 1.0), result("method", "sound", 3.5)]
    found = checked_results(RUBRIC, given, is_complete=True)
    assert [each.criterion for each in found] == ["method", "writing"]
    assert sum(each.points for each in found) == 4.5


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([result("style", "weak", 0.0)], "'style' is not in the rubric"),
        ([result("method", "weak", 0.0)] * 2, "is there twice"),
        ([result("method", "clear", 0.0)], "'clear' is no level of 'method'"),
        ([result("method", "sound", 4.5)], "from 0 to 4"),
        ([result("method", "sound", -0.5)], "from 0 to 4"),
        ([result("method", "sound", math.nan)], "from 0 to 4"),
    ],
)
def test_a_result_that_the_rubric_does_not_know_is_named(
    given: list[CriterionResult], problem: str
) -> None:
    with pytest.raises(InvalidInputError, match=problem) as caught:
        checked_results(RUBRIC, given, is_complete=False)
    assert caught.value.field == "results"


def test_only_a_complete_outcome_needs_every_criterion() -> None:
    given = [result("method", "sound", 4.0)]
    assert checked_results(RUBRIC, given, is_complete=False) == tuple(given)
    with pytest.raises(InvalidInputError, match="no level is chosen for writing"):
        checked_results(RUBRIC, given, is_complete=True)


def test_each_change_goes_from_one_state_to_one_other() -> None:
    legal = {
        (OutcomeChange.APPROVE, OutcomeState.DRAFT): OutcomeState.APPROVED,
        (OutcomeChange.RELEASE, OutcomeState.APPROVED): OutcomeState.RELEASED,
        (OutcomeChange.WITHDRAW, OutcomeState.RELEASED): OutcomeState.APPROVED,
        (OutcomeChange.REOPEN, OutcomeState.APPROVED): OutcomeState.DRAFT,
    }
    for change in OutcomeChange:
        for state in OutcomeState:
            if (change, state) in legal:
                assert change.after(state) is legal[change, state]
            else:
                with pytest.raises(ConflictError, match=f"that is {state} cannot"):
                    change.after(state)


def test_an_assignment_of_the_other_kind_is_said_to_be_one() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    version = AssignmentVersion(uuid4(), uuid4(), 1, "a" * 64, "b" * 64, (), now)
    notebook = Assignment(uuid4(), uuid4(), "ps1", now, version)
    assert checked_kind(notebook, AssignmentKind.NOTEBOOK) is notebook
    with pytest.raises(ConflictError, match="'ps1' is a notebook assignment"):
        checked_kind(notebook, AssignmentKind.ENTRY)


@pytest.mark.parametrize("name", ["a", "figures/run 1.png", "Übung.py", "日本/図.png", ".hidden"])
def test_plain_names_may_name_a_file(name: str) -> None:
    assert checked_file_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "a\\b",
        "C:x",
        " a",
        "a ",
        "a.",
        "...",
        "a\nb",
        "a\x00b",
        "a\u202egnp.exe",
        "a\u200b",
        "a\ud800",
        "a*",
        "n" * 201,
        "\u65e5" * 100,
    ],
)
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a file"):
        checked_file_name(name)


@given(st.text(max_size=30))
def test_a_name_that_is_taken_stays_below_its_folder(name: str) -> None:
    try:
        checked_file_name(name)
    except InvalidInputError:
        return
    assert not name.startswith("/")
    assert all(part not in {"", ".", ".."} for part in name.split("/"))
    assert name.encode()


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "A.PNG"],
        ["stra\u00dfe", "STRASSE"],
        ["e\u0301", "\u00e9"],
        ["a", "a/b"],
        ["A/b", "a"],
        ["x", "x"],
    ],
)
def test_names_that_would_be_one_file_are_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="Rename one"):
        check_file_names(names)


def test_names_beside_each_other_are_not_one_file() -> None:
    check_file_names(["a", "ab", "b/a", "b/b", "a.b"])
