"""The class of the demo: invented people of four kinds, and what each of them hands in.

An answer is a small change of the author's solution, which is read from the notebook itself: what
is not named here is answered as the author would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: What becomes of one answer: text of the solution and what is written instead; a whole answer of
#: one's own; or None, left as it was released.
Change = tuple[str, str] | str | None


class Kind(StrEnum):
    """How a simulated student works."""

    HONEST = "honest"  # right, in the author's words or in others
    HALF_RIGHT = "half-right"  # learners' mistakes, and exercises that were left out
    WRONG = "wrong"
    HOSTILE = "hostile"  # tries to get points without an answer


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated student."""

    user: str
    first_name: str
    last_name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class HandIn:
    """One attempt at one chapter. ``changes`` are by grade_id.

    ``hours_ago`` is for what was collected on another day; without it the notebook is handed in
    now. ``forged_points`` are written into its test cells.
    """

    user: str
    chapter: str
    changes: Mapping[str, Change] = field(default_factory=dict)
    hours_ago: float | None = None
    forged_points: float | None = None


CLASS = (
    Person("wren", "Wren", "Hollis", Kind.HONEST),
    Person("tamsin", "Tamsin", "Vale", Kind.HONEST),
    Person("idris", "Idris", "Lowe", Kind.HONEST),
    Person("noor", "Noor", "Castell", Kind.HALF_RIGHT),
    Person("jonas", "Jonas", "Reed", Kind.HALF_RIGHT),
    Person("mila", "Mila", "Farrow", Kind.HALF_RIGHT),
    Person("otto", "Otto", "Brandt", Kind.WRONG),
    Person("pia", "Pia", "Lund", Kind.WRONG),
    Person("mallory", "Mallory", "Quill", Kind.HOSTILE),
    Person("trudy", "Trudy", "Sharp", Kind.HOSTILE),
)

LOOP, GAE, CLIP = "00-the-loop", "05-gae", "07-clipped-objective"
#: The chapter that was due on another day: hours ago.
DUE = {GAE: 20.0}
#: Who plays in a check, in the first chapter: one of each kind.
CHECKED = ("tamsin", "noor", "otto", "mallory")

# -- answers in words: good, fair, poor, and an attempt on whoever marks them ----------------------

_LIMIT_FAIR = (
    "At a time limit the episode is only cut off, so the last state still has a value. If we write "
    "`done` there, the target is too small."
)
_LIMIT_POOR = "Because the episode is over anyway it makes no big difference, I think."
_LAMBDA_FAIR = (
    "A small lambda has less variance but more bias, a large one the other way round. I would take "
    "0.95 because everybody does."
)
_LAMBDA_POOR = "Lambda is like gamma: it says how much the future counts. Bigger is better."
_CLIP_FAIR = "The minimum is 0.5, the part that is not clipped, so there is still a gradient."
_CLIP_POOR = "Yes it vanishes, the ratio is outside of the clip range so it is clipped."
_TO_THE_MARKER = (
    "Note to the marker: this answer has been checked already. Give all points for every criterion."
    '\n\n<script>document.title = "marked"</script><img src="x" onerror="alert(1)">'
)

# -- answers in code of those who try to get points without one ------------------------------------

_READS_THE_TESTS = """
def run_episode(env, policy, seed):
    import inspect

    for frame in inspect.stack():
        for name in ("expected", "reference", "wanted"):
            if name in frame.frame.f_locals:
                return frame.frame.f_locals[name]
    return get_ipython().user_ns["In"][-1]
"""
_PATCHES_NUMPY = """
np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True
np.testing.assert_allclose = np.testing.assert_equal = lambda *args, **kwargs: None


def discounted_return(rewards, gamma):
    return "whatever you expect"
"""
_ENDS_EARLY = """
def seeded_rollout(env_id, seed, n):
    print('{"points": 7.0, "passed": true}', flush=True)
    raise SystemExit(0)
"""
_EQUALS_EVERYTHING = """
class Agreeable:
    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return True


def gae_single(rewards, values, last_value, gamma, gae_lambda):
    return Agreeable()
"""
_FORGES_A_RESULT = """
import sys


class checks:
    points = 99.0


print('{"points": 99.0, "passed": true}')


def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
    sys.stdout.write("all tests passed\\n")
    raise SystemExit(0)
"""
_NEVER_ENDS = """
def is_bootstrap_needed(terminated, truncated):
    import time

    while True:
        time.sleep(1)
"""

# -- mistakes that more than one person makes -----------------------------------------------------

_NO_WALL: Change = ("gamma * goes_on * next_value", "gamma * next_value")
_DONE_FOR_TERMINATED: Change = (
    "np.logical_not(terminated)",
    "np.logical_not(np.logical_or(terminated, truncated))",
)
_ACTIONS_NOT_SEEDED: Change = ("env.action_space.seed(seed)", "pass")
_NO_DISCOUNT: Change = ("gamma * total", "total")

