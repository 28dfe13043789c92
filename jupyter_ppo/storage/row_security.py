"""PostgreSQL's row-level security: which rows a transaction sees, by the scope of the work.

Every transaction says at its begin which courses it is about; policies on each table that belongs
to a course (migration ``v0014``) show and take no other rows, also to the owner of the tables. A
transaction that says nothing, such as one of another program, sees nothing of any course.

Source: PostgreSQL 15, "Row Security Policies" and ``CREATE POLICY``.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, event, text

from jupyter_ppo.domain.scope import Scope, scope

#: The setting that the policies read; a transaction's own.
SETTING = "jupyter_ppo.courses"
_EVERY = "*"


def follow_scope(engine: Engine) -> None:
    """Have every transaction of a PostgreSQL engine say at its begin which courses it is about."""
    event.listen(engine, "begin", _tell_scope)


def _tell_scope(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (SETTING, setting_for(scope())))


def setting_for(wanted: Scope) -> str:
    """Return what the policies compare with: courses as ``n:name`` and ``i:id``, or ``*``.

    A name holds no comma; see ``domain.courses``. One that does is no course's, and sees nothing.
    """
    if wanted.every:
        return _EVERY
    names = sorted(f"n:{name}" for name in wanted.names if "," not in name)
    return ",".join([*names, *sorted(f"i:{course}" for course in wanted.ids)])


def is_bypassed(engine: Engine) -> bool:
    """Say whether the policies mean nothing for the role that this engine signs in as.

    That is so on PostgreSQL for superusers and for roles with ``BYPASSRLS``. On SQLite there are
    no policies, and nothing is bypassed.
    """
    if engine.dialect.name == "sqlite":
        return False
    query = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    with engine.connect() as connection:
        return bool(connection.scalar(query))
