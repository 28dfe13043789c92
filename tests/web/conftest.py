"""A real server with the extension, real storage and grader, and six people in one course."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pytest
from jupyter_server.auth import IdentityProvider, User
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pytest_jupyter.jupyter_server import *  # noqa: F403 - fixtures and hooks of this folder
from tornado.httpclient import HTTPResponse
from traitlets import List, Unicode
from traitlets.config import Config

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.execution import Outcome, Program, ProgramRun, stopped_run
from jupyter_ppo.domain.sandbox import (
    CellRun,
    LimitHit,
    NotebookRun,
    PoolStatus,
    SandboxLimits,
    SandboxStatus,
    Verdict,
)
from jupyter_ppo.domain.training import (
    Command,
    Evaluation,
    EventKind,
    MetricPoint,
    RunCommand,
    RunState,
    RunStatus,
)
from jupyter_ppo.services.rate_limits import Limit
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import MetricWriter

sys.path.insert(0, str(Path(__file__).parent))
from forwarding_aid import make_forwarder, own, service  # noqa: F401 - fixtures

API = "jupyter-ppo/api/v1"
DEADLINE_SECONDS = 60

ADMIN, INSTRUCTOR, GRADER = "ada", "ines", "gil"
OWNER, OTHER, OUTSIDER = "sam", "sue", "oto"


class NamesAsTokens(IdentityProvider):
    """Signs in whoever sends a known name as the token."""

    people = List(Unicode()).tag(config=True)

    def get_user(self, handler: Any) -> User | None:
        name = handler.request.headers.get("Authorization", "").removeprefix("token ")
        if name not in self.people:
            return None
        handler._token_authenticated = True
        return User(username=name)


class PassingSandbox:
    """Answers as containers in which no cell and no test failed; runs nothing."""

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "test engine", "test image", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        ran = copy.deepcopy(notebook)
        code = [i for i, cell in enumerate(ran["cells"]) if cell["cell_type"] == "code"]
        cells = tuple(CellRun(i, finished=True, seconds=0.0) for i in code)
        tests = exam.tests if exam else ()
        checks = tuple(CheckRun(index, CheckState.PASSED) for index in sorted(tests))
        return NotebookRun(ran, Verdict.RAN, "", cells, 0.0, checks=checks)


class FakePrograms:
    """Does what the first line of the code says; runs nothing.

    ``wait`` waits for ``release``, ``fail`` and ``no engine`` are failures of the sandbox, the name
    of an outcome ends so, and anything else succeeds: it prints its limits, or its standard input
    in capitals, and a call returns its first argument.
    """

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.release = threading.Event()
        self.is_closed = False

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True
        self.release.set()

    def status(self) -> PoolStatus:
        return PoolStatus(1, 2)

    def run(
        self,
        programs: Sequence[Program],
        limits: SandboxLimits,
        seconds: float,
        stop: Ending | None = None,
    ) -> tuple[ProgramRun, ...]:
        return tuple(self._run(program, limits, seconds, stop or Ending()) for program in programs)

    def _run(
        self, program: Program, limits: SandboxLimits, seconds: float, stop: Ending
    ) -> ProgramRun:
        wish = program.code.partition("\n")[0]
        if wish == "wait":
            self.started.release()
            stop.on_end(self.release.set)
            assert self.release.wait(DEADLINE_SECONDS)
            if stop.is_ended:
                return stopped_run(0.5)
            if self.is_closed:
                msg = "The sandbox was closed at /secret."
                raise SandboxError(msg)
        if wish == "fail":
            msg = "It broke at /secret."
            raise SandboxError(msg)
        if wish == "no engine":
            msg = "No container engine answers. Start it."
            raise EngineUnavailableError(msg)
        if wish in set(Outcome) - {Outcome.SUCCEEDED}:
            hit = {"timeout": ("cell_seconds", seconds), "memory": ("memory_mb", limits.memory_mb)}
            limit = LimitHit(*hit[wish]) if wish in hit else None
            words = ("SomeError", "it said so", "Traceback ...")
            return ProgramRun(Outcome(wish), "part", "", 0.5, 12.5, *words, limit=limit)
        said = program.stdin.upper() or f"{seconds} s, {limits.memory_mb} MiB, {limits.pids} pids"
        names = dict(program.globals) if program.capture_locals else None
        value = program.call.args[0] if program.call else None
        has_value = program.call is not None
        done = Outcome.SUCCEEDED
        return ProgramRun(
            done, said, "", 0.25, 12.5, locals=names, value=value, has_value=has_value
        )


class FakeRun:
    """What a worker would write into its folder is written by whoever holds this."""

    def __init__(self, folder: Path, commands_from: int) -> None:
        self.files = RunDirectory(folder)
        self.spec = self.files.read_spec()
        self.step = 0
        self.is_placed = True
        self._metrics = MetricWriter(self.files.metrics_file)
        self._commands = LineReader(self.files.commands_file, commands_from)

    @property
    def is_alive(self) -> bool:
        if self.is_placed:
            self._obey()
        return self.is_placed

    cpu_seconds = 0.5

    def say(self, state: RunState, message: str = "") -> None:
        total = self.spec.planned_steps
        self.files.announce(RunStatus(state, self.step, 1.5, 1000.0, message, total))

    def measure(self, steps: Iterable[int], **values: float) -> None:
        for self.step in steps:
            self._metrics.add(MetricPoint(self.step, self.step / 1000, values))
        self._metrics.flush()

    def rewind(self, step: int) -> None:
        self._metrics.rewind(step)
        self.step = step

    def finish(self, state: RunState = RunState.FINISHED, message: str = "") -> None:
        self.files.append_evaluation(
            Evaluation(self.step, 1.5, 1_000_000, True, (500.0, 480.0), (500, 480))
        )
        parts = {"weights.pt": b"weights"}
        self.files.checkpoints().write(
            self.step, 1, parts, weights_sha256="0" * 64, is_exact=True, extra={}
        )
        self.files.model_file.write_bytes(b"PK model of " + self.files.path.name.encode())
        self.files.log_file.write_text("It said <b>this</b>.\n", encoding="utf-8")
        self.say(state, message)
        self.close()

    def end(self, seconds: float) -> None:
        if self.is_placed:
            self.finish(RunState.INTERRUPTED, "The server stops.")

    def close(self) -> None:
        self.is_placed = False
        self._metrics.close()

    def _obey(self) -> None:
        for data in self._commands.read():
            asked = RunCommand.from_dict(data)
            state = {"pause": RunState.PAUSED, "resume": RunState.RUNNING}.get(asked.command)
            if state is not None:
                self.say(state)
            if asked.command is Command.SET:
                values = asked.to_dict()["values"]
                self.files.note(EventKind.CHANGED, self.step, id=asked.id, **values)
            if asked.command is Command.STOP:
                self.finish(RunState.STOPPED, "It was stopped.")


class FakePlace:
    """Trains nothing: a run is over at once, but one with the tag "wait" is left to its test."""

    runs: ClassVar[dict[str, FakeRun]] = {}

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> FakeRun:
        run = self.runs[folder.name] = FakeRun(folder, commands_from)
        run.say(RunState.RUNNING)
        if "wait" not in run.files.read_labels()[1]:
            run.measure(range(100, 1100, 100), **{"return": 20.0, "length": 20.0})
            run.finish()
        return run

    def close(self) -> None:
        pass


class Api:
    """Speaks to the server as one of the people, or as nobody."""

    def __init__(self, fetch: Any) -> None:
        self._fetch = fetch

    async def __call__(
        self,
        user: str | None,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> HTTPResponse:
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        response: HTTPResponse = await self._fetch(
            f"{API}{path}",
            method=method,
            body=sent,
            params=params,
            headers={"Authorization": f"token {user}" if user else ""} | (headers or {}),
            raise_error=False,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            request_timeout=DEADLINE_SECONDS,
            **options,
        )
        return response

    async def ok(self, user: str, method: str, path: str, *args: Any, **options: Any) -> Any:
        response = await self(user, method, path, *args, **options)
        assert response.code in {200, 201, 202}, (method, path, response.code, response.body)
        return json.loads(response.body)

    async def graded(self, submission: str) -> dict[str, Any]:
        """Wait until the submission is graded, and return it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            found: dict[str, Any] = await self.ok(ADMIN, "GET", f"/submissions/{submission}")
            if found["state"] == "graded":
                return found
            assert found["state"] != "failed", found["error"]
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.02)

    async def course(self, source: bytes, name: str = "ppo") -> None:
        """Make a course with everyone in their role and one assignment, "one"."""
        await self.ok(ADMIN, "POST", "/courses", {"name": name, "title": "Learn PPO"})
        for user, role in (
            (INSTRUCTOR, "instructor"),
            (GRADER, "grader"),
            (OWNER, "student"),
            (OTHER, "student"),
        ):
            await self.ok(ADMIN, "PUT", f"/courses/{name}/members/{user}", {"role": role})
        await self.ok(INSTRUCTOR, "PUT", f"/courses/{name}/assignments/one", source)

    async def submit(self, notebook: bytes, user: str = OWNER) -> dict[str, Any]:
        """Hand in a notebook, and return the receipt."""
        path = "/courses/ppo/assignments/one/submissions"
        receipt: dict[str, Any] = await self.ok(user, "POST", path, notebook)
        return receipt


