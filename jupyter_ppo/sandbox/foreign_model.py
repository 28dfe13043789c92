"""Models from files that we did not write: looked at and evaluated in a container, and only there.

A file of Stable-Baselines3 holds pickles, and reading those runs whatever its writer put in. So the
bytes go into a container as text on standard input, and what comes back is plain data, which the
model's author may have made up: nothing here says that a model is good, only what the file says.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import BusyError, InvalidModelError, TooLargeError
from jupyter_ppo.domain.execution import Call, Outcome, Program, ProgramRun
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS
from jupyter_ppo.domain.ports import Programs
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.training import Evaluation

#: The most bytes of a file; as text they must fit into one frame of the stream to the container.
MAX_BYTES: Final = 32 * 2**20
_LIMITS: Final = SandboxLimits()
_LONGEST_TEXT: Final = 2000
_SAVE: Final = "Use a .zip that model.save() of Stable-Baselines3's PPO wrote."

#: Runs in the container, with this package and SB3; ``problem`` in the answer is for the user.
_CODE: Final = r"""
import base64
import io
import sys
import warnings
import zipfile

warnings.simplefilter("ignore")  # about other versions; what fails is said below


class Problem(Exception):
    pass


def short(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def read():
    lines = sys.stdin.read().split("\n")
    data, beside = (base64.b64decode(line) for line in lines)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if "data" not in names or "policy.pth" not in names:
                raise Problem("it is no model of Stable-Baselines3")
            version = ""
            if "_stable_baselines3_version" in names:
                version = archive.read("_stable_baselines3_version").decode(errors="replace")
            npz = archive.read("normalisation.npz") if "normalisation.npz" in names else b""
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise Problem(f"the archive is damaged ({short(error)})") from None
    return data, version.strip()[:40], beside or npz


def load(data, version, env=None):
    from stable_baselines3 import PPO, __version__

    # What only training needs. Functions in files of other versions cannot be read any more.
    known = {name: lambda _: 0.0 for name in ("lr_schedule", "clip_range", "clip_range_vf")}
    known["learning_rate"] = 0.0
    error = None
    for spaces in (None, env):
        if spaces is not None:
            known["observation_space"] = spaces.observation_space
            known["action_space"] = spaces.action_space
        try:
            return PPO.load(io.BytesIO(data), device="cpu", custom_objects=known)
        except Exception as caught:
            error = error or caught
    raise Problem(
        f"Stable-Baselines3 {__version__} cannot load what {version or 'an unknown version'} "
        f"saved ({short(error)})"
    )


def guarded(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Problem as problem:
        return {"problem": str(problem)}


def inspect():
    return guarded(_inspect)


def evaluate(**options):
    return guarded(_evaluate, **options)


def _inspect():
    data, version, npz = read()
    model = load(data, version)
    policy = model.policy
    return {
        "version": version,
        "steps": int(model.num_timesteps),
        "observation_space": str(model.observation_space)[:500],
        "action_space": str(model.action_space)[:500],
        "parameters": sum(part.numel() for part in policy.parameters()),
        "normalizes": bool(npz),
    }


def _evaluate(env_id, env_kwargs, episodes, seed, deterministic):
    data, version, npz = read()
    import torch

    from jupyter_ppo.domain.errors import PPOError
    from jupyter_ppo.domain.run_spec import RunSpec
    from jupyter_ppo.training.environments import make_env, make_evaluation_envs
    from jupyter_ppo.training.evaluating import (
        Normaliser,
        evaluate,
        policy_predictor,
        seed_episodes,
    )

    torch.set_num_threads(1)
    spec = RunSpec(env_id=env_id, env_kwargs=env_kwargs)
    try:
        env = make_env(spec, None)
        envs = make_evaluation_envs(spec, None, episodes, seed)
    except PPOError as error:
        raise Problem(f"the environment cannot be made here: {error.message}") from None
    model = load(data, version, env)
    for name in ("observation_space", "action_space"):
        has, wants = getattr(env, name), getattr(model, name)
        sizes = [sorted(space.shape or ()) for space in (has, wants)]
        if type(has) is not type(wants) or sizes[0] != sizes[1]:
            raise Problem(f"its {name} is {wants}, that of {env_id} is {has}")
    normaliser = Normaliser.from_bytes(npz) if npz else None

    predict = policy_predictor(model, normaliser, deterministic)
    try:
        seed_episodes(model.policy, seed, episodes)
        found = evaluate(predict, envs)
    except Exception as error:
        raise Problem(f"it cannot act in {env_id} ({short(error)})") from None
    return {
        "steps": int(model.num_timesteps),
        "returns": list(found.returns),
        "lengths": list(found.lengths),
    }
"""


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """What a file says of itself. Its author may have made it up.

    ``steps`` it was trained for; ``parameters`` of policy and value function together.
    """

    version: str
    steps: int
    observation_space: str
    action_space: str
    parameters: int
    normalizes: bool


def inspect_foreign_model(
    programs: Programs,
    data: bytes,
    *,
    limits: SandboxLimits | None = None,
    seconds: float = 120,
    stop: Ending | None = None,
) -> ForeignModel:
    """Load a saved PPO in a container and return what is in it.

    Raises ``InvalidModelError`` saying what is wrong with the file (damaged, no PPO, of a version
    that cannot be read, over a limit), ``TooLargeError`` over 32 MiB, ``BusyError`` when stopped,
    and what ``Programs.run`` raises.
    """
    said = _run(programs, data, b"", Call("inspect"), limits, seconds, stop)
    try:
        return ForeignModel(
            version=_text(said["version"]),
            steps=_count(said["steps"]),
            observation_space=_text(said["observation_space"]),
            action_space=_text(said["action_space"]),
            parameters=_count(said["parameters"]),
            normalizes=said["normalizes"] is True,
        )
    except (KeyError, TypeError, ValueError):
        _refuse("its code answered something else than was asked")


def evaluate_foreign_model(
    programs: Programs,
    data: bytes,
    env_id: str,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 100,
    seed: int = 1_000_000,
    deterministic: bool = True,
    normalisation: bytes | None = None,
    limits: SandboxLimits | None = None,
    seconds: float = 300,
    stop: Ending | None = None,
) -> Evaluation:
    """Let a saved PPO play ``episodes`` of an environment that the sandbox image has.

    Episode i has the seed ``seed + i``, as evaluations of a run have. ``normalisation`` is the
    normalisation.npz that lay beside the file, if one did. ``seconds`` is wall time for everything.
    The result is what the container says: code in the file could forge it. Raises like
    ``inspect_foreign_model``, and ``InvalidInputError`` naming the argument.
    """
    spec = RunSpec(env_id=env_id, env_kwargs=env_kwargs or {}, eval_seed=seed)
    wanted = {
        "env_id": spec.env_id,
        "env_kwargs": dict(spec.env_kwargs),
        "episodes": HYPERPARAMETERS["eval_episodes"].checked(episodes),
        "seed": spec.eval_seed,
        "deterministic": bool(deterministic),
    }
    call = Call("evaluate", kwargs=wanted)
    said = _run(programs, data, normalisation or b"", call, limits, seconds, stop)
    try:
        returns = tuple(_number(value) for value in said["returns"])
        lengths = tuple(_count(value) for value in said["lengths"])
        if len(returns) != wanted["episodes"] or len(lengths) != wanted["episodes"]:
            raise ValueError
        step = _count(said["steps"])
    except (KeyError, TypeError, ValueError):
        _refuse("its code answered something else than was asked")
    return Evaluation(step, 0.0, spec.eval_seed, bool(deterministic), returns, lengths)


def _run(
    programs: Programs,
    data: bytes,
    beside: bytes,
    call: Call,
    limits: SandboxLimits | None,
    seconds: float,
    stop: Ending | None,
) -> Mapping[str, Any]:
    size = len(data) + len(beside)
    if size > MAX_BYTES:
        msg = (
            f"model: {size / 2**20:.0f} MiB is over the limit of {MAX_BYTES // 2**20} MiB. "
            "Train a smaller network."
        )
        raise TooLargeError(msg, field="model")
    if not data.startswith(b"PK\x03\x04"):
        _refuse("it is no zip archive")
    text = b"\n".join((base64.b64encode(data), base64.b64encode(beside))).decode("ascii")
    program = Program(_CODE, stdin=text, call=call)
    (run,) = programs.run([program], limits or _LIMITS, seconds, stop)
    if not run.success or not run.has_value or not isinstance(run.value, dict):
        _explain(run)
    if "problem" in run.value:
        _refuse(str(run.value["problem"])[:_LONGEST_TEXT])
    return run.value


def _explain(run: ProgramRun) -> NoReturn:
    if run.outcome is Outcome.STOPPED:
        msg = "model: it was stopped before it was through. Try again."
        raise BusyError(msg, retry_after=1.0)
    text = run.error_message or "its code gave no answer"
    kind = f"{run.error_type}: " if run.error_type else ""
    _refuse(f"{kind}{text}"[:_LONGEST_TEXT].rstrip("."))


def _refuse(problem: str) -> NoReturn:
    msg = f"model: {problem}. {_SAVE}"
    raise InvalidModelError(msg, field="model")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return "".join(sign if sign.isprintable() else " " for sign in value[:_LONGEST_TEXT])


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value) if math.isfinite(value) else math.nan
