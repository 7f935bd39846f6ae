"""Makers of compressed audio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 6: "5.1", 8: "7.1"}


def _encode(path: Path, samples: np.ndarray, sr: int, codec: str, bit_rate: int = 0, **options: str) -> Path:
    """Encode float samples, (n_samples,) or (n_samples, n_channels); `options` are the container's."""
    if codec == "libvorbis":  # PyAV's wheels can decode but not encode it
        soundfile.write(path, samples, sr, format="OGG", subtype="VORBIS")
        return path
    channels = samples.reshape(len(samples), -1).astype(np.float32)
    layout = LAYOUTS[channels.shape[1]]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=sr, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        # Interleaved: PyAV's planar frames of eight channels claim to have nine.
        frame = av.AudioFrame.from_ndarray(channels.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate = sr
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def encode() -> Callable[..., Path]:
    return _encode
