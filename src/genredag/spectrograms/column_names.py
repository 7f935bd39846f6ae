"""Names of columns that have no frequency: pitch classes, and the rows of the channels of a stack."""

from __future__ import annotations

from collections.abc import Sequence

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Each pitch class relative to the strongest one of its frame; and parts of a frame whose squares sum to 1.
CHROMA_UNIT = "share of the strongest pitch class"
CENS_UNIT = "share of the frame's norm"


def pitch_names(n_chroma: int) -> list[str]:
    """Name the pitch classes that divide an octave from C equally: ``"C"``, or ``"C+50 cents"`` between."""
    names = []
    for number in range(n_chroma):
        semitone, part = divmod(12 * number, n_chroma)
        cents = 100 * part / n_chroma
        names.append(PITCH_CLASSES[semitone] + (f"+{cents:.3g} cents" if part else ""))
    return names


def row_names(channel: str, n_rows: int) -> list[str]:
    """Name the rows of a channel of a stack: ``"mel 1"``, ``"mel 2"``."""
    return [f"{channel} {number}" for number in range(1, n_rows + 1)]


def channel_of(name: float | str) -> str:
    """Return the channel of a row that `row_names` named; "" for the name of any other column."""
    channel, _, number = str(name).rpartition(" ")
    return channel if number.isdigit() else ""


def axis_label(bins: Sequence[float | str]) -> str:
    """Return what labels the axis of columns: Hz, or for a chromagram that they are pitch classes."""
    if not isinstance(bins[0], str):
        return "Hz"
    return "pitch class" if list(bins) == pitch_names(len(bins)) else ""
