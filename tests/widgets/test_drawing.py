"""The charts in a real browser, with a model that answers as the kernel does."""

from __future__ import annotations

import base64
import json
import math
import random
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.training import MetricPoint, Rewind
from jupyter_ppo.widgets.curves import Curves

pytestmark = pytest.mark.browser


class Shown(Curves):
    """Charts whose kernel and page are connected by hand: ``talk`` carries the messages."""

    def __init__(self, widget: Any, **traits: Any) -> None:
        self.widget = widget
        self.lost = False  # what is sent now does not arrive
        self.heard = 0
        self.bytes: list[int] = []
        super().__init__(**traits)
        self.add("run", "PPO on CartPole-v1")
        self.widget.show("curves", charts=self.charts, tracks=self.tracks, settings=self.settings)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.bytes.append(sum(len(buffer) for buffer in buffers))
        if not self.lost:
            self.widget.message(content, *[bytes(buffer) for buffer in buffers])

    def talk(self) -> None:
        """Answer what the view has asked since the last time."""
        asked = self.widget.sent[self.heard :]
        self.heard += len(asked)
        for content in asked:
            self.answer(content, [])

    def measure(self, *points: tuple[str, int, float] | int, track: str = "run") -> None:
        """Send points (metric, step, value), or go back to a step."""
        items: list[MetricPoint | Rewind] = []
        for one in points:
            if isinstance(one, int):
                items.append(Rewind(one))
            else:
                items.append(MetricPoint(one[1], 0.0, {one[0]: one[2]}))
        self.append(track, items)
        self.flush()


@pytest.fixture
def shown(widget: Any) -> Shown:
    """A view that has asked for everything and got it."""
    shown = Shown(widget)
    shown.talk()
    return shown


def chart(page: Page, key: str) -> Locator:
    return page.locator(f'.ppo-chart[data-key="{key}"]')


def test_a_new_view_asks_for_the_history_and_then_gets_only_what_is_new(
    page: Page, widget: Any
) -> None:
    shown = Shown(widget)
    shown.measure(("return", 20, 20.0), ("return", 45, 25.0), ("approx_kl", 64, 0.01))
    expect(page.locator(".ppo-chart")).to_have_count(len(CHARTS))
    (asked,) = widget.sent
    assert asked["type"] == "history"
    expect(chart(page, "return")).to_have_attribute("data-points", "0")
    shown.talk()
    expect(chart(page, "return")).to_have_attribute("data-points", "2")
    expect(chart(page, "approx_kl")).to_have_attribute("data-points", "1")
    expect(chart(page, "entropy")).to_have_attribute("data-points", "0")
    shown.bytes.clear()
    shown.measure(("return", 70, 9.0))
    expect(chart(page, "return")).to_have_attribute("data-points", "3")
    assert shown.bytes == [16]
    assert len(widget.sent) == 1


def test_a_message_that_got_lost_is_noticed_with_the_next_and_everything_comes_again(
    page: Page, shown: Shown
) -> None:
    shown.measure(("entropy", 10, 0.5))
    shown.lost = True
    shown.measure(("entropy", 20, 0.4))
    shown.lost = False
    shown.measure(("entropy", 30, 0.3))
    expect(chart(page, "entropy")).to_have_attribute("data-points", "1")
    assert [one["asked"] for one in shown.widget.sent] == [1, 2]
    shown.talk()
    expect(chart(page, "entropy")).to_have_attribute("data-points", "3")
    shown.measure(("entropy", 40, 0.2))
    expect(chart(page, "entropy")).to_have_attribute("data-points", "4")


def test_a_part_of_the_history_that_got_lost_is_asked_for_again(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 10, 0.5))
    asked = {"type": "reset", "to": shown.widget.sent[0]["from"], "asked": 1, "seq": 1}
    shown.widget.message(asked)
    later = {"type": "points", "to": asked["to"], "part": 1, "last": True, "tracks": []}
    shown.widget.message(later, b"")
    shown.talk()
    assert [one["asked"] for one in shown.widget.sent] == [1, 2]
    expect(chart(page, "entropy")).to_have_attribute("data-points", "1")
    # The last part is lost, and nothing else follows.
    shown.widget.message({**asked, "asked": 2})
    page.wait_for_function("window.kernel.sent.length === 3", timeout=20_000)
    shown.talk()
    expect(chart(page, "entropy")).to_have_attribute("data-points", "1")


