"""The student in ``jupyter ppo demo --check``: answers, trains, submits, reads the grade."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from jupyter_ppo.cli.course_files import FIRST_ASSIGNMENT, reference_answers
from jupyter_ppo.domain.errors import CheckFailedError
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.owner import LABEL

_START_SECONDS = 120
_GRADE_SECONDS = 300
_API = "/jupyter-ppo/api/v1"
_WAIT = "run.wait(timeout=300)\nprint(run.state, len(run.metrics))"


def check(
    url: str,
    *,
    course: str,
    work: Path,
    environment: dict[str, str],
) -> None:
    """Play one student against the running server.

    Raises ``CheckFailedError`` with the step that failed.
    """
    api = _Api(url.rstrip("/") + _API, environment["JUPYTER_TOKEN"])
    released = api.get(f"/courses/{course}/assignments/{FIRST_ASSIGNMENT}/notebook")
    notebook = _answered(released)
    _run(notebook, work, environment)
    path = work / "answered.ipynb"
    nbformat.write(notebook, path)
    print("the student's notebook ran, and its training run finished")
    receipt = json.loads(
        api.post(f"/courses/{course}/assignments/{FIRST_ASSIGNMENT}/submissions", path.read_bytes())
    )
    print(f"submitted: attempt {receipt['attempt']}, id {receipt['id']}")
    _graded(api, receipt["id"])
    grade = _marked(api, receipt["id"])
    submission = json.loads(api.get(f"/submissions/{receipt['id']}"))
    page = api.get(f"/submissions/{receipt['id']}/feedback")
    print(_table(submission, grade))
    print(f"feedback page: {len(page)} bytes")
    if grade["points"] != grade["max_points"] or grade["needs_review"]:
        msg = (
            f"The reference solution scored {grade['points']:g} of {grade['max_points']:g} points."
        )
        raise CheckFailedError(msg)


class _Api:
    """The REST API with this server's token."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base
        self._headers = {"Authorization": f"token {token}"}

    def get(self, path: str) -> bytes:
        return self._fetch(path, None)

    def post(self, path: str, body: bytes) -> bytes:
        return self._fetch(path, body)

    def put(self, path: str, body: dict[str, Any]) -> bytes:
        return self._fetch(path, json.dumps(body).encode(), "PUT")

    def _fetch(self, path: str, body: bytes | None, method: str | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310  our own server
            self._base + path, data=body, headers=self._headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode("utf-8", "replace")
            msg = f"{path} answered {error.code}: {said}"
            raise CheckFailedError(msg) from error


def wait_for_server(server: subprocess.Popen[bytes], runtime: Path) -> str:
    """Return the address that the server chose, with a slash at its end, once it answers.

    A server writes its address into Jupyter's runtime folder. Raises ``CheckFailedError`` when it
    ends instead.
    """
    note, deadline = runtime / f"jpserver-{server.pid}.json", time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            url = str(json.loads(note.read_text(encoding="utf-8"))["url"])
            urllib.request.urlopen(url + _API.lstrip("/") + "/health", timeout=10).close()  # noqa: S310
            return url
        time.sleep(0.1)
    msg = "JupyterLab did not start; its log is jupyter.log in the demo folder."
    raise CheckFailedError(msg)


def _answered(released: bytes) -> Any:
    """Return the students' copy with the reference answers typed in."""
    notebook = nbformat.reads(released.decode("utf-8"), as_version=4)
    answers = reference_answers(FIRST_ASSIGNMENT)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]
    return notebook


def _run(notebook: Any, work: Path, environment: dict[str, str]) -> None:
    """Run the student's own notebook in the student's own kernel, to the end of its training."""
    notebook.cells.append(nbformat.v4.new_code_cell(_WAIT, id="wait-for-training"))
    client = NotebookClient(
        notebook, timeout=400, kernel_name="python3", resources={"metadata": {"path": str(work)}}
    )
    client.extra_arguments = ["--log-level=ERROR"]  # it warns of TCP, as every local kernel could
    client.execute(env=environment)
    last = notebook.cells.pop()
    said = "".join(output.get("text", "") for output in last.outputs)
    if not said.startswith("finished"):
        msg = f"The training run did not finish: {said.strip() or 'it said nothing'}."
        raise CheckFailedError(msg)


def _graded(api: _Api, submission_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + _GRADE_SECONDS
    while time.monotonic() < deadline:
        submission: dict[str, Any] = json.loads(api.get(f"/submissions/{submission_id}"))
        if submission["state"] == "graded":
            return submission
        if submission["state"] == "failed":
            msg = f"Grading failed: {submission['error']}"
            raise CheckFailedError(msg)
        time.sleep(0.2)
    msg = f"The submission was not graded within {_GRADE_SECONDS} seconds."
    raise CheckFailedError(msg)


def _marked(api: _Api, submission_id: str) -> dict[str, Any]:
    """Mark what waits for a person, as the instructor who wrote the answer; return the grade."""
    path = f"/submissions/{submission_id}"
    for row in json.loads(api.get(f"{path}/grade"))["exercises"]:
        if row["waits"]:
            mark = {"points": row["max_points"], "comment": "As in the solution.", "revision": 0}
            api.put(f"{path}/marks/{row['grade_id']}", mark)
            print(f"marked by hand: {row['grade_id']}")
    grade: dict[str, Any] = json.loads(api.get(f"{path}/grade"))
    return grade


def _table(submission: dict[str, Any], grade: dict[str, Any]) -> str:
    lines = [f"{'exercise':<32} {'points':>8}  reason"]
    for row in grade["exercises"]:
        points = f"{row['score']:g} / {row['max_points']:g}"
        lines.append(f"{row['grade_id']:<32} {points:>8}  {_why(row)}")
    lines.append(
        f"{submission['user']}: {grade['points']:g} / {grade['max_points']:g} points"
        + (", some wait for a person" if grade["needs_review"] else "")
    )
    return "\n".join(lines)


def _why(row: dict[str, Any]) -> str:
    return f"A person: {row['comment']}" if row["mark"] else str(row["reason"])


def check_nothing_left(server_pid: int, root: Path) -> None:
    """Raise ``CheckFailedError`` if a container or a process of the check lives on."""
    left = [f"process {pid}" for pid in _processes_of(root)]
    with Engine.connect() as engine:
        for container in engine.api.containers(all=True, filters={"label": LABEL}):
            if container["Labels"][LABEL].split(":")[-2] == str(server_pid):
                left.append(f"container {container['Names'][0]}")
    if left:
        msg = f"Left behind: {', '.join(left)}."
        raise CheckFailedError(msg)


def _processes_of(root: Path) -> list[str]:
    """Return the processes whose environment names the check's own Jupyter folders."""
    mark, found = str(root / "jupyter").encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # ended meanwhile, or another person's
            continue
        if mark in environment and entry.name != str(os.getpid()):
            found.append(entry.name)
    return found
