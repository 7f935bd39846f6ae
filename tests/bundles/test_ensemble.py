import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.bundles.bundle import save_bundle
from genredag.bundles.ensemble import product
from genredag.bundles.loading import load_bundle

A = np.array([[0.8, 0.2], [0.5, 0.5]], np.float32)
B = np.array([[0.5, 0.5], [0.1, 0.9]], np.float32)


def test_probabilities_are_multiplied():
    np.testing.assert_allclose(product([A, B], [1.0, 1.0]), [[0.8, 0.2], [0.1, 0.9]], atol=1e-6)


def test_a_weight_is_an_exponent():
    squared = A.astype(float) ** 2 * B
    expected = squared / squared.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(product([A, B], [2.0, 1.0]), expected, atol=1e-6)


def test_one_member_with_weight_1_is_unchanged():
    np.testing.assert_allclose(product([A], [1.0]), A, atol=1e-6)


def test_a_probability_of_0_can_be_outvoted():
    sure, others = np.array([[0.0, 1.0]]), np.array([[1.0 - 1e-6, 1e-6]])
    assert product([sure, others], [0.3, 1.0])[0].argmax() == 0


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.01, 50), st.floats(0.01, 50))
def test_products_are_probabilities(values, one, other):
    given_ = np.array([[*values, 1.0]]) / (sum(values) + 1)
    found = product([given_, given_[:, ::-1]], [one, other])
    assert found.dtype == np.float32 and np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_an_ensemble_predicts_the_product_of_its_members(untrained, make_slices):
    bundle, slices = untrained("best"), make_slices(70)
    parts = [member.predict(slices) for member in bundle.members]
    np.testing.assert_array_equal(bundle.predict(slices), product(parts, bundle.info["weights"]))
    assert bundle.is_network and not bundle.over_windows


@pytest.mark.parametrize("n_valid", [None, [120, 61, 2]])
def test_a_saved_ensemble_predicts_the_same(untrained, make_slices, tmp_path, n_valid):
    bundle, slices = untrained("best"), make_slices(3)
    for name in ("a.zip", "b.zip"):
        save_bundle(tmp_path / name, bundle)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    n_valid = n_valid and np.array(n_valid)
    found = load_bundle(tmp_path / "a.zip").predict(slices, n_valid)
    np.testing.assert_allclose(found, bundle.predict(slices, n_valid), atol=1e-6)
