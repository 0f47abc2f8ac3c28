"""The first shape of the database."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "characters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_reject", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_characters"),
        sa.UniqueConstraint("name", name="uq_characters_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "files",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("modified_ns", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_files"),
    )
    op.create_table(
        "refusals",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "settings", name="pk_refusals"),
    )
    op.create_table(
        "state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_state"),
    )
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("character_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["characters.id"],
            name="fk_aliases_character_id_characters",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", name="pk_aliases"),
    )
    op.create_index("ix_aliases_character_id", "aliases", ["character_id"])
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("character_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("enrolled_as", sa.String(), nullable=False),
        sa.Column("left", sa.Float(), nullable=False),
        sa.Column("top", sa.Float(), nullable=False),
        sa.Column("right", sa.Float(), nullable=False),
        sa.Column("bottom", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.String(), nullable=True),
        sa.Column("detector", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["character_id"], ["characters.id"], name="fk_samples_character_id_characters"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
        sa.UniqueConstraint(
            "digest",
            "left",
            "top",
            "right",
            "bottom",
            name="uq_samples_digest_left_top_right_bottom",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_samples_character_id", "samples", ["character_id"])
    op.create_table(
        "crops",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name="fk_crops_sample_id_samples", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", name="pk_crops"),
    )
    op.create_table(
        "descriptors",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"],
            ["samples.id"],
            name="fk_descriptors_sample_id_samples",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sample_id", "encoder", name="pk_descriptors"),
    )
    op.create_table(
        "profiles",
        sa.Column("character_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("ideal", sa.LargeBinary(), nullable=False),
        sa.Column("best_sample_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["best_sample_id"],
            ["samples.id"],
            name="fk_profiles_best_sample_id_samples",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["character_id"],
            ["characters.id"],
            name="fk_profiles_character_id_characters",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("character_id", "encoder", name="pk_profiles"),
    )
    op.create_index("ix_profiles_best_sample_id", "profiles", ["best_sample_id"])

    # A random token; every later change writes another one.
    op.bulk_insert(
        sa.table("state", sa.column("id", sa.Integer), sa.column("change", sa.String)),
        [{"id": 1, "change": secrets.token_hex(16)}],
    )
