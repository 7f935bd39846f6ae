import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.branches import initialise_branches

PUBLISHED, OURS = (40, 80, 1), (128, 130, 1)
SOFTMAX = {"output": "softmax"}
BLACK_BOX = ("black_box", {"dropout": 0.5})
TIME = ("time", {"filter_frames": 0, "dropout": 0.5, **SOFTMAX})
FREQUENCY = ("frequency", {"filter_bins": 0, "dropout": 0.5, **SOFTMAX})
BOTH = ("time_frequency", {"filter_frames": 0, "filter_bins": 0, "dropout": 0.5, **SOFTMAX})
INIT = ("time_frequency_init", BOTH[1])


@pytest.mark.parametrize(
    ("network", "shape", "n_classes", "n_parameters"),
    [
        (BLACK_BOX, PUBLISHED, 8, 3_275_312),
        (BLACK_BOX, PUBLISHED, 10, 3_275_714),
        (BLACK_BOX, OURS, 10, 22_834_114),
        (BLACK_BOX, (120, 200, 3), 10, 33_361_858),
        (TIME, PUBLISHED, 8, 7_336),
        (TIME, PUBLISHED, 10, 8_682),
        (TIME, OURS, 10, 14_026),
        (FREQUENCY, PUBLISHED, 8, 3_368),
        (FREQUENCY, PUBLISHED, 10, 3_946),
        (FREQUENCY, OURS, 10, 11_946),
        (BOTH, PUBLISHED, 8, 196_816),
        (BOTH, PUBLISHED, 10, 197_218),
        (BOTH, OURS, 10, 399_042),
        (INIT, PUBLISHED, 10, 197_218),
        (INIT, OURS, 10, 399_042),
    ],
)
def test_published_counts(build, check_probabilities, network, shape, n_classes, n_parameters):
    name, options = network
    model = build(name, shape, n_classes, **options)
    assert model.count_params() == n_parameters
    check_probabilities(model)


@pytest.mark.parametrize(
    ("name", "option", "size", "shape", "n_parameters"),
    [
        ("time", "filter_frames", 8, (217, 334, 3), 105_450),
        ("time", "filter_frames", 4, OURS, 40_810),
        ("time", "filter_frames", 8, OURS, 39_658),
        ("frequency", "filter_bins", 4, (217, 334, 3), 68_906),
        ("frequency", "filter_bins", 60, (120, 200, 3), 25_322),
        ("frequency", "filter_bins", 60, OURS, 24_042),
        ("frequency", "filter_bins", 4, OURS, 40_170),
    ],
)
def test_counts_of_fixed_filters(build, name, option, size, shape, n_parameters):
    assert build(name, shape, dropout=0.5, **{option: size}, **SOFTMAX).count_params() == n_parameters


def test_filters_keep_their_share(build):
    model = build("time_frequency", OURS, **BOTH[1])
    assert model.get_layer("time_filters").output.shape == (None, 128, 34, 32)  # 1 x 97
    assert model.get_layer("frequency_filters").output.shape == (None, 27, 130, 32)  # 102 x 1


