"""A student's policy is examined across the border: environments here, one call per time step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.checks import examine_policy

# Loaded before the fork, as in the examiner's container.
pytest.importorskip("gymnasium")

LEAN = """
import numpy as np
def policy(observations):
    return (observations[:, 2] + observations[:, 3] > 0).astype(np.int64)
class Model:
    def predict(self, observations, deterministic=False):
        assert deterministic is True
        return policy(observations), None
model = Model()
"""
TEST = """
from jupyter_ppo.checks import examine_policy
report = examine_policy(policy, "CartPole-v1", seeds=[11, 12, 13])
assert report.mean > 100, f"mean {report.mean}"
"""


def test_a_right_policy_passes_with_one_call_per_step_and_is_recorded(
    exam_of: Callable[..., Any],
) -> None:
    names: dict[str, Any] = {}
    exec(LEAN, names)  # noqa: S102 - in this file
    expected = examine_policy(names["policy"], "CartPole-v1", seeds=[11, 12, 13])
    exam = exam_of(LEAN)
    exam.begin(["policy", "model"], contract=[".predict"])
    for name in ("policy", "model"):
        result = exam.check(TEST.replace("(policy", f"({name}"))
        assert result["state"] == "passed", result
        assert result["records"] == [expected.records]
        assert result["calls"] <= max(expected.lengths) + 5
    assert result["uses"] == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("lambda seen: seen[:, 0] > 99", "AssertionError", "mean "),
        ("lambda seen: 0", "PolicyError", "shape"),
        ("lambda seen: [None] * len(seen)", "PolicyError", "NoneType"),
        ("lambda seen: 1 / 0", "ZeroDivisionError", "division by zero"),
        ("lambda seen: type('A', (), {'__len__': lambda _: 3})()", "PolicyError", "returned A;"),
    ],
)
def test_a_wrong_policy_fails_with_what_is_wrong(
    exam_of: Callable[..., Any], answer: str, error: str, words: str
) -> None:
    exam = exam_of(f"policy = {answer}")
    exam.begin(["policy"])
    result = exam.check(TEST)
    assert result["state"] == "failed"
    assert result["error_type"] == error
    assert words in result["error_message"]


def test_a_policy_that_reaches_for_gymnasium_changes_its_own_only(
    exam_of: Callable[..., Any],
) -> None:
    patch = """
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv
CartPoleEnv.step = lambda self, action: (self.reset()[0], 500.0, True, False, {})
def policy(observations):
    observations[:] = 0
    return [0] * len(observations)
"""
    exam = exam_of(patch)
    exam.begin(["policy"])
    result = exam.check(TEST)
    assert result["state"] == "failed"
    assert result["records"][0]["mean"] < 15
