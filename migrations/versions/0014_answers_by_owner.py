"""Seen faces are found by the decision that owns what their rows say, so that undoing needs no
look for whom else their pictures show.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    owned = sa.text("owner != 0")
    op.create_index(
        "ix_answers_owner", "answers", ["owner"], sqlite_where=owned, postgresql_where=owned
    )
