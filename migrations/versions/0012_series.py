"""A character may belong to a series; the empty text stands for none that is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "characters",
        sa.Column("series", sa.String(), nullable=False, server_default=sa.text("''")),
    )
    op.create_index("ix_characters_series", "characters", ["series"])
