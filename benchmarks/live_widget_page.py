"""The charts of the live widget in a page of their own, and in JupyterLab. Used by
``live_widget.py``.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import jupyter_ppo
from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.presets import Preset, spec_from_preset
from jupyter_ppo.domain.training import Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.launch import create_run
from jupyter_ppo.training.metric_log import MetricWriter

_ROOT = Path(jupyter_ppo.__file__).parents[1]
_STATIC = _ROOT / "jupyter_ppo" / "widgets" / "static"
_TOKEN = "for-this-benchmark-only"  # noqa: S105  a server on this machine, for some seconds
_LONG_MS = 120_000

#: Shows the view "curves" with a model whose messages come from this page.
_VIEW = """async ([source, charts]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const { views } = await import(url);
  const track = { id: 'run', label: 'PPO', colour: 0, marks: [] };
  const traits = {
    charts, tracks: [track], settings: { smoothing: 1, logScale: false, hidden: [] },
  };
  const listeners = {};
  let asked;
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; },
    save_changes: () => {},
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: () => {},
    send: (content) => { asked = content; },
  };
  views.curves(model, document.getElementById('view'));
  const say = (content, numbers) => listeners['msg:custom'].forEach((listener) =>
    listener(content, [new DataView(numbers.buffer)]));
  const to = { to: asked.from };
  say({ type: 'reset', ...to, asked: asked.asked, seq: 0 }, new Float64Array(0));
  say({ type: 'points', ...to, part: 0, last: true, tracks: [] }, new Float64Array(0));
  let seq = 0;
  // `columns`: [metric, steps and then values] of each metric
  window.append = (columns) => {
    const ops = columns.map(([metric, numbers]) => ({ metric, count: numbers.length / 2 }));
    const all = new Float64Array(ops.reduce((sum, { count }) => sum + 2 * count, 0));
    let place = 0;
    for (const [, numbers] of columns) {
      all.set(numbers, place);
      place += numbers.length;
    }
    seq += 1;
    say({ type: 'points', seq, tracks: [{ id: 'run', ops }] }, all);
  };
  window.points = (first, count) => {
    const numbers = new Float64Array(2 * count);
    for (let i = 0; i < count; i += 1) {
      numbers[i] = first + i;
      numbers[count + i] = Math.sin((first + i) / 1e5) * 200 + Math.random() * 100;
    }
    return numbers;
  };
  window.settings = (values) => {
    traits.settings = { ...traits.settings, ...values };
    (listeners['change:settings'] ?? []).forEach((listener) => listener());
  };
  window.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}"""
#: Appends to one chart and returns the milliseconds of each redraw of it.
_REDRAWS = """async ([key, metric, first, count]) => {
  const chart = document.querySelector(`.ppo-chart[data-key="${key}"]`);
  const times = [];
  for (let i = 0; i < count; i += 1) {
    const before = chart.dataset.draws;
    window.append([[metric, window.points(first + 10 * i, 10)]]);
    while (chart.dataset.draws === before) await window.frame();
    times.push(Number(chart.dataset.ms));
  }
  return times;
}"""
_STREAM = """async ([first, ticks, names]) => {
  for (let tick = first; tick < first + ticks; tick += 1) {
    window.append(names.map((name) =>
      [name, window.points(10 * tick, name === 'return' ? 10 : 1)]));
    if (tick % 30 === 29) await window.frame();
  }
  return Number(document.querySelector('.ppo-chart').dataset.draws);
}"""
#: Runs a cell; milliseconds from its output in the page to a drawn curve.
_FIRST_PAINT = """async (source) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
  content.model.sharedModel.getCell(0).setSource(source);
  content.activeCellIndex = 0;
  const cell = content.widgets[0].node;
  let shown;
  const watch = new MutationObserver(() => {
    if (cell.querySelector('.jp-OutputArea-output')) shown ??= performance.now();
  });
  watch.observe(cell, { childList: true, subtree: true });
  void window.jupyterapp.commands.execute('notebook:run-cell');
  const chart = () => cell.querySelector('.ppo-chart[data-key="return"]');
  const isDrawn = () => Number(chart()?.dataset.points) > 0 && Number(chart()?.dataset.draws) > 0;
  while (!isDrawn()) await new Promise((done) => requestAnimationFrame(done));
  watch.disconnect();
  return performance.now() - shown;
}"""
_NOTEBOOK = """async () => {
  const { commands } = window.jupyterapp;
  const panel = await commands.execute('notebook:create-new', { kernelName: 'python3' });
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.requestExecute({
    code: 'from jupyter_ppo import LiveRun',
  }).done;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def curves(browser: Browser) -> Iterator[Page]:
    """Open a page with the charts of one run, without points."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(_LONG_MS)
    page.set_content("<!doctype html><main id=view></main>")
    page.add_style_tag(content=(_STATIC / "live.css").read_text("utf-8"))
    source = (_STATIC / "live.js").read_text("utf-8")
    page.evaluate(_VIEW, [source, [chart.to_dict() for chart in CHARTS]])
    yield page
    page.close()


def redraws(
    page: Page, metric: Metric, points: int, count: int, settings: Mapping[str, Any]
) -> list[float]:
    """Return milliseconds of redraws of a chart that holds so many points of a metric."""
    page.evaluate("(settings) => window.settings(settings)", dict(settings))
    page.evaluate(
        "([metric, count]) => window.append([[metric, window.points(0, count)]])",
        [metric.value, points],
    )
    arguments = [metric.value, metric.value, points]
    page.evaluate(_REDRAWS, [*arguments, 3])  # the first ones make summaries
    times: list[float] = page.evaluate(_REDRAWS, [*arguments[:2], points + 30, count])
    return times


def stream(page: Page, minutes: int, parts: int) -> list[tuple[float, float, int]]:
    """Send what a run of so many minutes sends; return MB after each part of the time.

    The first number is of objects, the second of the points' own memory, the third counts redraws.
    """
    session = page.context.new_cdp_session(page)
    ticks = minutes * 60 * 10 // parts
    names = [metric.value for chart in CHARTS for metric in chart.metrics]
    found = []
    for part in range(parts):
        draws: int = page.evaluate(_STREAM, [part * ticks, ticks, names])
        found.append((*_megabytes(session), draws))
    return found


def _megabytes(session: CDPSession) -> tuple[float, float]:
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return (
        (usage["usedSize"] + usage.get("embedderHeapUsedSize", 0)) / 1e6,
        usage.get("backingStorageSize", 0) / 1e6,
    )


def finished_run(folder: Path) -> Path:
    """Write a run of 100,000 steps by hand: 2,000 episodes and 98 updates."""
    run = create_run(spec_from_preset(Preset.CARTPOLE_FAST, total_steps=100_000), folder / "run")
    writer = MetricWriter(run.files.metrics_file)
    for step in range(50, 100_001, 50):
        values: dict[str, float] = {Metric.RETURN: 50 + step / 250}
        if step % 1000 == 0:
            values |= {
                Metric.MEAN_RETURN: step / 250,
                Metric.APPROX_KL: 0.01 + math.sin(step) / 200,
            }
        writer.add(MetricPoint(step, step / 20_000, values))
    writer.close()
    status = RunStatus(RunState.FINISHED, 100_000, 5.0, 20_000.0, total_steps=100_000)
    run.files.write_status(status)
    return run.directory


def first_paints(browser: Browser, lab: str, run: Path, repeats: int) -> dict[str, list[float]]:
    """Return milliseconds from display to a drawn curve: the first of a page, and the next."""
    found: dict[str, list[float]] = {"first of its page": [], "another on the page": []}
    for _ in range(repeats):
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.set_default_timeout(_LONG_MS)
        page.goto(f"{lab}lab?token={_TOKEN}&reset", wait_until="domcontentloaded")
        page.wait_for_function("window.jupyterapp !== undefined")
        page.evaluate("() => window.jupyterapp.restored")
        page.evaluate(_NOTEBOOK)
        for times in found.values():
            times.append(page.evaluate(_FIRST_PAINT, f"LiveRun({str(run)!r})"))
            page.wait_for_timeout(500)
        context.close()
    return found


@contextmanager
def jupyterlab(home: Path) -> Iterator[str]:
    """Start JupyterLab with the front end of this checkout; give its address."""
    extensions = home / "share" / "labextensions"
    extensions.mkdir(parents=True)
    (extensions / "jupyter-ppo").symlink_to(_ROOT / "jupyter_ppo" / "labextension")
    notification = home / "settings" / "@jupyterlab" / "apputils-extension"
    notification.mkdir(parents=True)
    quiet = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (notification / "notification.jupyterlab-settings").write_text(quiet)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "HOME": str(home),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(_ROOT),
        "JUPYTER_TOKEN": _TOKEN,
        "JUPYTER_PATH": str(home / "share"),
        **{
            f"JUPYTER_{name}_DIR": str(home / name.lower())
            for name in ("CONFIG", "DATA", "RUNTIME")
        },
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    options = ["--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True"]
    options += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={home}"]
    with (home / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        yield _address(server, home)
    finally:
        server.terminate()
        server.wait()


def _address(server: subprocess.Popen[bytes], home: Path) -> str:
    record = home / "runtime" / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + _LONG_MS / 1000
    while time.monotonic() < deadline:
        try:
            url: str = json.loads(record.read_text())["url"]
            urllib.request.urlopen(f"{url}api?token={_TOKEN}", timeout=5).close()  # noqa: S310
        except (OSError, ValueError, KeyError):
            time.sleep(0.2)
        else:
            return url
    sys.exit((home / "jupyter.log").read_text(errors="replace"))
