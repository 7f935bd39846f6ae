from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from genredag.errors import DataError
from genredag.tracks.audio import Probe, decode, probe, probe_all
from genredag.tracks.decoders import BLOCK, open_channels

LIMITS = {"min_seconds": 0.05, "silence_db": -60.0}


def sine(seconds: float = 0.5, sr: int = 8000, frequency: float = 440.0) -> np.ndarray:
    return np.round(20_000 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * sr)) / sr)).astype(
        np.int16
    )


def write(path: Path, samples: np.ndarray, sr: int = 8000, **how: str) -> Path:
    soundfile.write(path, samples, sr, **how)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "au", "aiff"])
def test_lossless_files_give_their_samples(tmp_path, suffix):
    samples, sr = decode(write(tmp_path / f"a.{suffix}", sine()))
    assert sr == 8000
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples * 32768, sine())


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6, 8])
@pytest.mark.parametrize("format_", [("wav", "FLOAT"), ("ogg", "VORBIS")])
def test_mono_is_the_mean_of_the_channels(tmp_path, n_channels, format_):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, n_channels)).astype(np.float32)
    path = write(tmp_path / f"a.{format_[0]}", samples, subtype=format_[1])
    with open_channels(path) as (_, blocks):
        expected = np.concatenate([block.mean(axis=1, dtype=np.float32) for block in blocks])
    # The same bits, up to seven channels: cached frames and hashes depend on them.
    np.testing.assert_allclose(decode(path)[0], expected, rtol=0, atol=1e-6 if n_channels > 7 else 0)


@pytest.mark.parametrize("suffix", ["mp3", "ogg"])
def test_lossy_files_give_nearly_their_samples(tmp_path, suffix):
    samples, sr = decode(write(tmp_path / f"a.{suffix}", sine(2, 22050) / 32768, 22050))
    assert sr == 22050
    spectrum = np.abs(np.fft.rfft(samples[:22050]))
    assert spectrum.argmax() == 440


def test_channels_are_averaged(tmp_path):
    stereo = np.stack([sine(), np.zeros_like(sine())], axis=1)
    samples, _ = decode(write(tmp_path / "a.wav", stereo))
    np.testing.assert_array_equal(samples * 32768, sine() / 2)


def test_a_long_file_is_decoded_as_a_whole(tmp_path):
    samples = np.arange(2 * BLOCK + 17).astype(np.int16)
    np.testing.assert_array_equal(decode(write(tmp_path / "a.wav", samples))[0] * 32768, samples)


@pytest.mark.parametrize(("sr", "n_samples"), [(8000, 4000), (16000, 8000), (4000, 2000)])
def test_resampling_keeps_duration_and_pitch(tmp_path, sr, n_samples):
    samples, new_sr = decode(write(tmp_path / "a.wav", sine(0.5)), sr)
    assert (new_sr, samples.shape, samples.dtype) == (sr, (n_samples,), np.float32)
    assert np.abs(np.fft.rfft(samples)).argmax() == 220  # 440 Hz in bins of 2 Hz
    assert np.abs(samples).max() == pytest.approx(20_000 / 32768, rel=0.05)


def garbage(path: Path) -> Path:
    path.write_bytes(b"RIFF, but not really" * 100)
    return path


def not_a_number(path: Path) -> Path:
    return write(path, np.array([0.1, np.nan] * 500, dtype=np.float32), subtype="FLOAT")


def huge(path: Path, value: float = 1e30) -> Path:
    return write(path, np.array([0.1, -value] * 500, dtype=np.float32), subtype="FLOAT")


def cancelling(path: Path) -> Path:
    return write(path, np.stack([sine(), -sine()], axis=1))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda path: path, "no such file"),
        (garbage, "Format not recognised.*Hint: try to play the file"),
        (lambda path: path.touch() or path, "the file is empty"),
        (lambda path: write(path, sine()[:0]), "no samples"),
        (not_a_number, "NaN or infinite"),
        (huge, r"not audio: samples up to 1e\+30 times full scale; expected -1 to 1. Hint: scale"),
    ],
    ids=["missing", "garbage", "empty file", "no samples", "nan", "huge"],
)
def test_undecodable_files_are_reported(tmp_path, make, match):
    with pytest.raises(DataError, match=match) as caught:
        decode(make(tmp_path / "a.wav"))
    assert str(caught.value).startswith(str(tmp_path / "a.wav"))


