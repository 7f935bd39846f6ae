"""A stack holds what its representations hold, all with the same number of rows."""

import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.reading import parse_group
from genredag.params.groups.spectrograms import Stack
from genredag.params.loading import parse_params
from genredag.spectrograms.registry import REPRESENTATIONS, count_channels, describe, read_group
from genredag.spectrograms.stack import CHANNELS, side_by_side

SR = 22_050


@pytest.fixture
def groups(tree):
    return parse_params(tree).representations


@pytest.fixture
def sound():
    time = np.arange(SR) / SR
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in (220.0, 554.4, 1318.5))
    return (0.1 * tones + 0.01 * np.random.default_rng(0).standard_normal(SR)).astype(np.float32)


def stack_of(groups, *names, n_bins=128):
    return Stack(n_bins=n_bins, channels={name: getattr(groups, name) for name in names})


def alone(groups, name, sound):
    return REPRESENTATIONS[name].transform(sound, SR, getattr(groups, name))


def test_channels_use_the_functions_of_the_registry(groups):
    assert set(CHANNELS) == set(REPRESENTATIONS) - {"handcrafted", "stack", "musicnn"}
    assert set(type(groups.stack.channels).model_fields) == set(CHANNELS)
    for name, own in CHANNELS.items():
        known = REPRESENTATIONS[name]
        assert own == (known.transform, known.describe, known.columns)


def test_the_stack_of_the_project_is_mel_and_two_chromagrams_of_its_own_representations(groups, sound):
    values = REPRESENTATIONS["stack"].transform(sound, SR, groups.stack)
    mel, chroma_cqt, chroma_stft = np.split(values, 3, axis=1)
    np.testing.assert_array_equal(mel, alone(groups, "mel", sound))
    rows = np.arange(128) * 12 // 128
    np.testing.assert_array_equal(chroma_cqt, alone(groups, "chroma_cqt", sound)[:, rows])
    np.testing.assert_array_equal(chroma_stft, alone(groups, "chroma_stft", sound)[:, rows])
    assert count_channels(groups.stack) == 3 and count_channels(groups.mel) == 1


@pytest.mark.parametrize("n_bins", [12, 13, 120, 128])
def test_pitch_classes_are_repeated_in_order_and_about_equally_often(groups, n_bins, sound):
    chroma, _ = np.split(
        side_by_side(
            [np.arange(12.0)[np.newaxis]] * 2, stack_of(groups, "chroma_cqt", "chroma_cens", n_bins=n_bins)
        ),
        2,
        axis=1,
    )
    counts = np.bincount(chroma[0].astype(int), minlength=12)
    assert (np.diff(chroma[0]) >= 0).all()
    assert counts.max() - counts.min() <= 1 and counts.min() >= 1


def test_frequencies_are_interpolated_from_the_lowest_to_the_highest(groups, sound):
    _, cqt = np.split(
        REPRESENTATIONS["stack"].transform(sound, SR, stack_of(groups, "mel", "cqt")), 2, axis=1
    )
    own = alone(groups, "cqt", sound)
    places = np.linspace(0, 83, 128)
    expected = np.array([np.interp(places, np.arange(84), frame) for frame in own])
    np.testing.assert_allclose(cqt, expected, atol=1e-4)
    np.testing.assert_array_equal(cqt[:, [0, -1]], own[:, [0, -1]])


def test_silence_of_each_channel_is_its_own(groups):
    found = describe("stack", stack_of(groups, "mel", "mfcc", "chroma_stft"), SR)
    mel, mfcc, chroma = np.split(np.array(found["floor"]), 3)
    assert (mel == -80).all() and (chroma == 0).all()
    assert np.flatnonzero(mfcc).tolist() == [0, 1, 2, 3]  # the first of 40 coefficients
    assert (found["n_bins"], found["n_channels"], found["unit"]) == (384, 3, "feature")
    assert found["bins"][127:129] == ["mel 128", "mfcc 1"]


def test_the_order_of_the_keys_means_nothing(groups, sound):
    one, other = (stack_of(groups, *names) for names in (("cqt", "mel"), ("mel", "cqt")))
    assert one == other and list(one.channels.given) == ["mel", "cqt"]
    assert list(one.model_dump()["channels"]) == ["mel", "cqt"]


def test_channels_of_earlier_versions_are_read(groups):
    params = groups.stack.model_dump()
    assert params["channels"]["mel"].pop("scale") == "db"
    assert read_group("stack", params) == groups.stack


def change(groups, channel, **values):
    channels = groups.stack.channels
    changed = getattr(channels, channel).model_copy(update=values)
    return groups.stack.model_copy(update={"channels": channels.model_copy(update={channel: changed})})


def test_other_hops_are_refused_in_one_line(groups):
    stack = change(groups, "chroma_stft", hop_length=256)
    message = (
        r"^representations\.stack\.channels\.chroma_stft\.hop_length: 256; expected 512, as in mel: channels "
        r"have the same frames$"
    )
    for refuse in (lambda: describe("stack", stack, SR), lambda: REPRESENTATIONS["stack"].columns(stack)):
        with pytest.raises(ParameterError, match=message):
            refuse()


def test_bins_are_never_left_out(groups):
    message = r"^representations\.stack\.n_bins: 128 is less than the 129 bins of mel; expected at least 129"
    with pytest.raises(ParameterError, match=message):
        describe("stack", change(groups, "mel", n_mels=129), SR)


def test_a_channel_that_cannot_be_computed_is_named(groups):
    with pytest.raises(ParameterError, match=r"^representations\.stack\.channels\.mel\.window: 'hahn'"):
        describe("stack", change(groups, "mel", window="hahn"), SR)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mel"], r"stack\.channels: 1 channels; expected 2 to 4"),
        (["mel", "stft", "cqt", "mfcc", "chroma_stft"], r"stack\.channels: 5 channels; expected 2 to 4"),
        (["mel", "handcrafted"], r"stack\.channels\.handcrafted: unknown key\. Hint: one of chroma_cens"),
    ],
)
def test_two_to_four_pictures_can_be_stacked(tree, names, message):
    channels = {name: tree["representations"][name] for name in names}
    with pytest.raises(ParameterError, match=message):
        parse_group({"n_bins": 128, "channels": channels}, "representations.stack", Stack, "params.yaml")
