"""Runs the migrations on the connection that gallery/store/ hands over."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl

from gallery.store.tables import metadata


class ServerImpl(PostgresqlImpl):
    """Makes of a migration's columns, which are SQLite's, what PostgreSQL has to have.

    Whole numbers are of 64 bits, and texts stand in the order of their code points.
    """

    __dialect__ = "postgresql"

    def create_table(self, table: sa.Table, **options: Any) -> None:
        """Make a table of suited columns."""
        for column in table.columns:
            _suit(column)
        super().create_table(table, **options)

    def add_column(self, table_name: str, column: sa.Column[Any], **options: Any) -> None:
        """Add a suited column."""
        _suit(column)
        super().add_column(table_name, column, **options)


DEFAULTS = {"0": "false", "1": "true", "x''": "''"}
"""SQLite's truth and bytes, and PostgreSQL's."""


def _suit(column: sa.Column[Any]) -> None:
    default = column.server_default
    if isinstance(default, sa.DefaultClause) and isinstance(
        column.type, sa.Boolean | sa.LargeBinary
    ):
        column.server_default = sa.DefaultClause(sa.text(DEFAULTS[str(default.arg)]))
    elif isinstance(column.type, sa.Integer):
        column.type = sa.BigInteger()
    elif isinstance(column.type, sa.String):
        column.type = sa.String(collation="C")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by making it anew and copying.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
