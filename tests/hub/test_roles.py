"""A group says who somebody is, a scope what their token may use of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.hub.roles import SCOPES, GroupNames, person_of

GROUPS = GroupNames("course-{course}:{role}")
ROLES = [Role.STUDENT, Role.GRADER, Role.INSTRUCTOR]
EVERY_SCOPE = list(SCOPES.values())


def model(groups: list[str], scopes: list[str], **more: Any) -> dict[str, Any]:
    return {"kind": "user", "name": "ines", "groups": groups, "scopes": scopes, **more}


def test_staff_need_the_group_and_the_scope() -> None:
    groups = ["course-rl:instructor"]
    both = person_of(model(groups, ["custom:ppo:instructor"]), GROUPS, frozenset())
    assert (both.held, both.allowed) == ({"rl": Role.INSTRUCTOR}, {"rl": Role.INSTRUCTOR})
    group_only = person_of(model(groups, []), GROUPS, frozenset())
    assert (group_only.held, group_only.allowed) == (
        {"rl": Role.INSTRUCTOR},
        {"rl": Role.STUDENT},
    )
    scope_only = person_of(model([], EVERY_SCOPE), GROUPS, frozenset())
    assert (scope_only.held, scope_only.allowed, scope_only.is_staff) == ({}, {}, False)


def test_an_instructor_whose_token_may_only_grade_is_a_grader() -> None:
    person = person_of(model(["course-rl:instructor"], ["custom:ppo:grader"]), GROUPS, frozenset())
    assert person.allowed == {"rl": Role.GRADER}


def test_the_highest_of_several_groups_of_a_course_counts_in_that_course_only() -> None:
    groups = ["course-rl:student", "course-rl:grader", "course-other:student"]
    person = person_of(model(groups, EVERY_SCOPE), GROUPS, frozenset())
    assert person.allowed == {"rl": Role.GRADER, "other": Role.STUDENT}


@pytest.mark.parametrize(
    ("name", "scopes", "is_admin"),
    [
        ("ines", EVERY_SCOPE, True),
        ("ines", ["custom:ppo:instructor"], False),
        ("sam", EVERY_SCOPE, False),
    ],
)
def test_an_admin_needs_the_name_and_the_scope(
    name: str, scopes: list[str], is_admin: bool
) -> None:
    person = person_of(model([], scopes, name=name), GROUPS, frozenset({"ines"}))
    assert person.admin is is_admin


def test_a_service_of_the_hub_is_nobody() -> None:
    person = person_of(
        model(["course-rl:instructor"], EVERY_SCOPE, kind="service"), GROUPS, frozenset({"ines"})
    )
    assert (person.held, person.allowed, person.admin) == ({}, {}, False)


@given(
    groups=st.lists(
        st.tuples(st.sampled_from(["rl", "a-b", "x.1"]), st.sampled_from(ROLES)), max_size=6
    ),
    scopes=st.lists(st.sampled_from(EVERY_SCOPE)),
)
def test_no_token_is_worth_more_than_its_groups_or_its_scopes(
    groups: list[tuple[str, Role]], scopes: list[str]
) -> None:
    names = [f"course-{course}:{role}" for course, role in groups]
    person = person_of(model(names, scopes), GROUPS, frozenset())
    assert person.held.keys() == person.allowed.keys() == {course for course, _ in groups}
    for course, allowed in person.allowed.items():
        held = person.held[course]
        assert (course, held) in groups
        assert ROLES.index(allowed) <= ROLES.index(held)
        assert allowed is Role.STUDENT or SCOPES[allowed] in scopes


@given(st.text(max_size=40))
def test_other_groups_mean_nothing(name: str) -> None:
    found = GROUPS.role_in(name)
    assert found is None or name == f"course-{found[0]}:{found[1]}"


@pytest.mark.parametrize(
    "name", ["course-rl:admin", "course-rl", "course-:student", "xcourse-rl:student", "rl:student"]
)
def test_a_group_that_only_looks_like_ours_means_nothing(name: str) -> None:
    assert GROUPS.role_in(name) is None


@pytest.mark.parametrize(
    "text",
    ["course", "{course}", "{role}", "{course}{x}:{role}", "{course", "{course}{course}{role}"],
)
def test_a_format_without_one_place_for_each_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="course"):
        GroupNames(text)
