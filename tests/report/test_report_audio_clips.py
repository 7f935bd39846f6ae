import base64
import io

import numpy as np
import pytest
import soundfile

from genredag.report.audio_clips import clip_address


@pytest.mark.parametrize(("length", "expected"), [(3.0, 1.0), (0.5, 0.5)])
def test_a_clip_is_the_beginning_as_mono_mp3(tmp_path, length, expected):
    tone = np.sin(2 * np.pi * 440 * np.arange(int(length * 44100)) / 44100)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 44100)
    head, _, data = clip_address(tmp_path / "a.wav", 1.0).partition(",")
    assert head == "data:audio/mpeg;base64"
    samples, sr = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert (samples.ndim, sr) == (1, 22050)
    assert len(samples) / sr == pytest.approx(expected, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * sr / len(samples) == pytest.approx(440, abs=3)


def test_a_missing_or_broken_file_gives_none(tmp_path):
    (tmp_path / "broken.mp3").write_bytes(b"no audio")
    assert clip_address(tmp_path / "gone.wav", 1.0) is None
    assert clip_address(tmp_path / "broken.mp3", 1.0) is None
