"""The shape of the database. Rows stay inside the store; plain types come out.

characters 1-n samples 1-1 crops, samples 1-n descriptors (one for each encoder),
characters 1-n profiles (ideal and best for each encoder), characters 1-n aliases (former and other
names). A character may belong to a series, which is a name and no more.
files and refusals remember what was read, so that it is not read or decoded again; contents says
which files show the same picture, and forgotten which faces a person wants to be without.

changed_vectors says which profiles and descriptors changed since each of the newest changes, see
changes.py, and sample_counts how many samples each encoder has encoded. Triggers keep both, see
migration 0011.

What labelling saw is apart from who is in the gallery: pictures, sightings (their faces),
sightings 1-n sighting_descriptors; videos 1-n shots 1-n tracks, each 1-1 with the sighting of its
best moment. It can be made again from the files, and nothing of it changes an answer.
characters 1-n rejections (crops of faces that a person said are somebody else),
rejections 1-n rejection_descriptors. calibrations 1 for each encoder,
and 1 for joint scoring with it, see engine.figures.

What a person decided: decided_faces 1-n decisions n-1 decision_steps. Decisions are only ever
added; a decided face has the state that its last one left, so that states are read at once. Faces
are known by their file and place, not by the sightings, which come and go. Names in decisions are
rows of decision_names, which follow a character's new name, and outlive the character.

How a person grouped them: sightings 1-n regroupings n-1 decision_steps, and distinctions, pairs of
sightings that are not the same; see grouping.py.

What the gallery says of seen faces: sightings 1-1 answers n-1 answer_states. It can be made again
from the rest. Triggers, see migration 0008, give every sighting its row, and keep in answer_counts
how many rows are alike. The revision of state goes up with every answer that is stored. Characters
stand there without a foreign key, which would want two more indexes.

What was sent to programs that hold the pictures stands in sent, see sent.py. No answer hangs on it.

Ids are never given out twice (sqlite_autoincrement, and sequences on a server), since an index that
knows rows by id alone would else name the wrong character.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, UniqueConstraint, text

from gallery.store.kinds import Bytes, Real, Text, Truth, Vector, Whole

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
    Column("id", Whole, primary_key=True),
    Column("change", Text, nullable=False),  # new and random with every change
    Column("revision", Whole, nullable=False, server_default=text("0")),  # of stored answers
)

changes = Table(
    "changes",
    metadata,
    Column("token", Text, primary_key=True),  # as state had it, and has it now
    Column("last", Whole, nullable=False, index=True),  # of changed_vectors when it came to be
)

changed_vectors = Table(
    "changed_vectors",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("kind", Text, nullable=False),  # "character" of a profile, "sample" of a descriptor
    Column("number", Whole, nullable=False),  # its id
    sqlite_autoincrement=True,
)

sample_counts = Table(
    "sample_counts",
    metadata,
    Column("encoder", Text, primary_key=True),  # empty: of all samples, encoded or not
    Column("samples", Whole, nullable=False),
)

characters = Table(
    "characters",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("is_reject", Truth, nullable=False),
    Column("spelling", Text, nullable=False, server_default=text("''"), index=True),  # names.folded
    Column("series", Text, nullable=False, server_default=text("''"), index=True),  # empty: none
    sqlite_autoincrement=True,
)

aliases = Table(
    "aliases",
    metadata,
    # A former name, which folders still have, or another one that somebody gave.
    Column("name", Text, primary_key=True),
    Column(
        "character_id",
        ForeignKey("characters.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("spelling", Text, nullable=False, server_default=text("''"), index=True),
)

samples = Table(
    "samples",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("character_id", ForeignKey("characters.id"), nullable=False, index=True),
    Column("digest", Text, nullable=False),  # SHA-256 of the picture file
    Column("path", Text, nullable=False),  # where the file was last seen
    Column("enrolled_as", Text, nullable=False, index=True),  # the folder it was found in
    Column("left", Real, nullable=False),
    Column("top", Real, nullable=False),
    Column("right", Real, nullable=False),
    Column("bottom", Real, nullable=False),
    Column("score", Real, nullable=False),
    Column("landmarks", Text(optional=True)),  # JSON: name to [x, y]
    Column("detector", Text, nullable=False),
    # How well it can be seen; without size and sharpness it was never measured.
    Column("size", Real(optional=True)),
    Column("sharpness", Real(optional=True)),
    Column("roll", Real(optional=True)),
    Column("frontal", Real(optional=True)),
    Column("cut", Real(optional=True)),
    Column("is_poor", Truth, nullable=False, server_default=text("0")),  # see profiles.counting
    # Its file holds another picture now; see writer.retire.
    Column("is_replaced", Truth, nullable=False, server_default=text("0")),
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    Index("ix_samples_is_replaced", "is_replaced", sqlite_where=text("is_replaced = 1")),
    sqlite_autoincrement=True,
)

crops = Table(
    "crops",
    metadata,
    Column("sample_id", ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("png", Bytes, nullable=False),  # the aligned crop, without loss
)

descriptors = Table(
    "descriptors",
    metadata,
    Column("sample_id", ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("vector", Vector, nullable=False),  # float32, little endian; see types.width_of
)

profiles = Table(
    "profiles",
    metadata,
    Column("character_id", ForeignKey("characters.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("ideal", Bytes, nullable=False),
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
    Column("path", Text, primary_key=True),
    Column("size", Whole, nullable=False, index=True),
    Column("modified_ns", Whole, nullable=False),
    Column("digest", Text, nullable=False),
)

contents = Table(
    "contents",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of a picture file
    Column("pixels", Text, nullable=False, index=True),  # see types.Content
    Column("orientation", Whole, nullable=False),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("left", Real, nullable=False),
    Column("top", Real, nullable=False),
    Column("right", Real, nullable=False),
    Column("bottom", Real, nullable=False),
    # Names, for the character may be forgotten as a whole.
    Column("character", Text, nullable=False),
    Column("enrolled_as", Text, nullable=False),
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

refusals = Table(
    "refusals",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("settings", Text, primary_key=True),  # what it was looked at with
    Column("reason", Text, nullable=False),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("encoder", Text, primary_key=True),
    Column("made_at", Text, nullable=False),  # ISO 8601, UTC
    Column("body", Text, nullable=False),  # JSON: thresholds and what they were measured on
)

pictures = Table(
    "pictures",
    metadata,
    Column("path", Text, primary_key=True),  # absolute, without dots
    # SHA-256 of its file; none for one that cannot be read.
    Column("digest", Text(optional=True), index=True),
    # With modified_ns what tells that the file has not changed.
    Column("file_size", Whole(optional=True)),
    Column("modified_ns", Whole(optional=True)),
    Column("width", Whole(optional=True)),
    Column("height", Whole(optional=True)),
    Column("left_out", Whole, nullable=False),  # faces more than sightings, too small or poor
    Column("error", Text(optional=True)),  # why it could not be decoded
)

sightings = Table(
    "sightings",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("digest", Text, nullable=False),  # of the picture file, or see sightings.moment_of
    Column("path", Text, nullable=False, index=True),  # where the file was last seen
    Column("left", Real, nullable=False),
    Column("top", Real, nullable=False),
    Column("right", Real, nullable=False),
    Column("bottom", Real, nullable=False),
    Column("score", Real, nullable=False),
    Column("landmarks", Text(optional=True)),  # JSON: name to [x, y]
    Column("detector", Text, nullable=False),
    Column("size", Real(optional=True)),
    Column("sharpness", Real(optional=True)),
    Column("roll", Real(optional=True)),
    Column("frontal", Real(optional=True)),
    Column("cut", Real(optional=True)),
    Column("crop", Bytes, nullable=False),  # the aligned crop as JPEG
    # The group of unknown faces it was put into.
    Column("cluster", Whole(optional=True), index=True),
    UniqueConstraint("digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

sighting_descriptors = Table(
    "sighting_descriptors",
    metadata,
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("vector", Vector, nullable=False),  # float32, little endian; see types.width_of
)

videos = Table(
    "videos",
    metadata,
    Column("path", Text, primary_key=True),  # absolute, without dots
    # SHA-256 of its file; none for one that cannot be read.
    Column("digest", Text(optional=True), index=True),
    # With modified_ns what tells that the file has not changed.
    Column("file_size", Whole(optional=True)),
    Column("modified_ns", Whole(optional=True)),
    Column("width", Whole(optional=True)),
    Column("height", Whole(optional=True)),
    # What was asked for last, in seconds; to is none for its end.
    Column("asked_from", Real, nullable=False),
    Column("asked_to", Real(optional=True)),
    Column("every", Real, nullable=False),
    Column("is_whole", Truth, nullable=False),  # it was labelled to the end that was asked for
    Column("error", Text(optional=True)),  # what of it could not be decoded
)

shots = Table(
    "shots",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("digest", Text, nullable=False),  # SHA-256 of the video file
    Column("start", Real, nullable=False),  # seconds of the video, as all times
    Column("end", Real, nullable=False),
    Column("looks", Whole, nullable=False),  # how many of its frames went to the detector
    Column("left_out", Whole, nullable=False),  # faces more than tracks, too small or poor
    UniqueConstraint("digest", "start"),
    sqlite_autoincrement=True,
)

tracks = Table(
    "tracks",
    metadata,
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    Column("shot_id", ForeignKey("shots.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Whole, nullable=False),  # from 1 in every shot
    Column("start", Real, nullable=False),
    Column("end", Real, nullable=False),
    Column("best", Real, nullable=False),  # the moment that box, crop and quality are of
    Column("looks", Whole, nullable=False),  # in how many looked-at frames it was found
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Whole, primary_key=True),
    # Whom the face does not show.
    Column("character_id", ForeignKey("characters.id", ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("left", Real, nullable=False),
    Column("top", Real, nullable=False),
    Column("right", Real, nullable=False),
    Column("bottom", Real, nullable=False),
    # Of its own: what a person said outlives the sightings, and the encoder it was said with.
    Column("crop", Bytes, nullable=False),
    # False once it was taken back: an undo of that wants the crop again.
    Column("is_standing", Truth, nullable=False, server_default=text("1")),
    # False until stored answers of faces nearly the same were told that it stands, or does not.
    Column("is_heeded", Truth, nullable=False, server_default=text("0"), index=True),
    UniqueConstraint("character_id", "digest", "left", "top", "right", "bottom"),
    sqlite_autoincrement=True,
)

rejection_descriptors = Table(
    "rejection_descriptors",
    metadata,
    Column("rejection_id", ForeignKey("rejections.id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("vector", Vector, nullable=False),
)

decision_names = Table(
    "decision_names",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("name", Text, nullable=False, index=True),  # two rows may have one after a merge
    sqlite_autoincrement=True,
)

decision_steps = Table(
    "decision_steps",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("made_at", Text(optional=True)),  # ISO 8601, UTC; none for what is older than this table
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),  # see steps.Action
    Column(
        "name_id", Whole(optional=True), ForeignKey("decision_names.id")
    ),  # whom it named, or rejected
    Column("undoes", Whole(optional=True), ForeignKey("decision_steps.id")),
    sqlite_autoincrement=True,
)

decided_faces = Table(
    "decided_faces",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("digest", Text, nullable=False, index=True),  # of the picture's or the video's file
    Column("path", Text, nullable=False),  # where the file was last seen
    Column("left", Real, nullable=False),
    Column("top", Real, nullable=False),
    Column("right", Real, nullable=False),
    Column("bottom", Real, nullable=False),
    # Of a video's track, in seconds; none for a face in a picture.
    Column("start", Real(optional=True)),
    Column("end", Real(optional=True)),
    Column("best", Real(optional=True)),  # the moment that the box is of
    Column("state", Text, nullable=False),  # see types.Decided
    Column("name_id", Whole(optional=True), ForeignKey("decision_names.id")),
    Column("not_ids", Text, nullable=False),  # of decision_names, with spaces between them
    # The decision that owns the state, see deciding.py; 0 where nothing was decided.
    Column("owner", Whole, nullable=False, index=True),
    Index("ix_decided_faces_state_name_id", "state", "name_id"),
    sqlite_autoincrement=True,
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("step_id", ForeignKey("decision_steps.id"), nullable=False, index=True),
    Column("face_id", ForeignKey("decided_faces.id"), nullable=False, index=True),
    Column("before_state", Text, nullable=False),
    Column("before_name_id", Whole(optional=True), ForeignKey("decision_names.id")),
    Column("before_not_ids", Text, nullable=False),
    Column("before_owner", Whole, nullable=False),
    Column("after_state", Text, nullable=False),
    Column("after_name_id", Whole(optional=True), ForeignKey("decision_names.id")),
    Column("after_not_ids", Text, nullable=False),
    # Its own id, and of one that undoes another the owner before that; see deciding.py.
    Column("after_owner", Whole, nullable=False),
    sqlite_autoincrement=True,
)

regroupings = Table(
    "regroupings",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("step_id", ForeignKey("decision_steps.id"), nullable=False, index=True),
    Column(
        "sighting_id",
        ForeignKey("sightings.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # The clusters that it was in and is in since; none for none.
    Column("before", Whole(optional=True)),
    Column("before_owner", Whole, nullable=False),
    Column("after", Whole(optional=True)),
    Column("after_owner", Whole, nullable=False),  # as in decisions
    sqlite_autoincrement=True,
)

distinctions = Table(
    "distinctions",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("step_id", ForeignKey("decision_steps.id"), nullable=False, index=True),
    # Two sightings, the smaller number first.
    Column("one_id", ForeignKey("sightings.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("other_id", ForeignKey("sightings.id", ondelete="CASCADE"), nullable=False, index=True),
    # What was said last of a pair counts: that the two are not the same, or no longer.
    Column("stands", Truth, nullable=False),
    sqlite_autoincrement=True,
)

answer_states = Table(
    "answer_states",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("change", Text, nullable=False),  # see state
    Column("encoder", Text, nullable=False),
    Column("calibration", Text, nullable=False),  # see answers.calibration_token
    Column("is_joint", Truth, nullable=False),  # faces were answered jointly, see engine.joint
    UniqueConstraint("change", "encoder", "calibration", "is_joint"),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("sighting_id", ForeignKey("sightings.id", ondelete="CASCADE"), primary_key=True),
    # Of what the gallery's own answer is; none where that is to be made anew.
    Column("state_id", Whole(optional=True), ForeignKey("answer_states.id"), index=True),
    # What is said: by a person, else by the gallery itself.
    Column("decided", Text, nullable=False, server_default=text("'undecided'")),
    Column("owner", Whole, nullable=False, server_default=text("0")),  # see decided_faces
    Column("verdict", Text, nullable=False, server_default=text("''")),  # empty: not answered yet
    Column("character_id", Whole(optional=True)),
    # The gallery's own answer, which is said again where a decision is undone.
    Column("own_verdict", Text, nullable=False, server_default=text("''")),
    Column("own_character_id", Whole(optional=True)),
    Column("distance", Real(optional=True)),
    Column("likelihood", Real(optional=True)),
    Column("stranger", Real(optional=True)),
    Column("rank", Real, nullable=False, server_default=text("0")),  # more is likelier
    Column("alternatives", Bytes, nullable=False, server_default=text("x''")),
    # Since which revision the gallery says what it says, see state.
    Column("since", Whole, nullable=False, server_default=text("0")),
    Index("ix_answers_views", "decided", "verdict", "character_id", "rank", "sighting_id", "since"),
    # Most faces nobody decided of.
    Index("ix_answers_owner", "owner", sqlite_where=text("owner != 0")),
)

answer_counts = Table(
    "answer_counts",
    metadata,
    # 0 for none, since what is none is unlike itself in a key.
    Column("state_id", Whole, primary_key=True),
    Column("decided", Text, primary_key=True),
    Column("verdict", Text, primary_key=True),
    Column("character_id", Whole, primary_key=True),
    Column("faces", Whole, nullable=False),
)

sent = Table(
    "sent",
    metadata,
    Column("place", Text, primary_key=True),  # the program, its address and a part of it
    Column("digest", Text, primary_key=True),  # SHA-256 of the file
    Column("item", Text, primary_key=True),  # what of it was sent: a tag, a face, an appearance
    Column("said", Text, nullable=False),  # what was said of the item; empty where it says it all
    Column("remote", Text, nullable=False),  # what the program knows it by; empty where by itself
    Column("state", Text, nullable=False),  # see sent.SentState
)
