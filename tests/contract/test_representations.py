"""The contract of every registered representation."""

import json

import numpy as np
import pytest

from genredag.params.groups.spectrograms import Representations
from genredag.params.loading import parse_params
from genredag.spectrograms.registry import (
    ADDED_LATER,
    REPRESENTATIONS,
    describe,
    hop_length,
    known,
    read_group,
)

SR = 22_050


OWN = "my_encoder"  # an ONNX file of the user's own


@pytest.fixture(params=[*REPRESENTATIONS, OWN])
def named(request, tree):
    if request.param == "musicnn":
        tree["representations"]["musicnn"]["weights"] = request.getfixturevalue("musicnn_weights")
    if request.param == OWN:
        path = request.getfixturevalue("onnx_encoder")
        tree["representations"][OWN] = {
            **{"kind": "onnx", "path": str(path), "sr": 16_000, "window": 0.5, "layer": "embedding"}
        }
    return request.param, parse_params(tree).entry("representations", request.param)


SPECTROGRAMS = ["stft", "mel", "cqt"]
spectrograms = pytest.mark.parametrize("named", SPECTROGRAMS, indirect=True)
CHROMAGRAMS = ["chroma_stft", "chroma_cqt", "chroma_cens"]


def render(named, y):
    name, group = named
    return known(name).transform(y, SR, group)


def noise(n_samples):
    return 0.1 * np.random.default_rng(0).standard_normal(n_samples).astype(np.float32)


def test_registry_and_params_know_the_same_names():
    assert list(REPRESENTATIONS) == list(Representations.model_fields)
    for name, representation in REPRESENTATIONS.items():
        assert Representations.model_fields[name].annotation is representation.group


@pytest.mark.parametrize("n_samples", [1, 100, 511, 512, 22_050, 30_000])
def test_frames_are_time_major_float32_one_per_hop(named, n_samples):
    values = render(named, noise(n_samples))
    n_frames = 1 + n_samples // hop_length(named[1], SR)
    assert values.shape == (n_frames, describe(*named, SR)["n_bins"])
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    assert np.isfinite(values).all()


def test_values_fit_float16(named):
    assert np.abs(render(named, noise(SR))).max() < np.finfo(np.float16).max


@spectrograms
def test_decibels_stay_between_floor_and_zero(named):
    description = describe(*named, SR)
    assert description["unit"] == "dB"
    values = render(named, noise(SR))
    assert values.max() == 0
    assert values.min() >= description["floor"]
    assert (render(named, np.zeros(SR, np.float32)) == description["floor"]).all()


@pytest.mark.parametrize("named", [name for name in REPRESENTATIONS if known(name).picture], indirect=True)
def test_silence_is_the_floor_of_every_column(named):
    floor = np.broadcast_to(describe(*named, SR)["floor"], describe(*named, SR)["n_bins"])
    silence = render(named, np.zeros(SR, np.float32))
    np.testing.assert_allclose(silence, np.tile(floor, (len(silence), 1)), atol=1e-3)


def test_silence_is_finite(named):
    assert np.isfinite(render(named, np.zeros(SR, np.float32))).all()


@pytest.mark.parametrize("named", CHROMAGRAMS, indirect=True)
def test_chroma_stay_between_0_and_1_and_are_named(named):
    values = render(named, noise(SR))
    assert values.min() >= 0
    assert values.max() <= 1 + 1e-6
    assert describe(*named, SR)["bins"] == ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def test_the_columns_are_those_of_the_description(named):
    name, group = named
    columns, bins = known(name).columns(group), describe(*named, SR)["bins"]
    assert len(columns) == len(bins)
    if not isinstance(columns, range):
        assert columns == bins


def test_parameters_of_earlier_versions_are_read(named):
    name, group = named
    params = {key: value for key, value in group.model_dump().items() if key not in ADDED_LATER.get(name, {})}
    assert read_group(name, params) == group


def test_same_input_gives_same_bytes(named):
    assert render(named, noise(SR)).tobytes() == render(named, noise(SR)).tobytes()


def test_description_is_json_and_labels_every_bin(named):
    description = json.loads(json.dumps(describe(*named, SR), allow_nan=False))
    assert description["n_bins"] == len(description["bins"]) == len(set(description["bins"]))
    assert description["frames_per_second"] == SR / hop_length(named[1], SR)
    assert {"unit", "floor"} < set(description)


@spectrograms
def test_low_frequencies_come_first(named):
    bins = describe(*named, SR)["bins"]
    assert bins == sorted(bins)
