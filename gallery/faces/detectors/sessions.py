"""Files of networks that ship with gallery: checked by their digest, opened for so many cores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import DamagedDetector, UnusableDetector
from gallery.faces.detectors.onnx_file import open_session
from gallery.system.reading import read_file

if TYPE_CHECKING:
    import onnxruntime


def checked_digest(path: Path, sha256: str | None) -> str:
    """Return the SHA-256 of a file, empty where it is not there.

    Raises SetupError where another is wanted.
    """
    try:
        digest = hashlib.sha256(read_file(path)).hexdigest()
    except OSError:
        digest = ""
    if sha256 is not None and digest != sha256:
        what = "is damaged or was changed" if digest else "is missing"
        raise DamagedDetector(path, f"The detector's network {path} {what}")
    return digest


def open_for(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file for so many threads; raises SetupError as `open_session` does."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning ones take the cores that decoding and encoding want.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return open_session(path, options)


def checked_input(
    session: onnxruntime.InferenceSession,
    path: Path,
    takes: tuple[int | None, ...],
    gives: tuple[int | None, ...],
    expected: str,
) -> str:
    """Return the name of the one input, uint8, of a network with one output, float.

    Their shapes are as `takes` and `gives` say, where None is any size; an output's size may be
    open. Raises SetupError, which says what is expected, where inputs or outputs are others.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        len(inputs) == len(outputs) == 1
        and inputs[0].type == "tensor(uint8)"
        and len(inputs[0].shape) == len(takes)
        and all(size in {None, own} for own, size in zip(inputs[0].shape, takes, strict=True))
        and outputs[0].type == "tensor(float)"
        and len(outputs[0].shape) == len(gives)
        and all(
            size in {None, own} or not isinstance(own, int)
            for own, size in zip(outputs[0].shape, gives, strict=True)
        )
    )
    if not fits:
        raise UnusableDetector(path, f"has {_described(session)}", f"expected is {expected}")
    return str(inputs[0].name)


def _described(session: onnxruntime.InferenceSession) -> str:
    """Return a file's inputs and outputs as a part of a sentence."""
    inputs = ", ".join(f"{one.name} {one.shape} {one.type}" for one in session.get_inputs())
    outputs = ", ".join(f"{one.name} {one.shape}" for one in session.get_outputs())
    return f"input {inputs} and output {outputs}"
