"""Times as people write them: 83.5, 1:23.5 and 0:01:23.5 are the same."""

from __future__ import annotations

import re

from gallery.errors import BadSetting

FORM = re.compile(r"(?:(?:(\d{1,9}):)?([0-5]?\d):)?(\d{1,9}(?:\.\d*)?)")


def seconds_of(text: str) -> float:
    """Return a time in seconds. Raises InputError for what is no time."""
    found = FORM.fullmatch(text.strip())
    if found is None or (found[2] is not None and float(found[3]) >= 60):
        raise BadSetting("time", f"{text!r} is no time", "write seconds or hours:minutes:seconds")
    return int(found[1] or 0) * 3600.0 + int(found[2] or 0) * 60.0 + float(found[3])


def timecode(seconds: float) -> str:
    """Return a time as hours, minutes, seconds and thousandths: 0:01:23.500."""
    thousandths = max(round(seconds * 1000), 0)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
