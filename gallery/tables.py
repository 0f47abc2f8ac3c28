"""The shape of the database. Rows stay inside store.py; plain types come out.

characters 1-n samples 1-1 crops, samples 1-n descriptors (one for each encoder),
characters 1-n profiles (ideal and best for each encoder), characters 1-n aliases (former names).
files and refusals remember what was read, so that it is not read or decoded again.

Ids are never given out twice (sqlite_autoincrement), since an index that knows rows by id alone
would else name the wrong character.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    # Without names of their own, constraints cannot be changed by later migrations.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

state = Table(
    "state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("change", String, nullable=False),  # new and random with every change
)

characters = Table(
    "characters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("is_reject", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String, primary_key=True),  # a former name, which folders still have
    Column(
        "character_id",
        ForeignKey("characters.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

samples = Table(
    "samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("character_id", ForeignKey("characters.id"), nullable=False, index=True),
    Column("digest", String, nullable=False),  # SHA-256 of the picture file
    Column("path", String, nullable=False),  # where the file was last seen
    Column("enrolled_as", String, nullable=False),  # the folder it was found in
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("landmarks", String),  # JSON: name to [x, y]
    Column("detector", String, nullable=False),
    # How well it can be seen; without size and sharpness it was never measured.
    Column("size", Float),
    Column("sharpness", Float),
    Column("roll", Float),
    Column("frontal", Float),
    Column("cut", Float),
    Column("is_poor", Boolean, nullable=False, server_default=text("0")),  # see profiles.counting
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

crops = Table(
    "crops",
    metadata,
    Column("sample_id", ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("png", LargeBinary, nullable=False),  # the aligned crop, without loss
)

descriptors = Table(
    "descriptors",
    metadata,
    Column("sample_id", ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # 128 float32, little endian
)

profiles = Table(
    "profiles",
    metadata,
    Column("character_id", ForeignKey("characters.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", String, primary_key=True),
    Column("ideal", LargeBinary, nullable=False),
    Column(
        "best_sample_id",
        ForeignKey("samples.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
        index=True,
    ),
)

files = Table(
    "files",
    metadata,
    Column("path", String, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    Column("digest", String, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("digest", String, primary_key=True),
    Column("settings", String, primary_key=True),  # what it was looked at with
    Column("reason", String, nullable=False),
)
