"""The late policy behind penalties that another program computed."""

from __future__ import annotations

import math
from datetime import timedelta

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.gradebook import RecordedAssignment, RecordedSubmission
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.terms import LatePolicy, LateRule, LateStep

_ALL_LOST = 100.0
#: Penalties closer than this, in points, are the same.
_SAME = 1e-6


def fitted_policy(found: RecordedAssignment) -> LatePolicy | None:
    """Return the policy that gives everyone the penalty they have; None if there is none.

    That is: nothing is lost, all is lost, or what is kept depends on the lateness alone, in at most
    50 steps.
    """
    if all(item.penalty <= 0 for item in found.submissions):
        return LatePolicy()
    kept: dict[int, float] = {}
    for item in found.submissions:
        seconds, points = _late_seconds(found, item), _points(item)
        if points <= 0:
            continue  # nothing to lose, so nothing is known
        if not seconds:
            if item.penalty > _SAME:
                return None
            continue
        percent = round(_ALL_LOST * (1 - item.penalty / points), 9)
        if abs(kept.setdefault(seconds, percent) - percent) > _SAME:
            return None
    if kept and all(abs(percent) < _SAME for percent in kept.values()):
        return LatePolicy(LateRule.ZERO)
    steps: list[LateStep] = []
    for seconds, percent in sorted(kept.items()):
        if not steps or abs(steps[-1].keep_percent - percent) > _SAME:
            steps.append(LateStep(seconds, percent))
    policy = LatePolicy(LateRule.CUSTOM, steps=tuple(steps))
    try:
        policy.check()
    except InvalidInputError:  # too many steps, or more than 100 percent
        return None
    return policy


def _late_seconds(found: RecordedAssignment, item: RecordedSubmission) -> int:
    if found.due_at is None or item.submitted_at is None:
        return 0
    due = found.due_at + timedelta(seconds=item.extension_seconds)
    return max(0, math.ceil((item.submitted_at - due).total_seconds()))


def _points(item: RecordedSubmission) -> float:
    return total(
        ((score.auto_points or 0.0) if score.given_points is None else score.given_points)
        + score.extra_credit
        for score in item.scores
    )
