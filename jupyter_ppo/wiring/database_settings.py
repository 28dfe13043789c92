"""Settings of the database, and of how much of it one process may use."""

from __future__ import annotations

from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from jupyter_ppo.storage.connections import DEFAULT_LIMITS, ConnectionLimits
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.row_security import is_bypassed


class DatabaseSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about the database."""

    db_url = Unicode(
        help="""SQLAlchemy URL of the database. Default: an SQLite file in ``data_dir``.
        A password in it is never logged.""",
    ).tag(config=True)

    db_connections = Integer(
        DEFAULT_LIMITS.connections,
        min=1,
        max=500,
        help="""Connections that this process has to the database at most. Who finds all of them in
        use waits for ``db_wait_seconds`` and is then answered 503.""",
    ).tag(config=True)

    db_wait_seconds = Float(
        DEFAULT_LIMITS.wait,
        min=0,
        help="""Seconds that a request waits for a connection.""",
    ).tag(config=True)

    db_statement_seconds = Float(
        DEFAULT_LIMITS.statement,
        min=0,
        help="""PostgreSQL only: seconds that one statement may take. 0: no bound. Upgrades have
        none.""",
    ).tag(config=True)

    db_lock_seconds = Float(
        DEFAULT_LIMITS.lock,
        min=0,
        help="""PostgreSQL only: seconds that a statement waits for what another transaction holds.
        0: no bound.""",
    ).tag(config=True)

    db_idle_seconds = Float(
        DEFAULT_LIMITS.idle,
        min=0,
        help="""PostgreSQL only: seconds after which a transaction that asks nothing is undone, so
        that a process that hangs holds nobody up. 0: no bound.""",
    ).tag(config=True)

    def open_database(self) -> Database:
        """Open the database of ``db_url``, upgraded if needed; see ``storage.database``."""
        limits = ConnectionLimits(
            connections=self.db_connections,
            wait=self.db_wait_seconds,
            statement=self.db_statement_seconds,
            lock=self.db_lock_seconds,
            idle=self.db_idle_seconds,
        )
        database = open_database(self.db_url, limits=limits)
        if is_bypassed(database.engine):
            self.log.warning(
                "db_url: this role of PostgreSQL is a superuser or has BYPASSRLS, so row-level "
                "security, the second wall between courses, means nothing for it. Sign in as an "
                "ordinary role that owns the tables; docs/postgresql.md says how."
            )
        return database
