"""A saved model is collected and graded; whatever is in it runs in a container only."""

from __future__ import annotations

import base64
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

Cli = Any
META = {"locked": False, "grade": False, "solution": False, "schema_version": 3}

# As good as a trained one, and made in no time.
REFERENCE = """\
### BEGIN SOLUTION
import numpy as np


class Lean:
    def predict(self, observations, deterministic=False):
        return (observations[:, 2] + observations[:, 3] > 0).astype(np.int64), None


policy = Lean()
### END SOLUTION"""
LOOKS = """\
from jupyter_ppo.checks import examine_policy

report = examine_policy(policy, "CartPole-v1", seeds=[1, 2, 3, 4])
assert report.mean >= 8"""
SOLVES = """\
from jupyter_ppo.checks import examine_policy

assert examine_policy(policy, "CartPole-v1", seeds=[1, 2, 3, 4]).mean >= 300"""


def source(folder: Path) -> str:
    answer = new_code_cell(REFERENCE, metadata={"tags": ["saved-model"]})
    answer.metadata["nbgrader"] = {**META, "solution": True, "grade_id": "policy"}
    cells = [answer]
    for name, code, points in (("looks", LOOKS, 1), ("solves", SOLVES, 2)):
        tests = {**META, "grade": True, "locked": True, "grade_id": name, "points": points}
        cells.append(new_code_cell(code, metadata={"nbgrader": tests}))
    path = folder / "source.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A PPO that was trained for a moment: it lives longer than eight steps, and not for long."""
    from stable_baselines3 import PPO

    path = tmp_path_factory.mktemp("model") / "model.zip"
    made = PPO("MlpPolicy", "CartPole-v1", n_steps=128, n_epochs=1, seed=1, device="cpu")
    made.learn(256).save(path)
    return path.read_bytes()


def with_pickle(model: bytes, evil: object) -> bytes:
    """Return the model with ``evil`` in the place of its policy's class."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "data":
                settings = json.loads(data)
                text = base64.b64encode(pickle.dumps(evil)).decode()
                settings["policy_class"] = {":type:": "x", ":serialized:": text}
                data = json.dumps(settings).encode()
            new.writestr(entry.filename, data)
    return buffer.getvalue()


@pytest.fixture
def released(cli: Cli, tmp_path: Path) -> Cli:
    cli.ok("course", "create", "rl")
    cli.ok("release", "rl", "cart", source(tmp_path), "--no-calibrate")
    return cli


def submit(folder: Path, user: str, data: bytes, name: str = "model.zip") -> None:
    home = folder / "submitted" / user / "cart"
    home.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(data)


def test_a_model_is_collected_of_those_who_have_no_notebook(
    released: Cli, tmp_path: Path, model: bytes
) -> None:
    submit(tmp_path, "ada", model)
    submit(tmp_path, "bob", model)
    submit(tmp_path, "bob", (tmp_path / "source.ipynb").read_bytes(), "cart.ipynb")
    submit(tmp_path, "eve", b"PK\x03\x04")
    status, said, err = released("collect", "rl", "cart", str(tmp_path))
    assert status == 1
    assert "2 collected, 0 unchanged, 1 refused" in said
    assert "eve: model: this is not a whole zip archive." in err
    assert "0 collected, 2 unchanged" in released("collect", "rl", "cart", str(tmp_path))[1]


@pytest.mark.docker
@pytest.mark.image
def test_a_model_gets_what_it_reaches_and_one_that_attacks_gets_nothing(
    released: Cli, tmp_path: Path, model: bytes
) -> None:
    mark = tmp_path / "was here"

    class Evil:
        def __reduce__(self) -> Any:
            code = (
                f"import os, pathlib\nmark = pathlib.Path({str(mark)!r})\n"
                "mark.parent.mkdir(parents=True, exist_ok=True)\nmark.touch()\nos._exit(0)"
            )
            return (exec, (code,))

    submit(tmp_path, "ada", model)
    submit(tmp_path, "eve", with_pickle(model, Evil()))
    assert "2 collected" in released.ok("collect", "rl", "cart", str(tmp_path))
    assert "2 graded now" in released.ok("grade", "rl", "cart")
    table = released.ok("grades", "show", "rl").splitlines()
    scores = {line.split()[0]: line.split()[4:7] for line in table[1:]}
    assert scores == {"ada": ["1", "/", "3"], "eve": ["0", "/", "3"]}
    assert not mark.exists()
    released.ok("grades", "feedback", "rl", "cart", "--to", str(tmp_path / "pages"))
    page = (tmp_path / "pages" / "ada_cart.html").read_text(encoding="utf-8")
    assert "# a saved model, " in page
    assert "CartPole-v1: mean return " in page
