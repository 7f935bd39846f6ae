"""FMA: 30 s clips under free licences, with artists, sub-genres and an official, artist-disjoint split."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from genredag.datasets.archive import extract
from genredag.datasets.fetch import obtain, verify_checksum
from genredag.errors import DataError
from genredag.params.groups.datasets import Download, FmaArchive
from genredag.tracks.manifest import LISTED

HOMEPAGE = "https://github.com/mdeff/fma"
LICENSE = "metadata CC BY 4.0; audio: chosen by each artist, mostly Creative Commons"
CITATION = """\
@inproceedings{defferrard2017fma,
  author = {Defferrard, Micha\\"el and Benzi, Kirell and Vandergheynst, Pierre and Bresson, Xavier},
  title = {{FMA}: A dataset for music analysis},
  booktitle = {International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2017}
}
"""
SHA1 = {
    "metadata": "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    "small": "sha1:ade154f733639d52e35e32f5593efe5be76c6d70",
    "medium": "sha1:c67b69ea232021025fca9231fc1c7c1a063ab50b",
    "large": "sha1:497109f4dd721066b5ce5e5f250ec604dc78939e",
}
# The archives have 0.34, 7.2, 22 and 93 GiB.
MAX_BYTES = {"metadata": 1 << 30, "small": 8 << 30, "medium": 24 << 30, "large": 100 << 30}
SUBSETS = ("small", "medium", "large")  # each contains the previous ones
SPLITS = {"training": "train", "validation": "validation", "test": "test"}
FIELDS = {  # tracks.csv has two rows of column names, and a third for the index
    ("set", "subset"): "size",
    ("set", "split"): "split",
    ("track", "genre_top"): "genre",
    ("track", "genres_all"): "genre_ids",
    ("artist", "id"): "artist_id",
    ("artist", "name"): "artist",
}


def list_tracks(params: FmaArchive, *, subset: str, download: Download, cache_dir: Path) -> pd.DataFrame:
    """Download audio and metadata, unless the user has them, and list the tracks of a subset.

    Parameters
    ----------
    subset
        ``small`` (8,000 tracks, eight genres), ``medium`` (25,000 tracks, 16 genres), or ``large`` (106,574
        tracks; half of them have several genres, so their genre is None).

    Raises
    ------
    DataError
        The archives can't be obtained or unpacked, or the metadata are not FMA's.
    """
    cache_dir, key = Path(cache_dir) / "fma", f"datasets.fma_{subset}"
    metadata = obtain(
        params.metadata_path,
        params.metadata_mirrors,
        cache_dir / "fma_metadata.zip",
        verify=functools.partial(verify_checksum, checksum=SHA1["metadata"]),
        download=download,
        key=f"{key}.metadata_path",
        max_bytes=MAX_BYTES["metadata"],
    )
    tracks = read_tracks(metadata, subset)
    audio = obtain(
        params.path,
        params.mirrors,
        cache_dir / f"fma_{subset}.zip",
        verify=functools.partial(verify_checksum, checksum=SHA1[subset]),
        download=download,
        key=f"{key}.path",
        max_bytes=MAX_BYTES[subset],
    )
    folder = clip_folder(audio if audio.is_dir() else extract(audio, cache_dir))
    numbers = tracks.index.map("{:06d}".format)
    paths = [str(folder / number[:3] / f"{number}.mp3") for number in numbers]
    return tracks.assign(track_id="fma." + numbers, path=paths)[LISTED].reset_index(drop=True)


def read_tracks(metadata: Path, subset: str) -> pd.DataFrame:
    """Read the tracks of a subset from ``tracks.csv`` and ``genres.csv``.

    Parameters
    ----------
    metadata
        ``fma_metadata.zip``, or the folder that it was unpacked to.

    Returns
    -------
    pandas.DataFrame
        Indexed by FMA's track number: genre (the root of all its genres; None if there are several roots),
        subgenres (all names, separated by "; "), artist, subset (the official split).
    """
    with _opened(metadata, "tracks.csv") as file:
        head = pd.read_csv(file, header=None, nrows=2, dtype=str)
    places = {pair: place for place, pair in enumerate(zip(head.iloc[0], head.iloc[1], strict=True))}
    _refuse_missing(
        [", ".join(pair) for pair in FIELDS if pair not in places], metadata, "tracks.csv: no column"
    )
    names = {0: "number"} | {places[pair]: name for pair, name in FIELDS.items()}
    with _opened(metadata, "tracks.csv") as file:
        table = pd.read_csv(
            file, header=None, skiprows=3, usecols=list(names), dtype=str, keep_default_na=False
        )
    tracks = table.rename(columns=names).set_index("number")
    tracks.index = tracks.index.astype(int)
    tracks = tracks[tracks["size"].isin(SUBSETS[: SUBSETS.index(subset) + 1])].sort_index()
    tracks["genre"] = tracks["genre"].where(tracks["genre"] != "", None)
    titles = _read_genres(metadata)
    ids = [re.findall(r"\d+", text) for text in tracks["genre_ids"]]
    _refuse_missing(
        sorted({number for numbers in ids for number in numbers} - {*titles}),
        metadata,
        "genres.csv: no genre",
    )
    tracks["subgenres"] = ["; ".join(titles[number] for number in numbers) for numbers in ids]
    # ASSUME two artists of one name are one: splits then keep them together, which is the safe side.
    tracks["artist"] = tracks["artist"].where(tracks["artist"] != "", "FMA artist " + tracks["artist_id"])
    return tracks.assign(subset=tracks["split"].map(SPLITS))[["genre", "subgenres", "artist", "subset"]]


def _read_genres(metadata: Path) -> dict[str, str]:
    """Read the titles of genres by their number."""
    with _opened(metadata, "genres.csv") as file:
        genres = pd.read_csv(file, dtype=str, keep_default_na=False)
    _refuse_missing(
        [name for name in ("genre_id", "title") if name not in genres], metadata, "genres.csv: no column"
    )
    return dict(zip(genres["genre_id"], genres["title"], strict=True))


def _refuse_missing(names: list[str], metadata: Path, what: str) -> None:
    if names:
        raise DataError(f"{what} {names[0]}", where=str(metadata), expected="the tables of FMA's metadata")


def clip_folder(folder: Path) -> Path:
    """Find the folder that holds ``000/000002.mp3`` and so on: `folder` or a subfolder.

    Raises
    ------
    DataError
        There is no such folder.
    """
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if any(place.glob("[0-9][0-9][0-9]/*.mp3")):
            return place
    raise DataError("no FMA clips", where=str(folder), expected="000/000002.mp3 and so on")


@contextmanager
def _opened(metadata: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a table of the metadata in the zip archive, or in the folder that it was unpacked to."""
    where, expected = str(metadata), f"fma_metadata.zip or its folder, with {name}"
    try:
        if metadata.is_dir():
            with next(metadata.rglob(name)).open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(metadata) as zipped:
                member = next(info for info in zipped.infolist() if Path(info.filename).name == name)
                with zipped.open(member) as file:
                    yield file
    except StopIteration:
        raise DataError(f"no {name}", where=where, expected=expected) from None
    except (zipfile.BadZipFile, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"unreadable: {error}", where=where, expected=expected) from None
