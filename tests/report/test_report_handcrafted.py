from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.errors import DataError
from genredag.params.groups.spectrograms import Handcrafted
from genredag.report.data_sets import DataSet, read_data_sets
from genredag.report.handcrafted_figures import (
    chromagram,
    genre_heat_map,
    genre_spread,
    rolloff_over_spectrogram,
    tempogram,
    waveform,
)
from genredag.report.handcrafted_view import first_frames, handcrafted_view, standardised, track_panels
from genredag.spectrograms.handcrafted import columns

BINS = columns(Handcrafted(n_fft=2048, hop_length=512, n_mfcc=13))


@pytest.fixture(scope="module")
def data_set(tmp_path_factory, make) -> DataSet:
    """Three genres of four tracks with frames of mel and of handcrafted features."""
    folder = tmp_path_factory.mktemp("data")
    manifest = make.manifest(folder, ["blues", "jazz", "rock"], tracks_per_genre=4)
    paths = [make.frames(folder / "mel", manifest, "mel", per_genre=4)]
    paths.append(make.frames(folder / "handcrafted", manifest, "handcrafted", bins=BINS, per_genre=4))
    (found,) = read_data_sets([("toy", folder / "manifest.parquet")], [("toy", path) for path in paths])
    return found


def test_every_statistic_and_projection_has_a_figure(data_set):
    view = handcrafted_view(data_set)
    assert view["n_tracks"] == 12
    assert [panel["title"] for panel in view["statistics"]] == [
        *("MFCC: mean", "MFCC: deviation", "Chroma: mean", "Chroma: deviation"),
        *("Zero crossings", "Roll-off", "Tempo"),
    ]
    assert [found["name"] for found in view["maps"]] == ["PCA", "LDA", "t-SNE"]
    for panel in (*view["statistics"], *view["maps"]):
        assert panel["figure"].startswith("<svg ") and "blues" in panel["figure"]


def test_there_is_nothing_without_the_features(data_set):
    mel_only = replace(data_set, frames=data_set.frames[:1])
    assert handcrafted_view(mel_only) is None
    assert track_panels(mel_only, [{"track_id": "x"}], 3.0, ".") == [[]]
    few = replace(data_set.frames[1], spec=replace(data_set.frames[1].spec, bins=["mfcc_1", *BINS[2:], "x"]))
    lacking = replace(
        few, spec=replace(few.spec, bins=["y" if b == "tempo_bpm" else b for b in few.spec.bins])
    )
    assert handcrafted_view(replace(data_set, frames=[lacking])) is None


def test_a_track_has_a_waveform_only_if_its_file_can_be_read(data_set, tmp_path):
    tracks = data_set.tracks.groupby("genre").head(1).to_dict("records")
    soundfile.write(tmp_path / "jazz.00000.wav", np.sin(np.arange(22050) / 9), 22050)
    blues, jazz, rock = track_panels(data_set, tracks, 4.0, tmp_path)
    without = ["chromagram", "tempogram", "roll-off over mel"]
    assert [panel["representation"] for panel in jazz] == ["waveform", *without]
    assert (
        [panel["representation"] for panel in blues] == [panel["representation"] for panel in rock] == without
    )
    assert "waveform of toy: jazz.00000" in jazz[0]["figure"]


def test_frames_of_another_rate_are_no_background(data_set, tmp_path):
    mel = data_set.frames[0]
    other = replace(mel, spec=replace(mel.spec, frames_per_second=50.0))
    track = data_set.tracks.iloc[0].to_dict()
    (panels,) = track_panels(replace(data_set, frames=[other, data_set.frames[1]]), [track], 4.0, tmp_path)
    assert [panel["representation"] for panel in panels] == ["chromagram", "tempogram"]


def test_the_first_frames_of_a_track(data_set):
    frames = data_set.frames[0]
    row = frames.index.iloc[5]
    found = first_frames(frames, row["track_id"], 2.0)
    assert len(found) == 86
    np.testing.assert_array_equal(found, frames.array[row["first_frame"] :][:86].astype(np.float32))
    assert len(first_frames(frames, row["track_id"], 1000.0)) == row["n_frames"]
    with pytest.raises(DataError, match="frames of mel: lack track nothing"):
        first_frames(frames, "nothing", 2.0)


def test_columns_are_standardised_and_constants_are_zero():
    found = standardised(pd.DataFrame({"a": [1.0, 3.0], "b": [5.0, 5.0]}))
    assert found.to_numpy().tolist() == [[-1, 0], [1, 0]]


def test_a_heat_map_has_a_row_per_genre_and_a_label_for_its_columns():
    values = np.array([[1.0, -1.0, 0.0], [0.5, 0.0, 2.0]])
    axes = genre_heat_map(values, ["blues", "rock"], ["1", "2", "3"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["blues", "rock"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    cells = axes.images[0].get_array()
    assert cells[:: len(cells) // 2, :: cells.shape[1] // 3].tolist() == values.tolist()


def test_the_spread_is_drawn_around_the_mean():
    axes = genre_spread(np.array([2.0, 5.0]), np.array([1.0, 0.5]), ["blues", "rock"], "kHz").axes[0]
    bars = axes.collections[0].get_segments()
    assert [bar[:, 0].tolist() for bar in bars] == [[1, 3], [4.5, 5.5]]
    assert axes.get_xlabel() == "kHz" and axes.yaxis_inverted()


def test_a_waveform_keeps_peaks():
    samples = np.zeros(50_000, np.float32)
    samples[20_001], samples[40_003] = 0.9, -0.8
    (area,) = waveform(samples, 22050).axes[0].collections
    y = area.get_paths()[0].vertices[:, 1]
    assert (y.max(), y.min()) == (pytest.approx(0.9), pytest.approx(-0.8))
    assert waveform(samples[:10], 22050).axes[0].get_xlim()[1] == pytest.approx(10 / 22050)


def test_a_chromagram_has_c_at_the_bottom():
    chroma = np.zeros((20, 12))
    chroma[:, 0] = 1
    axes = chromagram(chroma, ["C", *"bcdefghijkl"], 10.0).axes[0]
    image = axes.images[0]
    assert image.origin == "lower" and image.get_array()[0].min() == 1
    assert axes.get_yticklabels()[0].get_text() == "C" and image.get_extent()[1] == 2.0


@pytest.mark.parametrize("bpm", [60, 90, 150])
def test_a_tempogram_is_brightest_at_the_label_of_its_beat(bpm):
    rate = 50.0
    onsets = np.zeros(1000)
    onsets[np.rint(np.arange(0, 1000, 60 * rate / bpm)).astype(int)[:-1]] = 1
    axes = tempogram(onsets, rate).axes[0]
    labels = {
        label.get_text(): place
        for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    rows = np.asarray(axes.images[0].get_array()).mean(axis=1)
    place = labels[str(bpm)]
    near = rows[round(place) - 1 : round(place) + 2].max()
    assert near > 0.5 * rows.max() and near > 2 * np.median(rows)


def test_the_roll_off_is_at_its_frequency():
    bins = [100.0, 200.0, 400.0, 800.0]
    rolloff = np.array([100.0, 300.0, 800.0, 9000.0])
    axes = rolloff_over_spectrogram(np.zeros((4, 4)), bins, rolloff, 2.0, (-80, 0)).axes[0]
    x, y = axes.lines[0].get_data()
    assert x.tolist() == [0.25, 0.75, 1.25, 1.75]
    assert y.tolist() == [0, 1.5, 3, 3]
    assert axes.images[0].origin == "lower"
