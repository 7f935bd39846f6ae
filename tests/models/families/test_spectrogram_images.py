import keras
import pytest

from genredag.errors import ModelError


@pytest.mark.parametrize(
    ("name", "shape", "n_parameters"),
    [
        ("cnn_2layers", (224, 224, 3), 23_941_502),
        ("cnn_2layers", (128, 130, 1), 7_671_038),
        ("cnn_3layers", (217, 334, 3), 947_614),
        ("cnn_3layers", (128, 130, 1), 225_566),
    ],
)
def test_published_counts(build, check_probabilities, name, shape, n_parameters):
    model = build(name, shape, dropout=0.2)
    assert model.count_params() == n_parameters
    check_probabilities(model)


def test_maps_of_cnn_3layers(build):
    layers = build("cnn_3layers", (217, 334, 3), dropout=0.2).layers
    kinds = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    assert [layer.output.shape[1:] for layer in layers if isinstance(layer, kinds)] == [
        (215, 332, 64),
        (107, 166, 64),
        (103, 162, 32),
        (34, 54, 32),
        (16, 26, 32),
        (8, 13, 32),
    ]


@pytest.mark.parametrize(("name", "smallest"), [("cnn_2layers", 10), ("cnn_3layers", 40)])
def test_smallest_input(build, check_probabilities, name, smallest):
    check_probabilities(build(name, (smallest, smallest, 1), dropout=0.2))
    for shape in ((smallest - 1, smallest, 1), (smallest, smallest - 1, 1)):
        with pytest.raises(ModelError, match=f"^{name}: .*at least {smallest} bins x {smallest} frames"):
            build(name, shape, dropout=0.2)
