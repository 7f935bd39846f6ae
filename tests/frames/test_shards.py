from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.errors import DataError
from genredag.frames import shards
from genredag.frames.rendering import render
from genredag.frames.shards import join_frames
from genredag.frames.store import open_frames
from genredag.params.groups.spectrograms import Mel, Rendering, Shift
from genredag.tracks.shards import Shard

SR = 8000
MEL = Mel(n_fft=256, hop_length=100, window="hann", n_mels=12, fmin=0.0, fmax=4000.0, scale="db", top_db=80.0)
PLAIN = Rendering(sr=SR, dtype="float16", shifts=[])
SHIFTED = PLAIN.model_copy(update={"shifts": [Shift(pitch_semitones=12.0, tempo=1.0)]})
UINT8 = PLAIN.model_copy(update={"dtype": "uint8"})
FILES = ("frames.npy", "frames.parquet", "frames.json")
SECONDS = {"a.0": 0.5, "a.1": 0.73, "b.0": 0.2, "b.1": 0.9, "b.2": 0.31}


@pytest.fixture
def audio(tmp_path):
    """A manifest of tracks of different lengths, one of them in quarantine."""
    rng = np.random.default_rng(0)
    for track_id, seconds in SECONDS.items():
        soundfile.write(tmp_path / f"{track_id}.wav", 0.1 * rng.standard_normal(int(seconds * SR)), SR)
    tracks = pd.DataFrame({"track_id": SECONDS.keys(), "duration": SECONDS.values(), "sr": SR})
    tracks = tracks.assign(path=tracks["track_id"] + ".wav", status="ok")
    tracks.loc[1, "status"] = "quarantined"
    return tracks


@pytest.fixture
def published(tmp_path):
    """A manifest of spectrograms as published, in two files whose tracks are interleaved."""
    rng = np.random.default_rng(0)
    for name, track_ids in {"one.npz": ["a.0", "b.0"], "two.npz": ["a.1"]}.items():
        mel = rng.integers(3, 256, (len(track_ids), 12, 40), np.uint8)
        np.savez(tmp_path / name, mel=mel, track_id=np.array(track_ids))
    tracks = pd.DataFrame({"track_id": ["a.0", "a.1", "b.0"], "path": ["one.npz", "two.npz", "one.npz"]})
    return tracks.assign(duration=10.0, sr=0, status="ok")


def parts_of(manifest, rendering, folder, total):
    """Render in shards, and return their folders."""
    parts = [folder / f"{number}-of-{total}" for number in range(1, total + 1)]
    for number, part in enumerate(parts, start=1):
        shard = Shard(number, total)
        render(manifest, "mel", MEL, rendering, cache_dir=folder, out_dir=part, n_jobs=1, shard=shard)
    return parts


def files(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("total", [2, 3, 11])
@pytest.mark.parametrize("rendering", [PLAIN, SHIFTED, UINT8], ids=["plain", "shifted", "uint8"])
def test_joined_shards_are_the_files_of_one_job(audio, tmp_path, monkeypatch, rendering, total):
    monkeypatch.setattr(shards, "_BLOCK_BYTES", 100)
    render(audio, "mel", MEL, rendering, cache_dir=tmp_path, out_dir=tmp_path / "whole", n_jobs=1)
    spec = join_frames(parts_of(audio, rendering, tmp_path, total), tmp_path / "joined")
    assert files(tmp_path / "joined") == files(tmp_path / "whole")
    assert open_frames(tmp_path / "joined").spec == spec
    assert spec.n_tracks == 4 * (1 + len(rendering.shifts))


def test_a_shard_holds_its_tracks_alone(audio, tmp_path):
    parts = parts_of(audio, SHIFTED, tmp_path, 4)
    held = [pd.read_parquet(part / "frames.parquet")["track_id"].tolist() for part in parts]
    copies = [["a.0~pitch+12", "b.0~pitch+12"], ["b.1~pitch+12", "b.2~pitch+12"]]
    assert held == [["a.0", "b.0"], ["b.1", "b.2"], *copies]
    assert open_frames(parts[1]).index["first_frame"].tolist()[0] == 0


@pytest.mark.parametrize("total", [2, 5])
def test_published_spectrograms_are_all_in_the_first_shard(published, tmp_path, total):
    render(published, "mel", MEL, UINT8, cache_dir=tmp_path, out_dir=tmp_path / "whole", n_jobs=1)
    parts = parts_of(published, UINT8, tmp_path, total)
    assert files(parts[0]) == files(tmp_path / "whole")
    join_frames(parts, tmp_path / "joined")
    assert files(tmp_path / "joined") == files(tmp_path / "whole")


def test_shards_of_other_parameters_are_refused(audio, tmp_path):
    parts = parts_of(audio, PLAIN, tmp_path, 2)
    render(
        *(audio, "mel", MEL.model_copy(update={"top_db": 60.0}), PLAIN),
        **{"cache_dir": tmp_path, "out_dir": parts[1], "n_jobs": 1, "shard": Shard(2, 2)},
    )
    with pytest.raises(DataError, match="2-of-2: the shards were rendered with different parameters"):
        join_frames(parts, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_an_empty_data_set_has_no_shards(audio, tmp_path):
    with pytest.raises(DataError, match="no usable track"):
        parts_of(audio.assign(status="quarantined"), PLAIN, tmp_path, 2)
