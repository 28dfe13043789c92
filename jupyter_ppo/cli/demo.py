"""``jupyter ppo demo``: a course on this machine, with JupyterLab open on it.

Once JupyterLab is open, a class of simulated students hands in its work, and the server grades it
in the background. With ``--check`` nobody is needed: the check plays the student through the
server's own REST API, has a few of the class graded, prints the grade tables, and fails when
anything is left running.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.course_files import FIRST_ASSIGNMENT, course_notebook
from jupyter_ppo.cli.demo_activity import report_activity, set_next_due
from jupyter_ppo.cli.demo_check import check, check_nothing_left, wait_for_server
from jupyter_ppo.cli.demo_class import CHECKED, CLASS, HAND_INS, LOOP
from jupyter_ppo.cli.demo_class_check import check_class
from jupyter_ppo.cli.demo_hand_in import enrol, hand_in, release_chapters
from jupyter_ppo.domain.errors import ConflictError, PPOError, UnavailableError

COURSE = "ppo"
TITLE = "Proximal Policy Optimization"
#: How long the server may take to give back its work and end.
_END_SECONDS = 20


def add_commands(commands: Commands) -> None:
    """Add this module's command to the parser."""
    demo = commands.add_parser("demo", help="set up a course here and open JupyterLab on it")
    demo.add_argument("--root", default=".demo", help="folder for the course, its data and work")
    demo.add_argument("--port", type=int, default=0, help="default: any free port")
    demo.add_argument("--ip", default="127.0.0.1", help="address to listen on")
    demo.add_argument(
        "--check", action="store_true", help="play the student, print the grade table and end"
    )
    demo.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace, context: Context) -> int:
    root = Path(arguments.root).absolute()
    if arguments.check:
        shutil.rmtree(root / "check", ignore_errors=True)
        root = root / "check"
    work, data = root / "work", root / "data"
    work.mkdir(parents=True, exist_ok=True)
    context.settings.data_dir = str(data)
    with _alone(root):
        return _run(arguments, context, root)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the demo folder; raise ``ConflictError`` when another demo runs in it."""
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"A demo runs in {root} already. Use it, end it, or give another --root."
            raise ConflictError(msg, field="root") from error
        yield


def _run(arguments: argparse.Namespace, context: Context, root: Path) -> int:
    work, data = root / "work", root / "data"
    _set_up(context, work)
    sandbox = context.service.sandbox.status()
    if not sandbox.available:
        notice = f"grading is unavailable: {sandbox.problem} {sandbox.remedy or ''}".rstrip()
        if arguments.check:
            raise UnavailableError(notice)
        print(notice, file=sys.stderr)
    _quiet_lab(root)
    token = secrets.token_hex(24)
    environment = _environment(root, token)
    with (root / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            _server_command(work, data, arguments.ip, arguments.port),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = wait_for_server(server, Path(environment["JUPYTER_RUNTIME_DIR"]))
            if arguments.check:
                _check(context, url, work, environment)
                return 0
            print(f"JupyterLab: {url}lab/tree/{FIRST_ASSIGNMENT}.ipynb?token={token}", flush=True)
            print(f"(log: {root / 'jupyter.log'}; end with Ctrl-C)", file=sys.stderr, flush=True)
            _bring_class(context)
            return server.wait()
        finally:
            _end(server)
            if arguments.check:
                check_nothing_left(server.pid, root)


def _set_up(context: Context, work: Path) -> None:
    """Create the course, release its assignment, and put the students' copy into ``work``."""
    assessment, caller = context.service.assessment, context.caller
    try:
        assessment.create_course(caller, COURSE, TITLE)
    except ConflictError:
        print(f"going on with the course in {context.settings.data_dir}", file=sys.stderr)
    else:
        source = course_notebook(FIRST_ASSIGNMENT).read_bytes()
        assessment.release(caller, COURSE, FIRST_ASSIGNMENT, source)
    notebook = work / f"{FIRST_ASSIGNMENT}.ipynb"
    if not notebook.exists():  # never over a student's work
        notebook.write_bytes(assessment.released_notebook(caller, COURSE, FIRST_ASSIGNMENT))


def _bring_class(context: Context) -> None:
    """Release the chapters and hand in for the class; the demo goes on without them if need be."""
    try:
        release_chapters(context, COURSE)
        enrol(context, COURSE)
        done = hand_in(context, COURSE)
        set_next_due(context, COURSE)
        report_activity(context, COURSE)
    except PPOError as error:
        print(f"the demo's class is not complete: {error}", file=sys.stderr)
        return
    if done:
        print(
            f"{len(CLASS)} simulated students handed in {done} notebooks, which are graded now: "
            "see PPO Instructor in JupyterLab",
            file=sys.stderr,
        )


def _check(context: Context, url: str, work: Path, environment: dict[str, str]) -> None:
    """Let a few of the class be graded while the check plays the student; check both."""
    few = [each for each in HAND_INS if each.chapter == LOOP and each.user in CHECKED]
    release_chapters(context, COURSE, [LOOP])
    enrol(context, COURSE, [person for person in CLASS if person.user in CHECKED])
    hand_in(context, COURSE, few)
    check(url, course=COURSE, work=work, environment=environment)
    check_class(context, COURSE, few)


def _quiet_lab(root: Path) -> None:
    """Hide what a newcomer would trip over: nbgrader's own panels and the question about news."""
    for path, content in (
        (
            root / "jupyter" / "config" / "labconfig" / "page_config.json",
            {"disabledExtensions": {"@jupyter/nbgrader": True}},
        ),
        (
            root
            / "jupyter"
            / "lab"
            / "settings"
            / "@jupyterlab"
            / "apputils-extension"
            / "notification.jupyterlab-settings",
            {"fetchNews": "false", "checkForUpdates": False},
        ),
    ):
        if not path.exists():  # the person may have changed it since
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")


def _server_command(work: Path, data: Path, ip: str, port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.ip={ip}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={work}",
        "--ServerApp.allow_root=True",
        f"--PPOService.data_dir={data}",
    ]


def _environment(root: Path, token: str) -> dict[str, str]:
    """A Jupyter of its own, so that the demo neither reads nor changes the user's settings."""
    return {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(root / "jupyter" / "config"),
        "JUPYTER_RUNTIME_DIR": str(root / "jupyter" / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(root / "jupyter" / "lab" / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / "jupyter" / "lab" / "workspaces"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server as an administrator would; by force only when it does not listen."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
