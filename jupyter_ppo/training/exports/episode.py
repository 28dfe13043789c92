"""One episode of a checkpoint's policy: pictures, actions, probabilities, values and rewards.

It is played in a process of its own, so that the kernel stays free and torch stays out of it. The
same seed and checkpoint give the return that ``evaluate_run`` gives. Loads no torch; numpy and
Pillow only when an array is asked for.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from jupyter_ppo.training.exports.opened import AnyRun

#: More than this is no episode to look at, and its pictures fill the memory.
MOST_STEPS: Final = 100_000
#: Pictures are made smaller to be no wider than this, in pixels.
PICTURE_WIDTH: Final = 400


class ActionKind(StrEnum):
    """What an action is."""

    DISCRETE = "discrete"
    MULTI_DISCRETE = "multi_discrete"
    MULTI_BINARY = "multi_binary"
    CONTINUOUS = "continuous"


class Ending(StrEnum):
    """Why an episode ended."""

    TERMINATED = "terminated"  # the task ended
    TRUNCATED = "truncated"  # the environment's time limit
    CUT = "cut"  # max_steps


@dataclass(frozen=True, slots=True)
class EpisodeInfo:
    """What is known before the first step.

    ``step`` is the checkpoint's. ``action_sizes``: the number of actions; for MULTI_DISCRETE of
    each part; for MULTI_BINARY and CONTINUOUS the number of components. ``action_low`` and
    ``action_high`` bound continuous actions. Names are empty where none are known.
    ``value_is_scaled``: the run normalises rewards, so that values are in units of its own.
    ``why_no_pictures`` is a sentence, or "" when there are pictures.
    """

    env_id: str
    step: int
    seed: int
    deterministic: bool
    action_kind: ActionKind
    action_sizes: tuple[int, ...]
    action_names: tuple[str, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]
    observation_names: tuple[str, ...]
    gamma: float
    value_is_scaled: bool
    frames_per_second: float
    why_no_pictures: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen at one step, and what the policy did then; the last one did nothing any more.

    ``picture`` is a PNG or empty. ``value`` is the critic's estimate of the discounted return from
    here. ``probabilities`` are those of all actions (of all parts, one after another; of ones for
    MULTI_BINARY); continuous actions have ``mean`` and ``std`` instead. ``reward`` is what the
    action gave; None at the last. ``observation`` is empty unless it is a few numbers.
    """

    picture: bytes = field(repr=False)
    value: float
    action: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    reward: float | None = None
    observation: tuple[float, ...] = ()


