"""Plays one episode: ``python -m jupyter_ppo.training.exports.episode_worker RUN_DIRECTORY JSON``.

JSON is an ``EpisodeRequest``. What happens is told in records (``episode_records``) on standard
output; what the environment prints goes to standard error. It ends when standard input ends, which
is when the process that wants the episode is gone.
"""

from __future__ import annotations

import copy
import io
import json
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_ppo.domain.errors import PPOError, UnavailableError
from jupyter_ppo.training.env_checks import env_code
from jupyter_ppo.training.exports.episode import (
    ActionKind,
    Ending,
    EpisodeInfo,
    EpisodeRequest,
    Moment,
)
from jupyter_ppo.training.exports.episode_names import action_names, observation_names
from jupyter_ppo.training.exports.episode_records import Phase, Said, write_record

if TYPE_CHECKING:
    from gymnasium import spaces

    from jupyter_ppo.training.exports.episode_stage import Stage
    from jupyter_ppo.training.exports.policy import LoadedPolicy

#: Observations of more numbers are not shown as numbers.
_FEW_NUMBERS: Final = 16
#: All pictures of an episode together; more would fill the memory of the browser.
_PICTURES_BYTES: Final = 48 * 1024**2
#: What an episode shows of its observations in all; image observations of long episodes are large.
_OBSERVATIONS_BYTES: Final = 256 * 1024**2

#: What errors of training say; an episode keeps no such file.
_NO_LOG: Final = " worker.log shows where; correct the environment."

Tell = Callable[..., None]


def main() -> int:
    """Play; return 0 when there is an episode, else 1 and a record that says why not."""
    told = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints, prints there
    threading.Thread(target=_end_with_owner, daemon=True).start()

    def tell(said: Said, payload: bytes = b"", **values: Any) -> None:
        write_record(told, {"said": said.value, **values}, payload)

    try:
        asked = json.loads(sys.argv[2])
        why = asked.pop("why_no_pictures")
        play(Path(sys.argv[1]), EpisodeRequest(**asked), why, tell)
    except BaseException as error:
        traceback.print_exc()
        failure = error if isinstance(error, PPOError) else UnavailableError(_sentence(error))
        tell(
            Said.FAILED,
            error=type(failure).__name__,
            message=failure.message.replace(_NO_LOG, ""),
            field=failure.field,
        )
        return 1
    return 0