def test_a_probe_returns_duration_rate_and_hash(tmp_path):
    expected = hashlib.sha256(sine().astype("<i2").tobytes()).hexdigest()
    assert probe(write(tmp_path / "a.wav", sine()), **LIMITS) == Probe(0.5, 8000, expected, "")


@settings(deadline=None, max_examples=30)
@given(samples=hnp.arrays(np.int16, st.integers(8, 3000)))
def test_the_hash_does_not_depend_on_the_container(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("wraps")
    limits = {"min_seconds": 0.0001, "silence_db": -1000.0}
    stereo = np.stack([samples, samples], axis=1)
    wraps = [write(folder / f"a.{suffix}", samples) for suffix in ("wav", "flac", "au", "aiff")]
    wraps += [write(folder / "b.wav", samples / 32768, subtype="FLOAT"), write(folder / "c.wav", stereo)]
    hashes = {probe(path, **limits).sha256 for path in wraps}
    changed = samples.copy()
    changed[-1] ^= 1
    assert len(hashes) == 1
    assert probe(write(folder / "d.wav", changed), **limits).sha256 not in hashes


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path, "missing"),
        (garbage, "unreadable: Format not recognised"),
        (not_a_number, "unreadable: some samples are NaN or infinite"),
        (huge, "unreadable: not audio: samples up to 1e+30 times full scale; expected -1 to 1"),
        (
            lambda path: huge(path, 1001.0),
            "unreadable: not audio: samples up to 1e+03 times full scale; expected -1 to 1",
        ),
        (lambda path: huge(path, 1000.0), ""),
        (cancelling, "silent in mono: the channels, with a peak of -4 dBFS, cancel each other"),
        (lambda path: write(path, np.zeros((4000, 2))), "silent: peak -inf dBFS"),
        (lambda path: write(path, sine(0.02)), "too short: 0.02 s"),
        (lambda path: write(path, sine(0.0)), "too short: 0.00 s"),
        (lambda path: write(path, sine() * 0), "silent: peak -inf dBFS"),
        (lambda path: write(path, sine() // 2000), "silent: peak -70 dBFS"),
        (lambda path: write(path, sine() // 200), ""),
    ],
)
def test_a_probe_reports_problems(tmp_path, make, problem):
    assert probe(make(tmp_path / "a.wav"), **LIMITS).problem == problem


def test_a_file_that_is_not_mp3_is_reported(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"no music")
    assert probe(tmp_path / "a.mp3", **LIMITS).problem == "unreadable: Format not recognised"


def test_a_truncated_flac_is_unreadable(tmp_path):
    noise = np.random.default_rng(0).integers(-9999, 9999, 80_000, dtype=np.int16)
    path = write(tmp_path / "a.flac", noise)
    path.write_bytes(path.read_bytes()[:50_000])
    assert probe(path, **LIMITS).problem.startswith("unreadable: ")


def test_a_track_that_takes_too_much_memory_or_time_is_refused(tmp_path):
    path = write(tmp_path / "a.wav", np.resize(sine(), 2 * BLOCK))  # 2.1 MB of float32
    assert probe(path, **LIMITS, max_megabytes=2.2, max_decoding_seconds=60).problem == ""
    assert probe(path, **LIMITS, max_megabytes=1.5).problem == "too long: more than 1.5 MB when decoded"
    slow = probe(path, **LIMITS, max_decoding_seconds=1e-9)
    assert slow.problem == "decoding takes more than 1e-09 s"
    limits = {"max_megabytes": 1.5, "max_decoding_seconds": 60.0}
    assert probe_all([path], n_jobs=1, **LIMITS, **limits)[0].problem.startswith("too long")


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_many_files_are_probed_in_order(tmp_path, n_jobs):
    paths = [write(tmp_path / f"{index}.wav", sine(0.1 * index)) for index in (3, 1, 2)]
    probes = probe_all([*paths, tmp_path / "none.wav"], n_jobs=n_jobs, **LIMITS)
    assert [round(found.duration, 3) for found in probes] == [0.3, 0.1, 0.2, 0.0]
    assert probes[-1].problem == "missing"


def test_a_real_song_is_decoded(shared_dir):
    song = next((shared_dir / "songs").glob("*.ogg"))
    samples, sr = decode(song, 22050)
    info = soundfile.info(song)
    assert sr == 22050
    assert samples.size == pytest.approx(info.duration * 22050, abs=1)
    assert 0.05 < np.abs(samples).max() <= 1.1
    expected, _ = soundfile.read(song, dtype="float32", always_2d=True)
    np.testing.assert_allclose(decode(song)[0], expected.mean(axis=1), atol=2e-6)
