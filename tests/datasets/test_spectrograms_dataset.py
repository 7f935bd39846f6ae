from __future__ import annotations

import hashlib

import numpy as np
import pytest

from genredag.datasets.spectrograms import list_tracks, probe_all
from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Spectrograms
from genredag.tracks.precomputed import load_spectrograms

IDS = ["blues.00000", "blues.00001", "rock.00000"]
FRAMES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)  # tracks x bins x frames


def group(*files, tracks=None) -> Spectrograms:
    return Spectrograms(
        files=[str(file) for file in files],
        tracks=None if tracks is None else str(tracks),
        representation="mel",
        clip_seconds=30.0,
    )


def npz(path, ids=IDS, **arrays):
    np.savez(path, track_id=np.array(ids), **(arrays or {"mel": FRAMES}))
    return path


def test_frames_are_time_major(tmp_path):
    ids, frames = load_spectrograms(npz(tmp_path / "a.npz"))
    assert ids == IDS
    assert frames.shape == (3, 5, 4)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames[1, 2], FRAMES[1, :, 2])


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"mel": FRAMES, "more": FRAMES}, "holds mel, more"),
        ({"mel": FRAMES[:2]}, r"3 ids and an array \(2, 4, 5\)"),
        ({"mel": FRAMES[0]}, r"3 ids and an array \(4, 5\)"),
        ({"mel": FRAMES.astype("str")}, "3 ids and an array"),
        ({"mel": FRAMES.astype(object)}, "unreadable: Object arrays"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, match):
    with pytest.raises(DataError, match=f"{match}.*expected an .npz with track_id and one array"):
        load_spectrograms(npz(tmp_path / "a.npz", **arrays))


def test_files_that_are_not_npz_are_refused(tmp_path):
    np.savez(tmp_path / "no_ids.npz", mel=FRAMES)
    with pytest.raises(DataError, match="holds mel"):
        load_spectrograms(tmp_path / "no_ids.npz")
    (tmp_path / "junk.npz").write_bytes(b"PK, but not really")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "cut.npz").write_bytes(npz(tmp_path / "a.npz").read_bytes()[:-100])
    np.save(tmp_path / "plain.npy", FRAMES)
    for name, message in (("none.npz", "no such file"), (".", "not a file")):
        with pytest.raises(DataError, match=message):
            load_spectrograms(tmp_path / name)
    for name in ("junk.npz", "empty.npz", "cut.npz", "plain.npy"):
        with pytest.raises(DataError, match=r"not an \.npz file, or truncated"):
            load_spectrograms(tmp_path / name)


def test_gtzan_ids_give_artist_and_split(tmp_path):
    tracks = list_tracks(
        group(npz(tmp_path / "a.npz", ["blues.00000", "jazz.00054", "mine.1"])), cache_dir=tmp_path
    )
    assert tracks["genre"].tolist() == ["blues", "jazz", "mine"]
    assert tracks["subset"].fillna("").tolist() == ["validation", "train", ""]
    assert tracks["artist"].fillna("").tolist() == ["John Lee Hooker", "", ""]


def test_a_table_lists_the_tracks(tmp_path):
    (tmp_path / "t.csv").write_text(
        "track_id,genre,artist,split\nrock.00000,Rock,Queen,train\nmore,Jazz,,test\n"
    )
    tracks = list_tracks(group(npz(tmp_path / "a.npz"), tracks=tmp_path / "t.csv"), cache_dir=tmp_path)
    assert tracks[["track_id", "genre", "subset"]].to_numpy().tolist() == [
        ["rock.00000", "Rock", "train"],
        ["more", "Jazz", "test"],
    ]
    found = probe_all(tracks, clip_seconds=30.0, min_seconds=1.0)
    assert [probe.problem for probe in found] == ["", "missing"]


def test_a_split_has_one_of_three_names(tmp_path):
    (tmp_path / "t.csv").write_text("track_id,genre,split\nrock.00000,Rock,\nmore,Jazz,valid\n")
    with pytest.raises(DataError, match=r"t\.csv, line 3: split 'valid'; expected train, validation, test"):
        list_tracks(group(npz(tmp_path / "a.npz"), tracks=tmp_path / "t.csv"), cache_dir=tmp_path)


