"""How well every sample can be seen.

What is there already was never measured: its quality is unknown, and none of it is marked as poor,
so that ideals and bests stay as they are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("size", "sharpness", "roll", "frontal", "cut"):
        op.add_column("samples", sa.Column(name, sa.Float(), nullable=True))
    op.add_column(
        "samples",
        sa.Column("is_poor", sa.Boolean(), nullable=False, server_default=sa.text("0")),
    )
