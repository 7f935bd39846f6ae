import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from genredag.frames.batches import shuffled_batches, slice_set
from genredag.params.groups.models import Augmentation
from genredag.training import augment as augmentation
from genredag.training.augment import augment, mixup
from genredag.training.train import train_bundle
from recipes import LSTM, TRAIN

FLOOR = -80.0
STEPS = {
    "noise": {"std": 3.0},
    "brightness": {"share": 0.2},
    "contrast": {"share": 0.2},
    "equalisation": {"gain": 0.2, "tilt": 0.3},
    "mask_frames": {"count": 2, "width": 4},
    "mask_bins": {"count": 2, "width": 3},
    "cutout": {"bins": 3, "frames": 4},
    "drop_stripes": {"bins": 3, "frames": 4, "probability": 0.5},
    "time_reversal": {"probability": 0.5},
    "mixup": {"alpha": 0.4},
}


def step(kind, **changes):
    return TypeAdapter(Augmentation).validate_python({"kind": kind, **STEPS[kind], **changes})


def noise_slices(n=16, n_frames=20, n_bins=12, seed=0):
    return np.random.default_rng(seed).uniform(-70, 0, (n, n_frames, n_bins)).astype(np.float32)


def run(kind, slices, seed=0, **changes):
    labels = np.eye(3, dtype=np.float32)[np.arange(len(slices)) % 3]
    rng = np.random.default_rng(seed)
    return augment(slices, labels, [step(kind, **changes)], floor=FLOOR, rng=rng)


SIZES = {"n": st.integers(1, 5), "n_frames": st.integers(1, 12), "n_bins": st.integers(1, 12)}


@pytest.mark.parametrize("kind", STEPS)
@given(**SIZES, seed=st.integers(0, 2**32 - 1))
def test_shape_type_and_input_are_kept(kind, n, n_frames, n_bins, seed):
    slices = noise_slices(n, n_frames, n_bins)
    before = slices.copy()
    changed, labels = run(kind, slices, seed)
    assert changed.shape == slices.shape and changed.dtype == np.float32
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(slices, before)
    np.testing.assert_array_equal(changed, run(kind, slices, seed)[0])
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    assert labels.shape == (n, 3) and labels.dtype == np.float32


@pytest.mark.parametrize("kind", STEPS)
def test_another_seed_changes_slices_differently(kind):
    slices = noise_slices()
    changed = run(kind, slices)[0]
    assert (changed != slices).any()
    assert (changed != run(kind, slices, seed=1)[0]).any()


def test_no_steps_are_identity():
    slices, labels = noise_slices(), np.arange(16)
    changed, same = augment(slices, labels, [], floor=FLOOR, rng=np.random.default_rng(0))
    assert changed is slices and same is labels


def test_noise_has_the_given_standard_deviation():
    slices = noise_slices(64, 50, 50)
    difference = run("noise", slices)[0] - slices
    assert difference.std() == pytest.approx(3.0, rel=0.01)
    assert difference.mean() == pytest.approx(0.0, abs=0.03)


def test_brightness_scales_the_distance_from_silence():
    slices = noise_slices()
    factors = (run("brightness", slices)[0] - FLOOR) / (slices - FLOOR)
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1, :1], slices.shape), rtol=1e-4)
    assert 0.8 <= factors.min() < 1 < factors.max() <= 1.2
    silence = np.full_like(slices, FLOOR)
    np.testing.assert_array_equal(run("brightness", silence)[0], silence)


def test_contrast_keeps_the_mean():
    slices = noise_slices()
    changed = run("contrast", slices)[0]
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), slices.mean(axis=(1, 2)), rtol=1e-4)
    ratio = changed.std(axis=(1, 2)) / slices.std(axis=(1, 2))
    assert 0.8 <= ratio.min() < 1 < ratio.max() <= 1.2


