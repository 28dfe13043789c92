"""How many connections a process has to its database, and for how long each may be held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL


@dataclass(frozen=True)
class ConnectionLimits:
    """What one process may ask of the database; times are seconds.

    ``connections`` is how many it has at most, ``wait`` how long a request waits for one. The rest
    is for PostgreSQL: ``statement`` for one statement, ``lock`` for what another transaction holds,
    ``idle`` for a transaction that asks nothing. 0 is no bound for these three. SQLite has one
    writer, whom the others wait for.
    """

    connections: int = 20
    wait: float = 10.0
    statement: float = 60.0
    lock: float = 15.0
    idle: float = 60.0


#: What a process asks for that names nothing else.
DEFAULT_LIMITS = ConnectionLimits()

#: Seconds that connecting may take, and after which a server that fell silent counts as gone.
_CONNECT_SECONDS = 10
_SILENT_SECONDS = 30


def engine_options(target: URL, limits: ConnectionLimits) -> dict[str, Any]:
    """Return the options of ``create_engine`` for ``target``.

    What the address itself says of a connection goes before what is said here.
    """
    options: dict[str, Any] = {
        "hide_parameters": True,  # the log has statements without their values, students' data
        "pool_size": limits.connections,
        "max_overflow": 0,
        "pool_timeout": limits.wait,
    }
    if target.get_backend_name() == "sqlite":
        return options
    bounds = {
        "statement_timeout": limits.statement,
        "lock_timeout": limits.lock,
        "idle_in_transaction_session_timeout": limits.idle,
    }
    asked = {
        "application_name": "jupyter_ppo",
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": _SILENT_SECONDS,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
        "options": " ".join(f"-c {name}={round(bound * 1000)}" for name, bound in bounds.items()),
    }
    return options | {
        # A connection that died while it waited, as in a restart, is replaced before it is used.
        "pool_pre_ping": True,
        "pool_use_lifo": True,  # so that those that are not needed are not used, and may time out
        "isolation_level": "READ COMMITTED",  # whatever the server's default is
        "connect_args": {name: asked[name] for name in asked if name not in target.query},
    }
