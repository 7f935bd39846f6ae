"""Which representations can be drawn as pictures, and in which colours."""

from __future__ import annotations

from genredag.errors import ParameterError


def check_colours(representation: str, n_channels: int, colour_map: str, *, is_spectrogram: bool) -> None:
    """Refuse a representation that is no spectrogram, or colours that its channels can't have.

    Raises
    ------
    ParameterError
        It has several units, neither one channel nor three, or three and a colour map.
    """
    if n_channels not in (1, 3):
        raise ParameterError(
            f"{representation} has {n_channels} channels",
            where="pictures.representation",
            expected="1 channel, or 3 as red, green and blue",
        )
    if not is_spectrogram:
        raise ParameterError(
            f"{representation} is not a spectrogram",
            where="pictures.representation",
            expected="a representation with one unit, such as mel",
        )
    if n_channels == 3 and colour_map != "grey":
        raise ParameterError(
            f"{colour_map!r} colours one channel, but {representation} has red, green and blue",
            where="pictures.colour_map",
            expected="'grey'",
        )
