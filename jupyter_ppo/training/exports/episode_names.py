"""What the actions and observations of well-known environments are called."""

from __future__ import annotations

from typing import Any, Final

_ENGINES: Final = ("nothing", "left engine", "main engine", "right engine")
_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "CartPole": ("left", "right"),
    "MountainCar": ("left", "none", "right"),
    "MountainCarContinuous": ("force",),
    "Acrobot": ("torque -1", "torque 0", "torque +1"),
    "Pendulum": ("torque",),
    "LunarLander": _ENGINES,
    "BipedalWalker": ("hip 1", "knee 1", "hip 2", "knee 2"),
    "FrozenLake": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
    "Blackjack": ("stick", "hit"),
}
_OBSERVATIONS: Final[dict[str, tuple[str, ...]]] = {
    "CartPole": ("cart position", "cart velocity", "pole angle", "pole velocity"),
    "MountainCar": ("position", "velocity"),
    "MountainCarContinuous": ("position", "velocity"),
    "Pendulum": ("cos angle", "sin angle", "angular velocity"),
    "Acrobot": ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "speed 1", "speed 2"),
    "LunarLander": (
        "x",
        "y",
        "x velocity",
        "y velocity",
        "angle",
        "angular velocity",
        "left leg touches",
        "right leg touches",
    ),
}
_LONGEST_NAME: Final = 40


def action_names(env_id: str, env: Any, count: int) -> tuple[str, ...]:
    """Return ``count`` names, or none.

    An environment may name its actions itself, by ``get_action_meanings()`` as those of the Arcade
    Learning Environment do.
    """
    found: Any = _ACTIONS.get(_family(env_id), ())
    meanings = getattr(getattr(env, "unwrapped", env), "get_action_meanings", None)
    if not found and callable(meanings):
        try:
            found = [str(one)[:_LONGEST_NAME] for one in meanings()]
        except Exception:  # a name is not worth an episode
            found = []
    return tuple(found) if len(found) == count else ()


def observation_names(env_id: str, count: int) -> tuple[str, ...]:
    """Return ``count`` names, or none."""
    found = _OBSERVATIONS.get(_family(env_id), ())
    return found if len(found) == count else ()


def _family(env_id: str) -> str:
    return env_id.rpartition(":")[2].rpartition("-v")[0]
