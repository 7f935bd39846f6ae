import keras
import pytest

from genredag.errors import ModelError


@pytest.mark.parametrize(
    ("name", "shape", "n_parameters"),
    [
        ("lidy_shallow", (80, 80, 1), 2_060_642),
        ("lidy_shallow", (128, 130, 1), 4_966_242),
        ("schindler_deep", (80, 80, 1), 1_283_362),
        ("schindler_deep", (128, 130, 1), 2_716_962),
    ],
)
def test_counts(build, check_probabilities, name, shape, n_parameters):
    model = build(name, shape, dropout=0.1)
    assert model.count_params() == n_parameters
    check_probabilities(model)


@pytest.mark.parametrize(
    ("name", "pooled"),
    [
        ("lidy_shallow", [(80, 4, 16), (4, 80, 16)]),
        ("schindler_deep", [(10, 2, 128), (2, 10, 128)]),
    ],
)
def test_branches_pool_time_and_frequency(build, name, pooled):
    layers = build(name, (80, 80, 1), dropout=0.1).layers
    last = [layer.input.shape[1:] for layer in layers if isinstance(layer, keras.layers.Flatten)]
    assert last == pooled


@pytest.mark.parametrize(("name", "smallest"), [("lidy_shallow", 20), ("schindler_deep", 40)])
def test_smallest_input(build, check_probabilities, name, smallest):
    check_probabilities(build(name, (smallest, smallest, 1), dropout=0.1))
    for shape in ((smallest - 1, smallest, 1), (smallest, smallest - 1, 1)):
        with pytest.raises(ModelError, match=f"^{name}: .*at least {smallest} bins x {smallest} frames"):
            build(name, shape, dropout=0.1)
