"""Runs the whole service with every way out watched; started by ``test_nothing_is_sent.py``."""

from __future__ import annotations

import copy
import io
import socket
import sys
import time
import zipfile
from datetime import UTC, datetime
from typing import Any

LOOPBACK = {"localhost", "127.0.0.1", "::1", None, ""}
tried: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection, datagram and look-up of a name but those of this machine."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else a socket of the system
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"}:
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        tried.append(f"{event} {name}")
        msg = f"{event}: {name}"
        raise ConnectionRefusedError(msg)


sys.addaudithook(watch)  # before anything of ours is imported

import nbformat  # noqa: E402
from nbformat.v4 import new_code_cell, new_notebook  # noqa: E402

import jupyter_ppo.web.urls  # noqa: E402, F401
from jupyter_ppo.domain.access import Caller  # noqa: E402
from jupyter_ppo.domain.achievement_rules import rules_from  # noqa: E402
from jupyter_ppo.domain.courses import Role  # noqa: E402
from jupyter_ppo.domain.exam import CheckRun, CheckState  # noqa: E402
from jupyter_ppo.domain.progress_events import EventKind, NewEvent  # noqa: E402
from jupyter_ppo.domain.sandbox import (  # noqa: E402
    CellRun,
    NotebookRun,
    SandboxStatus,
    Verdict,
)
from jupyter_ppo.wiring import PPOService  # noqa: E402

RULES = [
    {
        "id": "first",
        "version": 1,
        "title": "First",
        "description": "The first test passes.",
        "criteria": [{"kind": "checks", "data": {"assignment": "ps1", "grade_ids": ["t"]}}],
    }
]
ADMIN, SAM = Caller("ada", admin=True), Caller("sam")


class PassingSandbox:
    """Answers as containers in which no cell failed; runs nothing."""

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "none", "none", None, None)

    async def run(self, notebook: dict[str, Any], limits: Any, exam: Any = None) -> NotebookRun:
        cells = notebook["cells"]
        code = [i for i, cell in enumerate(cells) if cell["cell_type"] == "code"]
        ran = tuple(CellRun(i, finished=True, seconds=0.0) for i in code)
        tests = exam.tests if exam else ()
        checks = tuple(CheckRun(index, CheckState.PASSED) for index in sorted(tests))
        return NotebookRun(copy.deepcopy(notebook), Verdict.RAN, "", ran, 0.0, checks=checks)


def notebook() -> bytes:
    cell = {"grade": True, "solution": False, "locked": True, "schema_version": 3, "points": 1}
    tests = new_code_cell("assert True", id="t", metadata={"nbgrader": cell | {"grade_id": "t"}})
    return nbformat.writes(new_notebook(cells=[tests])).encode()


def main(folder: str) -> None:
    service = PPOService(
        data_dir=folder,
        identity="provider",
        sandbox_class=PassingSandbox,
        warm_programs=0,
        warm_kernels=0,
        warm_heavy_kernels=0,
        training_workers=0,
    ).build()
    cases = service.use_cases
    service.start()
    try:
        cases.assessment.create_course(ADMIN, "rl")
        cases.assessment.release(ADMIN, "rl", "ps1", notebook())
        cases.roster.put_member(ADMIN, "rl", "sam", Role.STUDENT)
        handed_in = cases.assessment.submit(SAM, "rl", "ps1", notebook())
        deadline = time.monotonic() + 60
        while cases.assessment.submission(SAM, handed_in.id).points is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        now = datetime.now(UTC)
        opened = NewEvent("key", EventKind.OPENED, "ps1", now, {})
        (receipt,) = cases.progress.report(SAM, "rl", [opened])
        assert receipt.receipt == "accepted"
        progress = cases.progress.mine(SAM, "rl")
        assert progress.points == 1.0, progress
        cases.achievements.set_rules(ADMIN, "rl", rules_from(RULES))
        (item,) = cases.achievements.own(SAM, "rl").items
        assert item.award is not None
        assert cases.credentials.credential(SAM, item.award.id)
        cases.preferences.patch(SAM, {"mode": "expert"})
        exported = zipfile.ZipFile(io.BytesIO(b"".join(cases.privacy.my_data(SAM))))
        assert "progress_events.jsonl" in exported.namelist()
        cases.privacy.clean_up()
        assert cases.privacy.erase(ADMIN, "sam", "sam").stand_in
    finally:
        service.stop()
    assert tried == [], tried
    for way_out in (
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
        lambda: socket.getaddrinfo("host.example", 80),
    ):
        try:
            way_out()
        except ConnectionRefusedError:
            continue
        msg = "the watch sees nothing"
        raise AssertionError(msg)
    print("nothing was sent")


if __name__ == "__main__":
    main(sys.argv[1])
