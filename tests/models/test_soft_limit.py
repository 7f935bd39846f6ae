import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone

from genredag.models.soft_limit import SoftLimit


@given(st.floats(-1e6, 1e6), st.floats(0.1, 10))
def test_values_keep_their_sign_and_stay_within_the_limit(value, limit):
    (found,) = SoftLimit(limit).fit_transform(np.array([[value]])).ravel()
    assert abs(found) <= min(abs(value), limit) * (1 + 1e-12)
    assert found * value >= 0


def test_small_values_hardly_change():
    small = np.linspace(-0.1, 0.1, 9)[:, np.newaxis]
    assert_allclose(SoftLimit(1.5).fit_transform(small), small, rtol=2e-3)


def test_order_and_type_are_kept():
    values = np.linspace(-4, 4, 50, dtype=np.float32)[:, np.newaxis]
    found = SoftLimit(2.0).fit_transform(values)
    assert found.dtype == np.float32 and (np.diff(found, axis=0) > 0).all()


def test_is_a_transformer_of_scikit_learn():
    step = clone(SoftLimit(0.7))
    assert step.get_params() == {"limit": 0.7}
    assert step.fit(np.zeros((2, 5))).n_features_in_ == 5


@pytest.mark.parametrize("limit", [0.5, 3.0])
def test_extreme_values_reach_the_limit(limit):
    assert_allclose(SoftLimit(limit).fit_transform(np.array([[1e9, -1e9]])), [[limit, -limit]])
