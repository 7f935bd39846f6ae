"""Spectrograms of a split as PNG files in a folder per part and genre."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.exports.colours import check_colours
from genredag.exports.names import file_names
from genredag.frames.split_slices import SplitSlices
from genredag.params.groups.exports import Pictures
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    from PIL import Image


logger = logging.getLogger(__name__)

COLUMNS = ("file", "track_id", "slice", "start", "genre", "artist", "part")


def picture_list(data: SplitSlices, per: str) -> pd.DataFrame:
    """List the pictures of a split: those of the slices in its parts, or of their tracks.

    Shifted copies of training tracks are included, as in training.

    Parameters
    ----------
    per
        ``"slice"`` or ``"track"``.

    Returns
    -------
    pd.DataFrame
        `shown_columns` (file is a path in the folder, start is in seconds), first_frame, n_frames (of the
        picture) and n_valid (those before padding); one row per picture.
    """
    rows = data.split["part"].notna().to_numpy()
    facts = data.split.loc[rows, ["genre", "artist", "part"]]
    table = pd.concat([data.slices[rows].reset_index(drop=True), facts.reset_index(drop=True)], axis=1)
    table["n_frames"] = data.spec.n_frames
    ending = "_" + table["slice"].astype(str) + ".png"
    if per == "track":
        table = table.drop_duplicates("track_id", ignore_index=True)
        place = data.frames.index.set_index("track_id").loc[table["track_id"]].reset_index()
        table["first_frame"], table["n_frames"] = place["first_frame"], place["n_frames"]
        table["n_valid"] = table["n_frames"]
        ending = pd.Series(".png", table.index)
    genres, tracks = (table[name].map(file_names(table[name])) for name in ("genre", "track_id"))
    table["file"] = table["part"] + "/" + genres + "/" + tracks + ending
    return table[[*shown_columns(per), "first_frame", "n_frames", "n_valid"]]


def shown_columns(per: str) -> list[str]:
    """Return the columns of the table of pictures: `COLUMNS`, for whole tracks without slice and start."""
    return [name for name in COLUMNS if per == "slice" or name not in ("slice", "start")]


def write_pictures(folder: Path, data: SplitSlices, params: Pictures) -> pd.DataFrame:
    """Write the pictures of a split below `folder`, which exists only once it is complete.

    The smallest value of all training frames is the darkest, the largest the brightest. Three channels of a
    stack are red, green and blue, each with its own extremes.

    Returns
    -------
    pd.DataFrame
        The columns `shown_columns` of `picture_list`.

    Raises
    ------
    ParameterError
        The frames hold features of different units, not a spectrogram, or a stack of 2 or 4 channels.
    """
    spec = data.frames.spec
    is_spectrogram = spec.n_channels > 1 or spec.unit != "feature"
    check_colours(spec.representation, spec.n_channels, params.colour_map, is_spectrogram=is_spectrogram)
    table = picture_list(data, params.per)
    limits = [value_limits(data, channel) for channel in range(spec.n_channels)]
    scales = ", ".join(f"{low:g} to {high:g}" for low, high in limits)
    logger.info("%d pictures: from black to white, %s (%s)", len(table), scales, spec.unit)
    with complete_folder(folder) as temporary:
        places = table[["first_frame", "n_frames", "n_valid"]].to_numpy()
        for file, (first, length, valid) in progress(
            zip(table["file"], places, strict=True), "writing pictures", len(table)
        ):
            path = temporary / file
            path.parent.mkdir(parents=True, exist_ok=True)
            (values,) = data.frames.gather(np.array([first]), int(length), np.array([valid]))
            channels = [
                picture(channel, ends, params.size, params.colour_map)
                for channel, ends in zip(np.split(values, spec.n_channels, axis=1), limits, strict=True)
            ]
            _merged(channels).save(path)
    return table[shown_columns(params.per)]


def _merged(channels: list[Image.Image]) -> Image.Image:
    from PIL import Image

    return channels[0] if len(channels) == 1 else Image.merge("RGB", channels)


def value_limits(data: SplitSlices, channel: int = 0) -> tuple[float, float]:
    """Return the smallest and the largest value of a channel in the frames of the training tracks."""
    training = data.split.loc[data.is_in("train"), "track_id"].unique()
    index, array = data.frames.index.set_index("track_id").loc[training], data.frames.array
    n_bins = data.frames.spec.n_bins // data.frames.spec.n_channels
    tracks = [
        array[first : first + n, channel * n_bins : (channel + 1) * n_bins]
        for first, n in zip(index["first_frame"], index["n_frames"], strict=True)
    ]
    extremes = np.array([[track.min(), track.max()] for track in tracks])
    low, high = data.frames.spec.decode(np.array([extremes.min(), extremes.max()]))
    return float(low), float(high if high > low else low + 1)


def picture(
    values: np.ndarray, limits: tuple[float, float], size: list[int] | None, colour_map: str
) -> Image.Image:
    """Return frames (n_frames, n_bins) as a picture with low frequencies at the bottom.

    Parameters
    ----------
    limits
        The values of the darkest and of the brightest colour; values beyond them are clipped.
    size
        Height and width in pixels; None: n_bins and n_frames.
    colour_map
        ``"grey"`` for one channel, or a colour map of Matplotlib for three.
    """
    from PIL import Image

    low, high = limits
    shares = np.clip((values.T[::-1] - low) / (high - low), 0, 1).astype(np.float32)
    if size is not None:
        height, width = size
        shares = np.asarray(Image.fromarray(shares).resize((width, height), Image.Resampling.BILINEAR))
    levels = np.rint(255 * shares).astype(np.uint8)
    if colour_map != "grey":
        from matplotlib import colormaps

        levels = colormaps[colour_map](levels, bytes=True)[:, :, :3]
    return Image.fromarray(np.ascontiguousarray(levels))


@contextmanager
def complete_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder to write to; it becomes `path`, replacing it, on success, and is removed on failure.

    What a killed process left is removed by the next one.
    """
    temporary = path.with_name(f".{path.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
