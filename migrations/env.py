"""Runs the migrations on the connection that gallery/store/schema.py hands over."""

from __future__ import annotations

from alembic import context

from gallery.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by making it anew and copying.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