def test_what_is_meant_for_another_tab_is_left_alone(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 10, 0.5))
    shown.answer({"type": "history", "from": "another tab", "asked": 1}, [])
    shown.measure(("entropy", 20, 0.4))
    expect(chart(page, "entropy")).to_have_attribute("data-points", "2")
    assert len(shown.widget.sent) == 1


def test_what_is_measured_again_is_one_line(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 100, 1.0), ("entropy", 200, 2.0), ("entropy", 300, 3.0))
    expect(chart(page, "entropy")).to_have_attribute("data-latest", "300")
    shown.measure(100, ("entropy", 200, 4.0))
    expect(chart(page, "entropy")).to_have_attribute("data-points", "2")
    expect(chart(page, "entropy").locator(".ppo-chart-latest")).to_have_text("latest 4")


def test_runs_come_and_go(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 100, 1.0), ("entropy", 200, 1.0))
    shown.add("other", "the other run", 1)
    shown.widget.change(tracks=shown.tracks)
    shown.measure(("entropy", 100, 0.5), track="other")
    expect(chart(page, "entropy")).to_have_attribute("data-points", "3")
    expect(page.get_by_role("button", name="the other run")).to_be_visible()
    shown.remove("run")
    shown.widget.change(tracks=shown.tracks)
    shown.flush()
    expect(chart(page, "entropy")).to_have_attribute("data-points", "1")


def test_a_metric_of_a_loop_of_ones_own_gets_a_chart(page: Page, shown: Shown) -> None:
    shown.measure(("my_loss", 10, 0.5), ("length", 10, 7.0))
    chart(page, "my_loss").scroll_into_view_if_needed()  # what nobody can see is not drawn
    expect(chart(page, "my_loss")).to_have_attribute("data-points", "1")
    expect(page.locator(".ppo-chart")).to_have_count(len(CHARTS) + 1)


def test_exact_values_are_read_with_the_keyboard(page: Page, shown: Shown) -> None:
    shown.measure(*[("entropy", 1000 * n, n / 8) for n in range(1, 9)])
    expect(chart(page, "entropy")).to_have_attribute("data-points", "8")
    plot = chart(page, "entropy").locator(".ppo-chart-plot")
    plot.focus()
    page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuetext", "step 1,000: 0.125")
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute("aria-valuetext", "step 2,000: 0.25")


INK = """(plot) => {
  const canvas = plot.querySelector('canvas');
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(plot).getPropertyValue('--ppo-colour-0');
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const found = [];
  for (let i = 0; i < data.length; i += 4) {
    const near = [0, 1, 2].every((part) => Math.abs(data[i + part] - wanted[part]) < 40);
    if (data[i + 3] > 100 && near) {
      found.push([((i / 4) % width) / width, Math.floor(i / 4 / width) / height]);
    }
  }
  return found;
}"""


def ink(page: Page, key: str) -> list[tuple[float, float]]:
    """Where the line of a chart is, as shares of the canvas from its upper left corner."""
    expect(chart(page, key).locator("canvas")).to_have_count(1)
    found: list[tuple[float, float]] = chart(page, key).locator(".ppo-chart-plot").evaluate(INK)
    return found


def test_values_that_are_not_finite_leave_the_others_drawn(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 1, math.nan), ("entropy", 2, 0.5), ("entropy", 3, math.inf))
    expect(chart(page, "entropy")).to_have_attribute("data-points", "3")
    assert ink(page, "entropy")


def test_a_long_run_is_drawn_quickly_and_with_its_peak(page: Page, shown: Shown) -> None:
    shown.measure(*[("entropy", n, 99 if n == 12_500 else n % 7) for n in range(50_000)])
    expect(chart(page, "entropy")).to_have_attribute("data-points", "50000")
    page.wait_for_function(
        "document.querySelector('[data-key=entropy]').dataset.latest === '49999'"
    )
    xs = sorted(x for x, y in ink(page, "entropy") if y < 0.3)
    assert xs, "the peak is there"
    assert xs[-1] - xs[0] < 0.02
    assert 0.25 < xs[0] < 0.45


