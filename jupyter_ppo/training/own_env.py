"""An environment class of the user's own, on its way to the worker."""

from __future__ import annotations

import functools
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training import trust
from jupyter_ppo.training.files import RunDirectory, names_module

_LARGEST_MB: Final = 64


def pickle_env(env: Any) -> tuple[str, bytes]:
    """Return the name and the pickle of an environment class, or of a function that makes one.

    Classes of a notebook, a script or a module beside it are pickled whole; those of installed
    packages by name. Raises ``InvalidInputError`` when it cannot be pickled or is too large.
    """
    import cloudpickle

    if not callable(env):
        msg = (
            f"env: a {type(env).__name__} cannot make environments. Give the class itself, such as "
            "env=MyEnv, or a function that returns a new environment."
        )
        raise InvalidInputError(msg, field="env")
    name = str(getattr(env, "__name__", type(env).__name__))
    try:
        with _whole(env):
            data: bytes = cloudpickle.dumps(env)
    except Exception as error:
        msg = (
            f"env: {name} cannot be sent to the training process ({type(error).__name__}: "
            f"{str(error)[:200]}). Make files, locks and windows in its __init__, not outside."
        )
        raise InvalidInputError(msg, field="env") from error
    if len(data) > _LARGEST_MB * 1024**2:
        msg = (
            f"env: {name} is {len(data) / 1024**2:.0f} MB with all that it uses; at most "
            f"{_LARGEST_MB} MB can be sent. Load its data from a file in its __init__."
        )
        raise InvalidInputError(msg, field="env")
    return re.sub(r"\W", "_", name)[:100] or "env", data


def load_env(files: RunDirectory, spec: RunSpec) -> Callable[..., Any] | None:
    """Return what makes the run's environments; None when ``spec.env_id`` is to be looked up.

    This runs code from env.pkl; a module that ``env_id`` names is imported later. Raises
    ``UntrustedRunError`` when this user did not write it, ``NotFoundError`` when it is missing and
    ``InvalidInputError`` when it cannot be used.
    """
    if spec.env_sha256 is None:
        if names_module(spec):
            trust.require_own_spec(spec, files.path, files.spec_signature_file)
        return None
    data = trust.read_trusted(files.env_file, files.env_signature_file, trust.Purpose.ENV)
    if trust.digest(data) != spec.env_sha256:
        msg = (
            f"env.pkl in {files.path} is not the environment that this run began with "
            "(env_sha256 in spec.json differs). Put the old file back, or start a new run."
        )
        raise InvalidInputError(msg, field="env_sha256")
    import cloudpickle

    try:
        env = cloudpickle.loads(data)
    except Exception as error:
        msg = (
            f"env: {spec.env_id} cannot be loaded in the training process ({type(error).__name__}: "
            f"{str(error)[:200]}). It must be able to import what it uses."
        )
        raise InvalidInputError(msg, field="env") from error
    if not callable(env):
        msg = f"env.pkl in {files.path} holds no environment class; start a new run."
        raise NotFoundError(msg, field="env")
    made: Callable[..., Any] = env
    return made


@contextmanager
def _whole(env: Any) -> Iterator[None]:
    """Pickle the module of ``env`` whole, for as long as this lasts, unless it is installed."""
    import cloudpickle

    while isinstance(env, functools.partial):
        env = env.func
    module = sys.modules.get(getattr(env, "__module__", ""))
    if module is None or module.__name__ == "__main__" or _is_installed(module):
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _is_installed(module: ModuleType) -> bool:
    if not getattr(module, "__file__", None):
        return True  # built in
    file = Path(str(module.__file__)).resolve()
    own = Path(__file__).parents[1]
    places = [sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib")]
    return any(file.is_relative_to(Path(place).resolve()) for place in [*places, str(own)])
