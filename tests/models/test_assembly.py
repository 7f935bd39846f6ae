import numpy as np
import pytest

from genredag.errors import ModelError, ParameterError
from genredag.models.assembly import build_network
from genredag.models.registry import Learner
from genredag.params.groups.models import Network

SIZES = [(216, 130), (128, 130), (84, 130), (128, 34), (47, 130), (12, 10), (1, 1)]
OPTIONS = {
    "cnn_370k": {"dropout": 0.25},
    "lstm": {"units": 128, "dropout": 0.5},
    "crnn": {"units": 128, "dropout": 0.25},
}


def recipe(options, size=None):
    values = {"kind": "network", "optimizer": "adam", "learning_rate": 0.1, "schedule": "constant"}
    values |= {"batch_size": 1, "epochs": 1, "patience": 1, "augment": [], "backbone": None}
    return Network(**values, size=size, options=options)


def build(name, n_bins, n_frames, **arguments):
    defaults = {"n_classes": 10, "statistics": None, "precision": "float32"}
    return build_network(
        name, recipe(OPTIONS[name]), n_bins=n_bins, n_frames=n_frames, **defaults | arguments
    )


@pytest.mark.parametrize(
    ("name", "n_parameters"), [("cnn_370k", 370_090), ("crnn", 338_122), ("lstm", 2_648_394)]
)
def test_counts_at_128_bins_and_130_frames(name, n_parameters):
    statistics = (np.full(128, -40.0), np.full(128, 25.0))
    assert build(name, 128, 130, statistics=statistics).count_params() == n_parameters


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(("n_bins", "n_frames"), SIZES)
def test_other_sizes(name, n_bins, n_frames):
    model = build(name, n_bins, n_frames, n_classes=4)
    assert model.input_shape == (None, n_frames, n_bins)
    assert model.output_shape == (None, 4)


def test_crnn_keeps_the_bins_left_as_channels():
    import keras

    def steps(n_bins):
        (lstm,) = (x for x in build("crnn", n_bins, 130).layers if isinstance(x, keras.layers.LSTM))
        return lstm.input.shape[1:]

    assert [steps(n) for n in (128, 216, 84)] == [(16, 128), (16, 128), (16, 128)]
    assert steps(512) == (16, 4 * 128)


def test_normalises_each_bin_and_puts_frequency_on_the_vertical_axis():
    import keras

    statistics = (np.array([1.0, 2.0, 3.0]), np.array([4.0, 9.0, 16.0]))
    model = build("cnn_370k", 3, 2, statistics=statistics)
    upright = keras.Model(model.input, model.layers[3].output)
    slices = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    expected = (slices - statistics[0]) / np.sqrt(statistics[1])
    np.testing.assert_allclose(np.asarray(upright(slices))[0, :, :, 0], expected[0].T, rtol=1e-6)


def test_channels_are_side_by_side_in_slices_and_behind_each_other_in_pictures():
    import keras

    statistics = (np.arange(6.0), np.full(6, 4.0))
    model = build("cnn_370k", 6, 2, statistics=statistics, n_channels=2)
    picture = keras.Model(model.input, model.layers[4].output)
    slices = np.arange(12, dtype=np.float32).reshape(1, 2, 6)
    found = np.asarray(picture(slices))
    assert found.shape == (1, 3, 2, 2)
    expected = (slices[0] - statistics[0]) / 2
    np.testing.assert_allclose(found[0, :, :, 0], expected[:, :3].T, rtol=1e-6)
    np.testing.assert_allclose(found[0, :, :, 1], expected[:, 3:].T, rtol=1e-6)


def test_channels_of_windows_are_those_of_each_window():
    import keras

    options = recipe({"units": 4, "dropout": 0.1})
    sizes = {"n_frames": 2, "n_bins": 6, "n_classes": 3, "n_channels": 2}
    model = build_network("crnn_windows", options, **sizes, statistics=None, precision="float32")
    pictures = keras.Model(model.input, model.layers[3].output)
    slices = np.arange(36, dtype=np.float32).reshape(1, 3, 2, 6)
    expected = slices.reshape(1, 3, 2, 2, 3).transpose(0, 1, 4, 2, 3)
    np.testing.assert_array_equal(np.asarray(pictures(slices)), expected)


