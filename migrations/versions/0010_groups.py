"""How a person groups unknown faces: joined, split and told apart, as steps of the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regroupings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("sighting_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("before_owner", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("after_owner", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_regroupings"),
        sa.ForeignKeyConstraint(
            ["step_id"], ["decision_steps.id"], name="fk_regroupings_step_id_decision_steps"
        ),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["sightings.id"],
            name="fk_regroupings_sighting_id_sightings",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_regroupings_step_id", "regroupings", ["step_id"])
    op.create_index("ix_regroupings_sighting_id", "regroupings", ["sighting_id"])
    op.create_table(
        "distinctions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_distinctions"),
        sa.ForeignKeyConstraint(
            ["step_id"], ["decision_steps.id"], name="fk_distinctions_step_id_decision_steps"
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_id"],
                ["sightings.id"],
                name=f"fk_distinctions_{side}_id_sightings",
                ondelete="CASCADE",
            )
            for side in ("one", "other")
        ),
        sqlite_autoincrement=True,
    )
    for column in ("step_id", "one_id", "other_id"):
        op.create_index(f"ix_distinctions_{column}", "distinctions", [column])
