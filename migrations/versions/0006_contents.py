"""What files show, so that a picture stays the same whatever is written into its file.

contents says what each file's content decodes to; it is filled as files are met. forgotten holds
the faces that a person forgot, so that enrolment passes over them. A sample whose file holds
another picture now is marked as replaced until the run of enrolment that found it is done.

Seen faces get an index by path: those of a file's former content are looked for there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("pixels", sa.String(), nullable=False),
        sa.Column("orientation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_contents"),
    )
    op.create_index("ix_contents_pixels", "contents", ["pixels"])
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("left", sa.Float(), nullable=False),
        sa.Column("top", sa.Float(), nullable=False),
        sa.Column("right", sa.Float(), nullable=False),
        sa.Column("bottom", sa.Float(), nullable=False),
        sa.Column("character", sa.String(), nullable=False),
        sa.Column("enrolled_as", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten"),
        sa.UniqueConstraint(
            "digest",
            "left",
            "top",
            "right",
            "bottom",
            name="uq_forgotten_digest_left_top_right_bottom",
        ),
        sqlite_autoincrement=True,
    )
    op.add_column(
        "samples",
        sa.Column("is_replaced", sa.Boolean(), nullable=False, server_default=sa.text("0")),
    )
    op.create_index("ix_sightings_path", "sightings", ["path"])
