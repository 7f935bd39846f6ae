"""Candidates: trained once per scaling, on the parts of that scaling."""

import numpy as np
import pytest

from genredag.audits.leakage import candidates
from genredag.audits.leakage.candidates import cnn_candidates, joined, scaled_on, small_cnn, svm_candidates
from genredag.frames.batches import statistics, summarise


def all_of(parts):
    """Return the slices of all parts."""
    return [part.take(np.arange(len(part))) for part in parts.values()]


def test_scaling_on_everything_uses_the_rows_of_all_parts(parts):
    assert scaled_on("train") == ("train",)
    everything = joined([parts[part] for part in scaled_on("everything")])
    assert len(everything) == sum(map(len, parts.values()))
    values = np.concatenate(all_of(parts))
    mean, variance = statistics(everything, "bin")
    np.testing.assert_allclose(mean, values.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(variance, values.var(axis=(0, 1)), rtol=1e-3)
    assert not np.allclose(mean, statistics(parts["train"], "bin")[0], rtol=1e-5)


def test_the_svm_is_standardised_on_the_rows_of_its_scaling(parts, group):
    from sklearn.svm import SVC

    features = {part: summarise(slices, "bin_statistics") for part, slices in parts.items()}
    for scaling, seen in (("train", [features["train"]]), ("everything", list(features.values()))):
        rows = np.concatenate(seen).astype(np.float64)
        scaled = {part: (values - rows.mean(axis=0)) / rows.std(axis=0) for part, values in features.items()}
        expected = SVC(C=1.0).fit(scaled["train"], parts["train"].labels).decision_function(scaled["test"])
        found = svm_candidates(parts, scaling, group.svm)
        assert found.names == ["C=0.001", "C=1"]
        np.testing.assert_allclose(found.scores["test"][1], expected, atol=1e-3)


def test_each_epoch_is_a_candidate_and_seeds_are_reproducible(parts, group):
    first, again = (cnn_candidates(parts, "train", group.cnn, 3, seed=1) for _ in range(2))
    assert first.names == ["epoch 1", "epoch 2", "epoch 3"]
    for part in ("validation", "test"):
        assert first.scores[part].shape == (3, len(parts[part]), 3)
        np.testing.assert_allclose(first.scores[part].sum(axis=2), 1, rtol=1e-5)
        np.testing.assert_array_equal(first.scores[part], again.scores[part])
    assert not np.allclose(first.scores["test"][0], first.scores["test"][2])


def test_the_cnn_is_normalised_by_the_rows_of_its_scaling(parts, group, monkeypatch):
    seen = []

    def watch(*arguments, **channels):
        seen.append(arguments[-1])
        return small_cnn(*arguments, **channels)

    monkeypatch.setattr(candidates, "small_cnn", watch)
    one_epoch = group.cnn.model_copy(update={"epochs": 1})
    for scaling in ("train", "everything"):
        cnn_candidates(parts, scaling, one_epoch, 3, seed=1)
    training, everything = (np.concatenate(sets) for sets in (list(parts["train"].chunks()), all_of(parts)))
    for (mean, variance), values in zip(seen, (training, everything), strict=True):
        np.testing.assert_allclose(mean, values.mean(axis=(0, 1)), rtol=1e-5)
        np.testing.assert_allclose(variance, values.var(axis=(0, 1)), rtol=1e-3)


def test_the_cnn_sees_the_slices_in_another_order_each_epoch(parts, group, monkeypatch):
    import keras

    seen, fit = [], keras.Model.fit

    def watch(self, batches, **options):
        seen.append(np.concatenate([slices for slices, _ in batches]))
        return fit(self, batches, **options)

    monkeypatch.setattr(keras.Model, "fit", watch)
    cnn_candidates(parts, "train", group.cnn.model_copy(update={"epochs": 2}), 3, seed=1)
    assert not np.array_equal(*seen)


@pytest.mark.parametrize("n_frames", [2, 34, 130])
def test_the_small_cnn_takes_slices_of_any_length(n_frames):
    model = small_cnn(n_frames, 128, 10, [16, 32, 64], None)
    # 3x3 kernels without bias, four numbers of batch normalisation a filter, ten outputs.
    assert model.count_params() == 9 * (16 + 16 * 32 + 32 * 64) + 4 * (16 + 32 + 64) + 65 * 10
    assert model.predict(np.zeros((1, n_frames, 128)), verbose=0).shape == (1, 10)


def test_the_small_cnn_sees_channels_side_by_side_as_one_picture():
    model = small_cnn(20, 24, 10, [4], None, n_channels=3)
    (convolution,) = (layer for layer in model.layers if layer.name.startswith("conv2d"))
    assert convolution.input.shape[1:] == (20, 8, 3)
