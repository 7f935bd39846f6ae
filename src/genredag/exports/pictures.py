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

from genredag.errors import DataError
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

    The smallest value of all training frames is the darkest, the largest the brightest.

    Returns
    -------
    pd.DataFrame
        The columns `shown_columns` of `picture_list`.

    Raises
    ------
    DataError
        The frames hold features of different units, not a spectrogram.
    """
    spec = data.frames.spec
    if spec.unit == "feature":
        raise DataError(
            f"{spec.representation} is not a spectrogram",
            where="pictures.representation",
            expected="a representation with one unit, such as mel",
        )
    table = picture_list(data, params.per)
    limits = value_limits(data)
    logger.info("%d pictures: black is %g %s, white is %g", len(table), limits[0], spec.unit, limits[1])
    with complete_folder(folder) as temporary:
        places = table[["first_frame", "n_frames", "n_valid"]].to_numpy()
        for file, (first, length, valid) in progress(
            zip(table["file"], places, strict=True), "writing pictures", len(table)
        ):
            path = temporary / file
            path.parent.mkdir(parents=True, exist_ok=True)
            (values,) = data.frames.gather(np.array([first]), int(length), np.array([valid]))
            picture(values, limits, params.size, params.colour_map).save(path)
    return table[shown_columns(params.per)]


def value_limits(data: SplitSlices) -> tuple[float, float]:
    """Return the smallest and the largest value in the frames of the training tracks."""
    training = data.split.loc[data.is_in("train"), "track_id"].unique()
    index, array = data.frames.index.set_index("track_id").loc[training], data.frames.array
    tracks = [
        array[first : first + n] for first, n in zip(index["first_frame"], index["n_frames"], strict=True)
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
