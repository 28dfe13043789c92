"""Whose pickles are read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import (
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UntrustedRunError,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training import trust
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.own_env import load_env, pickle_env
from jupyter_ppo.training.trust import Purpose


class Bomb:
    """Unpickling it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def key_file(folder: Path) -> Path:
    return folder / "data" / "jupyter_ppo" / "run.key"


def test_what_this_user_signed_is_ours_and_nothing_else(own_jupyter_folders: Path) -> None:
    signature = trust.sign(b"data", Purpose.ENV)
    assert trust.is_ours(b"data", signature, Purpose.ENV)
    assert not trust.is_ours(b"Data", signature, Purpose.ENV)
    assert not trust.is_ours(b"data", "", Purpose.ENV)
    assert not trust.is_ours(b"data", signature[:-1], Purpose.ENV)
    assert not trust.is_ours(b"data", "ä" * 64, Purpose.ENV)
    mode = stat.S_IMODE(key_file(own_jupyter_folders).stat().st_mode)
    assert mode == 0o600
    assert trust.sign(b"data", Purpose.ENV) == signature  # the key stays
    assert not trust.is_ours(b"data", signature, Purpose.MODEL)  # bytes of one kind are no other


def test_another_user_s_signature_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = trust.sign(b"data", Purpose.ENV)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert not trust.is_ours(b"data", signature, Purpose.ENV)


def test_processes_that_make_the_key_at_once_agree_on_one(own_jupyter_folders: Path) -> None:
    code = "from jupyter_ppo.training.trust import *; print(sign(b'x', Purpose.ENV))"
    root = str(Path(trust.__file__).parents[2])
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        for _ in range(4)
    ]
    assert {maker.communicate(timeout=60)[0] for maker in makers} == {
        trust.sign(b"x", Purpose.ENV) + "\n"
    }
    assert os.listdir(key_file(own_jupyter_folders).parent) == ["run.key"]


def test_a_damaged_or_unreadable_key_is_named_with_a_remedy(
    own_jupyter_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust.sign(b"x", Purpose.ENV)
    key_file(own_jupyter_folders).write_bytes(b"short")
    with pytest.raises(UnavailableError, match="Delete it"):
        trust.sign(b"x", Purpose.ENV)
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match=r"run\.key.*cannot be used"):
        trust.sign(b"x", Purpose.ENV)


def test_in_a_sandbox_everything_is_trusted_and_no_key_is_made(
    own_jupyter_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(trust.TRUST_VARIABLE, "1")
    assert trust.sign(b"x", Purpose.ENV) == ""
    assert trust.is_ours(b"x", "", Purpose.ENV)
    assert not key_file(own_jupyter_folders).exists()


def run_with(tmp_path: Path, env: bytes) -> RunDirectory:
    files = RunDirectory(tmp_path / "run")
    files.path.mkdir()
    files.create(RunSpec(env_id="Mine", env_sha256=trust.digest(env)), env)
    return files


def test_a_foreign_environment_is_not_unpickled_until_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cloudpickle

    files = run_with(tmp_path, cloudpickle.dumps(Bomb(tmp_path / "ran")))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another user"))
    with pytest.raises(UntrustedRunError, match="jupyter ppo runs trust") as caught:
        load_env(files, files.read_spec())
    assert str(files.env_file) in caught.value.message
    assert not (tmp_path / "ran").exists()
    assert trust.trust_run(files.path) == ["env.pkl"]
    with pytest.raises(NotFoundError):  # a None is no class, but it was read
        load_env(files, files.read_spec())
    assert (tmp_path / "ran").exists()


def test_an_environment_goes_to_the_worker_whole_and_comes_back(tmp_path: Path) -> None:
    name, data = pickle_env(Bomb)
    assert name == "Bomb"
    assert b"__reduce__" in data  # by value: the worker cannot import this test
    made = load_env(run_with(tmp_path, data), RunSpec(env_id="Mine", env_sha256=trust.digest(data)))
    assert made is not None
    assert made(tmp_path).path == tmp_path
    assert load_env(RunDirectory(tmp_path), RunSpec()) is None


def test_an_installed_environment_goes_by_its_name() -> None:
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    name, data = pickle_env(CartPoleEnv)
    assert name == "CartPoleEnv"
    assert len(data) < 200


def test_what_cannot_be_sent_is_refused_with_a_remedy() -> None:
    import threading

    lock = threading.Lock()

    class Locked:
        held = lock

    with pytest.raises(InvalidInputError, match="Locked cannot be sent") as caught:
        pickle_env(Locked)
    assert caught.value.field == "env"
    with pytest.raises(InvalidInputError, match="Give the class itself"):
        pickle_env(5)


def test_an_exchanged_environment_is_told_by_its_digest(tmp_path: Path) -> None:
    files = run_with(tmp_path, b"one")
    files.env_file.write_bytes(b"two")
    trust.write_signature(b"two", files.env_signature_file, Purpose.ENV)
    with pytest.raises(InvalidInputError, match="not the environment that this run began with"):
        load_env(files, files.read_spec())
    files.env_file.unlink()
    with pytest.raises(NotFoundError, match=r"env\.pkl is missing"):
        load_env(files, files.read_spec())


def test_a_module_that_a_foreign_spec_names_is_not_imported_until_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    files = RunDirectory(tmp_path / "run")
    files.path.mkdir()
    files.create(RunSpec(env_id="mine:Maze-v0"))
    assert load_env(files, files.read_spec()) is None  # the user's own
    files.write_labels("another name", ())
    spec = files.read_spec()
    load_env(files, spec.changed(total_steps=10_000))  # lengths may be edited
    with pytest.raises(UntrustedRunError):
        load_env(files, spec.changed(env_id="other:Maze-v0"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another user"))
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_ppo.training.worker", str(files.path)],
        env={**os.environ, "PYTHONPATH": str(Path(trust.__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "jupyter ppo runs trust" in files.read_status().message
    assert not (tmp_path / "ran").exists()
    assert trust.trust_run(files.path) == ["spec.json"]
    assert load_env(files, spec) is None
