"""Episodes of a checkpoint: the same that are evaluated, with pictures and probabilities."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from jupyter_ppo.domain.errors import (
    DamagedFileError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UntrustedRunError,
)
from jupyter_ppo.training.exports import episode_process, episode_worker, evaluate_run
from jupyter_ppo.training.exports.episode import (
    ActionKind,
    Ending,
    Episode,
    checked_request,
    record_episode,
)
from jupyter_ppo.training.exports.episode_process import (
    CancelledError,
    EpisodeBuilder,
    EpisodeListener,
    play_episode,
)
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]
PNG = b"\x89PNG\r\n\x1a\n"


def recorded(run: Run, why: str = "", **options: Any) -> Episode:
    """Play in this process, which has loaded torch already; records go the way of JSON."""
    builder = EpisodeBuilder()
    found: list[Episode] = []

    def tell(said: str, payload: bytes = b"", **values: Any) -> None:
        episode = builder.take(json.loads(json.dumps({"said": said, **values})), payload)
        if episode is not None:
            found.append(episode)

    asked = checked_request(
        run.spec.eval_seed,
        options.get("step"),
        options.get("seed"),
        options.get("deterministic", True),
        options.get("max_steps", 1000),
        options.get("pictures", True),
    )
    episode_worker.play(run.directory, asked, why, tell)
    return found[0]


class Drawn(gym.Env[Any, Any]):
    """Draws itself without being asked how; what render() returns is chosen."""

    def __init__(self, shown: str = "array", action_words: bool = False) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.action_space = spaces.Discrete(3)
        self._shown = shown
        self._steps = 0
        if action_words:
            self.get_action_meanings = lambda: ["stay", "up", "down"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._steps = 0
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> Any:
        self._steps += 1
        if self._shown == "raises in step" and self._steps == 3:
            msg = "no such field"
            raise ValueError(msg)
        return np.full(3, self._steps / 10, np.float32), 1.0, self._steps >= 5, False, {}

    def render(self) -> Any:
        if self._shown == "late" and self._steps >= 2:
            msg = "the window is gone"
            raise RuntimeError(msg)
        if self._shown == "crash":
            os.abort()
        np.random.random()  # what a picture draws must not change the episode
        shown = np.zeros((600, 800, 3), np.uint8)
        shown[:, : 100 * self._steps] = 200
        return {
            "nothing": None,
            "list": [shown],
            "grey": shown[..., 0],
            "floats": shown / 255,
        }.get(self._shown, shown)


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_an_episode_is_the_one_that_is_evaluated(
    trained: Trained, env_id: str, deterministic: bool
) -> None:
    run = trained(env_id=env_id, normalize_observations=env_id == "Pendulum-v1")
    evaluation = evaluate_run(run, episodes=1, seed=7, deterministic=deterministic)
    episode = recorded(run, seed=7, deterministic=deterministic, pictures=False)
    assert (episode.return_,) == evaluation.returns
    assert (episode.length,) == evaluation.lengths
    assert (episode.info.step, episode.info.seed) == (evaluation.step, 7)
    assert episode.ending is (Ending.TERMINATED if env_id == "CartPole-v1" else Ending.TRUNCATED)
    drawn = recorded(run, seed=7, deterministic=deterministic, max_steps=6)
    assert drawn.has_pictures
    assert drawn.length == 6
    for one, other in zip(drawn.moments[:6], episode.moments, strict=False):
        assert replace(one, picture=b"") == other, "a picture changes nothing"


def test_the_third_held_out_episode_has_the_third_seed(trained: Trained) -> None:
    run = trained(eval_every=64, eval_episodes=3)
    returns = run.evaluations()[-1].returns
    seeds = [run.spec.eval_seed + index for index in range(3)]
    assert tuple(recorded(run, seed=seed, pictures=False).return_ for seed in seeds) == returns


def test_every_step_has_what_the_policy_thought(trained: Trained) -> None:
    episode = recorded(trained(), seed=3)
    steps = episode.length
    assert episode.info.action_kind is ActionKind.DISCRETE
    assert episode.info.action_names == ("left", "right")
    assert episode.observations.shape == (steps + 1, 4)
    assert episode.actions.shape == episode.values.shape == episode.rewards.shape == (steps,)
    probabilities = episode.action_probabilities
    assert probabilities is not None
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities.argmax(axis=1) == episode.actions).all(), "the likeliest is taken"
    assert (episode.mean, episode.std) == (None, None)
    gamma = episode.info.gamma
    expected = [sum(gamma**k for k in range(steps - index)) for index in range(steps)]
    assert np.allclose(episode.returns_to_go, expected)


def test_pictures_are_small_and_of_the_same_moments(trained: Trained) -> None:
    episode = recorded(trained(), seed=3)
    frames = episode.frames
    assert frames is not None
    assert frames.shape == (episode.length + 1, 267, 400, 3)
    assert frames.dtype == np.uint8
    assert all(one.picture.startswith(PNG) for one in episode.moments)
    # 500 steps stay below 3 MB
    assert sum(len(one.picture) for one in episode.moments) / len(episode.moments) < 6000
    brown = (frames[..., 0].astype(int) - frames[..., 2] > 60).nonzero()  # the pole
    seen = [brown[2][brown[0] == index].mean() for index in (0, episode.length)]
    angles = episode.observations[[0, -1], 2]
    assert np.sign(seen[1] - seen[0]) == np.sign(angles[1] - angles[0]), "it falls to that side"


@pytest.mark.parametrize("actions", ["discrete", "multi", "binary", "box"])
def test_any_action_has_its_probabilities(trained: Trained, any_spaces: type, actions: str) -> None:
    run = trained(env=any_spaces, env_kwargs={"actions": actions})
    episode = recorded(run, deterministic=False)
    assert "no rgb_array pictures" in episode.info.why_no_pictures
    assert episode.frames is None
    assert episode.length == 8
    probabilities = episode.action_probabilities
    if actions == "box":
        assert probabilities is None
        assert episode.mean is not None
        assert episode.std is not None
        assert episode.actions.shape == episode.mean.shape == episode.std.shape == (8, 2)
        assert (episode.std > 0).all()
        low, high = episode.info.action_low, episode.info.action_high
        assert (episode.actions >= np.array(low) - 1e-6).all()
        assert (episode.actions <= np.array(high) + 1e-6).all()
        return
    assert probabilities is not None
    sizes = {"discrete": (3,), "multi": (2, 4), "binary": (3,)}[actions]
    assert episode.info.action_sizes == sizes
    assert probabilities.shape == (8, sum(sizes))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if actions == "multi":
        assert np.allclose(probabilities[:, :2].sum(axis=1), 1, atol=1e-6)
        assert np.allclose(probabilities[:, 2:].sum(axis=1), 1, atol=1e-6)
        assert episode.actions.shape == (8, 2)
    assert episode.return_ == pytest.approx(episode.actions.sum())


@pytest.mark.parametrize("observations", ["discrete", "multi", "dict", "image"])
def test_any_observation_is_kept(trained: Trained, any_spaces: type, observations: str) -> None:
    run = trained(env=any_spaces, env_kwargs={"observations": observations})
    seen = recorded(run).observations
    if observations == "dict":
        assert seen["far"].shape == (9, 2)
        assert seen["near"].shape == (9, 3)
    elif observations == "image":
        assert (seen.shape, seen.dtype) == ((9, 40, 36, 3), np.uint8)
        assert recorded(run).moments[0].observation == ()
    else:
        assert len(seen) == 9


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ("nothing", "render() returned nothing"),
        ("list", "render() returned a list, not an array"),
        ("grey", "render() returned an array of shape (600, 800), not [height, width, 3]"),
        ("floats", "render() returned an array of float64, not uint8"),
    ],
)
def test_what_is_no_picture_is_said(trained: Trained, shown: str, sentence: str) -> None:
    episode = recorded(trained(env=Drawn, env_kwargs={"shown": shown}))
    assert episode.info.why_no_pictures.startswith(sentence)
    assert (episode.length, episode.has_pictures, episode.warnings) == (5, False, ())


def test_a_class_without_render_mode_is_drawn_and_may_name_its_actions(trained: Trained) -> None:
    episode = recorded(trained(env=Drawn, env_kwargs={"action_words": True}))
    assert episode.info.why_no_pictures == ""
    assert episode.frames is not None
    assert episode.frames.shape == (6, 300, 400, 3)
    assert episode.info.action_names == ("stay", "up", "down")


def test_drawing_that_fails_on_the_way_leaves_the_pictures_before(trained: Trained) -> None:
    episode = recorded(trained(env=Drawn, env_kwargs={"shown": "late"}))
    assert episode.length == 5
    assert [bool(one.picture) for one in episode.moments] == [True, True, *[False] * 4]
    assert episode.warnings == (
        "render() raised RuntimeError: the window is gone, "
        "so the episode is shown without pictures.",
    )


def test_an_episode_without_end_is_cut(trained: Trained) -> None:
    episode = recorded(trained(env_id="Pendulum-v1"), max_steps=4)
    assert (episode.length, episode.ending) == (4, Ending.CUT)
    last = episode.moments[-1]
    assert (last.action, last.reward) == ((), None)
    rest = [episode.info.gamma**k * reward for k, reward in enumerate(episode.rewards)]
    ahead = sum(rest) + episode.info.gamma**4 * last.value
    assert episode.returns_to_go[0] == pytest.approx(ahead), "the critic stands for the rest"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("max_steps", {"max_steps": 0}),
        ("max_steps", {"max_steps": True}),
        ("seed", {"seed": -1}),
        ("step", {"step": "newest"}),
    ],
)
def test_what_cannot_be_played_is_named(
    trained: Trained, field: str, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as caught:
        record_episode(trained(), **values)
    assert caught.value.field == field


def test_another_process_plays_the_same_and_the_kernel_hears_of_it_as_it_goes(
    trained: Trained,
) -> None:
    run = trained()
    told: list[Any] = []
    listener = EpisodeListener(begin=told.append, moment=told.append)
    asked = checked_request(run.spec.eval_seed, None, 3, deterministic=False)
    episode = play_episode(run, asked, listener)
    here = recorded(run, seed=3, deterministic=False)
    assert episode.moments == here.moments
    assert episode.info == here.info
    assert told == [episode.info, *episode.moments]


def test_a_picture_that_kills_its_process_is_left_out(trained: Trained) -> None:
    episode = record_episode(trained(env=Drawn, env_kwargs={"shown": "crash"}))
    assert episode.info.why_no_pictures == (
        "render() of the environment crashed: its process was killed (SIGABRT). "
        "The episode is shown without pictures."
    )
    assert (episode.length, episode.return_) == (5, 5.0)


def test_errors_of_the_environment_and_of_checkpoints_are_those_of_evaluations(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(env=Drawn)
    text = run.files.spec_file.read_text()
    changed = text.replace('"env_kwargs": {}', '"env_kwargs": {"shown": "raises in step"}')
    run.files.spec_file.write_text(changed)
    with pytest.raises(InvalidInputError, match="after 2 steps, raised ValueError: no such field"):
        recorded(run)
    with pytest.raises(NotFoundError, match="no checkpoint of step 77"):
        recorded(run, step=77)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another person"))
    with pytest.raises(UntrustedRunError, match="runs trust"):
        recorded(run)


FAKE = """
import json, os, signal, sys, time
from jupyter_ppo.training.exports.episode_records import Phase, Said, write_record
asked = json.loads(sys.argv[2])
def tell(said, payload=b"", **values):
    write_record(1, {"said": said, **values}, payload)
