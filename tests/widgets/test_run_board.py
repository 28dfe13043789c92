"""The list of runs: the kernel's side by itself, and together with its view in a real page."""

from __future__ import annotations

import ast
import json
import math
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.statistics import Statistic
from jupyter_ppo.domain.training import EventKind, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.launch import create_run
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets.notebook_display import RUN_TYPE
from jupyter_ppo.widgets.run_board import RunBoard

AXE = Path(__file__).parents[2] / "labextension/node_modules/axe-core/axe.min.js"


class Board(RunBoard):
    """A board whose messages are kept until a page takes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.outbox: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]] = queue.SimpleQueue()
        super().__init__(*args, **kwargs)

    def send(self, content: dict[str, Any], buffers: Sequence[bytes] | None = None) -> None:
        plain = json.loads(json.dumps(content, allow_nan=False))  # as Jupyter sends it
        self.outbox.put((plain, list(buffers or ())))

    def ask(self, **content: Any) -> tuple[dict[str, Any], list[bytes]]:
        """Ask as a view does, and return the answer."""
        self.answer({"type": "do", "id": "q", **content}, [])
        return self.next("done")

    def next(self, kind: str) -> tuple[dict[str, Any], list[bytes]]:
        """Return the next message of a kind."""
        while True:
            content, buffers = self.outbox.get(timeout=20)
            if content["type"] == kind:
                return content, buffers

    def list(self) -> list[dict[str, Any]]:
        """Ask for the list and return its rows."""
        self.answer({"type": "list", "from": "view"}, [])
        rows: list[dict[str, Any]] = self.next("list")[0]["rows"]
        return rows


def make_run(
    folder: Path,
    *,
    name: str = "",
    tags: Sequence[str] = (),
    state: RunState = RunState.FINISHED,
    updates: int = 5,
    height: float = 100.0,
    **spec: Any,
) -> Run:
    """Write a run that has measured something, without training it."""
    run = create_run(RunSpec(total_steps=10_000, **spec), folder, name=name, tags=tags)
    writer = MetricWriter(run.files.metrics_file)
    for update in range(1, updates + 1):
        step = update * 1000
        mean = height * (1 - math.exp(-update / 10))
        values = {"mean_return": mean, "approx_kl": 0.01, "learning_rate": 3e-4}
        writer.add(MetricPoint(step - 3, update / 10, {"return": mean + 5, "length": 9.0}))
        writer.add(MetricPoint(step, update / 10, values))
    writer.close()
    run.files.announce(RunStatus(state, step=1000 * updates, total_steps=10_000))
    return run


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two settings, three seeds of one of them, a group of seeds one level deeper."""
    runs = tmp_path / "runs"
    make_run(runs / "a", name="wide net", tags=["week 3"], seed=0, n_envs=8, height=200)
    make_run(runs / "seeds" / "seed-0", seed=0, height=100)
    make_run(runs / "seeds" / "seed-1", seed=1, height=140)
    make_run(runs / "seeds" / "seed-2", seed=2, height=180, state=RunState.STOPPED)
    return runs


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    made = Board(folder)
    yield made
    made.close()


