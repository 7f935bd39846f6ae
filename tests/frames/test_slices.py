import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.errors import DataError, ParameterError
from genredag.frames.slices import count_slices, cut, slice_length
from genredag.params.groups.slices import Slices

FPS = 22_050 / 512
THREE = Slices(seconds=3.0, overlap=0.5, short_tracks="pad")


def index(*n_samples, sr=22_050, hop_length=512):
    n_frames = [1 + n // hop_length for n in n_samples]
    return pd.DataFrame(
        {
            "track_id": [f"t{i}" for i in range(len(n_samples))],
            "first_frame": np.cumsum([0, *n_frames[:-1]], dtype=np.int64),
            "n_frames": np.array(n_frames, np.int32),
            "duration": [n / sr for n in n_samples],
        }
    ).assign(parent=None)


@pytest.mark.parametrize(
    ("duration", "seconds", "overlap", "count"),
    [
        (30.0, 3.0, 0.5, 19),
        (660_000 / 22_050, 3.0, 0.5, 18),
        (30.0, 3.0, 0.0, 10),
        (30.0, 3.0, 0.7, 31),  # 27 s are 29.999... steps of 0.9 s in floating point
        (30.0, 3.0, 0.9, 91),
        (30.0, 30.0, 0.5, 1),
        (29.99, 30.0, 0.5, 0),
        (1.0, 30.0, 0.5, 0),
    ],
)
def test_count_in_closed_form(duration, seconds, overlap, count):
    assert count_slices(duration, seconds, overlap) == count


@pytest.mark.parametrize(
    ("seconds", "fps", "n_frames"), [(3.0, FPS, 130), (30.0, FPS, 1292), (1.5, 2 / 3, 2), (0.3, 10.0, 4)]
)
def test_length_in_closed_form(seconds, fps, n_frames):
    assert slice_length(seconds, fps) == n_frames


def test_a_track_of_30_seconds():
    table, summary = cut(index(661_500, 660_000), FPS, THREE)
    assert list(table) == ["track_id", "slice", "start", "first_frame", "n_valid", "parent"]
    assert table.dtypes.astype(str).tolist()[1:-1] == ["int32", "float64", "int64", "int32"]
    assert table.groupby("track_id").size().tolist() == [19, 18]
    assert table["start"].head(3).tolist() == [0.0, 1.5, 3.0]
    assert table["first_frame"].head(3).tolist() == [0, 64, 129]
    assert table.loc[19].tolist() == ["t1", 0, 0.0, 1292, 130, None]
    assert (table["n_valid"] == 130).all()
    assert summary == {
        "seconds": 3.0,
        "overlap": 0.5,
        "n_frames": 130,
        "n_slices": 37,
        "n_tracks": 2,
        "quarantined": [],
    }


def test_slices_of_a_copy_name_its_original():
    tracks = index(88_200, 88_200, 66_150).assign(track_id=["a", "a~tempo2", "b"], parent=[None, "a", None])
    table, _ = cut(tracks, FPS, THREE)
    assert table["track_id"].tolist() == ["a", "a~tempo2", "b"]
    assert [parent if isinstance(parent, str) else None for parent in table["parent"]] == [None, "a", None]


def test_a_short_track_is_padded():
    table, summary = cut(index(22_050, 661_500), FPS, THREE)
    assert table.loc[0].tolist() == ["t0", 0, 0.0, 0, 44, None]
    assert (summary["n_slices"], summary["n_tracks"], summary["quarantined"]) == (20, 2, [])


def test_a_short_track_is_quarantined():
    table, summary = cut(index(22_050, 661_500), FPS, THREE.model_copy(update={"short_tracks": "quarantine"}))
    assert set(table["track_id"]) == {"t1"}
    assert summary["n_tracks"] == 1
    assert summary["quarantined"] == [
        {"track_id": "t0", "reason": "shorter than a slice of 3 s"},
    ]


def test_short_tracks_alone_are_refused():
    params = THREE.model_copy(update={"short_tracks": "quarantine"})
    with pytest.raises(DataError, match="all 2 tracks are shorter than 3 s"):
        cut(index(22_050, 22_050), FPS, params)


def test_slices_less_than_a_frame_apart_are_refused():
    with pytest.raises(
        ParameterError, match=r"slices\.overlap: 0\.999: .*0\.13 frames apart; expected at least one"
    ):
        cut(index(661_500), FPS, THREE.model_copy(update={"overlap": 0.999}))


def test_published_frames_that_are_not_centred_are_padded_at_the_end():
    tracks = pd.DataFrame(
        {"track_id": ["a"], "first_frame": [0], "n_frames": [300], "duration": [30.0]}
    ).assign(parent=None)
    table, summary = cut(tracks, 10.0, THREE)
    assert summary["n_frames"] == 31
    assert table["n_valid"].tolist() == [31] * 18 + [30]


@given(
    n_samples=st.lists(st.integers(4_000, 400_000), min_size=1, max_size=4),
    sr=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    hop_length=st.integers(64, 2_048),
    seconds=st.floats(0.5, 12),
    overlap=st.floats(0, 0.9, exclude_max=True),
    short_tracks=st.sampled_from(["pad", "quarantine"]),
)
def test_slices_tile_their_track(n_samples, sr, hop_length, seconds, overlap, short_tracks):
    tracks, fps = index(*n_samples, sr=sr, hop_length=hop_length), sr / hop_length
    params = Slices(seconds=seconds, overlap=overlap, short_tracks=short_tracks)
    step = seconds * (1 - overlap)
    if short_tracks == "quarantine" and max(n_samples) / sr < seconds * (1 - 1e-5):
        with pytest.raises(DataError):
            cut(tracks, fps, params)
        return
    if step * fps < 1:
        with pytest.raises(ParameterError):
            cut(tracks, fps, params)
        return
    table, summary = cut(tracks, fps, params)
    for track in tracks.itertuples():
        own = table[table["track_id"] == track.track_id]
        if track.duration < seconds - step * 1e-5:
            assert len(own) == (short_tracks == "pad")
        else:
            whole = (track.duration - seconds) / step
            assert math.floor(whole - 1e-5) + 1 <= len(own) <= math.floor(whole + 1e-5) + 1
            assert track.duration - (own["start"].max() + seconds) < step * (1 + 1e-5)  # no room for one more
            assert (own["n_valid"] == summary["n_frames"]).all()
        assert own["slice"].tolist() == list(range(len(own)))
        np.testing.assert_allclose(np.diff(own["start"]), step)
        assert (own["start"] <= track.duration).all()
        assert (own["first_frame"] >= track.first_frame).all()
        assert (own["n_valid"] >= 1).all()
        assert (own["first_frame"] + own["n_valid"] <= track.first_frame + track.n_frames).all()
        overlapping = own["first_frame"].to_numpy()[:-1] + own["n_valid"].to_numpy()[:-1]
        assert (own["first_frame"].to_numpy()[1:] <= overlapping).all()  # no frame is left out in between
    assert len(table) == summary["n_slices"]