@pytest.fixture
def placed() -> dict[str, FakeRun]:
    """The runs that were placed, by id."""
    return FakePlace.runs


@pytest.fixture
def api(jp_fetch: Any) -> Api:
    return Api(jp_fetch)


@pytest.fixture
def sandbox_class() -> type:
    return PassingSandbox


@pytest.fixture
def server_settings() -> dict[str, Any]:
    """Settings of Jupyter Server that a test adds."""
    return {}


@pytest.fixture
def service_settings() -> dict[str, Any]:
    """Settings of the service that a test adds."""
    return {}


@pytest.fixture
def jp_server_config(
    tmp_path: Any,
    empty_database: Path,
    sandbox_class: type,
    server_settings: dict[str, Any],
    service_settings: dict[str, Any],
) -> Config:
    people = [ADMIN, INSTRUCTOR, GRADER, OWNER, OTHER, OUTSIDER]
    folder = tmp_path / "ppo"
    folder.mkdir(mode=0o700)
    shutil.copy(empty_database, folder / "jupyter_ppo.sqlite")
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_ppo": True, "jupyter_server_terminals": False},
                "identity_provider_class": NamesAsTokens,
                "allow_unauthenticated_access": False,
                "reraise_server_extension_failures": True,
                **server_settings,
            },
            "NamesAsTokens": {"people": people},
            "PPOService": {
                "data_dir": str(folder),
                "identity": "provider",
                "admins": [ADMIN],
                "sandbox_class": sandbox_class,
                "programs_class": FakePrograms,
                "training_place_class": FakePlace,
                "warm_kernels": 0,
                "warm_heavy_kernels": 0,
                # Hundreds of requests of one person within seconds.
                "rate_limits": dict.fromkeys(map(str, Limit), 0),
                **service_settings,
            },
        }
    )


def _graded(grade_id: str, **more: Any) -> dict[str, Any]:
    cell = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    return {"nbgrader": cell | {"grade_id": grade_id} | more}


@pytest.fixture
def source() -> bytes:
    """An author's notebook: a solution, its tests (2 points) and a free-text answer (3 points)."""
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[
            new_markdown_cell("# One", id="title"),
            new_code_cell(
                "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
                id="double",
                metadata=_graded("double", solution=True),
            ),
            new_code_cell(
                "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n"
                "### END HIDDEN TESTS",
                id="double-tests",
                metadata=_graded(
                    "double-tests", grade=True, locked=True, points=2, cell_type="code"
                ),
            ),
            new_markdown_cell(
                "Because.",
                id="why",
                metadata=_graded("why", grade=True, solution=True, points=3, cell_type="markdown"),
            ),
        ],
    )
    return nbformat.writes(notebook).encode()


@pytest.fixture
def answer(source: bytes) -> bytes:
    """A student's notebook with every cell in it."""
    return source
