"""Broken answers to the exercises that are graded by training: what a bar on returns must refuse.

Each is the reference solution of the notebook with texts of it replaced. Those of ``MISTAKES`` in
``answers/`` are taken along; here are more, and those that cannot change what is learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from exercises import Exercise, exercises

#: What is replaced in a solution: text that stands there, and what stands there instead.
Changes = tuple[tuple[str, str], ...]

_UPDATE = "finished_update(model, optimizer, batch, config, rng)[-1]"
_LEARNED = "advantages = advantages - advantages.mean()"
_RATE = 'optimizer.param_groups[0]["lr"] = learning_rate'
_PLAIN = "**SMALL_BUDGET, 'seed': seed"
_GREEDY = "model.act(observations, deterministic=True)"
_LOOKED = (
    "policy = lambda observations: model.act(observations, deterministic=True)\n"
    "        if holds(policy):\n"
    "            return policy\n"
)


def _trained(options: str, action: str) -> Changes:
    """Return the changes to a capstone that trains once, so, and hands in ``action`` unseen."""
    return (
        ("RunSpec(**SMALL_BUDGET, seed=seed)", f"RunSpec(**{{{options}}})"),
        (_LOOKED, f"return lambda observations: {action}\n"),
    )


#: Broken in ways that ``MISTAKES`` does not have, by exercise.
BROKEN: Mapping[str, Mapping[str, Changes]] = MappingProxyType(
    {
        "train_reinforce": {
            "learning rate 0": (("lr=learning_rate", "lr=0.0"),),
            "learning rate 100 times as large": (("lr=learning_rate", "lr=100 * learning_rate"),),
            "one update only": (
                ("optimizer.step()", "optimizer.step() if len(returns) == episodes else None"),
            ),
            "each action earns its own reward only": (
                ("following = reward + gamma * following", "following = reward"),
            ),
            "log-probability of action 0, whatever was done": (("log_p[action])", "log_p[0])"),),
            "the probability, not its logarithm": (("log_p[action])", "log_p[action].exp())"),),
            "weights of other steps": (
                (_LEARNED, "advantages = torch.roll(advantages - advantages.mean(), 7)"),
            ),
            "no discount": (("reward + gamma * following", "reward + following"),),
        },
        "train_ppo": {
            "learning rate 0": ((_RATE, 'optimizer.param_groups[0]["lr"] = 0.0'),),
            "learning rate 100 times as large": ((_RATE, _RATE.replace("= ", "= 100 * ")),),
            "one update only": ((_UPDATE, f"{_UPDATE} if update == 1 else numbers"),),
            "the sign of the advantages": (
                ('"advantages": advantages', '"advantages": -advantages'),
            ),
            "GAE ignores the ends of episodes": (
                (
                    'rollout["dones"], last_value, carry[1]',
                    '0 * rollout["dones"], last_value, 0 * carry[1]',
                ),
            ),
            "stored log-probabilities are 0": (
                ("log_pi.gather(1, actions)[:, 0]", "0 * log_pi.gather(1, actions)[:, 0]"),
            ),
        },
        "train_capstone": {
            "learning rate almost 0": _trained(f"{_PLAIN}, 'learning_rate': 1e-7", _GREEDY),
            "one update only": _trained(f"{_PLAIN}, 'total_steps': 1_024", _GREEDY),
            "the ends' value is lost: discount 0.5": _trained(f"{_PLAIN}, 'gamma': 0.5", _GREEDY),
            "speeds are not looked at": _trained(
                _PLAIN, "model.act(observations * np.float32([1, 0, 1, 0]), deterministic=True)"
            ),
        },
    }
)

#: Mistakes after which nothing else is learned (what is logged, which seed is taken), or nothing at
#: all (no policy is handed in); other comparisons catch them.
NOT_ABOUT_LEARNING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "train_ppo": frozenset(
            {
                "the model is not seeded",
                "the order is not seeded",
                "the first rate is logged",
                "steps of one environment",
                "log is always called",
                "nothing is returned",
                "an untrained copy is returned",
                "starts anew in each update",
            }
        ),
        "train_capstone": frozenset(
            {"one action for all", "the model instead of a function", "always to the right"}
        ),
        "train_reinforce": frozenset(
            {"the discounted return reported", "the weights changed in place"}
        ),
    }
)

#: Mistakes of ``ppo_update``, for a ``train_ppo`` that calls it instead of ``finished_update``.
OWN_UPDATE = (
    "gradients pile up",
    "not normalised",
    "log probabilities of now are stored",
)


def broken_answers(exercise: Exercise) -> dict[str, str]:
    """Return the source of every broken answer to ``exercise`` by what is broken in it."""
    left_out = NOT_ABOUT_LEARNING.get(exercise.name, frozenset())
    found = {name: exercise.mistaken(name) for name in exercise.mistakes if name not in left_out}
    for name, changes in BROKEN[exercise.name].items():
        found[name] = changed(exercise.solution, changes)
    if exercise.name == "train_ppo":
        found |= _with_own_update(exercise)
    return found


def changed(source: str, changes: Changes) -> str:
    """Return ``source`` with the changes made; raise ``ValueError`` if a text is not there."""
    for right, wrong in changes:
        if right not in source:
            msg = f"the solution has no {right!r}"
            raise ValueError(msg)
        source = source.replace(right, wrong)
    return source


def _with_own_update(exercise: Exercise) -> dict[str, str]:
    (update,) = (one for one in exercises(exercise.notebook) if one.name == "ppo_update")
    trains = changed(exercise.solution, (("= finished_update(", "= ppo_update("),))
    unclipped = changed(
        update.solution,
        (("clipped = ratio.clamp(1.0 - clip_range, 1.0 + clip_range)", "clipped = ratio"),),
    )
    fast = changed(trains, ((_RATE, _RATE.replace("= ", "= 30 * ")),))
    return {
        **{f"own update: {name}": f"{update.mistaken(name)}\n\n{trains}" for name in OWN_UPDATE},
        "own update: no clipping": f"{unclipped}\n\n{trains}",
        "own update: no clipping, learning rate 30 times as large": f"{unclipped}\n\n{fast}",
    }