def begin():
    tell(Said.BEGIN, info={"env_id": "Own", "step": 1, "seed": asked["seed"], "deterministic": True,
        "action_kind": "discrete", "action_sizes": [2], "action_names": [], "action_low": [],
        "action_high": [], "observation_names": [], "gamma": 0.9, "value_is_scaled": False,
        "frames_per_second": 30.0, "why_no_pictures": asked["why_no_pictures"]})
    moment = {"value": 1.0, "action": [0.0], "probabilities": [0.5, 0.5], "mean": [], "std": [],
        "reward": 2.0, "observation": []}
    tell(Said.MOMENT, moment=moment)
    return moment
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let other code take the place of the worker, which would load torch first."""

    def use(code: str) -> None:
        monkeypatch.setattr(episode_process, "_WORKER", (sys.executable, "-c", FAKE + code))

    return use


def test_a_picture_that_never_comes_is_left_out(
    trained: Trained, worker: Callable[[str], None]
) -> None:
    worker(
        """
moment = begin()
if asked["pictures"]:
    tell(Said.WORKING, phase=Phase.DRAW)
    time.sleep(60)
tell(Said.MOMENT, moment={**moment, "action": [], "reward": None})
tell(Said.END, ending="terminated")
"""
    )
    begun: list[Any] = []
    run = trained(step_timeout=1.0)
    asked = checked_request(5, None, None, deterministic=True)
    episode = play_episode(run, asked, EpisodeListener(begin=begun.append))
    assert episode.info.why_no_pictures.startswith("render() of the environment did not answer for")
    assert (episode.return_, len(begun)) == (2.0, 2)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (
            "begin(); tell(Said.WORKING, phase=Phase.STEP); time.sleep(60)",
            UnavailableError,
            "did not answer at step 1 for 1 seconds",
        ),
        (
            "begin(); tell(Said.WORKING, phase=Phase.STEP); os.kill(os.getpid(), signal.SIGKILL)",
            UnavailableError,
            r"was killed \(SIGKILL\) at step 1",
        ),
        (
            "sys.exit('ModuleNotFoundError: no torch')",
            UnavailableError,
            "ended with status 1 while the policy was loaded. It said: ModuleNotFoundError",
        ),
        (
            "tell(Said.FAILED, error='UntrustedRunError', message='not yours', field='directory')",
            UntrustedRunError,
            "not yours",
        ),
        ("os.write(1, b'hello hello hello')", DamagedFileError, "no record"),
    ],
)
def test_a_process_that_fails_is_told_in_a_sentence(
    trained: Trained,
    worker: Callable[[str], None],
    code: str,
    kind: type[Exception],
    sentence: str,
) -> None:
    worker(code)
    with pytest.raises(kind, match=sentence):
        record_episode(trained(step_timeout=1.0))


def test_a_process_that_is_not_wanted_any_more_is_killed(
    trained: Trained, worker: Callable[[str], None], tmp_path: Path
) -> None:
    worker(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); begin(); time.sleep(60)")
    seen: list[Any] = []
    listener = EpisodeListener(moment=seen.append, is_cancelled=lambda: bool(seen))
    with pytest.raises(CancelledError):
        play_episode(trained(), checked_request(5, None, None, deterministic=True), listener)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
