"""Damaged audio files, through the app with its real worker process."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from genredag.prediction.app.limits import Limits
from genredag.prediction.app.server import make_server

pytestmark = pytest.mark.slow

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "aiff": ("AIFF", "PCM_16"),
}
PER_FORMAT = 12


def encoded(suffix: str) -> bytes:
    buffer = io.BytesIO()
    tone = 0.3 * np.sin(np.arange(22050) * 0.1)
    kind, subtype = FORMATS[suffix]
    soundfile.write(buffer, tone, 22050, format=kind, subtype=subtype)
    return buffer.getvalue()


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite, cut out or repeat parts, mostly near the beginning, where the headers are."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 30)):
        place = int(rng.integers(len(data))) if rng.random() < 0.4 else int(rng.integers(min(200, len(data))))
        kind = rng.integers(4)
        if kind == 0:
            data[place] = int(rng.integers(256))
        elif kind == 1:
            data[place : place + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        elif kind == 2:
            del data[place : place + int(rng.integers(64))]
        else:
            data[place:place] = data[place : place + int(rng.integers(64))]
        data = data or bytearray(b"x")
    return bytes(data)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_songs_are_read_or_refused(suffix, offered, tmp_path):
    rng, content = np.random.default_rng(1), encoded(suffix)
    server = make_server(offered[:0], None, Limits(job_seconds=300), parent=tmp_path)
    with TestClient(server) as client:
        for _ in range(PER_FORMAT):
            answer = client.post(f"/api/songs?name=song.{suffix}", content=damaged(content, rng))
            assert answer.status_code in (200, 413, 422), answer.text
            if answer.status_code == 200:
                client.delete(f"/api/songs/{answer.json()['id']}")
            else:
                assert answer.json()["error"]["what"]
                assert str(tmp_path) not in answer.text
            left = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
            assert left == []
    assert list(tmp_path.iterdir()) == []
