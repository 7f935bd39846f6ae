import dataclasses

import numpy as np
import pytest

from genredag.frames.batches import (
    LEAST_VARIANCE,
    runs_of_windows,
    sequences,
    shuffled_batches,
    slice_set,
    statistics,
    summarise,
    with_features,
)


@pytest.fixture
def slices(toy_slices):
    return slice_set(
        toy_slices.frames,
        toy_slices.slices,
        10,
        toy_slices.split["genre"],
        ["blues", "jazz", "rock"],
    )


def test_takes_the_requested_rows(toy_slices, slices):
    taken = slices.take(np.array([71, 0]))
    assert taken.dtype == np.float32
    np.testing.assert_array_equal(taken[0], toy_slices.frames.array[470:480])
    np.testing.assert_array_equal(taken[1], toy_slices.frames.array[:10])
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


@pytest.mark.parametrize("normalisation", ["bin", "global"])
def test_padding_counts_as_silence(slices, normalisation):
    """Networks see the padding: statistics without it would not be those of their input."""
    padded = dataclasses.replace(slices, n_valid=np.full(72, 4))
    values = padded.take(np.arange(72)).astype(np.float64)
    assert (values[:, 4:] == -80).all()
    axes = (0, 1) if normalisation == "bin" else None
    mean, variance = statistics(padded, normalisation)
    np.testing.assert_allclose(mean, np.broadcast_to(values.mean(axis=axes), 12))
    np.testing.assert_allclose(variance, np.broadcast_to(values.var(axis=axes), 12))


@pytest.mark.parametrize("normalisation", ["bin", "global"])
def test_channels_have_statistics_of_their_own(slices, normalisation):
    """Decibels and shares of a maximum, of which one bin is silent, are normalised as if alone."""
    decibels = slices.frames.array.astype(np.float32)
    shares = (decibels + 80) / 80 * (np.arange(12) > 0)

    def of(array, **changes):
        spec = dataclasses.replace(slices.frames.spec, dtype="float32", n_bins=array.shape[1], **changes)
        frames = dataclasses.replace(slices.frames, spec=spec, array=array)
        return statistics(dataclasses.replace(slices, frames=frames), normalisation)

    alone = [of(array) for array in (decibels, shares)]
    both = of(np.concatenate([decibels, shares], axis=1), n_channels=2, unit="feature")
    for found, parts in zip(both, zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(found, np.concatenate(parts), rtol=1e-12)


def test_features_of_a_stack_are_no_channels(slices):
    spec = dataclasses.replace(slices.frames.spec, n_channels=3)
    frames = dataclasses.replace(slices.frames, spec=spec)
    stacked = dataclasses.replace(slices, frames=frames)
    found = with_features(stacked, summarise(stacked, "bin_statistics"), np.arange(len(slices)))
    assert (found.frames.spec.n_channels, found.frames.spec.n_bins) == (1, 48)


def test_no_statistics(slices):
    assert statistics(slices, "none") is None


def test_constant_bins_are_not_blown_up(toy_slices, slices):
    array = toy_slices.frames.array.copy()
    array[:, 3] = -80
    frames = dataclasses.replace(toy_slices.frames, array=array)
    _, variance = statistics(dataclasses.replace(slices, frames=frames), "bin")
    assert variance[3] == pytest.approx(LEAST_VARIANCE * np.delete(variance, 3).sum() / 12)
    silent = dataclasses.replace(slices, frames=dataclasses.replace(frames, array=np.full_like(array, -80)))
    assert statistics(silent, "bin")[1].tolist() == [1.0] * 12


def test_batches_in_order(slices):
    batches = shuffled_batches(slices, 32, seed=None)
    assert [len(batches[i][1]) for i in range(len(batches))] == [32, 32, 8]
    np.testing.assert_array_equal(np.concatenate([batches[i][1] for i in range(3)]), slices.labels)


def test_each_epoch_has_its_own_permutation(slices):
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


def some_slices(toy, rows, **columns):
    """Return these rows of the toy slices, with other columns, and the name of each one's track."""
    table = toy.slices.iloc[rows].assign(**columns)
    genres = toy.split["genre"].iloc[rows]
    return slice_set(toy.frames, table, 10, genres, ["blues", "jazz", "rock"])


def test_sequences_are_tracks_padded_at_their_end(toy_slices):
    found = sequences(some_slices(toy_slices, [0, 2, 3, 48, 49, 50]))
    assert found.rows.tolist() == [[0, 1, 1], [2, 2, 2], [3, 4, 5]]
    # Six of nine count, so that their mean is the sum over nine.
    assert found.weights.tolist() == [[1.5, 1.5, 0], [1.5, 0, 0], [1.5, 1.5, 1.5]]
    values, labels, weights = found.batch(np.array([2, 0]))
    assert (values.shape, labels.tolist()) == ((2, 3, 10, 12), [[2, 2, 2], [0, 0, 0]])
    np.testing.assert_array_equal(values[0], found.slices.take(np.array([3, 4, 5])))
    np.testing.assert_array_equal(values[1], found.slices.take(np.array([0, 1, 1])))
    assert weights.tolist() == found.weights[[2, 0]].tolist()


def test_long_tracks_are_several_sequences(toy_slices, monkeypatch):
    monkeypatch.setattr("genredag.frames.batches.MAX_WINDOWS", 2)
    found = sequences(some_slices(toy_slices, [0, 1, 2, 48, 49, 51]))
    assert found.rows.tolist() == [[0, 1], [2, 2], [3, 4], [5, 5]]
    np.testing.assert_allclose(found.weights, np.array([[1, 1], [1, 0], [1, 1], [1, 0]]) * 8 / 6)


def test_runs_of_windows_are_as_equal_as_can_be():
    assert [len(run) for run in runs_of_windows(np.arange(80))] == [80]
    assert [len(run) for run in runs_of_windows(np.arange(161))] == [54, 54, 53]
    assert runs_of_windows(np.arange(0)) == []


def test_a_copy_of_a_track_is_a_sequence_of_its_own(toy_slices):
    ids = ["a", "a", "a~up", "a~up", "b"]
    copies = some_slices(toy_slices, [0, 1, 3, 4, 6], track_id=ids, parent=[None, None, "a", "a", None])
    assert copies.track_ids.tolist() == ["a", "a", "a", "a", "b"]
    assert sequences(copies).rows.tolist() == [[0, 1], [2, 3], [4, 4]]


def test_batches_of_tracks_keep_their_mask(slices):
    def double(values, labels, rng):
        return 2 * values, labels

    tracks = sequences(slices)
    plain, batches = (shuffled_batches(tracks, 10, 1, prepare) for prepare in (None, double))
    assert len(batches) == 3
    for epoch in (0, 1):
        plain.start_epoch(epoch)
        batches.start_epoch(epoch)
        for i in range(3):
            np.testing.assert_array_equal(batches[i][0], 2 * plain[i][0])
            assert batches[i][2].tolist() == [[1.0] * 3] * len(batches[i][0])
    order = np.concatenate([plain[i][0][:, 0, 0, 0] for i in range(3)])
    assert sorted(order) == sorted(slices.take(np.arange(0, 72, 3))[:, 0, 0])
    assert (order != slices.take(np.arange(0, 72, 3))[:, 0, 0]).any()
