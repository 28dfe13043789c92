"""Inside PPO, from the kernel's side: what it reads, what it sends, and what it says."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Minibatch, RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.minibatches import MinibatchLog
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.widgets import inside as module
from jupyter_ppo.widgets.inside import InsidePPO
from jupyter_ppo.widgets.inside_picture import minibatch_svg


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def minibatch(update: int, *ratios: float) -> Minibatch:
    values = array("f", ratios or (0.5, 1.0, 1.5))
    advantages = array("f", [(-1.0) ** number for number in range(len(values))])
    return Minibatch(100 * update, update, 0.2, 512, values, advantages)


class Page(InsidePPO):
    """Keeps the messages that a page would get, and reads them as a page does."""

    def __init__(self, run: Any) -> None:
        self.sent: list[tuple[dict[str, Any], bytes]] = []
        super().__init__(run)

    def send(self, content: Any, buffers: Any = None) -> None:
        (data,) = buffers
        self.sent.append((content, bytes(data)))

    def updates(self) -> list[tuple[int, list[float], list[float]]]:
        """Return update, ratios and advantages as the messages so far say."""
        found: list[tuple[int, list[float], list[float]]] = []
        taken = 0
        for content, data in self.sent:
            assert content["type"] == "minibatches"
            assert content["start"] <= taken
            values, at = array("f", data), 0
            for number, operation in enumerate(content["ops"], content["start"]):
                if "rewind" in operation:
                    if number >= taken:
                        found = [one for one in found if 100 * one[0] <= operation["rewind"]]
                    continue
                count = operation["count"]
                if number >= taken:
                    ratios = values[at : at + count].tolist()
                    advantages = values[at + count : at + 2 * count].tolist()
                    found.append((operation["update"], ratios, advantages))
                at += 2 * count
            assert at == len(values)
            taken = max(taken, content["start"] + len(content["ops"]))
        return found


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    files = RunDirectory(tmp_path / "run")
    files.path.mkdir()
    files.create(RunSpec())
    files.write_status(RunStatus(RunState.FINISHED, 400, 1.0, 400.0, update=4))
    return files


@pytest.fixture
def opened(files: RunDirectory) -> Iterator[Callable[[], Page]]:
    """Return what shows the run; all are closed at the end."""
    pages: list[Page] = []

    def show() -> Page:
        pages.append(Page(files.path))
        return pages[-1]

    yield show
    for page in pages:
        page.close()
    assert not [one for one in threading.enumerate() if one.name == "ppo-inside"]


def test_all_of_a_run_is_sent_and_what_comes_later_follows(
    files: RunDirectory, opened: Callable[[], Page]
) -> None:
    log = MinibatchLog(files.minibatches_file)
    log.add(minibatch(1))
    log.add(minibatch(2, 0.75, 1.25))
    page = opened()
    assert page.updates() == [
        (1, [0.5, 1.0, 1.5], [1.0, -1.0, 1.0]),
        (2, [0.75, 1.25], [1.0, -1.0]),
    ]
    assert page.note == ""
    log.add(minibatch(3, 2.0))
    until(lambda: len(page.updates()) == 3, "a new minibatch is not sent")
    assert page.sent[-1][0]["start"] == 2
    log.rewind(150)
    log.add(minibatch(2, 0.25))
    until(lambda: page.updates()[-1][1] == [0.25], "the rewind is not sent")
    assert [update for update, _, _ in page.updates()] == [1, 2]


def test_a_view_gets_what_it_lacks_and_nothing_for_what_makes_no_sense(
    files: RunDirectory, opened: Callable[[], Page]
) -> None:
    log = MinibatchLog(files.minibatches_file)
    for update in range(1, 5):
        log.add(minibatch(update))
    page = opened()
    whole = page.updates()
    page.sent.clear()
    page.answer({"type": "history", "from": 0}, [])
    assert page.updates() == whole
    page.sent.clear()
    page.answer({"type": "history", "from": 3}, [])
    ((content, data),) = page.sent
    assert (content["start"], len(content["ops"]), len(data)) == (3, 1, 3 * 2 * 4)
    page.sent.clear()
    for strange in ({}, {"type": "history", "from": 9}, {"type": "history", "from": "x"}):
        page.answer(strange, [])
    assert page.sent == []


def test_a_long_history_goes_in_messages_of_a_megabyte(
    files: RunDirectory, opened: Callable[[], Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    log = MinibatchLog(files.minibatches_file)
    for update in range(1, 11):
        log.add(minibatch(update))
    page = opened()
    assert [content["start"] for content, _ in page.sent] == [0, 4, 8]
    assert [update for update, _, _ in page.updates()] == list(range(1, 11))


def test_what_there_is_not_is_explained(
    files: RunDirectory, opened: Callable[[], Page], tmp_path: Path
) -> None:
    assert "ended before its first update" in opened().note
    files.minibatches_file.unlink()
    assert "trained by an earlier version" in opened().note
    files.minibatches_file.touch()
    log = RunLog(tmp_path / "own")
    page = Page(log.directory)
    try:
        assert "run.minibatch(step, ratios=..., advantages=..., clip_range=...)" in page.note
        log.minibatch(64, ratios=[1.1], advantages=[2.0], clip_range=0.25)
        until(lambda: page.note == "", "the note stays")
        assert page.updates() == [(1, [pytest.approx(1.1)], [2.0])]
        assert page.normalised is False
        assert "as the loop has logged them" in page.about
    finally:
        page.close()
        log.close()


def test_a_run_that_has_not_begun_to_learn_is_waited_for(files: RunDirectory) -> None:
    with files.locked_for_worker():  # as a worker does
        files.write_status(RunStatus(RunState.RUNNING, 10, total_steps=400))
        page = Page(files.path)
        try:
            assert "first update has not been made" in page.note
        finally:
            page.close()


def test_a_run_that_is_removed_meanwhile_is_followed_no_longer_without_a_word_in_a_cell(
    files: RunDirectory, opened: Callable[[], Page], tmp_path: Path
) -> None:
    page = opened()
    files.path.rename(tmp_path / "elsewhere")
    until(lambda: "removed" in page.note, "nothing is said")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        InsidePPO(tmp_path)


def test_the_saved_picture_shows_the_newest_minibatch_and_is_small(
    files: RunDirectory, opened: Callable[[], Page]
) -> None:
    log = MinibatchLog(files.minibatches_file)
    for update in (1, 2):
        log.add(minibatch(update, *[0.5 + number / 256 for number in range(256)]))
    page = opened()
    picture = page.picture
    assert repr(page) == "<InsidePPO CartPole-v1, seed 0: update 2 at step 200>"
    bundle, _ = page._repr_mimebundle_()
    assert bundle["image/svg+xml"] == picture
    assert bundle["text/plain"] == repr(page)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "update 2, step 200" in picture
    assert "clip fraction 59.8 %" in picture
    assert len(picture.encode()) < 40_000
    assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314 - our own text


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(deadline=None, max_examples=40)
@given(samples=st.lists(st.tuples(st.floats(2.0**-100, 2.0**100, width=32), FLOATS), min_size=1))
def test_the_picture_is_well_formed_for_any_samples(samples: list[tuple[float, float]]) -> None:
    ratios, advantages = (array("f", values) for values in zip(*samples, strict=True))
    svg = minibatch_svg("PPO on <b>&", Minibatch(1, 1, 0.2, 300, ratios, advantages))
    ET.fromstring(svg)  # noqa: S314 - our own text
    assert "nan" not in svg
    assert not any(word in svg for word in ("inf ", "inf,", '"inf'))
    assert math.isfinite(len(svg))


def test_the_module_loads_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, jupyter_ppo.widgets.inside\n"
        "print(sorted({'numpy', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
