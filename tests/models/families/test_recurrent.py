"""Networks over the windows of a track; `test_assembly.py` tests those over frames."""

import numpy as np
import pytest

from genredag.models.assembly import build_network
from genredag.params.groups.models import Network

RECIPE = {"kind": "network", "optimizer": "adam", "learning_rate": 0.1, "schedule": "constant"}
RECIPE |= {"batch_size": 1, "epochs": 1, "patience": 1, "augment": [], "size": None, "backbone": None}
NAMES = ["lstm_windows", "crnn_windows"]


def build(name, n_bins, n_frames, *, units=128, n_classes=10):
    import keras

    keras.utils.set_random_seed(1)
    sizes = {"n_bins": n_bins, "n_frames": n_frames, "n_classes": n_classes}
    statistics = (np.full(n_bins, -40.0), np.full(n_bins, 100.0))
    recipe = Network(**RECIPE, options={"units": units, "dropout": 0.1})
    return build_network(name, recipe, **sizes, statistics=statistics, precision="float32")


def lstm(n_inputs, units=128):
    return 4 * units * (n_inputs + units + 1)


HEAD = 129 * 150 + 151 * 100 + 101 * 50 + 51 * 10
CONVOLUTIONS = 10 * 32 + (9 * 32 + 1) * 64 + 2 * (9 * 64 + 1) * 64 + (9 * 64 + 1) * 128


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lstm_windows", lstm(2 * 128) + HEAD), ("crnn_windows", CONVOLUTIONS + lstm(128) + HEAD)],
)
def test_counts_at_128_bins_and_130_frames(name, expected):
    assert build(name, 128, 130).count_params() == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n_bins", "n_frames"), [(216, 130), (84, 34), (12, 10), (1, 1)])
def test_other_sizes(name, n_bins, n_frames):
    model = build(name, n_bins, n_frames, units=4, n_classes=3)
    assert model.input_shape == (None, None, n_frames, n_bins)
    assert model.output_shape == (None, None, 3)


@pytest.mark.parametrize("name", NAMES)
def test_a_windows_output_does_not_depend_on_later_windows(name):
    model = build(name, 16, 20, units=8, n_classes=3)
    track = np.random.default_rng(0).normal(-40, 10, (1, 5, 20, 16)).astype(np.float32)
    changed = track.copy()
    changed[0, 2] += 100
    before, after = (np.asarray(model(x))[0] for x in (track, changed))
    np.testing.assert_allclose(after[:2], before[:2], atol=1e-7)
    assert (np.abs(after[2:] - before[2:]).max(axis=1) > 1e-5).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_windows_output_does_not_depend_on_track_length_or_other_tracks(name):
    model = build(name, 16, 20, units=8, n_classes=3)
    tracks = np.random.default_rng(0).normal(-40, 10, (3, 5, 20, 16)).astype(np.float32)
    together = np.asarray(model(tracks))
    alone = np.asarray(model(tracks[1:2, :3]))
    np.testing.assert_allclose(together[1:2, :3], alone, atol=1e-6)


def test_the_lstm_sees_mean_and_deviation_of_each_bin():
    import keras

    model = build("lstm_windows", 16, 20, units=8)
    (layer,) = (layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    track = np.random.default_rng(0).normal(-40, 10, (1, 5, 20, 16)).astype(np.float32)
    seen = np.asarray(keras.Model(model.input, layer.input)(track))
    scaled = (track + 40) / 10
    np.testing.assert_allclose(seen, np.concatenate([scaled.mean(2), scaled.std(2)], -1), atol=1e-5)


def test_convolutions_of_windows_stay_in_float32():
    """In bfloat16 TensorFlow 2.21 ends the process (segmentation fault) when it trains them on a CPU."""
    sizes = {"n_frames": 130, "n_bins": 128, "n_classes": 3}
    recipe = Network(**RECIPE | {"options": {"units": 4, "dropout": 0.1}})
    model = build_network("crnn_windows", recipe, **sizes, statistics=None, precision="mixed_bfloat16")
    dtypes = {layer.compute_dtype for layer in model.layers if layer.name.startswith("conv3d")}
    assert dtypes == {"float32"}
