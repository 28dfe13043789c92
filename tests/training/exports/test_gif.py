"""Episodes as animated GIFs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from jupyter_ppo.domain.errors import InvalidInputError, UnavailableError
from jupyter_ppo.training.exports.episode import (
    ActionKind,
    Ending,
    Episode,
    EpisodeInfo,
    Moment,
)
from jupyter_ppo.training.exports.gif import export_gif, gif_bytes

INK = (180, 20, 60)


def episode(pictures: int, fps: float = 50.0, why: str = "") -> Episode:
    """An episode in which a bar moves one pixel to the right at each step."""
    info = EpisodeInfo(
        env_id="Own-v0",
        step=64,
        seed=1,
        deterministic=True,
        action_kind=ActionKind.DISCRETE,
        action_sizes=(2,),
        action_names=(),
        action_low=(),
        action_high=(),
        observation_names=(),
        gamma=0.99,
        value_is_scaled=False,
        frames_per_second=fps,
        why_no_pictures=why,
    )
    moments = []
    for index in range(pictures):
        picture = Image.new("RGB", (pictures + 4, 6), "white")
        picture.paste(INK, (index, 0, index + 4, 6))
        file = io.BytesIO()
        picture.save(file, "PNG")
        moments.append(Moment(b"" if why else file.getvalue(), 0.0, (0.0,), reward=1.0))
    return Episode(info, tuple(moments), Ending.TERMINATED)


def test_a_gif_has_the_pictures_at_the_speed_of_the_environment(tmp_path: Path) -> None:
    path = export_gif(episode(20, fps=10.0), tmp_path / "new" / "episode.gif")
    with Image.open(path) as gif:
        assert gif.n_frames == 20
        assert gif.info["loop"] == 0, "it repeats"
        for index in (0, 7, 19):
            gif.seek(index)
            shown = gif.convert("RGB")
            assert shown.getpixel((index + 1, 3)) == INK
            assert shown.getpixel(((index + 8) % 24, 3)) == (255, 255, 255)
            assert gif.info["duration"] == (1000 if index == 19 else 100)
    assert [one.name for one in path.parent.iterdir()] == ["episode.gif"]


@settings(deadline=None, max_examples=25)
@given(count=st.integers(2, 60), fps=st.floats(0.5, 400))
def test_it_is_as_long_as_the_episode_whatever_its_speed(count: int, fps: float) -> None:
    with Image.open(io.BytesIO(gif_bytes(episode(count), fps))) as gif:
        durations = []
        for index in range(gif.n_frames):
            gif.seek(index)
            durations.append(gif.info["duration"])
        assert gif.convert("RGB").getpixel((count, 3)) == INK, "the last picture is there"
    assert min(durations) >= 20, "browsers slow down what is faster"
    assert sum(durations[:-1]) == pytest.approx(1000 * (count - 1) / fps, abs=31)


def test_what_has_no_pictures_or_no_speed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"it has no pictures\. It cannot be drawn\."):
        export_gif(episode(3, why="It cannot be drawn."), tmp_path / "a.gif")
    for fps in (0.0, -1.0, float("nan"), True):
        with pytest.raises(InvalidInputError, match=r"^fps: "):
            export_gif(episode(3), tmp_path / "a.gif", fps=fps)
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"^path: "):
        export_gif(episode(3), tmp_path / "file" / "a.gif")
    assert not (tmp_path / "a.gif").exists()
