import dataclasses

import numpy as np
import pytest

from genredag.batches import LEAST_VARIANCE, shuffled_batches, slice_set, statistics


@pytest.fixture
def slices(toy_slices):
    return slice_set(
        toy_slices["frames"],
        toy_slices["slices"],
        10,
        toy_slices["split"]["genre"],
        ["blues", "jazz", "rock"],
    )


def test_takes_the_rows_asked_for(toy_slices, slices):
    taken = slices.take(np.array([71, 0]))
    assert taken.dtype == np.float32
    np.testing.assert_array_equal(taken[0], toy_slices["frames"].array[470:480])
    np.testing.assert_array_equal(taken[1], toy_slices["frames"].array[:10])
    assert slices.labels[[71, 0]].tolist() == [2, 0]


def test_chunks_are_all_slices_in_order(slices):
    np.testing.assert_array_equal(np.concatenate(list(slices.chunks())), slices.take(np.arange(72)))


def test_statistics_of_each_bin(slices):
    mean, variance = statistics(slices, "bin")
    values = slices.take(np.arange(72)).astype(np.float64)
    np.testing.assert_allclose(mean, values.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(variance, values.var(axis=(0, 1)), rtol=1e-9)


def test_global_statistics(slices):
    mean, variance = statistics(slices, "global")
    values = slices.take(np.arange(72)).astype(np.float64)
    np.testing.assert_allclose(mean, np.full(12, values.mean()))
    np.testing.assert_allclose(variance, np.full(12, values.var()))


def test_no_statistics(slices):
    assert statistics(slices, "none") is None


def test_constant_bins_are_not_blown_up(toy_slices, slices):
    array = toy_slices["frames"].array.copy()
    array[:, 3] = -80
    frames = dataclasses.replace(toy_slices["frames"], array=array)
    _, variance = statistics(dataclasses.replace(slices, frames=frames), "bin")
    assert variance[3] == pytest.approx(LEAST_VARIANCE * np.delete(variance, 3).sum() / 12)
    silent = dataclasses.replace(slices, frames=dataclasses.replace(frames, array=np.full_like(array, -80)))
    assert statistics(silent, "bin")[1].tolist() == [1.0] * 12


def test_batches_in_order(slices):
    batches = shuffled_batches(slices, 32, seed=None)
    assert [len(batches[i][1]) for i in range(len(batches))] == [32, 32, 8]
    np.testing.assert_array_equal(np.concatenate([batches[i][1] for i in range(3)]), slices.labels)


def test_batches_by_a_permutation_an_epoch(slices):
    def epochs(seed, order=(0, 1)):
        batches = shuffled_batches(slices, 32, seed)
        for epoch in order:
            batches.start_epoch(epoch)
            yield np.concatenate([batches[i][0] for i in range(len(batches))])

    first, second = epochs(1)
    assert (first != second).any()
    np.testing.assert_array_equal(np.sort(first, axis=0), np.sort(slices.take(np.arange(72)), axis=0))
    np.testing.assert_array_equal([first, second], list(epochs(1)))
    np.testing.assert_array_equal([second, first], list(epochs(1, (1, 0))))
    assert (first != next(epochs(2))).any()
