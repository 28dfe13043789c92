"""Shared by all rooms: every test has Jupyter folders of its own, never the user's."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

# Any room may talk to the server that plays language models: ``from llm_server import Behaviour``.
sys.path.insert(0, str(Path(__file__).parent / "tutor"))
# And to a PostgreSQL of its own: ``from postgresql_server import PostgresqlServer``.
sys.path.insert(0, str(Path(__file__).parent / "postgresql"))
# And to servers that take webhooks: ``from webhook_receiver import receiving``.
sys.path.insert(0, str(Path(__file__).parent / "receivers"))
if TYPE_CHECKING:
    from llm_server import LlmServer
    from postgresql_server import Databases, PostgresqlServer
    from sqlalchemy import Engine

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


@pytest.fixture(scope="session")
def jupyter_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make new folders, one after the other.

    mktemp() reads the names of all that it made before, each time: 10 ms after 10,000 tests.
    """
    base = tmp_path_factory.mktemp("jupyter")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_jupyter_folders(jupyter_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point Jupyter's user folders into a temporary one."""
    folder = next(jupyter_folders)
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with all tables and nothing in them, to be copied."""
    from jupyter_ppo.storage.database import open_database, sqlite_url

    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    open_database(sqlite_url(path)).close()
    return path


@pytest.fixture(autouse=True, scope="session")
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a new SQLite file begin as a copy of one that went through every migration.

    That takes 40 times as long as the copy. tests/storage/test_database.py has the real way, and
    so has every other process.
    """
    from jupyter_ppo.storage import database
    from jupyter_ppo.storage.upgrade import MIGRATIONS, upgrade

    template = tmp_path_factory.mktemp("migrated") / "migrated.sqlite"
    lock = threading.RLock()

    def begin_with_copy(engine: Engine, migrations: Path) -> None:
        path = Path(str(engine.url.database))
        is_new = engine.dialect.name == "sqlite" and not path.exists() and path != template
        if is_new and migrations == MIGRATIONS:
            with lock:
                if not template.exists():
                    database.open_database(database.sqlite_url(template)).close()
            with contextlib.suppress(OSError):  # upgrade() says what is wrong
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                part = path.with_name(f"{path.name}.{threading.get_ident()}.copy")
                try:
                    shutil.copyfile(template, part)
                    os.link(part, path)  # whole at once, and never over another one's
                finally:
                    part.unlink(missing_ok=True)
        upgrade(engine, migrations)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "upgrade", begin_with_copy)
        yield


@pytest.fixture(autouse=True, scope="session")
def statements_compiled_once() -> Iterator[None]:
    """Let all databases of a run that are of one kind share what SQLAlchemy compiled.

    Each engine has a cache of its own, so every test would compile all its statements again, which
    takes longer than to run them. What is sent to the database is the same.
    """
    import sqlalchemy

    from jupyter_ppo.storage import database

    first: dict[str, sqlalchemy.Engine] = {}

    def create_engine(url: sqlalchemy.URL, **options: Any) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(url, **{**options, "query_cache_size": 2000})
        name = engine.dialect.name
        if name not in first:
            # One that nobody listens to; its dialect learns the database's version.
            same = "sqlite://" if name == "sqlite" else url
            first[name] = sqlalchemy.create_engine(same, query_cache_size=2000)
            try:
                first[name].connect().close()
            except sqlalchemy.exc.DBAPIError:
                del first[name]
                return engine
            first[name].dispose()
        engine.dialect, engine._compiled_cache = first[name].dialect, first[name]._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", create_engine)
        yield


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Return a PostgreSQL server that lives as long as this run."""
    from postgresql_server import PostgresqlServer

    server = PostgresqlServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: PostgresqlServer) -> Iterator[Databases]:
    """Return databases on it with all tables and nothing in them."""
    from postgresql_server import ROLE, Databases

    from jupyter_ppo.storage.database import open_database

    postgresql_server.administer(f"CREATE DATABASE migrated OWNER {ROLE}")
    open_database(postgresql_server.url("migrated")).close()
    databases = Databases(postgresql_server, "migrated")
    yield databases
    databases.close()


@pytest.fixture
def postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    """Return the address of an empty PostgreSQL database with all tables."""
    with postgresql_databases.one() as url:
        yield url


@pytest.fixture
def blank_postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    """Return the address of a PostgreSQL database without a table."""
    with postgresql_databases.blank() as url:
        yield url


@pytest.fixture
def llm_server() -> Iterator[LlmServer]:
    """Return a server that plays a language model, honestly unless a test says otherwise."""
    from llm_server import LlmServer

    with LlmServer() as server:
        yield server
