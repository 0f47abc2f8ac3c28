"""Videos that were labelled, their shots, and which seen faces are tracks of these.

Nothing that is there already changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "videos",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("modified_ns", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("asked_from", sa.Float(), nullable=False),
        sa.Column("asked_to", sa.Float(), nullable=True),
        sa.Column("every", sa.Float(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("path", name="pk_videos"),
    )
    op.create_index("ix_videos_digest", "videos", ["digest"])
    op.create_table(
        "shots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("end", sa.Float(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shots"),
        sa.UniqueConstraint("digest", "start", name="uq_shots_digest_start"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tracks",
        sa.Column("sighting_id", sa.Integer(), nullable=False),
        sa.Column("shot_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("end", sa.Float(), nullable=False),
        sa.Column("best", sa.Float(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["sightings.id"],
            name="fk_tracks_sighting_id_sightings",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shot_id"], ["shots.id"], name="fk_tracks_shot_id_shots", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sighting_id", name="pk_tracks"),
    )
    op.create_index("ix_tracks_shot_id", "tracks", ["shot_id"])
