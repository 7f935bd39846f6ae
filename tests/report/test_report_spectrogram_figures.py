import numpy as np
import pytest

from genredag.report.spectrogram_figures import bin_ticks, colour_key, spectrogram, thumbnail
from genredag.report.svg import to_svg
from genredag.spectrograms.column_names import row_names


def test_ticks_are_at_round_frequencies():
    positions, labels = bin_ticks([float(f) for f in range(0, 11000, 10)], gap=0.09)
    assert labels == ["1k", "2k", "5k", "10k"]
    assert positions == [100, 200, 500, 1000]


def test_ticks_lie_between_bins_where_no_bin_is_round():
    positions, labels = bin_ticks([80.0, 120.0, 180.0], gap=0.2)
    assert labels == ["100"]
    assert positions == [0.5]


def test_named_bins_are_labelled_by_name():
    positions, labels = bin_ticks([f"mfcc {i}" for i in range(20)], gap=0.5)
    assert (positions, labels) == ([0, 10], ["mfcc 0", "mfcc 10"])


def test_channels_of_a_stack_are_labelled_in_their_middle():
    rows = row_names("mel", 5) + row_names("chroma_cqt", 5)
    assert bin_ticks(rows) == ([2.0, 7.0], ["mel", "chroma_cqt"])


def test_a_spectrogram_is_a_small_picture_with_both_axes():
    values = np.random.default_rng(0).normal(-40, 10, (430, 128))
    svg = to_svg(spectrogram(values, list(np.linspace(0, 11025, 128)), 43.0, (-80.0, 0.0)), "noise")
    assert svg.count("data:image/webp;base64,") == 1
    assert "image/png" not in svg
    assert len(svg) < 60_000
    assert all(f">{label}<" in svg for label in ("seconds", "Hz", "5k", "10"))


def test_features_have_names_and_no_hertz():
    svg = to_svg(spectrogram(np.zeros((10, 2)), ["centroid", "zero crossings"], 10.0, (-1, 1)), "features")
    assert ">centroid<" in svg
    assert ">Hz<" not in svg


@pytest.mark.parametrize("limits", [(-80.0, 0.0), (0.0, 255.0)])
def test_the_key_spans_its_limits(limits):
    svg = to_svg(colour_key(limits, "dB"), "key")
    assert ">dB<" in svg
    assert all(f">{abs(limit):.0f}<" in svg.replace("\N{MINUS SIGN}", "") for limit in limits if limit != 255)


def test_a_thumbnail_has_time_to_the_right_and_high_bins_above():
    import base64
    import io

    from PIL import Image

    values = np.full((120, 44), -80.0)
    values[:60, 22:] = 0.0
    address = thumbnail(values, (-80.0, 0.0))
    head, _, data = address.partition(",")
    assert head == "data:image/webp;base64"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"), dtype=float)
    quarters = [pixels[:40, :110], pixels[:40, 130:], pixels[48:, :110], pixels[48:, 130:]]
    assert [quarter.mean() > 128 for quarter in quarters] == [True, False, False, False]
