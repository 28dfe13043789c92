"""What ``jupyter ppo grade`` says about those that it could not grade."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Cli = Any

CONFIG = """
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxStatus, Verdict

class EchoSandbox:
    def status(self):
        return SandboxStatus(True, "echo", "echo", None, None)

    async def run(self, notebook, limits, exam=None):
        return NotebookRun(notebook, Verdict.RAN, "", (), 0.1)

c = get_config()
c.PPOService.sandbox_class = EchoSandbox
"""


@pytest.fixture
def echoing(released: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line with a sandbox that returns every notebook as it came."""
    folder = released.home / "config"
    folder.mkdir(exist_ok=True)
    (folder / "jupyter_server_config.py").write_text(CONFIG, encoding="utf-8")
    monkeypatch.delenv("JUPYTER_NO_CONFIG")
    return released


def test_those_that_failed_are_not_counted_as_graded(echoing: Cli, right: str) -> None:
    echoing.write("course/bob/ps1/x.ipynb", right)
    bad = Path(echoing.write("course/eve/ps1/x.ipynb", "def square(x):\n    return 0"))
    before = _blobs(echoing)
    echoing.ok("collect", "rl", "ps1", str(bad.parents[2]))
    data = bad.read_bytes()
    (path,) = (each for each in _blobs(echoing) - before if each.read_bytes() == data)
    path.unlink()
    path.mkdir()
    status, out, err = echoing("grade", "rl")
    assert (status, out) == (1, "1 graded now; 1 of 2 in the table are graded, 1 failed\n")
    assert "eve ps1: The file with the digest" in err


def _blobs(cli: Cli) -> set[Path]:
    return {path for path in (cli.home / "data" / "blobs").rglob("*") if path.is_file()}
