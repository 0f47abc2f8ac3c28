"""When a seen face's name became what it is, so that a view can be told of names that are new.

Every change of stored answers is a revision; a face's row says of which one its name is. Rejections
that answers were not told of yet are found without a look at all of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

VIEW = ("decided", "verdict", "character_id", "rank", "sighting_id")


def upgrade() -> None:
    none = sa.text("0")
    op.add_column("state", sa.Column("revision", sa.Integer(), nullable=False, server_default=none))
    op.add_column("answers", sa.Column("since", sa.Integer(), nullable=False, server_default=none))
    # Faces of a name are counted by their revisions in the index alone.
    op.drop_index("ix_answers_views", "answers")
    op.create_index("ix_answers_views", "answers", [*VIEW, "since"])
    op.create_index("ix_rejections_is_heeded", "rejections", ["is_heeded"])