def test_time_ignores_the_order_of_bins_and_frequency_that_of_frames(build):
    """Each branch pools one axis away, so that a permutation of that axis changes nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, *PUBLISHED)).astype(np.float32)
    bins, frames = rng.permutation(40), rng.permutation(80)
    time, frequency = (build(name, PUBLISHED, **options) for name, options in (TIME, FREQUENCY))
    np.testing.assert_allclose(time(x), time(x[:, bins]), rtol=1e-5)
    np.testing.assert_allclose(frequency(x), frequency(x[:, :, frames]), rtol=1e-5)
    assert np.abs(np.asarray(time(x)) - np.asarray(time(x[:, :, frames]))).max() > 1e-4
    assert np.abs(np.asarray(frequency(x)) - np.asarray(frequency(x[:, bins]))).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("black_box", BLACK_BOX[1], (15, 8, 1)),
        ("time", TIME[1], (1, 1, 1)),
        ("time", {"filter_frames": 60, "dropout": 0.0, **SOFTMAX}, (1, 60, 1)),
        ("frequency", FREQUENCY[1], (1, 1, 1)),
        ("frequency", {"filter_bins": 200, "dropout": 0.0, **SOFTMAX}, (200, 1, 1)),
        ("time_frequency", {"filter_frames": 60, "filter_bins": 30, "dropout": 0.0, **SOFTMAX}, (30, 60, 1)),
    ],
)
def test_smallest_input(build, check_probabilities, name, options, shape):
    check_probabilities(build(name, shape, **options))


@pytest.mark.parametrize(
    ("name", "options", "shape", "needed"),
    [
        ("black_box", BLACK_BOX[1], (14, 8, 1), "15 bins x 8 frames"),
        ("black_box", BLACK_BOX[1], (15, 7, 1), "15 bins x 8 frames"),
        ("time", {"filter_frames": 60, "dropout": 0.0, **SOFTMAX}, (40, 59, 1), "1 bins x 60 frames"),
        ("frequency", {"filter_bins": 200, "dropout": 0.0, **SOFTMAX}, OURS, "200 bins x 1 frames"),
        (
            "time_frequency",
            {"filter_frames": 60, "filter_bins": 30, "dropout": 0.0, **SOFTMAX},
            (29, 60, 1),
            "30 bins",
        ),
        (
            "time_frequency",
            {"filter_frames": 60, "filter_bins": 30, "dropout": 0.0, **SOFTMAX},
            (30, 59, 1),
            "60 frames",
        ),
    ],
)
def test_input_smaller_than_the_filters(build, name, options, shape, needed):
    bins, frames, _ = shape
    with pytest.raises(ModelError, match=f"^{name}: slices of {bins} bins x {frames} frames .*{needed}"):
        build(name, shape, **options)


def test_branches_start_from_trained_networks(build):
    time, frequency, both = (build(name, OURS, **options) for name, options in (TIME, FREQUENCY, BOTH))
    initialise_branches(both, [time, frequency])
    for layer, source in (("time_filters", time), ("frequency_filters", frequency)):
        for ours, theirs in zip(
            both.get_layer(layer).get_weights(), source.get_layer(layer).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_branches_of_another_size_are_refused(build):
    time, frequency, both = (build(name, OURS, **options) for name, options in (TIME, FREQUENCY, BOTH))
    short = build("time", OURS, filter_frames=8, dropout=0.5, **SOFTMAX)
    with pytest.raises(
        ModelError, match=r"trained time_filters are \(1, 8, 1, 32\); expected \(1, 97, 1, 32\)"
    ):
        initialise_branches(both, [short, frequency])
    initialise_branches(both, [time, frequency])


@pytest.mark.parametrize(("name", "options"), [TIME, FREQUENCY, BOTH])
def test_a_sigmoid_output_gives_shares_of_its_sum(build, check_probabilities, name, options):
    import keras

    model = build(name, (20, 30, 1), **options | {"output": "sigmoid"})
    check_probabilities(model)
    noise = np.random.default_rng(0).normal(size=(2, 20, 30, 1)).astype(np.float32)
    layer = model.get_layer("scores")
    assert layer.activation.__name__ == "sigmoid"
    scores = np.asarray(keras.Model(model.input, layer.output)(noise))
    assert (np.abs(scores.sum(axis=1) - 1) > 0.1).all()
    np.testing.assert_allclose(model(noise), scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(noise), model(noise))


def test_a_sigmoid_output_of_nothing_but_zeros_is_no_division_by_zero(build):
    model = build(*TIME[:1], (20, 30, 1), **TIME[1] | {"output": "sigmoid"})
    kernel, bias = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([kernel, bias - 1000])
    p = np.asarray(model(np.zeros((1, 20, 30, 1), np.float32)))
    np.testing.assert_allclose(p, 0.1, rtol=1e-5)
