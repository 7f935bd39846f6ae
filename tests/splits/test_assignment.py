"""Assignment to parts: sizes in closed form. The protocols' tests cover the assignment itself."""

import pytest

from genredag.splits.assignment import sizes


@pytest.mark.parametrize(
    ("n", "ratios", "expected"),
    [
        (100, [0.8, 0.1, 0.1], [80, 10, 10]),
        (99, [0.8, 0.1, 0.1], [79, 10, 10]),
        (10, [0.7, 0.15, 0.15], [7, 2, 1]),
        (3, [0.8, 0.1, 0.1], [1, 1, 1]),
        (5, [0.98, 0.01, 0.01], [3, 1, 1]),
        (1000, [0.7, 0.2, 0.1], [700, 200, 100]),
    ],
)
def test_sizes_in_closed_form(n, ratios, expected):
    assert sizes(n, ratios) == expected
