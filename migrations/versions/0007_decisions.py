"""What a person decided of faces, as a log that is only added to, and the states it left.

Rejections are the present form of one of the decisions: each becomes a decided face with a step of
its own, so that it can be undone by itself. They keep their rows, which hold the crops; one that is
taken back stays as a row that does not stand, so that this can be undone in its turn.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SAME_PLACE = 0.5
"""As the store has it: boxes in one picture from this overlap on are of one face."""


def upgrade() -> None:
    op.add_column(
        "rejections",
        sa.Column("is_standing", sa.Boolean(), nullable=False, server_default=sa.text("1")),
    )
    _make_tables()
    # No gallery on a server is as old as this; its tables are empty.
    if op.get_bind().dialect.name == "sqlite":
        _decide_what_was_rejected(op.get_bind())


def _make_tables() -> None:
    op.create_table(
        "decision_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision_names"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decision_names_name", "decision_names", ["name"])
    op.create_table(
        "decision_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("name_id", sa.Integer(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_decision_steps"),
        _named("decision_steps", "name_id"),
        sa.ForeignKeyConstraint(
            ["undoes"], ["decision_steps.id"], name="fk_decision_steps_undoes_decision_steps"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "decided_faces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        *(sa.Column(side, sa.Float(), nullable=False) for side in SIDES),
        *(sa.Column(time, sa.Float(), nullable=True) for time in ("start", "end", "best")),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("name_id", sa.Integer(), nullable=True),
        sa.Column("not_ids", sa.String(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decided_faces"),
        _named("decided_faces", "name_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decided_faces_digest", "decided_faces", ["digest"])
    op.create_index("ix_decided_faces_owner", "decided_faces", ["owner"])
    op.create_index("ix_decided_faces_state_name_id", "decided_faces", ["state", "name_id"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        *(column for when in ("before", "after") for column in _state(when)),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.ForeignKeyConstraint(
            ["step_id"], ["decision_steps.id"], name="fk_decisions_step_id_decision_steps"
        ),
        sa.ForeignKeyConstraint(
            ["face_id"], ["decided_faces.id"], name="fk_decisions_face_id_decided_faces"
        ),
        _named("decisions", "before_name_id"),
        _named("decisions", "after_name_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_step_id", "decisions", ["step_id"])
    op.create_index("ix_decisions_face_id", "decisions", ["face_id"])


SIDES = ("left", "top", "right", "bottom")


def _named(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["decision_names.id"], name=f"fk_{table}_{column}_decision_names"
    )


def _state(when: str) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(f"{when}_state", sa.String(), nullable=False),
        sa.Column(f"{when}_name_id", sa.Integer(), nullable=True),
        sa.Column(f"{when}_not_ids", sa.String(), nullable=False),
        sa.Column(f"{when}_owner", sa.Integer(), nullable=False),
    )


def _decide_what_was_rejected(connection: sa.Connection) -> None:
    """Write the decisions that rejections are."""
    names: dict[str, int] = {}
    # By picture: box, id, the names so far and the decision that owns them.
    faces: dict[str, list[dict[str, Any]]] = {}
    rows = connection.exec_driver_sql(
        'SELECT characters.name, digest, path, "left", "top", "right", "bottom" FROM rejections '
        "JOIN characters ON characters.id = character_id ORDER BY rejections.id"
    ).all()
    for name, digest, path, *box in rows:
        if name not in names:
            names[name] = _added(connection, "INSERT INTO decision_names (name) VALUES (?)", name)
        own = faces.setdefault(digest, [])
        face = next((one for one in own if _overlap(one["box"], box) >= SAME_PLACE), None)
        if face is None:
            face = {"box": box, "not": [], "owner": 0}
            face["id"] = _added(
                connection,
                'INSERT INTO decided_faces (digest, path, "left", "top", "right", "bottom", '
                "state, not_ids, owner) VALUES (?, ?, ?, ?, ?, ?, 'undecided', '', 0)",
                *(digest, path, *box),
            )
            own.append(face)
        _reject(connection, face, names[name])


def _reject(connection: sa.Connection, face: dict[str, Any], name_id: int) -> None:
    """Add a step and a decision: a face does not show somebody, and perhaps others."""
    step = _added(
        connection,
        "INSERT INTO decision_steps (who, action, name_id) VALUES ('', 'found', ?)",
        name_id,
    )
    before, after = face["not"], sorted({*face["not"], name_id})
    decision = _added(
        connection,
        "INSERT INTO decisions (step_id, face_id, before_state, before_not_ids, before_owner, "
        "after_state, after_not_ids, after_owner) VALUES (?, ?, ?, ?, ?, 'not_this', ?, 0)",
        *(step, face["id"], "not_this" if before else "undecided", _joined(before)),
        *(face["owner"], _joined(after)),
    )
    connection.exec_driver_sql("UPDATE decisions SET after_owner = id WHERE id = ?", (decision,))
    connection.exec_driver_sql(
        "UPDATE decided_faces SET state = 'not_this', not_ids = ?, owner = ? WHERE id = ?",
        (_joined(after), decision, face["id"]),
    )
    face["not"], face["owner"] = after, decision


def _added(connection: sa.Connection, statement: str, *values: object) -> int:
    return int(connection.exec_driver_sql(f"{statement} RETURNING id", values).scalar_one())


def _joined(ids: list[int]) -> str:
    return " ".join(map(str, ids))


def _overlap(one: list[float], other: list[float]) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    common = max(across, 0.0) * max(down, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common) if common else 0.0
