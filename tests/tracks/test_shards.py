from __future__ import annotations

import pytest

from genredag.tracks.shards import WHOLE, Shard


@pytest.mark.parametrize("n_rows", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("total", [1, 2, 3, 8])
def test_each_row_is_in_one_shard_in_order(n_rows, total):
    rows = [list(range(n_rows))[Shard(number, total).rows(n_rows)] for number in range(1, total + 1)]
    assert [row for part in rows for row in part] == list(range(n_rows))
    sizes = [len(part) for part in rows]
    assert max(sizes) - min(sizes) <= 1


def test_the_whole_is_one_shard():
    assert WHOLE.rows(5) == slice(0, 5)
