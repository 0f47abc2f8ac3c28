"""What the gallery says of seen faces, stored, with counts that triggers keep.

Every sighting has a row from its beginning on, so that what was not answered yet is found by the
same index as what is stale.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TRIGGERS = """
CREATE TRIGGER sightings_unanswered AFTER INSERT ON sightings BEGIN
    INSERT INTO answers (sighting_id) VALUES (new.id);
END;
CREATE TRIGGER answers_added AFTER INSERT ON answers BEGIN
    {more}
END;
CREATE TRIGGER answers_changed AFTER UPDATE OF state_id, decided, verdict, character_id ON answers
WHEN old.state_id IS NOT new.state_id OR old.decided IS NOT new.decided
    OR old.verdict IS NOT new.verdict OR old.character_id IS NOT new.character_id
BEGIN
    {less}
    {more}
END;
CREATE TRIGGER answers_removed AFTER DELETE ON answers BEGIN
    {less}
END;
"""

MORE = """
    INSERT OR IGNORE INTO answer_counts VALUES
        (coalesce(new.state_id, 0), new.decided, new.verdict, coalesce(new.character_id, 0), 0);
    UPDATE answer_counts SET faces = faces + 1 WHERE state_id = coalesce(new.state_id, 0)
        AND decided = new.decided AND verdict = new.verdict
        AND character_id = coalesce(new.character_id, 0);
"""

LESS = """
    UPDATE answer_counts SET faces = faces - 1 WHERE state_id = coalesce(old.state_id, 0)
        AND decided = old.decided AND verdict = old.verdict
        AND character_id = coalesce(old.character_id, 0);
"""

COUNTED = """
    INSERT INTO answer_counts AS known (state_id, decided, verdict, character_id, faces)
        SELECT coalesce(state_id, 0), decided, verdict, coalesce(character_id, 0), sum(faces)
        FROM ({rows}) AS changed GROUP BY 1, 2, 3, 4 HAVING sum(faces) <> 0
        ON CONFLICT (state_id, decided, verdict, character_id)
        DO UPDATE SET faces = known.faces + excluded.faces;
"""
"""How PostgreSQL counts, a statement at a time: a row that is changed often within a transaction is
there as often until that ends."""

ADDED = "SELECT *, 1 AS faces FROM added"
REMOVED = "SELECT *, -1 AS faces FROM removed"

SERVER_TRIGGERS = f"""
CREATE FUNCTION answer_sightings() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO answers (sighting_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER sightings_unanswered AFTER INSERT ON sightings
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION answer_sightings();

CREATE FUNCTION count_added_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {COUNTED.format(rows=ADDED)}
    RETURN NULL;
END $$;
CREATE TRIGGER answers_added AFTER INSERT ON answers
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_answers();

CREATE FUNCTION count_changed_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {COUNTED.format(rows=f"{ADDED} UNION ALL {REMOVED}")}
    RETURN NULL;
END $$;
CREATE TRIGGER answers_changed AFTER UPDATE ON answers
    REFERENCING NEW TABLE AS added OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_answers();

CREATE FUNCTION count_removed_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {COUNTED.format(rows=REMOVED)}
    RETURN NULL;
END $$;
CREATE TRIGGER answers_removed AFTER DELETE ON answers
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_answers();
"""  # noqa: S608 - nothing in it is given


def upgrade() -> None:
    # What was rejected before has no answers that would not know.
    op.add_column(
        "rejections",
        sa.Column("is_heeded", sa.Boolean(), nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "answer_states",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("calibration", sa.String(), nullable=False),
        sa.Column("is_joint", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_states"),
        sa.UniqueConstraint(
            "change",
            "encoder",
            "calibration",
            "is_joint",
            name="uq_answer_states_change_encoder_calibration_is_joint",
        ),
        sqlite_autoincrement=True,
    )
    _make_answers()
    op.create_table(
        "answer_counts",
        sa.Column("state_id", sa.Integer(), nullable=False),
        sa.Column("decided", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("character_id", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "state_id", "decided", "verdict", "character_id", name="pk_answer_counts"
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        _fill()
    else:
        # No gallery on a server is as old as this; its tables are empty.
        op.get_bind().exec_driver_sql(SERVER_TRIGGERS)


def _fill() -> None:
    """Make SQLite's triggers, and the answers of what was seen before."""
    for statement in TRIGGERS.format(more=MORE, less=LESS).split("\nEND;"):
        if statement.strip():
            op.get_bind().exec_driver_sql(f"{statement}\nEND;")
    op.get_bind().exec_driver_sql("INSERT INTO answers (sighting_id) SELECT id FROM sightings")
    op.get_bind().exec_driver_sql("UPDATE rejections SET is_heeded = 1")


def _make_answers() -> None:
    none = sa.text("''")
    op.create_table(
        "answers",
        sa.Column("sighting_id", sa.Integer(), nullable=False),
        sa.Column("state_id", sa.Integer(), nullable=True),
        sa.Column("decided", sa.String(), nullable=False, server_default=sa.text("'undecided'")),
        sa.Column("owner", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("verdict", sa.String(), nullable=False, server_default=none),
        sa.Column("character_id", sa.Integer(), nullable=True),
        sa.Column("own_verdict", sa.String(), nullable=False, server_default=none),
        sa.Column("own_character_id", sa.Integer(), nullable=True),
        sa.Column("distance", sa.Float(), nullable=True),
        sa.Column("likelihood", sa.Float(), nullable=True),
        sa.Column("stranger", sa.Float(), nullable=True),
        sa.Column("rank", sa.Float(), nullable=False, server_default=sa.text("0")),
        sa.Column("alternatives", sa.LargeBinary(), nullable=False, server_default=sa.text("x''")),
        sa.PrimaryKeyConstraint("sighting_id", name="pk_answers"),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["sightings.id"],
            name="fk_answers_sighting_id_sightings",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["state_id"], ["answer_states.id"], name="fk_answers_state_id_answer_states"
        ),
    )
    op.create_index("ix_answers_state_id", "answers", ["state_id"])
    op.create_index(
        "ix_answers_views",
        "answers",
        ["decided", "verdict", "character_id", "rank", "sighting_id"],
    )
