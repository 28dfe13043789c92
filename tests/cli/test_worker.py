"""A process that only works: it grades what a service without an engine took, and lets go."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.cli.demo_check import wait_for_server
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.wiring import PPOService

NOWHERE = "unix:///nowhere/engine.sock"
TOKEN = "for-this-test-only"
SECONDS = 100.0
#: What the help promises: the drain, and half a minute for work that must be broken off.
HAND_OVER_SECONDS = 40.0


def wait_for(found: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < end, f"{what} within {SECONDS:.0f} s"
        time.sleep(0.1)
    return value


class Worker:
    """A worker in a process of its own, with its log."""

    def __init__(self, log: Path, words: list[str], environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_ppo.cli", "worker", *words],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
            )

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def says(self, words: str) -> None:
        def is_said() -> bool:
            said = words in self.text
            assert said or self.process.poll() is None, self.text
            return said

        wait_for(is_said, f"the worker says {words!r}: {self.log}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(HAND_OVER_SECONDS)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    with contextlib.ExitStack() as stack:

        def start(*words: str, engine: str | None = None) -> Worker:
            log = tmp_path / f"worker-{time.monotonic_ns()}.log"
            settings = [f"--PPOService.data_dir={tmp_path / 'data'}", "--PPOService.owner=ada"]
            kept = ["--PPOService.warm_kernels=0", "--PPOService.warm_heavy_kernels=0"]
            where = {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_NO_CONFIG": "1"}
            if engine is not None:
                where["DOCKER_HOST"] = engine
            worker = Worker(log, [*words, *settings, *kept], where)
            stack.callback(worker.process.wait)
            stack.callback(worker.process.kill)
            return worker

        yield start


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "grading", "--PPOService.grading_workers=0"], "grading_workers: it is 0"),
        (["--only", "training", "--PPOService.training_workers=0"], "training_workers: it is 0"),
        (["--only", "webhooks", "--PPOService.webhook_senders=0"], "webhook_senders: it is 0"),
        (["--only", "drafts"], "llm_provider: no language model"),
        (["--config", "missing.py"], "There is no file 'missing.py'"),
        (["--PPOService.training_place=process"], 'Use "container"'),
    ],
)
def test_what_it_cannot_do_is_said_with_a_remedy_and_a_status(
    cli: Any, words: list[str], message: str
) -> None:
    status, _, err = cli("worker", "--check", *words)
    assert (status, message in err) == (1, True), err


def test_a_part_that_there_is_not_is_refused_with_the_names(cli: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        cli("worker", "--only", "grading,cooking")
    assert ended.value.code == 2


def test_a_config_file_with_a_mistake_is_not_passed_over(cli: Any) -> None:
    # Else it would work on the default database and nobody would notice.
    path = cli.home / "service_config.py"
    path.write_text("c = get_config()\nc.PPOService.grading_workers = 1 +\n")
    status, _, err = cli("worker", "--check", "--config", str(path))
    assert (status, "config: " in err) == (1, True), err


def test_it_reads_the_file_that_the_service_reads(cli: Any) -> None:
    path = cli.home / "service_config.py"
    path.write_text("c = get_config()\nc.PPOService.grading_workers = 0\n")
    status, _, err = cli("worker", "--check", "--config", str(path), "--only", "grading")
    assert (status, "grading_workers: it is 0" in err) == (1, True), err
    status, _, err = cli("worker", "--check", "--config", str(path), "--only", "daily")
    assert (status, "does: daily" in err) == (0, True), err


def test_without_an_engine_it_says_so_goes_on_and_ends_with_0(
    start: Callable[..., Worker], tmp_path: Path
) -> None:
    heartbeat = tmp_path / "alive"
    worker = start("--heartbeat", str(heartbeat), engine=NOWHERE)
    wait_for(heartbeat.exists, "a heartbeat")
    assert "the SQLite file" in worker.text
    assert "WARNING engine: " in worker.text
    assert worker.end() == 0
    assert "everything is handed over" in worker.text


def test_the_check_fails_without_an_engine_where_one_is_needed(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    assert cli("worker", "--check")[0] == 1
    assert cli("worker", "--check", "--only", "daily")[0] == 0


def test_a_second_signal_ends_it_at_once(cli: Any) -> None:
    script = (
        "import os, signal, sys, time\n"
        "from jupyter_ppo.cli import main\n"
        "from jupyter_ppo.wiring import Service\n"
        "def stop(self):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
        "Service.stop = stop\n"
        "Service.start_work = lambda self, parts: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    words = ["worker", "--only", "daily", *cli.settings]
    ended = subprocess.run([sys.executable, "-c", script, *words], timeout=50, check=False)
    assert ended.returncode == 128 + signal.SIGTERM


class Server:
    """A server that only answers: no workers, and no engine that it could use."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self._base = f"{url}jupyter-ppo/api/v1"

    def fetch(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self._base + path, data=body, headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return json.load(response)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    runtime = tmp_path / "runtime"
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.port=0", "--allow-root"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_ppo': True}", "--no-browser"]
    command += [f"--PPOService.data_dir={tmp_path / 'data'}", "--PPOService.owner=ada"]
    command += ["--PPOService.grading_workers=0", "--PPOService.training_workers=0"]
    command += [f"--PPOService.warm_{kind}=0" for kind in ("programs", "kernels", "heavy_kernels")]
    environment = {**os.environ, "JUPYTER_TOKEN": TOKEN, "JUPYTER_RUNTIME_DIR": str(runtime)}
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--ServerApp.root_dir={tmp_path}"],
            env={**environment, "DOCKER_HOST": NOWHERE},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
        )
        try:
            yield Server(process, wait_for_server(process, runtime))
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def course(tmp_path: Path, cli: Any, right: str) -> Path:
    ada = Caller("ada", admin=True)
    service = PPOService(data_dir=str(tmp_path / "data"), owner="ada").build()
    service.assessment.create_course(ada, "rl")
    source = Path(cli.write("source.ipynb", right)).read_bytes()
    service.assessment.release(ada, "rl", "ps1", source)
    service.close()
    return tmp_path


@pytest.mark.docker
@pytest.mark.image
@pytest.mark.timeout(300)
def test_workers_grade_for_a_service_without_an_engine_and_one_takes_what_another_lets_go(
    course: Path,
    server: Server,
    cli: Any,
    answer_of: Callable[[str], str],
    start: Callable[..., Worker],
) -> None:
    health = server.fetch("/health")
    assert (health["status"], health["grading"]) == ("ok", "elsewhere")
    sandbox = server.fetch("/me")["sandbox"]
    assert (sandbox["available"], sandbox["grading"]) == (False, "elsewhere")

    slow = "import time\n    time.sleep(4)\n    return x * x"
    answer = Path(cli.write("answer.ipynb", answer_of(slow))).read_bytes()
    received = server.fetch("/courses/rl/assignments/ps1/submissions", answer)
    path = f"/submissions/{received['id']}"
    assert server.fetch(path)["state"] == "queued"

    only = ["--only", "grading", "--PPOService.drain_seconds=0"]
    first = start(*only)
    first.says(f"begins: submission {received['id']}, try 1")
    wait_for(lambda: server.fetch(path)["state"] == "grading", "it is being graded")
    assert first.end() == 0
    assert "goes back to the queue" in first.text
    assert server.fetch(path)["state"] == "queued"

    second = start(*only)
    wait_for(lambda: server.fetch(path)["state"] == "graded", "the second worker grades it")
    assert server.fetch(path)["points"] == 2
    second.says("is graded")
    assert second.end(signal.SIGINT) == 0
