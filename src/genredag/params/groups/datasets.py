"""The groups ``download`` and ``datasets``: where each data set comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from genredag.errors import ParameterError
from genredag.params.groups.base import Count, Group, Name, Seconds, Seed, Share
from genredag.params.groups.reading import read_member


class Download(Group):
    """Downloads, and checks of the tracks of every data set."""

    max_skipped: Share = Field(description="largest share of tracks that may be quarantined")
    min_seconds: Seconds = Field(description="shorter tracks are quarantined, in seconds")
    silence_db: Annotated[float, Field(lt=0)] = Field(
        description="tracks whose peak is below this level count as silent, in dBFS"
    )
    max_megabytes: Annotated[float, Field(gt=0)] = Field(
        description="tracks that take more memory are quarantined: mono samples of 4 bytes, in MB"
    )
    max_decoding_seconds: Seconds = Field(
        description="tracks that take longer to decode are quarantined, in seconds of processor time"
    )
    timeout_seconds: Seconds = Field(
        description="give up on a mirror that sends less than 64 KiB for this long, in seconds"
    )
    retries: Annotated[int, Field(ge=0)] = Field(
        description="how often an interrupted download is resumed, per mirror"
    )


class Synthetic(Group):
    """The embedded data set, generated from a seed."""

    tracks_per_genre: Annotated[int, Field(ge=2)] = Field(description="tracks of each of the ten genres")
    tracks_per_artist: Count = Field(description="tracks per fictional artist")
    clip_seconds: Annotated[float, Field(ge=1, le=600)] = Field(description="length of a track, in seconds")
    sr: Annotated[int, Field(ge=8000, le=96000)] = Field(description="sample rate, in Hz")
    seed: Seed = Field(description="seed of the music")


class Archive(Group):
    """A data set that is downloaded as an archive, or that the user already has."""

    path: str | None = Field(description="an archive or folder of your own, instead of a download")
    mirrors: list[str] = Field(description="addresses tried in order")


class FmaArchive(Archive):
    """An FMA subset and its metadata."""

    metadata_path: str | None = Field(description="an fma_metadata.zip or folder of your own")
    metadata_mirrors: list[str] = Field(description="addresses of fma_metadata.zip, tried in order")


class GenreSources(Group):
    """Where the tracks of one mixed genre come from."""

    gtzan: list[str] = Field(description="genres of GTZAN")
    fma: list[str] = Field(description="genres or sub-genres of FMA")


class GtzanFma(Group):
    """A balanced mix of GTZAN and one FMA subset."""

    tracks_per_genre: Count = Field(description="tracks of each genre; GTZAN's come first")
    gtzan: Archive = Field(description="where GTZAN comes from, as in `datasets.gtzan`")
    size: Literal["small", "medium", "large"] = Field(description="the FMA subset")
    fma: FmaArchive = Field(description="where that subset comes from")
    seed: Seed = Field(description="seed of the random selection")
    genres: Annotated[dict[Name, GenreSources], Field(min_length=2)] = Field(
        description="the genres of the mix and their source genres"
    )


class Folder(Group):
    """Your own music: ``<genre>/**/*.<audio>`` or a CSV of path, genre[, artist]."""

    path: str | None = Field(description="the folder, or the CSV file")

    def given_path(self) -> str:
        """Return the path.

        Raises
        ------
        ParameterError
            No path is given.
        """
        if not self.path:
            expected = "a folder <genre>/**/*.mp3, or a CSV: path,genre"
            hint = "genredag set datasets.folder.path=my_music"
            raise ParameterError("no folder", where="datasets.folder.path", expected=expected, hint=hint)
        return self.path


class Spectrograms(Group):
    """Precomputed spectrograms, for collections whose audio may not be shared."""

    files: list[str] = Field(description=".npz or .npy files with the frames of each track")
    tracks: str | None = Field(description="a CSV of track_id, genre[, artist][, split], or null")
    representation: Name = Field(description="what the frames are: a key of `representations`")
    clip_seconds: Seconds = Field(description="duration of the frames of one track, in seconds")

    def given_files(self) -> list[str]:
        """Return the files.

        Raises
        ------
        ParameterError
            No files are given.
        """
        if not self.files or not all(self.files):
            where, hint = "datasets.spectrograms.files", "docs/datasets.md describes the format"
            raise ParameterError("no files", where=where, hint=hint)
        return self.files


class Datasets(Group):
    """Every data set by its name."""

    synthetic: Synthetic
    gtzan: Archive
    fma_small: FmaArchive
    fma_medium: FmaArchive
    gtzan_fma: GtzanFma
    folder: Folder
    spectrograms: Spectrograms


def read_data_set(path: Path, name: str) -> Group:
    """Read the group of one data set from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such data set, or a value of ``datasets`` can't be used.
    """
    return read_member(path, "datasets", Datasets, name)