def _end_with_owner() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _sentence(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    about = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    return f"The episode cannot be played: {about}"


def play(folder: Path, asked: EpisodeRequest, why: str, tell: Tell) -> None:
    """Play and tell; ``why`` is the reason why pictures are not asked for."""
    import torch

    from jupyter_ppo.training.evaluating import seed_episodes
    from jupyter_ppo.training.exports.episode_stage import Stage
    from jupyter_ppo.training.exports.policy import load_policy
    from jupyter_ppo.training.launch import open_run

    torch.set_num_threads(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        loaded = load_policy(open_run(folder), asked.step)
    for one in caught:
        if one.category is RuntimeWarning and "checkpoint" in str(one.message):
            tell(Said.WARNING, message=str(one.message))
    tell(Said.WORKING, phase=Phase.DRAW if asked.pictures else Phase.STEP)
    stage = Stage(loaded.spec, loaded.env, asked.seed, pictures=asked.pictures, why=why)
    seed_episodes(loaded.policy, asked.seed, 1)  # as evaluations do
    _Player(loaded, stage, asked, tell).play()


class _Player:
    """One episode, told as it is played."""

    def __init__(
        self, loaded: LoadedPolicy, stage: Stage, asked: EpisodeRequest, tell: Tell
    ) -> None:
        self._loaded = loaded
        self._stage = stage
        self._asked = asked
        self._tell = tell
        self._seen: list[Any] = []
        self._picture_bytes = 0
        self._has_begun = False

    def play(self) -> None:
        """Play to the end, or to ``max_steps``."""
        asked, stage = self._asked, self._stage
        ending = Ending.CUT
        self._tell(Said.WORKING, phase=Phase.STEP)
        with env_code("reset() of the environment"):
            batch = copy.deepcopy(stage.reset())
        for index in range(asked.max_steps):
            picture = self._picture()
            if not self._has_begun:  # the first picture says whether there are any
                self._begin()
            self._seen.append(batch)
            decision = _decision(self._loaded, batch)
            actions = self._loaded.act(batch, deterministic=asked.deterministic)
            taken = tuple(float(one) for one in actions[0].reshape(-1))
            numbers = _numbers(batch)
            self._tell(Said.WORKING, phase=Phase.STEP)
            with env_code(f"step() of the environment, after {index} steps,"):
                batch, reward, is_over = stage.step(actions)
                batch = copy.deepcopy(batch)  # the environment may use its arrays again
            self._say(Moment(picture, **decision, action=taken, reward=reward, observation=numbers))
            if is_over:
                ending = Ending.TERMINATED if stage.has_terminated else Ending.TRUNCATED
                break
        picture = self._picture()
        self._seen.append(batch)
        value = _decision(self._loaded, batch)["value"]
        self._say(Moment(picture, value, observation=_numbers(batch)))
        self._tell(Said.END, _npz(self._seen), ending=ending)

    def _picture(self) -> bytes:
        stage = self._stage
        if not self._asked.pictures or stage.why_no_pictures:
            return b""
        self._tell(Said.WORKING, phase=Phase.DRAW)
        picture = stage.picture(self._asked.width)
        self._tell(Said.WORKING, phase=Phase.STEP)
        self._picture_bytes += len(picture)
        if self._picture_bytes > _PICTURES_BYTES:
            stage.why_no_pictures = (
                f"The pictures up to here are {_PICTURES_BYTES // 1024**2} MB; those after it are "
                "left out. Play fewer steps to see them all."
            )
        if stage.why_no_pictures and self._has_begun:
            self._tell(Said.WARNING, message=stage.why_no_pictures)
        return picture

    def _begin(self) -> None:
        self._has_begun = True
        loaded, env = self._loaded, self._stage.env
        kind, sizes, low, high = _actions(loaded.action_space)
        shape: tuple[int, ...] = loaded.observation_space.shape or ()
        numbers = shape[0] if len(shape) == 1 else 0
        spec = loaded.spec
        info = EpisodeInfo(
            env_id=spec.env_id,
            step=loaded.step,
            seed=self._asked.seed,
            deterministic=self._asked.deterministic,
            action_kind=kind,
            action_sizes=sizes,
            action_names=action_names(spec.env_id, env, sizes[0]),
            action_low=low,
            action_high=high,
            observation_names=observation_names(spec.env_id, numbers),
            gamma=spec.gamma,
            value_is_scaled=spec.normalize_rewards,
            frames_per_second=self._stage.frames_per_second,
            why_no_pictures=self._stage.why_no_pictures or self._unasked(),
        )
        self._tell(Said.BEGIN, info=asdict(info))

    def _unasked(self) -> str:
        return "" if self._asked.pictures else "Pictures were not asked for."

    def _say(self, moment: Moment) -> None:
        values = asdict(moment)
        picture = values.pop("picture")
        self._tell(Said.MOMENT, picture, moment=values)


def _decision(loaded: LoadedPolicy, batch: Any) -> dict[str, Any]:
    """Return what the policy thinks of a batch of one; draws no random numbers."""
    import torch
    from stable_baselines3.common.distributions import (
        BernoulliDistribution,
        CategoricalDistribution,
        MultiCategoricalDistribution,
    )

    from jupyter_ppo.training.evaluating import Normaliser

    policy = loaded.policy
    if loaded.statistics:
        batch = Normaliser(loaded.statistics).observations(batch)
    tensors, _ = policy.obs_to_tensor(batch)
    with torch.no_grad():
        found: Any = policy.get_distribution(tensors)
        value = float(policy.predict_values(tensors).item())
    if isinstance(found, CategoricalDistribution):
        return {"value": value, "probabilities": _floats(found.distribution.probs)}
    if isinstance(found, MultiCategoricalDistribution):
        parts = [number for one in found.distribution for number in _floats(one.probs)]
        return {"value": value, "probabilities": tuple(parts)}
    if isinstance(found, BernoulliDistribution):
        return {"value": value, "probabilities": _floats(found.distribution.probs)}
    normal = found.distribution
    return {"value": value, "mean": _floats(normal.mean), "std": _floats(normal.stddev)}


def _floats(tensor: Any) -> tuple[float, ...]:
    return tuple(float(one) for one in tensor.reshape(-1).tolist())


def _actions(
    space: spaces.Space[Any],
) -> tuple[ActionKind, tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    import numpy as np
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return ActionKind.DISCRETE, (int(space.n),), (), ()
    if isinstance(space, spaces.MultiDiscrete):
        sizes = tuple(int(one) for one in space.nvec.reshape(-1))
        return ActionKind.MULTI_DISCRETE, sizes, (), ()
    if isinstance(space, spaces.MultiBinary):
        return ActionKind.MULTI_BINARY, (int(np.prod(space.shape)),), (), ()
    box = cast("spaces.Box", space)
    low, high = (tuple(float(one) for one in end.reshape(-1)) for end in (box.low, box.high))
    return ActionKind.CONTINUOUS, (len(low),), low, high


def _numbers(batch: Any) -> tuple[float, ...]:
    """Return a small observation as numbers; a larger one is empty."""
    import numpy as np

    if isinstance(batch, dict):
        return ()
    one = np.asarray(batch)[0]
    return tuple(float(x) for x in one.reshape(-1)) if one.size <= _FEW_NUMBERS else ()


def _npz(seen: list[Any]) -> bytes:
    """Return all observations as an .npz; of very large ones only the first."""
    import numpy as np

    first = seen[0]
    parts = first if isinstance(first, dict) else {"": first}
    size = sum(np.asarray(one).nbytes for one in parts.values())
    kept = seen[: max(_OBSERVATIONS_BYTES // max(size, 1), 1)]
    arrays: dict[str, Any] = {
        f"/{name}": np.concatenate([one[name] if isinstance(one, dict) else one for one in kept])
        for name in parts
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # all is told; taking torch apart would only cost time
