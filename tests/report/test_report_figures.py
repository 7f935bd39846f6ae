import re

import numpy as np
import pandas as pd
import pytest

from genredag.report.figures import bin_ticks, colour_key, learning_curve, spectrogram, to_svg

HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.1, 1.5]})


def test_ticks_stand_at_round_frequencies():
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


def test_svg_takes_colours_from_the_page_and_asks_for_nothing():
    svg = to_svg(learning_curve(HISTORY, "loss"), "loss")
    assert svg.startswith("<svg viewBox=") and svg.endswith("</svg>")
    assert "var(--series-1)" in svg and "var(--series-2)" in svg
    assert "#0102" not in svg
    assert "http" not in svg and "<style" not in svg


def test_the_kept_epoch_is_marked():
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.0, 2.0]})
    assert ">kept: epoch 2<" in to_svg(learning_curve(history, "loss"), "loss")


def test_svg_describes_itself_safely():
    svg = to_svg(learning_curve(HISTORY, "loss"), 'loss of "<b>" & \\1')
    assert 'role="img" aria-label="loss of &#34;&lt;b&gt;&#34; &amp; \\1"' in svg


def test_svg_is_the_same_at_every_build_and_its_identifiers_are_its_own():
    one, again, other = (to_svg(learning_curve(HISTORY, "loss"), told) for told in ("a", "a", "b"))
    assert one == again
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0] and not ids[0] & ids[1]


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
