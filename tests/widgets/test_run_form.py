"""The form that starts a run."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import ipywidgets
import numpy as np
import pytest

from jupyter_ppo import LiveRun, LiveRuns, RunForm
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Group
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.group import make_spec

DEADLINE = 120.0
SMALL: dict[str, Any] = {"total_steps": 64, "n_envs": 2, "n_steps": 32, "eval_every": 0}


class Hall(gym.Env[np.ndarray, int]):
    """Nothing that Gymnasium has registered."""

    observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), 1.0, True, False, {}


@pytest.fixture
def form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunForm]:
    monkeypatch.chdir(tmp_path)
    form = RunForm()
    yield form
    for run in form.runs:
        run.stop()
    form.close()


def inside(box: Any) -> Iterator[Any]:
    for child in box.children:
        yield child
        if hasattr(child, "children"):
            yield from inside(child)


def labelled(form: RunForm, label: str) -> Any:
    return next(one for one in inside(form) if getattr(one, "description", None) == label)


def words(form: RunForm) -> str:
    texts = [one.value for one in inside(form) if isinstance(one, ipywidgets.HTML)]
    return html.unescape(re.sub(r"<[^>]*>", " ", " ".join(texts)))


def meant(line: str) -> dict[str, Any]:
    """What a call of train() says."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    env = ast.literal_eval(call.args[0])
    return {"env": env, **{str(k.arg): ast.literal_eval(k.value) for k in call.keywords}}


def test_the_line_says_only_what_differs_from_the_preset(form: RunForm) -> None:
    assert form.line == "train('CartPole-v1')"
    form.set(total_steps=20_000, learning_rate=Schedule.linear(1e-3), policy_layers=[32])
    labelled(form, "seeds").value = "0-2"
    labelled(form, "name").value = "it's wide"
    assert meant(form.line) == {
        "env": "CartPole-v1",
        "total_steps": 20_000,
        "learning_rate": {"kind": "linear", "start": 0.001, "end": 0.0},
        "policy_layers": [32],
        "seeds": [0, 1, 2],
        "name": "it's wide",
    }
    assert form.line in words(form)
    form.reset()
    assert form.line == "train('CartPole-v1')"
    assert labelled(form, "total steps").value == "60000"


def test_every_hyperparameter_is_in_its_group(form: RunForm) -> None:
    for group in Group:
        form._sections.unfold(group.capitalize())
        for name, one in HYPERPARAMETERS.items():
            if one.group is group and name != "seed":
                assert labelled(form, name.replace("_", " "))


def test_typing_says_what_is_unusual_and_what_is_wrong(form: RunForm) -> None:
    form._sections.unfold("Update")
    labelled(form, "batch size").value = "100"
    assert "batch_size: 100 does not divide n_envs * n_steps = 1024" in words(form)
    assert form.spec.batch_size == 100
    labelled(form, "batch size").value = "x"
    assert "batch_size: 'x' is not a whole number" in words(form)
    assert "Mend first: batch size." in words(form)
    assert "train(" not in words(form)
    assert labelled(form, "Start").disabled
    with pytest.raises(InvalidInputError, match="batch_size"):
        form.start()
    labelled(form, "batch size").value = "128"
    assert not labelled(form, "Start").disabled
    assert "Mend" not in words(form)


def test_values_that_do_not_go_together_are_refused_in_their_place(form: RunForm) -> None:
    form._sections.unfold("Length")
    form.set(eval_every=0)
    labelled(form, "target return").value = "475"
    assert "target_return: it is compared with evaluations, and eval_every is 0" in words(form)
    assert labelled(form, "Start").disabled
    form._sections.unfold("Evaluation")
    labelled(form, "eval every").value = "4096"
    assert "it is compared" not in words(form)
    assert form.spec.target_return == 475


@pytest.mark.parametrize("seeds", ["", "x", "1, 1", "-1", "0-99", "3-1", "1.5"])
def test_seeds_that_are_none_are_refused(form: RunForm, seeds: str) -> None:
    labelled(form, "seeds").value = seeds
    assert "seeds: use 1 to 50 different whole numbers" in words(form)
    assert labelled(form, "Start").disabled


