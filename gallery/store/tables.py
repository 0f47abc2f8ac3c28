"""The shape of the database. Rows stay inside store.py; plain types come out.

characters 1-n samples 1-1 crops, samples 1-n descriptors (one for each encoder),
characters 1-n profiles (ideal and best for each encoder), characters 1-n aliases (former names).
files and refusals remember what was read, so that it is not read or decoded again; contents says
which files show the same picture, and forgotten which faces a person wants to be without.

What labelling saw is apart from who is in the gallery: pictures, sightings (their faces),
sightings 1-n sighting_descriptors; videos 1-n shots 1-n tracks, each 1-1 with the sighting of its
best moment. It can be made again from the files, and nothing of it changes an answer.
characters 1-n rejections (crops of faces that a person said are somebody else),
rejections 1-n rejection_descriptors. calibrations 1 for each encoder.

What a person decided: decided_faces 1-n decisions n-1 decision_steps. Decisions are only ever
added; a decided face has the state that its last one left, so that states are read at once. Faces
are known by their file and place, not by the sightings, which come and go. Names in decisions are
rows of decision_names, which follow a character's new name, and outlive the character.

Ids are never given out twice (sqlite_autoincrement), since an index that knows rows by id alone
would else name the wrong character.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
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
    # Its file holds another picture now; see writer.retire.
    Column("is_replaced", Boolean, nullable=False, server_default=text("0")),
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

contents = Table(
    "contents",
    metadata,
    Column("digest", String, primary_key=True),  # SHA-256 of a picture file
    Column("pixels", String, nullable=False, index=True),  # see types.Content
    Column("orientation", Integer, nullable=False),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False),
    Column("path", String, nullable=False),
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    # Names, for the character may be forgotten as a whole.
    Column("character", String, nullable=False),
    Column("enrolled_as", String, nullable=False),
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

refusals = Table(
    "refusals",
    metadata,
    Column("digest", String, primary_key=True),
    Column("settings", String, primary_key=True),  # what it was looked at with
    Column("reason", String, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("encoder", String, primary_key=True),
    Column("made_at", String, nullable=False),  # ISO 8601, UTC
    Column("body", String, nullable=False),  # JSON: thresholds and what they were measured on
)

pictures = Table(
    "pictures",
    metadata,
    Column("path", String, primary_key=True),  # absolute, without dots
    Column("digest", String, index=True),  # SHA-256 of its file; none for one that cannot be read
    Column("file_size", Integer),  # with modified_ns what tells that the file has not changed
    Column("modified_ns", Integer),
    Column("width", Integer),
    Column("height", Integer),
    Column("left_out", Integer, nullable=False),  # faces more than sightings, too small or poor
    Column("error", String),  # why it could not be decoded
)

sightings = Table(
    "sightings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False),  # of the picture file, or see sightings.moment_of
    Column("path", String, nullable=False, index=True),  # where the file was last seen
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("landmarks", String),  # JSON: name to [x, y]
    Column("detector", String, nullable=False),
    Column("size", Float),
    Column("sharpness", Float),
    Column("roll", Float),
    Column("frontal", Float),
    Column("cut", Float),
    Column("crop", LargeBinary, nullable=False),  # the aligned crop as JPEG
    Column("cluster", Integer, index=True),  # the group of unknown faces it was put into
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

sighting_descriptors = Table(
    "sighting_descriptors",
    metadata,
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # 128 float32, little endian
)

videos = Table(
    "videos",
    metadata,
    Column("path", String, primary_key=True),  # absolute, without dots
    Column("digest", String, index=True),  # SHA-256 of its file; none for one that cannot be read
    Column("file_size", Integer),  # with modified_ns what tells that the file has not changed
    Column("modified_ns", Integer),
    Column("width", Integer),
    Column("height", Integer),
    # What was asked for last, in seconds; to is none for its end.
    Column("asked_from", Float, nullable=False),
    Column("asked_to", Float),
    Column("every", Float, nullable=False),
    Column("is_whole", Boolean, nullable=False),  # it was labelled to the end that was asked for
    Column("error", String),  # what of it could not be decoded
)

shots = Table(
    "shots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False),  # SHA-256 of the video file
    Column("start", Float, nullable=False),  # seconds of the video, as all times
    Column("end", Float, nullable=False),
    Column("looks", Integer, nullable=False),  # how many of its frames went to the detector
    Column("left_out", Integer, nullable=False),  # faces more than tracks, too small or poor
    UniqueConstraint("digest", "start"),
    sqlite_autoincrement=True,
)

tracks = Table(
    "tracks",
    metadata,
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    Column("shot_id", ForeignKey("shots.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),  # from 1 in every shot
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("best", Float, nullable=False),  # the moment that box, crop and quality are of
    Column("looks", Integer, nullable=False),  # in how many looked-at frames it was found
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Integer, primary_key=True),
    # Whom the face does not show.
    Column("character_id", ForeignKey("characters.id", ondelete="CASCADE"), nullable=False),
    Column("digest", String, nullable=False),
    Column("path", String, nullable=False),
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    # Of its own: what a person said outlives the sightings, and the encoder it was said with.
    Column("crop", LargeBinary, nullable=False),
    # False once it was taken back: an undo of that wants the crop again.
    Column("is_standing", Boolean, nullable=False, server_default=text("1")),
    UniqueConstraint("character_id", "digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

rejection_descriptors = Table(
    "rejection_descriptors",
    metadata,
    Column("rejection_id", ForeignKey("rejections.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

decision_names = Table(
    "decision_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, index=True),  # two rows may have one after a merge
    sqlite_autoincrement=True,
)

decision_steps = Table(
    "decision_steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("made_at", String),  # ISO 8601, UTC; none for what is older than this table
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),  # see steps.Action
    Column("name_id", ForeignKey("decision_names.id")),  # whom it named, or rejected
    Column("undoes", ForeignKey("decision_steps.id")),
    sqlite_autoincrement=True,
)

decided_faces = Table(
    "decided_faces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, index=True),  # of the picture's or the video's file
    Column("path", String, nullable=False),  # where the file was last seen
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    # Of a video's track, in seconds; none for a face in a picture.
    Column("start", Float),
    Column("end", Float),
    Column("best", Float),  # the moment that the box is of
    Column("state", String, nullable=False),  # see types.Decided
    Column("name_id", ForeignKey("decision_names.id")),
    Column("not_ids", String, nullable=False),  # of decision_names, with spaces between them
    # The decision that owns the state, see deciding.py; 0 where nothing was decided.
    Column("owner", Integer, nullable=False, index=True),
    Index("ix_decided_faces_state_name_id", "state", "name_id"),
    sqlite_autoincrement=True,
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("step_id", ForeignKey("decision_steps.id"), nullable=False, index=True),
    Column("face_id", ForeignKey("decided_faces.id"), nullable=False, index=True),
    Column("before_state", String, nullable=False),
    Column("before_name_id", ForeignKey("decision_names.id")),
    Column("before_not_ids", String, nullable=False),
    Column("before_owner", Integer, nullable=False),
    Column("after_state", String, nullable=False),
    Column("after_name_id", ForeignKey("decision_names.id")),
    Column("after_not_ids", String, nullable=False),
    # Its own id, and of one that undoes another the owner before that; see deciding.py.
    Column("after_owner", Integer, nullable=False),
    sqlite_autoincrement=True,
)