def test_an_lstm_over_windows_hears_every_channel():
    import keras

    sizes = {"n_frames": 5, "n_bins": 6, "n_classes": 3, "n_channels": 2}
    options = recipe({"units": 4, "dropout": 0.1})
    model = build_network("lstm_windows", options, **sizes, statistics=None, precision="float32")
    (lstm,) = (layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    slices = np.random.default_rng(0).normal(size=(1, 4, 5, 6)).astype(np.float32)
    found = np.asarray(keras.Model(model.input, lstm.input)(slices))
    expected = np.concatenate([slices.mean(axis=2), slices.std(axis=2)], axis=2)
    np.testing.assert_allclose(np.sort(found), np.sort(expected), atol=1e-5)


def test_slices_are_resized_after_they_are_normalised():
    """Bilinear, by the centres of pixels, like keras.ops.image.resize."""
    import keras

    options = recipe({"dropout": 0.25}, size=[20, 6])
    statistics = (np.array([1.0, 2.0, 3.0]), np.array([4.0, 9.0, 16.0]))
    sizes = {"n_frames": 5, "n_bins": 3, "n_classes": 3}
    model = build_network("cnn_370k", options, **sizes, statistics=statistics, precision="float32")
    (first, *_) = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    slices = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    seen = np.asarray(keras.Model(model.input, first.input)(slices))
    normalised = ((slices - statistics[0]) / np.sqrt(statistics[1])).transpose(0, 2, 1)[..., None]
    expected = keras.ops.image.resize(normalised.astype(np.float32), (20, 6), interpolation="bilinear")
    np.testing.assert_allclose(seen, np.asarray(expected), atol=1e-5)


def test_windows_are_resized_one_by_one():
    import keras

    sizes = {"n_frames": 5, "n_bins": 6, "n_classes": 3, "statistics": None, "precision": "float32"}
    options = {"units": 4, "dropout": 0.1}
    windows = build_network("crnn_windows", recipe(options, size=[32, 8]), **sizes)
    single = build_network("crnn", recipe(options, size=[32, 8]), **sizes)
    slices = np.random.default_rng(0).normal(size=(1, 3, 5, 6)).astype(np.float32)
    resizing = next(x for x in windows.layers if isinstance(x, keras.layers.TimeDistributed))
    seen = np.asarray(keras.Model(windows.input, resizing.output)(slices))
    (one,) = (layer for layer in single.layers if isinstance(layer, keras.layers.Resizing))
    expected = np.asarray(keras.Model(single.input, one.output)(slices[0]))
    assert seen.shape == (1, 3, 32, 8, 1)
    np.testing.assert_allclose(seen[0], expected, atol=1e-6)


def test_a_size_that_is_too_small_is_refused():
    sizes = {"n_frames": 130, "n_bins": 128, "n_classes": 3, "statistics": None, "precision": "float32"}
    with pytest.raises(ModelError, match=r"^lidy_shallow: slices of 19 bins x 130 frames are too small"):
        build_network("lidy_shallow", recipe({"dropout": 0.1}, size=[19, 130]), **sizes)


def test_a_builder_error_is_reported_in_one_line(monkeypatch):
    def build(x, n_classes, *, units):
        import keras

        return keras.layers.LSTM(units)(x)

    found = Learner("lstm", "network", build, paper="P", published="")
    monkeypatch.setattr("genredag.models.registry.learner", lambda name: found)
    message = (
        r"^models\.lstm: can't be built for slices of 128 bins x 130 frames with the options {'units': 0} "
    )
    with pytest.raises(ModelError, match=message):
        build_network(
            "lstm",
            recipe({"units": 0}),
            **{"n_bins": 128, "n_frames": 130, "n_classes": 10, "statistics": None, "precision": "float32"},
        )


def test_too_small_slices_are_reported_in_one_line():
    with pytest.raises(ModelError, match=r"^lidy_shallow: slices of 19 bins x 130 frames are too small"):
        build_network(
            "lidy_shallow",
            recipe({"dropout": 0.1}),
            **{"n_bins": 19, "n_frames": 130, "n_classes": 10, "statistics": None, "precision": "float32"},
        )


def test_estimators_are_not_networks():
    options = {"n_bins": 2, "n_frames": 2, "n_classes": 2, "statistics": None, "precision": "float32"}
    with pytest.raises(ParameterError, match=r"models\.svm_rbf: kind = 'network'; expected 'estimator'"):
        build_network("svm_rbf", recipe({}), **options)
