"""Misspelt environments are refused before there is a folder."""

from __future__ import annotations

import subprocess
import sys

import pytest
from gymnasium.envs.registration import EnvSpec, registry

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.env_ids import check_env_id, check_env_package


def test_what_gymnasium_knows_passes() -> None:
    check_env_id(RunSpec(env_id="CartPole-v1"))
    check_env_id(RunSpec(env_id="Acrobot-v1"))


def test_a_misspelt_one_is_refused_with_what_was_probably_meant() -> None:
    with pytest.raises(InvalidInputError, match=r"CartPol-v1.*Did you mean CartPole-v1") as caught:
        check_env_id(RunSpec(env_id="CartPol-v1"))
    assert caught.value.field == "env_id"


def test_another_version_and_a_strange_name_say_what_can_be_used() -> None:
    with pytest.raises(InvalidInputError, match="CartPole-v1"):
        check_env_id(RunSpec(env_id="CartPole-v9"))
    with pytest.raises(InvalidInputError, match=r"gymnasium\.registry") as caught:
        check_env_id(RunSpec(env_id="qqqqqqqqqq"), field="spec.env_id")
    assert caught.value.field == "spec.env_id"


def test_a_module_is_not_imported_and_an_own_class_not_looked_up() -> None:
    check_env_id(RunSpec(env_id="no_such_module_at_all:Thing-v0"))
    check_env_id(RunSpec(env_id="Maze", env_sha256="0" * 64))


def test_it_does_not_load_torch() -> None:
    code = (
        "import sys; from jupyter_ppo.training.env_ids import check_env_id; "
        "from jupyter_ppo.domain.run_spec import RunSpec; check_env_id(RunSpec()); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    place = "gymnasium.envs.no_such_part:Thing"
    monkeypatch.setitem(registry, "Thing-v0", EnvSpec("Thing-v0", entry_point=place))
    with pytest.raises(InvalidInputError, match=r"Thing-v0 cannot be used here.*no_such_part"):
        check_env_package(RunSpec(env_id="Thing-v0"))
    other = EnvSpec("Other-v0", entry_point="no_such_package:Thing")
    monkeypatch.setitem(registry, "Other-v0", other)
    check_env_package(RunSpec(env_id="Other-v0"))  # the code of others is not run for it
    check_env_package(RunSpec(env_id="CartPole-v1"))
    check_env_package(RunSpec(env_id="CartPol-v1"))
