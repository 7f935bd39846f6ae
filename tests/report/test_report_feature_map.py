import numpy as np
import pandas as pd
import pytest

from genredag.frames.store import open_frames
from genredag.report.feature_map import principal_components, track_features, tracks_to_map


@pytest.fixture
def data(tmp_path, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=4)
    return manifest, open_frames(make.frames(tmp_path / "mel", manifest, "mel", per_genre=3).parent)


def test_the_map_leaves_out_tracks_without_frames_and_frames_without_tracks(data):
    manifest, frames = data
    rows = tracks_to_map(manifest[manifest["track_id"] != "rock.00001"], frames)
    expected = ["blues.00000", "blues.00001", "blues.00002", "rock.00000", "rock.00002"]
    assert rows["track_id"].tolist() == expected


def test_tracks_on_the_map_are_limited_evenly_over_genres(data, monkeypatch):
    monkeypatch.setattr("genredag.report.feature_map.N_TRACKS", 4)
    assert tracks_to_map(*data)["genre"].value_counts().to_dict() == {"blues": 2, "rock": 2}


def test_features_are_mean_and_standard_deviation_of_each_bin(data):
    manifest, frames = data
    rows = tracks_to_map(manifest, frames)
    first = frames.array[: rows["n_frames"].iloc[0]].astype(np.float32)
    features = track_features(frames, rows)
    assert features.shape == (6, 2 * frames.spec.n_bins)
    np.testing.assert_allclose(features[0], np.r_[first.mean(axis=0), first.std(axis=0)], rtol=1e-5)


def test_components_are_ordered_and_the_same_every_time():
    x = np.random.default_rng(0).normal(size=(50, 1)) @ [[1.0, 2.0, 0.0]]
    x += np.random.default_rng(1).normal(size=x.shape) / 100
    points, shares = principal_components(x)
    assert points.shape == (50, 2)
    assert shares[0] == pytest.approx(2 / 3, abs=0.01) and shares[0] >= shares[1]
    again, _ = principal_components(x)
    pd.testing.assert_frame_equal(pd.DataFrame(points), pd.DataFrame(again))