@dataclass(frozen=True)
class Episode:
    """An episode of T steps; ``moments`` has T + 1 entries, the last is what was seen at the end.

    ``raw_observations`` is an .npz; use ``observations``.
    """

    info: EpisodeInfo
    moments: tuple[Moment, ...] = field(repr=False)
    ending: Ending
    raw_observations: bytes = field(repr=False, default=b"")
    warnings: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """T, the number of steps."""
        return len(self.moments) - 1

    @property
    def return_(self) -> float:
        """The sum of its rewards, one after another as evaluations sum them."""
        return sum((one.reward or 0.0 for one in self.moments[:-1]), 0.0)

    @property
    def rewards(self) -> NDArray[np.float64]:
        """The rewards, [T]."""
        import numpy as np

        return np.array([one.reward for one in self.moments[:-1]], dtype=np.float64)

    @property
    def values(self) -> NDArray[np.float64]:
        """What the critic expected before each action, [T]."""
        import numpy as np

        return np.array([one.value for one in self.moments[:-1]], dtype=np.float64)

    @property
    def returns_to_go(self) -> NDArray[np.float64]:
        """The discounted return that came after each step, [T]: what ``values`` estimate.

        Where the episode was truncated or cut, the critic's value of what was seen last stands for
        the rest. In units of the reward, also when the run normalises rewards.
        """
        import numpy as np

        rest = 0.0 if self.ending is Ending.TERMINATED else self.moments[-1].value
        found = np.zeros(self.length)
        for index in reversed(range(self.length)):
            reward = self.moments[index].reward
            rest = (0.0 if reward is None else reward) + self.info.gamma * rest
            found[index] = rest
        return found

    @property
    def actions(self) -> NDArray[Any]:
        """The actions: int64 [T], or [T, k] with parts; float64 [T, k] when continuous."""
        import numpy as np

        taken = [one.action for one in self.moments[:-1]]
        if self.info.action_kind is ActionKind.CONTINUOUS:
            return np.array(taken, dtype=np.float64)
        found = np.array(taken, dtype=np.int64)
        return found[:, 0] if self.info.action_kind is ActionKind.DISCRETE else found

    @property
    def action_probabilities(self) -> NDArray[np.float64] | None:
        """The probabilities before each action, [T, n]; None when actions are continuous."""
        return self._column("probabilities")

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """Means of continuous actions, [T, k], in the units of the action; None for others."""
        return self._column("mean")

    @property
    def std(self) -> NDArray[np.float64] | None:
        """Standard deviations of continuous actions, [T, k]; None for others."""
        return self._column("std")

    @property
    def observations(self) -> Any:
        """What was seen, [T + 1, ...]; a dictionary of arrays where the environment gives one."""
        import numpy as np

        with np.load(io.BytesIO(self.raw_observations), allow_pickle=False) as file:
            found = {name.removeprefix("/"): file[name] for name in file.files}
        return found[""] if list(found) == [""] else found

    @property
    def frames(self) -> NDArray[np.uint8] | None:
        """The pictures, [T + 1, H, W, 3]; None, and ``info`` says why, when there are none.

        Fewer than T + 1 where drawing failed on the way, which is one of ``warnings``.
        """
        if not self.has_pictures:
            return None
        import numpy as np
        from PIL import Image

        shown = [one.picture for one in self.moments]
        pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in shown if data]
        return np.stack([np.asarray(one) for one in pictures])

    @property
    def has_pictures(self) -> bool:
        """Whether the environment was drawn."""
        return bool(self.moments[0].picture)

    def _column(self, name: str) -> NDArray[np.float64] | None:
        import numpy as np

        rows = [getattr(one, name) for one in self.moments[:-1]]
        return np.array(rows, dtype=np.float64) if rows and rows[0] else None


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """What is to be played; checked. ``step`` None: the newest checkpoint."""

    step: int | None
    seed: int
    deterministic: bool
    max_steps: int
    pictures: bool
    width: int = PICTURE_WIDTH


def record_episode(
    run: AnyRun,
    *,
    step: int | None = None,
    seed: int | None = None,
    deterministic: bool = True,
    max_steps: int = 1000,
    pictures: bool = True,
) -> Episode:
    """Let the policy of a checkpoint (None: the newest) play one episode and return what happened.

    ``seed``: None is the seed of the run's own evaluations. ``deterministic`` takes the most likely
    action instead of a drawn one. An episode that has not ended after ``max_steps`` is cut. An
    environment that cannot be drawn is played without pictures, and ``info`` says why.

    The environment's code runs in a process of its own, with this user's rights; the rules for
    environments of others are those of ``evaluate_run``, and so are the errors. Raises
    ``InvalidInputError`` naming the argument, or what the environment did wrong, and
    ``UnavailableError`` when the process crashed or did not answer in time.
    """
    from jupyter_ppo.training.exports.episode_process import play_episode
    from jupyter_ppo.training.exports.opened import opened

    run = opened(run)
    return play_episode(
        run, checked_request(run.spec.eval_seed, step, seed, deterministic, max_steps, pictures)
    )


def checked_request(
    eval_seed: int,
    step: Any,
    seed: Any,
    deterministic: Any,
    max_steps: Any = 1000,
    pictures: bool = True,
) -> EpisodeRequest:
    """Return what is to be played; raise ``InvalidInputError`` naming the argument."""
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or step < 0):
        msg = f"step: {str(step)[:80]!r} is no step of a checkpoint. Give a whole number, or None."
        raise InvalidInputError(msg, field="step")
    is_count = isinstance(max_steps, int) and not isinstance(max_steps, bool)
    if not is_count or not 1 <= max_steps <= MOST_STEPS:
        msg = f"max_steps: {str(max_steps)[:80]!r} is not a whole number from 1 to {MOST_STEPS}."
        raise InvalidInputError(msg, field="max_steps")
    try:
        first = HYPERPARAMETERS["eval_seed"].checked(eval_seed if seed is None else seed)
    except InvalidInputError as error:
        raise InvalidInputError(error.message.replace("eval_seed", "seed"), field="seed") from None
    return EpisodeRequest(step, first, bool(deterministic), max_steps, pictures)