@pytest.mark.parametrize(("kind", "axis", "other"), [("mask_frames", 1, 2), ("mask_bins", 2, 1)])
@given(count=st.integers(1, 3), width=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
def test_masks_are_contiguous_and_no_wider_than_requested(kind, axis, other, count, width, seed):
    slices = noise_slices()
    changed = run(kind, slices, seed, count=count, width=width)[0] != slices
    masked = changed.any(axis=other)
    np.testing.assert_array_equal(masked, changed.all(axis=other))
    assert masked.sum(axis=1).max() <= count * width


def test_one_mask_is_one_run_of_the_mean():
    slices = noise_slices(64)
    changed = run("mask_frames", slices, count=1, width=5)[0]
    masked = (changed != slices).all(axis=2)
    assert set(masked.sum(axis=1)) == {0, 1, 2, 3, 4, 5}
    assert (np.abs(np.diff(masked.astype(int), axis=1)).sum(axis=1) <= 2).all()
    means = np.broadcast_to(slices.mean(axis=(1, 2))[:, None, None], slices.shape)
    np.testing.assert_array_equal(changed[masked], means[masked])


@given(bins=st.integers(1, 20), frames=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
def test_cutout_silences_one_rectangle(bins, frames, seed):
    slices = noise_slices()
    silent = run("cutout", slices, seed, bins=bins, frames=frames)[0] == FLOOR
    assert set(silent.any(axis=2).sum(axis=1)) == {min(frames, 20)}
    assert set(silent.any(axis=1).sum(axis=1)) == {min(bins, 12)}
    assert set(silent.sum(axis=(1, 2))) == {min(frames, 20) * min(bins, 12)}


@given(bins=st.integers(1, 5), frames=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_drop_stripes_silences_whole_bins_and_whole_frames(bins, frames, seed):
    slices = noise_slices()
    silent = run("drop_stripes", slices, seed, bins=bins, frames=frames, probability=1.0)[0] == FLOOR
    of_frames, of_bins = silent.all(axis=2), silent.all(axis=1)
    np.testing.assert_array_equal(silent, of_frames[:, :, np.newaxis] | of_bins[:, np.newaxis])
    assert of_frames.sum(axis=1).min() >= 1 and of_frames.sum(axis=1).max() <= frames
    assert of_bins.sum(axis=1).min() >= 1 and of_bins.sum(axis=1).max() <= bins


def test_drop_stripes_of_half_the_slices():
    slices = noise_slices(200)
    changed = run("drop_stripes", slices)[0] != slices
    assert 60 < changed.any(axis=(1, 2)).sum() < 140
    assert set(changed.all(axis=2).sum(axis=1)) == {0, 2, 3, 4}  # of four frames some are drawn twice


def test_time_reversal():
    slices = noise_slices(200)
    np.testing.assert_array_equal(run("time_reversal", slices, probability=1.0)[0], slices[:, ::-1])
    turned = (run("time_reversal", slices)[0] == slices[:, ::-1]).all(axis=(1, 2))
    kept = (run("time_reversal", slices)[0] == slices).all(axis=(1, 2))
    assert (turned ^ kept).all() and 60 < turned.sum() < 140


def test_mixup_blends_slices_as_it_blends_labels():
    # Slices that are their own label: what is true of one must be true of the other.
    labels = np.eye(5, dtype=np.float32)[np.arange(40) % 5]
    slices = np.repeat(labels[:, np.newaxis], 7, axis=1)
    mixed, soft = mixup(slices, labels, np.random.default_rng(0), alpha=0.4)
    np.testing.assert_array_equal(mixed, np.repeat(soft[:, np.newaxis], 7, axis=1))
    assert ((soft > 0).sum(axis=1) <= 2).all() and ((soft > 0).sum(axis=1) == 2).any()


def test_steps_follow_each_other():
    slices = noise_slices()
    steps = [step("time_reversal", probability=1.0), step("cutout", bins=12, frames=20)]
    changed, _ = augment(slices, np.arange(16), steps, floor=FLOOR, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(changed, np.full_like(slices, FLOOR))


def test_every_kind_of_a_recipe_has_its_function():
    assert {*augmentation.TRANSFORMS, "mixup"} == set(STEPS)


def test_a_batch_depends_only_on_seed_epoch_and_position(toy_slices):
    genres, names = toy_slices.split["genre"], ["blues", "jazz", "rock"]
    slices = slice_set(toy_slices.frames, toy_slices.slices, 10, genres, names)

    def batches(seed, epoch):
        def draw(x, y, rng):
            return rng.random(2), y

        batches = shuffled_batches(slices, 32, seed, draw)
        batches.start_epoch(epoch)
        return [tuple(batches[i][0]) for i in (2, 0, 1)]

    assert batches(1, 3) == batches(1, 3)
    assert len({*batches(1, 3), *batches(1, 4), *batches(2, 3)}) == 9


@pytest.mark.parametrize("kinds", [["noise", "mask_bins", "time_reversal"], ["mixup"]])
def test_networks_learn_from_augmented_slices(toy_slices, kinds):
    changes = {"schedule": "constant", "epochs": 8, "patience": 8, "options": {"units": 8, "dropout": 0.0}}
    recipe = LSTM.model_copy(update=changes | {"augment": [step(kind) for kind in kinds]})
    bundle, history, _ = train_bundle("lstm", recipe, TRAIN, toy_slices, seed=1)
    assert history["val_accuracy"].max() == 1.0
    assert bundle.info["recipe"]["augment"][0]["kind"] == kinds[0]


@pytest.mark.parametrize("kind", ["brightness", "cutout", "drop_stripes"])
def test_silence_may_differ_by_bin(kind):
    """As in MFCC, of which silence has only the first."""
    slices = noise_slices()
    floor = [-905.0, *[0.0] * (slices.shape[2] - 1)]
    labels, steps = np.zeros(len(slices), np.int32), [step(kind)]
    found = augment(slices, labels, steps, floor=floor, rng=np.random.default_rng(0))[0]
    expected = augment(slices, labels, steps, floor=0.0, rng=np.random.default_rng(0))[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :, 1:], expected[:, :, 1:])
    assert (found[:, :, 0] != expected[:, :, 0]).any()


def test_equalisation_adds_a_gain_and_a_line_over_the_bins():
    slices = noise_slices(4000)
    added = (run("equalisation", slices)[0] - slices) / slices.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1], added.shape), atol=1e-4)
    steps = np.diff(added[:, 0], axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-4)
    gain, tilt = added[:, 0].mean(axis=1), (added[:, 0, -1] - added[:, 0, 0]) / 2
    assert abs(gain.mean()) < 0.02 and gain.std() == pytest.approx(0.2, rel=0.05)
    assert abs(tilt.mean()) < 0.02 and tilt.std() == pytest.approx(0.3, rel=0.05)
    assert abs(np.corrcoef(gain, tilt)[0, 1]) < 0.05


ALIKE = [kind for kind in STEPS if kind != "noise"]


@pytest.mark.parametrize("kind", ALIKE)
def test_channels_are_changed_alike(kind):
    """Each as if it were alone, whatever its unit: the same rows, frames and factors."""
    one, other = noise_slices(), noise_slices(seed=1) / 80 + 1
    labels = np.eye(3, dtype=np.float32)[np.arange(len(one)) % 3]

    def changed(slices, floor, n_channels=1):
        rng = np.random.default_rng(0)
        steps = [step(kind), step("time_reversal")]  # the next step draws other numbers, alone or not
        return augment(slices, labels, steps, floor=floor, rng=rng, n_channels=n_channels)[0]

    floors = [FLOOR] * 12 + [0.0] * 12
    found = changed(np.concatenate([one, other], axis=2), floors, n_channels=2)
    np.testing.assert_array_equal(found[:, :, :12], changed(one, FLOOR))
    np.testing.assert_array_equal(found[:, :, 12:], changed(other, 0.0))
