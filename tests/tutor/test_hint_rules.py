"""Hints that rules make from an exercise and from what fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.hint_ladder import FailingCheck, HintSubject, SubjectCheck
from jupyter_ppo.domain.tutoring import HintLevel
from jupyter_ppo.tutor.hint_rules import by_rule, restated

SUBJECT = HintSubject(
    grade_id="compute_gae",
    title="Many episodes",
    question="# Many episodes",
    signature="compute_gae(rewards: (T, N), values: (T, N)) -> (T, N)",
    goals=("Keep episodes apart with dones",),
    skeleton="def compute_gae(rewards, values):\n    raise NotImplementedError()",
    reference="def compute_gae(rewards, values):\n    secret_sum = rewards - values\n"
    "    return secret_sum",
    checks=(
        SubjectCheck("gae_shape", Tier.SHAPE, 1, 'assert a.shape == (3, 2), "one per step"'),
        SubjectCheck("gae_hand", Tier.HAND, 2, 'assert a[2] == 3, "last step: 4 - 1 is 3"'),
    ),
    authored=None,
    may_ask_model=True,
)
FAILED = FailingCheck("", "AssertionError", "last step: 4 - 1 is 3")
TEXTS = st.text(max_size=200)


def test_the_failing_check_is_said_again_with_its_tier_and_its_message() -> None:
    text = restated(SUBJECT, FAILED)
    assert "The check gae_hand fails. It is a case worked out by hand." in text
    assert "It says: last step: 4 - 1 is 3." in text
    assert "Asked for: compute_gae(rewards: (T, N)" in text


def test_the_name_of_the_check_counts_more_than_its_message() -> None:
    text = restated(SUBJECT, FailingCheck("gae_shape", "AssertionError", "last step: 4 - 1 is 3"))
    assert "The check gae_shape fails. It looks at shapes" in text


def test_an_error_that_is_no_assertion_is_named_and_explained() -> None:
    text = restated(SUBJECT, FailingCheck("", "NameError", "name 'deltas' is not defined"))
    assert "It ends with NameError: name 'deltas' is not defined." in text
    assert "nothing has been given that name yet" in text


@pytest.mark.parametrize("failing", [None, FailingCheck()])
def test_without_a_failing_check_it_says_what_the_exercise_asks(
    failing: FailingCheck | None,
) -> None:
    text = restated(SUBJECT, failing)
    assert "No failing check is known yet" in text
    assert "one looks at shapes" in text
    assert "one is a case worked out by hand" in text


def test_the_concept_is_made_of_goals_and_the_section() -> None:
    text = by_rule(SUBJECT, HintLevel.CONCEPT, None, "")
    assert "Keep episodes apart with dones" in text
    assert "'Many episodes'" in text


def test_the_location_is_the_learners_own_line() -> None:
    trace = "Cell In[3], line 2, in compute_gae(rewards, values)\n"
    answer = "def compute_gae(rewards, values):\n    return rewards[5]\n"
    failing = FailingCheck("", "IndexError", "out of bounds", trace)
    text = by_rule(SUBJECT, HintLevel.LOCATION, failing, answer)
    assert "Line 2 of compute_gae, which reads: return rewards[5]" in text


def test_without_a_line_the_location_is_the_check_and_without_that_the_result() -> None:
    assert "the check gae_hand" in by_rule(SUBJECT, HintLevel.LOCATION, FAILED, "")
    assert "gives the result back" in by_rule(SUBJECT, HintLevel.LOCATION, None, "")


def test_the_step_depends_on_the_tier_and_on_the_error() -> None:
    shape = FailingCheck("gae_shape", "AssertionError", "one per step")
    assert "compare the shape" in by_rule(SUBJECT, HintLevel.STEP, shape, "")
    assert "on paper" in by_rule(SUBJECT, HintLevel.STEP, FAILED, "")
    index = FailingCheck("", "IndexError", "index 5 is out of bounds")
    assert "Print the shape" in by_rule(SUBJECT, HintLevel.STEP, index, "")


@given(st.sampled_from(HintLevel), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_fails_the_hint_is_plain_and_gives_nothing_away(
    level: HintLevel, check: str, error_type: str, message: str, trace: str, answer: str
) -> None:
    text = by_rule(SUBJECT, level, FailingCheck(check, error_type, message, trace), answer)
    assert text.strip()
    assert "secret_sum" not in text
    assert not any(ord(each) < 32 and each != "\n" for each in text)
