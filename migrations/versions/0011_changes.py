"""What changed since when, so that an index follows by as much as changed; and counts of samples.

Triggers keep both, whatever writes. Names are found by how they are spelt, files by their sizes,
and samples by the folders that they were enrolled from, so that enrolling some pictures reads no
more of a gallery than is about them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gallery.store.names import folded

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOTED = """
CREATE TRIGGER {table}_{event}_noted AFTER {action} ON {table} BEGIN
    INSERT INTO changed_vectors (kind, number) VALUES ('{kind}', {row}.{column});
END
"""

COUNTED = """
CREATE TRIGGER {table}_{event}_counted AFTER {action} ON {table} BEGIN
    INSERT OR IGNORE INTO sample_counts VALUES ({encoder}, 0);
    UPDATE sample_counts SET samples = samples {sign} 1 WHERE encoder = {encoder};
END
"""

SERVER_NOTED = """
CREATE FUNCTION note_{event}_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changed_vectors (kind, number) SELECT '{kind}', {column} FROM touched;
    RETURN NULL;
END $$;
CREATE TRIGGER {table}_{event}_noted AFTER {action} ON {table}
    REFERENCING {row} TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION note_{event}_{table}();
"""

SERVER_COUNTED = """
CREATE FUNCTION count_{event}_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO sample_counts AS known (encoder, samples)
        SELECT {encoder}, {sign} count(*) FROM touched GROUP BY 1
        ON CONFLICT (encoder) DO UPDATE SET samples = known.samples + excluded.samples;
    RETURN NULL;
END $$;
CREATE TRIGGER {table}_{event}_counted AFTER {action} ON {table}
    REFERENCING {row} TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION count_{event}_{table}();
"""

EVENTS = {
    "added": ("INSERT", "new"),
    "changed": ("UPDATE", "new"),
    "removed": ("DELETE", "old"),
}


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_changes"),
    )
    op.create_index("ix_changes_last", "changes", ["last"])
    op.create_table(
        "changed_vectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changed_vectors"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sample_counts",
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("encoder", name="pk_sample_counts"),
    )
    for table in ("characters", "aliases"):
        _spell(table)
    op.create_index("ix_files_size", "files", ["size"])
    op.create_index("ix_samples_enrolled_as", "samples", ["enrolled_as"])
    op.create_index(
        "ix_samples_is_replaced",
        "samples",
        ["is_replaced"],
        sqlite_where=sa.text("is_replaced = 1"),
        postgresql_where=sa.text("is_replaced"),
    )
    run = op.get_bind().exec_driver_sql
    run("INSERT INTO changes SELECT change, 0 FROM state")
    run("INSERT INTO sample_counts SELECT '', count(*) FROM samples")
    run("INSERT INTO sample_counts SELECT encoder, count(*) FROM descriptors GROUP BY encoder")
    is_file = op.get_bind().dialect.name == "sqlite"
    for table, kind, column in (
        ("profiles", "character", "character_id"),
        ("descriptors", "sample", "sample_id"),
    ):
        for event, (action, row) in EVENTS.items():
            noted = NOTED if is_file else SERVER_NOTED
            names = {"table": table, "event": event, "action": action, "row": row}
            run(noted.format(**names, kind=kind, column=column))
    for table, encoder in (("samples", "''"), ("descriptors", "{row}.encoder")):
        for event, sign in (("added", "+"), ("removed", "-")):
            action, row = EVENTS[event]
            names = {"table": table, "event": event, "action": action, "row": row}
            counted = COUNTED if is_file else SERVER_COUNTED
            whose = encoder.format(row=row if is_file else "touched")
            run(counted.format(**names, encoder=whose, sign=sign))


def _spell(table: str) -> None:
    """Give the names in a table what those have in common that differ by case or width alone."""
    op.add_column(
        table, sa.Column("spelling", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    connection = op.get_bind()
    rows = sa.table(table, sa.column("name"), sa.column("spelling"))
    spell = rows.update().where(rows.c.name == sa.bindparam("own"))
    names = connection.scalars(sa.select(rows.c.name)).all()
    if names:
        connection.execute(
            spell.values(spelling=sa.bindparam("spelt")),
            [{"own": name, "spelt": folded(name)} for name in names],
        )
    op.create_index(f"ix_{table}_spelling", table, ["spelling"])
