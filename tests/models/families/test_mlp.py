import pytest

from genredag.errors import ModelError


@pytest.mark.parametrize(
    ("name", "n_features", "n_parameters"),
    [
        ("mlp_30", 30, 2_700),
        ("mlp_42", 42, 4_710),
        ("mlp_60", 60, 10_810),
        ("mlp_85", 85, 27_620),
        ("mlp_87", 87, 28_116),
        ("mlp_89", 89, 31_120),
        ("mlp_89_centroid", 89, 31_120),
    ],
)
def test_counts(build, check_probabilities, name, n_features, n_parameters):
    model = build(name, (n_features, 1, 1), dropout=0.0)
    assert model.count_params() == n_parameters
    check_probabilities(model)


def test_published_count_of_12_classes(build):
    assert build("mlp_85", (85, 1, 1), 12, dropout=0.0).count_params() == 27_672


@pytest.mark.parametrize("shape", [(84, 1, 1), (85, 2, 1), (128, 130, 1)])
def test_other_features_are_refused(build, shape):
    with pytest.raises(
        ModelError, match=f"^mlp_85: slices of {shape[0]} values x {shape[1]} frames.*expected 85 handcrafted"
    ):
        build("mlp_85", shape, dropout=0.0)
