"""Augmentation of training slices (batch, n_frames, n_bins), in the units of the frame store.

Random values are drawn from the given generator for each slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genredag.params.groups.models import Augmentation, Mixup

Floor = float | Sequence[float]


def augment(
    slices: np.ndarray,
    labels: np.ndarray,
    steps: Sequence[Augmentation],
    *,
    floor: Floor,
    rng: np.random.Generator,
    n_channels: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Return slices and labels after `steps`, in order; the given arrays are not changed.

    Channels, whose bins are side by side, are changed alike: the same rows and frames, by the same factors.
    What depends on the values of a slice, such as their mean, depends on those of the channel.

    Parameters
    ----------
    labels
        Indices of classes; probabilities (batch, n_classes) if one of the steps is mixup.
    floor
        The value of silence; of each bin if they differ.
    """
    for step in steps:
        if isinstance(step, Mixup):
            slices, labels = mixup(slices, labels, rng, alpha=step.alpha)
        else:
            values = step.model_dump(exclude={"kind"})
            slices = _each_channel(TRANSFORMS[step.kind], slices, rng, floor, n_channels, values)
    return slices, labels


def _each_channel(
    transform: Callable[..., np.ndarray],
    slices: np.ndarray,
    rng: np.random.Generator,
    floor: Floor,
    n_channels: int,
    values: dict[str, object],
) -> np.ndarray:
    """Apply a transform to each channel with the same random numbers."""
    state, changed = rng.bit_generator.state, []
    floors = np.broadcast_to(np.asarray(floor, np.float32), slices.shape[2])
    for channel, silence in zip(
        np.split(slices, n_channels, axis=2), np.split(floors, n_channels), strict=True
    ):
        rng.bit_generator.state = state
        changed.append(transform(channel, rng, silence, **values))
    return np.concatenate(changed, axis=2)


def noise(slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, std: float) -> np.ndarray:
    """Add white noise, of standard deviation `std` in the values' unit, to every frame and bin."""
    return slices + np.float32(std) * rng.standard_normal(slices.shape, np.float32)


def brightness(slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, share: float) -> np.ndarray:
    """Scale the distance from silence by 1 - `share` to 1 + `share`, like the brightness of an image."""
    silence = np.asarray(floor, np.float32)
    return silence + (slices - silence) * _factors(slices, rng, share)


def contrast(slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, share: float) -> np.ndarray:
    """Scale the distance from the slice's mean by 1 - `share` to 1 + `share`."""
    mean = slices.mean(axis=(1, 2), keepdims=True)
    return mean + (slices - mean) * _factors(slices, rng, share)


def equalisation(
    slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, gain: float, tilt: float
) -> np.ndarray:
    """Add a random gain, and a random line over the bins, to each slice, like a turn of two tone controls.

    Both are drawn from normal distributions whose deviations are these shares of the slice's own.
    """
    deviation = slices.std(axis=(1, 2), keepdims=True)
    level, slope = (share * rng.standard_normal((len(slices), 1, 1)) for share in (gain, tilt))
    line = np.linspace(-1, 1, slices.shape[2])
    return slices + (deviation * (level + slope * line)).astype(np.float32)


def mask_frames(
    slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, count: int, width: int
) -> np.ndarray:
    """Set `count` runs of 0 to `width` frames to the slice's mean (SpecAugment, Park et al. 2019)."""
    return _masked(slices, rng, count, width, axis=1)


def mask_bins(
    slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, count: int, width: int
) -> np.ndarray:
    """Set `count` runs of 0 to `width` bins to the slice's mean (SpecAugment, Park et al. 2019)."""
    return _masked(slices, rng, count, width, axis=2)


def cutout(
    slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, bins: int, frames: int
) -> np.ndarray:
    """Silence a rectangle of `bins` x `frames` within the slice (DeVries & Taylor 2017)."""
    n, n_frames, n_bins = slices.shape
    frames, bins = min(frames, n_frames), min(bins, n_bins)
    in_frames = _runs(rng.integers(0, n_frames - frames, n, endpoint=True), np.full(n, frames), n_frames)
    in_bins = _runs(rng.integers(0, n_bins - bins, n, endpoint=True), np.full(n, bins), n_bins)
    return np.where(
        in_frames[:, :, np.newaxis] & in_bins[:, np.newaxis], np.asarray(floor, np.float32), slices
    )


def drop_stripes(
    slices: np.ndarray,
    rng: np.random.Generator,
    floor: Floor,
    *,
    bins: int,
    frames: int,
    probability: float,
) -> np.ndarray:
    """Silence `bins` whole bins and `frames` whole frames of each slice with this probability.

    Bins and frames are drawn with replacement, as in gtzan.keras (2020). The name is from PANNs, where masks
    have the same shape (Kong et al. 2020).
    """
    n, n_frames, n_bins = slices.shape
    silent = np.zeros(slices.shape, bool)
    each = np.arange(n)[:, np.newaxis]
    silent[each, rng.integers(0, n_frames, (n, frames))] = True
    silent[each, :, rng.integers(0, n_bins, (n, bins))] = True
    silent &= rng.random((n, 1, 1)) < probability
    return np.where(silent, np.asarray(floor, np.float32), slices)


def time_reversal(
    slices: np.ndarray, rng: np.random.Generator, floor: Floor, *, probability: float
) -> np.ndarray:
    """Reverse slices in time with this probability."""
    is_reversed = rng.random(len(slices)) < probability
    return np.where(is_reversed[:, np.newaxis, np.newaxis], slices[:, ::-1], slices)


def mixup(
    slices: np.ndarray, labels: np.ndarray, rng: np.random.Generator, *, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """Blend each slice and its label with another of the batch (Zhang et al. 2018).

    Parameters
    ----------
    labels
        Probabilities, shape (batch, n_classes).
    alpha
        Both parameters of the beta distribution from which a slice's own share is drawn.
    """
    other = rng.permutation(len(slices))
    own = rng.beta(alpha, alpha, len(slices)).astype(np.float32)[:, np.newaxis]
    mixed = labels * own + labels[other] * (1 - own)
    own = own[:, np.newaxis]
    return slices * own + slices[other] * (1 - own), mixed


TRANSFORMS: dict[str, Callable[..., np.ndarray]] = {
    function.__name__: function
    for function in (
        *(noise, brightness, contrast, equalisation, mask_frames, mask_bins),
        *(cutout, drop_stripes, time_reversal),
    )
}


def _factors(slices: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    return rng.uniform(1 - share, 1 + share, (len(slices), 1, 1)).astype(np.float32)


def _masked(slices: np.ndarray, rng: np.random.Generator, count: int, width: int, axis: int) -> np.ndarray:
    n, size = len(slices), slices.shape[axis]
    inside = np.zeros((n, size), bool)
    for _ in range(count):
        widths = rng.integers(0, min(width, size), n, endpoint=True)
        inside |= _runs(rng.integers(0, size - widths, endpoint=True), widths, size)
    return np.where(np.expand_dims(inside, 3 - axis), slices.mean(axis=(1, 2), keepdims=True), slices)


def _runs(starts: np.ndarray, widths: np.ndarray, size: int) -> np.ndarray:
    """Return which of `size` positions are in the run of each row, bool (len(starts), size)."""
    places = np.arange(size)
    return (places >= starts[:, np.newaxis]) & (places < (starts + widths)[:, np.newaxis])
