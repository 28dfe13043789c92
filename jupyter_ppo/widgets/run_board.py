"""A list of runs in the notebook: compared, renamed, tagged, steered, downloaded, deleted."""

from __future__ import annotations

import atexit
import contextlib
import queue
import sys
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import traitlets

from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, PPOError
from jupyter_ppo.domain.run_labels import checked_name, checked_tags
from jupyter_ppo.domain.statistics import Statistic, group_by_setting
from jupyter_ppo.domain.training import Command, Metric, MetricPoint, Rewind, RunCommand, RunStatus
from jupyter_ppo.training.exports.aggregate import Curve, aggregate, read_curves
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets.base import PPOWidget
from jupyter_ppo.widgets.following import Follower
from jupyter_ppo.widgets.notebook_display import Bundle, NotebookDisplay, in_notebook, run_bundle
from jupyter_ppo.widgets.points import PointsFeed
from jupyter_ppo.widgets.run_board_picture import METRIC, board_svg
from jupyter_ppo.widgets.run_files import download
from jupyter_ppo.widgets.run_rows import SETTINGS, Row, RunList

#: How often the folder is looked at.
_SCAN_SECONDS: Final = 1.0
#: How often the saved picture is renewed while runs go on.
_PICTURE_SECONDS: Final = 30.0
#: So many of the newest runs of a folder are drawn at first, and so many at most.
_FIRST, _MOST_CHECKED = 5, 40
_SETTLED_SECONDS: Final = 2.0
_DRAWN: Final = frozenset(metric for chart in CHARTS for metric in chart.metrics)
_ALL: Final = frozenset(metric.value for metric in Metric)

_Job = Callable[[], None]


