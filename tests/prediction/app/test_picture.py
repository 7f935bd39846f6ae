"""The waveform and the spectrogram of a song."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from genredag.errors import DataError
from genredag.prediction.app.limits import TooLongError
from genredag.prediction.app.picture import HOP, ROWS, SR, WIDTH, draw, song_pieces


def write(path, samples, sr=SR):
    soundfile.write(path, samples, sr, subtype="FLOAT")
    return path


def pixels(picture) -> np.ndarray:
    return np.frombuffer(picture.spectrogram, np.uint8).reshape(-1, ROWS)


@pytest.mark.parametrize("seconds", [0.01, 1, 12, 40])
@pytest.mark.parametrize("sr", [SR, 44_100, 8_000])
def test_a_picture_has_the_shape_of_the_song(tmp_path, seconds, sr):
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * sr))
    picture = draw(write(tmp_path / "a.wav", samples, sr), 60)
    assert picture.duration == pytest.approx(seconds, abs=2e-3)
    n_columns = len(pixels(picture))
    assert n_columns == len(picture.peaks) <= WIDTH
    assert n_columns == pytest.approx(min(WIDTH, seconds * SR / HOP), abs=1)
    assert pixels(picture).max() == 255


@pytest.mark.parametrize("hz", [60, 110, 440, 3000, 9000])
def test_a_tone_is_where_it_sounds(tmp_path, hz):
    picture = draw(write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * hz * np.arange(SR) / SR)), 60)
    row = pixels(picture)[20].argmax()
    assert picture.hz[row] == pytest.approx(hz, rel=0.25 if hz < 100 else 0.07)
    assert picture.peaks[10] == pytest.approx(0.5, abs=0.02)


def test_time_runs_from_left_to_right_across_blocks(tmp_path):
    samples = np.zeros(60 * SR)
    samples[int(35.5 * SR) : int(36.5 * SR)] = 0.5 * np.sin(np.arange(SR))
    picture = draw(write(tmp_path / "a.wav", samples), 60)
    columns = pixels(picture).max(axis=1)
    assert columns.argmax() / len(columns) == pytest.approx(36 / 60, abs=0.01)
    assert picture.peaks.index(max(picture.peaks)) / len(picture.peaks) == pytest.approx(36 / 60, abs=0.01)
    assert (columns[: len(columns) // 2] == 0).all()


def test_the_limit_is_exact(tmp_path):
    path = write(tmp_path / "a.wav", np.ones(5 * SR) * 0.1)
    assert draw(path, 5).duration == 5
    with pytest.raises(TooLongError, match=r"longer than 0\.08"):
        draw(path, 4.99)


def test_a_song_that_is_too_long_is_not_decoded_to_its_end(tmp_path):
    path = write(tmp_path / "a.wav", np.zeros(100 * SR))
    decoded = 0
    with pytest.raises(TooLongError):
        for piece in song_pieces(path, SR, 10):
            decoded += len(piece)
    assert decoded < 40 * SR


@pytest.mark.parametrize(("samples", "what"), [(np.zeros(0), "no samples"), (np.zeros(SR), "silent")])
def test_there_is_no_picture_of_nothing(tmp_path, samples, what):
    with pytest.raises(DataError, match=what):
        draw(write(tmp_path / "a.wav", samples), 60)
