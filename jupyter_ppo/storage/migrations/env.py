"""Alembic runs this. The connection, and its transaction, come from ``storage.upgrade``."""

from __future__ import annotations

from alembic import context

from jupyter_ppo.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
