"""Clips of tracks, small enough to embed in a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from genredag.errors import DataError

_SR = 22050


def clip_address(path: Path, seconds: float) -> str | None:
    """Return the first `seconds` of an audio file as a data URL, or None if it can't be read.

    The clip is mono MP3 at 22.05 kHz, which every browser plays, and takes 4 KB per second.
    """
    import soundfile

    from genredag.tracks.audio import decode

    try:
        samples, _ = decode(path, _SR)
    except DataError:
        return None
    buffer = io.BytesIO()
    clip = samples[: round(seconds * _SR)].clip(-1, 1)
    soundfile.write(buffer, clip, _SR, format="MP3", compression_level=0.9)
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
