"""The environment of an episode, and its pictures. Loads torch: only for the worker of episodes."""

from __future__ import annotations

import io
from typing import Any, Final, cast

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from numpy.typing import NDArray

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import VecEnvKind
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.environments import (
    CartPoleEvaluation,
    EnvFactory,
    EvaluationEnvs,
    make_env,
)
from jupyter_ppo.training.exports.policy import same_randomness
from jupyter_ppo.training.native_envs import native_vector_env

_RGB: Final = "rgb_array"
_NO_PICTURES: Final = "so the episode is shown without pictures."
#: Pictures that are larger than this get a palette of their own.
_PLAIN_BYTES: Final = 24_000
_COLOURS: Final = 96
#: Frames per second where the environment does not say.
_USUAL_SPEED: Final = 30.0


class _Witness(gym.Wrapper[Any, Any, Any, Any]):
    """Remembers whether the last step ended the task or only the time."""

    has_terminated = False

    def step(self, action: Any) -> Any:
        """Step, and remember."""
        result = self.env.step(action)
        self.has_terminated = bool(result[2])
        return result


class Stage:
    """One copy of the environment, the same that an evaluation with this seed plays.

    ``why_no_pictures`` is "" while it can be drawn.
    """

    def __init__(
        self, spec: RunSpec, env: EnvFactory | None, seed: int, *, pictures: bool, why: str = ""
    ) -> None:
        """Make it; raise ``InvalidInputError`` when the environment cannot be made."""
        self.why_no_pictures = why
        self._vector: CartPoleVectorEnv | None = None
        self._single: _Witness | None = None
        self._envs: EvaluationEnvs
        if env is None and spec.vec_env is not VecEnvKind.DUMMY:
            # As make_evaluation_envs: its CartPole rounds differently from a single one.
            drawn = spec.changed(env_kwargs={**spec.env_kwargs, "render_mode": _RGB})
            found = native_vector_env(drawn if pictures else spec, 1)
            if isinstance(found, CartPoleVectorEnv):
                self._vector = found
                self._envs = CartPoleEvaluation(found, seed)
                return
            if not isinstance(found, str):
                found.close()
        made = self._drawn(spec, env) if pictures else None
        self._single = _Witness(make_env(spec, env) if made is None else made)
        self._envs = EvaluationEnvs([self._single], seed)

    @property
    def env(self) -> Any:
        """The environment, for what it says of itself."""
        return self._vector if self._vector is not None else self._single

    @property
    def frames_per_second(self) -> float:
        """How fast its pictures are to be shown, by its metadata."""
        given = self.env.metadata.get("render_fps", _USUAL_SPEED)
        is_speed = isinstance(given, int | float) and 0 < given < 1000
        return float(given) if is_speed else _USUAL_SPEED

    def reset(self) -> Any:
        """Begin and return the first observation, in a batch of one."""
        return self._envs.reset()

    def step(self, actions: Any) -> tuple[Any, float, bool]:
        """Step with a batch of one action; return observation, reward and whether it is over."""
        observation, rewards, done = self._envs.step(actions)
        return observation, float(rewards[0]), bool(done[0])

    @property
    def has_terminated(self) -> bool:
        """After the last step: whether the task ended, and not only the time."""
        if self._single is not None:
            return self._single.has_terminated
        vector = cast(CartPoleVectorEnv, self._vector)
        x, _, angle, _ = np.asarray(vector.state)[:, 0]
        limit, steepest = vector.x_threshold, vector.theta_threshold_radians
        return bool(abs(x) > limit or abs(angle) > steepest)

    def picture(self, width: int) -> bytes:
        """Return a PNG of what is to be seen now; b"" and a reason when that cannot be."""
        if self.why_no_pictures:
            return b""
        try:
            with same_randomness():
                shown = self.env.render()
        except (Exception, SystemExit) as error:
            self.why_no_pictures = f"render() raised {_words(error)}, {_NO_PICTURES}"
            return b""
        if self._vector is not None and isinstance(shown, tuple | list) and shown:
            shown = shown[0]
        problem = _problem(shown)
        if problem:
            self.why_no_pictures = f"render() returned {problem}, {_NO_PICTURES}"
            return b""
        return png(np.asarray(shown), width)

    def close(self) -> None:
        """Close the environment."""
        self._envs.close()

    def _drawn(self, spec: RunSpec, env: EnvFactory | None) -> gym.Env[Any, Any] | None:
        """Return an environment that draws, or None and keep the reason."""
        with_mode = spec.changed(env_kwargs={**spec.env_kwargs, "render_mode": _RGB})
        try:
            made = make_env(with_mode, env)
        except InvalidInputError as error:
            if "render_mode" not in error.message:
                reason = f"cannot be made with render_mode={_RGB!r} ({error.message[:300]})"
                self.why_no_pictures = f"The environment {reason}, {_NO_PICTURES}"
                return None
            made = make_env(spec, env)  # without the argument it may draw all the same
        draws = type(made.unwrapped).render is not gym.Env.render
        if draws and (_RGB in (modes := _modes(made)) or not modes):
            return made
        made.close()
        self.why_no_pictures = f"The environment has no {_RGB} pictures, {_NO_PICTURES}"
        return None


def png(shown: NDArray[Any], width: int) -> bytes:
    """Return a picture [H, W, 3] as a PNG that is no wider than ``width``."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(shown, dtype=np.uint8))
    if picture.width > width:
        height = max(round(picture.height * width / picture.width), 1)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    data = _saved(picture)
    if len(data) > _PLAIN_BYTES:
        palette = picture.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        smaller = _saved(palette)
        data = min(data, smaller, key=len)
    return data


def _saved(picture: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _modes(env: gym.Env[Any, Any]) -> list[str]:
    found: Any = env.metadata.get("render_modes", [])
    return [str(one) for one in found] if isinstance(found, list | tuple | set) else []


def _problem(shown: Any) -> str:
    if shown is None:
        return "nothing"
    if not isinstance(shown, np.ndarray):
        return f"a {type(shown).__name__}, not an array [height, width, 3]"
    if shown.ndim != 3 or shown.shape[2] != 3 or 0 in shown.shape:
        return f"an array of shape {shown.shape}, not [height, width, 3]"
    if shown.dtype != np.uint8:
        return f"an array of {shown.dtype}, not uint8 from 0 to 255"
    return ""


def _words(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
