import keras
import pytest

from genredag.errors import ModelError

DROPOUTS_2020 = {"conv_dropout": 0.25, "flat_dropout": 0.5, "dense_dropout": 0.25, "l2": 0.02}


@pytest.mark.parametrize("shape", [(128, 129, 1), (128, 130, 1)])
@pytest.mark.parametrize(
    ("name", "options", "n_parameters"),
    [("cnn2d_2018", {"dropout": 0.25}, 171_594), ("cnn_2020", DROPOUTS_2020, 2_495_114)],
)
def test_published_counts(build, check_probabilities, name, options, n_parameters, shape):
    model = build(name, shape, **options)
    assert model.count_params() == n_parameters
    check_probabilities(model)


def test_maps_of_cnn2d_2018(build):
    layers = build("cnn2d_2018", (128, 129, 1), dropout=0.25).layers
    kinds = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    assert [layer.output.shape[1:] for layer in layers if isinstance(layer, kinds)] == [
        (126, 127, 16),
        (63, 63, 16),
        (61, 61, 32),
        (30, 30, 32),
        (28, 28, 64),
        (14, 14, 64),
        (12, 12, 128),
        (6, 6, 128),
        (4, 4, 64),
        (1, 1, 64),
    ]


def test_cnn_2020_decays_its_dense_layers(build):
    assert len(build("cnn_2020", (128, 129, 1), **DROPOUTS_2020).losses) == 2


def test_smallest_input(build, check_probabilities):
    check_probabilities(build("cnn2d_2018", (78, 78, 1), dropout=0.25))
    for shape in ((77, 78, 1), (78, 77, 1)):
        with pytest.raises(ModelError, match=r"^cnn2d_2018: .*at least 78 bins x 78 frames"):
            build("cnn2d_2018", shape, dropout=0.25)
    check_probabilities(build("cnn_2020", (1, 1, 1), **DROPOUTS_2020))
