"""Shared by all rooms: every test has Jupyter folders of its own, never the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples at every run: a rare failure belongs to a search, not to someone's change.
# HYPOTHESIS_PROFILE=default searches anew.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was run again, and why: a rerun that passes hides nothing."""
    for report in terminalreporter.stats.get("rerun", []):
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = str(crash.message if crash else report.longrepr).strip().split("\n", 1)[0]
        terminalreporter.write_line(f"RERUN {report.nodeid} - {report.when}: {reason[:300]}")


@pytest.fixture(autouse=True, scope="session")
def no_folders_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep fixtures that live longer than a test out of the user's folders, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("session") / "data"))
        yield


@pytest.fixture(autouse=True)
def own_jupyter_folders(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Point Jupyter's user folders into a temporary one."""
    folder = tmp_path_factory.mktemp("jupyter")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with all tables and nothing in them, to be copied.

    Going through every migration takes ten times as long as a copy.
    """
    from jupyter_ppo.storage.database import open_database, sqlite_url

    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    open_database(sqlite_url(path)).close()
    return path
