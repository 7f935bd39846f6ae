"""The sample rates of MP3 files, and the constant bit rates that each allows."""

from __future__ import annotations

# MPEG-2.5, MPEG-2 and MPEG-1, layer III. libsndfile's compression level runs from the highest bit rate (0)
# to the lowest (1), which LAME rejects.
_FAMILIES = (
    ((8_000, 11_025, 12_000), (8, 16, 24, 32, 40, 48, 56, 64)),
    ((16_000, 22_050, 24_000), (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)),
    ((32_000, 44_100, 48_000), (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
)
_SCALES = {sample_rate: scale for sample_rates, scale in _FAMILIES for sample_rate in sample_rates}


def file_rate(sr: int) -> int:
    """Return the sample rate of an MP3 file of audio at `sr`: the next supported one, in Hz."""
    return min((rate for rate in _SCALES if rate >= sr), default=max(_SCALES))


def bit_rates(sr: int) -> tuple[int, ...]:
    """Return the constant bit rates, in kbit/s, of an MP3 file of audio at `sr`."""
    return _SCALES[file_rate(sr)][1:]


def compression_level(kbps: int, sr: int) -> float:
    """Return libsndfile's compression level for one of `bit_rates`, from 0 (largest file) to 1."""
    scale = _SCALES[file_rate(sr)]
    return (scale[-1] - kbps) / (scale[-1] - scale[0])
