"""How long the gradebook takes: a class of 1,200, 12 assignments, 3 attempts each, over HTTP.

``python benchmarks/gradebook.py [folder]`` fills a database, starts a Jupyter server with the
extension in a process of its own, and measures each request from here, one after another.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from jupyter_ppo.domain.courses import CellKind, Exercise, Role
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database, sqlite_url
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    ExerciseGradeRow,
    GradeRow,
    MembershipRow,
    SubmissionRow,
)

STUDENTS, ASSIGNMENTS, ATTEMPTS, EXERCISES = 1200, 12, 3, 5
REPEATS = 30
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def fill(folder: Path) -> None:
    """Write the class; what counts is settled as the service does it."""
    blobs = FileBlobs(folder / "blobs")
    digest = blobs.put(b"{}")
    database = open_database(sqlite_url(folder / "jupyter_ppo.sqlite"))
    courses = Courses(database)
    course = courses.create_course("rl", "Reinforcement Learning")
    exercises = [Exercise(f"task{n}", CellKind.TESTS, 2.0, n) for n in range(EXERCISES)]
    users = [f"student{n:04}" for n in range(STUDENTS)]
    with database.begin() as session:
        rows = [
            {
                "course_id": course.id,
                "user": user,
                "role": Role.STUDENT,
                "first_name": f"Zoë {n % 40}",
                "last_name": f"Müller {n % 97}",
            }
            for n, user in enumerate(users)
        ]
        session.execute(insert(MembershipRow), rows)
    for number in range(ASSIGNMENTS):
        made = courses.release(
            course.id,
            f"ps{number:02}",
            source_digest=digest,
            release_digest=digest,
            exercises=exercises,
        )
        submissions, grades, parts = [], [], []
        for place, user in enumerate(users):
            for attempt in range(1, ATTEMPTS + 1):
                submission = new_id()
                submissions.append(
                    {
                        "id": submission,
                        "assignment_id": made.id,
                        "version_id": made.version.id,
                        "submitted_version_id": made.version.id,
                        "user": user,
                        "attempt": attempt,
                        "digest": digest,
                        "state": SubmissionState.GRADED,
                        "submitted_at": BEGIN + timedelta(minutes=place + attempt),
                        "warnings": [],
                    }
                )
                points = [float((place + n + attempt) % 5) / 2 for n in range(EXERCISES)]
                grades.append(
                    {
                        "submission_id": submission,
                        "points": sum(points),
                        "max_points": 2.0 * EXERCISES,
                        "needs_review": place % 7 == 0,
                        "version_id": made.version.id,
                        "verdict": Verdict.RAN,
                        "detail": "",
                        "feedback_digest": digest,
                        "graded_at": BEGIN,
                        "wall_seconds": 1.0,
                    }
                )
                parts += [
                    {
                        "submission_id": submission,
                        "grade_id": f"task{n}",
                        "position": n,
                        "points": points[n],
                        "max_points": 2.0,
                        "needs_review": False,
                        "reason": "Tests.",
                        "is_sealed": True,
                        "checks": [],
                        "records": [],
                    }
                    for n in range(EXERCISES)
                ]
        with database.begin() as session:
            session.execute(insert(SubmissionRow), submissions)
            session.execute(insert(GradeRow), grades)
            session.execute(insert(ExerciseGradeRow), parts)
            settle(session, made.id)
    database.close()


class Server:
    """A Jupyter server with the extension on a folder of data."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._token = secrets.token_hex()
        settings = {
            "ServerApp.port": self._port,
            "ServerApp.root_dir": str(folder),
            "IdentityProvider.token": self._token,
            "PPOService.data_dir": str(folder),
            "PPOService.grading_workers": 0,
            "PPOService.warm_kernels": 0,
            "PPOService.warm_heavy_kernels": 0,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_server",
                "--no-browser",
                "--allow-root",
                "--ServerApp.jpserver_extensions=jupyter_ppo=True",
                *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")},
        )

    def get(self, path: str, **query: Any) -> bytes:
        """Return the answer's body."""
        return self.send("GET", f"{path}?{urllib.parse.urlencode(query)}")

    def send(self, method: str, path: str, data: bytes | None = None) -> bytes:
        """Send a request with a body; return the answer's."""
        url = f"http://127.0.0.1:{self._port}/jupyter-ppo/api/v1{path}"
        headers = {"Authorization": f"token {self._token}"}
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 120
        while True:
            try:
                self.get("/health")
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    sys.exit("The server did not start.")
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


REQUESTS: dict[str, dict[str, Any]] = {
    "page of 50, by user": {"limit": 50},
    "page of 50, in the middle": {"limit": 50, "offset": 600},
    "page of 200": {"limit": 200},
    "page of 50, by total": {"limit": 50, "sort": "total", "order": "desc"},
    "page of 50, by name": {"limit": 50, "sort": "name"},
    "page of 50, by one assignment": {"limit": 50, "sort": "ps05"},
    "page of 50, search": {"limit": 50, "search": "muller 12"},
    "page of 50, needs review": {"limit": 50, "state": "needs_review"},
    "exercises of one assignment": {"limit": 50, "assignment": "ps05"},
    "exercises, by one of them": {"limit": 50, "assignment": "ps05", "sort": "task3"},
    "CSV of all 1,200": {"format": "csv"},
}


def measure(server: Server) -> None:
    """Print the median, the 95th percentile and the most of each request, in milliseconds."""
    print(f"| request | bytes | median ms | p95 ms | most ms |\n|{' --- |' * 5}")
    for name, query in REQUESTS.items():
        size = len(server.get("/courses/rl/gradebook", **query))
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            server.get("/courses/rl/gradebook", **query)
            times.append(1000 * (time.perf_counter() - began))
        times.sort()
        numbers = (statistics.median(times), times[int(0.95 * REPEATS)], times[-1])
        print(f"| {name} | {size:,} | " + " | ".join(f"{value:.0f}" for value in numbers) + " |")
    found = json.loads(server.get("/courses/rl/gradebook", limit=1))
    if (found["total"], len(found["columns"])) != (STUDENTS, ASSIGNMENTS):
        sys.exit("The gradebook does not hold the class.")


def with_server(work: Callable[[Server], None]) -> None:
    """Fill a folder (the first argument; else one for the moment), and work with a server on it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        if not (folder / "jupyter_ppo.sqlite").exists():
            began = time.perf_counter()
            fill(folder)
            print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        server = Server(folder)
        try:
            server.wait()
            work(server)
        finally:
            server.stop()


if __name__ == "__main__":
    with_server(measure)
