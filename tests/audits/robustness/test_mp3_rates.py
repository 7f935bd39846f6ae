"""MP3: the valid bit rates, and libsndfile's compression level for each of them."""

import io

import numpy as np
import pytest
import soundfile

from genredag.params.mp3_rates import bit_rates, compression_level, file_rate


@pytest.mark.parametrize(
    ("sr", "rate"), [(8_000, 8_000), (22_050, 22_050), (22_051, 24_000), (30_000, 32_000), (96_000, 48_000)]
)
def test_a_file_has_the_next_higher_sample_rate(sr, rate):
    assert file_rate(sr) == rate


def test_bit_rates_depend_on_the_sample_rate():
    assert 64 in bit_rates(8_000) and 80 not in bit_rates(12_000)
    assert 160 in bit_rates(22_050) and 192 not in bit_rates(24_000)
    assert 320 in bit_rates(44_100) and 144 not in bit_rates(44_100)


@pytest.mark.parametrize("sr", [8_000, 22_050, 44_100])
def test_every_bit_rate_can_be_written(sr):
    seconds = 4
    y = 0.1 * np.random.default_rng(0).standard_normal(seconds * sr)
    for kbps in bit_rates(sr):
        file = io.BytesIO()
        coding = {"compression_level": compression_level(kbps, sr), "bitrate_mode": "CONSTANT"}
        soundfile.write(file, y, sr, format="MP3", subtype="MPEG_LAYER_III", **coding)
        # A file begins with a frame or two of padding, of 72 ms at 8 kHz.
        assert file.tell() * 8 / 1000 / seconds == pytest.approx(kbps, rel=0.08)
