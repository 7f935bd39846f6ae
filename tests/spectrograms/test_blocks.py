import numpy as np
import pytest

from genredag.params.groups.base import Group
from genredag.params.groups.spectrograms import (
    ChromaCens,
    ChromaCqt,
    ChromaStft,
    Cqt,
    Handcrafted,
    Mel,
    Mfcc,
    Stack,
    Stft,
)
from genredag.spectrograms import blocks as module
from genredag.spectrograms.blocks import blocks, blockwise
from genredag.spectrograms.registry import REPRESENTATIONS

SR = 13_000
STFT = {"n_fft": 256, "hop_length": 130, "window": "hann", "n_bins": 20, "fmin": 60.0, "top_db": 80.0}
CHROMA = {"n_chroma": 12, "tuning": 0.0}
CONSTANT_Q = {"hop_length": 128, "bins_per_octave": 12, "n_octaves": 3, "fmin": 110.0}
GROUPS = {
    "stft": Stft(axis="log", **STFT),
    "mel": Mel(
        n_fft=256, hop_length=130, window="hann", n_mels=16, fmin=0.0, fmax=6500.0, scale="db", top_db=80.0
    ),
    "cqt": Cqt(hop_length=128, bins_per_octave=12, n_bins=36, fmin=110.0, top_db=80.0),
    "handcrafted": Handcrafted(n_fft=256, hop_length=130, n_mfcc=13),
    "mfcc": Mfcc(
        **{"n_fft": 256, "hop_length": 130, "window": "hann", "n_mels": 16, "n_mfcc": 13},
        **{"fmin": 0.0, "fmax": None, "top_db": 80.0},
    ),
    "chroma_stft": ChromaStft(n_fft=512, hop_length=130, window="hann", **CHROMA),
    "chroma_cqt": ChromaCqt(**CHROMA, **CONSTANT_Q),
    "chroma_cens": ChromaCens(**CHROMA, **CONSTANT_Q, smooth_frames=41),
}
GROUPS["stack"] = Stack(
    n_bins=20,
    channels={name: GROUPS[name] for name in ("stft", "mel", "mfcc", "chroma_stft")},
)


def music(n_samples: int) -> np.ndarray:
    """Tones and noise that start after silence, are loud once, and fade to 80 dB below."""
    rng, time = np.random.default_rng(0), np.arange(n_samples) / SR
    y = np.sin(2 * np.pi * 220 * (1 + time // 1 % 3) * time) * (time % 0.5 < 0.2)
    y = y + 0.05 * rng.standard_normal(n_samples)
    loud = np.where(time < 1, 0, np.where(abs(time - 4) < 0.3, 1, 0.1)) * np.where(time > 8, 1e-4, 1)
    return (y * loud).astype(np.float32)


def in_blocks(name: str, y: np.ndarray, piece: int) -> np.ndarray:
    params = GROUPS[name]
    return of_blocks(name, params, y, piece)


def of_blocks(name: str, params: Group, y: np.ndarray, piece: int) -> np.ndarray:
    whole = blockwise(name, SR, params)

    def all_blocks():
        pieces = (y[i : i + piece] for i in range(0, len(y), piece))
        return blocks(pieces, params.hop_length, whole.context)

    for block in all_blocks():
        whole.look(block)
    whole.finish()
    return np.concatenate([whole.values(block) for block in all_blocks()])


@pytest.mark.parametrize("name", ["stft", "mel", "handcrafted", "mfcc", "chroma_stft", "stack"])
@pytest.mark.parametrize("n_samples", [10 * SR, 9 * SR + 17, 130 * 64, 1])
def test_the_frames_are_those_of_the_whole_track(name, n_samples, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_FRAMES", 64)
    y = music(10 * SR)[SR:][:n_samples] if n_samples < SR else music(n_samples)
    expected = REPRESENTATIONS[name].transform(y, SR, GROUPS[name])
    found = in_blocks(name, y, 5_001)
    if name == "handcrafted":  # matrix products of other sizes round differently
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)
    elif name in {"mfcc", "chroma_stft", "stack"}:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    else:
        np.testing.assert_array_equal(found, expected)


def test_a_constant_q_transform_differs_by_rounding(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_FRAMES", 256)
    monkeypatch.setattr(module, "CQT_CONTEXT_FRAMES", 128)
    y = music(10 * SR)
    expected = REPRESENTATIONS["cqt"].transform(y, SR, GROUPS["cqt"])
    found = in_blocks("cqt", y, 7_777)
    assert found.shape == expected.shape
    loud = expected > -60
    np.testing.assert_allclose(found[loud], expected[loud], atol=1e-3)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_power_is_that_of_the_whole_track(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_FRAMES", 64)
    params = GROUPS["mel"].model_copy(update={"scale": "power"})
    expected = REPRESENTATIONS["mel"].transform(music(9 * SR), SR, params)
    np.testing.assert_array_equal(of_blocks("mel", params, music(9 * SR), 5_001), expected)


@pytest.mark.parametrize("name", ["chroma_cqt", "chroma_cens"])
def test_constant_q_chroma_are_those_of_the_whole_track(name, monkeypatch):
    """Except in near silence, where they are the noise of rounding, and where it decides a quantisation."""
    monkeypatch.setattr(module, "BLOCK_FRAMES", 256)
    monkeypatch.setattr(module, "CQT_CONTEXT_FRAMES", 128)
    y = music(8 * SR)[SR:]
    expected = REPRESENTATIONS[name].transform(y, SR, GROUPS[name])
    found = in_blocks(name, y, 7_777)
    assert found.shape == expected.shape
    assert np.isclose(found, expected, atol=1e-3).mean() > 0.99


def test_channels_of_a_stack_have_contexts_of_their_own(monkeypatch):
    """A constant-Q chromagram needs seconds around a frame, mel half a window: its bits stay the same."""
    monkeypatch.setattr(module, "BLOCK_FRAMES", 256)
    monkeypatch.setattr(module, "CQT_CONTEXT_FRAMES", 128)
    y, mel = music(8 * SR)[SR:], GROUPS["mel"].model_copy(update={"hop_length": 128})
    stack = Stack(n_bins=16, channels={"mel": mel, "chroma_cqt": GROUPS["chroma_cqt"]})
    expected = REPRESENTATIONS["stack"].transform(y, SR, stack)
    found = of_blocks("stack", stack, y, 7_777)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found[:, :16], expected[:, :16])
    assert np.isclose(found, expected, atol=1e-3).mean() > 0.99


@pytest.mark.parametrize("piece", [1, 100, 1_000_000])
def test_blocks_hold_every_sample_that_their_frames_need(piece, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_FRAMES", 8)
    y = np.arange(1.0, 1001.0)
    pieces = (y[i : i + piece] for i in range(0, len(y), piece))
    found = list(blocks(pieces, hop_length=10, context=25))
    assert [frame for block in found for frame in block.frames] == list(range(101))
    padded = np.pad(y, 25)
    for block in found:
        first, last = 10 * block.frames[0], 10 * block.frames[-1]
        np.testing.assert_array_equal(block.padded("constant"), padded[first : last + 50])
