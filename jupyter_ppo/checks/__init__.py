"""For test cells: several checks with points of their own, and exams of policies.

Works in a plain notebook and under nbgrader as well as in the examiner. Importing it loads nothing
but itself; what examines a policy is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_ppo.checks.points import Checks

if TYPE_CHECKING:
    from jupyter_ppo.checks.policy import PolicyReport as PolicyReport
    from jupyter_ppo.checks.policy import examine_policy as examine_policy

__all__ = ["Checks", "PolicyReport", "examine_policy"]


def __getattr__(name: str) -> Any:
    if name in {"PolicyReport", "examine_policy"}:
        from jupyter_ppo.checks import policy

        return getattr(policy, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