def test_settings_are_saved_and_come_from_the_other_tab(page: Page, shown: Shown) -> None:
    shown.measure(("return", 10, 5.0), ("return", 20, 6.0), ("mean_return", 20, 5.5))
    episode = chart(page, "return").get_by_role("button", name="episode", exact=True)
    expect(episode).to_have_attribute("aria-pressed", "true")
    episode.click()
    expect(episode).to_have_attribute("aria-pressed", "false")
    settings = shown.widget.saved["settings"]
    assert settings == {"smoothing": 1, "logScale": False, "hidden": ["return/return"]}
    shown.widget.change(settings={**settings, "hidden": []})
    expect(episode).to_have_attribute("aria-pressed", "true")


def test_marks_of_a_run_are_shown_where_they_are(page: Page, shown: Shown) -> None:
    shown.measure(*[("entropy", 1000 * n, n / 8) for n in range(1, 9)])
    shown.set_marks("run", [(2000, "clip_range 0.1 from step 2,000 on")])
    shown.widget.change(tracks=shown.tracks)
    plot = chart(page, "entropy").locator(".ppo-chart-plot")
    plot.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(plot).to_have_attribute(
        "aria-valuetext", "step 2,000: 0.25. clip_range 0.1 from step 2,000 on"
    )


def test_charts_stay_in_their_rows_whatever_the_numbers_are(page: Page, shown: Shown) -> None:
    shown.measure(("approx_kl", 1, 0.1), ("clip_fraction", 123_456_789, 0.123456789))
    expect(chart(page, "clip_fraction")).to_have_attribute("data-points", "1")
    boxes = [chart(page, key).bounding_box() for key in ("approx_kl", "clip_fraction")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]


def test_a_closed_view_lets_go_of_its_model(page: Page, shown: Shown) -> None:
    shown.measure(("entropy", 100, 1.0))
    assert shown.widget.listeners > 0
    shown.widget.dispose()
    assert shown.widget.listeners == 0
    assert page.locator("#view").inner_html() == ""


CLIENT = """() => {
  const { PointsClient } = window.kernel.bundle;
  window.sent = [];
  let listener;
  const send = (content) => window.sent.push(content);
  const model = { on: (_, one) => { listener = one; }, send };
  window.client = new PointsClient(model, () => {});
  window.client.start();
  window.take = (content, text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    listener(content, [new DataView(bytes.buffer)]);
  };
  window.read = (ids) => ids.map((id) => {
    const store = window.client.source(id);
    return Object.fromEntries(store.names().map((name) => {
      const { steps, values } = store.points(name);
      return [name, [[...steps].map(String), [...values].map(String)]];
    }));
  });
}"""


def test_kernel_and_page_agree_on_any_messages(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_ppo.widgets import points

    draw = random.Random(7)  # noqa: S311
    monkeypatch.setattr(points, "PART_BYTES", 2000)  # many parts
    page.evaluate(CLIENT)

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        text = base64.b64encode(b"".join(buffers)).decode()
        page.evaluate("([content, text]) => window.take(content, text)", [content, text])

    feed = points.PointsFeed(send)
    feed.append("a", [MetricPoint(1, 0.0, {"x": 1.0})])  # before the view came
    answered = 0
    at = {"a": 10, "b": 10}
    for _ in range(60):
        track = draw.choice(["a", "b"])
        items: list[MetricPoint | Rewind] = []
        for _ in range(draw.randrange(40)):
            if draw.random() < 0.05:
                at[track] -= draw.randrange(at[track] + 1)
                items.append(Rewind(at[track]))
            at[track] += draw.randrange(3)
            value = draw.choice([math.nan, math.inf, draw.gauss(0, 1e3), 0.0])
            items.append(MetricPoint(at[track], 0.0, {draw.choice("xyz"): value}))
        feed.append(track, items)
        feed.flush()
        asked = page.evaluate("window.sent")
        for content in asked[answered:]:
            feed.history(content)
        answered = len(asked)
    assert answered == 1, "no gap was ever seen"
    found = page.evaluate("window.read(['a', 'b'])")
    for track, series in zip(["a", "b"], found, strict=True):
        kept = {name: column for name, column in feed.columns(track).items() if column[0]}
        assert sorted(series) == sorted(kept)
        for name, (steps, values) in kept.items():
            assert [float(text) for text in series[name][0]] == list(steps)
            assert json.dumps([as_float(text) for text in series[name][1]]) == json.dumps(
                list(values)
            )


def as_float(text: str) -> float:
    return {"NaN": math.nan, "Infinity": math.inf}.get(text) or float(text)
