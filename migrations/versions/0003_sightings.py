"""What was seen while labelling, what a face is not, and thresholds of the gallery's own.

Nothing that is there already changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PLACE = ("left", "top", "right", "bottom")


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("encoder", name="pk_calibrations"),
    )
    op.create_table(
        "pictures",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("modified_ns", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("path", name="pk_pictures"),
    )
    op.create_index("ix_pictures_digest", "pictures", ["digest"])
    op.create_table(
        "sightings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        *(sa.Column(side, sa.Float(), nullable=False) for side in PLACE),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.String(), nullable=True),
        sa.Column("detector", sa.String(), nullable=False),
        *(
            sa.Column(part, sa.Float(), nullable=True)
            for part in ("size", "sharpness", "roll", "frontal", "cut")
        ),
        sa.Column("crop", sa.LargeBinary(), nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sightings"),
        sa.UniqueConstraint("digest", *PLACE, name="uq_sightings_digest_left_top_right_bottom"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sightings_cluster", "sightings", ["cluster"])
    op.create_table(
        "sighting_descriptors",
        sa.Column("sighting_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["sightings.id"],
            name="fk_sighting_descriptors_sighting_id_sightings",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sighting_id", "encoder", name="pk_sighting_descriptors"),
    )
    op.create_table(
        "rejections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("character_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        *(sa.Column(side, sa.Float(), nullable=False) for side in PLACE),
        sa.Column("crop", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["characters.id"],
            name="fk_rejections_character_id_characters",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rejections"),
        sa.UniqueConstraint(
            "character_id",
            "digest",
            *PLACE,
            name="uq_rejections_character_id_digest_left_top_right_bottom",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rejection_descriptors",
        sa.Column("rejection_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rejection_id"],
            ["rejections.id"],
            name="fk_rejection_descriptors_rejection_id_rejections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rejection_id", "encoder", name="pk_rejection_descriptors"),
    )
