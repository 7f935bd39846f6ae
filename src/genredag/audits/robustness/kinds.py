"""The kinds of deformation: their names, their units, and which of two strengths is milder."""

from __future__ import annotations

import math
from dataclasses import dataclass

NONE = "none"


@dataclass(frozen=True)
class Kind:
    """A kind of deformation.

    Attributes
    ----------
    place
        Position of an undeformed track on the axis of strengths.
    """

    name: str
    unit: str
    place: float

    def ordered(self, strengths: list[float]) -> list[float | None]:
        """Return `strengths` and None (no deformation), in their order from left to right on an axis.

        The milder of two strengths is closer to None. If strengths have a sign, None is in the middle.
        """
        descends = self.place == math.inf
        places = [*((strength, strength) for strength in strengths), (self.place, None)]
        return [strength for _, strength in sorted(places, key=lambda pair: pair[0], reverse=descends)]


# Keyed by the names in `robustness.deformations`.
KINDS = {
    "mp3_kbps": Kind("MP3", "kbit/s", math.inf),
    "resample_hz": Kind("Resampled", "Hz", math.inf),
    "gain_db": Kind("Gain", "dB", 0.0),
    "noise_snr_db": Kind("White noise, SNR", "dB", math.inf),
    "high_pass_hz": Kind("High-pass", "Hz", 0.0),
}
