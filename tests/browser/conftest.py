"""A real JupyterLab with one course on it, and a real browser in front."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # ``import essays``
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COURSE = "ppo"
ASSIGNMENT = "ppo-in-one-sitting"
SOURCE = ROOT / "notebooks" / f"{ASSIGNMENT}.ipynb"
TOKEN = "a-token-for-this-test-only"
START_SECONDS = 120

# How long a busy machine may take, in milliseconds; five seconds, the default, are too few.
expect.set_options(timeout=60_000)


@dataclass
class Lab:
    """A JupyterLab: its process, its address, the student's folder, and the course's notebook.

    ``numbers`` names the assignments, so that a test which submits has one of its own.
    """

    home: Path
    environment: dict[str, str]
    source: Path
    server: subprocess.Popen[bytes]
    url: str = ""
    token: str = TOKEN
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def work(self) -> Path:
        """The student's folder."""
        return self.home / "work"

    def wait_until_ready(self) -> None:
        """Wait for the course service, and learn the server's address."""
        deadline = time.monotonic() + START_SECONDS
        while (url := _address(self.server, self.home)) is None:
            log = (self.home / "jupyter.log").read_text(errors="replace")
            if self.server.poll() is not None and "in use" in log and time.monotonic() < deadline:
                # Another process took the port in between.
                self.server = _start(self.environment, self.home)
            assert self.server.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.2)
        self.url = url

    def stop(self) -> None:
        """End the server, so that its folders can be written to; ``restart`` starts another."""
        _end(self.server)

    def restart(self) -> None:
        """End the server and start another one on the same folders, perhaps on another port."""
        _end(self.server)
        self.server = _start(self.environment, self.home)
        self.wait_until_ready()

    def api(self, path: str, body: bytes | None = None) -> Any:
        """GET a resource of the course service, or PUT ``body`` there."""
        return json.loads(_fetch(f"{self.url}jupyter-ppo/api/v1{path}", body))

    def preferences(self, *changes: str) -> None:
        """Change preferences of the person in front, each ``name=value``, on another device."""
        for name, value in (change.split("=") for change in changes):
            _ppo(self.environment, self.home, "preferences", "set", name, value)

    def new_assignment(self) -> str:
        """Return an assignment that nobody has submitted; the first came from the command line."""
        number = next(self.numbers)
        if number == 1:
            return ASSIGNMENT
        name = f"{ASSIGNMENT}-{number}"
        self.api(f"/courses/{COURSE}/assignments/{name}", self.source.read_bytes())
        return name


def _fetch(url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(  # noqa: S310  our own server
        url,
        data=body,
        method="GET" if body is None else "PUT",
        headers={"Authorization": f"token {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  our own server
        answer: bytes = response.read()
        return answer


def _environment(home: Path) -> dict[str, str]:
    """A Jupyter of its own, with the front end that was built in this tree."""
    extensions = home / "share" / "labextensions"
    extensions.mkdir(parents=True)
    (extensions / "jupyter-ppo").symlink_to(ROOT / "jupyter_ppo" / "labextension")
    (home / "work").mkdir()
    # No question about news over the page, and nothing asked of the network.
    notification = home / "settings" / "@jupyterlab" / "apputils-extension"
    notification.mkdir(parents=True)
    (notification / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "HOME": str(home),
        "PATH": os.pathsep.join(paths),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_PATH": str(home / "share"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }


def _ppo(environment: dict[str, str], home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "jupyter_ppo.cli", *words]
    command.append(f"--PPOService.data_dir={home / 'course'}")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _start(environment: dict[str, str], home: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={home / 'work'}",
        "--ServerApp.allow_root=True",
        '--ServerApp.jpserver_extensions={"jupyter_ppo": True}',
        # Each page would ask whether JupyterLab has to be built, which takes the server a second.
        '--ServerApp.tornado_settings={"page_config_data": {"buildCheck": False}}',
        f"--PPOService.data_dir={home / 'course'}",
    ]
    with (home / "jupyter.log").open("ab") as log:
        return subprocess.Popen(
            command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True
        )


def _address(server: subprocess.Popen[bytes], home: Path) -> str | None:
    """The server's own word for where it listens, once its course service answers."""
    record = home / "runtime" / f"jpserver-{server.pid}.json"
    try:
        url: str = json.loads(record.read_text())["url"]
        _fetch(f"{url}jupyter-ppo/api/v1/me")
    except urllib.error.HTTPError as error:  # it listens, but is not ready
        error.close()
        return None
    except (OSError, ValueError, KeyError):
        return None
    return url


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a course whose first assignment is released through the command line.

    To be copied: three commands take longer than the start of a server.
    """
    home = tmp_path_factory.mktemp("released")
    environment = _environment(home)
    _ppo(environment, home, "course", "create", COURSE, "--title", "PPO, a first course")
    _ppo(environment, home, "release", COURSE, ASSIGNMENT, str(SOURCE))
    _ppo(environment, home, "preferences", "set", "tour", "done")  # no offer over the page
    return home / "course"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, released: Path) -> Iterator[Lab]:
    """JupyterLab with a course of its own, in which one assignment is released."""
    assert (ROOT / "jupyter_ppo" / "labextension" / "package.json").is_file(), (
        "The front end is not built; run jlpm build in labextension/."
    )
    home = tmp_path_factory.mktemp("lab")
    environment = _environment(home)
    shutil.copytree(released, home / "course")
    lab = Lab(home, environment, SOURCE, _start(environment, home))
    try:
        lab.wait_until_ready()
        yield lab
    finally:
        _end(lab.server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium.

    Closed after each module: while it is open its event loop runs in this thread, and other
    modules' tests run loops of their own.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS, timeout=120_000
        )
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 900},
        reduced_motion="reduce",
        locale="en-GB",
        color_scheme="null",
    )
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, lab: Lab) -> Page:
    """JupyterLab in a fresh workspace; what its console says is printed when the test fails."""
    page = context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            print(f"console: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: print(f"page error: {error}"))
    page.goto(f"{lab.url}lab?token={TOKEN}&reset", wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=120_000)
    page.evaluate("() => window.jupyterapp.restored")
    page.locator(".jp-Launcher").wait_for(timeout=120_000)
    return page