def test_another_environment_or_preset_sets_all_values(form: RunForm) -> None:
    form._sections.unfold("Rollout")
    form.set(gamma=0.5)
    labelled(form, "environment").value = "Acrobot-v1"
    assert labelled(form, "preset").value == "sb3-defaults"
    assert labelled(form, "gamma").value == "0.99"
    labelled(form, "preset").value = "rl-zoo"
    assert form.spec == spec_from_preset("rl-zoo", env_id="Acrobot-v1")
    assert form.line == "train('Acrobot-v1', preset='rl-zoo')"
    labelled(form, "environment").value = "CartPol-v1"
    assert "CartPole-v1" in words(form), "close names"
    assert labelled(form, "Start").disabled
    labelled(form, "preset").value = "sb3-defaults"
    assert "Gymnasium knows no environment 'CartPol-v1'" in words(form)
    labelled(form, "environment").value = "Pendulum-v1"
    assert form.line == "train('Pendulum-v1')"


def test_a_typing_error_in_the_environment_changes_nothing_else(form: RunForm) -> None:
    form.set(gamma=0.5)
    preset, line = labelled(form, "preset").value, form.line
    labelled(form, "environment").value = "CartPol-v1"
    assert labelled(form, "preset").value == preset
    assert "environment: Gymnasium knows no environment" in words(form)
    assert "Mend first: environment." in words(form)
    assert "env_id" not in words(form)
    labelled(form, "environment").value = "CartPole-v1"
    assert (labelled(form, "preset").value, form.line) == (preset, line)


def test_a_preset_without_values_for_the_environment_says_so(form: RunForm) -> None:
    labelled(form, "preset").value = "rl-zoo"
    assert form.line == "train('CartPole-v1', preset='rl-zoo')"
    labelled(form, "environment").value = "Taxi-v3"
    assert "rl-zoo has no values for 'Taxi-v3'" in words(form)
    assert labelled(form, "Start").disabled


def test_a_form_that_cannot_begin_says_why() -> None:
    with pytest.raises(InvalidInputError, match="preset: 'fast' is not known"):
        RunForm(preset="fast")
    with pytest.raises(InvalidInputError, match="rl-zoo has no values"):
        RunForm("Taxi-v3", "rl-zoo")


def test_start_trains_what_the_line_says_and_shows_it_below(form: RunForm) -> None:
    form.set(**SMALL, learning_rate=1e-3)
    labelled(form, "seeds").value = "3"
    said = meant(form.line)
    for _ in range(3):  # impatient, while the kernel was busy
        labelled(form, "Start").click()
    assert len(form.runs) == 1
    run = form.run
    assert isinstance(run, LiveRun), words(form)
    assert run.wait(DEADLINE) is RunState.FINISHED, run.message
    assert run.spec == make_spec(said.pop("env"), None, **said)
    assert run.spec.seed == 3
    assert run in list(inside(form))
    bundle = form._repr_mimebundle_()[0]
    assert "finished, 64 of 64 steps" in bundle["image/svg+xml"]
    run_type = bundle["application/vnd.jupyter-ppo.run+json"]
    assert run_type["directory"] == str(run.directory)
    assert run_type["model_id"] == form.model_id


def test_several_seeds_are_shown_on_one_board(form: RunForm) -> None:
    form.set(**SMALL)
    labelled(form, "seeds").value = "0, 1"
    labelled(form, "Start").click()
    runs = form.run
    assert isinstance(runs, LiveRuns), words(form)
    assert runs.board in list(inside(form))
    assert [run.spec.seed for run in runs] == [0, 1]


def test_a_class_of_ones_own_has_a_form_too(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    form = RunForm(Hall)
    try:
        assert form.line == "train(Hall)"
        assert labelled(form, "environment").disabled
        form.set(**SMALL, batch_size=32)
        run = form.start()
        assert isinstance(run, LiveRun)
        assert run.spec.env_id == "Hall"
        assert run.run.files.env_file.exists(), "the class goes along"
        run.stop()
    finally:
        form.close()


def test_what_starting_raises_is_shown_beside_the_button(
    form: RunForm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_ppo.widgets.run_form.make_spec", lambda *_a, **_k: 1 / 0)
    labelled(form, "Start").click()
    assert "ZeroDivisionError" in words(form)
    assert form.run is None
    assert not labelled(form, "Start").disabled