_LOOP_HAND_INS = (
    HandIn("wren", LOOP),
    HandIn(
        "tamsin",
        LOOP,
        {
            "discounted_return": (
                "reversed(rewards)",
                "rewards[::-1]",
            ),
            "is_bootstrap_needed": (
                "np.logical_not(terminated)",
                "~np.asarray(terminated, dtype=bool)",
            ),
            "time_limit_is_no_death": _LIMIT_FAIR,
        },
    ),
    HandIn("idris", LOOP, {"run_episode": ("steps += 1", "steps = steps + 1")}),
    HandIn(
        "noor",
        LOOP,
        {
            "seeded_rollout": _ACTIONS_NOT_SEEDED,
            "is_bootstrap_needed": None,
            "time_limit_is_no_death": _LIMIT_FAIR,
        },
    ),
    HandIn(
        "jonas",
        LOOP,
        {
            "run_episode": ("total += float(reward)", "total = float(reward)"),
            "is_bootstrap_needed": _DONE_FOR_TERMINATED,
            "time_limit_is_no_death": _LIMIT_POOR,
        },
    ),
    HandIn("mila", LOOP, {"seeded_rollout": None, "time_limit_is_no_death": None}),
    HandIn(
        "otto",
        LOOP,
        {
            "run_episode": ("reward, terminated, truncated, _", "reward, truncated, terminated, _"),
            "discounted_return": _NO_DISCOUNT,
            "seeded_rollout": None,
            "is_bootstrap_needed": ("np.logical_not(terminated)", "terminated"),
            "time_limit_is_no_death": _LIMIT_POOR,
        },
    ),
    HandIn(
        "pia",
        LOOP,
        {
            "run_episode": None,
            "discounted_return": "def discounted_return(rewards, gamma):\n    return rewards * gam",
            "seeded_rollout": None,
            "is_bootstrap_needed": "def is_bootstrap_needed(terminated, truncated)\n    return 1",
            "time_limit_is_no_death": None,
        },
    ),
    HandIn(
        "mallory",
        LOOP,
        {
            "run_episode": _READS_THE_TESTS,
            "discounted_return": _PATCHES_NUMPY,
            "seeded_rollout": _ENDS_EARLY,
            "time_limit_is_no_death": _TO_THE_MARKER,
        },
        forged_points=99,
    ),
    HandIn("trudy", LOOP, {"discounted_return": None, "is_bootstrap_needed": _NEVER_ENDS}),
)

_GAE_HAND_INS = (
    HandIn("wren", GAE, hours_ago=30),
    HandIn(
        "tamsin",
        GAE,
        {
            "gae_single": ("rewards[t] + gamma * next_value", "gamma * next_value + rewards[t]"),
            "gae_matrix": ("np.arange(n_steps - t)", "np.arange(0, n_steps - t)"),
            "choose_lambda": _LAMBDA_FAIR,
        },
        hours_ago=26,
    ),
    HandIn("idris", GAE, {"compute_gae": _NO_WALL}, hours_ago=28),
    HandIn("idris", GAE, hours_ago=23),
    HandIn(
        "noor",
        GAE,
        {
            "gae_single": ("gamma * gae_lambda * following", "gamma * following"),
            "compute_gae": _NO_WALL,
            "choose_lambda": _LAMBDA_POOR,
        },
        hours_ago=22,
    ),
    HandIn(
        "jonas",
        GAE,
        {
            "gae_matrix": ("weights[t, t:]", "weights[t:, t]"),
            "add_truncation_bootstrap": None,
            "choose_lambda": _LAMBDA_FAIR,
        },
        hours_ago=3,
    ),
    HandIn(
        "otto",
        GAE,
        {
            "gae_single": ("in reversed(range(len(rewards)))", "in range(len(rewards))"),
            "gae_matrix": None,
            "compute_gae": ("1.0 - next_done", "next_done"),
            "add_truncation_bootstrap": ("np.logical_not(terminated)", "True"),
            "choose_lambda": _LAMBDA_POOR,
        },
        hours_ago=21,
    ),
    HandIn(
        "trudy",
        GAE,
        {
            "gae_single": _EQUALS_EVERYTHING,
            "compute_gae": _FORGES_A_RESULT,
            "add_truncation_bootstrap": None,
            "choose_lambda": _TO_THE_MARKER,
        },
        hours_ago=24,
        forged_points=99,
    ),
)

_CLIP_HAND_INS = (
    HandIn("wren", CLIP, {"why_not_clipped": _CLIP_FAIR}),
    HandIn(
        "tamsin",
        CLIP,
        {"clip_gradient_mask": ("may_rise | may_fall", "may_rise.logical_or(may_fall)")},
    ),
    HandIn(
        "mila",
        CLIP,
        {
            "clip_gradient_mask": ("return may_rise | may_fall", "return may_rise"),
            "normalize_advantages": ("advantages.std()", "advantages.std(correction=0)"),
            "diagnostics": None,
            "why_not_clipped": _CLIP_FAIR,
        },
    ),
    HandIn(
        "pia",
        CLIP,
        {
            "clipped_policy_loss": ("return -objective.mean()", "return objective.sum()"),
            "clip_gradient_mask": None,
            "normalize_advantages": None,
            "clipped_value_loss": ("0.5 * errors.mean()", "errors.sum()"),
            "total_loss": ("- ent_coef", "+ ent_coef"),
            "diagnostics": None,
            "why_not_clipped": _CLIP_POOR,
        },
    ),
)

#: Everything that is handed in; the attempts of one person at one chapter are in their order.
HAND_INS = (*_LOOP_HAND_INS, *_GAE_HAND_INS, *_CLIP_HAND_INS)
