from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.datasets.registry import build_manifest, join_manifest, list_tracks, probe_tracks
from genredag.datasets.shards import read_listing, write_listing, write_probes
from genredag.errors import DataError
from genredag.params.loading import parse_params
from genredag.runtime.files import write_csv, write_parquet
from genredag.tracks.manifest import quarantine_table
from genredag.tracks.shards import Shard

SR = 8000


@pytest.fixture
def music(tree, tmp_path):
    """A folder with unusable tracks, the same audio in several shards, and files that are no tracks."""
    rng = np.random.default_rng(0)
    root = tmp_path / "music"
    for name in ("jazz/a", "jazz/b", "jazz/c", "rock/a", "rock/b", "rock/c", "rock/d"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / f"{name}.wav", 0.1 * rng.standard_normal(2 * SR), SR)
    (root / "rock/copy.wav").write_bytes((root / "rock/a.wav").read_bytes())
    (root / "rock/conflict.wav").write_bytes((root / "jazz/b.wav").read_bytes())
    (root / "jazz/broken.wav").write_bytes(b"no audio")
    soundfile.write(root / "jazz/silent.wav", np.zeros(2 * SR), SR)
    (root / "jazz/cover.jpg").touch()
    (root / "rock/notes.txt").touch()
    tree["datasets"]["folder"]["path"] = str(root)
    tree["download"]["max_skipped"] = 0.9
    return parse_params(tree)


def in_shards(params, cache, folder, total):
    """Decode in shards, through files, and return the files of the manifest and of the quarantine."""
    args = ("folder", params.datasets.folder, params.download, cache, 1)
    write_listing(folder / "tracks.parquet", list_tracks(*args))
    probes = []
    for number in range(1, total + 1):
        listed = read_listing(folder / "tracks.parquet").tracks
        tracks = listed.iloc[Shard(number, total).rows(len(listed))]
        probes.append(folder / f"{number}.parquet")
        write_probes(probes[-1], tracks, probe_tracks("folder", tracks, *args[1:]))
    return written(folder, *join_manifest("folder", folder / "tracks.parquet", probes, params.download))


def written(folder, manifest, left_out):
    write_parquet(folder / "manifest.parquet", manifest)
    write_csv(folder / "quarantine.csv", quarantine_table(manifest, left_out))
    return [(folder / name).read_bytes() for name in ("manifest.parquet", "quarantine.csv")]


@pytest.mark.parametrize("total", [2, 3, 20])
def test_shards_give_the_same_files(music, tmp_path, total):
    whole = build_manifest("folder", music.datasets.folder, music.download, tmp_path / "cache", 1)
    assert set(whole[0]["reason"].str.split(" ").str[0]) == {
        *("", "duplicate", "label", "silent:", "unreadable:")
    }
    assert sorted(whole[1]["suffix"]) == [".jpg", ".txt"]
    expected = written(tmp_path / "whole", *whole)
    assert in_shards(music, tmp_path / "cache", tmp_path / "shards", total) == expected


def test_the_list_of_tracks_survives_a_file(music, tmp_path):
    listing = list_tracks("folder", music.datasets.folder, music.download, tmp_path, 1)
    write_listing(tmp_path / "tracks.parquet", listing)
    again = read_listing(tmp_path / "tracks.parquet")
    assert again.left_out.to_dict("records") == listing.left_out.to_dict("records")
    assert again.tracks.attrs == {}
    columns = ["track_id", "path", "genre", "problem"]
    assert again.tracks[columns].to_dict("records") == listing.tracks[columns].to_dict("records")


def test_shards_of_other_tracks_are_refused(music, tmp_path):
    in_shards(music, tmp_path, tmp_path / "shards", 2)
    probes = [tmp_path / f"shards/{number}.parquet" for number in (1, 2)]
    pd.read_parquet(probes[0]).iloc[1:].to_parquet(probes[0])
    with pytest.raises(DataError, match=r"1\.parquet: the shards decoded other tracks than those listed"):
        join_manifest("folder", tmp_path / "shards/tracks.parquet", probes, music.download)