def test_a_run_with_nonsense_in_its_files_hides_no_other(folder: Path) -> None:
    huge = "1" + 400 * "0"
    run = make_run(folder / "b")
    with run.files.metrics_file.open("a") as file:
        file.write(f'{{"step": 9000, "mean_return": {huge}}}\n')
        file.write('{"step": 9001, "mean_return": true}\n')
    make_run(folder / 'c"); print("x').files.events_file.write_text(
        '{"kind": "changed", "at": 1}\n'
    )
    (folder / "d").mkdir()
    (folder / "d" / "spec.json").write_text('{"format_version": 2, "spec": [[]]}')
    board = Board(folder)
    rows = {row["id"]: row for row in board.list()}
    board.close()
    assert {"a", "b", 'c"); print("x'} < set(rows)
    assert rows["b"]["meanReturn"] is None
    call = ast.parse(rows['c"); print("x']["code"], mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.literal_eval(call.args[0]).endswith('c"); print("x'), "one call, whatever the name"


def test_a_list_asked_for_many_times_while_the_kernel_was_busy_is_sent_once(board: Board) -> None:
    board.list()
    board._jobs.put(lambda: time.sleep(0.3))
    for _ in range(20):
        board.answer({"type": "list", "from": "a"}, [])
    board.answer({"type": "list", "from": "b"}, [])
    board.answer({"type": "do", "id": "last"}, [])
    sent = []
    while (content := board.outbox.get(timeout=20)[0])["type"] != "done":
        if content["type"] == "list":
            sent.append(content["to"])
    assert sent == ["a", "b"]


def test_the_list_says_what_is_in_the_folders(board: Board) -> None:
    rows = {row["id"]: row for row in board.list()}
    assert sorted(rows) == ["a", "seeds/seed-0", "seeds/seed-1", "seeds/seed-2"]
    run = rows["a"]
    assert (run["name"], run["tags"], run["envId"], run["seed"]) == (
        *("wide net", ["week 3"]),
        *("CartPole-v1", 0),
    )
    assert (run["state"], run["step"], run["totalSteps"]) == ("finished", 5000, 10_000)
    assert run["meanReturn"] == pytest.approx(200 * (1 - math.exp(-0.5)))
    assert run["evalReturn"] is None
    assert run["sizeBytes"] > 1000
    assert run["startedAt"].endswith("+00:00")
    assert run["hyperparameters"]["n_envs"] == 8
    assert rows["seeds/seed-2"]["state"] == "stopped"


def test_only_runs_that_changed_are_sent_again(board: Board, folder: Path) -> None:
    board.list()
    run = board.runs["seeds/seed-1"]
    run.files.note(EventKind.CHANGED, 3000, "learning_rate 0.0001", learning_rate=1e-4)
    content, _ = board.next("rows")
    (row,) = content["rows"]
    assert row["id"] == "seeds/seed-1"
    assert row["changes"] == [{"step": 3000, "text": "learning_rate 0.0001"}]
    make_run(folder / "later", seed=9)
    until(lambda: "later" in board.runs)
    board.runs["later"].delete()
    until(lambda: "later" not in board.runs)


def test_a_name_that_cannot_be_is_refused_with_the_sentence_of_the_domain(board: Board) -> None:
    board.list()
    answer, _ = board.ask(action="rename", run="a", name="x" * 201, tags=[])
    assert answer["error"].startswith("name: use at most 200 printable characters")
    answer, _ = board.ask(action="rename", run="a", name="ok", tags=["t" * 51])
    assert answer["error"].startswith("tags: use at most 50")
    answer, _ = board.ask(action="rename", run="a", name=" new ", tags=["one", "one", "two"])
    assert "error" not in answer
    assert board.runs["a"].files.read_labels() == ("new", ("one", "two"))
    answer, _ = board.ask(action="rename", run="nothing", name="x", tags=[])
    assert "there is no 'nothing'" in answer["error"]


def test_a_run_is_deleted_unless_a_worker_is_at_it(board: Board, folder: Path) -> None:
    board.list()
    with board.runs["a"].files.locked_for_worker():
        answer, _ = board.ask(action="delete", run="a")
    assert "error" in answer
    assert (folder / "a" / "spec.json").exists()
    answer, _ = board.ask(action="delete", run="a")
    assert "error" not in answer
    assert not (folder / "a").exists()
    assert "a" not in board.runs
    until(lambda: "a" not in board.checked)


def test_the_measurements_come_as_csv_and_a_model_only_when_there_is_one(board: Board) -> None:
    board.list()
    answer, buffers = board.ask(action="download", run="a", what="metrics")
    lines = buffers[0].decode().splitlines()
    assert answer["filename"] == "wide-net-metrics.csv"
    assert lines[0] == "step,seconds,return,length,mean_return,approx_kl,learning_rate"
    assert lines[1].startswith("997,0.1,")
    assert lines[1].endswith(",9.0,,,")
    assert len(lines) == 11
    answer, _ = board.ask(action="download", run="a", what="model")
    assert answer["error"].startswith("model: this run has no model yet.")
    board.runs["a"].files.model_file.write_bytes(b"zip")
    answer, buffers = board.ask(action="download", run="a", what="model")
    assert (answer["filename"], buffers) == ("wide-net.zip", [b"zip"])


def test_a_command_is_given_or_refused_with_its_sentence(board: Board) -> None:
    board.list()
    answer, _ = board.ask(action="command", run="a", command="pause", values={})
    assert "this run is finished" in answer["error"]
    answer, _ = board.ask(action="command", run="a", command="extend", values={"total_steps": 1})
    assert answer["error"].startswith("total_steps:")
    answer, _ = board.ask(action="command", run="a", command="dance", values={})
    assert "is not known" in answer["error"]


def test_bands_hold_one_line_for_each_setting(board: Board) -> None:
    board.list()
    ids = ["a", "seeds/seed-0", "seeds/seed-1", "seeds/seed-2"]
    answer, (numbers,) = board.ask(
        action="bands", ids=ids, metrics=["mean_return", "entropy"], statistic="median_iqr"
    )
    assert [(band["metric"], len(band["ids"]), band["count"]) for band in answer["bands"]] == [
        ("mean_return", 1, 5),
        ("mean_return", 3, 5),
        ("entropy", 1, 0),
        ("entropy", 3, 0),
    ]
    values = list(memoryview(numbers).cast("d"))
    centre = values[25:30]
    assert centre == pytest.approx([140 * (1 - math.exp(-n / 10)) for n in range(1, 6)])
    answer, _ = board.ask(action="bands", ids=ids, metrics=["return"], statistic="mean")
    assert "statistic" in answer["error"]


def test_the_newest_are_drawn_first_and_all_of_a_given_list(board: Board, folder: Path) -> None:
    until(lambda: len(board.checked) == 4)
    runs = [board.runs["seeds/seed-0"], board.runs["seeds/seed-1"]]
    group = Board(runs, statistic=Statistic.IQM_BOOTSTRAP)
    try:
        assert group.checked == ["seed-0", "seed-1"]
        assert group.view["grouping"] == "iqm_bootstrap"
        with pytest.raises(NotFoundError):
            group.checked = ["other"]
    finally:
        group.close()
    with pytest.raises(InvalidInputError):
        Board(runs, statistic="mean")


def test_a_saved_notebook_has_words_and_a_small_picture(board: Board) -> None:
    bundle, _ = board._repr_mimebundle_()
    assert bundle["text/plain"].startswith("<RunBoard of 4 runs in ")
    assert bundle["text/plain"].endswith(", 4 drawn>")
    picture = bundle["image/svg+xml"]
    assert picture.count("<path") >= 9  # axes, four curves, four samples
    assert "wide net" in picture
    state = json.dumps(dict(board.get_state()), default=str)
    assert len(picture) < 40_000
    assert len(state) < 60_000


def test_a_saved_notebook_says_what_to_show_again(board: Board, folder: Path) -> None:
    saved = board._repr_mimebundle_()[0][RUN_TYPE]
    assert saved["directory"] == str(folder)
    assert saved["runs"] == []
    assert saved["statistic"] is None

    runs = [board.runs["seeds/seed-0"], board.runs["seeds/seed-1"]]
    group = Board(runs, statistic=Statistic.MEDIAN_IQR)
    saved = group._repr_mimebundle_()[0][RUN_TYPE]
    group.close()
    assert saved["runs"] == [str(run.directory) for run in runs]
    again = Board(saved["runs"], statistic=saved["statistic"])
    again.close()
    assert again.checked == ["seed-0", "seed-1"]
    assert again.view["grouping"] == "median_iqr"


def test_a_hundred_runs_are_read_quickly_and_looked_at_cheaply(tmp_path: Path) -> None:
    for number in range(100):
        make_run(tmp_path / f"run-{number}", seed=number, updates=40)
    board = Board(tmp_path, checked=[])
    try:
        assert len(board.list()) == 100
        began = time.thread_time()
        assert board._list.read() == ([], [])
        assert time.thread_time() - began < 0.5  # about 10 ms; nothing is read that did not change
    finally:
        board.close()


# The same together with the view in a page.


class Shown:
    """A board with its view; ``sync`` carries messages to and fro."""

    def __init__(self, board: Board, widget: Any) -> None:
        self.board, self.widget, self.page = board, widget, widget.page
        self._taken = 0
        self._view = dict(board.view)
        widget.show("runs", view=self._view)

    def sync(self) -> None:
        sent = self.widget.sent
        for message in sent[self._taken :]:
            self.board.answer(message, [])
        self._taken = len(sent)
        saved = self.widget.saved.get("view")
        if saved is not None and saved != self._view:
            self._view = saved
            self.board.view = saved
        while not self.board.outbox.empty():
            content, buffers = self.board.outbox.get()
            self.widget.message(content, *buffers)
        if self.board.view != self._view:
            self._view = dict(self.board.view)
            self.widget.change(view=self._view)

    def until(self, condition: Callable[[], Any], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while True:
            self.sync()
            if condition():
                return
            assert time.monotonic() < end, "it did not happen"
            self.page.wait_for_timeout(50)

    def rows(self) -> list[str]:
        """What the runs are called, in the order in which they are shown."""
        names: list[str] = self.page.locator(".ppo-runs-name").all_inner_texts()
        return names

    def latest(self) -> int:
        """The last step that is drawn."""
        chart = self.page.locator('.ppo-chart[data-key="return"]')
        return int(float(chart.get_attribute("data-latest") or 0)) if chart.count() else 0


@pytest.fixture
def shown(board: Board, widget: Any) -> Shown:
    made = Shown(board, widget)
    made.until(lambda: len(made.rows()) == 4 and made.latest() >= 5000)
    return made


def row_of(page: Page, run_id: str) -> Any:
    return page.locator(f'tr[data-run="{run_id}"]')


def name_of(page: Page, run_id: str) -> Any:
    return row_of(page, run_id).locator(".ppo-runs-name")


@pytest.mark.browser
def test_runs_are_sorted_filtered_and_checked(shown: Shown) -> None:
    page = shown.page
    page.get_by_role("button", name="Mean return").click()
    assert shown.rows()[0] == "wide net"
    expect(page.get_by_role("columnheader", name="Mean return")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_role("button", name="Mean return").press("Enter")
    assert shown.rows()[-1] == "wide net"
    page.get_by_label("Filter runs by words or settings").fill("n_envs=8")
    assert shown.rows() == ["wide net"]
    expect(page.get_by_text("1 of 4 runs")).to_be_visible()
    expect(page.get_by_text("1 run, 1 setting", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete checked…").click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("Delete “wide net” for ever?")
    question.get_by_role("button", name="Keep it").click()
    page.get_by_label("Filter runs by words or settings").fill("n_envz=8")
    expect(page.get_by_text("No run has a setting or a column called n_envz.")).to_be_visible()
    page.get_by_label("Filter runs by words or settings").fill("nothing")
    page.get_by_role("button", name="Clear the filter").click()
    page.get_by_label("State", exact=True).select_option("stopped")
    assert shown.rows() == ["seeds/seed-2"]
    page.get_by_label("State", exact=True).select_option("")
    colour = row_of(page, "a").locator("svg").inner_html()
    page.get_by_label("Draw seeds/seed-0, seed 0").uncheck()
    shown.until(lambda: "seeds/seed-0" not in shown.board.checked)
    expect(page.get_by_text("3 runs, 2 settings")).to_be_visible()
    assert row_of(page, "a").locator("svg").inner_html() == colour


@pytest.mark.browser
def test_a_view_that_misses_a_row_gets_it_with_the_next(shown: Shown, folder: Path) -> None:
    for name in ("lost", "next"):
        made = make_run(folder.parent / name, seed=7)
        made.directory.rename(folder / name)  # whole at once
        if name == "lost":
            assert shown.board.next("rows")[0]["rows"][0]["id"] == "lost"  # no page gets it
    shown.until(lambda: {"lost", "next"} < set(shown.rows()))


@pytest.mark.browser
def test_seeds_become_a_band_and_settings_are_compared(shown: Shown) -> None:
    page = shown.page
    page.get_by_text("Median and IQR", exact=True).click()
    legend = page.get_by_role("button", name="n_envs 1 (3 seeds)")
    shown.until(lambda: legend.count() == 1)
    assert shown.board.view["grouping"] == "median_iqr"
    diff = page.locator(".ppo-diff")
    assert diff.locator("tbody th").all_inner_texts() == ["n_envs", "seed"]
    page.get_by_label("also those that are equal").check()
    assert "gamma" in diff.locator("tbody th").all_inner_texts()
    shown.widget.dispose()  # the page is loaded again
    again = Shown(shown.board, shown.widget)
    again.until(lambda: legend.count() == 1)
    expect(page.get_by_label("Median and IQR")).to_be_checked()


@pytest.mark.browser
def test_a_run_that_goes_on_moves_in_the_list_and_in_the_chart(shown: Shown) -> None:
    run = shown.board.runs["a"]
    with run.files.locked_for_worker():
        running = RunStatus(RunState.RUNNING, step=6000, total_steps=10_000)
        run.files.announce(running)
        row = row_of(shown.page, "a")
        shown.until(lambda: "Running" in row.inner_text() and "6,000 of 10,000" in row.inner_text())
        writer = MetricWriter(run.files.metrics_file)
        writer.add(MetricPoint(8000, 1.0, {"mean_return": 321.0}))
        writer.close()
        run.files.write_status(replace(running, step=8000))
        shown.until(lambda: "8,000" in row.inner_text() and "321" in row.inner_text())
        shown.until(lambda: shown.latest() == 8000)
        # As a worker does, while it still has the lock: without it it would seem to be killed.
        run.files.announce(replace(running, state=RunState.FINISHED, step=8000))
    shown.until(lambda: "Finished" in row.inner_text())


@pytest.mark.browser
def test_renaming_tagging_and_deleting_a_run(shown: Shown, folder: Path) -> None:
    page = shown.page
    name_of(page, "a").click()
    panel = page.locator(".ppo-runs-details")
    name = panel.get_by_label("Name")
    expect(name).to_have_value("wide net")
    name.fill("x" * 201)
    panel.get_by_role("button", name="Save").click()
    error = panel.get_by_role("alert")
    shown.until(error.text_content)
    expect(error).to_contain_text("name: use at most 200 printable characters")
    name.fill("narrow net")
    panel.get_by_label("Tags, separated by commas").fill("week 3, best")
    panel.get_by_label("Tags, separated by commas").press("Enter")
    shown.until(lambda: "narrow net" in shown.rows())
    assert row_of(page, "a").locator(".ppo-runs-tag").all_inner_texts() == ["week 3", "best"]
    expect(error).to_be_empty()

    panel.get_by_role("button", name="Delete…").click()
    question = panel.get_by_role("alertdialog")
    expect(question).to_contain_text("Delete “narrow net” for ever? Lost are 5,000 steps")
    expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert (folder / "a").exists()
    panel.get_by_role("button", name="Delete…").click()
    with shown.board.runs["a"].files.locked_for_worker():
        question.get_by_role("button", name="Delete for ever").click()
        shown.until(error.text_content)
    assert (folder / "a").exists()
    panel.get_by_role("button", name="Delete…").click()
    question.get_by_role("button", name="Delete for ever").click()
    shown.until(lambda: len(shown.rows()) == 3)
    assert not (folder / "a").exists()


@pytest.mark.browser
def test_a_file_is_given_to_the_browser(shown: Shown, tmp_path: Path) -> None:
    page = shown.page
    name_of(page, "a").click()
    got: list[Any] = []

    def note(given: Any) -> None:
        got.append(given)

    page.on("download", note)
    page.get_by_role("button", name="Download metrics (CSV)").click()
    shown.until(lambda: got)
    assert got[0].suggested_filename == "wide-net-metrics.csv"
    page.get_by_role("button", name="Download model").click()
    alert = page.locator(".ppo-runs-details").get_by_role("alert")
    shown.until(alert.text_content)
    expect(alert).to_contain_text("this run has no model yet")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_assistive_technology_can_use_the_list(shown: Shown, theme: str) -> None:
    if theme == "dark":
        shown.widget.dark()
    name_of(shown.page, "a").click()
    shown.page.get_by_role("button", name="Delete…").click()
    shown.page.wait_for_timeout(600)
    shown.page.evaluate(AXE.read_text())
    result = shown.page.evaluate("() => axe.run('.ppo-runs')")
    serious = [v for v in result["violations"] if v["impact"] in {"serious", "critical"}]
    assert [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in serious] == []


@pytest.mark.browser
def test_a_closed_view_lets_go_of_everything(shown: Shown) -> None:
    shown.widget.dispose()
    assert shown.widget.listeners == 0
    expect(shown.page.locator(".ppo-runs")).to_have_count(0)
