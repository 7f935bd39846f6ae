"""Frame stores of shards, joined into the store of all tracks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.frames.rendering import frame_index, write_header
from genredag.frames.store import FrameSpec
from genredag.runtime.files import atomic_path, write_json, write_parquet

_BLOCK_BYTES = 1 << 24


def join_frames(parts: Sequence[Path], out_dir: Path) -> FrameSpec:
    """Write one frame store into `out_dir`: those in the folders `parts`, one after the other.

    The files have the same bytes as if one job had rendered all tracks. Frames are copied block by block.

    Raises
    ------
    DataError
        The parts were rendered with different parameters.
    """
    spec = _joined_spec(parts)
    with atomic_path(out_dir / "frames.npy") as temporary, temporary.open("wb") as joined:
        write_header(joined, spec.total_frames, spec)
        for part in parts:
            with (part / "frames.npy").open("rb") as file:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                shutil.copyfileobj(file, joined, _BLOCK_BYTES)
    indices = [pd.read_parquet(part / "frames.parquet") for part in parts]
    tracks = pd.concat([index for index in indices if len(index)], ignore_index=True)
    write_parquet(out_dir / "frames.parquet", frame_index(tracks, tracks["n_frames"].tolist()))
    write_json(out_dir / "frames.json", asdict(spec))
    return spec


def _joined_spec(parts: Sequence[Path]) -> FrameSpec:
    specs = [FrameSpec(**json.loads((part / "frames.json").read_text(encoding="utf-8"))) for part in parts]
    # A shard without tracks knows nothing of spectrograms as published.
    used = {part: spec for part, spec in zip(parts, specs, strict=True) if spec.n_tracks}
    first = next(iter(used.values()))
    for part, spec in used.items():
        if replace(spec, n_tracks=first.n_tracks, total_frames=first.total_frames) != first:
            raise DataError(
                "the shards were rendered with different parameters",
                where=str(part),
                hint="remove the folder of the shards",
            )
    n_tracks = sum(spec.n_tracks for spec in specs)
    return replace(first, n_tracks=n_tracks, total_frames=sum(spec.total_frames for spec in specs))
