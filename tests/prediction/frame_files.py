"""Files of precomputed frames: two genres, one with rising and one with falling sweeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

GENRES = ("fall", "rise")
N_FRAMES, N_BINS = 60, 16


def frames_of(genre: str, rng: np.random.Generator) -> np.ndarray:
    """Return a noisy sweep (n_bins, n_frames), uint8."""
    time, bins = np.arange(N_FRAMES), np.arange(N_BINS)[:, np.newaxis]
    sign = 1 if genre == "rise" else -1
    wave = np.cos(2 * np.pi * (time / 10 - sign * bins / 8) + rng.uniform(0, 6))
    return (120 + 50 * wave + rng.normal(0, 20, wave.shape)).clip(0, 255).astype(np.uint8)


def write_tracks(path: Path, prefix: str, n_tracks: int, seed: int = 0, **changes: object) -> list[str]:
    """Write an ``.npz`` of `n_tracks` tracks, whose ids end in their number; the genre follows its parity."""
    rng = np.random.default_rng(seed)
    ids = [f"{prefix}.{i:02}" for i in range(n_tracks)]
    mel = np.stack([frames_of(GENRES[i % 2], rng) for i in range(n_tracks)])
    np.savez(path, **{"mel": mel, "track_id": np.array(ids)} | changes)
    return ids


def write_table(path: Path, ids: list[str], artists: bool = True) -> None:
    """Write ``tracks.csv``: two successive tracks of a genre are by one artist."""
    numbers = [int(track_id.split(".")[1]) for track_id in ids]
    table = pd.DataFrame({"track_id": ids, "genre": [GENRES[i % 2] for i in numbers]})
    table["artist"] = [f"{name.split('.')[0]} {i // 4} {i % 2}" for name, i in zip(ids, numbers, strict=True)]
    table.to_csv(path, index=False, columns=["track_id", "genre", *(["artist"] if artists else [])])
