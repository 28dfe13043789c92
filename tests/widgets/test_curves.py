"""The kernel's side of the charts: what is kept, what is sent, and to whom."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import jupyter_ppo
from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.training import Metric, MetricPoint, Rewind
from jupyter_ppo.widgets import points
from jupyter_ppo.widgets.curves import Curves
from jupyter_ppo.widgets.points import PointsFeed

ROOT = str(Path(jupyter_ppo.__file__).parents[1])
DEADLINE = 120.0

Lists = dict[str, dict[str, list[tuple[float, float]]]]


class View:
    """What a view does with messages, by the plain words of their description."""

    def __init__(self, name: str = "a") -> None:
        self.name = name
        self.asked = 0
        self.seq: int | None = None
        self.lists: Lists = {}
        self.bytes: list[int] = []
        self.parts: list[int] = []

    def ask(self) -> dict[str, Any]:
        self.asked += 1
        return {"type": "history", "from": self.name, "asked": self.asked}

    def take(self, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        if content.get("to", self.name) != self.name:
            return
        if content["type"] == "reset":
            assert content["asked"] == self.asked
            self.lists, self.seq, self.parts = {}, content["seq"], []
            return
        if "seq" in content:
            if self.seq is None:
                return  # new: it has asked
            assert content["seq"] == self.seq + 1
            self.seq = content["seq"]
        else:
            self.parts.append(content["part"])
            assert self.parts == list(range(len(self.parts)))
        self.bytes.append(len(buffers[0]))
        numbers = iter(array("d", buffers[0]))
        for track in content["tracks"]:
            series = self.lists.setdefault(track["id"], {})
            for op in track["ops"]:
                if "rewind" in op:
                    for name, points in series.items():
                        series[name] = [one for one in points if one[0] <= op["rewind"]]
                    continue
                steps = [next(numbers) for _ in range(op["count"])]
                values = [next(numbers) for _ in range(op["count"])]
                series.setdefault(op["metric"], []).extend(zip(steps, values, strict=True))
        assert next(numbers, None) is None, "all of the buffer is described"


def same(one: Lists, other: Lists) -> bool:
    return repr(present(one)) == repr(present(other))  # NaN is itself


def present(lists: Lists) -> Lists:
    return {
        track: {name: points for name, points in sorted(series.items()) if points}
        for track, series in sorted(lists.items())
        if any(series.values())
    }


VALUES = st.floats(allow_nan=True, width=32)
APPENDS = st.tuples(
    st.sampled_from(["a", "b"]),
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 50), st.dictionaries(st.sampled_from("xyz"), VALUES)),
            st.integers(0, 300),
        ),
        max_size=8,
    ),
)
DEEDS = st.lists(st.one_of(APPENDS, st.sampled_from(["flush", "history", "remove a"])), max_size=25)


@given(DEEDS)
@settings(max_examples=80)
def test_every_view_has_the_points_that_count_whenever_it_came(deeds: list[Any]) -> None:
    early, late = View("early"), View("late")
    truth: Lists = {"a": {}, "b": {}}
    step = {"a": 0, "b": 0}

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        for view in (early, late):
            view.take(content, buffers)

    feed = PointsFeed(send)
    feed.history(early.ask())
    for deed in deeds:
        if deed == "flush":
            feed.flush()
            assert same(early.lists, truth)
        elif deed == "history":
            feed.history(late.ask())
            assert same(late.lists, truth)
            assert same(early.lists, truth)
        elif deed == "remove a":
            feed.remove("a")
            truth["a"], step["a"] = {}, 0
        else:
            track, items = deed
            made: list[MetricPoint | Rewind] = []
            for item in items:
                if isinstance(item, int):
                    step[track] = min(step[track], item)
                    made.append(Rewind(step[track]))
                    for name, points in truth[track].items():
                        truth[track][name] = [one for one in points if one[0] <= step[track]]
                    continue
                step[track] += item[0]
                made.append(MetricPoint(step[track], 0.0, item[1]))
                for name, value in item[1].items():
                    truth[track].setdefault(name, []).append((float(step[track]), value))
            feed.append(track, made)
    feed.flush()
    feed.history(late.ask())
    assert same(early.lists, truth)
    assert same(late.lists, truth)
    for track, series in truth.items():
        kept = {
            name: list(zip(*columns, strict=True)) for name, columns in feed.columns(track).items()
        }
        assert same({"kept": kept}, {"kept": series})


def some_points(first: int, count: int, metric: str = "return") -> list[MetricPoint]:
    return [MetricPoint(step, 0.0, {metric: step / 2}) for step in range(first, first + count)]


def test_a_flush_is_one_message_of_what_is_new_only() -> None:
    view = View()
    feed = PointsFeed(view.take)
    feed.history(view.ask())
    view.bytes.clear()
    feed.flush()
    assert view.bytes == [], "nothing new, no message"
    for track in ("a", "b", "c"):
        feed.append(track, some_points(0, 1000))
        feed.append(track, some_points(1000, 1000))
    feed.flush()
    assert view.bytes == [3 * 2000 * 16]
    feed.append("b", some_points(2000, 1))
    feed.flush()
    assert view.bytes[1:] == [16]


def test_what_is_long_comes_in_parts_that_are_not_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert points.PART_BYTES <= 2**20
    monkeypatch.setattr(points, "PART_BYTES", 16_000)
    view = View()
    feed = PointsFeed(view.take)
    feed.append("a", some_points(0, 2500))
    feed.append("b", some_points(0, 10))
    feed.history(view.ask())
    assert view.bytes == [16_000, 16_000, 510 * 16]
    assert len(view.lists["a"]["return"]) == 2500
    assert len(view.lists["b"]["return"]) == 10


def test_a_request_that_was_repeated_while_the_kernel_was_busy_is_answered_once() -> None:
    sent: list[str] = []
    feed = PointsFeed(lambda content, _buffers: sent.append(content["type"]))
    for _ in range(5):
        feed.history({"type": "history", "from": "a", "asked": 1})
    feed.history({"type": "history", "from": "b", "asked": 1})
    feed.history({"type": "history", "from": "a", "asked": 2})
    assert sent == 3 * ["reset", "points"]


@pytest.mark.parametrize("asked", [{}, {"from": 7}, {"from": "x" * 10_000, "asked": [1]}])
def test_a_request_that_makes_little_sense_is_answered_and_does_no_harm(asked: Any) -> None:
    sent: list[dict[str, Any]] = []
    feed = PointsFeed(lambda content, _buffers: sent.append(content))
    feed.history(asked)
    assert [one["type"] for one in sent] == ["reset", "points"]
    assert len(sent[0]["to"]) <= 100


def test_memory_is_bounded_and_peaks_and_the_newest_points_stay() -> None:
    feed = PointsFeed(lambda *_: None, values_at_most=1000)
    for first in range(0, 20_000, 100):
        new = some_points(first, 100)
        if first == 3000:
            new[50] = MetricPoint(3050, 0.0, {"return": 1e9})
        feed.append("a", new)
        feed.flush()
        steps, values = feed.columns("a")["return"]
        assert len(steps) <= 1000
    assert max(values) == 1e9
    assert list(steps) == sorted(steps)
    assert list(steps[-100:]) == [float(step) for step in range(19_900, 20_000)]


class Recorded(Curves):
    """Keeps the messages that a front end would get."""

    def __init__(self, **traits: Any) -> None:
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(**traits)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent.append((content, buffers))


def test_the_charts_are_those_of_the_domain_and_keep_what_is_drawn_only() -> None:
    curves = Recorded()
    assert curves.charts == [chart.to_dict() for chart in CHARTS]
    assert curves.settings == {"smoothing": 1, "logScale": False, "hidden": []}
    values = {Metric.RETURN: 1.0, Metric.LENGTH: 2.0, Metric.SECONDS_ENV: 3.0, "my_loss": 4.0}
    curves.append("run", [MetricPoint(1, 0.1, values)])
    curves.flush()
    ((content, _),) = curves.sent
    assert [op["metric"] for op in content["tracks"][0]["ops"]] == ["return", "my_loss"]


def test_a_loop_with_very_many_metrics_does_not_fill_the_page_with_charts() -> None:
    curves = Recorded()
    curves.append("run", [MetricPoint(1, 0.1, {f"mine_{n}": 0.5 for n in range(500)})])
    curves.append("run", [MetricPoint(2, 0.2, {"mine_3": 0.5, "return": 1.0})])
    curves.flush()
    ((content, _),) = curves.sent
    named = {op["metric"] for op in content["tracks"][0]["ops"]}
    assert len(named) == 41
    assert {"mine_3", "return"} <= named


def test_runs_are_described_with_their_marks_and_leave_again() -> None:
    curves = Recorded()
    curves.add("a", "seed 0")
    curves.add("b", "seed 1", 1)
    curves.set_marks("b", [(2048, "clip_range 0.1")])
    curves.add("b", "renamed", 1)
    assert curves.tracks == [
        {"id": "a", "label": "seed 0", "colour": 0, "marks": []},
        {
            "id": "b",
            "label": "renamed",
            "colour": 1,
            "marks": [{"step": 2048, "text": "clip_range 0.1"}],
        },
    ]
    curves.append("a", some_points(0, 3))
    curves.remove("a")
    assert [one["id"] for one in curves.tracks] == ["b"]
    view = View()
    curves.answer(view.ask(), [])
    for content, buffers in curves.sent:
        view.take(content, buffers)
    assert present(view.lists) == {}


# ---------------------------------------------------------------- a real kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env={**os.environ, "PYTHONPATH": ROOT})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


class Page:
    """A front end: runs cells, reads the messages of one widget, writes to it."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.model = ""
        self.waiting: list[tuple[dict[str, Any], list[bytes]]] = []

    def run(self, code: str) -> str:
        """Run a cell; return what it printed."""
        request = self.client.execute(code)
        return self._read(lambda message: is_idle(message, request))

    def ask(self, content: dict[str, Any]) -> None:
        """Send the widget a message, and read until the kernel has worked on it."""
        data = {"method": "custom", "content": content}
        session = self.client.session
        message = session.msg("comm_msg", {"comm_id": self.model, "data": data})
        self.client.shell_channel.send(message)
        self._read(lambda found: is_idle(found, message["header"]["msg_id"]))

    def take(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        """Return the custom messages of the widget since the last call."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def _read(self, ends: Callable[[dict[str, Any]], bool]) -> str:
        printed = ""
        deadline = time.monotonic() + DEADLINE
        while True:
            message = self.client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.1))
            content = message["content"]
            assert message["msg_type"] != "error", content
            if message["msg_type"] == "stream":
                printed += content["text"]
            if message["msg_type"] == "comm_open":
                self.model = content["comm_id"]
                self.opened = content["data"]["state"]
            data = content.get("data", {})
            if message["msg_type"] == "comm_msg" and data.get("method") == "custom":
                self.waiting.append((data["content"], [bytes(b) for b in message["buffers"]]))
            if ends(message):
                return printed


def is_idle(message: dict[str, Any], request: str) -> bool:
    return (
        message["parent_header"].get("msg_id") == request
        and message["content"].get("execution_state") == "idle"
    )


def test_a_real_kernel_sends_what_is_new_fills_a_gap_and_gives_the_code_once(
    kernel: BlockingKernelClient,
) -> None:
    page = Page(kernel)
    page.run(
        "from jupyter_ppo.widgets.curves import Curves\n"
        "from jupyter_ppo.domain.training import MetricPoint, Rewind\n"
        "curves = Curves(); curves.add('run', 'my run')\n"
        "def go(first, last):\n"
        "    new = [MetricPoint(s, 0.0, {'return': s / 2}) for s in range(first, last)]\n"
        "    curves.append('run', new)\n"
        "    curves.flush()\n"
    )
    text = sum(len(str(value)) for value in page.opened.values())
    assert text < 10_000, "what each widget saves in the notebook"
    assert "code" in page.opened["_esm"]
    # The page asks for the code of the view, twice; another page as well.
    for name in ("one", "one", "two"):
        page.ask({"type": "code", "hash": page.opened["_code"], "from": name})
    given = page.take()
    assert [content for content, _ in given] == 2 * [{"type": "code", "hash": page.opened["_code"]}]
    source, style = given[0][1]
    assert b"export" in source
    assert b".ppo-" in style
    # Points from the beginning, then a message that this view did not get.
    view = View()
    page.run("go(0, 10)")
    page.take()
    page.ask(view.ask())
    for content, buffers in page.take():
        view.take(content, buffers)
    assert [step for step, _ in view.lists["run"]["return"]] == list(range(10))
    page.run("go(10, 20)")
    page.take()  # dropped
    page.run("go(20, 30)")
    ((content, buffers),) = page.take()
    assert view.seq is not None
    assert content["seq"] == view.seq + 2, "so the view knows"
    assert len(buffers[0]) == 160
    page.ask(view.ask())
    page.run("curves.append('run', [Rewind(24)]); go(24, 26)")
    for content, buffers in page.take():
        view.take(content, buffers)
    steps = [step for step, _ in view.lists["run"]["return"]]
    assert steps == [*range(25), 24, 25]
    assert (
        page.run("import sys; print({'torch', 'numpy', 'pandas'} & set(sys.modules))") == "set()\n"
    )