class RunBoard(PPOWidget):
    """The runs of a folder, or some runs: a list to choose from, and the chosen ones compared.

    ``RunBoard("runs")`` also shows runs that begin later, in this or another process.
    """

    _kind = traitlets.Unicode("runs").tag(sync=True)
    _thread: threading.Thread | None = None
    #: What is checked, sorted and drawn: the state of RunsView, kept over a reload.
    view: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        folder_or_runs: Path | str | Sequence[Any] = "runs",
        *,
        checked: Sequence[str] | None = None,
        statistic: Statistic | str | None = None,
    ) -> None:
        """Show a folder's runs, or a list of ``Run``, ``LiveRun`` or runs' folders.

        ``checked`` names those that are drawn, by their folder: by default the newest five of a
        folder, and all of a list. ``statistic`` draws runs of one setting as a band. Raises
        ``InvalidInputError`` for an unknown statistic and ``UnavailableError`` when the views were
        not built.
        """
        grouping = "runs" if statistic is None else _statistic(statistic).value
        self._name = ""
        self._folder: Path | None = None
        if isinstance(folder_or_runs, Path | str):
            self._name = str(folder_or_runs)
            self._folder = Path(folder_or_runs).resolve()
            self._list = RunList(self._folder)
        else:
            runs = [_run(one) for one in folder_or_runs]
            self._list = RunList(runs)
            checked = list(self._list.runs)[:_MOST_CHECKED] if checked is None else checked
        self._rows: dict[str, Row] = {}
        self._followed: dict[str, Run] = {}
        self._ids: dict[Run, str] = {}
        self._lock = threading.RLock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._seq = 0  # of the messages on rows: a view that misses one asks for the list
        self._asking: list[str] = []  # views that wait for the list
        self._display = NotebookDisplay()
        self._pictured = (-1, 0.0)  # how much was new by then, and when
        self._made_at = self._news_at = time.monotonic()
        self._news = 0
        self._chooses = checked is None
        super().__init__(view={"checked": list(checked or ()), "grouping": grouping})
        self._feed = PointsFeed(self.send, lambda name: name in _DRAWN or name not in _ALL)
        self._follower = Follower(self._take_points, self._take_status, self._feed.flush)
        self.observe(lambda _change: self._jobs.put(self._follow_checked), "view")
        self._thread = threading.Thread(target=self._work, name="ppo-board", daemon=True)
        atexit.register(self._stop)
        self._thread.start()

    def __repr__(self) -> str:
        where = f" in {self._name}" if self._name else ""
        with self._lock:
            count, drawn = len(self._list.runs), len(self.checked)
        return f"<RunBoard of {count} run{'' if count == 1 else 's'}{where}, {drawn} drawn>"

    @property
    def runs(self) -> dict[str, Run]:
        """The runs by what they are called in the list, as they were found last."""
        return self._list.runs

    @property
    def checked(self) -> list[str]:
        """The runs that are drawn; set it to draw others."""
        return [str(run_id) for run_id in self.view.get("checked", ())]

    @checked.setter
    def checked(self, ids: Sequence[str]) -> None:
        for run_id in ids:
            self._run(run_id)
        self.view = {**self.view, "checked": list(ids)}

    def show(self) -> None:
        """Show the list below the current cell, once per cell."""
        self._display.show(self._bundle)

    def close(self) -> None:
        """Remove the view and stop following; the training itself goes on."""
        self._stop()
        super().close()

    def answer(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Answer a view: the list, the points, or what was asked of a run."""
        match content.get("type"):
            case "history":
                self._jobs.put(lambda: self._feed.history(content))
            case "list":
                self._asking.append(str(content.get("from", ""))[:100])
                self._jobs.put(self._send_lists)
            case "do":
                self._jobs.put(lambda: self._do(content))

    def _ipython_display_(self, **_options: Any) -> None:
        if in_notebook():
            self.show()
        else:
            sys.stdout.write(f"{self!r}\n")

    def _repr_mimebundle_(self, **_options: Any) -> tuple[Bundle, dict[str, Any]]:
        return self._bundle(), {}

    def _bundle(self) -> Bundle:
        self._look()
        self._draw_picture()
        return self._saved()

    def _saved(self) -> Bundle:
        """Return what a notebook saves of the board as it was drawn last."""
        grouping = self.view.get("grouping")
        return run_bundle(
            self,
            text=repr(self),
            picture=self.picture,
            directory=str(self._folder or ""),
            title="training runs",
            runs=[] if self._folder else [str(run.directory) for run in self._list.runs.values()],
            statistic=grouping if grouping in set(Statistic) else None,
        )

    # What follows runs in the board's own thread.

    def _work(self) -> None:
        """Look at the folder, and do what was asked, one after the other."""
        due = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=max(due - time.monotonic(), 0.0))
            except queue.Empty:
                job = self._scan
                due = time.monotonic() + _SCAN_SECONDS
            if job is None:
                return
            with contextlib.suppress(Exception):  # such as: the kernel is ending
                job()

    def _scan(self) -> None:
        self._look()
        self._follow_checked()
        self._renew_picture()

    def _look(self) -> None:
        """Look at the folder, and send the views what is new or gone."""
        with self._lock:
            changed, gone = self._list.read()
            for row in changed:
                self._rows[row["id"]] = row
            for run_id in gone:
                self._rows.pop(run_id, None)
            checked = [run_id for run_id in self.checked if run_id not in gone]
            if self._chooses and self._rows:
                self._chooses = False
                newest = sorted(self._rows.values(), key=_began, reverse=True)[:_FIRST]
                checked = checked or [row["id"] for row in newest]
        if checked != self.checked:
            self.view = {**self.view, "checked": checked}
        if changed or gone:
            self._note_news()
            with self._lock:
                self._seq += 1
                self.send({"type": "rows", "seq": self._seq, "rows": changed, "gone": gone})

    def _follow_checked(self) -> None:
        with self._lock:
            runs = self._list.runs
            wanted = {run_id: runs[run_id] for run_id in self.checked if run_id in runs}
            for run_id, run in list(self._followed.items()):
                if wanted.get(run_id) is not run:
                    del self._followed[run_id]
                    del self._ids[run]
                    self._follower.remove(run)
                    self._feed.remove(run_id)
            new = {key: run for key, run in wanted.items() if key not in self._followed}
            self._followed.update(new)
            self._ids.update({run: run_id for run_id, run in new.items()})
        self._feed.flush()
        for run in new.values():
            self._follower.add(run)

    def _send_lists(self) -> None:
        """Send views everything that they cannot be given in pieces.

        Once to each, however often it has asked while the kernel was busy.
        """
        if not self._asking:
            return
        self._scan()
        asking, self._asking = self._asking, []
        with self._lock:
            everything = {
                "type": "list",
                "seq": self._seq,
                "charts": [chart.to_dict() for chart in CHARTS],
                "settings": SETTINGS,
                "rows": list(self._rows.values()),
            }
            for view in dict.fromkeys(asking):
                self.send({**everything, "to": view})

    def _do(self, content: Mapping[str, Any]) -> None:
        """Do what was asked of a run, and answer with the id of the question."""
        answer: dict[str, Any] = {"type": "done", "id": content.get("id")}
        buffers: list[bytes] = []
        try:
            if content.get("action") == "bands":
                answer["bands"], buffers = self._bands(content)
            else:
                more, buffers = self._do_with(self._run(str(content.get("run", ""))), content)
                answer.update(more)
        except PPOError as error:
            answer["error"] = error.message
        except OSError as error:
            answer["error"] = f"{error.strerror or error}: {error.filename or 'the run'}"
        except Exception as error:  # no view of ours asks so; without an answer it would wait
            answer["error"] = f"This cannot be done: {error}."
        self._scan()  # first, so that the list shows it when the answer comes
        self.send(answer, buffers)

    def _do_with(self, run: Run, content: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        match content.get("action"):
            case "rename":
                name = checked_name(content.get("name", ""))
                run.rename(name, checked_tags(content.get("tags", ())))
            case "delete":
                run.delete()
            case "download":
                label = str(content.get("run"))
                name, data = download(run, str(content.get("what", "")), label)
                return {"filename": name}, [data]
            case "command":
                command = RunCommand.from_dict(content)
                run.command(command)
                if command.command in {Command.RESUME, Command.EXTEND}:
                    self._follower.again(run)
            case other:
                msg = f"action: {str(other)[:40]!r} is not known."
                raise InvalidInputError(msg, field="action")
        return {}, []

    def _bands(self, content: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[bytes]]:
        """Return a description of each band, and their numbers one after the other."""
        statistic = _statistic(content.get("statistic", ""))
        runs = {run_id: self._run(run_id) for run_id in map(str, content.get("ids", ()))}
        groups = group_by_setting({run_id: run.spec for run_id, run in runs.items()})
        described, numbers = [], array("d")
        for metric in map(str, content.get("metrics", ())):
            for ids in groups:
                band = aggregate(self._curves(ids, metric), statistic)
                described.append({"metric": metric, "ids": ids, "count": len(band.steps)})
                for column in (band.steps, band.centre, band.low, band.high):
                    numbers.extend(column)
        return described, [numbers.tobytes()]

    def _curves(self, ids: Sequence[str], metric: str) -> list[Curve]:
        """Return one metric of some runs: as it was followed so far, else from the files."""
        found: list[Curve] = []
        for run_id in ids:
            columns = self._feed.columns(run_id)
            if columns:
                found.append(columns.get(metric, ((), ())))
            else:
                found += read_curves([self._run(run_id).files.metrics_file], metric)
        return found

    def _run(self, run_id: str) -> Run:
        run = self._list.runs.get(run_id)
        if run is None:
            msg = f"run: there is no {run_id[:80]!r} in this list."
            raise NotFoundError(msg, field="run")
        return run

    # What follows runs in the thread of the follower.

    def _take_points(self, run: Run, items: Sequence[MetricPoint | Rewind]) -> None:
        with self._lock:
            run_id = self._ids.get(run)
            if run_id is not None:  # it may have been unchecked meanwhile
                self._feed.append(run_id, items)
                self._note_news()

    def _take_status(self, _run: Run, _status: RunStatus) -> None:
        self._note_news()

    def _note_news(self) -> None:
        self._news += 1
        self._news_at = time.monotonic()

    def _renew_picture(self) -> None:
        """Draw what a saved notebook shows: soon after a change, later less often."""
        news, drawn_at = self._pictured
        now = time.monotonic()
        is_still = now - self._news_at > _SETTLED_SECONDS
        every = min(max(_SETTLED_SECONDS, drawn_at - self._made_at), _PICTURE_SECONDS)
        if news != self._news and (is_still or now - drawn_at > every):
            self._draw_picture()
            if self._display.is_shown:
                self._display.update(self._saved())

    def _draw_picture(self) -> None:
        with self._lock:
            self._pictured = (self._news, time.monotonic())
            colours = self.view.get("colours", {})
            curves: dict[str, tuple[int, Curve]] = {}
            for place, run_id in enumerate(self.checked):
                run = self._list.runs.get(run_id)
                if run is not None:
                    colour = int(colours.get(run_id, place))
                    curves[run_id] = (colour, self._curves([run_id], METRIC)[0])
            rows = sorted(self._rows.values(), key=_began, reverse=True)
        title = f"Training runs{f' in {self._name}' if self._name else ''}: {len(rows)}"
        self.picture = board_svg(title, rows, curves)

    def _stop(self) -> None:
        if self._thread is None:  # it was not made: what was asked for cannot be
            return
        atexit.unregister(self._stop)
        self._jobs.put(None)
        self._follower.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(1)


def _run(one: Any) -> Run:
    run: Run = open_run(one) if isinstance(one, Path | str) else getattr(one, "run", one)
    return run


def _statistic(value: object) -> Statistic:
    try:
        return Statistic(str(value))
    except ValueError:
        msg = f"statistic: {str(value)[:80]!r} is not known. Use {', '.join(Statistic)}."
        raise InvalidInputError(msg, field="statistic") from None


def _began(row: Row) -> str:
    return str(row["startedAt"] or "")
