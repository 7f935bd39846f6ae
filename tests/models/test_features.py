import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.features import slice_statistics


def test_closed_form():
    ramp = np.arange(5.0)
    square = np.array([1.0, -1, 1, -1, 1])
    features = slice_statistics(np.stack([ramp, square], axis=1)[np.newaxis].astype(np.float32))
    assert features.dtype == np.float32
    expected = [2, 0.2, np.sqrt(2), np.sqrt(0.96), 1, 0, 0, 2]
    np.testing.assert_allclose(features, [expected], atol=1e-6)


def test_shape():
    assert slice_statistics(np.zeros((3, 4, 5), np.float32)).shape == (3, 20)
    assert slice_statistics(np.zeros((0, 4, 5), np.float32)).shape == (0, 20)


def test_one_frame_has_no_differences():
    with pytest.raises(ModelError, match="slices of 1 frame; expected at least 2"):
        slice_statistics(np.zeros((3, 1, 5), np.float32))