def test_probing_returns_hash_and_problems(tmp_path):
    frames = np.stack([FRAMES[0], FRAMES[0] * 0, FRAMES[0]]).astype(np.float32)
    frames[2, 1, 1] = np.nan
    tracks = list_tracks(group(npz(tmp_path / "a.npz", mel=frames)), cache_dir=tmp_path)
    first, silent, broken = probe_all(tracks, clip_seconds=30.0, min_seconds=1.0)
    assert first.sha256 == hashlib.sha256(frames[0].T.tobytes()).hexdigest()
    assert (first.duration, first.sr, first.problem) == (30.0, 0, "")
    assert silent.problem == "silent: all values are equal"
    assert broken.problem == "unreadable: some values are NaN or infinite"
    assert probe_all(tracks, clip_seconds=0.5, min_seconds=1.0)[0].problem == "too short: 0.50 s"


def test_an_npy_takes_its_ids_from_the_table(tmp_path):
    np.save(tmp_path / "a.npy", FRAMES)
    (tmp_path / "t.csv").write_text("track_id,genre\nz,rock\ny,jazz\nx,rock\n")
    tracks = list_tracks(group(tmp_path / "a.npy", tracks=tmp_path / "t.csv"), cache_dir=tmp_path / "cache")
    ids, frames = load_spectrograms(tracks["path"][0])
    assert ids == ["z", "y", "x"]
    np.testing.assert_array_equal(frames, FRAMES.transpose(0, 2, 1))
    with pytest.raises(ParameterError, match=r"datasets\.spectrograms\.tracks: an \.npy file has no ids"):
        list_tracks(group(tmp_path / "a.npy"), cache_dir=tmp_path)
    (tmp_path / "bad.npy").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"bad\.npy: unreadable"):
        list_tracks(group(tmp_path / "bad.npy", tracks=tmp_path / "t.csv"), cache_dir=tmp_path)


def test_an_npy_with_other_ids_is_another_import(tmp_path):
    np.save(tmp_path / "a.npy", FRAMES)
    for ids in ("zyx", "abc"):
        (tmp_path / "t.csv").write_text(
            "track_id,genre\n" + "".join(f"{track_id},rock\n" for track_id in ids)
        )
        tracks = list_tracks(
            group(tmp_path / "a.npy", tracks=tmp_path / "t.csv"), cache_dir=tmp_path / "cache"
        )
        assert load_spectrograms(tracks["path"][0])[0] == list(ids)


def test_files_must_agree(tmp_path):
    first, second = npz(tmp_path / "a.npz"), npz(tmp_path / "b.npz", ["pop.1", "pop.2", "blues.00001"])
    with pytest.raises(DataError, match=r"b\.npz: blues\.00001 is listed twice"):
        list_tracks(group(first, second), cache_dir=tmp_path)
    npz(second, ["pop.1", "pop.2", "pop.3"], mel=FRAMES[:, :, :3])
    with pytest.raises(DataError, match="tracks of 4 x 3 and 4 x 5; expected the same number of bins"):
        list_tracks(group(first, second), cache_dir=tmp_path)


def test_files_and_genres_are_required(tmp_path):
    with pytest.raises(ParameterError, match=r"datasets\.spectrograms\.files: no files"):
        list_tracks(group(), cache_dir=tmp_path)
    with pytest.raises(DataError, match=r"'a' contains no genre; expected ids like blues\.00000"):
        list_tracks(group(npz(tmp_path / "a.npz", ["a", "b.1", "c.1"])), cache_dir=tmp_path)


def test_the_published_spectrograms_of_gtzan(shared_dir, tmp_path):
    files = [shared_dir / "gtzan" / f"mel_{part}.npz" for part in ("train", "valid")]
    tracks = list_tracks(group(*files), cache_dir=tmp_path)
    assert tracks["subset"].value_counts().to_dict() == {"train": 442, "validation": 197}
    assert tracks["genre"].nunique() == 10
    probes = probe_all(tracks, clip_seconds=30.0, min_seconds=1.0)
    assert {probe.problem for probe in probes} == {""}
    assert len({probe.sha256 for probe in probes}) == 639
