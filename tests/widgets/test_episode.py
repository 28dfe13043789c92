"""The viewer of episodes: what the kernel sends, and the view in a real browser."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.control import Control
from jupyter_ppo.training.launch import create_run, open_run
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets.episode import EpisodeViewer

Sent = list[tuple[float, dict[str, Any], list[bytes]]]


class Viewer(EpisodeViewer):
    """A viewer whose messages are kept, with the time at which they were sent."""

    def __init__(self, run: Any) -> None:
        self.told: Sent = []
        super().__init__(run)

    def send(self, content: Any, buffers: Sequence[bytes] | None = None) -> None:
        self.told.append((time.monotonic(), content, [bytes(one) for one in buffers or []]))

    def kinds(self) -> list[str]:
        return [content["type"] for _, content, _ in self.told]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two updates with both checkpoints, trained in this process."""
    from jupyter_ppo.training.trainer import Trainer

    spec = RunSpec.from_dict(
        {
            "total_steps": 128,
            "n_steps": 32,
            "n_envs": 2,
            "batch_size": 32,
            "checkpoint_seconds": 0.0,
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        made = create_run(spec, tmp_path_factory.mktemp("runs") / "run")
        with made.files.locked_for_worker():
            Trainer(made.files, spec, Control(made.files.commands_file), None).run()
    return open_run(made.directory)


@pytest.fixture(scope="module")
def played(run: Run) -> Viewer:
    """A viewer that has played one episode, drawn actions, of the first checkpoint."""
    viewer = Viewer(run)
    viewer.play(step=64, seed=5, deterministic=False)
    assert viewer.is_playing
    assert viewer.wait(120) is not None
    return viewer


def moments(told: Sent) -> list[dict[str, Any]]:
    return [
        one for _, content, _ in told if content["type"] == "moments" for one in content["moments"]
    ]


def test_an_episode_is_sent_while_it_is_played_at_most_ten_messages_a_second(
    played: Viewer,
) -> None:
    kinds = played.kinds()
    assert kinds[:2] == ["loading", "begin"]
    assert set(kinds[2:-1]) == {"moments"}
    assert kinds[-1] == "end"
    times = [at for at, _, _ in played.told]
    assert all(sum(first <= at < first + 1 for at in times) <= 10 for first in times)
    expected = played.episode
    assert expected is not None
    info = expected.info
    assert (info.step, info.seed, info.deterministic) == (64, 5, False)
    found = moments(played.told)
    assert [one["reward"] for one in found] == [one.reward for one in expected.moments]
    data = b"".join(buffer for _, _, buffers in played.told for buffer in buffers)
    assert data == b"".join(one.picture for one in expected.moments)
    assert [one["bytes"] for one in found] == [len(one.picture) for one in expected.moments]
    assert played.checkpoints == [64, 128]


def test_what_is_saved_of_it_is_small_and_shows_a_picture(played: Viewer) -> None:
    assert "step 64, seed 5: return" in played.picture
    assert "data:image/png;base64," in played.picture
    state = str(played.get_state())
    assert len(state) < 40_000


def test_a_new_view_is_told_everything_again(played: Viewer) -> None:
    before = len(played.told)
    played.answer({"type": "again", "from": "view 2"}, [])
    again = played.told[before:]
    assert all(content["to"] == "view 2" for _, content, _ in again)
    assert [content["type"] for _, content, _ in again] == ["loading", "begin", "moments", "end"]
    assert moments(again) == moments(played.told[:before])


def test_a_gif_is_made_beside_the_kernel(played: Viewer) -> None:
    played.answer({"type": "gif"}, [])
    deadline = time.monotonic() + 60
    while played.kinds()[-1] != "gif" and time.monotonic() < deadline:
        time.sleep(0.02)
    _, content, (data,) = played.told[-1]
    assert content["name"] == "CartPole-v1-step-64-seed-5.gif"
    with Image.open(io.BytesIO(data)) as gif:
        assert gif.n_frames > 1


def test_what_cannot_be_played_is_said_and_a_run_without_checkpoints_says_why(
    run: Run, tmp_path: Path
) -> None:
    viewer = Viewer(run)
    viewer.answer({"type": "play", "step": 64, "seed": -5}, [])
    assert viewer.told[-1][1]["type"] == "refused"
    assert viewer.told[-1][1]["message"].startswith("seed: ")
    viewer.answer({"type": "gif"}, [])
    assert viewer.told[-1][1]["message"] == "episode: play one to its end first."
    with pytest.raises(InvalidInputError):
        viewer.play(seed=-1)
    RunLog(tmp_path / "own").close()
    assert "a loop of your own" in EpisodeViewer(tmp_path / "own").note
    waits = create_run(RunSpec(), tmp_path / "waits")
    young = EpisodeViewer(waits)
    assert "no checkpoint yet" in young.note
    waits.files.announce(RunStatus(RunState.FAILED))
    young.refresh()
    assert "ended before its first checkpoint" in young.note


def test_an_episode_that_is_stopped_or_replaced_says_no_more(run: Run) -> None:
    viewer = Viewer(run)
    viewer.play(seed=1)
    first = viewer._thread
    viewer.play(seed=2)
    viewer.stop()
    viewer.wait(60)
    assert first is not None
    first.join(60)
    assert viewer.kinds() == ["loading", "loading", "end"]
    assert viewer.told[-1][1]["ending"] == "stopped"
    assert not viewer.is_playing


# The view. Messages are those of the kernel above, or made here.

INFO = {
    "env_id": "Own-v0",
    "step": 4096,
    "seed": 7,
    "deterministic": False,
    "action_kind": "discrete",
    "action_sizes": [3],
    "action_names": ["left", "none", "right"],
    "action_low": [],
    "action_high": [],
    "observation_names": [],
    "gamma": 0.5,
    "value_is_scaled": False,
    "frames_per_second": 30.0,
    "why_no_pictures": "",
}
MOMENT = {
    "value": 1.5,
    "action": [2],
    "probabilities": [0.125, 0.25, 0.625],
    "mean": [],
    "std": [],
    "reward": 1.0,
    "observation": [],
    "bytes": 0,
}
LAST = {**MOMENT, "action": [], "reward": None}
TRAITS = {"checkpoints": [2048, 4096, 8192], "seed": 1_000_000, "note": ""}
COLOURS = ["#ff0000", "#00ff00", "#0000ff"]


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(file, "PNG")
    return file.getvalue()


def show(
    widget: Any, steps: Sequence[dict[str, Any]], pictures: Sequence[bytes] = (), **info: Any
) -> None:
    """Show an episode that has ended, standing at its beginning."""
    widget.page.emulate_media(reduced_motion="reduce")
    widget.show("episode", **TRAITS)
    widget.message({"type": "loading", "episode": 1, "step": 4096})
    widget.message({"type": "begin", "episode": 1, "info": {**INFO, **info}})
    sizes = [len(one) for one in pictures] or [0] * len(steps)
    sent = [{**one, "bytes": size} for one, size in zip(steps, sizes, strict=True)]
    widget.message(
        {"type": "moments", "episode": 1, "first": 0, "moments": sent}, b"".join(pictures)
    )
    widget.message({"type": "end", "episode": 1, "ending": "terminated", "warnings": []})


def place(page: Page) -> Any:
    return page.locator(".ppo-episode-place")


@pytest.mark.browser
def test_what_is_chosen_is_asked_for(page: Page, widget: Any) -> None:
    widget.show("episode", **TRAITS)
    assert {one["type"] for one in widget.sent} == {"again", "checkpoints"}
    page.get_by_label("Checkpoint of step").select_option("2,048")
    page.get_by_label("Seed").fill("12")
    page.get_by_label("Draw the actions").check()
    page.get_by_role("button", name="Play episode").click()
    asked = {"type": "play", "step": 2048, "seed": 12, "deterministic": False}
    assert widget.sent[-1] == asked
    expect(page.get_by_role("button", name="Play episode")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    assert widget.sent[-1] == {"type": "stop"}
    widget.message({"type": "refused", "message": "seed: too large."})
    expect(page.get_by_role("alert")).to_have_text("seed: too large.")
    expect(page.get_by_role("button", name="Play episode")).to_be_enabled()
    widget.change(checkpoints=[4096, 8192])
    expect(page.get_by_label("Checkpoint of step")).to_have_value("newest")
    page.get_by_label("Seed").press("Enter")
    assert widget.sent[-1]["step"] is None
    widget.change(checkpoints=[], note="There is no checkpoint yet.")
    expect(page.get_by_role("button", name="Play episode")).to_be_disabled()
    expect(page.get_by_role("status")).not_to_be_empty()


@pytest.mark.browser
def test_keys_and_scrubber_go_through_the_pictures(page: Page, widget: Any) -> None:
    show(widget, [MOMENT, MOMENT, LAST], [png(colour) for colour in COLOURS])
    canvas = page.locator("canvas")
    pixel = "c => [...c.getContext('2d').getImageData(15, 10, 1, 1).data].slice(0, 3)"
    page.get_by_label("Step of the episode").focus()
    for key, index in (("Home", 0), ("ArrowRight", 1), ("End", 2), ("ArrowLeft", 1), ("PageUp", 0)):
        page.keyboard.press(key)
        expect(place(page)).to_have_text(f"step {index} of 2")
        expect(canvas).to_have_attribute("data-shown", str(index))
        expected = [255 if channel == index else 0 for channel in range(3)]
        assert canvas.evaluate(pixel) == expected
    expect(canvas).to_have_attribute("aria-label", "Own-v0, step 0 of 2")
    page.get_by_role("button", name="One step on").click()
    expect(place(page)).to_have_text("step 1 of 2")
    page.locator(".ppo-episode-plot svg").first.click(position={"x": 2, "y": 20})
    expect(place(page)).to_have_text("step 0 of 2")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play", exact=False).last.wait_for()
    expect(place(page)).to_have_text("step 2 of 2")


@pytest.mark.browser
def test_bars_and_numbers_say_what_the_policy_thought(page: Page, widget: Any) -> None:
    show(widget, [MOMENT, {**MOMENT, "action": [0], "reward": 4.0}, LAST])
    rows = page.locator(".ppo-episode-bars li")
    expect(rows).to_have_text(["left12.5 %", "none25 %", "right62.5 %◀ taken"])
    widths = rows.locator(".ppo-episode-bar").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"
    )
    assert widths == pytest.approx([0.125, 0.25, 0.625], abs=0.01)
    numbers = page.locator(".ppo-episode-number")
    expect(numbers).to_have_text(["1.5, came 3", "1, sum so far 1"])  # 1 + 0.5 * 4
    page.get_by_role("button", name="One step on").click()
    expect(rows).to_have_text(["left12.5 %◀ taken", "none25 %", "right62.5 %"])
    expect(numbers).to_have_text(["1.5, came 4", "4, sum so far 5"])
    expect(page.get_by_role("status")).to_have_text(
        "Return 5: the task ended after 2 steps. Policy after 4,096 steps, seed 7, drawn actions."
    )


@pytest.mark.browser
def test_continuous_actions_and_no_pictures(page: Page, widget: Any) -> None:
    step = {**MOMENT, "probabilities": [], "mean": [0.5], "std": [0.5], "action": [-1.0]}
    show(
        widget,
        [{**step, "observation": [0.25, None]}, {**step, "action": [], "reward": None}],
        action_kind="continuous",
        action_sizes=[1],
        action_names=["torque"],
        action_low=[-2.0],
        action_high=[2.0],
        why_no_pictures="The environment has no rgb_array pictures.",
    )
    expect(page.locator("canvas")).to_be_hidden()
    expect(page.locator(".ppo-episode-blank")).to_have_text(
        "The environment has no rgb_array pictures."
    )
    row = page.locator(".ppo-episode-bars li")
    expect(row).to_have_text("torque0.5 ± 0.5, took -1")
    assert row.locator(".ppo-episode-bar").evaluate("bar => bar.style.left") == "50%"
    assert row.locator(".ppo-episode-bar").evaluate("bar => bar.style.width") == "25%"
    expect(page.locator(".ppo-episode-seen dd")).to_have_text(["0.25", "undefined"])
    expect(page.get_by_role("button", name="Download GIF")).to_be_hidden()


@pytest.mark.browser
def test_what_was_missed_is_asked_for_and_what_is_for_others_is_not_heard(
    page: Page, widget: Any
) -> None:
    show(widget, [MOMENT, LAST])
    page.wait_for_timeout(1100)
    late = {"type": "moments", "episode": 2, "first": 30, "moments": [MOMENT]}
    widget.message(late, b"")
    assert widget.sent[-1]["type"] == "again"
    widget.message({"type": "loading", "episode": 9, "step": 1, "to": "somebody else"})
    expect(place(page)).to_have_text("step 0 of 1")
    widget.dispose()
    assert widget.listeners == 0
    expect(page.locator("#view")).to_be_empty()


@pytest.mark.browser
def test_a_real_episode_plays_by_itself_and_its_gif_is_downloaded(
    page: Page, widget: Any, played: Viewer
) -> None:
    widget.show("episode", checkpoints=played.checkpoints, seed=played.seed, note="")
    told = [one for one in played.told if "to" not in one[1] and one[1]["type"] != "gif"]
    for _, content, buffers in told:
        widget.message(content, *buffers)
    assert played.episode is not None
    length = played.episode.length
    expect(place(page)).to_have_text(f"step {length} of {length}")
    expect(page.locator("canvas")).to_have_attribute("data-shown", str(length))
    assert page.locator("canvas").evaluate("c => [c.width, c.height]") == [400, 267]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download GIF").click()
        assert widget.sent[-1] == {"type": "gif"}
        widget.message({"type": "gif", "name": "cart.gif"}, b"GIF89a")
    assert download.value.suggested_filename == "cart.gif"
    assert Path(download.value.path()).read_bytes() == b"GIF89a"
