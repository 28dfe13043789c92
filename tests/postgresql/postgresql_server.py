"""A PostgreSQL server of the tests' own, and databases on it that are quickly empty again.

It listens at a Unix socket in a temporary folder and nowhere else, and ends with this process,
however that ends. The package's role is no superuser, as it must not be in real life.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

#: Whom the package connects as, and who administers the server.
ROLE, ADMIN = "ppo", "postgres"

#: Beyond this many bytes a table is made small again when it is emptied.
_LARGE = 2**18
_START_SECONDS = 60.0
_PREFIX = "ppo-postgresql-"
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG

MISSING = (
    "The programs of PostgreSQL (initdb, postgres) are not on this machine, so its tests cannot "
    "run. Install them (sudo apt-get install postgresql), or leave these tests out with "
    "-m 'not postgresql'."
)


def programs() -> Path:
    """Return the folder of ``initdb`` and ``postgres``; raise ``FileNotFoundError`` without it."""
    candidates = [Path(found).parent for found in [shutil.which("initdb")] if found]
    if shutil.which("pg_config"):
        said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(said.stdout.strip()))
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(installed, key=lambda each: float(each.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError(MISSING)


class PostgresqlServer:
    """A running server; ``stop()`` ends it and removes what it wrote."""

    def __init__(self) -> None:
        self._programs = programs()
        _sweep()
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._user is not None:
                os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
            initdb = [self._programs / "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8"]
            done = subprocess.run(
                [*initdb, "--locale=C.UTF-8", f"--username={ADMIN}", self.folder / "data"],
                **self._as_user(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            self.start()
            self.administer(f"CREATE ROLE {ROLE} LOGIN")
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start it and wait until it answers. Call it from the main thread: it ends with that."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": "off",  # the machine does not lose power; the server may be killed
            "full_page_writes": "off",
            "autovacuum": "off",
            "jit": "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one C call, made ready before
                **self._as_user(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.administer("SELECT 1")
            except psycopg.OperationalError:
                log_text = (self.folder / "log").read_text(errors="replace")
                assert self._process.poll() is None, log_text
                assert time.monotonic() < deadline, log_text
                time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as ``pg_ctl stop -m immediate`` does: no transaction is finished."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGQUIT)
            process.wait(_START_SECONDS)

    def stop(self) -> None:
        """End it and remove its folder; nothing is kept, so nobody waits for it to tidy up."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, role: str = ROLE) -> str:
        """Return the address of a database on it."""
        query = {"host": str(self.folder)}
        address = URL.create("postgresql+psycopg", role, database=database, query=query)
        return address.render_as_string()

    def connect(self, database: str = ADMIN, role: str = ADMIN) -> psycopg.Connection[Any]:
        """Return a connection on which each statement is a transaction of its own."""
        return psycopg.connect(
            host=str(self.folder), dbname=database, user=role, autocommit=True, connect_timeout=30
        )

    def administer(self, statement: str) -> None:
        """Run a statement as the superuser."""
        with contextlib.closing(self.connect()) as connection:
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]

    def _as_user(self) -> dict[str, Any]:
        """Return who runs its programs: they refuse to be root."""
        if self._user is None:
            return {"cwd": self.folder}
        user, group = self._user.pw_uid, self._user.pw_gid
        return {"cwd": self.folder, "user": user, "group": group, "extra_groups": []}


class Databases:
    """Databases that went through every migration and are empty; they are used again and again."""

    def __init__(self, server: PostgresqlServer, template: str) -> None:
        self._server, self._template = server, template
        self._made, self._idle = 0, list[str]()
        self._admins: dict[str, psycopg.Connection[Any]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one(self) -> Iterator[str]:
        """Have the address of an empty database; it is emptied again in the end."""
        with self._lock:
            name = self._idle.pop() if self._idle else self._make(self._template)
        yield self._server.url(name)
        self._empty(name)
        with self._lock:
            self._idle.append(name)

    @contextlib.contextmanager
    def blank(self) -> Iterator[str]:
        """Have the address of a database without a table; it is dropped in the end."""
        with self._lock:
            name = self._make("template0")
        yield self._server.url(name)
        self._server.administer(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Close the connections that empty them."""
        for connection in self._admins.values():
            connection.close()

    def _make(self, template: str) -> str:
        self._made += 1
        name = f"test_{self._made}"
        self._server.administer(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")
        return name

    def _empty(self, name: str) -> None:
        """Delete every row, whatever refers to it, and count from 1 again."""
        admin = self._admins.get(name)
        if admin is None or admin.closed or admin.broken:
            admin = self._admins[name] = self._server.connect(name)
            admin.execute("SET session_replication_role = replica")  # no foreign key is looked at
        try:
            self._delete(admin)
        except psycopg.OperationalError:  # the server was restarted
            admin = self._admins[name] = self._server.connect(name)
            admin.execute("SET session_replication_role = replica")
            self._delete(admin)

    def _delete(self, admin: psycopg.Connection[Any]) -> None:
        # What a test left open would hold locks.
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = admin.execute(
            "SELECT c.oid::regclass::text, pg_relation_size(c.oid) FROM pg_class c "
            "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
            "AND c.relname <> 'alembic_version' AND pg_relation_size(c.oid) > 0"
        ).fetchall()
        if tables:
            deletes = "; ".join(f"DELETE FROM {table}" for table, _ in tables)  # noqa: S608
            admin.execute(sql.SQL(deletes))  # type: ignore[arg-type]
        for table, size in tables:
            if size > _LARGE:
                admin.execute(sql.SQL(f"VACUUM {table}"))  # type: ignore[arg-type]
        counters = admin.execute(
            "SELECT format('%I', sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"
        ).fetchall()
        for (counter,) in counters:
            admin.execute(sql.SQL(f"ALTER SEQUENCE {counter} RESTART"))  # type: ignore[arg-type]


def _sweep() -> None:
    """Remove what runs that were killed left; their servers died with them."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            is_old = time.time() - left.stat().st_mtime > 600
            if is_old and not (left / "data" / "postmaster.pid").exists():
                shutil.rmtree(left, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom root starts a server as; None when this process is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    msg = "PostgreSQL does not run as root, and there is no user postgres or nobody."
    raise FileNotFoundError(msg)


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Have the new process ended, at once, when the one that started it dies."""
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGQUIT)
